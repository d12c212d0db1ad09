/*
 * Hyperplane LSH (Charikar, STOC 2002): a function is the side of a plane, its one
 * choice the other side, at the square of the distance between the query and the plane
 * (FALCONN). Runs on the analysis thread.
 */
#include "hyperplane.h"

idx_hash
idx_hyperplane_hash(const idx_index *index, uint32_t scale, idx_scratch *s)
{
    const idx_scale *sc = &index->scales[scale];
    const uint32_t n_planes = sc->params.n_planes;
    idx_hash_centre(index, scale, s);
    s->kern->dots(s->side, s->centred, index->part[scale][FMT_PLANES], sc->dim,
                  (size_t)sc->params.n_tables * n_planes);
    for (uint32_t l = 0; l < sc->params.n_tables; l++) {
        const float *side = s->side + (size_t)l * n_planes;
        idx_choice *choice = s->choice + (size_t)l * n_planes;
        s->home[l] = idx_key(side, n_planes);
        for (uint32_t b = 0; b < n_planes; b++) {
            const uint64_t bit = (uint64_t)1 << b;
            choice[b].change = s->home[l] & bit ? -bit : bit;
            choice[b].cost = side[b] * side[b];
        }
    }
    return (idx_hash){.n_tables = sc->params.n_tables,
                      .n_functions = n_planes,
                      .n_choices = 1,
                      .last_choices = 1,
                      .rank_bits = 1,
                      .slot_bits = n_planes,
                      .signs = index->part[scale][FMT_SIGNS],
                      .unit = 1.0F};
}

void
idx_hyperplane_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                      idx_top *top, idx_work *work)
{
    const idx_hash h = idx_hyperplane_hash(index, scale, s);
    idx_hash_search(index, scale, s, &h, top, work);
}
