/* k-means and reservoir sampling. Cold. */
#include "dsp/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16, BLOCK_ROWS = 4096, SAMPLE_PER_CENTROID = 256 };
static const double least_fall = 1e-5, most_value = 1e15;

/* ---- Random numbers ------------------------------------------------------------- */

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): its output function, and a step. */
static uint64_t
mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t
draw(uint64_t *state)
{
    return mix(*state += 0x9e3779b97f4a7c15U);
}

/* Uniform over 0..n-1; the numbers above the last multiple of n are drawn again. */
static uint64_t
draw_below(uint64_t *state, uint64_t n)
{
    const uint64_t uneven = (UINT64_MAX - n + 1) % n; /* 2^64 mod n */
    uint64_t u = draw(state);
    while (u < uneven)
        u = draw(state);
    return u % n;
}

dsp_reservoir
dsp_reservoir_start(size_t cap, uint64_t seed)
{
    /* Mixed, because states that are multiples of the step apart give the same numbers,
     * shifted. */
    return (dsp_reservoir){.state = mix(seed), .n_seen = 0, .cap = cap};
}

size_t
dsp_reservoir_slot(dsp_reservoir *r)
{
    const uint64_t t = r->n_seen++;
    if (t < r->cap)
        return (size_t)t;
    const uint64_t j = draw_below(&r->state, t + 1);
    return j < r->cap ? (size_t)j : r->cap;
}

/* ---- Distances ------------------------------------------------------------------ */

typedef float four __attribute__((vector_size(4 * sizeof(float))));

/* LANES vectors side by side, [dim][LANES], so that one vector is compared with all of
 * them at a time and each sum still runs in order. */
static size_t
tile_count(size_t n)
{
    return (n + LANES - 1) / LANES;
}

/* Lays out rows[n][dim], or those that pick[n] names, as tiles. What is left of the
 * last one is infinitely far from everything. */
static void
lay_out(float tiles[], const float rows[], const size_t pick[], size_t n, uint32_t dim)
{
    for (size_t i = 0; i < tile_count(n) * LANES; i++) {
        float *to = tiles + i / LANES * dim * LANES + i % LANES;
        for (uint32_t j = 0; j < dim; j++)
            to[(size_t)j * LANES] =
                i < n ? rows[(pick ? pick[i] : i) * dim + j] : INFINITY;
    }
}

/* Squared distances of x to the vectors of one tile. Vectors by hand, because gcc 12
 * would transpose the tile and add across: three times slower. */
static inline void
tile_distances(float out[LANES], const float tile[], const float x[], uint32_t dim)
{
    four sum[LANES / 4] = {{0}}, at;
    for (uint32_t j = 0; j < dim; j++)
        for (size_t l = 0; l < LANES / 4; l++, tile += 4) {
            memcpy(&at, tile, sizeof at);
            sum[l] += (x[j] - at) * (x[j] - at);
        }
    memcpy(out, sum, sizeof sum);
}

/* The same sum for one vector. */
static float
distance(const float a[], const float b[], uint32_t dim)
{
    float sum = 0;
    for (uint32_t j = 0; j < dim; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

/* ---- Lloyd's algorithm ---------------------------------------------------------- */

typedef struct {
    const float *rows;
    size_t n;
    uint32_t dim, k;
    float *centroids;        /* [k][dim]; not placed: INFINITY */
    float *tiles;            /* of the centroids */
    float *near;             /* [n] squared distance of each row to its own centroid */
    uint32_t *label;         /* [n] */
    size_t *count;           /* [k] rows */
    double *sum, *block_sum; /* [k][dim] */
} work;

static const float *
row_of(const work *w, size_t i)
{
    return w->rows + i * w->dim;
}

/* The centroid nearest to row i: per lane first, where a later tile must be nearer. */
static void
assign_row(work *w, size_t i)
{
    const size_t n_tiles = tile_count(w->k), tile_floats = (size_t)w->dim * LANES;
    const float *x = row_of(w, i);
    float d[LANES], least[LANES];
    uint32_t tile[LANES] = {0};
    tile_distances(least, w->tiles, x, w->dim);
    for (uint32_t t = 1; t < n_tiles; t++) {
        tile_distances(d, w->tiles + t * tile_floats, x, w->dim);
        for (size_t l = 0; l < LANES; l++) {
            tile[l] = d[l] < least[l] ? t : tile[l];
            least[l] = d[l] < least[l] ? d[l] : least[l];
        }
    }
    uint32_t best = tile[0] * LANES;
    w->near[i] = least[0];
    for (uint32_t l = 1; l < LANES; l++) {
        const uint32_t c = tile[l] * LANES + l;
        if (least[l] < w->near[i] || (least[l] <= w->near[i] && c < best)) {
            w->near[i] = least[l];
            best = c;
        }
    }
    w->label[i] = best;
}

/* The row farthest from its own centroid, the first of such. */
static size_t
farthest_row(const work *w)
{
    size_t far = 0;
    for (size_t i = 1; i < w->n; i++)
        if (w->near[i] > w->near[far])
            far = i;
    return far;
}

/* Moves centroid c, which has no rows, to row far and gives it the rows it is nearest
 * to. */
static void
move_to_row(work *w, uint32_t c, size_t far)
{
    float *to = w->centroids + (size_t)c * w->dim;
    memcpy(to, row_of(w, far), w->dim * sizeof *to);
    for (size_t i = 0; i < w->n; i++) {
        const float d = distance(row_of(w, i), to, w->dim);
        if (d < w->near[i] || (d <= w->near[i] && c < w->label[i])) {
            w->count[w->label[i]]--;
            w->count[c]++;
            w->label[i] = c;
            w->near[i] = d;
        }
    }
}

/* Ends, for with each move a row more lies on its centroid: at last all do. */
static void
refill_empty(work *w)
{
    for (uint32_t c = 0; c < w->k;) {
        if (w->count[c] > 0) {
            c++;
            continue;
        }
        const size_t far = farthest_row(w);
        if (!(w->near[far] > 0))
            return;
        move_to_row(w, c, far);
        c = 0; /* who lost its only row comes again */
    }
}

/* Gives every row its centroid and every centroid a row; returns the distortion. */
static double
assign(work *w)
{
    double total = 0;
    lay_out(w->tiles, w->centroids, NULL, w->k, w->dim);
    memset(w->count, 0, w->k * sizeof *w->count);
    for (size_t i = 0; i < w->n; i++) {
        assign_row(w, i);
        w->count[w->label[i]]++;
    }
    refill_empty(w);
    for (size_t at = 0; at < w->n; at += BLOCK_ROWS) {
        double block = 0;
        for (size_t i = at; i < w->n && i < at + BLOCK_ROWS; i++)
            block += (double)w->near[i];
        total += block;
    }
    return total / (double)w->n;
}

static void
sum_block(work *w, size_t from, size_t to)
{
    const size_t n_values = (size_t)w->k * w->dim;
    memset(w->block_sum, 0, n_values * sizeof *w->block_sum);
    for (size_t i = from; i < to; i++) {
        double *sum = w->block_sum + (size_t)w->label[i] * w->dim;
        for (uint32_t j = 0; j < w->dim; j++)
            sum[j] += (double)row_of(w, i)[j];
    }
    for (size_t j = 0; j < n_values; j++)
        w->sum[j] += w->block_sum[j];
}

/* Every centroid that has rows moves to their mean. */
static void
update(work *w)
{
    memset(w->sum, 0, (size_t)w->k * w->dim * sizeof *w->sum);
    for (size_t at = 0; at < w->n; at += BLOCK_ROWS)
        sum_block(w, at, w->n - at < BLOCK_ROWS ? w->n : at + BLOCK_ROWS);
    for (uint32_t c = 0; c < w->k; c++)
        for (uint32_t j = 0; j < w->dim && w->count[c] > 0; j++) {
            const size_t at = (size_t)c * w->dim + j;
            w->centroids[at] = (float)(w->sum[at] / (double)w->count[c]);
        }
}

/* Centroids that have rows come first, in order; the rest become copies of number 0.
 * Uses the sums' memory for where each went. */
static uint32_t
gather_real(work *w)
{
    uint32_t *went = (void *)w->sum, n_real = 0;
    for (uint32_t c = 0; c < w->k; c++) {
        const float *from = w->centroids + (size_t)c * w->dim;
        went[c] = n_real;
        if (w->count[c] > 0)
            memmove(w->centroids + (size_t)n_real++ * w->dim, from,
                    w->dim * sizeof *from);
    }
    for (size_t i = 0; i < w->n && n_real < w->k; i++)
        w->label[i] = went[w->label[i]];
    for (uint32_t c = n_real; c < w->k; c++)
        memcpy(w->centroids + (size_t)c * w->dim, w->centroids,
               w->dim * sizeof *w->centroids);
    return n_real;
}

/* ---- k-means++ ------------------------------------------------------------------ */

typedef struct {
    size_t n;
    size_t *pick; /* [n] rows in the sample */
    float *tiles; /* of them */
    float *near;  /* [n, padded] squared distance to the nearest centroid so far */
} start;

/* A row with a chance that is its share of the sum of near[]; n when all are 0. */
static size_t
draw_row(const start *s, uint64_t *state)
{
    double total = 0;
    for (size_t i = 0; i < s->n; i++)
        total += (double)s->near[i];
    const double at = total * (double)(draw(state) >> 11) * 0x1p-53;
    double passed = 0;
    size_t last = s->n;
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->near[i] > 0))
            continue;
        last = i;
        passed += (double)s->near[i];
        if (passed > at)
            break;
    }
    return last;
}

/* Notes the distances to a centroid that was placed. */
static void
come_near(start *s, const float centroid[], uint32_t dim)
{
    float d[LANES];
    for (size_t t = 0; t < tile_count(s->n); t++) {
        tile_distances(d, s->tiles + t * dim * LANES, centroid, dim);
        for (size_t l = 0; l < LANES; l++)
            s->near[t * LANES + l] =
                d[l] < s->near[t * LANES + l] ? d[l] : s->near[t * LANES + l];
    }
}

/* Places centroids until all are, or the sample has no other row. */
static void
place(work *w, start *s, uint64_t *state)
{
    for (size_t i = 0; i < tile_count(s->n) * LANES; i++)
        s->near[i] = INFINITY;
    for (size_t i = 0; i < (size_t)w->k * w->dim; i++)
        w->centroids[i] = INFINITY;
    for (uint32_t c = 0; c < w->k; c++) {
        const size_t i = c == 0 ? draw_below(state, s->n) : draw_row(s, state);
        if (i == s->n)
            return;
        float *to = w->centroids + (size_t)c * w->dim;
        memcpy(to, row_of(w, s->pick[i]), w->dim * sizeof *to);
        come_near(s, to, w->dim);
    }
}

static dsp_status
start_plus_plus(work *w, uint64_t seed)
{
    const size_t most = (size_t)w->k * SAMPLE_PER_CENTROID;
    start s = {.n = w->n < most ? w->n : most};
    dsp_reservoir r = dsp_reservoir_start(s.n, seed);
    const size_t padded = tile_count(s.n) * LANES;
    s.pick = malloc(s.n * sizeof *s.pick);
    s.near = malloc(padded * sizeof *s.near);
    s.tiles = malloc(padded * w->dim * sizeof *s.tiles);
    const bool ready = s.pick && s.near && s.tiles;
    for (size_t i = 0; ready && i < w->n; i++) {
        const size_t slot = dsp_reservoir_slot(&r);
        if (slot < s.n)
            s.pick[slot] = i;
    }
    if (ready) {
        lay_out(s.tiles, w->rows, s.pick, s.n, w->dim);
        place(w, &s, &r.state);
    }
    free(s.tiles);
    free(s.near);
    free(s.pick);
    return ready ? DSP_OK : DSP_ENOMEM;
}

/* ---- All together --------------------------------------------------------------- */

static void
run(work *w, dsp_kmeans_report *report)
{
    uint32_t r = 0;
    double fall = 1;
    report->distortion[0] = assign(w);
    while (r < DSP_KMEANS_ROUNDS && fall > 0) {
        const double before = report->distortion[r++];
        update(w);
        const double now = report->distortion[r] = assign(w);
        fall = before - now < least_fall * before ? 0 : before - now;
    }
    report->n_rounds = r;
    report->n_real = gather_real(w);
}

static bool
arguments_ok(const float rows[], size_t n, uint32_t dim, uint32_t k)
{
    if (n == 0 || dim == 0 || dim > DSP_KMEANS_MAX || k == 0 || k > DSP_KMEANS_MAX)
        return false;
    for (size_t i = 0; i < n * dim; i++)
        if (!(fabs((double)rows[i]) <= most_value))
            return false;
    return true;
}

dsp_status
dsp_kmeans(const float rows[], size_t n, uint32_t dim, uint32_t k, uint64_t seed,
           float centroids[], uint32_t label[], dsp_kmeans_report *report)
{
    *report = (dsp_kmeans_report){0};
    if (!arguments_ok(rows, n, dim, k))
        return DSP_EARG;
    work w = {.rows = rows, .n = n, .dim = dim, .k = k, .centroids = centroids};
    const size_t n_values = (size_t)k * dim;
    w.tiles = malloc(tile_count(k) * LANES * dim * sizeof *w.tiles);
    w.near = malloc(n * sizeof *w.near);
    w.label = label ? label : malloc(n * sizeof *w.label);
    w.count = malloc(k * sizeof *w.count);
    w.sum = malloc(n_values * sizeof *w.sum);
    w.block_sum = malloc(n_values * sizeof *w.block_sum);
    dsp_status st = DSP_ENOMEM;
    if (w.tiles && w.near && w.label && w.count && w.sum && w.block_sum)
        st = start_plus_plus(&w, seed);
    if (!st)
        run(&w, report);
    free(w.block_sum);
    free(w.sum);
    free(w.count);
    if (!label)
        free(w.label);
    free(w.near);
    free(w.tiles);
    return st;
}
