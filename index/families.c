/* The list of families, and what they share when they build. Cold. */
#include "family.h"
#include "half.h"

#include <stdio.h>
#include <stdlib.h>

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (h->n_planes | h->n_tables | h->n_probes | h->max_candidates)
        return FAULT("it has tables but is searched exactly");
    return true;
}

const idx_family_ops idx_exact_ops = {
    .name = "exact", .euclid = true, .fits = fits, .search = idx_exact_search};

static uint64_t
bytes_of_codes(const fmt_scale *h, uint32_t kind)
{
    if (kind == FMT_CODES)
        return h->n_entries * fmt_code_words(h->dim) * sizeof(uint64_t);
    return kind == FMT_HAMMING ? (uint64_t)h->n_knots * sizeof(float) : 0;
}

/* Scale IDX_TIMBRE is searched by idx_query_codes() alone. */
const idx_family_ops idx_codes_ops = {
    .name = "codes", .fits = fits, .bytes = bytes_of_codes};

const idx_family_ops *
idx_family_of(uint32_t family)
{
    static const idx_family_ops *const list[IDX_FAMILIES] = {
        [IDX_EXACT] = &idx_exact_ops,
        [IDX_HYPERPLANE] = &idx_hyperplane_ops,
        [IDX_CODES] = &idx_codes_ops,
        [IDX_CROSS_POLYTOPE] = &idx_cross_polytope_ops,
        [IDX_P_STABLE] = &idx_p_stable_ops,
        [IDX_FOREST] = &idx_forest_ops,
        [IDX_CELLS] = &idx_cells_ops,
    };
    return family < IDX_FAMILIES ? list[family] : NULL;
}

void
idx_each(const idx_making *how, size_t n, void (*run)(void *job, size_t i), void *job)
{
    if (how->parallel)
        how->parallel(how->ctx, n, run, job);
    for (size_t i = 0; !how->parallel && i < n; i++)
        run(job, i);
}

const char *
idx_family_name(uint32_t family)
{
    const idx_family_ops *ops = idx_family_of(family);
    return ops ? ops->name : "?";
}

bool
idx_family_has(uint32_t family, uint32_t what)
{
    const idx_family_ops *ops = idx_family_of(family);
    return ops && (what == IDX_PROBES ? ops->least_probes != NULL
                                      : what == IDX_COSINE || ops->euclid);
}

bool
idx_built_has_rows(const idx_built *built)
{
    return built && built->at[FMT_ROWS] && built->at[FMT_ENTRIES];
}

void
idx_built_clear(idx_built *built)
{
    for (uint32_t kind = 0; kind < FMT_KINDS; kind++)
        idx_give(&built->store, built->at[kind]);
    *built = (idx_built){0};
}

void
idx_built_free(idx_built *built)
{
    if (built)
        idx_built_clear(built);
    free(built);
}

static bool
store_halves(idx_built *out, const idx_scale *scale)
{
    const size_t n = (size_t)scale->n_entries * scale->dim;
    uint16_t *to = out->at[FMT_ROWS] = idx_regrow(&out->store, NULL, n, sizeof *to);
    for (size_t i = 0; to && i < n; i++)
        to[i] = idx_to_half(scale->rows[i]);
    return to;
}

idx_status
idx_build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    const idx_family_ops *ops = idx_family_of(scale->params.family);
    *out = (idx_built){.params = scale->params, .store = how->store};
    idx_status st = ops->build ? ops->build(out, scale, how) : IDX_OK;
    if (!st && scale->params.stored == IDX_F16 && !out->at[FMT_ROWS] &&
        !store_halves(out, scale))
        st = IDX_ENOMEM;
    if (st)
        idx_built_clear(out);
    return st;
}

idx_index
idx_as_built(const idx_scale *scale, const idx_built *built)
{
    idx_index ix = {.scales[0] = *scale};
    for (uint32_t kind = 0; kind < FMT_KINDS; kind++)
        ix.part[0][kind] = built->at[kind];
    if (!built->at[FMT_ROWS])
        ix.part[0][FMT_ROWS] = scale->rows;
    if (built->at[FMT_ENTRIES])
        ix.scales[0].entries = built->at[FMT_ENTRIES];
    ix.scales[0].rows = scale->params.stored == IDX_F32 ? ix.part[0][FMT_ROWS] : NULL;
    return ix;
}
