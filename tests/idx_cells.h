/* Scales of cells in memory, as built, for the tests of index/. */
#ifndef HEARKEN_IDX_CELLS_H
#define HEARKEN_IDX_CELLS_H

#include "tests/idx_support.h"

#include "index/cells.h"
#include "index/family.h"

#include <check.h>

/* A scale, what was built from it and what it is searched with. */
typedef struct {
    float *rows; /* [n][dim] as given */
    idx_entry *entries;
    idx_scale sc;
    idx_built built;
    idx_index ix;
    idx_scratch *s;
} cells;

/* Nothing is left out: every cell is visited, every row that a code lets through. */
static inline idx_params
cells_all(uint32_t n_cells, idx_metric metric, idx_stored stored)
{
    return (idx_params){.family = IDX_CELLS,
                        .metric = metric,
                        .stored = stored,
                        .n_cells = n_cells,
                        .n_tables = idx_groups_of(n_cells),
                        .n_probes = n_cells,
                        .max_candidates = UINT32_MAX,
                        .max_scanned = UINT32_MAX,
                        .width = 1e5F};
}

/* n rows of zeros, each an entry of its own sound. */
static inline void
cells_room(cells *c, uint32_t n, uint32_t dim)
{
    memset(c, 0, sizeof *c);
    c->rows = calloc((size_t)n * dim, sizeof *c->rows);
    c->entries = calloc(n, sizeof *c->entries);
    for (uint32_t i = 0; i < n; i++)
        c->entries[i] = (idx_entry){.sound = i, .start_s = (float)i};
    c->sc =
        (idx_scale){.n_entries = n, .dim = dim, .rows = c->rows, .entries = c->entries};
}

/* Rows of neighbouring frames of sounds. */
static inline void
cells_walk(cells *c, uint32_t n, uint32_t dim, uint64_t seed)
{
    uint64_t state = seed;
    cells_room(c, n, dim);
    walk_rows(c->rows, c->entries, n, dim, n / 20 + 1, &state);
}

static inline void
cells_build(cells *c, idx_params p, uint64_t seed)
{
    const idx_making how = {.seed = seed, .kern = idx_kern_pick()};
    c->sc.params = p;
    ck_assert_int_eq(idx_build(&c->built, &c->sc, &how), IDX_OK);
    c->sc.params = c->built.params;
    c->ix = idx_as_built(&c->sc, &c->built);
    ck_assert_int_eq(idx_scratch_new(&c->s, &c->ix), IDX_OK);
}

static inline void
cells_free(cells *c)
{
    idx_scratch_free(c->s);
    idx_built_clear(&c->built);
    free(c->rows);
    free(c->entries);
}

static inline uint32_t
cells_ask(cells *c, const float x[], uint32_t k, idx_hit hits[], idx_work *work)
{
    uint32_t n = 0;
    ck_assert_int_eq(idx_query(&c->ix, 0, c->s, x, k, hits, &n, work), IDX_OK);
    return n;
}

static inline uint32_t
cells_ask_exact(cells *c, const float x[], uint32_t k, idx_hit hits[])
{
    uint32_t n = 0;
    ck_assert_int_eq(idx_query_exact(&c->ix, 0, c->s, x, k, hits, &n), IDX_OK);
    return n;
}

/* A query: a row moved by a share of its length; anything every fifth time. */
static inline void
cells_query(const cells *c, float x[], uint64_t *state)
{
    const uint32_t dim = c->sc.dim;
    const uint64_t r = rnd_u64(state);
    const float *row = c->rows + r % c->sc.n_entries * dim;
    const float away = r >> 32 & 1 ? 0.0F : 0.3F / sqrtf((float)dim);
    double power = 0.0;
    for (uint32_t i = 0; i < dim; i++)
        power += (double)row[i] * (double)row[i];
    for (uint32_t i = 0; i < dim; i++)
        x[i] = r >> 40 & 3 ? row[i] + away * (float)sqrt(power) * rnd_normal(state)
                           : rnd_normal(state);
}

#endif
