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

static const float hann_squares = 0.375F * DSP_MOD_FRAMES;
static const float least = 0.1F; /* dB^2 */

/* Sums of the power of ranges of bins over all FFTs that fit. Returns how many did. */
static size_t
add_spectra(const dsp_blocks *b, size_t n, float sum[DSP_MOD_BINS * DSP_SERIES])
{
    size_t n_ffts = 0, start = 0;
    float weight[DSP_MOD_FRAMES] = {0};
    memcpy(weight, b->hann, (n < DSP_MOD_FRAMES ? n : DSP_MOD_FRAMES) * sizeof *weight);
    do {
        b->kern->block->spectra(b->series + start * DSP_SERIES, b->mean, weight, sum);
        n_ffts++;
        start += DSP_MOD_FRAMES / 2;
    } while (start + DSP_MOD_FRAMES <= n);
    return n_ffts;
}

void
dsp_blocks_modulation(dsp_blocks *b, size_t n, float mel[], float mfcc[])
{
    enum { N = DSP_MOD_BINS * DSP_SERIES };
    float x[N] = {0};
    const float scale = 1 / (least * hann_squares * (float)add_spectra(b, n, x));
    for (size_t i = 0; i < N; i++)
        x[i] = 1 + scale * x[i]; /* times the least power */
    b->kern->decibels(x, N, 1);
    const float base = logf(least), per_db = 0.230258509F;
    for (size_t m = 0; m < DSP_MOD_BINS; m++)
        for (size_t g = 0; g < DSP_GROUPS; g++) {
            const float *at = x + m * DSP_SERIES + g;
            mel[g * DSP_MOD_BINS + m] = base + per_db * at[0];
            mfcc[g * DSP_MOD_BINS + m] = base + per_db * at[DSP_GROUPS];
        }
}
