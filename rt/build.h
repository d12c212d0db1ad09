/*
 * Sounds to the contents of an index. Files are analysed by several threads and merged
 * in the order of their paths, so that the result does not depend on their number.
 *
 *   files --build_analyse--> raw rows of each file, and of degraded copies of a few
 *         --build_merge--> gathered, scenes made (build_scene), learned from
 *         (build_learn), projected, calibrated, tuned, coded (build_timbre): an
 * rt_corpus
 */
#ifndef HEARKEN_RT_BUILD_H
#define HEARKEN_RT_BUILD_H

#include "analyse.h"
#include "walk.h"

/* One row: where it lies in its sound, and the hop that follows its window. */
typedef struct {
    float start_s, length_s;
    uint64_t end;
} rt_place;

/* Growing rows of one kind. */
typedef struct {
    float *raw; /* [n][values] */
    rt_place *places;
    uint32_t n, cap;
} rt_rows;

/* Adds a row; false when memory runs out. */
bool rt_rows_add(rt_rows *r, const rt_moment *m);
void rt_rows_free(rt_rows *r);

/*
 * A few seconds of one file, as they are (copy 0) and degraded, for the learning. All
 * corpora together have RT_SEGMENTS of them. On ESC-10, 64 teach events what 290 do;
 * for scenes, recall@1 through degradations with an invariance of 1 was 96.2 % with 32
 * and 97.6 % with 64. They cost 3 s of computing.
 */
enum { RT_SEGMENTS = 64, RT_SEGMENT_S = 5, RT_COPIES = 1 + DSP_DEGRADATIONS };
typedef struct {
    uint64_t first; /* sample of the file */
    float *x;       /* [n], while the file is read */
    size_t n;
    rt_rows frames[RT_COPIES], events[RT_COPIES];
} rt_segment;

/* One file: what it is, then what became of it. */
typedef struct {
    const rt_file *file;
    uint32_t n_segments;  /* wanted; fewer where the file is short */
    rt_segment *segments; /* [n_segments] */
    rt_rows rows[RT_MOMENTS];
    double seconds;
    double decode_s, listen_s, copy_s; /* computing that it took */
    uint32_t rate_hz, n_channels;
    char trouble[160]; /* why it was passed over; empty when it was not */
} rt_job;

/* Fills the rows of a segment and of its copies; a is rewound for each. False, with
 * trouble, when memory runs out. */
bool rt_segment_analyse(rt_segment *s, rt_job *job, rt_analyse *a, uint32_t rate_hz,
                        const rt_options *o);

/*
 * Analyses n jobs with so many threads, showing progress on stderr. Returns false, with
 * why, when it was stopped by rt_stop or memory ran out; jobs are then half done.
 */
bool rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                      char *why, size_t why_len);

/* One scale on its way from raw rows to embeddings. */
typedef struct {
    dsp_layout layout;
    float *raw; /* [n][layout.n_in] */
    idx_entry *entries;
    float *mean, *spread;
    uint32_t n, n_taught; /* rows; the first of them that learning goes by */
} rt_raw;

/* One scale of the index, in one of its spaces. */
typedef struct {
    float *matrix, *rows, *knots;
    idx_entry *entries;
    idx_built *built;
} rt_learned;

/* What jobs become: everything that idx_write() needs, and its memory. */
typedef struct {
    idx_contents contents;
    idx_sound *sounds;
    char *labels;       /* [n_sounds][IDX_MAX_LABEL + 1] */
    uint32_t *label_id; /* [n_sounds], UINT32_MAX for none; NULL: no space of labels */
    uint32_t n_labels;
    rt_raw raw[DSP_SCALES];
    rt_learned learned[IDX_SCALES]; /* matrix of IDX_TIMBRE: its centroids */
    uint64_t *codes;                /* [n_entries of IDX_TIMBRE][DSP_TIMBRE_WORDS] */
    float *hamming_knots;
    char *settings, *report;
    double seconds; /* of sound */
} rt_corpus;

/*
 * Makes the scenes of a sound out of its events: they join a ring when they end, as in
 * listen, and each 5 s, and at the end, the ring becomes a scene, which goes to
 * scene().
 */
typedef struct {
    void (*scene)(void *ctx, double begin_s, double end_s, const float raw[]);
    void *ctx;
    dsp_projection events;
    bool weighs;   /* events by their amplitude */
    uint32_t step; /* hops between two events */
    dsp_scene *ring;
    float *u, *raw;
} rt_scene_maker;

/* Fills what follows ctx; false when memory runs out. Free it in any case. */
bool rt_scene_maker_new(rt_scene_maker *k, const dsp_projection *events,
                        const rt_options *o);
void rt_scene_maker_free(rt_scene_maker *k);
void rt_scenes_make(const rt_scene_maker *k, const rt_rows *events);

/* The scenes of all jobs into c->raw[DSP_SCENE]. The spread of events must be learned.
 * False when memory runs out. */
bool rt_build_scenes(rt_corpus *c, const rt_job jobs[], size_t n, const rt_options *o);

/* How a set of the index is projected, as learned so far: without a matrix at first. */
dsp_projection rt_projection_of(const rt_corpus *c, uint32_t set);

/*
 * Learns mean and spread of a scale from its raw rows; the matrix of its acoustic space
 * from these and from the degraded copies that jobs hold; that of its space of labels,
 * which stays absent where there is nothing to learn. False, with why.
 */
bool rt_learn_spread(rt_corpus *c, dsp_scale scale, char *why, size_t why_len);
bool rt_learn_acoustic(rt_corpus *c, dsp_scale scale, const rt_job jobs[], size_t n,
                       const rt_options *o, char *why, size_t why_len);
bool rt_learn_labels(rt_corpus *c, dsp_scale scale, char *why, size_t why_len);

/*
 * Learns the centroids of the BFCC frames of all jobs and makes the scale of timbre
 * codes out of them: a code of DSP_TIMBRE_FRAMES each half of them. It stays absent
 * where no frame sounds. Frees the frames. False, with why.
 */
bool rt_build_timbre(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o,
                     char *why, size_t why_len);

/* Takes the rows out of the jobs (freeing them as it goes), learns, projects,
 * calibrates and tunes. False, with why, when memory runs out or a scale is too large.
 */
bool rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o,
                    char *why, size_t why_len);
void rt_corpus_free(rt_corpus *c);
void rt_job_free(rt_job *job);

#endif
