/*
 * The family of cells: k-means LSH (Pauleve, Jegou, Amsaleg, PRL 2010) with the rows of
 * a cell ranked by codes around its centre (sieve.h).
 *
 * Rows and entries of the scale lie cell by cell, so that an entry is also its place.
 */
#ifndef HEARKEN_CELLS_H
#define HEARKEN_CELLS_H

#include "partition.h"
#include "sieve.h"

enum { IDX_MAX_CELLS = 1 << 20 };

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
    void *sieve;           /* [idx_sieve_bytes()] */
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

#endif
