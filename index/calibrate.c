/* The knots that turn a cosine into a score. Cold. */
#include "strangers.h"

#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a;
    const float y = *(const float *)b;
    return (x > y) - (x < y);
}

static float
clamped(double cosine)
{
    return cosine > 1.0 ? 1.0F : cosine < -1.0 ? -1.0F : (float)cosine;
}

/* Quantile q, 0..1, of sorted values, linearly between them. */
static float
quantile(const float sorted[], uint32_t n, double q)
{
    const double at = q * (n - 1);
    const uint32_t i = (uint32_t)at;
    if (i + 1 >= n)
        return clamped((double)sorted[n - 1]);
    return clamped((double)sorted[i] +
                   (at - i) * ((double)sorted[i + 1] - (double)sorted[i]));
}

idx_status
idx_calibrate(const idx_scale *scale, uint32_t n_sample, uint32_t n_knots,
              float knots[])
{
    if (n_knots < 2 || n_knots > FMT_MAX_KNOTS || n_sample == 0)
        return IDX_EARG;
    for (uint32_t i = 0; i < n_knots; i++)
        knots[i] = clamped(2.0 * i / (n_knots - 1) - 1.0);
    if (!idx_has_strangers(scale))
        return IDX_OK;
    const uint32_t n = n_sample < scale->n_entries ? n_sample : scale->n_entries;
    float *best = calloc(n, sizeof *best);
    if (!best)
        return IDX_ENOMEM;
    idx_strangers(scale, idx_kern_pick(), n, 1, best, NULL, NULL);
    qsort(best, n, sizeof *best, by_value);
    for (uint32_t i = 0; i < n_knots; i++)
        knots[i] = quantile(best, n, (double)i / (n_knots - 1));
    free(best);
    return IDX_OK;
}
