/* Searching in cells: see cells.h. Analysis thread. */
#include "cells.h"

#include <math.h>

/* A search on its way; the sieve comes first, as compare() gets no more. */
typedef struct {
    idx_sieve v;
    idx_cells_scratch own;
    idx_cells c;
} hunt;

idx_cells
idx_cells_of(const idx_index *index, uint32_t scale)
{
    const void *const *part = index->part[scale];
    const uint32_t n_cells = index->scales[scale].params.n_cells;
    const uint32_t n_groups = idx_groups_of(n_cells);
    const uint32_t *starts = part[FMT_STARTS];
    return (idx_cells){
        .n_groups = n_groups,
        .n_cells = n_cells,
        .group = starts,
        .cell = starts + n_groups + 1,
        .block = starts + n_groups + 1 + n_cells + 1,
        .groups = part[FMT_GROUPS],
        .cells = part[FMT_CELLS],
        .coarse = part[FMT_COARSE],
        .blocks = part[FMT_BLOCKS],
        .signs = part[FMT_SIGNS],
        .unit = *(const float *)part[FMT_OFFSETS],
    };
}

static void *
carve(unsigned char *base, size_t *used, size_t bytes)
{
    const size_t at = *used;
    *used += (bytes + FMT_ALIGN - 1) / FMT_ALIGN * FMT_ALIGN;
    return base ? base + at : NULL;
}

size_t
idx_cells_scratch_lay(idx_cells_scratch *s, void *base, const idx_scale *scale)
{
    const size_t dim = scale->dim;
    const size_t n_cells = scale->params.n_cells,
                 n_groups = idx_groups_of(scale->params.n_cells);
    size_t used = 0;
    s->sieve = carve(base, &used, idx_sieve_bytes(dim));
    s->bytes = carve(base, &used, dim + 3);
    s->score = carve(base, &used, (n_cells + n_groups) * sizeof *s->score);
    s->best = carve(base, &used, n_cells / IDX_COARSE_CELLS * sizeof *s->best);
    s->eight = carve(base, &used, n_cells / IDX_COARSE_CELLS * sizeof *s->eight);
    s->near = carve(base, &used, n_groups * sizeof *s->near);
    s->visit = carve(base, &used, n_cells * sizeof *s->visit);
    s->id = carve(base, &used, n_cells * sizeof *s->id);
    s->dot = carve(base, &used, n_cells * sizeof *s->dot);
    s->gap = carve(base, &used, n_cells * sizeof *s->gap);
    s->centred = carve(base, &used, dim * sizeof *s->centred);
    s->pending = carve(base, &used, (size_t)2 * IDX_CHUNK_ROWS * sizeof *s->pending);
    return used;
}

/* ---- Which cells ---------------------------------------------------------------- */

/* The query in bytes; returns their step. */
static float
make_bytes(hunt *h)
{
    const size_t dim = h->v.sc->dim;
    float most = 0.0F;
    for (size_t i = 0; i < dim; i++)
        most = fmaxf(most, fabsf(h->v.s->unit[i]));
    const float per = most > IDX_TOO_SMALL ? 127.0F / most : 0.0F;
    for (size_t i = 0; i < (dim + 3) / 4 * 4; i++)
        h->own.bytes[i] = (int8_t)(i < dim ? lrintf(h->v.s->unit[i] * per) : 0);
    return most / 127.0F;
}

/* The nearest groups, nearest first; returns their number. */
static uint32_t
choose_groups(hunt *h)
{
    const idx_cells *c = &h->c;
    idx_top top = {.hit = h->own.near, .k = h->v.params->n_tables};
    if (c->n_groups == 1) {
        h->own.near[0].entry = 0;
        return 1;
    }
    h->v.s->kern->gaps(h->own.score, h->v.s->unit, c->groups, h->v.sc->dim,
                       c->n_groups);
    for (uint32_t g = 0; g < c->n_groups; g++)
        h->own.score[g] = -h->own.score[g];
    idx_top_offer(&top, NULL, 0, h->own.score, c->n_groups);
    return top.n;
}

/* Scores the cells of the nearest groups, eight by eight; returns how many eights. */
static uint32_t
score_cells(hunt *h, uint32_t n_groups)
{
    const idx_cells *c = &h->c;
    const size_t dim = h->v.sc->dim, bytes = idx_coarse_bytes(dim);
    const float step = make_bytes(h);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_groups; i++) {
        const uint32_t group = h->own.near[i].entry;
        const uint32_t first = c->group[group] / IDX_COARSE_CELLS;
        const uint32_t some = c->group[group + 1] / IDX_COARSE_CELLS - first;
        h->v.kern->coarse(h->own.score + (size_t)n * IDX_COARSE_CELLS, h->own.bytes,
                          step, c->coarse + first * bytes, dim, some);
        for (uint32_t e = 0; e < some; e++)
            h->own.eight[n++] = (first + e) * IDX_COARSE_CELLS;
    }
    return n;
}

static float
best_of_eight(const float score[IDX_COARSE_CELLS])
{
    float best = score[0];
    for (int k = 1; k < IDX_COARSE_CELLS; k++)
        best = score[k] > best ? score[k] : best;
    return best;
}

/*
 * The best n_probes of all scored cells, in order. As many eights as cells are wanted
 * have a best cell above that of all other eights, so no cell of these is wanted: of
 * 120 eights 18 are left, and a heap of the best sees 150 scores and not 1,000.
 */
static idx_top
best_cells(hunt *h, uint32_t n_eights)
{
    const uint32_t most = h->v.params->n_probes;
    idx_top top = {.hit = h->own.visit, .k = most < n_eights ? most : n_eights};
    for (uint32_t e = 0; e < n_eights; e++)
        h->own.best[e] = best_of_eight(h->own.score + (size_t)e * IDX_COARSE_CELLS);
    idx_top_offer(&top, NULL, 0, h->own.best, n_eights);
    const float least = top.hit[0].cosine;
    top = (idx_top){.hit = h->own.visit, .k = most};
    for (uint32_t e = 0; e < n_eights; e++)
        if (h->own.best[e] >= least)
            idx_top_offer(&top, NULL, h->own.eight[e],
                          h->own.score + (size_t)e * IDX_COARSE_CELLS,
                          IDX_COARSE_CELLS);
    idx_top_sort(&top);
    return top;
}

/* The n_probes nearest cells of the nearest groups, nearest first; returns their
 * number. */
static uint32_t
choose_cells(hunt *h)
{
    const idx_cells *c = &h->c;
    const size_t dim = h->v.sc->dim;
    const idx_top top = best_cells(h, score_cells(h, choose_groups(h)));
    for (uint32_t i = 0; i < top.n; i++)
        h->own.id[i] = top.hit[i].entry;
    h->v.s->kern->gap_picks(h->own.gap, h->v.s->unit, c->cells, dim, h->own.id, top.n);
    if (!h->v.euclid)
        h->v.s->kern->picks(h->own.dot, h->v.s->unit, c->cells, dim, h->own.id, top.n);
    return top.n;
}

/* ---- Which rows ----------------------------------------------------------------- */

/* Of rows stored as bytes: the residuals of the cell that is visited so-manieth. */
static void
compare_bytes(idx_sieve *v, uint32_t visit, const uint32_t id[], uint32_t n,
              float out[])
{
    hunt *h = (hunt *)v;
    const void *const *part = v->index->part[v->scale_number];
    const size_t dim = v->sc->dim;
    const float *centre = h->c.cells + h->own.id[visit] * dim;
    if (!v->euclid) {
        v->kern->picks8(out, v->s->unit, part[FMT_ROWS], part[FMT_STEPS], dim, id, n);
        for (uint32_t i = 0; i < n; i++)
            out[i] += h->own.dot[visit];
        return;
    }
    for (size_t i = 0; i < dim; i++)
        h->own.centred[i] = v->s->unit[i] - centre[i];
    v->kern->gap_picks8(out, h->own.centred, part[FMT_ROWS], part[FMT_STEPS], dim, id,
                        n);
    for (uint32_t i = 0; i < n; i++)
        out[i] *= -0.5F;
}

static void
fetch_cell(const hunt *h, uint32_t visit, uint32_t n_visits)
{
    const size_t bytes = idx_block_bytes(h->v.bits);
    if (visit >= n_visits)
        return;
    const uint8_t *at = h->c.blocks + h->c.block[h->own.id[visit]] * bytes;
    for (size_t i = 0; i < 2 * bytes; i += FMT_ALIGN)
        __builtin_prefetch(at + i);
}

/* Scans one cell; what survives of its last chunk is left pending in c[0]. */
static void
visit_cell(hunt *h, uint32_t visit, idx_chunk c[2])
{
    idx_sieve *v = &h->v;
    const uint32_t cell = h->own.id[visit];
    idx_scan scan =
        idx_sieve_around(v, h->own.dot[visit], h->own.gap[visit], v->params->width);
    scan.first = h->c.cell[cell];
    for (uint32_t b = h->c.block[cell]; b < h->c.block[cell + 1] && !v->full;) {
        const uint32_t n = idx_sieve_blocks(v, h->c.block[cell + 1] - b);
        const idx_chunk last = c[0];
        if (n == 0)
            break;
        scan.least = v->least;
        c[0] = c[1];
        c[0].visit = visit;
        c[0].n = v->kern->scan(&scan, h->c.blocks + b * idx_block_bytes(v->bits),
                               v->bits, n, c[0].row);
        idx_sieve_fetch(v, &c[0]);
        c[1] = last;
        idx_sieve_settle(v, &c[1]);
        scan.first += n * IDX_CODE_ROWS;
        v->work->n_scanned += n * IDX_CODE_ROWS;
        b += n;
    }
}

static hunt
begin(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
      idx_work *work)
{
    const idx_scale *sc = &index->scales[scale];
    hunt h = {.c = idx_cells_of(index, scale)};
    idx_cells_scratch_lay(&h.own, s->own, sc);
    h.v = idx_sieve_begin(index, scale, s, top, work, h.c.unit, h.c.signs, h.own.sieve);
    if (sc->params.stored == IDX_I8)
        h.v.compare = compare_bytes;
    return h;
}

void
idx_cells_search(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                 idx_work *work)
{
    hunt h = begin(index, scale, s, top, work);
    const uint32_t n = choose_cells(&h);
    idx_chunk pending[2] = {{.row = h.own.pending},
                            {.row = h.own.pending + IDX_CHUNK_ROWS}};
    fetch_cell(&h, 0, n);
    for (uint32_t i = 0; i < n && !h.v.full && !h.v.spent; i++) {
        fetch_cell(&h, i + 1, n);
        visit_cell(&h, i, pending);
        work->n_probes++;
    }
    idx_sieve_settle(&h.v, &pending[0]);
}

void
idx_cells_exact(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                idx_work *work)
{
    hunt h = begin(index, scale, s, top, work);
    const idx_scale *sc = h.v.sc;
    uint32_t *id = s->found;
    for (uint32_t cell = 0; cell < h.c.n_cells; cell++) {
        const uint32_t end = h.c.cell[cell + 1];
        h.own.id[0] = cell;
        s->kern->dots(h.own.dot, s->unit, h.c.cells + (size_t)cell * sc->dim, sc->dim,
                      1);
        for (uint32_t i = h.c.cell[cell]; i < end;) {
            uint32_t n = 0;
            for (; n < IDX_SCAN && i < end; i++)
                if (sc->entries[i].sound != s->skip)
                    id[n++] = i;
            h.v.compare(&h.v, 0, id, n, s->cosine);
            idx_top_offer(top, id, 0, s->cosine, n);
        }
    }
    work->n_candidates = sc->n_entries;
}
