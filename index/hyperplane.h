/* Hyperplane LSH: keys. */
#ifndef HEARKEN_HYPERPLANE_H
#define HEARKEN_HYPERPLANE_H

#include "hash.h"

/*
 * Key of a vector from its projections on the planes of one table: bit b is the side of
 * plane b (Charikar, STOC 2002).
 */
static inline uint32_t
idx_key(const float side[], uint32_t n_planes)
{
    uint32_t key = 0;
    for (uint32_t b = 0; b < n_planes; b++)
        key |= (uint32_t)(side[b] >= -IDX_PLANE_EPS) << b;
    return key;
}

/* Home keys and choices of s->unit. */
idx_hash idx_hyperplane_hash(const idx_index *index, uint32_t scale, idx_scratch *s);

void idx_hyperplane_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                           idx_top *top, idx_work *work);

#endif
