/* Building and checking the tables of hyperplane LSH. Cold. */
#include "buckets.h"
#include "hyperplane.h"
#include "tables.h"

#include <stdio.h>

/*
 * Codes make a row of a bucket cost some nanoseconds, so that few tables of large
 * buckets do best: at recall 0.95 of 200,000 frames of recordings K = 9 to 12 and L = 2
 * to 4, of a million K = 13 and L = 3 (docs/index.md). Without codes a row costs tens:
 * small buckets of many tables, flat within 15 % from K = log2(N) - 3 to log2(N) and
 * from L = 12 to 16.
 */
static void
choose(idx_params *p, const idx_scale *scale, const idx_making *how)
{
    const uint32_t log2_n = 31U - (uint32_t)__builtin_clz(scale->n_entries);
    (void)how;
    p->leaf = idx_table_bits(scale->dim);
    const uint32_t by_rows = p->leaf ? 6 : 2; /* bits that a bucket of rows spares */
    if (p->n_planes == 0)
        p->n_planes = log2_n < 8 + by_rows    ? 8
                      : log2_n > 20 + by_rows ? 20
                                              : log2_n - by_rows;
    if (p->n_tables == 0)
        p->n_tables = p->leaf ? 3 : 12;
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    return idx_tables_fit(h, FMT_MAX_PLANES,
                          idx_tables_buckets(h->n_planes, h->n_tables), fault,
                          fault_len);
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
    case FMT_SIGNS:
        return h->leaf ? idx_rotate_words(h->dim) * sizeof(uint64_t) : 0;
    case FMT_BLOCKS:
    case FMT_CODES:
        return idx_tables_code_bytes(h, kind);
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
    return idx_centre_holds(part[FMT_CENTRE], s->dim, fault, fault_len) &&
           fmt_units_hold(part[FMT_PLANES], (size_t)p->n_tables * p->n_planes, s->dim,
                          "plane", fault, fault_len) &&
           idx_tables_hold(&t, p->n_tables, 1U << p->n_planes, s->n_entries, fault,
                           fault_len) &&
           idx_tables_codes_hold(s, part[FMT_BLOCKS], fault, fault_len);
}

/* Rows on their way to keys. */
typedef struct {
    const idx_scale *sc;
    const idx_kern *kern;
    const float *centre, *planes;
    uint32_t *key; /* [n_tables][n_entries] */
} hashing;

static void
hash_row(void *job, uint32_t i)
{
    const hashing *h = job;
    const idx_scale *sc = h->sc;
    const uint32_t n_planes = sc->params.n_planes;
    float centred[IDX_MAX_DIM];
    float side[FMT_MAX_TABLES * FMT_MAX_PLANES];
    for (uint32_t j = 0; j < sc->dim; j++)
        centred[j] = sc->rows[(size_t)i * sc->dim + j] - h->centre[j];
    h->kern->dots(side, centred, h->planes, sc->dim,
                  (size_t)sc->params.n_tables * n_planes);
    for (uint32_t l = 0; l < sc->params.n_tables; l++)
        h->key[(size_t)l * sc->n_entries + i] =
            idx_key(side + (size_t)l * n_planes, n_planes);
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    const idx_params *p = &scale->params;
    const uint32_t n_planes = p->n_tables * p->n_planes;
    const idx_store *store = &how->store;
    uint32_t *key =
        idx_regrow(store, NULL, (size_t)p->n_tables * scale->n_entries, sizeof *key);
    float *centre = out->at[FMT_CENTRE] = idx_take(store, scale->dim, sizeof *centre);
    float *planes = out->at[FMT_PLANES] =
        idx_take(store, (size_t)n_planes * scale->dim, sizeof *planes);
    idx_status st = key && centre && planes ? IDX_OK : IDX_ENOMEM;
    if (!st) {
        idx_mean_of_rows(centre, scale);
        idx_tables_planes(planes, scale->dim, n_planes, how->seed);
        st = idx_tables_each(scale->n_entries, how, hash_row,
                             &(hashing){scale, how->kern, centre, planes, key})
                 ? IDX_OK
                 : IDX_EIO;
    }
    if (!st &&
        !idx_tables_sort(out, key, p->n_tables, 1U << p->n_planes, scale->n_entries))
        st = IDX_ENOMEM;
    if (!st && p->leaf)
        st = idx_tables_code_own(out, scale, how, 1.0F);
    idx_give(store, key);
    return st;
}

static void
needs(const idx_scale *scale, idx_needs *n)
{
    const idx_params *p = &scale->params;
    const size_t sides = (size_t)p->n_tables * p->n_planes;
    n->sides = n->sides > sides ? n->sides : sides;
    idx_tables_needs(scale, sides, 1, 0, n);
}

const idx_family_ops idx_hyperplane_ops = {
    .name = "hyperplane",
    .choose = choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = idx_tables_least,
    .most_probes = idx_tables_most,
    .search = idx_hyperplane_search,
};
