/* p-stable LSH: keys. */
#ifndef HEARKEN_PSTABLE_H
#define HEARKEN_PSTABLE_H

#include "family.h"
#include "hash.h"

enum { IDX_MAX_STABLE = IDX_MAX_KEY / 2 }; /* functions in a key: a rank is 2 bits */

/* Slots of a table of n entries, as a power of two: an entry each. */
static inline uint32_t
idx_slot_bits(uint32_t n_entries)
{
    const uint32_t log2_n = 31U - (uint32_t)__builtin_clz(n_entries | 1);
    return log2_n < 1 ? 1 : log2_n > FMT_MAX_PLANES ? FMT_MAX_PLANES : log2_n;
}

/*
 * The value of a function, floor(a.x / width + offset) with an offset of 0..1 (Datar et
 * al., SCG 2004), and in *above how far x is from its lower end, 0..1: clamped to what
 * 32 bits hold, whatever the projection, since a float beyond has no fraction.
 */
static inline int32_t
idx_stable_value(float projection, float per_width, float offset, float *above)
{
    const float t = projection * per_width + offset;
    *above = 0.5F;
    if (!(t > -0x1p30F && t < 0x1p30F))
        return t >= 0x1p30F ? 1 << 30 : -(1 << 30);
    int32_t value = (int32_t)t;
    value -= (float)value > t;
    *above = t - (float)value;
    return value;
}

/* What one more in the value of a function adds to a key. */
static inline uint64_t
idx_stable_step(uint32_t function)
{
    return idx_hash_mix(function + 1U) | 1;
}

/* Of idx_family_ops: chooses what is 0 of functions, tables and width. Cold. */
void idx_stable_choose(idx_params *p, const idx_scale *scale, const idx_making *how);

/* Home keys and choices of s->unit. */
idx_hash idx_stable_hash(const idx_index *index, uint32_t scale, idx_scratch *s);

void idx_stable_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                       idx_top *top, idx_work *work);

#endif
