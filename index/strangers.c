#include "strangers.h"

/* 16 KB of rows at 128 floats stay in L1 while every query passes over them. */
enum { BLOCK_ROWS = 32 };

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

void
idx_strangers(const idx_scale *scale, const idx_kern *kern, uint32_t n_queries,
              uint32_t k, float best[], idx_tick *tick, void *ctx)
{
    const bool by_sound = idx_has_strangers(scale);
    float cosine[BLOCK_ROWS];
    for (size_t i = 0; i < (size_t)n_queries * k; i++)
        best[i] = IDX_NO_STRANGER;
    for (uint32_t at = 0; at < scale->n_entries;) {
        const uint32_t left = scale->n_entries - at;
        const uint32_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        const float *rows = scale->rows + (size_t)at * scale->dim;
        for (uint32_t q = 0; q < n_queries; q++) {
            const uint32_t query = idx_spread_row(scale, q, n_queries);
            float *mine = best + (size_t)q * k;
            const float *x = scale->rows + (size_t)query * scale->dim;
            if (scale->params.metric == IDX_EUCLID) {
                kern->gaps(cosine, x, rows, scale->dim, n);
                for (uint32_t i = 0; i < n; i++)
                    cosine[i] *= -0.5F;
            } else {
                kern->dots(cosine, x, rows, scale->dim, n);
            }
            for (uint32_t i = 0; i < n; i++)
                if (cosine[i] > mine[k - 1] &&
                    !idx_is_own(scale, by_sound, query, at + i))
                    insert(mine, k, cosine[i]);
        }
        at += n;
        if (tick)
            tick(ctx, (double)at / scale->n_entries);
    }
}
