/*
 * Random rotations: y = H D3 H D2 H D1 x, with H the Walsh-Hadamard transform over the
 * next power of two of dim, x followed by zeros, and random signs on the diagonals D.
 * Three rounds, because fewer leave traces of the axes (Andoni et al., NIPS 2015).
 */
#ifndef HEARKEN_ROTATE_H
#define HEARKEN_ROTATE_H

#include <stddef.h>
#include <stdint.h>

enum { IDX_ROUNDS = 3 };

/* The next power of two. */
static inline size_t
idx_rotate_dim(size_t dim)
{
    size_t d = 1;
    while (d < dim)
        d *= 2;
    return d;
}

/* Words of the signs of one rotation: for each round those of its diagonal, sign i
 * being bit i & 63 of word i >> 6, and - where it is 1. */
static inline size_t
idx_rotate_words(size_t dim)
{
    return IDX_ROUNDS * ((idx_rotate_dim(dim) + 63) / 64);
}

/* signs[n_rotations][idx_rotate_words(dim)] from a seed; bits beyond a diagonal are 0.
 * Cold, as all of random.h. */
void idx_rotate_signs(uint64_t signs[], size_t dim, uint32_t n_rotations,
                      uint64_t seed);

/*
 * out[idx_rotate_dim(dim)] = x[dim] rotated: lengths and angles are kept but for
 * rounding. Sums of two at a time in a fixed order: the same bits on every machine.
 * dim is at most IDX_MAX_DIM. Hot.
 */
void idx_rotate(float out[], const float x[], const uint64_t signs[], size_t dim);

/* x[d] = H x, d a power of two; twice is d times the identity. Hot. */
void idx_hadamard(float x[], size_t d);

#endif
