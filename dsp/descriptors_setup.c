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
fill_turns(dsp_descriptors *d)
{
    const uint32_t h = d->plan.h;
    for (uint32_t b = 0; b <= h; b++)
        for (uint32_t c = 0; c < DSP_LAG_LANES; c++) {
            float *to = d->turn + 3 * DSP_LAG_LANES * b + c;
            const double turn = pi * b * c / d->half;
            to[0] = (float)(c > 0 ? cos(turn) : 0.5);
            to[DSP_LAG_LANES] = (float)sin(turn);
            to[2 * DSP_LAG_LANES] = (float)(c > 0 ? cos(turn) : -sin(pi * b / (2 * h)));
        }
    for (uint32_t i = 0; i < 2 * h; i++) {
        d->root[2 * i] = (float)cos(pi * i / h);
        d->root[2 * i + 1] = (float)sin(pi * i / h);
    }
    for (uint32_t b = 0; b < h; b++)
        d->eighth[b] = (float)(b > 0 ? 2 * cos(pi * b / (2 * h)) : 1);
}

/* Radix 4, then 2, then odd primes. */
static void
fill_radix(dsp_lags *plan)
{
    uint32_t left = plan->h;
    for (uint32_t r = 4; left > 1; r = r == 4 ? 2 : r == 2 ? 3 : r + 2)
        for (; left % r == 0; left /= r)
            plan->radix[plan->n_passes++] = r;
}

/*
 * The window's own autocorrelation, circular as that of a frame is. The spectrum of a
 * periodic Hann window has but three bins, 1/2 at 0 and -1/4 at +-1, so that it is (1/4
 * + 1/8 cos(pi l / half)) / (3/8).
 */
static void
fill_weight(dsp_descriptors *d)
{
    for (uint32_t l = 0; l <= d->half; l++)
        d->weight[l] = (float)(3 / (2 + cos(pi * l / d->half)));
}

static dsp_status
allocate(dsp_descriptors *d)
{
    const uint32_t h = d->half / 16;
    d->turn = dsp_calloc((h + 1) * 3 * DSP_LAG_LANES * sizeof(float));
    d->root = dsp_calloc(2 * h * 2 * sizeof(float));
    d->eighth = dsp_calloc((h + DSP_LAG_LANES) * sizeof(float));
    d->weight = dsp_calloc((d->half + 1) * sizeof(float));
    d->lags = dsp_calloc((d->half + 1) * sizeof(float));
    if (!d->turn || !d->root || !d->eighth || !d->weight || !d->lags)
        return DSP_ENOMEM;
    d->plan = (dsp_lags){.h = h,
                         .turn = d->turn,
                         .root = d->root,
                         .eighth = d->eighth,
                         .weight = d->weight};
    return DSP_OK;
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
    d->kern = dsp_kern_best();
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
    fill_radix(&d->plan);
    fill_turns(d);
    fill_weight(d);
    *out = d;
    return DSP_OK;
}

void
dsp_descriptors_free(dsp_descriptors *d)
{
    if (!d)
        return;
    free(d->lags);
    free(d->weight);
    free(d->eighth);
    free(d->root);
    free(d->turn);
    free(d);
}
