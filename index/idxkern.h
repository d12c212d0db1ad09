/*
 * Kernels of index/: dot products of one vector with many, and squared distances.
 *
 * Every one is summed in one fixed order, whatever the kernel and however many
 * rows are taken at a time: lane j of 16 adds x[i] * y[i] for i = j, j + 16, ...
 * (product and sum rounded separately, no fused multiply-add), then the lanes are
 * folded in halves: j with j + 8, j + 4, j + 2, j + 1. So all kernels agree bit for
 * bit: an index built on one machine has the same bytes as on another, and a search by
 * hash tables ends with the same cosines as an exact one. On memory-bound rows this
 * costs nothing against FMA.
 */
#ifndef HEARKEN_IDXKERN_H
#define HEARKEN_IDXKERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* "c", "avx2" */
    /* out[i] = x . rows[i][dim], i < n. Any alignment, any dim and n; no overlap. */
    void (*dots)(float *restrict out, const float *restrict x,
                 const float *restrict rows, size_t dim, size_t n);
    /* out[i] = x . rows[id[i]][dim], i < n; fetches rows ahead of their use. */
    void (*picks)(float *restrict out, const float *restrict x,
                  const float *restrict rows, size_t dim, const uint32_t *restrict id,
                  size_t n);
    /* The same two with out[i] = |x - row|^2, the differences taken one by one, so that
     * rows next to each other do not drown in the rounding of their lengths. */
    void (*gaps)(float *restrict out, const float *restrict x,
                 const float *restrict rows, size_t dim, size_t n);
    void (*gap_picks)(float *restrict out, const float *restrict x,
                      const float *restrict rows, size_t dim,
                      const uint32_t *restrict id, size_t n);
    /* out[i] = half[i], i < n: binary16 to float, exactly. */
    void (*widen)(float *restrict out, const uint16_t *restrict half, size_t n);
} idx_kern;

extern const idx_kern idx_kern_c;
extern const idx_kern idx_kern_avx2; /* name is NULL where it was not compiled */

/* Kernels that this CPU can run: list[0] is "c", the last one is the fastest. */
size_t idx_kern_list(const idx_kern *list[2]);

/* The fastest, or the twin in C when IDX_KERN=c is in the environment. Cold. */
const idx_kern *idx_kern_pick(void);

#endif
