/* Building, appending to and checking forests. Cold. */
#include "forest_grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 8, /* trees between two ticks */
    DEFAULT_TREES = 16,
    DEFAULT_LEAF = 64,
};

static void
choose(idx_params *p, const idx_scale *scale, const idx_making *how)
{
    (void)scale;
    (void)how;
    if (p->n_planes == 0)
        p->n_planes = IDX_TWO_MEANS;
    if (p->n_tables == 0)
        p->n_tables = DEFAULT_TREES;
    if (p->leaf == 0)
        p->leaf = DEFAULT_LEAF;
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    const uint64_t most = (uint64_t)h->n_tables * h->n_entries;
    if (h->n_entries == 0)
        return FAULT("it has trees but no entries");
    if (h->n_planes != IDX_RANDOM_PLANES && h->n_planes != IDX_TWO_MEANS)
        return FAULT("n_planes %u is no kind of plane", h->n_planes);
    if (h->n_tables < 1 || h->n_tables > FMT_MAX_TABLES)
        return FAULT("n_tables %u is outside of 1..%d", h->n_tables, FMT_MAX_TABLES);
    if (most > INT32_MAX) /* references to nodes and leaves are of 32 bits */
        return FAULT("%u trees of %u entries are too many", h->n_tables, h->n_entries);
    if (h->leaf == 0)
        return FAULT("a leaf of 0 entries cannot be");
    if (h->n_cells > most - h->n_tables)
        return FAULT("%u nodes are more than entries allow", h->n_cells);
    if (h->n_probes < 1 || h->n_probes > most)
        return FAULT("n_probes %u is outside of 1..%llu leaves", h->n_probes,
                     (unsigned long long)most);
    if (h->max_candidates == 0)
        return FAULT("max_candidates is 0");
    return true;
}

static uint64_t
bytes(const fmt_scale *h, uint32_t kind)
{
    const uint64_t n_nodes = h->n_cells, n_trees = h->n_tables;
    switch (kind) {
    case FMT_NODES:
        return n_trees * sizeof(uint32_t) + n_nodes * sizeof(idx_node);
    case FMT_PLANES:
        return n_nodes * h->dim * sizeof(float);
    case FMT_STARTS:
        return (n_nodes + n_trees + 1) * sizeof(uint32_t);
    case FMT_IDS:
        return n_trees * h->n_entries * sizeof(uint32_t);
    default:
        return 0;
    }
}

/* ---- Checking ------------------------------------------------------------------- */

typedef struct {
    const idx_forest *f;
    uint32_t n_nodes, n_leaves; /* referred to so far */
} counting;

/* Whether a reference is the next of its kind. */
static bool
counts_up(counting *c, uint32_t ref)
{
    if (ref < c->f->n_nodes)
        return ref == c->n_nodes++;
    return ref - c->f->n_nodes == c->n_leaves++;
}

/* Whether every node and leaf has one parent, before it, and each tree all entries. */
static bool
trees_hold(const idx_forest *f)
{
    counting c = {.f = f};
    uint32_t done = 0;
    for (uint32_t t = 0; t < f->n_trees; t++) {
        if (!counts_up(&c, f->root[t]))
            return false;
        for (; done < c.n_nodes; done++)
            if (!counts_up(&c, f->node[done].child[0]) ||
                !counts_up(&c, f->node[done].child[1]))
                return false;
        /* a tree has a leaf more than nodes, so this is within start[] */
        if (f->start[c.n_leaves] != (t + 1) * f->n_entries)
            return false;
    }
    return done == f->n_nodes;
}

static bool
holds(const idx_index *index, uint32_t scale, char *fault, size_t fault_len)
{
    const idx_scale *s = &index->scales[scale];
    const idx_forest f = idx_forest_of(s, index->part[scale]);
    const size_t n_ids = (size_t)f.n_trees * f.n_entries;
    if (!trees_hold(&f) || f.start[0] != 0)
        return FAULT("the nodes are no trees that hold each entry");
    for (size_t i = 0; i < (size_t)f.n_nodes + f.n_trees; i++)
        if (f.start[i + 1] < f.start[i])
            return FAULT("leaf %zu ends before it begins", i);
    for (size_t i = 0; i < n_ids; i++)
        if (f.id[i] >= f.n_entries)
            return FAULT("a leaf holds entry %u, and there are %u", f.id[i],
                         f.n_entries);
    for (uint32_t i = 0; i < f.n_nodes; i++)
        if (!(f.node[i].offset > -3.4e38F && f.node[i].offset < 3.4e38F))
            return FAULT("the offset of node %u is not finite", i);
    return fmt_units_hold(f.plane, f.n_nodes, f.dim, "plane", fault, fault_len);
}

/* ---- Building ------------------------------------------------------------------- */

/* A forest on its way. */
typedef struct {
    const idx_scale *scale;
    const idx_making *how;
    const idx_forest *old; /* of the first n_before rows, or NULL */
    uint32_t n_before;
    uint32_t first; /* of the trees of this batch */
    idx_tree tree[FMT_MAX_TABLES];
} planting;

static bool
tree_room(idx_tree *t, uint32_t n)
{
    const idx_store *store = &t->how->store;
    t->id = idx_regrow(store, NULL, n, sizeof *t->id);
    t->spare = idx_regrow(store, NULL, n, sizeof *t->spare);
    t->side = idx_regrow(store, NULL, n, sizeof *t->side);
    t->sorted = idx_regrow(store, NULL, n, sizeof *t->sorted);
    t->leaf_id = idx_regrow(store, NULL, n, sizeof *t->leaf_id);
    return t->id && t->spare && t->side && t->sorted && t->leaf_id;
}

/* The leaf of the forest before that a row belongs to. */
static uint32_t
leaf_of(const idx_forest *f, const idx_kern *kern, uint32_t ref, const float row[])
{
    while (ref < f->n_nodes) {
        float side;
        kern->dots(&side, f->plane + (size_t)ref * f->dim, row, f->dim, 1);
        ref = f->node[ref].child[!(side > f->node[ref].offset)];
    }
    return ref - f->n_nodes;
}

/* t->id becomes the rows of all leaves of tree number, with the new ones in them, and
 * begin[] where each leaf begins; 0 elsewhere. */
static void
merge_leaves(const planting *p, idx_tree *t, uint32_t number, uint32_t begin[])
{
    const idx_forest *f = p->old;
    const uint32_t n_leaves = f->n_nodes + f->n_trees, n = p->scale->n_entries;
    uint32_t *leaf = t->spare; /* of the new rows, until it is wanted otherwise */
    for (uint32_t i = p->n_before; i < n; i++) {
        leaf[i] = leaf_of(f, p->how->kern, f->root[number],
                          p->scale->rows + (size_t)i * f->dim);
        begin[leaf[i] + 1]++;
    }
    for (uint32_t l = 0; l < n_leaves; l++) {
        const uint32_t from = f->start[l], to = f->start[l + 1];
        const bool own = from / p->n_before == number;
        const uint32_t n_old = own ? to - from : 0;
        memcpy(t->id + begin[l], f->id + from, n_old * sizeof *t->id);
        begin[l + 1] += begin[l] + n_old;
    }
    for (uint32_t i = n; i-- > p->n_before;) /* from the end of their leaves */
        t->id[--begin[leaf[i] + 1]] = i;
    for (uint32_t i = p->n_before; i < n; i++)
        begin[leaf[i] + 1]++;
}

static void
plant(void *job, size_t i)
{
    planting *p = job;
    const uint32_t number = p->first + (uint32_t)i, n = p->scale->n_entries;
    idx_tree *t = &p->tree[number];
    uint32_t *begin = NULL;
    idx_sprout first = {.end = n, .old = IDX_NO_REF, .parent = IDX_NO_REF};
    *t = (idx_tree){.scale = p->scale, .how = p->how, .old = p->old};
    t->random = idx_random_of(p->how->seed + 0x10001ULL * number + n);
    t->failed = !tree_room(t, n);
    if (p->old) {
        begin = idx_take(&p->how->store, (size_t)p->old->n_nodes + p->old->n_trees + 1,
                         sizeof *begin);
        t->failed = t->failed || !begin;
        first.old = p->old->root[number];
    }
    if (!t->failed && p->old)
        merge_leaves(p, t, number, begin);
    for (uint32_t k = 0; !t->failed && !p->old && k < n; k++)
        t->id[k] = k;
    t->begin = begin;
    if (!t->failed)
        idx_tree_grow(t, first);
    idx_tree_done(t);
    idx_give(&p->how->store, begin);
}

/* Copies a tree behind those before it; the first node and leaf are those of it. */
static void
place_tree(const idx_built *out, const planting *p, uint32_t number, size_t n_nodes,
           size_t first_node, size_t first_leaf)
{
    const idx_tree *t = &p->tree[number];
    const uint32_t dim = p->scale->dim, n = p->scale->n_entries;
    uint32_t *root = out->at[FMT_NODES];
    idx_node *node = (idx_node *)(void *)(root + p->scale->params.n_tables);
    uint32_t *start = (uint32_t *)out->at[FMT_STARTS] + first_leaf;
    const uint32_t to_leaf = (uint32_t)(n_nodes + first_leaf);
    uint32_t *ref = &root[number];
    *ref = t->root;
    for (size_t i = 0; i < t->n_nodes; i++)
        node[first_node + i] = t->node[i];
    for (size_t i = 0; i <= 2 * t->n_nodes; i++) {
        *ref = *ref & IDX_LEAF_BIT ? to_leaf + (*ref & ~IDX_LEAF_BIT)
                                   : (uint32_t)first_node + *ref;
        ref = &node[first_node + i / 2].child[i % 2];
    }
    if (t->n_nodes > 0)
        memcpy((float *)out->at[FMT_PLANES] + first_node * dim, t->plane,
               t->n_nodes * dim * sizeof(float));
    memcpy((uint32_t *)out->at[FMT_IDS] + (size_t)number * n, t->leaf_id,
           n * sizeof(uint32_t));
    for (size_t i = 0; i < t->n_leaves; i++)
        start[i + 1] = number * n + t->leaf_end[i];
}

/* The sections of all trees; on failure out holds what there is. */
static bool
assemble(idx_built *out, const planting *p)
{
    const uint32_t n_trees = p->scale->params.n_tables;
    size_t n_nodes = 0, node = 0, leaf = 0;
    for (uint32_t i = 0; i < n_trees; i++)
        n_nodes += p->tree[i].n_nodes;
    const fmt_scale h = {.n_tables = n_trees,
                         .n_cells = (uint32_t)n_nodes,
                         .n_entries = p->scale->n_entries,
                         .dim = p->scale->dim};
    out->params.n_cells = h.n_cells;
    for (uint32_t kind = 0; kind < FMT_KINDS; kind++)
        if (bytes(&h, kind) > 0 &&
            !(out->at[kind] = idx_take(&out->store, 1, bytes(&h, kind))))
            return false;
    for (uint32_t i = 0; i < n_trees; i++) {
        place_tree(out, p, i, n_nodes, node, leaf);
        node += p->tree[i].n_nodes;
        leaf += p->tree[i].n_leaves;
    }
    return true;
}

/* Grows all trees and puts them together. */
static idx_status
plant_all(idx_built *out, planting *p)
{
    const uint32_t n_trees = p->scale->params.n_tables;
    const idx_making *how = p->how;
    idx_status st = IDX_OK;
    for (p->first = 0; !st && p->first < n_trees;) {
        const uint32_t left = n_trees - p->first;
        const uint32_t n = !how->parallel ? 1 : left < BATCH ? left : BATCH;
        if (how->tick && !how->tick(how->ctx, (double)p->first / n_trees))
            st = IDX_EIO;
        else
            idx_each(how, n, plant, p);
        for (uint32_t i = 0; !st && i < n; i++)
            if (p->tree[p->first + i].failed)
                st = IDX_ENOMEM;
        p->first += n;
    }
    if (!st && !assemble(out, p))
        st = IDX_ENOMEM;
    for (uint32_t i = 0; i < n_trees; i++)
        idx_tree_free(&p->tree[i]);
    return st;
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    planting *p = calloc(1, sizeof *p);
    if (!p)
        return IDX_ENOMEM;
    p->scale = scale;
    p->how = how;
    const idx_status st = plant_all(out, p);
    free(p);
    return st;
}

idx_status
idx_forest_append(idx_built *built, const idx_scale *scale, uint32_t n_before,
                  const idx_making *how)
{
    idx_built grown = {.params = built->params, .store = how->store};
    idx_scale before = *scale, after = *scale;
    before.n_entries = n_before;
    before.params = after.params = built->params;
    const idx_forest old = idx_forest_of(&before, (const void *const *)built->at);
    planting *p = calloc(1, sizeof *p);
    if (!p)
        return IDX_ENOMEM;
    p->scale = &after;
    p->how = how;
    p->old = &old;
    p->n_before = n_before;
    const idx_status st = plant_all(&grown, p);
    free(p);
    if (st) {
        idx_built_clear(&grown);
        return st;
    }
    idx_built_clear(built);
    *built = grown;
    return IDX_OK;
}

/* ---- Searching ------------------------------------------------------------------ */

static void
needs(const idx_scale *scale, idx_needs *n)
{
    n->seen = n->seen > scale->n_entries ? n->seen : scale->n_entries;
    n->probes = n->probes > IDX_FOREST_HEAP ? n->probes : IDX_FOREST_HEAP;
}

static uint32_t
least_probes(const idx_params *p)
{
    (void)p;
    return 1;
}

/* All leaves, which are counted once the trees are there. */
static uint32_t
most_probes(const idx_params *p)
{
    return p->n_cells ? p->n_cells + p->n_tables : INT32_MAX;
}

const idx_family_ops idx_forest_ops = {
    .name = "forest",
    .euclid = true,
    .choose = choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = least_probes,
    .most_probes = most_probes,
    .search = idx_forest_search,
};
