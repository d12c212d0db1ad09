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

#include "parts.h"
#include "walk.h"

/*
 * A few seconds of one file, as they are (copy 0) and degraded, for the learning. All
 * corpora together have RT_SEGMENTS of them. On ESC-10, 64 teach events what 290 do;
 * for scenes, recall@1 through degradations with an invariance of 1 was 96.2 % with 32
 * and 97.6 % with 64. They cost 3 s of computing.
 */
enum { RT_SEGMENTS = 64, RT_SEGMENT_S = 5 };
typedef struct {
    uint64_t first; /* sample of the file */
    float *x;       /* [n], while the file is read */
    size_t n;
    rt_rows frames[RT_COPIES], events[RT_COPIES];
    uint64_t at; /* of its record, or 0 */
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
    rt_key key;        /* with parts: what the file holds; zeros when unreadable */
    uint64_t at;       /* of its record, or 0 */
    bool taken;        /* it was analysed by an earlier build */
} rt_job;

/* Where a build keeps what is much; both may be NULL. */
typedef struct {
    rt_parts *parts; /* what was found out about files; without it they are all heard */
    rt_store *store;
} rt_disk;

/* Fills the rows of a segment and of its copies; a is rewound for each. False, with
 * trouble, when memory runs out. */
bool rt_segment_analyse(rt_segment *s, rt_job *job, rt_analyse *a, uint32_t rate_hz,
                        const rt_options *o);

/* Spreads the segments evenly over n_all files, of which job i is number index[i]
 * (NULL: i); none with an invariance of 0. */
void rt_build_share(rt_job jobs[], size_t n, const size_t index[], size_t n_all,
                    const rt_options *o);

/*
 * Analyses n jobs with so many threads, showing progress on stderr. With parts, files
 * and segments whose records are there are taken from them, and others appended.
 * Returns false, with why, when it was stopped by rt_stop or memory ran out; jobs are
 * then half done.
 */
bool rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                      const rt_disk *disk, char *why, size_t why_len);

/* Places the segments of a file in the middles of equal parts of it; those of a file of
 * unknown length (0 s) at its beginning. False when memory runs out. */
bool rt_segments_place(rt_job *job, double seconds, uint32_t rate_hz);

/*
 * Takes a job from its record in parts, and its segments as far as they have records:
 * all but the rows, which rt_job_map() gives it, from the mapping. True when nothing is
 * left to do.
 */
bool rt_job_take(rt_job *job, const rt_parts *parts);
void rt_job_map(rt_job *job, const rt_parts *parts);

/* Appends the analysis, or a segment, to parts and frees its rows; where that fails,
 * they stay. */
void rt_job_keep(rt_job *job, rt_parts *parts, const rt_part *what,
                 const rt_options *o);
void rt_segment_keep(rt_segment *s, const rt_job *job, rt_parts *parts,
                     const rt_options *o);

/* What was wrong with a sound that was heard to its end, in words. */
extern const char *const rt_fault_text[RT_FAULTS];

/* The rows of one sound, or some of them, on their way to an index. */
typedef struct {
    const rt_rows *rows;
    uint32_t sound, first; /* number of the first row among all */
} rt_span;

/* One scale on its way from raw rows to embeddings. */
typedef struct {
    dsp_layout layout;
    rt_span *spans; /* [n_spans], none of them empty */
    uint32_t n_spans;
    float *mean, *spread;
    uint32_t n, n_taught; /* rows; the first of them that learning goes by */
} rt_raw;

/* Row i as floats [layout.n_in], and as an entry. */
const float *rt_raw_row(const rt_raw *s, uint32_t i, idx_entry *entry);

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
    rt_store *store; /* of what is large; may be NULL */
    rt_raw raw[DSP_SCALES];
    rt_rows *scenes; /* [n_sounds], all in scene_rows */
    rt_rows scene_rows;
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

/* The scenes of all jobs into c->scenes. The spread of events must be learned.
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

/* Says that memory, and the disk in its place, has no room; false. */
bool rt_no_room(char *why, size_t why_len);

/* Learns from the rows of the jobs (freeing them as it goes), projects them, calibrates
 * and tunes; what is large comes from store (may be NULL), which must outlive the
 * corpus. False, with why, when memory runs out or a scale is too large. */
bool rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o,
                    rt_store *store, char *why, size_t why_len);
void rt_corpus_free(rt_corpus *c);
void rt_job_free(rt_job *job);

#endif
