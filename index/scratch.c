/* Working memory of searches: one block, carved; that of codes is their own. */
#include "family.h"
#include "partition.h"

#include <stdlib.h>
#include <string.h>

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static idx_needs
needs_of(const idx_index *index)
{
    idx_needs n = {.dim = 1};
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        const idx_scale *sc = &index->scales[i];
        const idx_family_ops *ops = idx_family_of(sc->params.family);
        n.dim = larger(n.dim, sc->dim);
        if (sc->params.family == IDX_CODES)
            n.codes = larger(n.codes, sc->n_entries);
        if (sc->params.stored != IDX_F32)
            n.wide = larger(n.wide, (size_t)IDX_BLOCK * sc->dim);
        if (ops->needs)
            ops->needs(sc, &n);
    }
    return n;
}

/* The next array of a block, on cache lines of its own; NULL while the block is
 * planned. */
static void *
carve(unsigned char *base, size_t *used, size_t n, size_t item_bytes)
{
    const size_t at = *used;
    *used += (n * item_bytes + FMT_ALIGN - 1) / FMT_ALIGN * FMT_ALIGN;
    return base ? base + at : NULL;
}

/* Sets the arrays of s in a block at base; returns how long the block must be. */
static size_t
lay_out(idx_scratch *s, unsigned char *base, const idx_needs *n)
{
    size_t used = 0;
    carve(base, &used, 1, sizeof *s);
    s->unit = carve(base, &used, n->dim, sizeof *s->unit);
    s->centred = carve(base, &used, n->dim, sizeof *s->centred);
    s->side = carve(base, &used, n->sides, sizeof *s->side);
    s->choice = carve(base, &used, n->choices, sizeof *s->choice);
    s->ready = carve(base, &used, n->functions, sizeof *s->ready);
    s->order = carve(base, &used, n->functions, sizeof *s->order);
    s->home = carve(base, &used, n->tables, sizeof *s->home);
    s->heap = carve(base, &used, n->probes, sizeof *s->heap);
    s->found = carve(base, &used, IDX_SCAN, sizeof *s->found);
    s->cosine = carve(base, &used, IDX_SCAN, sizeof *s->cosine);
    s->seen = carve(base, &used, idx_seen_words(n->seen), sizeof *s->seen);
    s->wide = carve(base, &used, n->wide, sizeof *s->wide);
    s->own = carve(base, &used, n->own_bytes, 1);
    s->code_hit = carve(base, &used, n->codes ? IDX_MAX_K : 0, sizeof *s->code_hit);
    return used;
}

idx_status
idx_scratch_new(idx_scratch **out, const idx_index *index)
{
    const idx_needs n = needs_of(index);
    idx_scratch plan;
    *out = NULL;
    const size_t bytes = lay_out(&plan, NULL, &n);
    unsigned char *base = aligned_alloc(FMT_ALIGN, bytes);
    if (!base)
        return IDX_ENOMEM;
    memset(base, 0, bytes); /* no page is missing in a query */
    idx_scratch *s = (void *)base;
    lay_out(s, base, &n);
    s->index = index;
    s->kern = idx_kern_pick();
    s->scan_kern = idx_scan_kern_pick();
    s->skip = UINT32_MAX;
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        s->params[i] = index->scales[i].params;
    if (n.codes && idx_code_scratch_new(&s->codes, (uint32_t)n.codes, IDX_MAX_K)) {
        free(base);
        return IDX_ENOMEM;
    }
    *out = s;
    return IDX_OK;
}

void
idx_scratch_free(idx_scratch *scratch)
{
    if (scratch)
        idx_code_scratch_free(scratch->codes);
    free(scratch);
}

idx_status
idx_scratch_set(idx_scratch *s, uint32_t scale, const idx_params *p)
{
    if (scale >= IDX_SCALES)
        return IDX_EARG;
    idx_params *mine = &s->params[scale];
    const idx_family_ops *ops = idx_family_of(mine->family);
    if (p->n_probes > IDX_MAX_PROBES || p->max_candidates == 0 || !ops->least_probes ||
        p->n_probes < ops->least_probes(mine) || p->n_probes > ops->most_probes(mine) ||
        !(p->width >= 0.0F && p->width < 1e6F) ||
        (s->index->part[scale][FMT_BLOCKS] && p->max_scanned == 0) ||
        (mine->family == IDX_CELLS && p->n_tables > idx_groups_of(mine->n_cells)))
        return IDX_EARG;
    mine->n_probes = p->n_probes;
    mine->max_candidates = p->max_candidates;
    mine->width = p->width;
    if (s->index->part[scale][FMT_BLOCKS])
        mine->max_scanned = p->max_scanned;
    if (mine->family == IDX_CELLS && p->n_tables)
        mine->n_tables = p->n_tables;
    return IDX_OK;
}

void
idx_scratch_skip(idx_scratch *s, uint32_t sound)
{
    s->skip = sound;
}
