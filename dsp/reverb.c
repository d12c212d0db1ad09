/* Reverberation: convolution with decaying noise, by overlap-add. */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double rt60_s = 0.8;

/* Two blocks pass through one complex FFT, as its real and its imaginary part: the tail
 * is real, so they do not mix. */
typedef struct {
    size_t n_tail;
    size_t n_fft;   /* a power of two, 1.5 n_tail at least */
    size_t n_block; /* n_fft - n_tail: a block and its echo fit */
    float *time;    /* [2 n_fft] */
    float *freq;    /* [2 n_fft] */
    float *tail;    /* [2 n_fft], spectrum of the tail, 1/n_fft in it */
    fftwf_plan plan;
} reverb;

static bool
reverb_init(reverb *v, uint32_t rate_hz)
{
    *v = (reverb){.n_tail = (size_t)lround(rt60_s * rate_hz), .n_fft = 1};
    while (2 * v->n_fft < 3 * v->n_tail)
        v->n_fft *= 2;
    v->n_block = v->n_fft - v->n_tail;
    v->time = dsp_calloc(2 * v->n_fft * sizeof *v->time);
    v->freq = dsp_calloc(2 * v->n_fft * sizeof *v->freq);
    v->tail = dsp_calloc(2 * v->n_fft * sizeof *v->tail);
    if (!v->time || !v->freq || !v->tail)
        return false;
    v->plan = dsp_fft_kept((uint32_t)v->n_fft, v->time, v->freq);
    return v->plan != NULL;
}

static void
reverb_free(reverb *v)
{
    free(v->tail);
    free(v->freq);
    free(v->time);
}

static void
transform(reverb *v)
{
    fftwf_execute_dft(v->plan, (fftwf_complex *)(void *)v->time,
                      (fftwf_complex *)(void *)v->freq);
}

static void
make_tail(reverb *v, dsp_random *r)
{
    const double fall = pow(10, -3 / (double)v->n_tail);
    double energy = 0, decay = 1;
    for (size_t i = 0; i < v->n_tail; i++) {
        const double h = decay * dsp_random_normal(r);
        v->time[2 * i] = (float)h;
        energy += h * h;
        decay *= fall;
    }
    const float g = (float)(1 / sqrt(energy) / (double)v->n_fft);
    transform(v);
    for (size_t i = 0; i < 2 * v->n_fft; i++)
        v->tail[i] = g * v->freq[i];
}

static size_t
at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* time = conj(freq tail), of which the FFT is the conjugate of the echo. */
static void
multiply(reverb *v)
{
    const float *a = v->freq, *b = v->tail;
    for (size_t k = 0; k < 2 * v->n_fft; k += 2) {
        v->time[k] = a[k] * b[k] - a[k + 1] * b[k + 1];
        v->time[k + 1] = -(a[k] * b[k + 1] + a[k + 1] * b[k]);
    }
}

/* Adds the echoes of x[0..a) and x[n_block..n_block + b) to y; the tail's first sample
 * comes one sample after the direct sound. */
static void
echo_blocks(reverb *v, const float x[], size_t a, size_t b, float y[])
{
    memset(v->time, 0, 2 * v->n_fft * sizeof *v->time);
    for (size_t i = 0; i < a; i++)
        v->time[2 * i] = x[i];
    for (size_t i = 0; i < b; i++)
        v->time[2 * i + 1] = x[v->n_block + i];
    transform(v);
    multiply(v);
    transform(v);
    for (size_t i = 0; i < a + v->n_tail - 1; i++)
        y[1 + i] += v->freq[2 * i];
    for (size_t i = 0; b > 0 && i < b + v->n_tail - 1; i++)
        y[1 + v->n_block + i] -= v->freq[2 * i + 1];
}

static void
run(reverb *v, const float x[], size_t n, float y[])
{
    for (size_t at = 0; at < n; at += 2 * v->n_block) {
        const size_t left = n - at, a = at_most(left, v->n_block);
        echo_blocks(v, x + at, a, at_most(left - a, v->n_block), y + at);
    }
}

dsp_status
dsp_reverb(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz, dsp_random *r)
{
    reverb v;
    float *out = NULL;
    if (reverb_init(&v, rate_hz))
        out = calloc(n + v.n_tail, sizeof *out);
    if (out) {
        memcpy(out, x, n * sizeof *out);
        make_tail(&v, r);
        run(&v, x, n, out);
        *y = (dsp_sound){out, n + v.n_tail};
    }
    reverb_free(&v);
    return out ? DSP_OK : DSP_ENOMEM;
}
