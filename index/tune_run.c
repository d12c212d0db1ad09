/* The steps of a tuning: truth, building, seeking. Cold. */
#include "tuning.h"

#include <stdlib.h>
#include <string.h>

/* ---- Steps ---------------------------------------------------------------------- */

/* The rows that ask, and the sound that each leaves out. With a single sound the rows
 * count as sounds, in entries of the tuning's own. */
static idx_status
take_queries(idx_tune_job *t, idx_entry **own)
{
    idx_scale *sc = &t->scale;
    const bool by_sound = idx_has_strangers(sc);
    t->n_queries = sc->n_entries < IDX_QUERIES ? sc->n_entries : IDX_QUERIES;
    t->queries = malloc((size_t)t->n_queries * sc->dim * sizeof *t->queries);
    t->sound = malloc(t->n_queries * sizeof *t->sound);
    *own =
        by_sound ? NULL : idx_regrow(&t->how->store, NULL, sc->n_entries, sizeof **own);
    if (!t->queries || !t->sound || (!by_sound && !*own))
        return IDX_ENOMEM;
    for (uint32_t i = 0; !by_sound && i < sc->n_entries; i++)
        (*own)[i] = (idx_entry){.sound = i};
    if (!by_sound)
        sc->entries = *own;
    for (uint32_t q = 0; q < t->n_queries; q++) {
        const uint32_t row = idx_spread_row(sc, q, t->n_queries);
        float *x = t->queries + (size_t)q * sc->dim;
        if (sc->rows)
            memcpy(x, sc->rows + (size_t)row * sc->dim, sc->dim * sizeof *x);
        else
            idx_row(&t->index, 0, row, x);
        t->sound[q] = sc->entries[row].sound;
    }
    return IDX_OK;
}

static void
lend(void *ctx, size_t n, void (*run_one)(void *job, size_t i), void *job)
{
    const idx_tune_job *t = ctx;
    t->how->parallel(t->how->ctx, n, run_one, job);
}

static idx_making
making_of(idx_tune_job *t)
{
    return (idx_making){.seed = t->how->seed,
                        .kern = t->kern,
                        .tick = idx_tell,
                        .parallel = t->how->parallel ? lend : NULL,
                        .ctx = t,
                        .store = t->how->store};
}

static void
count_wanted(idx_tune_job *t)
{
    for (uint32_t q = 0; q < t->n_queries; q++) {
        uint32_t n;
        idx_least_that_counts(t, q, &n);
        t->n_wanted += n;
    }
}

static void
find_truth(idx_tune_job *t)
{
    const idx_making how = making_of(t);
    t->share0 = 0.0;
    t->share1 = 0.3;
    idx_strangers(&t->scale, &how, t->n_queries, IDX_RECALL_AT, t->best);
    count_wanted(t);
}

static idx_status
build(idx_tune_job *t, const idx_scale *scale)
{
    const idx_making how = making_of(t);
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
run(idx_tune_job *t, const idx_scale *scale)
{
    idx_entry *own = NULL;
    idx_status st = take_queries(t, &own);
    if (!st)
        find_truth(t);
    if (!st && !t->stopped)
        st = build(t, own ? &t->scale : scale);
    if (!st && !t->stopped)
        idx_seek(t);
    if (t->stopped)
        st = IDX_EIO;
    /* entries of the tuning's own are not those to be written */
    if (own && t->built->at[FMT_ENTRIES])
        for (uint32_t i = 0; !st && i < scale->n_entries; i++) {
            idx_entry *e = (idx_entry *)t->built->at[FMT_ENTRIES] + i;
            *e = scale->entries[e->sound];
        }
    idx_give(&t->how->store, own);
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

/* Whether the family can be built as asked, and searched by as many probes. */
static bool
wishes_fit(const idx_tune_job *t)
{
    const idx_params *p = &t->scale.params;
    char fault[160];
    const uint32_t least = t->ops->least_probes(p);
    const fmt_scale h = {.dim = t->scale.dim,
                         .n_entries = t->scale.n_entries,
                         .family = p->family,
                         .n_planes = p->n_planes,
                         .n_tables = p->n_tables,
                         .n_probes = p->n_probes ? p->n_probes : least,
                         .max_candidates = p->max_candidates ? p->max_candidates : 1,
                         .metric = p->metric,
                         .stored = p->stored,
                         .n_cells = p->n_cells,
                         .leaf = p->leaf,
                         .width = p->width,
                         .max_scanned = p->max_scanned ? p->max_scanned : 1};
    return h.n_probes >= least && h.n_probes <= t->ops->most_probes(p) &&
           t->ops->fits(&h, fault, sizeof fault);
}

static void
tuning_free(idx_tune_job *t)
{
    if (!t)
        return;
    idx_scratch_free(t->scratch);
    idx_built_free(t->built);
    free(t->queries);
    free(t->sound);
    free(t);
}

static idx_tune_job *
tuning_new(const idx_scale *scale, const idx_tuning *how, const idx_params *params)
{
    idx_tune_job *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->scale = *scale;
    t->scale.params = *params;
    t->own_tables = params->n_tables != 0;
    t->how = how;
    t->ops = idx_family_of(params->family);
    t->kern = idx_kern_pick();
    const idx_making making = making_of(t);
    if (t->ops->choose)
        t->ops->choose(&t->scale.params, scale, &making);
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
    idx_tune_job *t = tuning_new(scale, how, params);
    if (!t)
        return IDX_ENOMEM;
    const idx_status st = wishes_fit(t) ? run(t, scale) : IDX_EARG;
    if (!st && idx_too_many(t)) {
        *params = exact_params(scale, params);
    } else if (!st) {
        *params = t->built->params = t->scale.params;
        *built = t->built;
        t->built = NULL;
    }
    tuning_free(t);
    return st;
}

/* ---- Again ---------------------------------------------------------------------- */

/* Truth by asking the open index itself, one query after the other. */
static void
ask_truth(idx_tune_job *t)
{
    idx_hit hit[IDX_RECALL_AT];
    for (uint32_t q = 0; q < t->n_queries && idx_tell(t, (double)q / t->n_queries);
         q++) {
        float *best = t->best + (size_t)q * IDX_RECALL_AT;
        uint32_t n = 0;
        idx_scratch_skip(t->scratch, t->sound[q]);
        idx_query_exact(&t->index, 0, t->scratch, t->queries + (size_t)q * t->scale.dim,
                        IDX_RECALL_AT, hit, &n);
        for (uint32_t i = 0; i < IDX_RECALL_AT; i++)
            best[i] = i < n ? hit[i].cosine : IDX_NO_STRANGER;
    }
    count_wanted(t);
}

static idx_status
run_again(idx_tune_job *t)
{
    idx_entry *own = NULL;
    idx_status st = take_queries(t, &own);
    t->index.scales[0].entries = t->scale.entries;
    if (!st)
        st = idx_scratch_new(&t->scratch, &t->index);
    t->share0 = 0.0;
    t->share1 = 0.7;
    if (!st)
        ask_truth(t);
    t->share0 = 0.7;
    t->share1 = 1.0;
    if (!st && !t->stopped)
        idx_seek(t);
    idx_give(&t->how->store, own);
    return st ? st : t->stopped ? IDX_EIO : IDX_OK;
}

idx_status
idx_retune(const idx_index *index, uint32_t scale, const idx_tuning *how,
           idx_params *params)
{
    if (scale >= IDX_SCALES)
        return IDX_EARG;
    const idx_scale *sc = &index->scales[scale];
    const idx_family_ops *ops = idx_family_of(sc->params.family);
    *params = sc->params;
    if (!ops->least_probes || sc->n_entries == 0) /* nothing to choose */
        return IDX_OK;
    idx_params wanted = sc->params;
    wanted.n_probes = wanted.max_candidates = wanted.max_scanned = 0;
    wanted.width = sc->params.family == IDX_CELLS ? 0.0F : wanted.width;
    idx_tune_job *t = tuning_new(sc, how, &wanted);
    if (!t)
        return IDX_ENOMEM;
    t->own_tables = false;
    t->index = (idx_index){.scales[0] = *sc};
    t->index.scales[0].params.max_scanned = UINT32_MAX;
    memcpy(t->index.part[0], index->part[scale], sizeof t->index.part[0]);
    const idx_status st = run_again(t);
    if (!st)
        *params = t->scale.params;
    tuning_free(t);
    return st;
}
