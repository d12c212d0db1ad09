/*
 * Codes that spare most candidates of hash tables their exact comparison: a bit for
 * each dimension of a rotated row (Gao and Long, SIGMOD 2024), and two numbers.
 */
#ifndef HEARKEN_SKETCH_H
#define HEARKEN_SKETCH_H

#include "family.h"
#include "rotate.h"

/* Bits worth their memory for rows of dim: 0, none, for short ones. */
static inline uint32_t
idx_sketch_bits(uint32_t dim)
{
    return dim > 32 ? (uint32_t)idx_rotate_dim(dim) : 0;
}

/* Words of the sketch of a row of bits: the code, bit b being bit b & 63 of word b >>
 * 6, and a word of two floats. */
static inline size_t
idx_sketch_words(uint32_t bits)
{
    return (bits + 63) / 64 + 1;
}

/*
 * With the row r and the query q both less the centre c, and R a rotation:
 *
 *   r . q is about factor * sum of +-(R q)[i], by the bits, 1 being +
 *   factor = |r|^2 / sum of |(R r)[i]|
 *   offset = c . r by cosine, - |r|^2 / 2 by Euclid: what a likeness has beside
 */
typedef struct {
    float factor, offset;
} idx_sketch_side;

/* A query as sketches are scored by it; memory is that of the scratch. */
typedef struct idx_sketch {
    const uint64_t *sketch; /* [n_entries][words] */
    size_t words;
    uint32_t n_bytes;   /* of a code */
    const float *table; /* [n_bytes][256] twice the sum of (R q)[i] where bits are 1 */
    float least_sum;    /* of them all where none is, and the error that is allowed */
    float base;         /* of a likeness */
} idx_sketch;

/* Bytes that a query needs of a scratch. */
static inline size_t
idx_sketch_scratch_bytes(uint32_t bits)
{
    return (size_t)(bits + 7) / 8 * 256 * sizeof(float);
}

/* s->unit by the sketches of a scale, whose params.leaf is their bits; signs are those
 * of R. room is idx_sketch_scratch_bytes(). Hot. */
idx_sketch idx_sketch_begin(const idx_index *index, uint32_t scale, idx_scratch *s,
                            const uint64_t signs[], float room[]);

/* At most as near as this is a row, but for one in fifty. Hot. */
float idx_sketch_upper(const idx_sketch *k, uint32_t entry);

/* FMT_CODES of a scale whose FMT_CENTRE is there. Cold. */
idx_status idx_sketch_build(idx_built *out, const idx_scale *scale,
                            const idx_making *how, const uint64_t signs[]);

/* The same, and FMT_SIGNS, of that rotation alone. */
idx_status idx_sketch_build_own(idx_built *out, const idx_scale *scale,
                                const idx_making *how);

/* FMT_CODES of a scale with so many bits. */
uint64_t idx_sketch_bytes(uint32_t bits, uint32_t n_entries);

/* Whether all numbers are finite; false with a reason. */
bool idx_sketch_holds(const idx_scale *scale, const uint64_t sketch[], char *fault,
                      size_t fault_len);

#endif
