#include "lloyd.h"

#include "random.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* Working memory of one run. */
typedef struct {
    const float *rows;
    uint32_t n, dim;
    const idx_kern *kern;
    float *gap;   /* [n] squared distance to the own centre */
    float *fresh; /* [n] to the newest centre */
    float *dot;   /* [k] */
    float *half;  /* [k] */
    uint32_t *of; /* [n] */
} lloyd;

bool
idx_means(float centres[], uint32_t k, const float rows[], const uint32_t of[],
          uint32_t n, uint32_t dim)
{
    double *sum = calloc((size_t)k * dim, sizeof *sum);
    uint32_t *count = calloc(k, sizeof *count);
    for (size_t i = 0; sum && count && i < n; i++) {
        count[of[i]]++;
        for (size_t j = 0; j < dim; j++)
            sum[of[i] * (size_t)dim + j] += (double)rows[i * dim + j];
    }
    for (size_t c = 0; sum && count && c < k; c++)
        for (size_t j = 0; count[c] && j < dim; j++)
            centres[c * dim + j] = (float)(sum[c * dim + j] / count[c]);
    const bool ok = sum && count;
    free(sum);
    free(count);
    return ok;
}

/* A row by the share that its squared distance has of all; n when all have none. */
static uint32_t
draw_far(const lloyd *l, idx_random *r)
{
    double total = 0.0;
    for (uint32_t i = 0; i < l->n; i++)
        total += (double)l->gap[i];
    double left = idx_draw_unit(r) * total;
    uint32_t last = l->n;
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->gap[i] > 0.0F)
            last = i;
        left -= (double)l->gap[i];
        if (left <= 0.0 && l->gap[i] > 0.0F)
            return i;
    }
    return last; /* rounding */
}

/* Returns the number of centres that are places of their own. */
static uint32_t
plus_plus(lloyd *l, float centres[], uint32_t k, uint64_t seed)
{
    idx_random r = idx_random_of(seed);
    for (uint32_t c = 0; c < k; c++) {
        const uint32_t row = c ? draw_far(l, &r) : (uint32_t)(idx_draw(&r) % l->n);
        float *centre = centres + (size_t)c * l->dim;
        if (row == l->n)
            return c;
        memcpy(centre, l->rows + (size_t)row * l->dim, l->dim * sizeof *centre);
        l->kern->gaps(l->fresh, centre, l->rows, l->dim, l->n);
        for (uint32_t i = 0; i < l->n; i++)
            if (c == 0 || l->fresh[i] < l->gap[i])
                l->gap[i] = l->fresh[i];
    }
    return k;
}

static void
assign(lloyd *l, const float centres[], uint32_t k)
{
    for (uint32_t c = 0; c < k; c++)
        l->kern->dots(&l->half[c], centres + (size_t)c * l->dim,
                      centres + (size_t)c * l->dim, l->dim, 1);
    for (uint32_t i = 0; i < l->n; i++) {
        const float *x = l->rows + (size_t)i * l->dim;
        uint32_t best = 0;
        l->kern->dots(l->dot, x, centres, l->dim, k);
        for (uint32_t c = 0; c < k; c++) {
            l->dot[c] -= 0.5F * l->half[c];
            if (l->dot[c] > l->dot[best])
                best = c;
        }
        l->of[i] = best;
        l->kern->gaps(&l->gap[i], x, centres + (size_t)best * l->dim, l->dim, 1);
    }
}

static void
fill_empty(lloyd *l, float centres[], uint32_t k)
{
    for (uint32_t c = 0; c < k; c++)
        l->half[c] = 0.0F;
    for (uint32_t i = 0; i < l->n; i++)
        l->half[l->of[i]] += 1.0F; /* rows, for a moment */
    for (uint32_t c = 0; c < k; c++) {
        uint32_t far = 0;
        if (l->half[c] > 0.0F)
            continue;
        for (uint32_t i = 1; i < l->n; i++)
            if (l->gap[i] > l->gap[far])
                far = i;
        if (l->gap[far] <= 0.0F)
            return;
        memcpy(centres + (size_t)c * l->dim, l->rows + (size_t)far * l->dim,
               l->dim * sizeof *centres);
        l->gap[far] = 0.0F;
    }
}

uint32_t
idx_lloyd(float centres[], uint32_t k, const float rows[], uint32_t n, uint32_t dim,
          int rounds, uint64_t seed, const idx_kern *kern)
{
    lloyd l = {.rows = rows, .n = n, .dim = dim, .kern = kern};
    l.gap = malloc(n * sizeof *l.gap);
    l.fresh = malloc(n * sizeof *l.fresh);
    l.dot = malloc(k * sizeof *l.dot);
    l.half = malloc(k * sizeof *l.half);
    l.of = malloc(n * sizeof *l.of);
    bool ok = l.gap && l.fresh && l.dot && l.half && l.of;
    const uint32_t places = ok ? plus_plus(&l, centres, k, seed) : 0;
    for (uint32_t c = places; ok && c < k; c++)
        memcpy(centres + (size_t)c * dim, centres, dim * sizeof *centres);
    for (int round = 0; ok && places == k && round < rounds; round++) {
        assign(&l, centres, k);
        ok = idx_means(centres, k, rows, l.of, n, dim);
        fill_empty(&l, centres, k);
    }
    free(l.gap);
    free(l.fresh);
    free(l.dot);
    free(l.half);
    free(l.of);
    return ok ? places : 0;
}
