#include "tables.h"

#include "search.h" /* idx_key() */

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_ROWS = 1024 };

/* ---- Random planes -------------------------------------------------------------- */

typedef struct {
    uint64_t s[4];
} xoshiro;

static uint64_t
splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t
rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* xoshiro256**, reference: prng.di.unimi.it */
static uint64_t
draw(xoshiro *r)
{
    const uint64_t out = rotl(r->s[1] * 5, 7) * 9;
    const uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return out;
}

/* Uniform in (0, 1]: log() of it is finite. */
static double
draw_unit(xoshiro *r)
{
    return ((double)(draw(r) >> 11) + 1.0) * 0x1p-53;
}

static double
draw_normal(xoshiro *r)
{
    const double radius = sqrt(-2.0 * log(draw_unit(r)));
    return radius * cos(6.283185307179586 * draw_unit(r));
}

static void
draw_plane(float plane[], uint32_t dim, xoshiro *r)
{
    double normal[IDX_MAX_DIM];
    double power = 0.0;
    for (uint32_t i = 0; i < dim; i++) {
        normal[i] = draw_normal(r);
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
    xoshiro r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix64(&seed);
    for (uint32_t i = 0; i < n; i++)
        draw_plane(planes + (size_t)i * dim, dim, &r);
}

/* ---- Buckets -------------------------------------------------------------------- */

static void
mean_of_rows(float centre[], const idx_scale *sc)
{
    double sum[IDX_MAX_DIM] = {0};
    for (uint32_t i = 0; i < sc->n_entries; i++)
        for (uint32_t j = 0; j < sc->dim; j++)
            sum[j] += (double)sc->rows[(size_t)i * sc->dim + j];
    for (uint32_t j = 0; j < sc->dim; j++)
        centre[j] = (float)(sum[j] / (double)sc->n_entries);
}

/* The keys of all rows in all tables. False when stopped. */
static bool
hash_rows(const idx_built *b, const idx_scale *sc, const idx_kern *kern, idx_tick *tick,
          void *ctx)
{
    const uint32_t n_planes = sc->params.n_planes;
    float centred[IDX_MAX_DIM];
    float side[FMT_MAX_TABLES * FMT_MAX_PLANES];
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        if (tick && i % TICK_ROWS == 0 && !tick(ctx, (double)i / sc->n_entries))
            return false;
        for (uint32_t j = 0; j < sc->dim; j++)
            centred[j] = sc->rows[(size_t)i * sc->dim + j] - b->centre[j];
        kern->dots(side, centred, b->planes, sc->dim,
                   (size_t)sc->params.n_tables * n_planes);
        for (uint32_t l = 0; l < sc->params.n_tables; l++)
            b->key[(size_t)l * sc->n_entries + i] =
                idx_key(side + (size_t)l * n_planes, n_planes);
    }
    return true;
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

static bool
reserve(idx_built *b, const idx_scale *sc)
{
    const size_t tables = sc->params.n_tables;
    const size_t n_keys = (size_t)1 << sc->params.n_planes;
    b->centre = calloc(sc->dim, sizeof *b->centre);
    b->planes = calloc(tables * sc->params.n_planes * sc->dim, sizeof *b->planes);
    b->start = calloc(tables * (n_keys + 1), sizeof *b->start);
    b->id = calloc(tables * sc->n_entries, sizeof *b->id);
    b->key = calloc(tables * sc->n_entries, sizeof *b->key);
    return b->centre && b->planes && b->start && b->id && b->key;
}

idx_status
idx_tables_build(idx_built *out, const idx_scale *scale, uint64_t seed,
                 const idx_kern *kern, idx_tick *tick, void *ctx)
{
    const idx_params *p = &scale->params;
    *out = (idx_built){0};
    if (!reserve(out, scale)) {
        idx_tables_free(out);
        return IDX_ENOMEM;
    }
    mean_of_rows(out->centre, scale);
    idx_tables_planes(out->planes, scale->dim, p->n_tables * p->n_planes, seed);
    if (!hash_rows(out, scale, kern, tick, ctx)) {
        idx_tables_free(out);
        return IDX_EIO;
    }
    const uint32_t n_keys = 1U << p->n_planes;
    for (size_t l = 0; l < p->n_tables; l++)
        sort_table(out->start + l * (n_keys + 1), out->id + l * scale->n_entries,
                   out->key + l * scale->n_entries, n_keys, scale->n_entries);
    free(out->key);
    out->key = NULL;
    return IDX_OK;
}

void
idx_tables_free(idx_built *built)
{
    free(built->centre);
    free(built->planes);
    free(built->start);
    free(built->id);
    free(built->key);
    *built = (idx_built){0};
}

idx_tables
idx_tables_view(const idx_built *built)
{
    return (idx_tables){built->centre, built->planes, built->start, built->id};
}
