/* The knots that turn a cosine, or a likeness of codes, into a score. Cold. */
#include "codes_kern.h"
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

static void
even_knots(double least, uint32_t n_knots, float knots[])
{
    for (uint32_t i = 0; i < n_knots; i++)
        knots[i] = clamped((1.0 - least) * i / (n_knots - 1) + least);
}

/* Sorts best[n] and takes its quantiles. */
static void
take_knots(float best[], uint32_t n, uint32_t n_knots, float knots[])
{
    qsort(best, n, sizeof *best, by_value);
    for (uint32_t i = 0; i < n_knots; i++)
        knots[i] = quantile(best, n, (double)i / (n_knots - 1));
}

idx_status
idx_calibrate(const idx_scale *scale, const idx_tuning *how, uint32_t n_sample,
              uint32_t n_knots, float knots[])
{
    if (n_knots < 2 || n_knots > FMT_MAX_KNOTS || n_sample == 0 ||
        scale->params.family == IDX_CODES)
        return IDX_EARG;
    even_knots(-1.0, n_knots, knots);
    if (!idx_has_strangers(scale))
        return IDX_OK;
    const uint32_t n = n_sample < scale->n_entries ? n_sample : scale->n_entries;
    float *best = calloc(n, sizeof *best);
    if (!best)
        return IDX_ENOMEM;
    const idx_making making = {.kern = idx_kern_pick(),
                               .parallel = how ? how->parallel : NULL,
                               .ctx = how ? how->ctx : NULL};
    idx_strangers(scale, &making, n, 1, best);
    take_knots(best, n, n_knots, knots);
    free(best);
    return IDX_OK;
}

/* ---- Codes ---------------------------------------------------------------------- */

/* How alike the code of an entry and its nearest stranger's are, by either distance. */
static void
nearest_stranger(const idx_scale *scale, const idx_code_kern *kern, uint32_t query,
                 float *jaccard, float *hamming)
{
    enum { BLOCK = 256 };
    const size_t n_words = fmt_code_words(scale->dim);
    const float bits = (float)scale->dim;
    uint16_t both[BLOCK], either[BLOCK];
    *jaccard = *hamming = 0.0F;
    for (uint32_t at = 0; at < scale->n_entries; at += BLOCK) {
        const uint32_t left = scale->n_entries - at;
        const uint32_t n = left < BLOCK ? left : BLOCK;
        kern->overlap(both, either, scale->codes + query * n_words,
                      scale->codes + at * n_words, n_words, n);
        for (uint32_t i = 0; i < n; i++) {
            if (idx_is_own(scale, true, query, at + i))
                continue;
            const float d = either[i] ? 1.0F - (float)both[i] / (float)either[i] : 1.0F;
            const float j = 1.0F - d; /* rounded as a hit's is: ties must stay ties */
            const float h = 1.0F - (float)(either[i] - both[i]) / bits;
            *jaccard = j > *jaccard ? j : *jaccard;
            *hamming = h > *hamming ? h : *hamming;
        }
    }
}

idx_status
idx_calibrate_codes(const idx_scale *scale, uint32_t n_sample, uint32_t n_knots,
                    float jaccard[], float hamming[])
{
    if (n_knots < 2 || n_knots > FMT_MAX_KNOTS || n_sample == 0 ||
        scale->params.family != IDX_CODES)
        return IDX_EARG;
    even_knots(0.0, n_knots, jaccard);
    even_knots(0.0, n_knots, hamming);
    if (!idx_has_strangers(scale))
        return IDX_OK;
    const idx_code_kern *kern = idx_code_kern_pick();
    const uint32_t n = n_sample < scale->n_entries ? n_sample : scale->n_entries;
    float *best = calloc((size_t)2 * n, sizeof *best);
    if (!best)
        return IDX_ENOMEM;
    for (uint32_t q = 0; q < n; q++)
        nearest_stranger(scale, kern, idx_spread_row(scale, q, n), &best[q],
                         &best[n + q]);
    take_knots(best, n, n_knots, jaccard);
    take_knots(best + n, n, n_knots, hamming);
    free(best);
    return IDX_OK;
}
