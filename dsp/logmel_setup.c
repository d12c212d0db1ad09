/* Makes and frees what logmel.c runs on. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void *
dsp_calloc(size_t n_bytes)
{
    const size_t n = (n_bytes + DSP_ALIGN - 1) / DSP_ALIGN * DSP_ALIGN;
    void *p = aligned_alloc(DSP_ALIGN, n);
    return p ? memset(p, 0, n) : NULL;
}

const char *
dsp_status_text(dsp_status st)
{
    switch (st) {
    case DSP_OK:
        return "done";
    case DSP_EARG:
        return "a setting of the analysis is out of its range";
    case DSP_ENOMEM:
        return "not enough memory for the analysis";
    case DSP_EMATH:
        return "the eigenvalues of the corpus do not converge";
    }
    return "unknown status";
}

/* Nearest FFT length to bins 31.25 Hz apart whose half has small factors: 1536 at 48
 * kHz, 1408 at 44.1 kHz. 1411 would be exact there, but 20 times slower. */
static uint32_t
fft_frames_at(uint32_t rate_hz)
{
    const double exact = rate_hz / 31.25;
    return 64 * (uint32_t)lround(exact / 64);
}

dsp_logmel_config
dsp_logmel_config_default(uint32_t rate_hz)
{
    const uint32_t fft = fft_frames_at(rate_hz);
    return (dsp_logmel_config){
        .rate_hz = rate_hz,
        .window_frames = fft,
        .fft_frames = fft,
        .log = DSP_LOG_DB,
        .log_floor = 1e-11,
        .bank = {.n_bands = DSP_BANDS,
                 .low_hz = 50,
                 .high_hz = 14000,
                 .norm = DSP_SUM_1},
    };
}

static bool
config_ok(const dsp_logmel_config *c)
{
    return c->rate_hz >= 1000 && c->rate_hz <= 1000000 && c->fft_frames >= 32 &&
           c->fft_frames <= DSP_MAX_FFT && c->fft_frames % 2 == 0 &&
           c->window_frames >= 2 && c->window_frames <= c->fft_frames &&
           c->log_floor > 1e-30 && c->power_gain >= 0;
}

/* Periodic Hann, and the gains that its sums give. */
static void
fill_window(dsp_logmel *lm, double power_gain)
{
    const double pi = 3.14159265358979323846;
    double sum = 0, square = 0;
    for (uint32_t i = 0; i < lm->window_frames; i++) {
        const double w = 0.5 - 0.5 * cos(2 * pi * i / lm->window_frames);
        lm->window[i] = (float)w;
        sum += w;
        square += w * w;
    }
    lm->gain = (float)(power_gain > 0 ? power_gain : 2 / (sum * sum));
    /* By Parseval the bins of one side hold n/2 sum(w^2) times the mean square. */
    lm->level_gain = (float)(sum * sum / (lm->fft_frames * square));
}

static void
fill_twiddles(dsp_logmel *lm)
{
    const double pi = 3.14159265358979323846;
    for (uint32_t k = 0; k <= lm->fft_frames / 2; k++) {
        lm->cosine[k] = (float)cos(2 * pi * k / lm->fft_frames);
        lm->sine[k] = (float)sin(2 * pi * k / lm->fft_frames);
    }
}

static dsp_status
allocate(dsp_logmel *lm)
{
    const uint32_t half = lm->fft_frames / 2;
    const uint32_t n_power =
        lm->bank->n_power > half + 1 ? lm->bank->n_power : half + 1;
    lm->window = dsp_calloc(lm->window_frames * sizeof(float));
    lm->time = dsp_calloc(lm->fft_frames * sizeof(float));
    lm->freq = dsp_calloc((lm->fft_frames + 2) * sizeof(float));
    lm->cosine = dsp_calloc((half + 1) * sizeof(float));
    lm->sine = dsp_calloc((half + 1) * sizeof(float));
    lm->power = dsp_calloc((n_power + DSP_LANES) * sizeof(float));
    lm->out = dsp_calloc(lm->bank->n_padded * sizeof(float));
    if (!lm->window || !lm->time || !lm->freq || !lm->cosine || !lm->sine ||
        !lm->power || !lm->out)
        return DSP_ENOMEM;
    lm->plan = dsp_fft_plan(half, lm->time, lm->freq);
    return lm->plan ? DSP_OK : DSP_ENOMEM;
}

dsp_status
dsp_logmel_new(dsp_logmel **out, const dsp_logmel_config *c)
{
    *out = NULL;
    if (!config_ok(c))
        return DSP_EARG;
    dsp_logmel *lm = calloc(1, sizeof *lm);
    if (!lm)
        return DSP_ENOMEM;
    const double hz_per_bin = (double)c->rate_hz / c->fft_frames;
    lm->kern = dsp_kern_best();
    lm->window_frames = c->window_frames;
    lm->fft_frames = c->fft_frames;
    lm->log_floor = (float)c->log_floor;
    lm->magnitude = c->magnitude;
    lm->decibels = c->log == DSP_LOG_DB;
    dsp_status st =
        dsp_bank_new(&lm->bank, &c->bank, hz_per_bin, c->fft_frames / 2 + 1);
    if (!st)
        st = allocate(lm);
    if (st) {
        dsp_logmel_free(lm);
        return st;
    }
    lm->n_bins = lm->bank->n_bins;
    lm->first_bin = (uint32_t)ceil(c->bank.low_hz / hz_per_bin);
    fill_window(lm, c->power_gain);
    fill_twiddles(lm);
    *out = lm;
    return DSP_OK;
}

void
dsp_logmel_free(dsp_logmel *lm)
{
    if (!lm)
        return;
    dsp_fft_free(lm->plan);
    free(lm->out);
    free(lm->power);
    free(lm->sine);
    free(lm->cosine);
    free(lm->freq);
    free(lm->time);
    free(lm->window);
    dsp_bank_free(lm->bank);
    free(lm);
}
