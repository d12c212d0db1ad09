/*
 * Searching a forest: one heap of nodes over all trees, by the least margin on the way
 * to each, a margin being negative on the far side of a plane. Runs on the analysis
 * thread.
 */
#include "forest.h"

#include <float.h>

idx_forest
idx_forest_of(const idx_scale *sc, const void *const part[FMT_KINDS])
{
    const uint32_t *nodes = part[FMT_NODES];
    return (idx_forest){.n_trees = sc->params.n_tables,
                        .n_nodes = sc->params.n_cells,
                        .n_entries = sc->n_entries,
                        .dim = sc->dim,
                        .root = nodes,
                        .node = (const void *)(nodes + sc->params.n_tables),
                        .plane = part[FMT_PLANES],
                        .start = part[FMT_STARTS],
                        .id = part[FMT_IDS]};
}

/* A probe's mask is here a reference to a node or leaf, and its score the least margin,
 * negated, so that the best has the lowest. Equal ones come in order of reference. */
static bool
before(idx_probe a, idx_probe b)
{
    return a.score < b.score || (a.score == b.score && a.mask < b.mask);
}

static void
push(idx_scratch *s, uint32_t ref, float score)
{
    const idx_probe p = {.score = score, .mask = ref};
    uint32_t i = s->n_heap++;
    while (i > 0 && before(p, s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = p;
}

static idx_probe
pop(idx_scratch *s)
{
    const idx_probe best = s->heap[0], last = s->heap[--s->n_heap];
    uint32_t i = 0;
    for (uint32_t below = 1; below < s->n_heap; below = 2 * i + 1) {
        if (below + 1 < s->n_heap && before(s->heap[below + 1], s->heap[below]))
            below++;
        if (!before(s->heap[below], last))
            break;
        s->heap[i] = s->heap[below];
        i = below;
    }
    s->heap[i] = last;
    return best;
}

static void
fetch(const idx_forest *f, uint32_t ref)
{
    if (ref >= f->n_nodes) {
        __builtin_prefetch(&f->start[ref - f->n_nodes]);
        return;
    }
    __builtin_prefetch(&f->node[ref]);
    for (uint32_t j = 0; j < f->dim; j += 16)
        __builtin_prefetch(f->plane + (size_t)ref * f->dim + j);
}

/* Both children of a node, on their way from memory. */
static void
open_node(const idx_forest *f, idx_scratch *s, idx_probe p)
{
    const idx_node *node = &f->node[p.mask];
    float margin;
    s->kern->dots(&margin, s->unit, f->plane + (size_t)p.mask * f->dim, f->dim, 1);
    margin -= node->offset;
    for (int side = 0; side < 2; side++) {
        const float behind = side ? margin : -margin;
        fetch(f, node->child[side]);
        push(s, node->child[side], behind > p.score ? behind : p.score);
    }
}

/* False when the cap is reached. */
static bool
take_leaf(idx_walk *w, const idx_forest *f, uint32_t leaf)
{
    w->work->n_probes++;
    for (uint32_t i = f->start[leaf]; i < f->start[leaf + 1]; i++)
        if (!idx_walk_add(w, f->id[i]))
            return false;
    return true;
}

void
idx_forest_search(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                  idx_work *work)
{
    const idx_forest f = idx_forest_of(&index->scales[scale], index->part[scale]);
    const uint32_t n_probes = s->params[scale].n_probes;
    idx_walk w = idx_walk_begin(index, scale, s, top, work);
    s->n_heap = 0;
    for (uint32_t t = 0; t < f.n_trees; t++) {
        fetch(&f, f.root[t]);
        push(s, f.root[t], -FLT_MAX);
    }
    while (s->n_heap > 0 && work->n_probes < n_probes) {
        const idx_probe p = pop(s);
        if (p.mask >= f.n_nodes) {
            if (!take_leaf(&w, &f, p.mask - f.n_nodes))
                break;
        } else if (s->n_heap + 2 > IDX_FOREST_HEAP) {
            work->cut = 1; /* deeper than any that is built */
            break;
        } else {
            open_node(&f, s, p);
        }
    }
    idx_walk_end(&w);
}
