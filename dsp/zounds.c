/* The Morlet bank of zounds, by FFTs in which each band's outputs are one part of a
 * complex number. Hot. */
#include "front_private.h"

#include <math.h>
#include <string.h>

/* z->freq = conj(X) Q: X the spectrum of the samples, Q that of two filters as h + i g.
 * Transformed forwards once more that is N (h * x + i g * x). */
static void
multiply(dsp_zounds *z, const float *restrict q)
{
    float *restrict out = z->freq;
    const float *restrict re = z->re, *restrict im = z->im;
    for (size_t k = 0; k < DSP_ZOUNDS_FFT; k++) {
        out[2 * k] = re[2 * k] * q[2 * k] + im[2 * k] * q[2 * k + 1];
        out[2 * k + 1] = re[2 * k + 1] * q[2 * k + 1] + im[2 * k + 1] * q[2 * k];
    }
}

static void
transform_samples(dsp_zounds *z)
{
    for (size_t i = 0; i < DSP_ZOUNDS_FFT; i++) {
        z->time[2 * i] = z->samples[i];
        z->time[2 * i + 1] = 0;
    }
    fftwf_execute(z->forward);
    for (size_t k = 0; k < DSP_ZOUNDS_FFT; k++) {
        z->re[2 * k] = z->re[2 * k + 1] = z->freq[2 * k];
        z->im[2 * k] = z->freq[2 * k + 1];
        z->im[2 * k + 1] = -z->freq[2 * k + 1];
    }
}

/* Sums of 20 log10(1 + max(0, y)) over y[first..end) of both parts. */
static void
pool(const dsp_kern *kern, float *restrict y, uint32_t first, uint32_t end,
     float out[2])
{
    for (size_t i = 0; i < 2 * DSP_ZOUNDS_POOL; i++)
        y[i] += 1;
    kern->decibels(y, (size_t)(2 * DSP_ZOUNDS_POOL), 1);
    float lane[DSP_LANES] = {0};
    size_t i = 2 * first;
    for (; i + DSP_LANES <= 2 * end; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += y[i + l];
    for (size_t l = 0; i < 2 * end; i++, l++)
        lane[l] += y[i];
    for (size_t l = 0; l < 2; l++)
        out[l] =
            (lane[l] + lane[l + 2] + (lane[l + 4] + lane[l + 6])) * 2 / DSP_ZOUNDS_POOL;
}

void
dsp_zounds_frame(dsp_zounds *z, uint32_t first, uint32_t end,
                 float out[DSP_ZOUNDS_BANDS])
{
    transform_samples(z);
    for (size_t pair = 0; pair < DSP_ZOUNDS_BANDS / 2; pair++) {
        multiply(z, z->filters + 2 * pair * DSP_ZOUNDS_FFT);
        fftwf_execute(z->back);
        pool(z->kern, z->time, first, end, out + 2 * pair);
    }
}

/* Row r has the outputs from 64 r - 64 on, of which output j looks at the samples from
 * j - 256 on; there are n + 1 of them. */
static void
pool_row(dsp_zounds *z, const float x[], size_t n, size_t row, float out[])
{
    const ptrdiff_t j = (ptrdiff_t)(row * DSP_ZOUNDS_HOP) - DSP_ZOUNDS_HOP;
    const ptrdiff_t start = j - DSP_ZOUNDS_TAPS / 2, left = (ptrdiff_t)n + 1 - j;
    for (ptrdiff_t i = 0; i < DSP_ZOUNDS_FFT; i++) {
        const ptrdiff_t at = start + i;
        z->samples[i] = at >= 0 && at < (ptrdiff_t)n ? x[at] : 0;
    }
    dsp_zounds_frame(z, (uint32_t)(j < 0 ? -j : 0),
                     (uint32_t)(left < DSP_ZOUNDS_POOL ? left : DSP_ZOUNDS_POOL), out);
}

void
dsp_zounds_pool(dsp_zounds *z, const float x[], size_t n, float out[])
{
    for (size_t row = 0; row <= (n + 1) / DSP_ZOUNDS_HOP; row++)
        pool_row(z, x, n, row, out + row * DSP_ZOUNDS_BANDS);
}

void
dsp_zounds_standardise(float x[], size_t n)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    const double mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        square += ((double)x[i] - mean) * ((double)x[i] - mean);
    const double sd = n > 1 ? sqrt(square / (double)(n - 1)) : 0;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(((double)x[i] - mean) / (sd + 1e-8));
}
