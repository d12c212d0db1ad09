/*
 * How well a search finds what people called alike: the parts of `hearken eval`.
 *
 *   samples --eval_features--> rows of each series --eval_measure--> mAP, recall ...
 *
 * A series is a way to describe sounds: what `listen` uses now ("hearken"), the five
 * blocks that are to take its place ("blocks"), and mean and deviation of 13 MFCC
 * ("mfcc13") and of 64 log-mel bands ("logmel") as baselines that anyone can compare
 * with. Clip level: one vector for a whole sound (for hearken the scene scale, so
 * sounds beyond 10 s have several). Window level: 1 s windows, as `listen` asks. The
 * similarity of a query window and a sound is its highest cosine to one of the sound's.
 */
#ifndef HEARKEN_RT_EVAL_H
#define HEARKEN_RT_EVAL_H

#include "analyse.h"
#include "rank.h"
#include "split.h"

#include <pthread.h>

typedef enum {
    EVAL_MFCC,
    EVAL_LOGMEL,
    EVAL_BLOCKS,
    EVAL_HEARKEN,
    EVAL_SERIES
} eval_series;
typedef enum { EVAL_CLIP, EVAL_WINDOW, EVAL_LEVELS } eval_level;
extern const char *const eval_series_name[EVAL_SERIES];
enum { EVAL_MAX_DIM = DSP_BLOCK_VALUES };
extern const uint32_t eval_dim[EVAL_SERIES]; /* floats in a raw row */

typedef struct {
    uint32_t n, cap;
    float *x; /* [n][eval_dim], raw */
} eval_rows;

typedef struct {
    const rt_row *row;
    eval_rows rows[EVAL_SERIES][EVAL_LEVELS];
    eval_rows degraded[EVAL_SERIES][DSP_DEGRADATIONS]; /* clip level; database only */
    char trouble[160];                                 /* why it could not be used */
} eval_sound;

void eval_sound_free(eval_sound *s);

/* Adds the rows of x[n] at each level; level EVAL_WINDOW is left out where windows is
 * NULL. False when memory runs out. planning is held while FFTs are planned. */
bool eval_features(const float x[], size_t n, uint32_t rate_hz, const rt_options *o,
                   pthread_mutex_t *planning, eval_rows *clip[EVAL_SERIES],
                   eval_rows *windows[EVAL_SERIES]);

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
    double recall_1[EVAL_SERIES][DSP_DEGRADATIONS],
        recall_10[EVAL_SERIES][DSP_DEGRADATIONS];
    bool degraded; /* the recalls were measured */
} eval_result;

/* Standardises each series on its stored sounds, then measures. Relevant: same label;
 * left out: same group. False when memory runs out. */
bool eval_measure(eval_result *result, const eval_sound sounds[], size_t n);

#endif
