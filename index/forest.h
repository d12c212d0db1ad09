/*
 * Forest of planes: trees that halve the rows again and again, searched together
 * (Annoy; Vinyard 2019).
 */
#ifndef HEARKEN_FOREST_H
#define HEARKEN_FOREST_H

#include "family.h"

/* How the plane of a node is drawn: params.n_planes. */
enum {
    IDX_RANDOM_PLANES = 1, /* any direction */
    IDX_TWO_MEANS = 2,     /* between two means of its rows */
};

/*
 * A node with two children, in front of its plane (margin above 0) and behind. A child
 * is a node, below n_nodes of all trees, or n_nodes + a leaf.
 */
typedef struct {
    uint32_t child[2];
    float offset; /* margin of x = plane . x - offset */
} idx_node;

/*
 * The sections of a forest with n_nodes = params.n_cells, and n_nodes + n_trees leaves:
 *
 *   FMT_NODES   uint32 [n_trees], the root of each; then idx_node [n_nodes]
 *   FMT_PLANES  float [n_nodes][dim], of unit length
 *   FMT_STARTS  uint32 [n_nodes + n_trees + 1]
 *   FMT_IDS     uint32 [n_trees][n_entries]; leaf i holds start[i] to start[i + 1] of
 *               them all, which are ascending
 *
 * Trees follow each other, each by rising depth: in the order of the trees, of the
 * parents and of their children, the numbers of nodes count up from 0, and those of
 * leaves too. So children come after their parents, and all belong to one parent.
 */
typedef struct {
    uint32_t n_trees, n_nodes, n_entries, dim;
    const uint32_t *root;
    const idx_node *node;
    const float *plane;
    const uint32_t *start;
    const uint32_t *id;
} idx_forest;

enum { IDX_FOREST_HEAP = 2 * IDX_MAX_PROBES }; /* nodes waiting at most */

idx_forest idx_forest_of(const idx_scale *scale, const void *const part[FMT_KINDS]);

/*
 * Makes a forest of the first n_before rows of a scale one of all its rows: the others
 * go down to their leaves, and leaves that outgrow the limit are split. On failure
 * (IDX_ENOMEM) it stays as it was. Cold.
 */
idx_status idx_forest_append(idx_built *built, const idx_scale *scale,
                             uint32_t n_before, const idx_making *how);

void idx_forest_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                       idx_top *top, idx_work *work);

#endif
