/* A tuning on its way: tune.c searches for parameters, tune_run.c prepares. Cold. */
#ifndef HEARKEN_TUNING_H
#define HEARKEN_TUNING_H

#include "strangers.h"

#include <time.h>

enum { IDX_QUERIES = 400, IDX_RECALL_AT = 10 };

/* A tuning on its way. Shares of the time: truth 0.3, building 0.5, measuring 0.2. */
typedef struct {
    idx_scale scale; /* with params as they stand */
    const idx_family_ops *ops;
    const idx_tuning *how;
    const idx_kern *kern;
    uint32_t n_queries, n_wanted;
    float best[IDX_QUERIES * IDX_RECALL_AT];
    float *queries;  /* [n_queries][dim] */
    uint32_t *sound; /* [n_queries] that each leaves out */
    bool own_tables; /* n_tables was given, not chosen */
    idx_built *built;
    idx_index index; /* its scale 0 is the scale as built */
    idx_scratch *scratch;
    double share0, share1; /* of the step at work */
    struct timespec told;
    bool stopped;
} idx_tune_job;

/* An idx_tick over the share of the step at work. */
bool idx_tell(void *ctx, double share);

/*
 * The least likeness that counts as one of the nearest IDX_RECALL_AT of query q: within
 * 1e-3 of the distance of the last, so that ties at the last place are no luck. Above
 * all where there is none.
 */
float idx_least_that_counts(const idx_tune_job *t, uint32_t q, uint32_t *n_wanted);

/* Fills what is 0 among the parameters of a search, and measures. */
void idx_seek(idx_tune_job *t);

/* Whether comparing all would be the better search. */
bool idx_too_many(const idx_tune_job *t);

#endif
