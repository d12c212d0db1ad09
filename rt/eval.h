/*
 * How well a search finds what people called alike: the parts of `hearken eval`.
 *
 *   samples --eval_baselines--> raw rows of the baselines   \
 *           --eval_own--> embeddings by an index            / --eval_measure--> mAP ...
 *
 * A series is a way to describe sounds: mean and deviation of 13 MFCC ("mfcc13") and of
 * 64 log-mel bands ("logmel"), and the five blocks of a whole clip ("blocks"), as
 * baselines that need no learning; and what an index answers with: by itself
 * ("hearken"), with refined lists ("refined"), and in its space of labels ("labels").
 * Clip level: one vector for a whole sound (for an index its scenes, so sounds beyond
 * 10 s have several). Window level: 1 s windows, as `listen` asks (for an index its
 * events). The similarity of a query window and a sound is its highest cosine to one of
 * the sound's.
 */
#ifndef HEARKEN_RT_EVAL_H
#define HEARKEN_RT_EVAL_H

#include "build.h"
#include "rank.h"
#include "split.h"

typedef enum {
    EVAL_MFCC,
    EVAL_LOGMEL,
    EVAL_BLOCKS,
    EVAL_BASELINES,
    EVAL_HEARKEN = EVAL_BASELINES,
    EVAL_REFINED, /* has the rows of EVAL_HEARKEN */
    EVAL_LABELS,
    EVAL_SERIES
} eval_series;
typedef enum { EVAL_CLIP, EVAL_WINDOW, EVAL_LEVELS } eval_level;
extern const char *const eval_series_name[EVAL_SERIES];
enum { EVAL_MAX_DIM = DSP_BLOCK_VALUES, EVAL_BEGINNINGS = 4 };
extern const double eval_beginning_s[EVAL_BEGINNINGS];

/* Rows of one series: raw ones of a baseline, else embeddings. */
typedef struct {
    uint32_t n, cap, dim;
    float *x; /* [n][dim] */
} eval_rows;

/* Room for one more row of dim floats; NULL when memory runs out. */
float *eval_add_row(eval_rows *r, uint32_t dim);

typedef struct {
    const rt_row *row;
    eval_rows rows[EVAL_SERIES][EVAL_LEVELS];
    eval_rows degraded[EVAL_SERIES][DSP_DEGRADATIONS]; /* clip level; database only */
    eval_rows beginning[EVAL_BEGINNINGS]; /* events so soon after the onset; hearken */
    char trouble[160];                    /* why it could not be used */
} eval_sound;

void eval_sound_free(eval_sound *s);

/* Adds the baselines' rows of x[n] at each level; level EVAL_WINDOW is left out where
 * windows is NULL. False when memory runs out.
 */
bool eval_baselines(const float x[], size_t n, uint32_t rate_hz,
                    eval_rows *clip[EVAL_SERIES], eval_rows *windows[EVAL_SERIES]);

/* The same for what the index makes of x; beginning may be NULL. */
bool eval_own(const float x[], size_t n, uint32_t rate_hz, const idx_index *index,
              const rt_options *o, eval_rows *clip[EVAL_SERIES],
              eval_rows *windows[EVAL_SERIES], eval_rows beginning[EVAL_BEGINNINGS]);

/* The rows that the index has of its sound number sound. */
bool eval_stored(const idx_index *index, uint32_t sound, eval_sound *s);

enum { EVAL_POINTS = 11 };

/* Means over queries, 0..1. */
typedef struct {
    uint32_t n_queries, n_stored,
        n_unanswerable; /* the last: nothing relevant is stored */
    double map_10, map_all, p_1, p_10;
    double precision[EVAL_POINTS]; /* interpolated, at recall 0, 0.1 ... 1 */
} eval_ranking;

typedef struct {
    eval_ranking ranking[EVAL_SERIES][EVAL_LEVELS];
    eval_ranking beginning[EVAL_BEGINNINGS];
    double recall_1[EVAL_SERIES][DSP_DEGRADATIONS],
        recall_10[EVAL_SERIES][DSP_DEGRADATIONS];
    bool degraded;           /* the recalls were measured */
    bool there[EVAL_SERIES]; /* in; the series that are measured */
} eval_result;

/* Standardises each baseline on its stored sounds, then measures. Relevant: same label;
 * left out: same group. False when memory runs out. */
bool eval_measure(eval_result *result, const eval_sound sounds[], size_t n);

#endif
