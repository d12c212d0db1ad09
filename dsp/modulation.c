/*
 * Modulation spectra of the 32 series of a window. Hot.
 *
 * Power is |X|^2 / sum(hann^2): white noise of variance v dB^2 has v in every bin, and
 * the 0.1 that is added under the logarithm is a ripple of 0.3 dB. FFTs start at frames
 * 0, 48, 96, ... as long as they fit; the up to 47 frames left at the end count in the
 * mean alone. A window shorter than an FFT fills its beginning, zeros the rest.
 */
#include "blocks_private.h"

#include <math.h>
#include <string.h>

static const uint32_t first_bin[DSP_MOD_BINS + 1] = {0, 1, 2, 3, 5, 8, 12, 19, 30, 49};
static const float hann_squares = 0.375F * DSP_MOD_FRAMES;
static const float least = 0.1F; /* dB^2 */

/* n rows of series into b->time, mean off, Hann on. */
static void
load(dsp_blocks *b, const float *series, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        float *to = b->time + t * DSP_SERIES;
        const float *x = series + t * DSP_SERIES, w = b->hann[t];
        for (size_t s = 0; s < DSP_SERIES; s++)
            to[s] = (x[s] - b->mean[s]) * w;
    }
    memset(b->time + n * DSP_SERIES, 0,
           (DSP_MOD_FRAMES - n) * DSP_SERIES * sizeof *b->time);
}

/*
 * Adds four times the power of bin k. Series 2i and 2i+1 are the real and imaginary
 * part of one complex: with Z[k] = a + ib and Z[96-k] = c + id their spectra are
 * ((a+c) + i(b-d))/2 and ((b+d) + i(c-a))/2.
 */
static void
add_bin(const dsp_blocks *b, size_t k, float *restrict sum)
{
    const float *lo = b->freq + k * DSP_SERIES;
    const float *hi = b->freq + (DSP_MOD_FRAMES - k) % DSP_MOD_FRAMES * DSP_SERIES;
    for (size_t s = 0; s < DSP_SERIES; s += 2) {
        const float sum_re = lo[s] + hi[s], sum_im = lo[s + 1] + hi[s + 1];
        const float dif_re = lo[s] - hi[s], dif_im = lo[s + 1] - hi[s + 1];
        sum[s] += sum_re * sum_re + dif_im * dif_im;
        sum[s + 1] += sum_im * sum_im + dif_re * dif_re;
    }
}

static void
add_spectrum(const dsp_blocks *b, float sum[DSP_MOD_BINS][DSP_SERIES])
{
    for (size_t m = 0; m < DSP_MOD_BINS; m++)
        for (size_t k = first_bin[m]; k < first_bin[m + 1]; k++)
            add_bin(b, k, sum[m]);
}

void
dsp_blocks_modulation(dsp_blocks *b, size_t n, float mel[], float mfcc[])
{
    float sum[DSP_MOD_BINS][DSP_SERIES] = {{0}};
    size_t n_ffts = 0, start = 0;
    do {
        const size_t left = n - start;
        load(b, b->series + start * DSP_SERIES,
             left < DSP_MOD_FRAMES ? left : DSP_MOD_FRAMES);
        fftwf_execute(b->plan);
        add_spectrum(b, sum);
        n_ffts++;
        start += DSP_MOD_FRAMES / 2;
    } while (start + DSP_MOD_FRAMES <= n);
    const float scale = 0.25F / (hann_squares * (float)n_ffts);
    for (size_t m = 0; m < DSP_MOD_BINS; m++)
        for (size_t g = 0; g < DSP_GROUPS; g++) {
            mel[g * DSP_MOD_BINS + m] = logf(scale * sum[m][g] + least);
            mfcc[g * DSP_MOD_BINS + m] = logf(scale * sum[m][DSP_GROUPS + g] + least);
        }
}
