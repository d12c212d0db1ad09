/*
 * Tempo without pitch: a phase vocoder whose phases are locked to spectral peaks.
 *
 * Frames leave every hop and are read speed hops apart. A peak turns between two frames
 * that leave by as much as it turned in the sound during one hop, which a second frame,
 * one hop before the one that is read, tells without unwrapping (Puckette,
 * "Phase-locked vocoder", WASPAA 1995). The bins around a peak turn with it, so that a
 * partial stays one partial ("identity phase locking", Laroche and Dolson, IEEE Trans.
 * Speech and Audio Processing 7(3), 1999).
 */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OVERLAP = 4, REACH = 2 };    /* a peak exceeds so many bins on either side */
static const float onset_rise = 16; /* in power: 12 dB */

typedef struct {
    size_t n_fft, hop, n_bins;
    float *window; /* [n_fft], periodic Hann */
    float *time;   /* [2 n_fft], interleaved as all below */
    float *freq;   /* [2 n_fft] */
    float *now;    /* [2 n_bins], the frame that is read */
    float *before; /* [2 n_bins], the frame one hop before it */
    float *leaves; /* [2 n_bins], the frame that leaves */
    float *power;  /* [n_bins + 2 REACH], of now, from bin -REACH */
    fftwf_plan plan;
} vocoder;

/* Frames of 31 to 64 ms: long enough to part the partials of a low voice. */
static size_t
fft_size(uint32_t rate_hz)
{
    size_t n = 1024;
    while (32 * n < rate_hz)
        n *= 2;
    return n;
}

static bool
vocoder_init(vocoder *v, uint32_t rate_hz)
{
    const double pi = 3.14159265358979323846;
    const size_t n = fft_size(rate_hz), n_bins = n / 2 + 1;
    *v = (vocoder){.n_fft = n, .hop = n / OVERLAP, .n_bins = n_bins};
    v->window = dsp_calloc(n * sizeof *v->window);
    v->time = dsp_calloc(2 * n * sizeof *v->time);
    v->freq = dsp_calloc(2 * n * sizeof *v->freq);
    v->now = dsp_calloc(2 * n_bins * sizeof *v->now);
    v->before = dsp_calloc(2 * n_bins * sizeof *v->before);
    v->leaves = dsp_calloc(2 * n_bins * sizeof *v->leaves);
    v->power = dsp_calloc((n_bins + 2 * REACH) * sizeof *v->power);
    if (!v->window || !v->time || !v->freq || !v->now || !v->before || !v->leaves ||
        !v->power)
        return false;
    for (size_t i = 0; i < n; i++)
        v->window[i] = (float)(0.5 - 0.5 * cos(2 * pi * (double)i / (double)n));
    v->plan = dsp_degrade_plan(n, v->time, v->freq);
    return v->plan != NULL;
}

static void
vocoder_free(vocoder *v)
{
    if (v->plan)
        fftwf_destroy_plan(v->plan);
    free(v->power);
    free(v->leaves);
    free(v->before);
    free(v->now);
    free(v->freq);
    free(v->time);
    free(v->window);
}

/* Windows the frame that begins at sample `start` of the sound; time[0, 2, ...]. */
static void
take_frame(const vocoder *v, const dsp_sound *s, int64_t start, float *time)
{
    const int64_t n = (int64_t)s->n, size = (int64_t)v->n_fft;
    for (int64_t i = start < 0 ? -start : 0; i < size && start + i < n; i++)
        time[2 * i] = v->window[i] * s->x[start + i];
}

/* Spectra of the frame at `start` and of the one a hop before, which go through one FFT
 * as its real and imaginary part. */
static void
analyse(vocoder *v, const dsp_sound *s, int64_t start)
{
    const float *z = v->freq;
    memset(v->time, 0, 2 * v->n_fft * sizeof *v->time);
    take_frame(v, s, start, v->time);
    take_frame(v, s, start - (int64_t)v->hop, v->time + 1);
    fftwf_execute(v->plan);
    for (size_t k = 0; k < v->n_bins; k++) {
        const size_t i = 2 * k, j = 2 * ((v->n_fft - k) % v->n_fft);
        v->now[i] = 0.5F * (z[i] + z[j]);
        v->now[i + 1] = 0.5F * (z[i + 1] - z[j + 1]);
        v->before[i] = 0.5F * (z[i + 1] + z[j + 1]);
        v->before[i + 1] = 0.5F * (z[j] - z[i]);
    }
}

static void
fill_power(vocoder *v)
{
    for (size_t k = 0; k < v->n_bins; k++)
        v->power[REACH + k] =
            v->now[2 * k] * v->now[2 * k] + v->now[2 * k + 1] * v->now[2 * k + 1];
}

/* First peak at bin k or above, n_bins when there is none. Of equals the first counts,
 * so that only an empty spectrum has no peak. */
static size_t
next_peak(const vocoder *v, size_t k)
{
    for (; k < v->n_bins; k++) {
        const float *p = v->power + REACH + k;
        if (p[0] > p[-2] && p[0] > p[-1] && p[0] >= p[1] && p[0] >= p[2])
            return k;
    }
    return v->n_bins;
}

/* Lowest bin between two peaks, where one's realm ends and the other's begins. */
static size_t
valley(const vocoder *v, size_t peak, size_t next)
{
    if (next >= v->n_bins)
        return v->n_bins;
    size_t low = peak + 1;
    for (size_t k = low; k < next; k++)
        if (v->power[REACH + k] < v->power[REACH + low])
            low = k;
    return low;
}

/* By how much the peak at bin k has to turn to go on where it left. At an onset it does
 * not: attacks stay sharp when their bins keep the phases that they have. */
static void
turn_of(const vocoder *v, size_t k, float *re, float *im)
{
    const double br = (double)v->before[2 * k], bi = (double)v->before[2 * k + 1];
    const double lr = (double)v->leaves[2 * k], li = (double)v->leaves[2 * k + 1];
    const double cr = lr * br + li * bi, ci = li * br - lr * bi;
    const double size = sqrt(cr * cr + ci * ci);
    const bool onset =
        (double)v->power[REACH + k] > (double)onset_rise * (br * br + bi * bi);
    *re = size > 0 && !onset ? (float)(cr / size) : 1;
    *im = size > 0 && !onset ? (float)(ci / size) : 0;
}

static void
turn(vocoder *v, size_t begin, size_t end, float re, float im)
{
    for (size_t k = begin; k < end; k++) {
        const float a = v->now[2 * k], b = v->now[2 * k + 1];
        v->leaves[2 * k] = a * re - b * im;
        v->leaves[2 * k + 1] = a * im + b * re;
    }
}

/* Makes the frame that leaves out of the one that left before. */
static void
lock_phases(vocoder *v)
{
    fill_power(v);
    size_t begin = 0, peak = next_peak(v, 0);
    if (peak == v->n_bins)
        turn(v, 0, v->n_bins, 1, 0);
    while (peak < v->n_bins) {
        const size_t next = next_peak(v, peak + 1), end = valley(v, peak, next);
        float re, im;
        turn_of(v, peak, &re, &im);
        turn(v, begin, end, re, im);
        begin = end;
        peak = next;
    }
}

/* Adds the frame that leaves to y, where it begins at sample `start`. */
static void
synthesise(vocoder *v, dsp_sound *y, int64_t start)
{
    const int64_t n = (int64_t)y->n, size = (int64_t)v->n_fft;
    /* The real part of the inverse is that of the FFT of the conjugate, and bins above
     * the middle mirror those below. Squared Hann windows a quarter apart add up to
     * 3/2. */
    const float once = 1 / (1.5F * (float)v->n_fft);
    memset(v->time, 0, 2 * v->n_fft * sizeof *v->time);
    for (size_t k = 0; k < v->n_bins; k++) {
        const float g = k == 0 || k == v->n_bins - 1 ? once : 2 * once;
        v->time[2 * k] = g * v->leaves[2 * k];
        v->time[2 * k + 1] = -g * v->leaves[2 * k + 1];
    }
    fftwf_execute(v->plan);
    for (int64_t i = start < 0 ? -start : 0; i < size && start + i < n; i++)
        y->x[start + i] += v->window[i] * v->freq[2 * i];
}

static void
run(vocoder *v, const dsp_sound *s, dsp_sound *y, double speed)
{
    const int64_t hop = (int64_t)v->hop, half = (int64_t)v->n_fft / 2;
    /* Centres of the frames, from the first to the last one that reaches into y. Before
     * the first is silence, so that no phase needs to go on. */
    for (int64_t at = -hop; at - half < (int64_t)y->n; at += hop) {
        const int64_t from = llround((double)at * speed);
        analyse(v, s, from - half);
        lock_phases(v);
        synthesise(v, y, at - half);
    }
}

dsp_status
dsp_stretch(dsp_sound *s, uint32_t rate_hz, double speed)
{
    vocoder v;
    dsp_sound y = {.n = (size_t)llround((double)s->n / speed)};
    const bool ready = vocoder_init(&v, rate_hz);
    y.x = ready ? dsp_calloc(y.n * sizeof *y.x) : NULL;
    if (y.x) {
        run(&v, s, &y, speed);
        free(s->x);
        *s = y;
    }
    vocoder_free(&v);
    return y.x ? DSP_OK : DSP_ENOMEM;
}
