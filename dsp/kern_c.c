/* The definition of every kernel, in plain C. */
#include "kern.h"
#include "kern_blocks.h"
#include "kern_frame.h"

#include <string.h>

static void
window_c(float *restrict out, const float *restrict x, const float *restrict w,
         size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * w[i];
}

/* With A = Z[k] = a + ib and B = Z[m-k] = c + id, the even samples have the spectrum
 * (A + B*)/2 and the odd ones -i(A - B*)/2; X[k] = even + e^(-i pi k/m) odd. */
void
dsp_power_from(size_t first, float *restrict p, const float *restrict z,
               const float *restrict cosine, const float *restrict sine, size_t m,
               size_t n_bins, float gain)
{
    const float quarter = 0.25F * gain;
    for (size_t k = first; k < n_bins; k++) {
        const float *lo = z + 2 * k, *hi = z + 2 * (m - k);
        const float sum_re = lo[0] + hi[0], sum_im = lo[1] + hi[1];
        const float dif_re = lo[0] - hi[0], dif_im = lo[1] - hi[1];
        const float re = sum_re + cosine[k] * sum_im - sine[k] * dif_re;
        const float im = dif_im - cosine[k] * dif_re - sine[k] * sum_im;
        p[k] = quarter * (re * re + im * im);
    }
}

static void
power_c(float *restrict p, const float *restrict z, const float *restrict cosine,
        const float *restrict sine, size_t m, size_t n_bins, float gain)
{
    dsp_power_from(0, p, z, cosine, sine, m, n_bins, gain);
}

static void
bands_c(float *restrict out, const float *restrict p, const dsp_band bands[],
        const float *restrict weights, size_t n_bands)
{
    for (size_t b = 0; b < n_bands; b++) {
        const float *x = p + bands[b].first_bin, *w = weights + bands[b].offset;
        float lane[DSP_LANES] = {0}; /* summed in lanes, as SIMD does */
        for (size_t i = 0; i < bands[b].n_blocks; i++, x += DSP_LANES, w += DSP_LANES)
            for (size_t l = 0; l < DSP_LANES; l++)
                lane[l] += x[l] * w[l];
        out[b] = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
                 ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    }
}

/* log2 of a normal positive float: exponent, and for the mantissa in [1/sqrt 2, sqrt 2)
 * the series of artanh: log2 m = 2/ln 2 (s + s^3/3 + ...), s = (m-1)/(m+1), |s| <=
 * 0.1716, so that the first term left out is below 5e-8. */
static float
log2_c(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t shifted = bits - 0x3f3504f3; /* 1/sqrt 2 */
    const int32_t exponent = shifted >> 23;
    bits = (shifted & 0x007fffff) + 0x3f3504f3;
    float m;
    memcpy(&m, &bits, sizeof m);
    const float s = (m - 1.0F) / (m + 1.0F), s2 = s * s;
    const float series =
        2.88539008F + s2 * (0.96179669F + s2 * (0.57707802F + s2 * 0.41219858F));
    return (float)exponent + s * series;
}

static void
decibels_c(float *x, size_t n, float floor)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 3.01029996F * log2_c(x[i] > floor ? x[i] : floor);
}

static float
sum_c(const float *p, size_t n)
{
    float lane[DSP_LANES] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l];
    for (size_t l = 0; i < n; i++, l++)
        lane[l] += p[i];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

const dsp_kern dsp_kern_c = {
    .name = "c",
    .frame = &dsp_frame_kern_c,
    .block = &dsp_block_kern_c,
    .window = window_c,
    .power = power_c,
    .bands = bands_c,
    .decibels = decibels_c,
    .sum = sum_c,
};
