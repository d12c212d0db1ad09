/* Exact neighbours of many stored rows at once, for tuning and calibration. Cold. */
#ifndef HEARKEN_STRANGERS_H
#define HEARKEN_STRANGERS_H

#include "family.h"

#include <float.h>

/* Whether the rows of a scale come from two sounds or more. */
bool idx_has_strangers(const idx_scale *scale);

/*
 * Whether row is to be left out of the answers for another row, query. Frames of one
 * sound overlap, so its own sound says little about how a search does on sounds never
 * heard; with a single sound only the row itself can be left out.
 */
static inline bool
idx_is_own(const idx_scale *scale, bool by_sound, uint32_t query, uint32_t row)
{
    return by_sound ? scale->entries[query].sound == scale->entries[row].sound
                    : query == row;
}

/* The i-th of n rows spread evenly over a scale. */
static inline uint32_t
idx_spread_row(const idx_scale *scale, uint32_t i, uint32_t n)
{
    return (uint32_t)((uint64_t)i * scale->n_entries / n);
}

/* Below every likeness. */
#define IDX_NO_STRANGER (-FLT_MAX)

/*
 * best[n_queries][k]: for each of n_queries rows spread over the scale, the k highest
 * likenesses (as in idx_hit) to rows that are not its own, falling; IDX_NO_STRANGER
 * where there are fewer. Uses kern, tick and parallel of how.
 */
void idx_strangers(const idx_scale *scale, const idx_making *how, uint32_t n_queries,
                   uint32_t k, float best[]);

#endif
