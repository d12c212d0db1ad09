/* k-means over rows side by side. Cold. */
#ifndef HEARKEN_LLOYD_H
#define HEARKEN_LLOYD_H

#include "idxkern.h"

#include <stdbool.h>

/*
 * k centres [k][dim] of rows [n][dim], n of 1 and more: k-means++ from a seed, then so
 * many of Lloyd's rounds. Equal distances go to the lower centre; a centre without rows
 * moves to the row that is farthest from its own, as long as one is away from it.
 * Returns how many of the centres are places of their own: where there are fewer places
 * than centres each is one, and the centres from there on are copies of the first, at
 * no cost. 0 when memory runs out.
 */
uint32_t idx_lloyd(float centres[], uint32_t k, const float rows[], uint32_t n,
                   uint32_t dim, int rounds, uint64_t seed, const idx_kern *kern);

/* centres[of[i]] become the means of their rows, summed in double in order of i; those
 * without rows stay. False when memory runs out. */
bool idx_means(float centres[], uint32_t k, const float rows[], const uint32_t of[],
               uint32_t n, uint32_t dim);

#endif
