/*
 * Sounds to the contents of an index. Files are analysed by several threads and merged
 * in the order of their paths, so that the result does not depend on their number.
 */
#ifndef HEARKEN_RT_BUILD_H
#define HEARKEN_RT_BUILD_H

#include "analyse.h"
#include "walk.h"

/* Growing rows of one scale of one file. */
typedef struct {
    float *raw; /* [n][DSP_RAW] */
    idx_entry *entries;
    uint32_t n, cap;
} rt_rows;

/* One file: what it is, then what became of it. */
typedef struct {
    const rt_file *file;
    rt_rows rows[DSP_SCALES];
    double seconds;
    uint32_t rate_hz, n_channels;
    char trouble[160]; /* why it was passed over; empty when it was not */
} rt_job;

/*
 * Analyses n jobs with so many threads, showing progress on stderr. Returns false, with
 * why, when it was stopped by rt_stop or memory ran out; jobs are then half done.
 */
bool rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                      char *why, size_t why_len);

/* What jobs become: everything that idx_write() needs, and its memory. */
typedef struct {
    idx_contents contents;
    idx_sound *sounds;
    char *labels; /* [n_sounds][IDX_MAX_LABEL + 1] */
    struct {
        float *rows, *mean, *spread, *knots;
        idx_entry *entries;
    } scale[DSP_SCALES];
    char *settings, *report;
    double seconds; /* of sound */
} rt_corpus;

/* Takes the rows out of the jobs (freeing them as it goes), measures, projects,
 * calibrates and tunes. False, with why, when memory runs out or a scale is too large.
 */
bool rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o,
                    char *why, size_t why_len);
void rt_corpus_free(rt_corpus *c);
void rt_job_free(rt_job *job);

#endif
