/* Choosing how a scale is searched, by counting. Cold. */
#include "search.h"
#include "strangers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    N_QUERIES = 200,
    RECALL_AT = 10,
    MIN_CAP = 1000,    /* 100 k at k = 10 */
    CAP_FACTOR = 3,    /* of the mean: what bounds the slowest queries */
    TICK_NS = 50000000 /* between two calls of progress */
};

/* A tuning on its way. Shares of the time: truth 0.7, tables 0.2, measuring 0.1. */
typedef struct {
    idx_scale scale; /* with params as they stand */
    const idx_kern *kern;
    bool by_sound;
    uint32_t n_queries;
    float best[N_QUERIES * RECALL_AT];
    idx_index index; /* its scale 0 is scale */
    idx_built built;
    idx_progress *progress;
    void *ctx;
    double share0, share1; /* of the step at work */
    struct timespec told;
} tuning;

/* By number of probes: [n_probes + 1], summed over all queries. */
typedef struct {
    uint64_t *found, *compared;
    uint32_t n_probes;
} curve;

static bool
tell(void *ctx, double share)
{
    tuning *t = ctx;
    struct timespec now;
    if (!t->progress || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return true;
    const int64_t ns = (int64_t)(now.tv_sec - t->told.tv_sec) * 1000000000 +
                       (now.tv_nsec - t->told.tv_nsec);
    if (ns >= TICK_NS) {
        t->told = now;
        t->progress(t->ctx, t->share0 + share * (t->share1 - t->share0));
    }
    return true;
}

/* ---- Measuring ------------------------------------------------------------------ */

/*
 * The least cosine that counts as one of the nearest RECALL_AT: within 1e-3 of the
 * distance of the last, so that ties at the last place are no luck. Above 1 where there
 * is none.
 */
static float
least_that_counts(const float best[RECALL_AT], uint32_t *n_wanted)
{
    *n_wanted = 0;
    while (*n_wanted < RECALL_AT && best[*n_wanted] > -1.5F)
        ++*n_wanted;
    if (*n_wanted == 0)
        return 2.0F;
    return 1.0F - (1.0F - best[*n_wanted - 1]) * 1.001F - 1e-6F;
}

/* One bucket: new rows are counted, and those near enough as found. */
static void
count_bucket(tuning *t, idx_scratch *s, uint32_t query, uint32_t table, uint32_t key,
             float least, uint64_t *found, uint64_t *compared)
{
    const idx_scale *sc = &t->scale;
    const size_t n_starts = ((size_t)1 << sc->params.n_planes) + 1;
    const uint32_t *start = t->built.start + table * n_starts + key;
    const uint32_t *id = t->built.id + (size_t)table * sc->n_entries;
    for (uint32_t i = start[0]; i < start[1]; i++) {
        float cosine;
        if (s->seen[id[i]] == s->stamp)
            continue;
        if (*compared == sc->params.max_candidates)
            return;
        s->seen[id[i]] = s->stamp;
        ++*compared;
        if (idx_is_own(sc, t->by_sound, query, id[i]))
            continue;
        t->kern->picks(&cosine, s->unit, sc->rows, sc->dim, &id[i], 1);
        *found += cosine >= least;
    }
}

/* Adds one query to the curve; returns how many neighbours it was to find. */
static uint32_t
trace_query(tuning *t, idx_scratch *s, uint32_t q, const curve *c)
{
    const idx_params *p = &t->scale.params;
    const uint32_t query = idx_spread_row(&t->scale, q, t->n_queries);
    uint64_t found = 0;
    uint64_t compared = 0;
    uint32_t n_wanted;
    uint32_t table;
    uint32_t key;
    const float least = least_that_counts(t->best + (size_t)q * RECALL_AT, &n_wanted);
    memcpy(s->unit, t->scale.rows + (size_t)query * t->scale.dim,
           t->scale.dim * sizeof *s->unit);
    s->stamp++;
    idx_probe_start(&t->index, 0, s);
    for (uint32_t i = 1; i <= c->n_probes; i++) {
        if (idx_probe_next(s, p->n_tables, p->n_planes, &table, &key))
            count_bucket(t, s, query, table, key, least, &found, &compared);
        c->found[i] += found < n_wanted ? found : n_wanted;
        c->compared[i] += compared;
    }
    return n_wanted;
}

static void
curve_free(curve *c)
{
    free(c->found);
    free(c->compared);
    *c = (curve){0};
}

/* Probes every query n_probes deep. *wanted is the sum of what was to be found. */
static idx_status
trace(tuning *t, uint32_t n_probes, curve *c, uint64_t *wanted)
{
    idx_scratch *s;
    *wanted = 0;
    *c = (curve){.n_probes = n_probes};
    t->scale.params.n_probes = n_probes;
    t->index.scales[0] = t->scale;
    c->found = calloc((size_t)n_probes + 1, sizeof *c->found);
    c->compared = calloc((size_t)n_probes + 1, sizeof *c->compared);
    idx_status st = c->found && c->compared ? IDX_OK : IDX_ENOMEM;
    if (!st)
        st = idx_scratch_new(&s, &t->index);
    if (st) {
        curve_free(c);
        return st;
    }
    for (uint32_t q = 0; q < t->n_queries; q++) {
        *wanted += trace_query(t, s, q, c);
        tell(t, (double)q / t->n_queries);
    }
    idx_scratch_free(s);
    return IDX_OK;
}

/* ---- Choosing ------------------------------------------------------------------- */

/* The least number of probes that find so many neighbours; never below n_tables. */
static uint32_t
least_probes(const curve *c, uint64_t target, uint32_t n_tables)
{
    uint32_t n = c->n_probes;
    if (c->found[n] < target)
        target = c->found[n];
    while (n > n_tables && c->found[n - 1] >= target)
        n--;
    return n;
}

static void
note(tuning *t, const curve *c, uint32_t n_probes, uint64_t wanted)
{
    t->scale.params.n_probes = n_probes;
    t->scale.params.recall =
        wanted ? (float)((double)c->found[n_probes] / (double)wanted) : 1.0F;
    t->scale.params.candidates = (float)((double)c->compared[n_probes] / t->n_queries);
}

/*
 * Doubles the probes until the target is met, then reads the least number off the
 * curve. Ends too where more probes cannot find more rows, or where auto_family would
 * refuse.
 */
static idx_status
seek_probes(tuning *t, float target_recall, int auto_family)
{
    const idx_params *p = &t->scale.params;
    const uint32_t all = p->n_tables << p->n_planes;
    const uint64_t n_total = (uint64_t)t->n_queries * t->scale.n_entries;
    const uint64_t most = (uint64_t)t->n_queries *
                          (p->max_candidates < t->scale.n_entries ? p->max_candidates
                                                                  : t->scale.n_entries);
    for (uint32_t n = p->n_tables;; n = n > all / 2 ? all : 2 * n) {
        curve c;
        uint64_t wanted;
        const idx_status st = trace(t, n, &c, &wanted);
        if (st)
            return st;
        const uint64_t target = (uint64_t)ceil((double)target_recall * (double)wanted);
        const bool met = c.found[n] >= target;
        const bool spent = n == all || c.compared[n] >= most ||
                           (auto_family && c.compared[n] > n_total / 4);
        if (met || spent)
            note(t, &c, least_probes(&c, target, p->n_tables), wanted);
        curve_free(&c);
        if (met || spent)
            return IDX_OK;
    }
}

static idx_status
measure(tuning *t)
{
    curve c;
    uint64_t wanted;
    const uint32_t n_probes = t->scale.params.n_probes;
    const idx_status st = trace(t, n_probes, &c, &wanted);
    if (!st)
        note(t, &c, n_probes, wanted);
    curve_free(&c);
    return st;
}

/* The least cap, by doubling, that does not cost the recall its target. */
static idx_status
seek_cap(tuning *t, float target_recall)
{
    idx_params *p = &t->scale.params;
    const float reached = p->recall < target_recall ? p->recall : target_recall;
    const double first = fmax(MIN_CAP, ceil(CAP_FACTOR * (double)p->candidates));
    idx_status st = IDX_OK;
    for (double cap = first; !st; cap *= 2.0) {
        p->max_candidates = t->scale.n_entries;
        if (cap < (double)t->scale.n_entries)
            p->max_candidates = (uint32_t)cap;
        st = measure(t);
        if (p->recall >= reached || p->max_candidates == t->scale.n_entries)
            break;
    }
    return st;
}

/*
 * Candidates at recall 0.95 and the time they take hardly change from K = log2(N) - 3
 * to log2(N) and from L = 12 to 16 (170,000 frames of recordings, 100,000 made rows;
 * flat within 15 %). Fewer bits keep the starts small, 12 tables keep an entry below
 * 600 bytes.
 */
static void
choose_tables(idx_params *p, uint32_t n_entries)
{
    const uint32_t log2_n = 31U - (uint32_t)__builtin_clz(n_entries);
    if (p->n_planes == 0)
        p->n_planes = log2_n < 10 ? 8 : log2_n > 22 ? 20 : log2_n - 2;
    if (p->n_tables == 0)
        p->n_tables = 12;
}

static bool
params_usable(const idx_params *p, float target_recall)
{
    return p->family <= IDX_HYPERPLANE && p->n_planes <= FMT_MAX_PLANES &&
           p->n_tables <= FMT_MAX_TABLES && target_recall >= 0.0F &&
           target_recall <= 1.0F;
}

static idx_params
exact_params(const idx_scale *scale)
{
    return (idx_params){
        .family = IDX_EXACT, .recall = 1.0F, .candidates = (float)scale->n_entries};
}

static void
begin(tuning *t, const idx_scale *scale, const idx_params *params)
{
    t->scale = *scale;
    t->scale.params = *params;
    choose_tables(&t->scale.params, scale->n_entries);
    t->kern = idx_kern_pick();
    t->by_sound = idx_has_strangers(scale);
    t->n_queries = scale->n_entries < N_QUERIES ? scale->n_entries : N_QUERIES;
}

static idx_status
prepare(tuning *t, uint64_t seed)
{
    t->share1 = 0.7;
    idx_strangers(&t->scale, t->kern, t->n_queries, RECALL_AT, t->best, tell, t);
    t->share0 = 0.7;
    t->share1 = 0.9;
    const idx_status st =
        idx_tables_build(&t->built, &t->scale, seed, t->kern, tell, t);
    t->index.tables[0] = idx_tables_view(&t->built);
    t->share0 = 0.9;
    t->share1 = 1.0;
    return st;
}

static idx_status
seek(tuning *t, uint64_t seed, float target_recall, int auto_family)
{
    idx_params *p = &t->scale.params;
    const bool own_probes = p->n_probes != 0;
    const bool own_cap = p->max_candidates != 0;
    idx_status st = prepare(t, seed);
    if (!own_cap)
        p->max_candidates = t->scale.n_entries;
    if (!st)
        st = own_probes ? measure(t) : seek_probes(t, target_recall, auto_family);
    if (!st && !own_cap)
        st = seek_cap(t, target_recall);
    return st;
}

idx_status
idx_tune(const idx_scale *scale, uint64_t seed, float target_recall, int auto_family,
         idx_params *params, idx_progress *progress, void *ctx)
{
    if (!params_usable(params, target_recall))
        return IDX_EARG;
    if (params->family == IDX_EXACT || scale->n_entries == 0 ||
        (auto_family && scale->n_entries < IDX_EXACT_BELOW)) {
        *params = exact_params(scale);
        return IDX_OK;
    }
    tuning *t = calloc(1, sizeof *t);
    if (!t)
        return IDX_ENOMEM;
    begin(t, scale, params);
    t->progress = progress;
    t->ctx = ctx;
    const idx_params *p = &t->scale.params;
    idx_status st = IDX_EARG;
    if (p->n_probes == 0 ||
        (p->n_probes >= p->n_tables && p->n_probes <= p->n_tables << p->n_planes))
        st = seek(t, seed, target_recall, auto_family);
    if (!st)
        *params = auto_family && p->candidates > (float)scale->n_entries / 4.0F
                      ? exact_params(scale)
                      : *p;
    idx_tables_free(&t->built);
    free(t);
    return st;
}
