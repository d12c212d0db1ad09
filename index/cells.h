/*
 * The family of cells: k-means LSH (Pauleve, Jegou, Amsaleg, PRL 2010) with the rows of
 * a cell ranked by codes of a bit a dimension (RaBitQ: Gao and Long, SIGMOD 2024).
 *
 * Rows and entries of the scale lie cell by cell, so that an entry is also its place.
 * A row x in the cell of centre c has the residual e = R (x - c), R a random rotation,
 * and as its code s the signs of e. With y = R q, the product of residuals is estimated
 * without bias, and with an error that is known, by one sum of signs:
 *
 *   (q - c) . (x - c)  ~  f (s . y - s . R c),        f = |e|^2 / sum |e_i|
 *   standard error        f |q - c| IDX_CODE_ERROR
 *
 *   cosine   q . x             = q . c          + (c . (x - c) - f s . R c) + f s . y
 *   Euclid   -|q - x|^2 / 2    = -|q - c|^2 / 2 + (-|e|^2 / 2  - f s . R c) + f s . y
 *                                base of cell     offset of row               factor
 *
 * so a row needs two numbers beside its code, a query one table of sums for all cells,
 * and a row whose estimate plus `width` errors stays below the k-th best so far is
 * passed over unseen. What is left is compared exactly.
 */
#ifndef HEARKEN_CELLS_H
#define HEARKEN_CELLS_H

#include "partition.h"
#include "rotate.h"
#include "scan_kern.h"
#include "search.h"

/* sqrt(1 - 2/pi): what signs do not tell of a direction, 2/pi being what they do. */
#define IDX_CODE_ERROR 0.60281F

enum {
    IDX_CHUNK_BLOCKS = 32,                             /* of codes, scanned at a time */
    IDX_CHUNK_ROWS = IDX_CHUNK_BLOCKS * IDX_CODE_ROWS, /* of them */
    IDX_MAX_CELLS = 1 << 20,
    IDX_MIN_BITS = 8,
};

/* Bits in a code: those of the rotation, and whole bytes of pairs of nibbles. */
static inline size_t
idx_cells_bits(size_t dim)
{
    const size_t bits = idx_rotate_dim(dim);
    return bits < IDX_MIN_BITS ? IDX_MIN_BITS : bits;
}

/* The sections of a scale of cells. */
typedef struct {
    uint32_t n_groups, n_cells;
    const uint32_t *group; /* [n_groups + 1] first cell; FMT_STARTS */
    const uint32_t *cell;  /* [n_cells + 1] first entry */
    const uint32_t *block; /* [n_cells + 1] first block of codes */
    const float *groups;   /* [n_groups][dim] centres; FMT_GROUPS */
    const float *cells;    /* [n_cells][dim] centres; FMT_CELLS */
    const uint8_t *coarse; /* [n_cells / 8] blocks of centres; FMT_COARSE */
    const uint8_t *blocks; /* [n_blocks] of codes; FMT_BLOCKS */
    const uint64_t *signs; /* of the rotation; FMT_SIGNS */
    float unit;            /* lengths are divided by it in factors; FMT_OFFSETS */
} idx_cells;

idx_cells idx_cells_of(const idx_index *index, uint32_t scale);

/* Working memory of one query, in idx_scratch.own. */
typedef struct {
    float *y;              /* [bits] the query rotated */
    uint8_t *table;        /* [bits / 4][16] */
    int8_t *bytes;         /* [dim4][4] the query in bytes */
    float *score;          /* [n_groups] or, of cells looked at, [n_cells] */
    float *best;           /* [n_cells / 8] the best of each eight cells */
    uint32_t *eight;       /* [n_cells / 8] the first of them */
    idx_hit *near, *visit; /* [n_groups], [n_cells]: nearest first */
    uint32_t *id;          /* [n_cells] of visit */
    float *dot, *gap;      /* [n_cells] q . c and |q - c|^2, in order of visit */
    float *centred;        /* [dim] query less centre */
    idx_survivor *pending; /* [2][IDX_CHUNK_ROWS] */
} idx_cells_scratch;

/* Lays out the memory at base (NULL: only counts); returns the bytes. */
size_t idx_cells_scratch_lay(idx_cells_scratch *s, void *base, const idx_scale *scale);

void idx_cells_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                      idx_top *top, idx_work *work);

/* out[bits] = R x. */
void idx_cells_rotate(float out[], const float x[], const uint64_t signs[], size_t dim);

#endif
