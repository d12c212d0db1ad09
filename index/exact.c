/* The family that compares every row, and the twin that all others are measured by.
 * Analysis thread, but for what the table at the end names. */
#include "family.h"

#include <stdio.h>

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

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (h->n_planes | h->n_tables | h->n_probes | h->max_candidates)
        return FAULT("it has tables but is searched exactly");
    return true;
}

const idx_family_ops idx_exact_ops = {
    .name = "exact", .euclid = true, .fits = fits, .search = idx_exact_search};

static uint64_t
bytes_of_codes(const fmt_scale *h, uint32_t kind)
{
    if (kind == FMT_CODES)
        return h->n_entries * fmt_code_words(h->dim) * sizeof(uint64_t);
    return kind == FMT_HAMMING ? (uint64_t)h->n_knots * sizeof(float) : 0;
}

/* Scale IDX_TIMBRE is searched by idx_query_codes() alone. */
const idx_family_ops idx_codes_ops = {
    .name = "codes", .fits = fits, .bytes = bytes_of_codes};
