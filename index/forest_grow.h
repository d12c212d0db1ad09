/* One tree of a forest while it grows. Private to the building of forests. Cold. */
#ifndef HEARKEN_FOREST_GROW_H
#define HEARKEN_FOREST_GROW_H

#include "forest.h"
#include "random.h"

#define IDX_NO_REF UINT32_MAX

/* A child in a tree on its own: a node, or this bit and a leaf. */
#define IDX_LEAF_BIT 0x80000000U

/* Rows that are to become a node or a leaf. */
typedef struct {
    uint32_t begin, end;   /* in id[] */
    uint32_t old;          /* what they were in the forest before, or IDX_NO_REF */
    uint32_t parent, side; /* whose child they are; IDX_NO_REF: of none */
} idx_sprout;

typedef struct {
    const idx_scale *scale;
    const idx_making *how;
    const idx_forest *old; /* that is appended to, or NULL */
    const uint32_t *begin; /* of its leaves in id[] */
    idx_random random;
    uint32_t *id, *spare; /* [n_entries] */
    float *side, *sorted; /* [n_entries] */
    idx_sprout *queue;    /* this and what follows is grown */
    size_t n_queue, queue_room;
    uint32_t root;
    idx_node *node;
    float *plane;
    size_t n_nodes, node_room;
    uint32_t *leaf_end; /* in leaf_id[] */
    size_t n_leaves, leaf_room;
    uint32_t *leaf_id; /* [n_entries] in the order of leaves */
    bool failed;       /* out of memory */
} idx_tree;

/* Grows a tree from tree->id, or from what there was: first is all that there is. */
void idx_tree_grow(idx_tree *tree, idx_sprout first);

/* Frees what only growing needs; and all. */
void idx_tree_done(idx_tree *tree);
void idx_tree_free(idx_tree *tree);

/*
 * A plane that parts n rows, id[n], in two that are not empty: plane[dim] and its
 * offset, with side[n] their projections. False where no plane does: all are alike.
 */
bool idx_part(idx_tree *tree, const uint32_t id[], uint32_t n, float plane[],
              float *offset);

#endif
