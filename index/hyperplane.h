/* Hyperplane LSH: keys, and the sequence of buckets of a query. */
#ifndef HEARKEN_HYPERPLANE_H
#define HEARKEN_HYPERPLANE_H

#include "search.h"

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

/* Starts the sequence of buckets for scratch->unit. */
void idx_probe_start(const idx_index *index, uint32_t scale, idx_scratch *s);

/*
 * The next bucket in order of promise: the home buckets of all tables, then by
 * ascending sum of squared distances to the planes that are crossed. False when all
 * buckets of all tables have been given. At most n_probes calls per start.
 */
bool idx_probe_next(idx_scratch *s, uint32_t n_tables, uint32_t n_planes,
                    uint32_t *table, uint32_t *key);

void idx_hyperplane_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                           idx_top *top, idx_work *work);

#endif
