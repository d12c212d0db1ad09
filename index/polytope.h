/* Cross-polytope LSH: keys. */
#ifndef HEARKEN_POLYTOPE_H
#define HEARKEN_POLYTOPE_H

#include "hash.h"
#include "rotate.h"

/*
 * A key of n_planes bits is made of functions of log2(2d) bits each, d being the next
 * power of two of dim, and of a last one of the bits that are left. A function rotates
 * by its own rotation and takes the coordinate of the largest size, with its sign
 * (Andoni et al., NIPS 2015); the last one looks at its first coordinates only.
 */
typedef struct {
    size_t dim, d;        /* d: coordinates */
    uint32_t bits;        /* of all functions but the last */
    uint32_t n_functions; /* of a key */
    uint32_t last_bits;   /* 1..bits */
} idx_polytope;

idx_polytope idx_polytope_of(uint32_t dim, uint32_t n_planes);

/*
 * Reads the value of one function: a coordinate and a sign, 2 i or, where it is
 * negative, 2 i + 1. ranks[d] becomes the sizes of all n = 2^(bits - 1) coordinates it
 * looks at, as integers that no two share, each with its value in the low bits.
 */
uint32_t idx_polytope_value(int32_t ranks[], const float centred[],
                            const uint64_t signs[], const idx_polytope *p,
                            uint32_t function);

/* Home keys and choices of s->unit. */
idx_hash idx_polytope_hash(const idx_index *index, uint32_t scale, idx_scratch *s);

void idx_polytope_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                         idx_top *top, idx_work *work);

#endif
