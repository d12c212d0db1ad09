/* Choosing how a scale is searched, by counting. Cold. */
#include "strangers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    N_QUERIES = 400,
    RECALL_AT = 10,
    MIN_CAP = 1000,    /* 100 k at k = 10 */
    CAP_FACTOR = 3,    /* of the mean: what bounds the slowest queries */
    SCAN_FACTOR = 2,   /* the same for codes, of which queries differ less in number */
    TICK_NS = 50000000 /* between two calls of progress */
};

/* A tuning on its way. Shares of the time: truth 0.3, building 0.5, measuring 0.2. */
typedef struct {
    idx_scale scale; /* with params as they stand */
    const idx_family_ops *ops;
    const idx_tuning *how;
    const idx_kern *kern;
    uint32_t n_queries, n_wanted;
    float best[N_QUERIES * RECALL_AT];
    float *queries;  /* [n_queries][dim] */
    uint32_t *sound; /* [n_queries] that each leaves out */
    idx_built *built;
    idx_index index; /* its scale 0 is the scale as built */
    idx_scratch *scratch;
    double share0, share1; /* of the step at work */
    struct timespec told;
    bool stopped;
} tuning;

static bool
tell(void *ctx, double share)
{
    tuning *t = ctx;
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
 * The least likeness that counts as one of the nearest RECALL_AT: within 1e-3 of the
 * distance of the last, so that ties at the last place are no luck. Above all where
 * there is none.
 */
static float
least_that_counts(const tuning *t, uint32_t q, uint32_t *n_wanted)
{
    const float *best = t->best + (size_t)q * RECALL_AT;
    *n_wanted = 0;
    while (*n_wanted < RECALL_AT && best[*n_wanted] > IDX_NO_STRANGER)
        ++*n_wanted;
    if (*n_wanted == 0)
        return FLT_MAX;
    const float last = best[*n_wanted - 1];
    return t->scale.params.metric == IDX_EUCLID ? last * 1.002001F - FLT_MIN
                                                : 1.0F - (1.0F - last) * 1.001F - 1e-6F;
}

static uint32_t
ask(tuning *t, uint32_t q, idx_work *work)
{
    idx_hit hit[RECALL_AT];
    uint32_t n_hits, n_wanted, found = 0;
    const float least = least_that_counts(t, q, &n_wanted);
    idx_scratch_skip(t->scratch, t->sound[q]);
    if (idx_query(&t->index, 0, t->scratch, t->queries + (size_t)q * t->scale.dim,
                  RECALL_AT, hit, &n_hits, work))
        return 0;
    for (uint32_t i = 0; i < n_hits && found < n_wanted; i++)
        found += hit[i].cosine >= least;
    return found;
}

/* Asks every query by the parameters as they stand, and notes what came of it. */
static void
measure(tuning *t)
{
    idx_params *p = &t->scale.params;
    uint64_t found = 0, compared = 0, scanned = 0;
    idx_scratch_set(t->scratch, 0, p);
    for (uint32_t q = 0; q < t->n_queries && tell(t, (double)q / t->n_queries); q++) {
        idx_work work = {0};
        found += ask(t, q, &work);
        compared += work.n_candidates;
        scanned += work.n_scanned;
    }
    p->recall = t->n_wanted ? (float)((double)found / t->n_wanted) : 1.0F;
    p->candidates = (float)((double)compared / t->n_queries);
    p->scanned = (float)((double)scanned / t->n_queries);
    p->n_asked = t->n_wanted;
}

/* ---- Choosing ------------------------------------------------------------------- */

static bool
too_many(const tuning *t)
{
    return t->how->auto_family &&
           t->scale.params.candidates > (float)t->scale.n_entries / 4.0F;
}

/* Doubles the probes until the target is met or cannot be, then bisects for the least
 * that meets it. */
static void
seek_probes(tuning *t)
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
        if (high == most || too_many(t) || t->stopped ||
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
    return 40.0 * p->n_probes + 0.6 * (double)p->scanned +
           (double)p->candidates * (10.0 + 0.3 * dim);
}

/* Cells have two knobs: how many, and how sure a code must be to pass a row over. */
static void
seek_width(tuning *t)
{
    static const float widths[] = {0.8F, 1.2F, 1.6F, 2.0F, 2.6F};
    idx_params *p = &t->scale.params;
    idx_params best = {0};
    for (size_t i = 0; i < sizeof widths / sizeof *widths && !t->stopped; i++) {
        p->width = widths[i];
        seek_probes(t);
        const bool met = p->recall >= t->how->target_recall;
        const bool was = best.recall >= t->how->target_recall && best.n_probes;
        if (!best.n_probes || (met && !was) ||
            (met == was && cost_of(p, t->scale.dim) < cost_of(&best, t->scale.dim)))
            best = *p;
    }
    *p = best;
}

/* The least cap, by doubling, that does not cost the recall its target. */
static void
seek_cap(tuning *t)
{
    idx_params *p = &t->scale.params;
    const float target = t->how->target_recall;
    const float reached = p->recall < target ? p->recall : target;
    const double first = fmax(MIN_CAP, ceil(CAP_FACTOR * (double)p->candidates));
    const double scanned = SCAN_FACTOR * (double)p->scanned;
    for (double by = 1.0; !t->stopped; by *= 2.0) {
        p->max_candidates = t->scale.n_entries;
        if (by * first < (double)t->scale.n_entries)
            p->max_candidates = (uint32_t)(by * first);
        if (p->family == IDX_CELLS)
            p->max_scanned = (uint32_t)fmin(by * scanned + MIN_CAP, UINT32_MAX);
        measure(t);
        if (p->recall >= reached || p->max_candidates == t->scale.n_entries)
            break;
    }
}

static void
seek(tuning *t)
{
    idx_params *p = &t->scale.params;
    const bool own_cap = p->max_candidates != 0;
    if (!own_cap)
        p->max_candidates = t->scale.n_entries;
    if (p->family == IDX_CELLS && p->max_scanned == 0)
        p->max_scanned = UINT32_MAX;
    if (p->n_probes != 0)
        measure(t);
    else if (p->family == IDX_CELLS && p->width <= 0.0F)
        seek_width(t);
    else
        seek_probes(t);
    if (!own_cap)
        seek_cap(t);
}

/* ---- Steps ---------------------------------------------------------------------- */

/* The rows that ask, and the sound that each leaves out. With a single sound the rows
 * count as sounds, in entries of the tuning's own. */
static idx_status
take_queries(tuning *t, idx_entry **own)
{
    idx_scale *sc = &t->scale;
    const bool by_sound = idx_has_strangers(sc);
    t->n_queries = sc->n_entries < N_QUERIES ? sc->n_entries : N_QUERIES;
    t->queries = malloc((size_t)t->n_queries * sc->dim * sizeof *t->queries);
    t->sound = malloc(t->n_queries * sizeof *t->sound);
    *own = by_sound ? NULL : malloc(sc->n_entries * sizeof **own);
    if (!t->queries || !t->sound || (!by_sound && !*own))
        return IDX_ENOMEM;
    for (uint32_t i = 0; !by_sound && i < sc->n_entries; i++)
        (*own)[i] = (idx_entry){.sound = i};
    if (!by_sound)
        sc->entries = *own;
    for (uint32_t q = 0; q < t->n_queries; q++) {
        const uint32_t row = idx_spread_row(sc, q, t->n_queries);
        memcpy(t->queries + (size_t)q * sc->dim, sc->rows + (size_t)row * sc->dim,
               sc->dim * sizeof *t->queries);
        t->sound[q] = sc->entries[row].sound;
    }
    return IDX_OK;
}

static void
find_truth(tuning *t)
{
    t->share0 = 0.0;
    t->share1 = 0.3;
    idx_strangers(&t->scale, t->kern, t->n_queries, RECALL_AT, t->best, tell, t);
    for (uint32_t q = 0; q < t->n_queries; q++) {
        uint32_t n;
        least_that_counts(t, q, &n);
        t->n_wanted += n;
    }
}

static void
lend(void *ctx, size_t n, void (*run_one)(void *job, size_t i), void *job)
{
    const tuning *t = ctx;
    t->how->parallel(t->how->ctx, n, run_one, job);
}

static idx_status
build(tuning *t, const idx_scale *scale)
{
    const idx_making how = {.seed = t->how->seed,
                            .kern = t->kern,
                            .tick = tell,
                            .parallel = t->how->parallel ? lend : NULL,
                            .ctx = t};
    t->share0 = 0.3;
    t->share1 = 0.8;
    idx_scale as = *scale;
    as.params = t->scale.params;
    const idx_status st = idx_build(t->built, &as, &how);
    if (st)
        return st;
    t->share0 = 0.8;
    t->share1 = 1.0;
    t->scale.params = as.params = t->built->params;
    t->index = idx_as_built(&as, t->built);
    return idx_scratch_new(&t->scratch, &t->index);
}

static idx_status
run(tuning *t, const idx_scale *scale)
{
    idx_entry *own = NULL;
    idx_status st = take_queries(t, &own);
    if (!st)
        find_truth(t);
    if (!st && !t->stopped)
        st = build(t, own ? &t->scale : scale);
    if (!st && !t->stopped)
        seek(t);
    if (t->stopped)
        st = IDX_EIO;
    /* entries of the tuning's own are not those to be written */
    if (own && t->built->at[FMT_ENTRIES])
        for (uint32_t i = 0; !st && i < scale->n_entries; i++) {
            idx_entry *e = (idx_entry *)t->built->at[FMT_ENTRIES] + i;
            *e = scale->entries[e->sound];
        }
    free(own);
    return st;
}

static bool
params_usable(const idx_params *p, const idx_tuning *how)
{
    const idx_family_ops *ops = idx_family_of(p->family);
    return ops && p->family != IDX_CODES && p->metric <= IDX_EUCLID &&
           (p->metric == IDX_COSINE || ops->euclid) && p->stored <= IDX_I8 &&
           (p->stored != IDX_I8 || p->family == IDX_CELLS) &&
           p->n_planes <= FMT_MAX_PLANES && p->n_tables <= FMT_MAX_TABLES &&
           p->width >= 0.0F && how->target_recall >= 0.0F && how->target_recall <= 1.0F;
}

static idx_params
exact_params(const idx_scale *scale, const idx_params *p)
{
    return (idx_params){.family = IDX_EXACT,
                        .recall = 1.0F,
                        .candidates = (float)scale->n_entries,
                        .metric = p->metric,
                        .stored = p->stored == IDX_I8 ? IDX_F16 : p->stored};
}

/* Whether the probes that were asked for are none too many or few. */
static bool
probes_usable(const tuning *t)
{
    const idx_params *p = &t->scale.params;
    return p->n_probes == 0 || (p->n_probes >= t->ops->least_probes(p) &&
                                p->n_probes <= t->ops->most_probes(p));
}

static void
tuning_free(tuning *t)
{
    if (!t)
        return;
    idx_scratch_free(t->scratch);
    idx_built_free(t->built);
    free(t->queries);
    free(t->sound);
    free(t);
}

static tuning *
tuning_new(const idx_scale *scale, const idx_tuning *how, const idx_params *params)
{
    tuning *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->scale = *scale;
    t->scale.params = *params;
    t->how = how;
    t->ops = idx_family_of(params->family);
    t->kern = idx_kern_pick();
    if (t->ops->choose)
        t->ops->choose(&t->scale.params, scale->n_entries, scale->dim);
    t->built = calloc(1, sizeof *t->built);
    if (!t->built) {
        tuning_free(t);
        return NULL;
    }
    return t;
}

idx_status
idx_tune(const idx_scale *scale, const idx_tuning *how, idx_params *params,
         idx_built **built)
{
    *built = NULL;
    if (!params_usable(params, how))
        return IDX_EARG;
    if (params->family == IDX_EXACT || scale->n_entries == 0 ||
        (how->auto_family && scale->n_entries < IDX_EXACT_BELOW)) {
        *params = exact_params(scale, params);
        return IDX_OK;
    }
    tuning *t = tuning_new(scale, how, params);
    if (!t)
        return IDX_ENOMEM;
    const idx_status st = probes_usable(t) ? run(t, scale) : IDX_EARG;
    if (!st && too_many(t)) {
        *params = exact_params(scale, params);
    } else if (!st) {
        *params = t->built->params = t->scale.params;
        *built = t->built;
        t->built = NULL;
    }
    tuning_free(t);
    return st;
}
