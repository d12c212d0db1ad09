/* Compares every row: the family exact, and the twin that all others are measured by.
 * Analysis thread. */
#include "search.h"

static uint32_t
drop_skipped(const idx_scale *sc, uint32_t skip, uint32_t first, uint32_t n,
             uint32_t id[], float cosine[])
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (sc->entries[first + i].sound != skip) {
            cosine[kept] = cosine[i];
            id[kept++] = first + i;
        }
    return kept;
}

void
idx_exact_search(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                 idx_work *work)
{
    const idx_scale *sc = &index->scales[scale];
    if (sc->params.stored == IDX_I8) {
        idx_cells_exact(index, scale, s, top, work);
        return;
    }
    const uint32_t most = sc->params.stored == IDX_F32 ? IDX_SCAN : IDX_BLOCK;
    for (uint32_t i = 0; i < sc->n_entries;) {
        const uint32_t left = sc->n_entries - i;
        const uint32_t n = left < most ? left : most;
        idx_compare(index, scale, s, NULL, i, n, s->cosine);
        if (s->skip == UINT32_MAX)
            idx_top_offer(top, NULL, i, s->cosine, n);
        else
            idx_top_offer(top, s->found, 0, s->cosine,
                          drop_skipped(sc, s->skip, i, n, s->found, s->cosine));
        i += n;
    }
    work->n_candidates = sc->n_entries;
}
