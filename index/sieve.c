/* From codes to the best k: see sieve.h. Analysis thread. */
#include "sieve.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    BATCH = 16,         /* rows compared between two looks at the k-th best */
    FETCH_AT_MOST = 64, /* rows of a chunk: more are cut down before they are needed */
};

/* What sums of floats are off by at most, by their size; without it rows that equal the
 * k-th best would be passed over by chance. */
static const float rounding = 1e-6F;

void
idx_code_rotate(float out[], const float x[], const uint64_t signs[], size_t dim)
{
    float padded[IDX_MIN_BITS] = {0};
    if (dim < IDX_MIN_BITS) {
        memcpy(padded, x, dim * sizeof *x);
        idx_rotate(out, padded, signs, IDX_MIN_BITS);
    } else {
        idx_rotate(out, x, signs, dim);
    }
}

/* ---- The query ------------------------------------------------------------------ */

/* Sums of the subsets of four coordinates, above the least of them, in bytes. */
static void
make_table(idx_sieve *v, const float y[])
{
    float most = 0.0F, bottom = 0.0F, whole = 0.0F;
    for (size_t i = 0; i < v->bits; i += 4) {
        const float range =
            fabsf(y[i]) + fabsf(y[i + 1]) + fabsf(y[i + 2]) + fabsf(y[i + 3]);
        most = range > most ? range : most;
    }
    const bool usable = most > IDX_TOO_SMALL && most <= FLT_MAX;
    const float step = usable ? most / IDX_TABLE_MAX : 1.0F;
    const float per = 1.0F / step;
    for (size_t i = 0; i < v->bits; i += 4) {
        float sum[16] = {0}, least = 0.0F;
        for (size_t b = 0; b < 4; b++) {
            least += y[i + b] < 0.0F ? y[i + b] : 0.0F;
            whole += y[i + b];
            for (size_t k = 0; k < (size_t)1 << b; k++)
                sum[k | (size_t)1 << b] = sum[k] + y[i + b];
        }
        bottom += least;
        for (size_t k = 0; k < 16; k++) { /* beyond only where lengths overflow */
            const float entry = (sum[k] - least) * per + 0.5F;
            v->table[4 * i + k] =
                (uint8_t)(entry < IDX_TABLE_MAX ? entry : IDX_TABLE_MAX);
        }
    }
    /* s . y = 2 (sum over set bits) - (sum over all) */
    v->scale = 2.0F * step / v->unit;
    v->shift = (2.0F * bottom - whole) / v->unit;
    /* bits / 4 entries, each within half a step, counted twice */
    v->noise = usable ? step * step * (float)v->bits / 12.0F : 0.0F;
}

static void
compare_rows(idx_sieve *v, uint32_t visit, const uint32_t id[], uint32_t n, float out[])
{
    (void)visit;
    idx_compare(v->index, v->scale_number, v->s, id, 0, n, out);
}

idx_sieve
idx_sieve_begin(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                idx_work *work, float unit, const uint64_t signs[], void *room)
{
    const idx_scale *sc = &index->scales[scale];
    const size_t bits = idx_code_bits(sc->dim);
    float *y = room;
    idx_sieve v = {.index = index,
                   .scale_number = scale,
                   .sc = sc,
                   .params = &s->params[scale],
                   .s = s,
                   .kern = s->scan_kern,
                   .top = top,
                   .work = work,
                   .compare = compare_rows,
                   .euclid = sc->params.metric == IDX_EUCLID,
                   .bits = bits,
                   .table = (uint8_t *)(y + bits),
                   .unit = unit,
                   .per_unit = 1.0F / (unit * unit),
                   .least = -FLT_MAX};
    idx_code_rotate(y, s->unit, signs, sc->dim);
    make_table(&v, y);
    return v;
}

idx_scan
idx_sieve_around(const idx_sieve *v, float dot, float gap, float errors)
{
    const float base = v->euclid ? -0.5F * gap : dot;
    const float sigma = sqrtf(IDX_CODE_ERROR * IDX_CODE_ERROR * gap + v->noise);
    return (idx_scan){.table = v->table,
                      .scale = v->scale,
                      .shift = v->shift + errors * sigma / v->unit,
                      .base = v->per_unit * (base + rounding * fabsf(base))};
}

/* ---- Which rows ----------------------------------------------------------------- */

/* Brings the m most promising of n rows to the front, in no order (Hoare, CACM 1961).
 */
static void
select_best(idx_survivor row[], uint32_t n, uint32_t m)
{
    uint32_t lo = 0, hi = n;
    while (hi - lo > 1 && m > lo && m < hi) {
        const float pivot = row[lo + (hi - lo) / 2].upper;
        uint32_t i = lo, j = hi - 1;
        for (;;) {
            while (row[i].upper > pivot)
                i++;
            while (row[j].upper < pivot)
                j--;
            if (i >= j)
                break;
            const idx_survivor swapped = row[i];
            row[i++] = row[j];
            row[j--] = swapped;
        }
        if (m <= i)
            hi = i;
        else
            lo = i;
    }
}

/* Keeps rows that can still be among the nearest: these have become better meanwhile.
 */
static void
drop_passed(idx_chunk *c, float least)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        c->row[kept] = c->row[i];
        kept += c->row[i].upper >= least;
    }
    c->n = kept;
}

/* Takes about so many of the most promising rows out of a chunk to be compared; returns
 * their number. */
static uint32_t
take_batch(idx_sieve *v, idx_chunk *c, uint32_t batch, uint32_t id[IDX_BLOCK])
{
    const uint32_t wanting = v->top->k - v->top->n;
    const uint32_t most = wanting > batch ? wanting : batch;
    uint32_t m = most < IDX_BLOCK ? most : IDX_BLOCK, n = 0;
    m = m < c->n ? m : c->n;
    select_best(c->row, c->n, m);
    for (uint32_t i = 0; i < m && !v->full; i++) {
        const uint32_t entry = c->row[i].entry;
        if (v->s->skip != UINT32_MAX && v->sc->entries[entry].sound == v->s->skip)
            continue;
        v->full = v->work->n_candidates == v->params->max_candidates;
        if (!v->full) {
            v->work->n_candidates++;
            id[n++] = entry;
        }
    }
    v->work->cut |= v->full;
    c->n -= m;
    memmove(c->row, c->row + m, c->n * sizeof *c->row);
    return n;
}

void
idx_sieve_settle(idx_sieve *v, idx_chunk *c)
{
    uint32_t id[IDX_BLOCK];
    float cosine[IDX_BLOCK];
    uint32_t batch = BATCH;
    for (drop_passed(c, v->least); c->n && !v->full; drop_passed(c, v->least)) {
        const uint32_t n = take_batch(v, c, batch, id);
        batch = batch < IDX_BLOCK ? 2 * batch : batch; /* where all are equally near */
        v->compare(v, c->visit, id, n, cosine);
        idx_top_offer(v->top, id, 0, cosine, n);
        if (v->top->n == v->top->k)
            v->least = v->top->hit[0].cosine * v->per_unit;
    }
    c->n = 0;
}

void
idx_sieve_fetch(const idx_sieve *v, const idx_chunk *c)
{
    const size_t bytes = v->sc->dim * fmt_value_bytes(v->sc->params.stored);
    const char *rows = v->index->part[v->scale_number][FMT_ROWS];
    if (c->n > FETCH_AT_MOST)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        for (size_t at = 0; at < bytes; at += FMT_ALIGN)
            __builtin_prefetch(rows + c->row[i].entry * bytes + at);
}

uint32_t
idx_sieve_blocks(idx_sieve *v, uint32_t left)
{
    const uint32_t may = (v->params->max_scanned - v->work->n_scanned) / IDX_CODE_ROWS;
    const uint32_t n = left < IDX_CHUNK_BLOCKS ? left : IDX_CHUNK_BLOCKS;
    if (may == 0) {
        v->work->cut = 1;
        v->spent = true;
    }
    return n < may ? n : may;
}
