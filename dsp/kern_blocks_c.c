/* The definition of the kernels of the five blocks, in plain C. */
#include "kern_blocks.h"

#include "kern.h"

#define FFT96_LANES 4 /* of what any CPU with vectors has */
#include "fft96.h"

#include <math.h>
#include <string.h>

enum { HALF = DSP_CEPSTRA / 2 };

const uint32_t dsp_mod_first[DSP_MOD_BINS + 1] = {0, 1, 2, 3, 5, 8, 12, 19, 30, 49};

static float
greatest_c(const float *x, size_t n, float least)
{
    float most[DSP_LANES], greatest = least;
    size_t i = 0;
    for (size_t l = 0; l < DSP_LANES; l++)
        most[l] = least;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
    for (size_t l = 0; i < n; i++, l++)
        most[l] = x[i] > most[l] ? x[i] : most[l];
    for (size_t l = 0; l < DSP_LANES; l++)
        greatest = most[l] > greatest ? most[l] : greatest;
    return greatest;
}

/* ---- Frames ---- */

/* Sum of 10^(x/10) by the series of 2^f, |f| <= 1/2, within 2e-5 dB. x is in -80..0. */
static float
power_of(const float x[DSP_KERN_BANDS])
{
    int32_t bits[DSP_KERN_BANDS];
    float scale[DSP_KERN_BANDS], series[DSP_KERN_BANDS], lane[DSP_LANES] = {0};
    for (size_t i = 0; i < DSP_KERN_BANDS; i++) {
        const float y = 0.332192809F * x[i]; /* 2^y is the power */
        const int32_t k = (int32_t)(y - 0.5F);
        const float f = y - (float)k;
        bits[i] = (k + 127) * (1 << 23); /* of the float 2^k */
        series[i] =
            1 +
            f * (0.693147181F +
                 f * (0.240226507F +
                      f * (0.0555041087F + f * (0.00961812911F + f * 0.00133335581F))));
    }
    memcpy(scale, bits, sizeof scale);
    for (size_t i = 0; i < DSP_KERN_BANDS; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += scale[i + l] * series[i + l];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* out[j] += sum of x[i] w[i][j] over four i. Out of line, because once it is inlined
 * GCC 12 makes vectors of the loop around it instead: three times as slow. */
__attribute__((noinline)) static void
add_rows(const float *restrict x, const float (*restrict w)[HALF], float *restrict out)
{
    const float x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    for (size_t j = 0; j < HALF; j++)
        out[j] += (x0 * w[0][j] + x1 * w[1][j]) + (x2 * w[2][j] + x3 * w[3][j]);
}

/* c0..c15. */
static void
cepstrum(const dsp_dct *dct, const float x[DSP_KERN_BANDS], float out[DSP_CEPSTRA])
{
    enum { MIRROR = DSP_KERN_BANDS - 1 };
    float sum[DSP_KERN_BANDS / 2], dif[DSP_KERN_BANDS / 2];
    float even[HALF] = {0}, odd[HALF] = {0};
    for (size_t i = 0; i < DSP_KERN_BANDS / 2; i++) {
        sum[i] = x[i] + x[MIRROR - i];
        dif[i] = x[i] - x[MIRROR - i];
    }
    for (size_t i = 0; i < DSP_KERN_BANDS / 2; i += 4) {
        add_rows(sum + i, dct->even + i, even);
        add_rows(dif + i, dct->odd + i, odd);
    }
    for (size_t j = 0; j < HALF; j++) {
        out[2 * j] = even[j];
        out[2 * j + 1] = odd[j];
    }
}

static void
group(const float x[DSP_KERN_BANDS], float out[DSP_GROUPS])
{
    for (size_t g = 0; g < DSP_GROUPS; g++)
        out[g] = 0.25F * ((x[4 * g] + x[4 * g + 1]) + (x[4 * g + 2] + x[4 * g + 3]));
}

static float
frames_c(const float *mel, size_t n, float floor, float peak, const dsp_dct *dct,
         float *series, float *power)
{
    float x[DSP_KERN_BANDS], most[DSP_GROUPS];
    for (size_t g = 0; g < DSP_GROUPS; g++)
        most[g] = floor - peak;
    for (size_t t = 0; t < n; t++, mel += DSP_KERN_BANDS, series += DSP_SERIES) {
        for (size_t i = 0; i < DSP_KERN_BANDS; i++) {
            const float w = mel[i] > floor ? mel[i] : floor;
            x[i] = (w < peak ? w : peak) - peak;
        }
        power[t] = power_of(x);
        group(x, series);
        cepstrum(dct, x, series + DSP_GROUPS);
        for (size_t g = 0; g < DSP_GROUPS; g++)
            most[g] = series[g] > most[g] ? series[g] : most[g];
    }
    return greatest_c(most, DSP_GROUPS, floor - peak);
}

/* ---- Columns ---- */

/* sum[l] of (x[t][l] - centre[l])^power over n rows, power 1 or 2. */
static inline void
sum_lanes(const float *x, size_t n, size_t width, const float centre[DSP_LANES],
          int power, double sum[DSP_LANES])
{
    enum { CHUNK = 64 };
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
static void
columns_c(const float *x, size_t n, size_t width, float *mean, float *sd)
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
pad_c(const float *x, size_t n, float extreme, float *to)
{
    for (size_t t = 0; t < n + 2 * DSP_DELTA; t++, to += DSP_COLUMNS) {
        const size_t at = t < DSP_DELTA ? 0 : t - DSP_DELTA;
        const float *row = x + (at < n ? at : n - 1) * DSP_VALUES;
        for (size_t c = 0; c < DSP_VALUES; c++) {
            const float v = row[c] > -extreme ? row[c] : -extreme;
            to[c] = v < extreme ? v : extreme;
        }
        for (size_t c = DSP_VALUES; c < DSP_COLUMNS; c++)
            to[c] = 0;
    }
}

/* At the row x. */
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

static size_t
gather_c(const float *x, size_t n, const float *power, float least, float *rows,
         float *slopes)
{
    size_t n_rows = 0;
    for (size_t t = 0; t < n; t++) {
        const float *row = x + (t + DSP_DELTA) * DSP_COLUMNS;
        if (!(power[t] >= least))
            continue;
        memcpy(rows + n_rows * DSP_COLUMNS, row, DSP_COLUMNS * sizeof *row);
        slope(row, slopes + n_rows * DSP_COLUMNS);
        n_rows++;
    }
    return n_rows;
}

/* ---- Percentiles ---- */

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

/* Sorts each column by Batcher's network (Knuth 5.2.2, algorithm M): no branch depends
 * on the data, so that all columns go at once and the worst window takes as long as
 * any. */
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

static void
percentiles_c(float *x, size_t n, float *out)
{
    sort_columns(x, n);
    for (size_t tenths = 1; tenths <= 9; tenths += 8, out += DSP_COLUMNS) {
        const size_t at = tenths * (n - 1) / 10, next = at + 1 < n ? at + 1 : at;
        const float share = (float)(tenths * (n - 1) % 10) / 10;
        for (size_t c = 0; c < DSP_COLUMNS; c++) {
            const float a = x[at * DSP_COLUMNS + c], b = x[next * DSP_COLUMNS + c];
            out[c] = a + share * (b - a);
        }
    }
}

const dsp_block_kern dsp_block_kern_c = {
    .greatest = greatest_c,
    .frames = frames_c,
    .columns = columns_c,
    .pad = pad_c,
    .gather = gather_c,
    .percentiles = percentiles_c,
    .spectra = fft96_spectra,
};
