/*
 * From samples to matches: what listen, query and build all run.
 *
 *   float x[n] --rt_analyse_block--> gate, dsp, index --> sink
 *
 * One thread at a time. rt_analyse_block() does not allocate, lock or block; what it
 * finds does not depend on how the samples are cut into blocks.
 */
#ifndef HEARKEN_RT_ANALYSE_H
#define HEARKEN_RT_ANALYSE_H

#include "counts.h"
#include "dsp/dsp.h"
#include "index/index.h"
#include "options.h"

typedef enum { RT_MATCH, RT_ONSET, RT_NOMATCH } rt_kind;

/* One finding, from the index to the socket. Frames are samples since the stream began.
 */
typedef struct {
    rt_kind kind;
    dsp_scale scale;
    uint32_t rank;  /* 1 is the best; 0 for an onset */
    uint32_t sound; /* of the index; UINT32_MAX for an onset */
    float score, cosine;
    float start_s, length_s; /* where in the sound */
    float level_db;          /* onset: peak of the sample that opened the gate */
    uint64_t frame;          /* end of the window; onset: the sample */
    int64_t centre_us; /* when the centre of the window sounded, as block times go */
} rt_match;

/* Raw features of one window, for build. */
typedef struct {
    dsp_scale scale;
    float start_s, length_s;
    const float *raw; /* [DSP_RAW] */
} rt_moment;

typedef struct {
    void *ctx;
    void (*match)(void *ctx, const rt_match *m);   /* NULL for build */
    void (*moment)(void *ctx, const rt_moment *m); /* NULL for listen and query */
} rt_sink;

typedef struct rt_analyse rt_analyse;

/*
 * index may be NULL for build; it must stay open. A failure fills why. Calls of new and
 * free must not overlap (FFTW plans). rate_hz as dsp_stream_config.
 */
bool rt_analyse_new(rt_analyse **out, uint32_t rate_hz, const rt_options *options,
                    const idx_index *index, rt_counts *counts, const rt_sink *sink,
                    char *why, size_t why_len);
void rt_analyse_free(rt_analyse *a);

/* Takes n samples that follow the last ones; first_us is when x[0] sounded (0 if
 * unknown). */
void rt_analyse_block(rt_analyse *a, const float x[], size_t n, int64_t first_us);

/* n_frames samples are missing here: no match spans them. */
void rt_analyse_gap(rt_analyse *a, uint64_t n_frames);

/* Build: the sound ended. Analyses what still rings in the window, and emits the
 * moments at the sound's end that no full window covers. */
void rt_analyse_finish(rt_analyse *a);

/*
 * Takes the settings of the analysis from an open index into *o. False, with why, when
 * the index was made with features that this program does not have.
 */
bool rt_analyse_settings(rt_options *o, const idx_index *index, char *why,
                         size_t why_len);

/* The value of the settings line that names hearken's features; changes when they do.
 */
#define RT_FEATURES "logmel-statistics-1"

#endif
