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
    const uint64_t u = mix(r->state += 0x9e3779b97f4a7c15U);
    const uint64_t sum =
        (u & 0xffff) + (u >> 16 & 0xffff) + (u >> 32 & 0xffff) + (u >> 48);
    return (double)sum - 2 * 65535;
}

fftwf_plan
dsp_degrade_plan(size_t n, float *in, float *out)
{
    fftwf_complex *i = (fftwf_complex *)(void *)in, *o = (fftwf_complex *)(void *)out;
    /* With wisdom, of which dsp_fft_plan() imports some, the plan and so the last bits
     * would depend on what had been planned before. That call imports it anew. */
    fftwf_forget_wisdom();
    fftwf_plan plan = fftwf_plan_dft_1d((int)n, i, o, FFTW_FORWARD, FFTW_ESTIMATE);
    fftwf_forget_wisdom();
    return plan;
}

static void
gain(dsp_sound *s, double db)
{
    const double g = pow(10, db / 20);
    for (size_t i = 0; i < s->n; i++)
        s->x[i] = (float)(g * (double)s->x[i]);
}

/* Runs the generator twice, rather than keeping its numbers: the noise has exactly the
 * level that was asked for, not only in the long run. */
static void
noise(dsp_sound *s, double snr_db, dsp_random *r)
{
    dsp_random twin = *r;
    double signal = 0, drawn = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double v = dsp_random_normal(&twin);
        signal += (double)s->x[i] * (double)s->x[i];
        drawn += v * v;
    }
    const double g = drawn > 0 ? sqrt(signal / drawn * pow(10, -snr_db / 10)) : 0;
    for (size_t i = 0; i < s->n; i++)
        s->x[i] = (float)((double)s->x[i] + g * dsp_random_normal(r));
}

static void
late(dsp_sound *s, uint32_t rate_hz)
{
    const size_t half_s = rate_hz / 2, quarter = s->n / 4;
    const size_t missing = half_s < quarter ? half_s : quarter;
    s->n -= missing;
    memmove(s->x, s->x + missing, s->n * sizeof *s->x);
}

static dsp_status
pitch(dsp_sound *s, uint32_t rate_hz, double semitones)
{
    const double ratio = pow(2, semitones / 12);
    const size_t n = s->n;
    const dsp_status st = dsp_stretch(s, rate_hz, 1 / ratio);
    return st ? st : dsp_resample(s, ratio, n);
}

static dsp_status
room(dsp_sound *s, uint32_t rate_hz, dsp_random *r)
{
    const dsp_status st = dsp_reverb(s, rate_hz, r);
    if (st)
        return st;
    dsp_butterworth(s, DSP_PASS_LOW, 8, 4000, rate_hz);
    noise(s, 20, r);
    gain(s, -6);
    return DSP_OK;
}

static dsp_status
apply(dsp_degradation kind, dsp_sound *s, uint32_t rate_hz, dsp_random *r)
{
    switch (kind) {
    case DSP_NOISE_10_DB:
        noise(s, 10, r);
        return DSP_OK;
    case DSP_QUIETER:
        gain(s, -12);
        return DSP_OK;
    case DSP_LOW_PASS:
        dsp_butterworth(s, DSP_PASS_LOW, 8, 4000, rate_hz);
        return DSP_OK;
    case DSP_TELEPHONE:
        dsp_butterworth(s, DSP_PASS_HIGH, 6, 300, rate_hz);
        dsp_butterworth(s, DSP_PASS_LOW, 10, 3400, rate_hz);
        return DSP_OK;
    case DSP_PITCH_UP:
        return pitch(s, rate_hz, 1);
    case DSP_PITCH_DOWN:
        return pitch(s, rate_hz, -1);
    case DSP_FASTER:
        return dsp_stretch(s, rate_hz, 1.1);
    case DSP_SLOWER:
        return dsp_stretch(s, rate_hz, 0.9);
    case DSP_LATE:
        late(s, rate_hz);
        return DSP_OK;
    case DSP_REVERB:
        return dsp_reverb(s, rate_hz, r);
    case DSP_ROOM:
        return room(s, rate_hz, r);
    case DSP_DEGRADATIONS:
        break;
    }
    return DSP_EARG;
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
    dsp_sound s = {dsp_calloc((n ? n : 1) * sizeof *x), n};
    if (!s.x)
        return DSP_ENOMEM;
    /* Mixed, because splitmix64 from states that are multiples of its step apart gives
     * the same numbers, shifted. */
    dsp_random r = {mix(mix(seed) + kind)};
    dsp_status st = DSP_OK;
    if (n > 0) {
        memcpy(s.x, x, n * sizeof *x);
        st = apply(kind, &s, rate_hz, &r);
    }
    if (st) {
        free(s.x);
        return st;
    }
    *out = s.x;
    *n_out = s.n;
    return DSP_OK;
}
