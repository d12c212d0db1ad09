/*
 * What plain LSH would take, by how often functions agree on pairs that are near and on
 * any pairs (Slaney, Lifshits, He, Proc. IEEE 2012). Cold.
 */
#ifndef HEARKEN_PLAN_H
#define HEARKEN_PLAN_H

#include <stddef.h>
#include <stdint.h>

/* Shares of functions that agree, one for each pair of a sample: means hide the tails,
 * and powers of a mean are not the mean of powers. */
typedef struct {
    const double *near, *any;
    size_t n_near, n_any;
} idx_pairs;

typedef struct {
    uint32_t n_tables;
    double candidates; /* different rows that share a bucket with a query */
} idx_plan;

/*
 * With n_functions to a key, the fewest tables that hold so large a share of the near
 * pairs in one bucket, by
 *
 *   recall(K, L) = mean over near pairs of 1 - (1 - p^K)^L
 */
idx_plan idx_plan_of(const idx_pairs *pairs, uint32_t n_functions, double recall,
                     uint32_t n_entries);

#endif
