/* What was learned while listening, searched beside the index. Hot: a part of
 * analyse.c. */
#include "analyse_private.h"
#include "rt.h"

#include <string.h>

/* ---- Answers ----------------------------------------------------------------------
 */

idx_entry
rt_entry_of(const rt_analyse *a, uint32_t scale, uint32_t entry)
{
    const idx_scale *sc = idx_scale_of(a->index, a->set[scale]);
    if (entry < sc->n_entries)
        return sc->entries[entry];
    idx_entry e = idx_scale_of(a->layer, a->set[scale])->entries[entry - sc->n_entries];
    e.sound += a->n_sounds;
    return e;
}

void
rt_row_of(const rt_analyse *a, uint32_t scale, uint32_t entry, float out[])
{
    const uint32_t set = a->set[scale], n = idx_scale_of(a->index, set)->n_entries;
    if (entry < n)
        idx_row(a->index, set, entry, out);
    else
        idx_row(a->layer, set, entry - n, out);
}

const char *
rt_label_of(const rt_analyse *a, uint32_t sound)
{
    return sound < a->n_sounds ? idx_sound_of(a->index, sound).label
                               : idx_sound_of(a->layer, sound - a->n_sounds).label;
}

uint64_t *
rt_last_sent(rt_analyse *a, uint32_t scale, uint32_t sound)
{
    return sound < a->n_sounds ? &a->last_sent[scale][sound]
                               : &a->live_sent[scale][sound - a->n_sounds];
}

/* Merges live hits, best first, into hits of the index, of which equal ones go first;
 * from behind, in place. */
static uint32_t
merge(idx_hit hits[], uint32_t n, const idx_hit live[], uint32_t n_live, uint32_t base,
      uint32_t cap)
{
    const uint32_t all = n + n_live, kept = all < cap ? all : cap;
    for (uint32_t at = all; at-- > 0;) {
        const bool from_live =
            n_live && (!n || live[n_live - 1].cosine <= hits[n - 1].cosine);
        idx_hit h = from_live ? live[--n_live] : hits[--n];
        h.entry += from_live ? base : 0;
        if (at < kept)
            hits[at] = h;
    }
    return kept;
}

void
rt_layer_join(rt_analyse *a, uint32_t scale, const float x[], uint32_t cap,
              idx_hit hits[], uint32_t *n)
{
    const uint32_t set = a->set[scale];
    uint32_t n_live = 0;
    if (!a->layer)
        return;
    const uint64_t began = rt_ns();
    if (!idx_query(a->layer, set, a->layer_scratch, x, cap, a->live_hits, &n_live,
                   NULL))
        *n = merge(hits, *n, a->live_hits, n_live,
                   idx_scale_of(a->index, set)->n_entries, cap);
    a->query_ns += rt_ns() - began;
}

/* ---- From one layer to the next ---------------------------------------------------
 */

static bool
same_label(const idx_index *a, uint32_t i, const idx_index *b, uint32_t j)
{
    return !strcmp(idx_sound_of(a, i).label, idx_sound_of(b, j).label);
}

/* Sounds that were said are counted from 1; one that is gone is none. */
static uint32_t
renumber(const rt_analyse *a, const uint32_t to[], uint32_t n_from, uint32_t said)
{
    if (said <= a->n_sounds)
        return said;
    const uint32_t live = said - 1 - a->n_sounds;
    return live >= n_from || to[live] == UINT32_MAX ? 0 : a->n_sounds + 1 + to[live];
}

void
rt_layer_inherit(rt_analyse *a, const rt_analyse *from)
{
    uint32_t to[RT_LAYER_SOUNDS];
    const uint32_t n = a->layer ? idx_n_sounds(a->layer) : 0;
    const uint32_t n_from = from->layer ? idx_n_sounds(from->layer) : 0;
    /* what is learned comes last, and what is forgotten changes no order */
    for (uint32_t i = 0, j = 0; j < n_from; j++)
        to[j] = i < n && same_label(a->layer, i, from->layer, j) ? i++ : UINT32_MAX;
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        rt_agreement *g = &a->agreement[s];
        for (uint32_t i = 0; i < RT_ANSWERS; i++)
            g->best[i] = renumber(a, to, n_from, g->best[i]);
        g->held = renumber(a, to, n_from, g->held);
        for (uint32_t j = 0; j < n_from; j++)
            if (to[j] != UINT32_MAX)
                a->live_sent[s][to[j]] = from->live_sent[s][j];
    }
}
