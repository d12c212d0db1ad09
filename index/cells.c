/* Searching in cells: see cells.h. Analysis thread. */
#include "cells.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    IDX_BATCH = 16,     /* rows compared between two looks at the k-th best */
    FETCH_AT_MOST = 64, /* rows of a chunk: more are cut down before they are needed */
};

/* Queries by Euclid whose values are all below this count as 0 where they are rounded
 * to bytes: their inverse is out of range. */
static const float too_small = 1e-30F;

/* What sums of floats are off by at most, by their size; without it rows that equal the
 * k-th best would be passed over by chance. */
static const float rounding = 1e-6F;

/* A search on its way. */
typedef struct {
    const idx_index *index;
    uint32_t scale_number;
    const idx_scale *sc;
    const idx_params *params;
    idx_scratch *s;
    const idx_scan_kern *kern;
    idx_cells_scratch own;
    idx_cells c;
    idx_top *top;
    idx_work *work;
    bool euclid;
    float scale, shift; /* of the sums of the table, in units */
    float noise;        /* variance of these sums by the rounding of the table */
    float per_unit;     /* 1 over the squared unit, which likenesses are in here */
    float least;        /* k-th best so far */
    size_t row_bytes;
    bool full, spent; /* candidates, or codes, as many as allowed */
} hunt;

void
idx_cells_rotate(float out[], const float x[], const uint64_t signs[], size_t dim)
{
    float padded[IDX_MIN_BITS] = {0};
    if (dim < IDX_MIN_BITS) {
        memcpy(padded, x, dim * sizeof *x);
        idx_rotate(out, padded, signs, IDX_MIN_BITS);
    } else {
        idx_rotate(out, x, signs, dim);
    }
}

idx_cells
idx_cells_of(const idx_index *index, uint32_t scale)
{
    const void *const *part = index->part[scale];
    const uint32_t n_cells = index->scales[scale].params.n_cells;
    const uint32_t n_groups = idx_groups_of(n_cells);
    const uint32_t *starts = part[FMT_STARTS];
    return (idx_cells){
        .n_groups = n_groups,
        .n_cells = n_cells,
        .group = starts,
        .cell = starts + n_groups + 1,
        .block = starts + n_groups + 1 + n_cells + 1,
        .groups = part[FMT_GROUPS],
        .cells = part[FMT_CELLS],
        .coarse = part[FMT_COARSE],
        .blocks = part[FMT_BLOCKS],
        .signs = part[FMT_SIGNS],
        .unit = *(const float *)part[FMT_OFFSETS],
    };
}

static void *
carve(unsigned char *base, size_t *used, size_t bytes)
{
    const size_t at = *used;
    *used += (bytes + FMT_ALIGN - 1) / FMT_ALIGN * FMT_ALIGN;
    return base ? base + at : NULL;
}

size_t
idx_cells_scratch_lay(idx_cells_scratch *s, void *base, const idx_scale *scale)
{
    const size_t dim = scale->dim, bits = idx_cells_bits(dim);
    const size_t n_cells = scale->params.n_cells,
                 n_groups = idx_groups_of(scale->params.n_cells);
    size_t used = 0;
    s->y = carve(base, &used, bits * sizeof *s->y);
    s->table = carve(base, &used, bits * 4);
    s->bytes = carve(base, &used, dim + 3);
    s->score = carve(base, &used, (n_cells + n_groups) * sizeof *s->score);
    s->best = carve(base, &used, n_cells / IDX_COARSE_CELLS * sizeof *s->best);
    s->eight = carve(base, &used, n_cells / IDX_COARSE_CELLS * sizeof *s->eight);
    s->near = carve(base, &used, n_groups * sizeof *s->near);
    s->visit = carve(base, &used, n_cells * sizeof *s->visit);
    s->id = carve(base, &used, n_cells * sizeof *s->id);
    s->dot = carve(base, &used, n_cells * sizeof *s->dot);
    s->gap = carve(base, &used, n_cells * sizeof *s->gap);
    s->centred = carve(base, &used, dim * sizeof *s->centred);
    s->pending = carve(base, &used, (size_t)2 * IDX_CHUNK_ROWS * sizeof *s->pending);
    return used;
}

/* ---- The query ------------------------------------------------------------------ */

/* Sums of the subsets of four coordinates, above the least of them, in bytes. */
static void
make_table(hunt *h)
{
    const size_t bits = idx_cells_bits(h->sc->dim);
    float *y = h->own.y;
    float most = 0.0F, bottom = 0.0F, whole = 0.0F;
    idx_cells_rotate(y, h->s->unit, h->c.signs, h->sc->dim);
    for (size_t i = 0; i < bits; i += 4) {
        const float range =
            fabsf(y[i]) + fabsf(y[i + 1]) + fabsf(y[i + 2]) + fabsf(y[i + 3]);
        most = range > most ? range : most;
    }
    const bool usable = most > too_small && most <= FLT_MAX;
    const float step = usable ? most / IDX_TABLE_MAX : 1.0F;
    const float per = 1.0F / step;
    for (size_t i = 0; i < bits; i += 4) {
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
            h->own.table[4 * i + k] =
                (uint8_t)(entry < IDX_TABLE_MAX ? entry : IDX_TABLE_MAX);
        }
    }
    /* s . y = 2 (sum over set bits) - (sum over all) */
    h->scale = 2.0F * step / h->c.unit;
    h->shift = (2.0F * bottom - whole) / h->c.unit;
    /* bits / 4 entries, each within half a step, counted twice */
    h->noise = usable ? step * step * (float)bits / 12.0F : 0.0F;
}

/* The query in bytes; returns their step. */
static float
make_bytes(hunt *h)
{
    const size_t dim = h->sc->dim;
    float most = 0.0F;
    for (size_t i = 0; i < dim; i++)
        most = fmaxf(most, fabsf(h->s->unit[i]));
    const float per = most > too_small ? 127.0F / most : 0.0F;
    for (size_t i = 0; i < (dim + 3) / 4 * 4; i++)
        h->own.bytes[i] = (int8_t)(i < dim ? lrintf(h->s->unit[i] * per) : 0);
    return most / 127.0F;
}

/* ---- Which cells ---------------------------------------------------------------- */

/* The nearest groups, nearest first; returns their number. */
static uint32_t
choose_groups(hunt *h)
{
    const idx_cells *c = &h->c;
    idx_top top = {.hit = h->own.near, .k = h->params->n_tables};
    if (c->n_groups == 1) {
        h->own.near[0].entry = 0;
        return 1;
    }
    h->s->kern->gaps(h->own.score, h->s->unit, c->groups, h->sc->dim, c->n_groups);
    for (uint32_t g = 0; g < c->n_groups; g++)
        h->own.score[g] = -h->own.score[g];
    idx_top_offer(&top, NULL, 0, h->own.score, c->n_groups);
    return top.n;
}

/* Scores the cells of the nearest groups, eight by eight; returns how many eights. */
static uint32_t
score_cells(hunt *h, uint32_t n_groups)
{
    const idx_cells *c = &h->c;
    const size_t dim = h->sc->dim, bytes = idx_coarse_bytes(dim);
    const float step = make_bytes(h);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_groups; i++) {
        const uint32_t group = h->own.near[i].entry;
        const uint32_t first = c->group[group] / IDX_COARSE_CELLS;
        const uint32_t some = c->group[group + 1] / IDX_COARSE_CELLS - first;
        h->kern->coarse(h->own.score + (size_t)n * IDX_COARSE_CELLS, h->own.bytes, step,
                        c->coarse + first * bytes, dim, some);
        for (uint32_t e = 0; e < some; e++)
            h->own.eight[n++] = (first + e) * IDX_COARSE_CELLS;
    }
    return n;
}

static float
best_of_eight(const float score[IDX_COARSE_CELLS])
{
    float best = score[0];
    for (int k = 1; k < IDX_COARSE_CELLS; k++)
        best = score[k] > best ? score[k] : best;
    return best;
}

/*
 * The best n_probes of all scored cells, in order. As many eights as cells are wanted
 * have a best cell above that of all other eights, so no cell of these is wanted: of
 * 120 eights 18 are left, and a heap of the best sees 150 scores and not 1,000.
 */
static idx_top
best_cells(hunt *h, uint32_t n_eights)
{
    const uint32_t most = h->params->n_probes;
    idx_top top = {.hit = h->own.visit, .k = most < n_eights ? most : n_eights};
    for (uint32_t e = 0; e < n_eights; e++)
        h->own.best[e] = best_of_eight(h->own.score + (size_t)e * IDX_COARSE_CELLS);
    idx_top_offer(&top, NULL, 0, h->own.best, n_eights);
    const float least = top.hit[0].cosine;
    top = (idx_top){.hit = h->own.visit, .k = most};
    for (uint32_t e = 0; e < n_eights; e++)
        if (h->own.best[e] >= least)
            idx_top_offer(&top, NULL, h->own.eight[e],
                          h->own.score + (size_t)e * IDX_COARSE_CELLS,
                          IDX_COARSE_CELLS);
    idx_top_sort(&top);
    return top;
}

/* The n_probes nearest cells of the nearest groups, nearest first; returns their
 * number. */
static uint32_t
choose_cells(hunt *h)
{
    const idx_cells *c = &h->c;
    const size_t dim = h->sc->dim;
    const idx_top top = best_cells(h, score_cells(h, choose_groups(h)));
    for (uint32_t i = 0; i < top.n; i++)
        h->own.id[i] = top.hit[i].entry;
    h->s->kern->gap_picks(h->own.gap, h->s->unit, c->cells, dim, h->own.id, top.n);
    if (!h->euclid)
        h->s->kern->picks(h->own.dot, h->s->unit, c->cells, dim, h->own.id, top.n);
    return top.n;
}

/* ---- Which rows ----------------------------------------------------------------- */

/* Rows of a chunk of one cell that may be among the nearest. */
typedef struct {
    idx_survivor *row;
    uint32_t n;
    uint32_t visit; /* place of the cell in the order of visits */
} chunk;

/* Exact likeness of rows of the cell that is visited so-manieth. */
static void
compare(hunt *h, uint32_t visit, const uint32_t id[], uint32_t n, float out[])
{
    const void *const *part = h->index->part[h->scale_number];
    const size_t dim = h->sc->dim;
    const float *centre = h->c.cells + h->own.id[visit] * dim;
    if (h->sc->params.stored != IDX_I8) {
        idx_compare(h->index, h->scale_number, h->s, id, 0, n, out);
        return;
    }
    if (!h->euclid) {
        h->kern->picks8(out, h->s->unit, part[FMT_ROWS], part[FMT_STEPS], dim, id, n);
        for (uint32_t i = 0; i < n; i++)
            out[i] += h->own.dot[visit];
        return;
    }
    for (size_t i = 0; i < dim; i++)
        h->own.centred[i] = h->s->unit[i] - centre[i];
    h->kern->gap_picks8(out, h->own.centred, part[FMT_ROWS], part[FMT_STEPS], dim, id,
                        n);
    for (uint32_t i = 0; i < n; i++)
        out[i] *= -0.5F;
}

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
drop_passed(chunk *c, float least)
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
take_batch(hunt *h, chunk *c, uint32_t batch, uint32_t id[IDX_BLOCK])
{
    const uint32_t wanting = h->top->k - h->top->n;
    const uint32_t most = wanting > batch ? wanting : batch;
    uint32_t m = most < IDX_BLOCK ? most : IDX_BLOCK, n = 0;
    m = m < c->n ? m : c->n;
    select_best(c->row, c->n, m);
    for (uint32_t i = 0; i < m && !h->full; i++) {
        const uint32_t entry = c->row[i].entry;
        if (h->s->skip != UINT32_MAX && h->sc->entries[entry].sound == h->s->skip)
            continue;
        h->full = h->work->n_candidates == h->params->max_candidates;
        if (!h->full) {
            h->work->n_candidates++;
            id[n++] = entry;
        }
    }
    h->work->cut |= h->full;
    c->n -= m;
    memmove(c->row, c->row + m, c->n * sizeof *c->row);
    return n;
}

/* Compares what is pending, as long as it can be among the nearest. */
static void
settle(hunt *h, chunk *c)
{
    uint32_t id[IDX_BLOCK];
    float cosine[IDX_BLOCK];
    uint32_t batch = IDX_BATCH;
    for (drop_passed(c, h->least); c->n && !h->full; drop_passed(c, h->least)) {
        const uint32_t n = take_batch(h, c, batch, id);
        batch = batch < IDX_BLOCK ? 2 * batch : batch; /* where all are equally near */
        compare(h, c->visit, id, n, cosine);
        idx_top_offer(h->top, id, 0, cosine, n);
        if (h->top->n == h->top->k)
            h->least = h->top->hit[0].cosine * h->per_unit;
    }
    c->n = 0;
}

/* Starts fetching rows that are compared one chunk later; many are cut down first. */
static void
fetch_rows(const hunt *h, const chunk *c)
{
    const size_t bytes = h->row_bytes;
    const char *rows = h->index->part[h->scale_number][FMT_ROWS];
    if (c->n > FETCH_AT_MOST)
        return;
    for (uint32_t i = 0; i < c->n; i++)
        for (size_t at = 0; at < bytes; at += FMT_ALIGN)
            __builtin_prefetch(rows + c->row[i].entry * bytes + at);
}

static void
fetch_cell(const hunt *h, uint32_t visit, uint32_t n_visits)
{
    const size_t bytes = idx_block_bytes(idx_cells_bits(h->sc->dim));
    if (visit >= n_visits)
        return;
    const uint8_t *at = h->c.blocks + h->c.block[h->own.id[visit]] * bytes;
    for (size_t i = 0; i < 2 * bytes; i += FMT_ALIGN)
        __builtin_prefetch(at + i);
}

/* How many of so many blocks to scan at once; 0 when the cap is reached, and counted.
 */
static uint32_t
next_blocks(hunt *h, uint32_t left)
{
    const uint32_t may = (h->params->max_scanned - h->work->n_scanned) / IDX_CODE_ROWS;
    const uint32_t n = left < IDX_CHUNK_BLOCKS ? left : IDX_CHUNK_BLOCKS;
    if (may == 0) {
        h->work->cut = 1;
        h->spent = true;
    }
    return n < may ? n : may;
}

/* Scans one cell; what survives of its last chunk is left pending in c[0]. */
static void
visit_cell(hunt *h, uint32_t visit, chunk c[2])
{
    const size_t bits = idx_cells_bits(h->sc->dim);
    const uint32_t cell = h->own.id[visit];
    const float gap = h->own.gap[visit];
    const float base = h->euclid ? -0.5F * gap : h->own.dot[visit];
    const float sigma = sqrtf(IDX_CODE_ERROR * IDX_CODE_ERROR * gap + h->noise);
    const float allow = h->params->width * sigma / h->c.unit;
    idx_scan scan = {.table = h->own.table,
                     .scale = h->scale,
                     .shift = h->shift + allow,
                     .base = h->per_unit * (base + rounding * fabsf(base)),
                     .first = h->c.cell[cell]};
    for (uint32_t b = h->c.block[cell]; b < h->c.block[cell + 1] && !h->full;) {
        const uint32_t n = next_blocks(h, h->c.block[cell + 1] - b);
        const chunk last = c[0];
        if (n == 0)
            break;
        scan.least = h->least;
        c[0] = c[1];
        c[0].visit = visit;
        c[0].n = h->kern->scan(&scan, h->c.blocks + b * idx_block_bytes(bits), bits, n,
                               c[0].row);
        fetch_rows(h, &c[0]);
        c[1] = last;
        settle(h, &c[1]);
        scan.first += n * IDX_CODE_ROWS;
        h->work->n_scanned += n * IDX_CODE_ROWS;
        b += n;
    }
}

static hunt
begin(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
      idx_work *work)
{
    const idx_scale *sc = &index->scales[scale];
    hunt h = {.index = index,
              .scale_number = scale,
              .sc = sc,
              .params = &s->params[scale],
              .s = s,
              .kern = s->scan_kern,
              .c = idx_cells_of(index, scale),
              .top = top,
              .work = work,
              .euclid = sc->params.metric == IDX_EUCLID,
              .row_bytes = sc->dim * fmt_value_bytes(sc->params.stored),
              .least = -FLT_MAX};
    idx_cells_scratch_lay(&h.own, s->own, sc);
    h.per_unit = 1.0F / (h.c.unit * h.c.unit);
    return h;
}

void
idx_cells_search(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                 idx_work *work)
{
    hunt h = begin(index, scale, s, top, work);
    make_table(&h);
    const uint32_t n = choose_cells(&h);
    chunk pending[2] = {{.row = h.own.pending},
                        {.row = h.own.pending + IDX_CHUNK_ROWS}};
    fetch_cell(&h, 0, n);
    for (uint32_t v = 0; v < n && !h.full && !h.spent; v++) {
        fetch_cell(&h, v + 1, n);
        visit_cell(&h, v, pending);
        work->n_probes++;
    }
    settle(&h, &pending[0]);
}

void
idx_cells_exact(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                idx_work *work)
{
    hunt h = begin(index, scale, s, top, work);
    uint32_t *id = s->found;
    for (uint32_t cell = 0; cell < h.c.n_cells; cell++) {
        const uint32_t end = h.c.cell[cell + 1];
        h.own.id[0] = cell;
        s->kern->dots(h.own.dot, s->unit, h.c.cells + (size_t)cell * h.sc->dim,
                      h.sc->dim, 1);
        for (uint32_t i = h.c.cell[cell]; i < end;) {
            uint32_t n = 0;
            for (; n < IDX_SCAN && i < end; i++)
                if (h.sc->entries[i].sound != s->skip)
                    id[n++] = i;
            compare(&h, 0, id, n, s->cosine);
            idx_top_offer(top, id, 0, s->cosine, n);
        }
    }
    work->n_candidates = h.sc->n_entries;
}
