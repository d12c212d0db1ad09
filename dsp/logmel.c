/* One log-mel frame: window, FFT of half length, untangling, bank, logarithm. Hot. */
#include "private.h"

#include <math.h>

enum { LEVEL_FLOOR_DB = -120 };

/* The first n_bins of the power spectrum of x into lm->power. */
static void
power_spectrum(dsp_logmel *lm, const float x[], size_t n_bins)
{
    const size_t m = lm->fft_frames / 2;
    lm->kern->window(lm->time, x, lm->window, lm->window_frames);
    fftwf_execute(lm->plan);
    lm->freq[2 * m] = lm->freq[0];
    lm->freq[2 * m + 1] = lm->freq[1];
    lm->kern->power(lm->power, lm->freq, lm->cosine, lm->sine, m, n_bins, lm->gain);
}

const float *
dsp_logmel_power(dsp_logmel *lm, const float x[])
{
    power_spectrum(lm, x, lm->fft_frames / 2 + 1);
    return lm->power;
}

static float
level_db(const dsp_logmel *lm)
{
    const float p =
        lm->kern->sum(lm->power + lm->first_bin, lm->n_bins - lm->first_bin);
    const float db = 10 * log10f(lm->level_gain * p + 1e-30F);
    return db > LEVEL_FLOOR_DB ? db : LEVEL_FLOOR_DB;
}

/* Linear bands of lm->power into lm->out. */
static void
apply_bank(dsp_logmel *lm)
{
    lm->kern->bands(lm->out, lm->power, lm->bank->bands, lm->bank->weights,
                    lm->bank->n_padded);
}

static void
take_logarithm(dsp_logmel *lm, float out[])
{
    if (lm->decibels)
        lm->kern->decibels(lm->out, lm->bank->n_padded, lm->log_floor);
    for (uint32_t b = 0; b < lm->bank->n_bands; b++)
        out[b] = lm->decibels ? lm->out[b] : logf(lm->out[b] + lm->log_floor);
}

float
dsp_logmel_frame(dsp_logmel *lm, const float x[], float out[])
{
    power_spectrum(lm, x, lm->n_bins);
    const float level = level_db(lm);
    for (uint32_t k = 0; lm->magnitude && k < lm->n_bins; k++)
        lm->power[k] = sqrtf(lm->power[k]);
    apply_bank(lm);
    take_logarithm(lm, out);
    return level;
}

float
dsp_logmel_frame_whole(dsp_logmel *lm, const float x[], float out[],
                       const float **power, float *sum)
{
    power_spectrum(lm, x, lm->fft_frames / 2 + 1);
    apply_bank(lm);
    *sum = lm->kern->sum(lm->out, lm->bank->n_bands);
    take_logarithm(lm, out);
    *power = lm->power;
    return level_db(lm);
}
