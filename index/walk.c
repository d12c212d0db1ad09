/* From candidates to the best k: exact comparison, whatever the family. Analysis
 * thread. */
#include "search.h"

#include <string.h>

/* Rows id[i], or first + i, as floats of 32 bits, in s->wide. */
static const float *
widen(const idx_index *index, uint32_t scale, idx_scratch *s, const uint32_t id[],
      uint32_t first, uint32_t n)
{
    const idx_scale *sc = &index->scales[scale];
    const uint16_t *rows = index->part[scale][FMT_ROWS];
    for (uint32_t i = 0; id && i < n; i++) /* all on their way before the first */
        for (uint32_t j = 0; j < sc->dim; j += 32)
            __builtin_prefetch(rows + (size_t)id[i] * sc->dim + j);
    for (uint32_t i = 0; i < n; i++)
        s->kern->widen(s->wide + (size_t)i * sc->dim,
                       rows + (size_t)(id ? id[i] : first + i) * sc->dim, sc->dim);
    return s->wide;
}

void
idx_compare(const idx_index *index, uint32_t scale, idx_scratch *s, const uint32_t id[],
            uint32_t first, uint32_t n, float out[])
{
    const idx_scale *sc = &index->scales[scale];
    const bool euclid = sc->params.metric == IDX_EUCLID;
    const float *rows = index->part[scale][FMT_ROWS];
    if (sc->params.stored == IDX_F16)
        rows = widen(index, scale, s, id, first, n);
    else if (!id)
        rows += (size_t)first * sc->dim;
    if (!id || sc->params.stored == IDX_F16)
        (euclid ? s->kern->gaps : s->kern->dots)(out, s->unit, rows, sc->dim, n);
    else
        (euclid ? s->kern->gap_picks : s->kern->picks)(out, s->unit, rows, sc->dim, id,
                                                       n);
    for (uint32_t i = 0; euclid && i < n; i++)
        out[i] *= -0.5F;
}

static void
compare(idx_walk *w)
{
    idx_compare(w->index, w->scale, w->s, w->s->found, 0, w->n_found, w->s->cosine);
    idx_top_offer(w->top, w->s->found, 0, w->s->cosine, w->n_found);
    w->n_found = 0;
}

idx_walk
idx_walk_begin(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
               idx_work *work)
{
    /* a bit a row: of a million they fit the second cache, and take 2 us to clear */
    memset(s->seen, 0,
           idx_seen_words(index->scales[scale].n_entries) * sizeof *s->seen);
    return (idx_walk){.index = index,
                      .scale = scale,
                      .s = s,
                      .top = top,
                      .work = work,
                      .max_candidates = s->params[scale].max_candidates};
}

bool
idx_walk_add(idx_walk *w, uint32_t entry)
{
    idx_scratch *s = w->s;
    uint64_t *seen = &s->seen[entry / 64];
    const uint64_t bit = (uint64_t)1 << entry % 64;
    if (*seen & bit)
        return true;
    if (w->work->n_candidates == w->max_candidates) {
        w->work->cut = 1;
        return false;
    }
    *seen |= bit;
    w->work->n_candidates++;
    if (s->skip != UINT32_MAX &&
        w->index->scales[w->scale].entries[entry].sound == s->skip)
        return true;
    s->found[w->n_found++] = entry;
    if (w->n_found == IDX_BLOCK)
        compare(w);
    return true;
}

void
idx_walk_end(idx_walk *w)
{
    compare(w);
}
