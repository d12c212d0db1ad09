/* Rows to codes, cell by cell. Cold. */
#ifndef HEARKEN_CELLS_CODE_H
#define HEARKEN_CELLS_CODE_H

#include "cells.h"
#include "partition.h"

/* A scale of cells in the making. */
typedef struct {
    const idx_scale *sc;
    const idx_making *how;
    idx_partition p;
    size_t bits;
    uint32_t *of;           /* [n_entries] cell of each row */
    uint32_t *order;        /* [n_entries] rows by cell */
    uint32_t *starts;       /* FMT_STARTS: of groups, then ... */
    uint32_t *cell, *block; /* ... these, within */
    uint64_t *signs;
    uint8_t *coarse, *blocks;
    float *unit, *steps;
    idx_entry *entries;
    void *rows; /* as they are stored */
} idx_making_cells;

/* Fills all that belongs to eight cells: their rounded centres, and rows, entries,
 * steps and codes of their rows. job is an idx_making_cells. */
void idx_cells_fill(void *job, size_t eight);

#endif
