/* The timbre codes of a corpus, out of the BFCC frames of its sounds. */
#include "build.h"
#include "dsp/kmeans.h"
#include "rt.h"
#include "search_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_PER_CENTROID = 256, /* more move the centroids less than another seed does */
    CODE_STEP = DSP_TIMBRE_FRAMES / 2, /* frames between two codes of a sound */
    /* At the end of a sound that no code covers, so that it is worth one of its own:
     * half a step, and what may be ringing alone. */
    LEAST_REST = CODE_STEP / 2 + 2,
};

static const float no_mean[DSP_BFCC];
static const float no_spread[DSP_BFCC] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* A frame that sounds has unit length. */
static bool
is_loud(const float bfcc[])
{
    for (size_t i = 0; i < DSP_BFCC; i++)
        if (bfcc[i] < 0 || bfcc[i] > 0)
            return true;
    return false;
}

/* ---- Centroids --------------------------------------------------------------------
 */

/* A fair sample of the frames that sound, in rows; returns how many there are. */
static size_t
take_sample(float rows[], size_t cap, const rt_job jobs[], size_t n, uint64_t seed)
{
    dsp_reservoir r = dsp_reservoir_start(cap, seed);
    for (size_t i = 0; i < n; i++) {
        const rt_rows *frames = &jobs[i].rows[RT_BFCCS];
        for (uint32_t f = 0; f < frames->n; f++) {
            const float *bfcc = frames->raw + (size_t)f * DSP_BFCC;
            const size_t slot = is_loud(bfcc) ? dsp_reservoir_slot(&r) : cap;
            if (slot < cap)
                memcpy(rows + slot * DSP_BFCC, bfcc, DSP_BFCC * sizeof *rows);
        }
    }
    return r.n_seen < cap ? (size_t)r.n_seen : cap;
}

/* Learns them into matrix; without a frame that sounds there is none. False when memory
 * runs out. */
static bool
learn(float **matrix, const rt_job jobs[], size_t n, uint64_t seed)
{
    const size_t cap = (size_t)ROWS_PER_CENTROID * DSP_TIMBRE_BITS;
    dsp_kmeans_report report;
    dsp_status st = DSP_ENOMEM;
    float *rows = malloc(cap * DSP_BFCC * sizeof *rows);
    *matrix = malloc((size_t)DSP_TIMBRE_BITS * DSP_BFCC * sizeof **matrix);
    if (rows && *matrix) {
        const size_t n_rows = take_sample(rows, cap, jobs, n, seed);
        st = dsp_kmeans(rows, n_rows, DSP_BFCC, DSP_TIMBRE_BITS, seed, *matrix, NULL,
                        &report);
    }
    free(rows);
    if (st == DSP_EARG) { /* no rows */
        free(*matrix);
        *matrix = NULL;
    }
    return st != DSP_ENOMEM;
}

/* ---- Codes ------------------------------------------------------------------------
 */

/* The scale as it grows. */
typedef struct {
    const float *centroids;
    uint64_t *codes;
    idx_entry *entries;
    uint32_t n;
    dsp_timbre_code window;
} coder;

/* Codes that a sound has at most. */
static uint64_t
most_codes(const rt_job *job)
{
    return job->rows[RT_BFCCS].n / CODE_STEP + 1;
}

/* The window as it stands, `end` frames into the sound, becomes an entry. */
static void
keep(coder *k, uint32_t sound, uint32_t end, double seconds)
{
    const double step = (double)DSP_TIMBRE_STEP_HOPS / DSP_HOPS_PER_S;
    const double full = DSP_TIMBRE_FRAMES * step;
    const double begin = end < DSP_TIMBRE_FRAMES ? 0 : end * step - full;
    const double left = seconds - begin;
    if (!k->window.n_loud)
        return;
    memcpy(k->codes + (size_t)k->n * DSP_TIMBRE_WORDS, k->window.bits,
           sizeof k->window.bits);
    k->entries[k->n++] =
        (idx_entry){sound, (float)begin, (float)(left < full ? left : full)};
}

static void
code_sound(coder *k, uint32_t sound, const rt_rows *frames, double seconds)
{
    uint32_t kept = 0;
    dsp_timbre_reset(&k->window);
    for (uint32_t i = 0; i < frames->n; i++) {
        const float *bfcc = frames->raw + (size_t)i * DSP_BFCC;
        const uint32_t end = i + 1;
        dsp_timbre_push(&k->window, is_loud(bfcc)
                                        ? dsp_timbre_nearest(k->centroids, bfcc)
                                        : DSP_TIMBRE_BITS);
        if (end >= DSP_TIMBRE_FRAMES && (end - DSP_TIMBRE_FRAMES) % CODE_STEP == 0)
            keep(k, sound, kept = end, seconds);
    }
    if (frames->n && (!kept || frames->n - kept >= LEAST_REST))
        keep(k, sound, frames->n, seconds);
}

/* All codes of all sounds; false, with why. */
static bool
code_sounds(coder *k, rt_job jobs[], size_t n, rt_store *store, char *why,
            size_t why_len)
{
    uint64_t most = 1;
    uint32_t sound = 0;
    for (size_t i = 0; i < n; i++)
        most += *jobs[i].trouble ? 0 : most_codes(&jobs[i]);
    if (most > UINT32_MAX / 2)
        return rt_no_room(why, why_len);
    k->codes =
        rt_store_grow(store, NULL, (size_t)most * DSP_TIMBRE_WORDS * sizeof *k->codes);
    k->entries = rt_store_grow(store, NULL, (size_t)most * sizeof *k->entries);
    if (!k->codes || !k->entries)
        return rt_no_room(why, why_len);
    for (size_t i = 0; i < n; i++)
        if (!*jobs[i].trouble) {
            code_sound(k, sound++, &jobs[i].rows[RT_BFCCS], jobs[i].seconds);
            rt_rows_free(&jobs[i].rows[RT_BFCCS]);
        }
    return true;
}

/* ---- The scale --------------------------------------------------------------------
 */

static bool
calibrate(rt_corpus *c)
{
    idx_scale *sc = &c->contents.scales[IDX_TIMBRE];
    rt_learned *to = &c->learned[IDX_TIMBRE];
    to->knots = calloc(RT_KNOTS, sizeof *to->knots);
    c->hamming_knots = calloc(RT_KNOTS, sizeof *c->hamming_knots);
    if (!to->knots || !c->hamming_knots)
        return false;
    sc->n_knots = RT_KNOTS;
    sc->knots = to->knots;
    sc->hamming_knots = c->hamming_knots;
    return !idx_calibrate_codes(sc, RT_CALIBRATION_SAMPLE, RT_KNOTS, to->knots,
                                c->hamming_knots);
}

bool
rt_build_timbre(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o, char *why,
                size_t why_len)
{
    rt_learned *to = &c->learned[IDX_TIMBRE];
    if (!learn(&to->matrix, jobs, n, o->build.seed))
        return rt_no_room(why, why_len);
    if (!to->matrix) {
        rt_say("nothing below 11 kHz sounds, so there are no timbre codes");
        return true;
    }
    coder k = {.centroids = to->matrix};
    const bool ok = code_sounds(&k, jobs, n, c->store, why, why_len);
    c->codes = k.codes;
    to->entries = k.entries;
    if (!ok)
        return false;
    c->contents.scales[IDX_TIMBRE] = (idx_scale){.n_in = DSP_BFCC,
                                                 .dim = DSP_TIMBRE_BITS,
                                                 .n_entries = k.n,
                                                 .mean = no_mean,
                                                 .spread = no_spread,
                                                 .matrix = to->matrix,
                                                 .entries = to->entries,
                                                 .codes = c->codes,
                                                 .params = {.family = IDX_CODES}};
    return calibrate(c) || rt_no_room(why, why_len);
}
