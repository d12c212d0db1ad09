#include "tables.h"
#include "buckets.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHARE = 512, SHARES = 64 }; /* done between two ticks, at most */

/* ---- Random planes -------------------------------------------------------------- */

static void
draw_plane(float plane[], uint32_t dim, idx_random *r)
{
    double normal[IDX_MAX_DIM];
    double power = 0.0;
    for (uint32_t i = 0; i < dim; i++) {
        normal[i] = idx_draw_normal(r);
        power += normal[i] * normal[i];
    }
    /* power is 0 with a chance of 2^-53 in one dimension, and never in more */
    const double scale = power > 0.0 ? 1.0 / sqrt(power) : 0.0;
    for (uint32_t i = 0; i < dim; i++)
        plane[i] = power > 0.0 ? (float)(normal[i] * scale) : (float)(i == 0);
}

void
idx_tables_planes(float planes[], uint32_t dim, uint32_t n, uint64_t seed)
{
    idx_random r = idx_random_of(seed);
    for (uint32_t i = 0; i < n; i++)
        draw_plane(planes + (size_t)i * dim, dim, &r);
}

/* ---- Buckets -------------------------------------------------------------------- */

void
idx_mean_of_rows(float out[], const idx_scale *sc)
{
    double sum[IDX_MAX_DIM] = {0};
    for (uint32_t i = 0; i < sc->n_entries; i++)
        for (uint32_t j = 0; j < sc->dim; j++)
            sum[j] += (double)sc->rows[(size_t)i * sc->dim + j];
    for (uint32_t j = 0; j < sc->dim; j++)
        out[j] = (float)(sum[j] / (double)sc->n_entries);
}

/* Counting sort of one table; start [n_keys + 1] comes zeroed. */
static void
sort_table(uint32_t start[], uint32_t id[], const uint32_t key[], uint32_t n_keys,
           uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        start[key[i] + 1]++;
    for (uint32_t k = 0; k < n_keys; k++)
        start[k + 1] += start[k];
    for (uint32_t i = 0; i < n; i++) /* start[k] runs on to where bucket k ends */
        id[start[key[i]]++] = i;
    memmove(start + 1, start, n_keys * sizeof *start);
    start[0] = 0;
}

bool
idx_tables_sort(idx_built *out, const uint32_t key[], uint32_t n_tables,
                uint32_t n_keys, uint32_t n_entries)
{
    uint32_t *start =
        idx_take(&out->store, n_tables * ((size_t)n_keys + 1), sizeof *start);
    uint32_t *id =
        idx_regrow(&out->store, NULL, (size_t)n_tables * n_entries, sizeof *id);
    out->at[FMT_STARTS] = start;
    out->at[FMT_IDS] = id;
    for (size_t l = 0; start && id && l < n_tables; l++)
        sort_table(start + l * ((size_t)n_keys + 1), id + l * n_entries,
                   key + l * n_entries, n_keys, n_entries);
    return start && id;
}

static bool
starts_hold(const uint32_t start[], uint32_t n_keys, uint32_t n)
{
    if (start[0] != 0 || start[n_keys] != n)
        return false;
    for (uint32_t k = 0; k < n_keys; k++)
        if (start[k + 1] < start[k])
            return false;
    return true;
}

bool
idx_tables_hold(const idx_tables *t, uint32_t n_tables, uint32_t n_keys,
                uint32_t n_entries, char *fault, size_t fault_len)
{
    const size_t n_ids = (size_t)n_tables * n_entries;
    for (size_t l = 0; l < n_tables; l++)
        if (!starts_hold(t->start + l * ((size_t)n_keys + 1), n_keys, n_entries))
            return FAULT("the buckets of table %zu do not hold each entry once", l);
    for (size_t i = 0; i < n_ids; i++)
        if (t->id[i] >= n_entries)
            return FAULT("a bucket holds entry %u, and there are %u", t->id[i],
                         n_entries);
    return true;
}

uint32_t
idx_tables_least(const idx_params *p)
{
    return p->n_tables;
}

uint32_t
idx_tables_most(const idx_params *p)
{
    return idx_tables_buckets(p->n_planes, p->n_tables);
}

bool
idx_centre_holds(const float centre[], uint32_t dim, char *fault, size_t fault_len)
{
    /* a mean of unit rows is at most of unit length */
    return fmt_first_outside(centre, dim, -1.01F, 1.01F) == dim ||
           FAULT("the hash centre is not a mean of unit rows");
}

/* Work in shares. */
typedef struct {
    uint32_t first, n;
    void (*run)(void *job, uint32_t i);
    void *job;
} shared;

static void
do_share(void *ctx, size_t share)
{
    const shared *h = ctx;
    const uint32_t from = h->first + (uint32_t)share * SHARE;
    const uint32_t left = h->n - from;
    for (uint32_t i = 0; i < SHARE && i < left; i++)
        h->run(h->job, from + i);
}

bool
idx_tables_each(uint32_t n, const idx_making *how, void (*run)(void *job, uint32_t i),
                void *job)
{
    const uint32_t most = how->parallel ? SHARES : 1;
    shared h = {.n = n, .run = run, .job = job};
    while (h.first < n) {
        const uint32_t left = (n - h.first + SHARE - 1) / SHARE;
        const uint32_t some = left < most ? left : most;
        if (how->tick && !how->tick(how->ctx, (double)h.first / n))
            return false;
        idx_each(how, some, do_share, &h);
        h.first = left == some ? n : h.first + some * SHARE;
    }
    return true;
}

bool
idx_tables_fit(const fmt_scale *h, uint32_t most, uint32_t n_buckets, char *fault,
               size_t fault_len)
{
    if (h->n_entries == 0)
        return FAULT("it has tables but no entries");
    if (h->n_planes < 1 || h->n_planes > most)
        return FAULT("n_planes %u is outside of 1..%u", h->n_planes, most);
    if (h->n_tables < 1 || h->n_tables > FMT_MAX_TABLES)
        return FAULT("n_tables %u is outside of 1..%d", h->n_tables, FMT_MAX_TABLES);
    if (h->n_probes < h->n_tables || h->n_probes > n_buckets)
        return FAULT("n_probes %u is outside of n_tables %u to all %u buckets",
                     h->n_probes, h->n_tables, n_buckets);
    if (h->max_candidates == 0)
        return FAULT("max_candidates is 0");
    if (h->leaf && h->leaf != idx_table_bits(h->dim))
        return FAULT("rows of %u floats have no codes of %u bits", h->dim, h->leaf);
    return true;
}

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void
idx_tables_needs(const idx_scale *scale, size_t n_functions, size_t n_choices,
                 size_t own_bytes, idx_needs *n)
{
    /* a probe is replaced by one more where there is one choice, else by two */
    const size_t grows = n_choices > 1 ? 2 : 1;
    n->tables = larger(n->tables, scale->params.n_tables);
    n->functions = larger(n->functions, n_functions);
    n->choices = larger(n->choices, n_functions * n_choices);
    idx_buckets_scratch s;
    if (scale->params.leaf)
        own_bytes += idx_buckets_lay(&s, NULL, scale);
    n->own_bytes = larger(n->own_bytes, own_bytes);
    n->seen = larger(n->seen, scale->n_entries);
    n->probes = larger(n->probes, grows * IDX_MAX_PROBES);
}
