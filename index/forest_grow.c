/* Growing one tree, level by level. Cold. */
#include "forest_grow.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more of n items; false, and failed, when memory runs out. */
static bool
have_room(idx_tree *t, void **items, size_t n, size_t *room, size_t item_bytes)
{
    if (n < *room)
        return true;
    const size_t more = *room ? 2 * *room : 64;
    void *grown = idx_regrow(&t->how->store, *items, more, item_bytes);
    if (!grown) {
        t->failed = true;
        return false;
    }
    *items = grown;
    *room = more;
    return true;
}

static void
enqueue(idx_tree *t, idx_sprout s)
{
    void *queue = t->queue;
    const bool ok = have_room(t, &queue, t->n_queue, &t->queue_room, sizeof s);
    t->queue = queue;
    if (ok)
        t->queue[t->n_queue++] = s;
}

/* Tells the parent what became of its child. */
static void
settle(idx_tree *t, const idx_sprout *s, uint32_t ref)
{
    if (s->parent == IDX_NO_REF)
        t->root = ref;
    else
        t->node[s->parent].child[s->side] = ref;
}

/* Room for one more node and its plane. */
static bool
node_room(idx_tree *t)
{
    void *node = t->node, *plane = t->plane;
    size_t room = t->node_room;
    bool ok = have_room(t, &node, t->n_nodes, &room, sizeof *t->node);
    t->node = node;
    ok = ok && have_room(t, &plane, t->n_nodes, &t->node_room,
                         t->scale->dim * sizeof *t->plane);
    t->plane = plane;
    return ok;
}

static void
add_leaf(idx_tree *t, const idx_sprout *s)
{
    void *end = t->leaf_end;
    const bool ok = have_room(t, &end, t->n_leaves, &t->leaf_room, sizeof(uint32_t));
    t->leaf_end = end;
    if (!ok)
        return;
    const uint32_t n = s->end - s->begin;
    const uint32_t from = t->n_leaves ? t->leaf_end[t->n_leaves - 1] : 0;
    memcpy(t->leaf_id + from, t->id + s->begin, n * sizeof *t->id);
    t->leaf_end[t->n_leaves] = from + n;
    settle(t, s, IDX_LEAF_BIT | (uint32_t)t->n_leaves++);
}

/* Puts those in front first, each part in the order it had; returns where the other
 * part begins. */
static uint32_t
divide(idx_tree *t, const idx_sprout *s, float offset)
{
    uint32_t n_front = 0, n_behind = 0;
    for (uint32_t i = 0; i < s->end - s->begin; i++) {
        const uint32_t id = t->id[s->begin + i];
        if (t->side[i] > offset)
            t->id[s->begin + n_front++] = id;
        else
            t->spare[n_behind++] = id;
    }
    memcpy(t->id + s->begin + n_front, t->spare, n_behind * sizeof *t->id);
    return s->begin + n_front;
}

static void
add_node(idx_tree *t, const idx_sprout *s, const idx_sprout children[2], float offset)
{
    const uint32_t number = (uint32_t)t->n_nodes++;
    t->node[number] = (idx_node){.offset = offset};
    settle(t, s, number);
    for (uint32_t side = 0; side < 2; side++) {
        idx_sprout child = children[side];
        child.parent = number;
        child.side = side;
        enqueue(t, child);
    }
}

/* A node of the forest before stays what it was. */
static void
keep_node(idx_tree *t, const idx_sprout *s)
{
    const idx_node *old = &t->old->node[s->old];
    const uint32_t dim = t->scale->dim;
    if (!node_room(t))
        return;
    memcpy(t->plane + t->n_nodes * dim, t->old->plane + (size_t)s->old * dim,
           dim * sizeof *t->plane);
    const idx_sprout children[2] = {{.old = old->child[0]}, {.old = old->child[1]}};
    add_node(t, s, children, old->offset);
}

static void
grow_one(idx_tree *t, idx_sprout s)
{
    float offset;
    if (s.old != IDX_NO_REF && s.old < t->old->n_nodes) {
        keep_node(t, &s);
        return;
    }
    if (s.old != IDX_NO_REF) {
        const uint32_t leaf = s.old - t->old->n_nodes;
        s.begin = t->begin[leaf];
        s.end = t->begin[leaf + 1];
    }
    const uint32_t n = s.end - s.begin;
    if (n <= t->scale->params.leaf || !node_room(t) ||
        !idx_part(t, t->id + s.begin, n, t->plane + t->n_nodes * t->scale->dim,
                  &offset)) {
        add_leaf(t, &s);
        return;
    }
    const uint32_t mid = divide(t, &s, offset);
    const idx_sprout children[2] = {
        {.begin = s.begin, .end = mid, .old = IDX_NO_REF},
        {.begin = mid, .end = s.end, .old = IDX_NO_REF},
    };
    add_node(t, &s, children, offset);
}

void
idx_tree_grow(idx_tree *t, idx_sprout first)
{
    enqueue(t, first);
    for (size_t i = 0; i < t->n_queue && !t->failed; i++)
        grow_one(t, t->queue[i]);
}

void
idx_tree_done(idx_tree *t)
{
    const idx_store *store = &t->how->store;
    idx_give(store, t->id);
    idx_give(store, t->spare);
    idx_give(store, t->side);
    idx_give(store, t->sorted);
    idx_give(store, t->queue);
    t->id = t->spare = NULL;
    t->side = t->sorted = NULL;
    t->queue = NULL;
}

void
idx_tree_free(idx_tree *t)
{
    if (!t->how) /* it was never begun */
        return;
    const idx_store *store = &t->how->store;
    idx_tree_done(t);
    idx_give(store, t->node);
    idx_give(store, t->plane);
    idx_give(store, t->leaf_end);
    idx_give(store, t->leaf_id);
    *t = (idx_tree){0};
}
