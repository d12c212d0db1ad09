#include "strangers.h"

enum {
    BLOCK_ROWS = 32, /* 16 KB of rows at 128 floats stay in L1 while queries pass */
    PART = 25,       /* queries that pass together, on one thread */
    PARTS = 4,       /* between two ticks */
};

bool
idx_has_strangers(const idx_scale *scale)
{
    for (uint32_t i = 1; i < scale->n_entries; i++)
        if (scale->entries[i].sound != scale->entries[0].sound)
            return true;
    return false;
}

static void
insert(float best[], uint32_t k, float cosine)
{
    uint32_t i = k - 1;
    for (; i > 0 && best[i - 1] < cosine; i--)
        best[i] = best[i - 1];
    best[i] = cosine;
}

typedef struct {
    const idx_scale *scale;
    const idx_making *how;
    uint32_t n_queries, k;
    bool by_sound;
    float *best;
    size_t first; /* part that the threads count from */
} asking;

static void
likenesses(const asking *a, const float x[], uint32_t at, uint32_t n, float out[])
{
    const idx_scale *sc = a->scale;
    const float *rows = sc->rows + (size_t)at * sc->dim;
    if (sc->params.metric == IDX_COSINE) {
        a->how->kern->dots(out, x, rows, sc->dim, n);
        for (uint32_t i = 0; i < n; i++) /* as a hit's, or equal rows would differ */
            out[i] = out[i] > 1.0F ? 1.0F : out[i];
        return;
    }
    a->how->kern->gaps(out, x, rows, sc->dim, n);
    for (uint32_t i = 0; i < n; i++)
        out[i] *= -0.5F;
}

/* Passes all rows by the queries of one part. */
static void
ask_part(void *job, size_t part)
{
    const asking *a = job;
    const uint32_t n_rows = a->scale->n_entries;
    const uint32_t begin = (uint32_t)(a->first + part) * PART;
    const uint32_t end = begin + PART < a->n_queries ? begin + PART : a->n_queries;
    float cosine[BLOCK_ROWS];
    for (uint32_t at = 0; at < n_rows; at += BLOCK_ROWS) {
        const uint32_t left = n_rows - at, n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        for (uint32_t q = begin; q < end; q++) {
            const uint32_t query = idx_spread_row(a->scale, q, a->n_queries);
            float *mine = a->best + (size_t)q * a->k;
            likenesses(a, a->scale->rows + (size_t)query * a->scale->dim, at, n,
                       cosine);
            for (uint32_t i = 0; i < n; i++)
                if (cosine[i] > mine[a->k - 1] &&
                    !idx_is_own(a->scale, a->by_sound, query, at + i))
                    insert(mine, a->k, cosine[i]);
        }
    }
}

void
idx_strangers(const idx_scale *scale, const idx_making *how, uint32_t n_queries,
              uint32_t k, float best[])
{
    asking a = {scale, how, n_queries, k, idx_has_strangers(scale), best, 0};
    const size_t n_parts = (n_queries + PART - 1) / PART;
    for (size_t i = 0; i < (size_t)n_queries * k; i++)
        best[i] = IDX_NO_STRANGER;
    for (; a.first < n_parts; a.first += PARTS) { /* between two ticks */
        const size_t left = n_parts - a.first;
        if (how->tick && !how->tick(how->ctx, (double)a.first / (double)n_parts))
            return;
        idx_each(how, left < PARTS ? left : PARTS, ask_part, &a);
    }
}
