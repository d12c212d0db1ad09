/* What descriptors.c and contrast.c share. */
#ifndef HEARKEN_DSP_DESCRIPTORS_PRIVATE_H
#define HEARKEN_DSP_DESCRIPTORS_PRIVATE_H

#include "private.h"

#include <math.h>
#include <string.h>

enum {
    DSP_CONTRAST_BANDS = 7,
    DSP_CHUNK = 32, /* bins or lags whose sum or maximum is kept while scanning */
    DSP_MAX_CHUNKS = DSP_MAX_FFT / 2 / DSP_CHUNK,
};

struct dsp_descriptors {
    uint32_t window_frames, half; /* FFT length over 2 */
    float rate_hz, hz_per_bin;
    uint32_t edge[DSP_CONTRAST_BANDS + 1]; /* band b: bins edge[b]..edge[b + 1] - 1 */
    uint32_t n_fifth[DSP_CONTRAST_BANDS];  /* 20 % of the band's bins, at least 1 */
    uint32_t flat_first;                   /* bin; to edge[DSP_CONTRAST_BANDS] - 1 */
    uint32_t lag_first, lag_end;           /* samples */
    float *cosine, *sine;                  /* [half], of pi k / half */
    float *fold;                           /* [2 half], input of the plan */
    float *lags;                           /* [2 half], its output: lag 0, 1, 2, ... */
    float *weight; /* [half], 1 / the window's autocorrelation, 1 at lag 0 */
    fftwf_plan plan;
};

/* Circular autocorrelation of what has that power[half + 1], times the FFT's length,
 * into d->lags. */
void dsp_autocorrelate(dsp_descriptors *d, const float power[]);

/* Contrast of each band in out[0..6], valleys minus level in out[7..13]. */
void dsp_contrast(const dsp_descriptors *d, const float power[], float level,
                  float out[]);

static const float dsp_power_floor = 1e-11F; /* -110 dB, as of the bands */

/* Positive floats are in the order of their bits. */
static inline int32_t
dsp_bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float
dsp_float_of(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The greatest of p[n]; if none is positive, any. Of bits, because compilers make
 * vectors of integers' maxima but not of floats'. */
static inline float
dsp_greatest(const float p[], size_t n)
{
    int32_t most = dsp_bits_of(p[0]);
    for (size_t i = 0; i < n; i++)
        most = dsp_bits_of(p[i]) > most ? dsp_bits_of(p[i]) : most;
    return dsp_float_of(most);
}

static inline float
dsp_decibels(float power)
{
    return 10 * log10f(power > dsp_power_floor ? power : dsp_power_floor);
}

static inline float
dsp_sum_of_lanes(const float lane[DSP_LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static inline float
dsp_sum(const float *p, size_t n)
{
    float lane[DSP_LANES] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l];
    for (size_t l = 0; i < n; i++, l++)
        lane[l] += p[i];
    return dsp_sum_of_lanes(lane);
}

#endif
