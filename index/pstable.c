/*
 * p-stable LSH: a function cuts a random direction into pieces of one width; its two
 * choices are the pieces next to that of the query, at the squares of its distances to
 * them (Lv et al., VLDB 2007). Runs on the analysis thread.
 */
#include "pstable.h"

static void
take_choices(idx_choice choice[2], float above, uint64_t step)
{
    const idx_choice down = {.change = -step, .cost = above * above};
    const idx_choice up = {.change = step, .cost = (1.0F - above) * (1.0F - above)};
    choice[0] = down.cost <= up.cost ? down : up;
    choice[1] = down.cost <= up.cost ? up : down;
}

idx_hash
idx_stable_hash(const idx_index *index, uint32_t scale, idx_scratch *s)
{
    const idx_scale *sc = &index->scales[scale];
    const uint32_t n_functions = sc->params.n_planes;
    const uint32_t n = sc->params.n_tables * n_functions;
    const float *offset = index->part[scale][FMT_OFFSETS];
    const float per_width = 1.0F / sc->params.width;
    s->kern->dots(s->side, s->unit, index->part[scale][FMT_PLANES], sc->dim, n);
    for (uint32_t l = 0; l < sc->params.n_tables; l++)
        s->home[l] = 0;
    for (uint32_t at = 0; at < n; at++) {
        const uint64_t step = idx_stable_step(at % n_functions);
        float above;
        const int32_t value =
            idx_stable_value(s->side[at], per_width, offset[at], &above);
        s->home[at / n_functions] += step * (uint64_t)(int64_t)value;
        take_choices(s->choice + (size_t)2 * at, above, step);
    }
    return (idx_hash){.n_tables = sc->params.n_tables,
                      .n_functions = n_functions,
                      .n_choices = 2,
                      .last_choices = 2,
                      .rank_bits = 2,
                      .slot_bits = idx_slot_bits(sc->n_entries),
                      .signs = index->part[scale][FMT_SIGNS],
                      .unit = index->part[scale][FMT_BLOCKS] ? offset[n] : 0.0F};
}

void
idx_stable_search(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                  idx_work *work)
{
    const idx_hash h = idx_stable_hash(index, scale, s);
    idx_hash_search(index, scale, s, &h, top, work);
}
