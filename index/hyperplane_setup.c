/* Building and checking the tables of hyperplane LSH. Cold. */
#include "hyperplane.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>

enum { TICK_ROWS = 1024 };

/*
 * Candidates at recall 0.95 and the time they take hardly change from K = log2(N) - 3
 * to log2(N) and from L = 12 to 16 (170,000 frames of recordings, 100,000 made rows;
 * flat within 15 %). Fewer bits keep the starts small, 12 tables keep an entry below
 * 600 bytes.
 */
static void
choose(idx_params *p, uint32_t n_entries, uint32_t dim)
{
    const uint32_t log2_n = 31U - (uint32_t)__builtin_clz(n_entries);
    (void)dim;
    if (p->n_planes == 0)
        p->n_planes = log2_n < 10 ? 8 : log2_n > 22 ? 20 : log2_n - 2;
    if (p->n_tables == 0)
        p->n_tables = 12;
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (h->n_entries == 0)
        return FAULT("it has tables but no entries");
    if (h->n_planes < 1 || h->n_planes > FMT_MAX_PLANES)
        return FAULT("n_planes %u is outside of 1..%d", h->n_planes, FMT_MAX_PLANES);
    if (h->n_tables < 1 || h->n_tables > FMT_MAX_TABLES)
        return FAULT("n_tables %u is outside of 1..%d", h->n_tables, FMT_MAX_TABLES);
    if (h->n_probes < h->n_tables || h->n_probes > h->n_tables << h->n_planes)
        return FAULT("n_probes %u is outside of n_tables %u to all %u buckets",
                     h->n_probes, h->n_tables, h->n_tables << h->n_planes);
    if (h->max_candidates == 0)
        return FAULT("max_candidates is 0");
    return true;
}

/* FMT_PLANES and FMT_IDS as in format.h, FMT_CENTRE the mean of the rows: what is
 * hashed is row - centre. */
static uint64_t
bytes(const fmt_scale *h, uint32_t kind)
{
    const uint64_t tables = h->n_tables;
    switch (kind) {
    case FMT_CENTRE:
        return (uint64_t)h->dim * sizeof(float);
    case FMT_PLANES:
        return tables * h->n_planes * h->dim * sizeof(float);
    case FMT_STARTS:
        return tables * (((uint64_t)1 << h->n_planes) + 1) * sizeof(uint32_t);
    case FMT_IDS:
        return tables * h->n_entries * sizeof(uint32_t);
    default:
        return 0;
    }
}

static bool
holds(const idx_index *index, uint32_t scale, char *fault, size_t fault_len)
{
    const idx_scale *s = &index->scales[scale];
    const idx_params *p = &s->params;
    const void *const *part = index->part[scale];
    const idx_tables t = {part[FMT_STARTS], part[FMT_IDS]};
    /* a mean of unit rows is at most of unit length */
    if (fmt_first_outside(part[FMT_CENTRE], s->dim, -1.01F, 1.01F) < s->dim)
        return FAULT("the hash centre is not a mean of unit rows");
    return fmt_units_hold(part[FMT_PLANES], (size_t)p->n_tables * p->n_planes, s->dim,
                          "plane", fault, fault_len) &&
           idx_tables_hold(&t, p->n_tables, 1U << p->n_planes, s->n_entries, fault,
                           fault_len);
}

/* The keys of all rows in all tables. False when stopped. */
static bool
hash_rows(const idx_built *b, uint32_t key[], const idx_scale *sc,
          const idx_making *how)
{
    const uint32_t n_planes = sc->params.n_planes;
    const float *centre = b->at[FMT_CENTRE];
    float centred[IDX_MAX_DIM];
    float side[FMT_MAX_TABLES * FMT_MAX_PLANES];
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        if (how->tick && i % TICK_ROWS == 0 &&
            !how->tick(how->ctx, (double)i / sc->n_entries))
            return false;
        for (uint32_t j = 0; j < sc->dim; j++)
            centred[j] = sc->rows[(size_t)i * sc->dim + j] - centre[j];
        how->kern->dots(side, centred, b->at[FMT_PLANES], sc->dim,
                        (size_t)sc->params.n_tables * n_planes);
        for (uint32_t l = 0; l < sc->params.n_tables; l++)
            key[(size_t)l * sc->n_entries + i] =
                idx_key(side + (size_t)l * n_planes, n_planes);
    }
    return true;
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    const idx_params *p = &scale->params;
    const uint32_t n_planes = p->n_tables * p->n_planes;
    uint32_t *key = calloc((size_t)p->n_tables * scale->n_entries, sizeof *key);
    float *centre = out->at[FMT_CENTRE] = calloc(scale->dim, sizeof *centre);
    float *planes = out->at[FMT_PLANES] =
        calloc((size_t)n_planes * scale->dim, sizeof *planes);
    idx_status st = key && centre && planes ? IDX_OK : IDX_ENOMEM;
    if (!st) {
        idx_mean_of_rows(centre, scale);
        idx_tables_planes(planes, scale->dim, n_planes, how->seed);
        st = hash_rows(out, key, scale, how) ? IDX_OK : IDX_EIO;
    }
    if (!st &&
        !idx_tables_sort(out, key, p->n_tables, 1U << p->n_planes, scale->n_entries))
        st = IDX_ENOMEM;
    free(key);
    return st;
}

static void
needs(const idx_scale *scale, idx_needs *n)
{
    const idx_params *p = &scale->params;
    const size_t sides = (size_t)p->n_tables * p->n_planes;
    n->sides = n->sides > sides ? n->sides : sides;
    idx_tables_needs(scale, sides, 1, n);
}

static uint32_t
least_probes(const idx_params *p)
{
    return p->n_tables;
}

static uint32_t
most_probes(const idx_params *p)
{
    return p->n_tables << p->n_planes;
}

const idx_family_ops idx_hyperplane_ops = {
    .name = "hyperplane",
    .choose = choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = least_probes,
    .most_probes = most_probes,
    .search = idx_hyperplane_search,
};
