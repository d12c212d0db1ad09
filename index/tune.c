/* Choosing how a scale is searched, by counting. Cold. */
#include "partition.h"
#include "tuning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_WIDTH 2.6F /* standard errors: of 1,000 codes 5 are off by more */

enum {
    MIN_CAP = 1000,    /* 100 k at k = 10 */
    CAP_FACTOR = 3,    /* of the mean: what bounds the slowest queries */
    SCAN_FACTOR = 2,   /* the same for codes, of which queries differ less in number */
    TICK_NS = 50000000 /* between two calls of progress */
};

bool
idx_tell(void *ctx, double share)
{
    idx_tune_job *t = ctx;
    struct timespec now;
    if (!t->how->progress || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return true;
    const int64_t ns = (int64_t)(now.tv_sec - t->told.tv_sec) * 1000000000 +
                       (now.tv_nsec - t->told.tv_nsec);
    if (ns >= TICK_NS) {
        t->told = now;
        t->stopped =
            t->stopped ||
            !t->how->progress(t->how->ctx, t->share0 + share * (t->share1 - t->share0));
    }
    return !t->stopped;
}

/* ---- Measuring ------------------------------------------------------------------ */

/*
 * The least likeness that counts as one of the nearest IDX_RECALL_AT: within 1e-3 of
 * the distance of the last, so that ties at the last place are no luck. Above all where
 * there is none.
 */
float
idx_least_that_counts(const idx_tune_job *t, uint32_t q, uint32_t *n_wanted)
{
    const float *best = t->best + (size_t)q * IDX_RECALL_AT;
    *n_wanted = 0;
    while (*n_wanted < IDX_RECALL_AT && best[*n_wanted] > IDX_NO_STRANGER)
        ++*n_wanted;
    if (*n_wanted == 0)
        return FLT_MAX;
    const float last = best[*n_wanted - 1];
    /* truth is of floats: what storing them in 16 bits changes is no miss */
    const float rounding = t->scale.params.stored == IDX_F32 ? 1e-6F : 5e-5F;
    return t->scale.params.metric == IDX_EUCLID
               ? last * 1.002001F - FLT_MIN
               : 1.0F - (1.0F - last) * 1.001F - rounding;
}

static uint32_t
ask(idx_tune_job *t, uint32_t q, idx_work *work)
{
    idx_hit hit[IDX_RECALL_AT];
    uint32_t n_hits, n_wanted, found = 0;
    const float least = idx_least_that_counts(t, q, &n_wanted);
    idx_scratch_skip(t->scratch, t->sound[q]);
    if (idx_query(&t->index, 0, t->scratch, t->queries + (size_t)q * t->scale.dim,
                  IDX_RECALL_AT, hit, &n_hits, work))
        return 0;
    for (uint32_t i = 0; i < n_hits && found < n_wanted; i++)
        found += hit[i].cosine >= least;
    return found;
}

static double
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Asks every query by the parameters as they stand, and notes what came of it. */
static void
measure(idx_tune_job *t)
{
    idx_params *p = &t->scale.params;
    uint64_t found = 0, compared = 0, scanned = 0;
    float us[IDX_QUERIES] = {0};
    idx_scratch_set(t->scratch, 0, p);
    for (uint32_t q = 0; q < t->n_queries && idx_tell(t, (double)q / t->n_queries);
         q++) {
        idx_work work = {0};
        const double before = t->how->by_clock ? now_us() : 0.0;
        found += ask(t, q, &work);
        us[q] = t->how->by_clock ? (float)(now_us() - before) : 0.0F;
        compared += work.n_candidates;
        scanned += work.n_scanned;
    }
    p->recall = t->n_wanted ? (float)((double)found / t->n_wanted) : 1.0F;
    p->candidates = (float)((double)compared / t->n_queries);
    p->scanned = (float)((double)scanned / t->n_queries);
    p->n_asked = t->n_wanted;
    qsort(us, t->n_queries, sizeof *us, by_value);
    p->us = us[t->n_queries / 2];
}

/* ---- Choosing ------------------------------------------------------------------- */

bool
idx_too_many(const idx_tune_job *t)
{
    return t->how->auto_family &&
           t->scale.params.candidates > (float)t->scale.n_entries / 4.0F;
}

/* Doubles the probes until the target is met or cannot be, then bisects for the least
 * that meets it. */
static void
seek_probes(idx_tune_job *t)
{
    idx_params *p = &t->scale.params;
    const uint32_t all = t->ops->most_probes(p);
    const uint32_t most = all < IDX_MAX_PROBES ? all : IDX_MAX_PROBES;
    uint32_t low = t->ops->least_probes(p), high = low;
    for (;;) {
        p->n_probes = high;
        measure(t);
        if (p->recall >= t->how->target_recall)
            break;
        if (high == most || idx_too_many(t) || t->stopped ||
            p->candidates >= (float)p->max_candidates)
            return;
        low = high + 1;
        high = high > most / 2 ? most : 2 * high;
    }
    idx_params least = *p;
    while (low < least.n_probes && !t->stopped) {
        p->n_probes = low + (least.n_probes - low) / 2;
        measure(t);
        if (p->recall >= t->how->target_recall)
            least = *p;
        else
            low = p->n_probes + 1;
    }
    *p = least;
}

/* What a query costs in ns, on one core of an EPYC of 2021: fixed, so that a build
 * repeats. Only how they compare matters. */
static double
cost_of(const idx_params *p, uint32_t dim)
{
    if (p->us > 0.0F) /* measured here and now */
        return 1e3 * (double)p->us;
    const double looked_at = p->family == IDX_CELLS ? 200.0 * p->n_tables : 0.0;
    return 40.0 * p->n_probes + looked_at + 0.6 * (double)p->scanned +
           (double)p->candidates * (10.0 + 0.3 * dim);
}

/* Keeps the better of two ways to search: one that meets the target, the cheaper of
 * two that do, the one of the higher recall of two that do not. */
static void
keep_better(const idx_tune_job *t, idx_params *best)
{
    const idx_params *p = &t->scale.params;
    const bool met = p->recall >= t->how->target_recall;
    const bool was = best->n_probes && best->recall >= t->how->target_recall;
    const bool cheaper = cost_of(p, t->scale.dim) < cost_of(best, t->scale.dim);
    if (!best->n_probes || (met && (!was || cheaper)) ||
        (!met && !was && p->recall > best->recall))
        *best = *p;
}

/* More groups, as long as even all their cells, given every benefit, miss the target:
 * where nothing is clustered, neighbours lie in any of them. */
static void
seek_groups(idx_tune_job *t)
{
    idx_params *p = &t->scale.params;
    const uint32_t all = idx_groups_of(p->n_cells);
    p->n_probes = p->n_cells < IDX_MAX_PROBES ? p->n_cells : IDX_MAX_PROBES;
    p->width = MOST_WIDTH;
    for (measure(t); p->recall < t->how->target_recall && p->n_tables < all &&
                     !t->own_tables && !t->stopped;
         measure(t))
        p->n_tables = p->n_tables > all / 2 ? all : 2 * p->n_tables;
}

/* Cells have three knobs: how many, how sure a code must be to pass a row over, and in
 * how many groups the cells are looked for. */
static void
seek_cells(idx_tune_job *t)
{
    static const float widths[] = {0.8F, 1.2F, 1.6F, 2.0F, MOST_WIDTH};
    static const float shares[] = {0.75F, 0.5F, 0.375F, 0.25F};
    idx_params *p = &t->scale.params;
    idx_params best = {0};
    seek_groups(t);
    const uint32_t n_groups = p->n_tables;
    for (size_t i = 0; i < sizeof widths / sizeof *widths && !t->stopped; i++) {
        p->width = widths[i];
        seek_probes(t);
        keep_better(t, &best);
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares && !t->stopped; i++) {
        const uint32_t fewer = (uint32_t)(shares[i] * (float)n_groups);
        if (t->own_tables || fewer == 0 || best.recall < t->how->target_recall)
            break;
        *p = best;
        p->n_tables = fewer;
        seek_probes(t);
        keep_better(t, &best);
    }
    *p = best;
}

/* Whether codes are scored before rows are compared. */
static bool
by_codes(const idx_tune_job *t)
{
    return t->index.part[0][FMT_BLOCKS] != NULL;
}

/* The least cap, by doubling, that does not cost the recall its target. */
static void
seek_cap(idx_tune_job *t)
{
    idx_params *p = &t->scale.params;
    const float target = t->how->target_recall;
    const float reached = p->recall < target ? p->recall : target;
    const double n = t->scale.n_entries;
    double first = fmax(MIN_CAP, ceil(CAP_FACTOR * (double)p->candidates));
    double scanned = SCAN_FACTOR * (double)p->scanned;
    if (by_codes(t)) { /* copies of a row are all its nearest: few will do */
        first = fmin(first, fmax(4 * MIN_CAP, n / 64.0));
        scanned = fmin(scanned, fmax(16 * MIN_CAP, n / 8.0));
    }
    for (double by = 1.0; !t->stopped; by *= 2.0) {
        p->max_candidates = t->scale.n_entries;
        if (by * first < n)
            p->max_candidates = (uint32_t)(by * first);
        if (by_codes(t))
            p->max_scanned = (uint32_t)fmin(by * scanned + MIN_CAP, UINT32_MAX);
        measure(t);
        if (p->recall >= reached || p->max_candidates == t->scale.n_entries)
            break;
    }
}

void
idx_seek(idx_tune_job *t)
{
    idx_params *p = &t->scale.params;
    const bool own_cap = p->max_candidates != 0;
    if (!own_cap)
        p->max_candidates = t->scale.n_entries;
    if (by_codes(t) && p->max_scanned == 0)
        p->max_scanned = UINT32_MAX;
    /* who needs more had better compare all; copies of one row are more */
    if (!own_cap && by_codes(t))
        p->max_candidates = (uint32_t)fmax(64 * MIN_CAP, t->scale.n_entries / 8.0);
    if (p->n_probes != 0)
        measure(t);
    else if (p->family == IDX_CELLS && p->width <= 0.0F)
        seek_cells(t);
    else
        seek_probes(t);
    if (!own_cap)
        seek_cap(t);
}
