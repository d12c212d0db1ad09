#include "eval.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MFCC = 13, WINDOW = 100 /* frames, 1 s */ };

const char *const eval_series_name[EVAL_SERIES] = {"mfcc13",  "logmel",  "blocks",
                                                   "hearken", "refined", "labels"};
static const uint32_t dim_of[EVAL_BASELINES] = {2 * MFCC, 2 * DSP_BANDS,
                                                DSP_BLOCK_VALUES};

void
eval_sound_free(eval_sound *s)
{
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        for (size_t l = 0; l < EVAL_LEVELS; l++)
            free(s->rows[e][l].x);
        for (size_t d = 0; d < DSP_DEGRADATIONS; d++)
            free(s->degraded[e][d].x);
    }
    for (size_t b = 0; b < EVAL_BEGINNINGS; b++)
        free(s->beginning[b].x);
    *s = (eval_sound){.row = s->row};
}

float *
eval_add_row(eval_rows *r, uint32_t dim)
{
    r->dim = dim;
    if (r->n == r->cap) {
        const uint32_t cap = r->cap ? 2 * r->cap : 4;
        float *grown = realloc(r->x, (size_t)cap * dim * sizeof *grown);
        if (!grown)
            return NULL;
        r->x = grown;
        r->cap = cap;
    }
    return r->x + (size_t)r->n++ * dim;
}

/* out[dim] means, then out[dim] population standard deviations. */
static void
statistics(const float frames[], size_t n, size_t dim, float out[])
{
    for (size_t i = 0; i < dim; i++) {
        double sum = 0, square = 0;
        for (size_t f = 0; f < n; f++)
            sum += (double)frames[f * dim + i];
        const double mean = sum / (double)n;
        for (size_t f = 0; f < n; f++)
            square += pow((double)frames[f * dim + i] - mean, 2);
        out[i] = (float)mean;
        out[dim + i] = (float)sqrt(square / (double)n);
    }
}

/* Orthonormal DCT-II of the bands, the first MFCC coefficients. */
static void
cepstrum(const float mel[DSP_BANDS], float c[MFCC])
{
    const double pi = 3.14159265358979323846;
    for (int k = 0; k < MFCC; k++) {
        double sum = 0;
        for (int b = 0; b < DSP_BANDS; b++)
            sum += (double)mel[b] * cos(pi * k * (2 * b + 1) / (2 * DSP_BANDS));
        c[k] = (float)(sum * sqrt((k ? 2.0 : 1.0) / DSP_BANDS));
    }
}

/* The frames of one sound, and what rows are computed with. */
typedef struct {
    size_t n;
    float *mel;         /* [n][DSP_BANDS] dB */
    float *descriptors; /* [n][DSP_DESCRIPTORS] */
    float *floored;     /* [n][DSP_BANDS] of one window */
    float *cepstra;     /* [n][MFCC] */
    float *samples;     /* one frame */
    dsp_logmel *logmel;
    dsp_descriptors *describe;
    dsp_blocks *blocks;
} frames;

static bool
frames_new(frames *f, size_t n, uint32_t rate_hz)
{
    const dsp_logmel_config config = dsp_logmel_config_default(rate_hz);
    const size_t w = config.window_frames;
    *f = (frames){.n = n < w ? 1 : 1 + (n - w) * DSP_HOPS_PER_S / rate_hz};
    const size_t longest = f->n < DSP_MAX_WINDOW ? f->n : DSP_MAX_WINDOW;
    f->mel = malloc(f->n * DSP_BANDS * sizeof *f->mel);
    f->descriptors = malloc(f->n * DSP_DESCRIPTORS * sizeof *f->descriptors);
    f->floored = malloc(f->n * DSP_BANDS * sizeof *f->floored);
    f->cepstra = malloc(f->n * MFCC * sizeof *f->cepstra);
    f->samples = malloc(w * sizeof *f->samples);
    const bool ok = !dsp_logmel_new(&f->logmel, &config) &&
                    !dsp_descriptors_new(&f->describe, rate_hz) &&
                    !dsp_blocks_new(&f->blocks, (uint32_t)longest);
    return ok && f->mel && f->descriptors && f->floored && f->cepstra && f->samples;
}

static void
frames_free(frames *f)
{
    dsp_logmel_free(f->logmel);
    dsp_descriptors_free(f->describe);
    dsp_blocks_free(f->blocks);
    free(f->mel);
    free(f->descriptors);
    free(f->floored);
    free(f->cepstra);
    free(f->samples);
}

/* Fills all frames; behind a sound shorter than one there are zeros. */
static void
frames_fill(frames *f, const float x[], size_t n, uint32_t rate_hz)
{
    const size_t w = dsp_logmel_config_default(rate_hz).window_frames;
    for (size_t i = 0; i < f->n; i++) {
        const size_t at = i * rate_hz / DSP_HOPS_PER_S, left = n - at < w ? n - at : w;
        float *mel = f->mel + i * DSP_BANDS;
        double e = 0;
        memset(f->samples, 0, w * sizeof *f->samples);
        memcpy(f->samples, x + at, left * sizeof *f->samples);
        dsp_logmel_frame(f->logmel, f->samples, mel);
        for (int b = 0; b < DSP_BANDS; b++)
            e += pow(10, (double)mel[b] / 10);
        dsp_descriptors_frame(
            f->describe, f->samples, dsp_logmel_power(f->logmel, f->samples),
            (float)(10 * log10(e)), f->descriptors + i * DSP_DESCRIPTORS);
    }
}

/* One row of each baseline and of the blocks from n frames beginning at first. */
static bool
window_rows(frames *f, size_t first, size_t n, eval_rows *rows[EVAL_SERIES])
{
    const float *mel = f->mel + first * DSP_BANDS;
    float peak = -200;
    for (size_t i = 0; i < n * DSP_BANDS; i++)
        peak = fmaxf(peak, mel[i]);
    const float low = fmaxf(peak - 80, -105);
    for (size_t i = 0; i < n * DSP_BANDS; i++)
        f->floored[i] = fmaxf(mel[i], low);
    for (size_t i = 0; i < n; i++)
        cepstrum(f->floored + i * DSP_BANDS, f->cepstra + i * MFCC);
    float *mfcc = eval_add_row(rows[EVAL_MFCC], dim_of[EVAL_MFCC]);
    float *logmel = eval_add_row(rows[EVAL_LOGMEL], dim_of[EVAL_LOGMEL]);
    float *blocks = eval_add_row(rows[EVAL_BLOCKS], dim_of[EVAL_BLOCKS]);
    if (!mfcc || !logmel || !blocks)
        return false;
    statistics(f->cepstra, n, MFCC, mfcc);
    statistics(f->floored, n, DSP_BANDS, logmel);
    dsp_blocks_window(f->blocks, mel, f->descriptors + first * DSP_DESCRIPTORS,
                      n < DSP_MAX_WINDOW ? n : DSP_MAX_WINDOW, blocks);
    return true;
}

bool
eval_baselines(const float x[], size_t n, uint32_t rate_hz,
               eval_rows *clip[EVAL_SERIES], eval_rows *windows[EVAL_SERIES])
{
    frames f;
    bool ok = frames_new(&f, n, rate_hz);
    if (ok)
        frames_fill(&f, x, n, rate_hz);
    for (size_t at = 0; ok && windows && (at == 0 || at + WINDOW <= f.n);
         at += WINDOW / 2)
        ok = window_rows(&f, at, f.n - at < WINDOW ? f.n - at : WINDOW, windows);
    if (ok)
        ok = window_rows(&f, 0, f.n, clip);
    frames_free(&f);
    return ok;
}
