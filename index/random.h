/* Random numbers of index/: integers by one named generator, the same everywhere. Cold.
 */
#ifndef HEARKEN_RANDOM_H
#define HEARKEN_RANDOM_H

#include <stdint.h>

/* xoshiro256** (Blackman and Vigna, 2018) */
typedef struct {
    uint64_t s[4];
} idx_random;

/* Seeded by splitmix64: any seed will do, and near ones have nothing in common. */
idx_random idx_random_of(uint64_t seed);

uint64_t idx_draw(idx_random *r);

/* Below n, which is 1 or more; even to within 2^-32. */
uint32_t idx_draw_below(idx_random *r, uint32_t n);

/* Uniform in (0, 1]: log() of it is finite. */
double idx_draw_unit(idx_random *r);

/* A normal deviate by Box and Muller (1958). */
double idx_draw_normal(idx_random *r);

#endif
