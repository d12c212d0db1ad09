/*
 * Measures of ranked retrieval, with ties by their expected value over random order
 * (McSherry and Najork, ECIR 2008): nothing is gained or lost by the order of a file.
 *
 * A score that is no number is below all that are, and ties with its like. -0 is 0.
 */
#ifndef HEARKEN_RT_RANK_H
#define HEARKEN_RT_RANK_H

#include <stdbool.h>
#include <stddef.h>

/* One candidate for one query. */
typedef struct {
    float score; /* higher is better; equal ones are a tie */
    bool relevant;
} rt_candidate;

/*
 * What one ranked list is worth, 0..1. Both sort c by score, in place.
 *
 * average_precision is at depth R: the sum over the first R places of relevant * hits
 * so far / place, divided by min(R, all that is relevant). R = 0 is no cut: n. It is 0
 * where nothing is relevant; a mean over queries leaves such queries out.
 *
 * precision is the share of relevant ones among the first k: of k, even when there are
 * fewer candidates. It is 0 for k = 0.
 */
double rt_average_precision(rt_candidate c[], size_t n, size_t depth);
double rt_precision_at(rt_candidate c[], size_t n, size_t k);

/* Chance that the one relevant candidate (number target, below n) is among the first k.
 * Its mean over queries is recall@k. One pass; nothing is sorted. */
double rt_recall_at(const float score[], size_t n, size_t target, size_t k);

#endif
