/* Rows to cells by k-means in two levels: groups, and cells within each. Cold. */
#ifndef HEARKEN_PARTITION_H
#define HEARKEN_PARTITION_H

#include "family.h"

enum {
    IDX_CELL_UNIT = 8,    /* cells of a group come in eights, as idx_scan_kern wants */
    IDX_GROUP_CELLS = 64, /* cells in a group, on average */
};

/* The number of groups for so many cells: 1 where looking at all cells costs little. */
uint32_t idx_groups_of(uint32_t n_cells);

typedef struct {
    uint32_t n_groups, n_cells, dim;
    uint32_t *group; /* [n_groups + 1] its first cell, a multiple of 8 */
    float *groups;   /* [n_groups][dim] centres */
    float *cells;    /* [n_cells][dim] centres */
    float *half;     /* [n_cells] half the squared lengths of these */
    uint32_t *live;  /* [n_groups] its cells that are places of their own, which come
                        first and alone are given rows */
    idx_store store; /* that these are from */
} idx_partition;

void idx_partition_free(idx_partition *p);

/*
 * Learns n_cells centres (a multiple of 8) from a spread sample of the rows of a scale:
 * k-means++ (Arthur and Vassilvitskii, SODA 2007) and Lloyd's rounds for the groups,
 * the same within each group for its share of the cells, then Lloyd's rounds over all,
 * each row looking at the cells of its nearest groups. Rows may repeat: centres beyond
 * the distinct rows are copies whose cells stay empty, and are passed over while
 * building, or a million copies of one row would be compared with thousands of them.
 * The same arguments give the same centres, whatever the threads. IDX_ENOMEM, or
 * IDX_EIO when stopped; *out is then empty.
 */
idx_status idx_partition_learn(idx_partition *out, const idx_scale *scale,
                               uint32_t n_cells, const idx_making *how);

/* cell[n_entries]: the nearest cell of each row among those of its nearest groups;
 * equally near ones in order. */
idx_status idx_partition_assign(const idx_partition *p, const float rows[], uint32_t n,
                                uint32_t cell[], const idx_making *how);

#endif
