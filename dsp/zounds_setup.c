/* The Morlet filters of zounds as they are, with their faults; see methods.md, 8.1. */
#include "front_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

static double
centre_hz(uint32_t rate_hz, uint32_t band)
{
    const double low = log(1 + 20 / 700.0), high = log(1 + rate_hz / 2 / 700.0);
    return 700 * (exp(low + (high - low) * band / (DSP_ZOUNDS_BANDS - 1)) - 1);
}

static double
a_weighting_db(double hz)
{
    const double f = hz * hz, a = 12200.0 * 12200.0, b = 20.6 * 20.6;
    const double c = 107.7 * 107.7, d = 737.9 * 737.9;
    return 2 + 20 * log10(a * f * f / ((f + b) * sqrt((f + c) * (f + d)) * (f + a)));
}

/* Decibels above the bank's lowest, taken for a factor. */
static double
band_weight(uint32_t rate_hz, uint32_t band)
{
    double least = 0;
    for (uint32_t b = 0; b < DSP_ZOUNDS_BANDS; b++) {
        const double db = a_weighting_db(centre_hz(rate_hz, b));
        least = b == 0 || db < least ? db : least;
    }
    return 1 + a_weighting_db(centre_hz(rate_hz, band)) - least;
}

void
dsp_zounds_filter(uint32_t rate_hz, uint32_t band, double h[DSP_ZOUNDS_TAPS],
                  double *hz, double *scaling, double *weight)
{
    const double s = 0.1 + 0.9 * band / (DSP_ZOUNDS_BANDS - 1);
    *hz = centre_hz(rate_hz, band);
    *scaling = s;
    *weight = band_weight(rate_hz, band);
    const double w = *hz * DSP_ZOUNDS_TAPS / (2 * s * rate_hz);
    double square = 0;
    for (int m = 0; m < DSP_ZOUNDS_TAPS; m++) {
        const double x = 4 * pi * s * (m / (DSP_ZOUNDS_TAPS - 1.0) - 0.5);
        h[m] = (cos(w * x) - exp(-w * w / 2)) * exp(-x * x / 2);
        square += h[m] * h[m];
    }
    for (int m = 0; m < DSP_ZOUNDS_TAPS; m++)
        h[m] *= *weight / (sqrt(square) + 1e-8);
}

static void
fill_filters(dsp_zounds *z, uint32_t rate_hz)
{
    double h[DSP_ZOUNDS_TAPS], hz, scaling, weight;
    for (uint32_t b = 0; b < DSP_ZOUNDS_BANDS; b += 2) {
        for (size_t i = 0; i < 2 * DSP_ZOUNDS_FFT; i++)
            z->time[i] = 0;
        for (uint32_t part = 0; part < 2; part++) {
            dsp_zounds_filter(rate_hz, b + part, h, &hz, &scaling, &weight);
            for (size_t m = 0; m < DSP_ZOUNDS_TAPS; m++)
                z->time[2 * m + part] = (float)(h[m] / DSP_ZOUNDS_FFT);
        }
        fftwf_execute(z->forward);
        float *q = z->filters + (size_t)b * DSP_ZOUNDS_FFT;
        for (size_t i = 0; i < 2 * DSP_ZOUNDS_FFT; i++)
            q[i] = z->freq[i];
    }
}

dsp_status
dsp_zounds_init(dsp_zounds *z, uint32_t rate_hz)
{
    const size_t n = 2 * DSP_ZOUNDS_FFT * sizeof(float);
    z->kern = dsp_kern_best();
    z->filters = dsp_calloc(DSP_ZOUNDS_BANDS / 2 * n);
    z->time = dsp_calloc(n);
    z->freq = dsp_calloc(n);
    z->re = dsp_calloc(n);
    z->im = dsp_calloc(n);
    z->samples = dsp_calloc(DSP_ZOUNDS_FFT * sizeof(float));
    if (!z->filters || !z->time || !z->freq || !z->re || !z->im || !z->samples)
        return DSP_ENOMEM;
    z->forward = dsp_fft_plan(DSP_ZOUNDS_FFT, z->time, z->freq);
    z->back = dsp_fft_plan(DSP_ZOUNDS_FFT, z->freq, z->time);
    if (!z->forward || !z->back)
        return DSP_ENOMEM;
    fill_filters(z, rate_hz);
    return DSP_OK;
}

void
dsp_zounds_done(dsp_zounds *z)
{
    dsp_fft_free(z->back);
    dsp_fft_free(z->forward);
    free(z->samples);
    free(z->im);
    free(z->re);
    free(z->freq);
    free(z->time);
    free(z->filters);
}
