/* Building and checking the tables of cross-polytope LSH. Cold. */
#include "buckets.h"
#include "polytope.h"
#include "tables.h"

#include <stdio.h>

static void
choose(idx_params *p, const idx_scale *scale, const idx_making *how)
{
    const uint32_t log2_n = 31U - (uint32_t)__builtin_clz(scale->n_entries);
    (void)how;
    p->leaf = idx_table_bits(scale->dim);
    const uint32_t by_rows = p->leaf ? 5 : 0; /* as in hyperplane_setup.c */
    if (p->n_planes == 0)
        p->n_planes = log2_n < 8 + by_rows    ? 8
                      : log2_n > 20 + by_rows ? 20
                                              : log2_n - by_rows;
    if (p->n_tables == 0)
        p->n_tables = p->leaf ? 3 : 10;
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    return idx_tables_fit(h, FMT_MAX_PLANES,
                          idx_tables_buckets(h->n_planes, h->n_tables), fault,
                          fault_len);
}

static size_t
n_functions(const idx_params *p, uint32_t dim)
{
    return (size_t)p->n_tables * idx_polytope_of(dim, p->n_planes).n_functions;
}

/* FMT_CENTRE as hyperplanes have it, FMT_SIGNS uint64 [n_tables][n_functions][words] of
 * a rotation each and then that of the codes, FMT_STARTS and FMT_IDS as in tables.h. */
static uint64_t
bytes(const fmt_scale *h, uint32_t kind)
{
    const idx_params p = {.n_planes = h->n_planes, .n_tables = h->n_tables};
    switch (kind) {
    case FMT_CENTRE:
        return (uint64_t)h->dim * sizeof(float);
    case FMT_SIGNS:
        return (n_functions(&p, h->dim) + (h->leaf > 0)) * idx_rotate_words(h->dim) *
               sizeof(uint64_t);
    case FMT_BLOCKS:
    case FMT_CODES:
        return idx_tables_code_bytes(h, kind);
    case FMT_STARTS:
        return h->n_tables * (((uint64_t)1 << h->n_planes) + 1) * sizeof(uint32_t);
    case FMT_IDS:
        return (uint64_t)h->n_tables * h->n_entries * sizeof(uint32_t);
    default:
        return 0;
    }
}

/* Any signs will do. */
static bool
holds(const idx_index *index, uint32_t scale, char *fault, size_t fault_len)
{
    const idx_scale *s = &index->scales[scale];
    const void *const *part = index->part[scale];
    const idx_tables t = {part[FMT_STARTS], part[FMT_IDS]};
    return idx_centre_holds(part[FMT_CENTRE], s->dim, fault, fault_len) &&
           idx_tables_hold(&t, s->params.n_tables, 1U << s->params.n_planes,
                           s->n_entries, fault, fault_len) &&
           idx_tables_codes_hold(s, part[FMT_BLOCKS], fault, fault_len);
}

/* Rows on their way to keys. */
typedef struct {
    const idx_scale *sc;
    const float *centre;
    const uint64_t *signs;
    uint32_t *key; /* [n_tables][n_entries] */
} hashing;

static void
hash_row(void *job, uint32_t i)
{
    const hashing *h = job;
    const idx_scale *sc = h->sc;
    const idx_polytope p = idx_polytope_of(sc->dim, sc->params.n_planes);
    const uint64_t *signs = h->signs;
    float centred[IDX_MAX_DIM];
    int32_t ranks[IDX_MAX_DIM];
    for (uint32_t j = 0; j < sc->dim; j++)
        centred[j] = sc->rows[(size_t)i * sc->dim + j] - h->centre[j];
    for (uint32_t l = 0; l < sc->params.n_tables; l++) {
        uint32_t key = 0;
        for (uint32_t f = 0; f < p.n_functions; f++) {
            key |= idx_polytope_value(ranks, centred, signs, &p, f) << f * p.bits;
            signs += idx_rotate_words(sc->dim);
        }
        h->key[(size_t)l * sc->n_entries + i] = key;
    }
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    const idx_params *p = &scale->params;
    const size_t n = n_functions(p, scale->dim), n_all = n + (p->leaf > 0);
    const idx_store *store = &how->store;
    uint32_t *key =
        idx_regrow(store, NULL, (size_t)p->n_tables * scale->n_entries, sizeof *key);
    float *centre = out->at[FMT_CENTRE] = idx_take(store, scale->dim, sizeof *centre);
    uint64_t *signs = out->at[FMT_SIGNS] =
        idx_take(store, n_all * idx_rotate_words(scale->dim), sizeof *signs);
    hashing job = {scale, centre, signs, key};
    idx_status st = key && centre && signs ? IDX_OK : IDX_ENOMEM;
    if (!st) {
        idx_mean_of_rows(centre, scale);
        idx_rotate_signs(signs, scale->dim, (uint32_t)n_all, how->seed);
        st = idx_tables_each(scale->n_entries, how, hash_row, &job) ? IDX_OK : IDX_EIO;
    }
    if (!st &&
        !idx_tables_sort(out, key, p->n_tables, 1U << p->n_planes, scale->n_entries))
        st = IDX_ENOMEM;
    if (!st && p->leaf)
        st = idx_tables_code(out, scale, how, signs + n * idx_rotate_words(scale->dim),
                             1.0F);
    idx_give(store, key);
    return st;
}

static void
needs(const idx_scale *scale, idx_needs *n)
{
    const idx_polytope p = idx_polytope_of(scale->dim, scale->params.n_planes);
    const size_t functions = n_functions(&scale->params, scale->dim);
    idx_tables_needs(scale, functions, 2 * p.d - 1,
                     functions * 2 * p.d * sizeof(int32_t), n);
}

const idx_family_ops idx_cross_polytope_ops = {
    .name = "cross-polytope",
    .choose = choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = idx_tables_least,
    .most_probes = idx_tables_most,
    .search = idx_polytope_search,
};
