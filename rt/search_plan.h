/* How the scales of an index are to be searched, and how that is told to people. */
#ifndef HEARKEN_RT_SEARCH_PLAN_H
#define HEARKEN_RT_SEARCH_PLAN_H

#include "index/index.h"
#include "options.h"
#include "store.h"

/* RT_OK, or RT_CONFIG, having said so, where settings of the index cannot go together.
 */
int rt_plan_status(const rt_options *o);

/* What idx_tune() is to start from, for a scale of so many entries. */
idx_params rt_plan_of(const rt_options *o, const idx_scale *scale);

/* Lends the threads of a build to the index; ctx is an rt_lender. Runs all, even when
 * rt_stop is set meanwhile. */
typedef struct {
    uint32_t n_threads; /* 0: one per core */
    void *progress;     /* an rt_progress, or NULL */
} rt_lender;
void rt_lend(void *ctx, size_t n, void (*run)(void *job, size_t i), void *job);

/* An idx_progress over the progress of an rt_lender; false once rt_stop is set. */
bool rt_lender_progress(void *ctx, double share);

/* What is built lies in a store, which outlives it; NULL is no store. */
idx_store rt_lend_store(rt_store *store);

/*
 * Knots and params of a scale whose rows are there, and what idx_write() is to write of
 * it: calibrates and tunes, showing progress as "arranging scale NAME". knots[RT_KNOTS]
 * and *built become the scale's, and stay the caller's; *built lies in store. False,
 * with why.
 */
enum { RT_KNOTS = 257, RT_CALIBRATION_SAMPLE = 500 };
bool rt_arrange(idx_scale *sc, float knots[], idx_built **built, uint64_t seed,
                const char *name, const rt_options *o, rt_store *store, char *why,
                size_t why_len);

/* The scales of scales[IDX_SCALES] that are there, as a table on stdout, each line
 * after indent; and one scale as a JSON object. */
void rt_print_scales(const idx_scale *const scales[], const char *indent);
void rt_json_scale(const idx_scale *scale);

#endif
