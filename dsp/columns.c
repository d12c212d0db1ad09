/* Statistics down the columns of an array: mean, deviation, percentiles. Hot. */
#include "blocks_private.h"

#include <math.h>

enum { CHUNK = 64 };
static const float extreme = 1e6F; /* no descriptor gets near; squares stay finite */

/* sum[l] of (x[t][l] - centre[l])^power over n rows, power 1 or 2. */
static inline void
sum_lanes(const float *x, size_t n, size_t width, const float centre[DSP_LANES],
          int power, double sum[DSP_LANES])
{
    for (size_t l = 0; l < DSP_LANES; l++)
        sum[l] = 0;
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t end = first + CHUNK < n ? first + CHUNK : n;
        float lane[DSP_LANES] = {0};
        for (size_t t = first; t < end; t++)
            for (size_t l = 0; l < DSP_LANES; l++) {
                const float d = x[t * width + l] - centre[l];
                lane[l] += power == 2 ? d * d : d;
            }
        for (size_t l = 0; l < DSP_LANES; l++)
            sum[l] += (double)lane[l];
    }
}

/* The means are taken about the first row, so that equal rows deviate by nothing. */
void
dsp_columns(const float x[], size_t n, size_t width, float mean[], float sd[])
{
    double sum[DSP_LANES];
    for (size_t c = 0; c < width; c += DSP_LANES) {
        sum_lanes(x + c, n, width, x + c, 1, sum);
        for (size_t l = 0; l < DSP_LANES; l++)
            mean[c + l] = (float)((double)x[c + l] + sum[l] / (double)n);
        sum_lanes(x + c, n, width, mean + c, 2, sum);
        for (size_t l = 0; l < DSP_LANES; l++)
            sd[c + l] = sqrtf((float)(sum[l] / (double)n));
    }
}

static void
exchange(float *restrict lo, float *restrict hi, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float a = lo[i], b = hi[i];
        lo[i] = a < b ? a : b;
        hi[i] = a > b ? a : b;
    }
}

/* Puts rows i and i + d in order wherever bit p of i is r (0 or p) and both exist. They
 * come in runs of p rows, and d >= p. */
static void
exchange_runs(float x[], size_t n, size_t p, size_t r, size_t d)
{
    for (size_t i = r; i + d < n; i += 2 * p) {
        const size_t run = p < n - d - i ? p : n - d - i;
        exchange(x + i * DSP_COLUMNS, x + (i + d) * DSP_COLUMNS, run * DSP_COLUMNS);
    }
}

/* Sorts each column of x[n][DSP_COLUMNS] by Batcher's network (Knuth 5.2.2, algorithm
 * M): no branch depends on the data, so that all columns go at once and the worst
 * window takes as long as any. */
static void
sort_columns(float x[], size_t n)
{
    size_t top = 1;
    while (2 * top < n)
        top *= 2;
    for (size_t p = top; p > 0; p /= 2) {
        exchange_runs(x, n, p, 0, p);
        for (size_t q = top; q > p; q /= 2)
            exchange_runs(x, n, p, p, q - p);
    }
}

/* The tenths * 10th percentile of sorted columns, linear between neighbours. */
static void
percentile(const float x[], size_t n, size_t tenths, float out[])
{
    const size_t at = tenths * (n - 1) / 10, next = at + 1 < n ? at + 1 : at;
    const float share = (float)(tenths * (n - 1) % 10) / 10;
    for (size_t c = 0; c < DSP_DESCRIPTORS; c++) {
        const float a = x[at * DSP_COLUMNS + c], b = x[next * DSP_COLUMNS + c];
        out[c] = a + share * (b - a);
    }
}

/* descriptors into b->values, which then begins and ends with DSP_DELTA copies of the
 * first and last frame. */
static void
load(dsp_blocks *b, const float descriptors[], size_t n)
{
    for (size_t t = 0; t < n + 2 * DSP_DELTA; t++) {
        const size_t from = t < DSP_DELTA ? 0 : t - DSP_DELTA;
        const float *x = descriptors + (from < n ? from : n - 1) * DSP_DESCRIPTORS;
        float *to = b->values + t * DSP_COLUMNS;
        for (size_t c = 0; c < DSP_DESCRIPTORS; c++) {
            const float v = x[c] > -extreme ? x[c] : -extreme;
            to[c] = v < extreme ? v : extreme;
        }
    }
}

/* Least-squares slope per frame at a frame, whose row is x. */
static void
slope(const float *restrict x, float *restrict out)
{
    for (size_t c = 0; c < DSP_COLUMNS; c++) {
        float sum = 0;
        for (ptrdiff_t k = 1; k <= DSP_DELTA; k++)
            sum += (float)k * (x[k * DSP_COLUMNS + (ptrdiff_t)c] -
                               x[-k * DSP_COLUMNS + (ptrdiff_t)c]);
        out[c] = sum / 60; /* 2 (1 + 4 + 9 + 16) */
    }
}

/* Rows of the frames within 40 dB of the loudest into b->rows: the values themselves or
 * their slopes. Returns how many. */
static size_t
gather(dsp_blocks *b, size_t n, bool slopes)
{
    float most = 0;
    size_t n_loud = 0;
    for (size_t t = 0; t < n; t++)
        most = b->power[t] > most ? b->power[t] : most;
    for (size_t t = 0; t < n; t++) {
        const float *x = b->values + (t + DSP_DELTA) * DSP_COLUMNS;
        if (b->power[t] < 1e-4F * most)
            continue;
        float *to = b->rows + n_loud++ * DSP_COLUMNS;
        if (slopes)
            slope(x, to);
        else
            for (size_t c = 0; c < DSP_COLUMNS; c++)
                to[c] = x[c];
    }
    return n_loud;
}

void
dsp_blocks_statistics(dsp_blocks *b, const float descriptors[], size_t n, float out[])
{
    float mean[DSP_COLUMNS], sd[DSP_COLUMNS], slope_mean[DSP_COLUMNS],
        slope_sd[DSP_COLUMNS];
    load(b, descriptors, n);
    size_t n_loud = gather(b, n, true);
    dsp_columns(b->rows, n_loud, DSP_COLUMNS, slope_mean, slope_sd);
    n_loud = gather(b, n, false);
    dsp_columns(b->rows, n_loud, DSP_COLUMNS, mean, sd);
    sort_columns(b->rows, n_loud);
    for (size_t c = 0; c < DSP_DESCRIPTORS; c++) {
        out[c] = mean[c];
        out[DSP_DESCRIPTORS + c] = sd[c];
        out[2 * DSP_DESCRIPTORS + c] = slope_sd[c];
    }
    percentile(b->rows, n_loud, 1, out + 3 * DSP_DESCRIPTORS);
    percentile(b->rows, n_loud, 9, out + 4 * DSP_DESCRIPTORS);
}
