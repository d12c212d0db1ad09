/* Degradations: which steps make which, and the steps of a line or two. */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dsp_degradation_name[DSP_DEGRADATIONS] = {
    [DSP_NOISE_10_DB] = "noise-10db",
    [DSP_QUIETER] = "quieter",
    [DSP_LOW_PASS] = "low-pass",
    [DSP_TELEPHONE] = "telephone",
    [DSP_PITCH_UP] = "pitch-up",
    [DSP_PITCH_DOWN] = "pitch-down",
    [DSP_FASTER] = "faster",
    [DSP_SLOWER] = "slower",
    [DSP_LATE] = "late",
    [DSP_REVERB] = "reverb",
    [DSP_ROOM] = "room",
};

/* 2^(1/12) within 0.006 cents, by its continued fraction. */
static const dsp_ratio semitone = {196, 185};

static const dsp_filter low_pass = {DSP_PASS_LOW, 8, 4000};
static const dsp_filter telephone[] = {{DSP_PASS_HIGH, 6, 300},
                                       {DSP_PASS_LOW, 10, 3400}};

static uint64_t
mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

double
dsp_random_normal(dsp_random *r)
{
    const uint64_t u = mix(r->state += 0x9e3779b97f4a7c15U),
                   every_other = 0xffff0000ffffU;
    const uint64_t sums = (u & every_other) + (u >> 16 & every_other);
    return (double)((int32_t)(sums & 0xffffffff) + (int32_t)(sums >> 32) - 2 * 65535);
}

static void
gain(float y[], const float x[], size_t n, double db)
{
    const double g = pow(10, db / 20);
    for (size_t i = 0; i < n; i++)
        y[i] = (float)(g * (double)x[i]);
}

/* The noise has exactly the level that was asked for, not only in the long run. */
static void
noise(float *restrict y, const float *restrict x, size_t n, double snr_db,
      dsp_random *r)
{
    double signal = 0, drawn = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = dsp_random_normal(r), u = (double)x[i];
        y[i] = (float)v; /* an integer below 2^17: exact */
        signal += u * u;
        drawn += v * v;
    }
    const double g = drawn > 0 ? sqrt(signal / drawn * pow(10, -snr_db / 10)) : 0;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((double)x[i] + g * (double)y[i]);
}

static size_t
missing(size_t n, uint32_t rate_hz)
{
    return n / 4 < rate_hz / 2 ? n / 4 : rate_hz / 2;
}

static dsp_status
pitch(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz, dsp_ratio ratio)
{
    dsp_sound slow;
    dsp_status st = dsp_stretch(&slow, x, n, rate_hz, (double)ratio.down / ratio.up);
    if (!st) {
        st = dsp_resample(y, slow.x, slow.n, ratio, n);
        free(slow.x);
    }
    return st;
}

static dsp_status
room(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz, dsp_random *r)
{
    dsp_sound wet;
    const dsp_status st = dsp_reverb(&wet, x, n, rate_hz, r);
    if (st)
        return st;
    dsp_butterworth(wet.x, wet.x, wet.n, &low_pass, 1, rate_hz);
    float *noisy = malloc(wet.n * sizeof *noisy);
    if (noisy) {
        noise(noisy, wet.x, wet.n, 20, r);
        gain(noisy, noisy, wet.n, -6);
        *y = (dsp_sound){noisy, wet.n};
    }
    free(wet.x);
    return noisy ? DSP_OK : DSP_ENOMEM;
}

/* Those that keep each sample in its place. */
static dsp_status
apply_in_place(dsp_degradation kind, dsp_sound *y, const float x[], size_t n,
               uint32_t rate_hz, dsp_random *r)
{
    const size_t without = kind == DSP_LATE ? missing(n, rate_hz) : 0;
    *y = (dsp_sound){malloc((n - without) * sizeof *x), n - without};
    if (!y->x)
        return DSP_ENOMEM;
    if (kind == DSP_NOISE_10_DB)
        noise(y->x, x, n, 10, r);
    else if (kind == DSP_QUIETER)
        gain(y->x, x, n, -12);
    else if (kind == DSP_LOW_PASS)
        dsp_butterworth(y->x, x, n, &low_pass, 1, rate_hz);
    else if (kind == DSP_TELEPHONE)
        dsp_butterworth(y->x, x, n, telephone, sizeof telephone / sizeof *telephone,
                        rate_hz);
    else
        memcpy(y->x, x + without, y->n * sizeof *x);
    return DSP_OK;
}

static dsp_status
apply(dsp_degradation kind, dsp_sound *y, const float x[], size_t n, uint32_t rate_hz,
      dsp_random *r)
{
    switch (kind) {
    case DSP_PITCH_UP:
        return pitch(y, x, n, rate_hz, semitone);
    case DSP_PITCH_DOWN:
        return pitch(y, x, n, rate_hz, (dsp_ratio){semitone.down, semitone.up});
    case DSP_FASTER:
        return dsp_stretch(y, x, n, rate_hz, 1.1);
    case DSP_SLOWER:
        return dsp_stretch(y, x, n, rate_hz, 0.9);
    case DSP_REVERB:
        return dsp_reverb(y, x, n, rate_hz, r);
    case DSP_ROOM:
        return room(y, x, n, rate_hz, r);
    default:
        return apply_in_place(kind, y, x, n, rate_hz, r);
    }
}

dsp_status
dsp_degrade(dsp_degradation kind, const float x[], size_t n, uint32_t rate_hz,
            uint64_t seed, float **out, size_t *n_out)
{
    *out = NULL;
    *n_out = 0;
    if ((unsigned)kind >= DSP_DEGRADATIONS || rate_hz < DSP_MIN_RATE_HZ ||
        rate_hz > DSP_MAX_RATE_HZ)
        return DSP_EARG;
    if (n == 0) {
        *out = malloc(sizeof **out);
        return *out ? DSP_OK : DSP_ENOMEM;
    }
    /* Mixed, because splitmix64 from states that are multiples of its step apart gives
     * the same numbers, shifted. */
    dsp_random r = {mix(mix(seed) + kind)};
    dsp_sound y;
    const dsp_status st = apply(kind, &y, x, n, rate_hz, &r);
    if (!st) {
        *out = y.x;
        *n_out = y.n;
    }
    return st;
}
