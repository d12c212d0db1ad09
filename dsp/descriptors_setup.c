/* Makes and frees what descriptors.c runs on. */
#include "descriptors_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;
static const double edges_hz[DSP_CONTRAST_BANDS + 1] = {50,   200,  400,  800,
                                                        1600, 3200, 6400, 14000};
static const double flat_hz = 62;                       /* flatness begins here */
static const double least_lag = 1e-3, most_lag = 15e-3; /* s: 1 kHz to 67 Hz */

/* First bin at hz or above; one past the last where there is none. */
static uint32_t
bin_at(const dsp_descriptors *d, double hz)
{
    const double bin = ceil(hz * 2 * d->half / (double)d->rate_hz);
    return bin > d->half + 1 ? d->half + 1 : (uint32_t)bin;
}

static void
fill_ranges(dsp_descriptors *d)
{
    for (int b = 0; b <= DSP_CONTRAST_BANDS; b++)
        d->edge[b] = bin_at(d, edges_hz[b]);
    for (int b = 0; b < DSP_CONTRAST_BANDS; b++) {
        const uint32_t n = d->edge[b + 1] - d->edge[b], fifth = (2 * n + 5) / 10;
        d->n_fifth[b] = fifth > 0 ? fifth : 1;
    }
    d->flat_first = bin_at(d, flat_hz);
    d->lag_first = (uint32_t)ceil(least_lag * (double)d->rate_hz);
    d->lag_end = (uint32_t)floor(most_lag * (double)d->rate_hz) + 1;
    if (d->lag_end > d->half - 1) /* never at the rates that new() takes */
        d->lag_end = d->half - 1;
}

static void
fill_twiddles(dsp_descriptors *d)
{
    for (uint32_t k = 0; k < d->half; k++) {
        d->cosine[k] = (float)cos(pi * k / d->half);
        d->sine[k] = (float)sin(pi * k / d->half);
    }
}

/*
 * The window's own autocorrelation, circular as that of a frame is. The spectrum of a
 * periodic Hann window has but three bins, 1/2 at 0 and -1/4 at +-1, so that it is (1/4
 * + 1/8 cos(pi l / half)) / (3/8).
 */
static void
fill_weight(dsp_descriptors *d)
{
    for (uint32_t l = 0; l < d->half; l++)
        d->weight[l] = (float)(3 / (2 + cos(pi * l / d->half)));
}

static dsp_status
allocate(dsp_descriptors *d)
{
    d->cosine = dsp_calloc(d->half * sizeof(float));
    d->sine = dsp_calloc(d->half * sizeof(float));
    d->weight = dsp_calloc(d->half * sizeof(float));
    d->fold = dsp_calloc(2 * d->half * sizeof(float));
    d->lags = dsp_calloc(2 * d->half * sizeof(float));
    if (!d->cosine || !d->sine || !d->weight || !d->fold || !d->lags)
        return DSP_ENOMEM;
    d->plan = dsp_fft_plan(d->half, d->fold, d->lags);
    return d->plan ? DSP_OK : DSP_ENOMEM;
}

dsp_status
dsp_descriptors_new(dsp_descriptors **out, uint32_t rate_hz)
{
    *out = NULL;
    if (rate_hz < DSP_MIN_RATE_HZ || rate_hz > DSP_MAX_RATE_HZ)
        return DSP_EARG;
    dsp_descriptors *d = calloc(1, sizeof *d);
    if (!d)
        return DSP_ENOMEM;
    const dsp_logmel_config c = dsp_logmel_config_default(rate_hz);
    d->window_frames = c.window_frames;
    d->half = c.fft_frames / 2;
    d->rate_hz = (float)rate_hz;
    d->hz_per_bin = (float)rate_hz / (float)c.fft_frames;
    const dsp_status st = allocate(d);
    if (st) {
        dsp_descriptors_free(d);
        return st;
    }
    fill_ranges(d);
    fill_twiddles(d);
    fill_weight(d);
    *out = d;
    return DSP_OK;
}

void
dsp_descriptors_free(dsp_descriptors *d)
{
    if (!d)
        return;
    if (d->plan)
        fftwf_destroy_plan(d->plan);
    free(d->lags);
    free(d->fold);
    free(d->weight);
    free(d->sine);
    free(d->cosine);
    free(d);
}
