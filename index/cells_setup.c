/* Building and checking a scale of cells: see cells.h. Cold. */
#include "cells.h"
#include "cells_code.h"
#include "family.h"
#include "partition.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Parameters ----------------------------------------------------------------- */

/* Cells by 4 sqrt(n), so that looking at cells and at rows cost about the same. */
static void
choose(idx_params *p, const idx_scale *scale, const idx_making *how)
{
    (void)how;
    if (p->n_cells == 0) {
        const double n = 4.0 * sqrt((double)scale->n_entries);
        p->n_cells = (uint32_t)(n / IDX_CELL_UNIT + 1.0) * IDX_CELL_UNIT;
    }
    p->n_cells = (p->n_cells + IDX_CELL_UNIT - 1) / IDX_CELL_UNIT * IDX_CELL_UNIT;
    const uint32_t n_groups = idx_groups_of(p->n_cells);
    if (p->n_tables == 0) /* of 64 groups the nearest 16 */
        p->n_tables = n_groups < 8 ? n_groups : (uint32_t)(2.0 * sqrt(n_groups));
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (h->n_entries == 0)
        return FAULT("it has cells but no entries");
    if (h->n_cells < IDX_CELL_UNIT || h->n_cells > IDX_MAX_CELLS ||
        h->n_cells % IDX_CELL_UNIT)
        return FAULT("n_cells %u is no multiple of %d up to %d", h->n_cells,
                     IDX_CELL_UNIT, IDX_MAX_CELLS);
    if (h->n_tables < 1 || h->n_tables > idx_groups_of(h->n_cells))
        return FAULT("n_tables %u is outside of 1 to the number of groups",
                     h->n_tables);
    if (h->n_probes < 1 || h->n_probes > h->n_cells)
        return FAULT("n_probes %u is outside of 1..%u", h->n_probes, h->n_cells);
    if (h->max_candidates == 0 || h->max_scanned == 0)
        return FAULT("max_candidates or max_scanned is 0");
    if (!(h->width >= 0.0F && h->width <= 1e6F))
        return FAULT("width is outside of 0..1e6");
    if (h->leaf > h->n_entries / IDX_CODE_ROWS + h->n_cells)
        return FAULT("it has more blocks of codes than rows could fill");
    return true;
}

/* FMT_STARTS: uint32 group[n_groups + 1], cell[n_cells + 1], block[n_cells + 1]. */
static uint64_t
bytes(const fmt_scale *h, uint32_t kind)
{
    const uint64_t groups = idx_groups_of(h->n_cells), cells = h->n_cells;
    switch (kind) {
    case FMT_STARTS:
        return (groups + 1 + 2 * (cells + 1)) * sizeof(uint32_t);
    case FMT_SIGNS:
        return idx_rotate_words(idx_code_bits(h->dim)) * sizeof(uint64_t);
    case FMT_OFFSETS:
        return sizeof(float);
    case FMT_GROUPS:
        return groups * h->dim * sizeof(float);
    case FMT_CELLS:
        return cells * h->dim * sizeof(float);
    case FMT_COARSE:
        return cells / IDX_COARSE_CELLS * idx_coarse_bytes(h->dim);
    case FMT_BLOCKS:
        return h->leaf * (uint64_t)idx_block_bytes(idx_code_bits(h->dim));
    default:
        return 0;
    }
}

/* ---- What holds ----------------------------------------------------------------- */

static bool
starts_hold(const idx_cells *c, uint32_t n_entries, uint32_t n_blocks)
{
    bool ok = c->group[0] == 0 && c->group[c->n_groups] == c->n_cells &&
              c->cell[0] == 0 && c->cell[c->n_cells] == n_entries && c->block[0] == 0 &&
              c->block[c->n_cells] == n_blocks;
    for (uint32_t g = 0; ok && g < c->n_groups; g++)
        ok = c->group[g] < c->group[g + 1] && c->group[g] % IDX_CELL_UNIT == 0;
    for (uint32_t i = 0; ok && i < c->n_cells; i++)
        ok = c->cell[i] <= c->cell[i + 1] &&
             c->block[i + 1] - c->block[i] ==
                 (c->cell[i + 1] - c->cell[i] + IDX_CODE_ROWS - 1) / IDX_CODE_ROWS;
    return ok;
}

/* No -128, whose sign cannot be turned; steps and halves finite. */
static bool
coarse_holds(const idx_cells *c, size_t dim)
{
    const size_t n = idx_coarse_bytes(dim);
    float side[2 * IDX_COARSE_CELLS];
    for (size_t b = 0; b < c->n_cells / IDX_COARSE_CELLS; b++) {
        const uint8_t *block = c->coarse + b * n;
        if (memchr(block, 0x80, n - sizeof side))
            return false;
        memcpy(side, block + n - sizeof side, sizeof side);
        if (fmt_first_outside(side, 2 * IDX_COARSE_CELLS, 0.0F, FLT_MAX) <
            2 * IDX_COARSE_CELLS)
            return false;
    }
    return true;
}

/* Of every cell that does not fill its last block. */
static bool
blocks_hold(const idx_cells *c, size_t dim)
{
    const size_t bits = idx_code_bits(dim), n = idx_block_bytes(bits);
    for (uint32_t i = 0; i < c->n_cells; i++) {
        const uint32_t rest = (c->cell[i + 1] - c->cell[i]) % IDX_CODE_ROWS;
        if (rest && !idx_code_ends(c->blocks + (c->block[i + 1] - 1) * n, bits, rest))
            return false;
    }
    return true;
}

static bool
holds(const idx_index *index, uint32_t scale, char *fault, size_t fault_len)
{
    const idx_scale *sc = &index->scales[scale];
    const idx_cells c = idx_cells_of(index, scale);
    const float most = FLT_MAX;
    if (!starts_hold(&c, sc->n_entries, sc->params.leaf))
        return FAULT("its cells do not hold each entry once");
    if (fmt_first_outside(c.groups, (size_t)c.n_groups * sc->dim, -most, most) <
            (size_t)c.n_groups * sc->dim ||
        fmt_first_outside(c.cells, (size_t)c.n_cells * sc->dim, -most, most) <
            (size_t)c.n_cells * sc->dim)
        return FAULT("the centre of a cell is not finite");
    if (!(c.unit > 0.0F && c.unit <= most))
        return FAULT("the unit of its codes is not above 0");
    if (!coarse_holds(&c, sc->dim))
        return FAULT("the rounded centre of a cell is out of range");
    if (!blocks_hold(&c, sc->dim))
        return FAULT("a block of codes has a row too many");
    return true;
}

/* ---- Building ------------------------------------------------------------------- */

/* Entry numbers by cell, ascending within each; and where cells and blocks start. */
static void
sort_rows(idx_making_cells *m)
{
    uint32_t *cell = m->starts + m->p.n_groups + 1;
    uint32_t *block = cell + m->p.n_cells + 1;
    memcpy(m->starts, m->p.group, ((size_t)m->p.n_groups + 1) * sizeof *m->starts);
    for (uint32_t i = 0; i < m->sc->n_entries; i++)
        cell[m->of[i] + 1]++;
    for (uint32_t c = 0; c < m->p.n_cells; c++) {
        block[c + 1] = block[c] + (cell[c + 1] + IDX_CODE_ROWS - 1) / IDX_CODE_ROWS;
        cell[c + 1] += cell[c];
    }
    for (uint32_t i = 0; i < m->sc->n_entries; i++)
        m->order[cell[m->of[i]]++] = i;
    memmove(cell + 1, cell, m->p.n_cells * sizeof *cell);
    cell[0] = 0;
    m->cell = cell;
    m->block = block;
}

static bool
reserve(idx_making_cells *m, idx_built *out)
{
    const idx_scale *sc = m->sc;
    const idx_store *store = &m->how->store;
    const size_t n = sc->n_entries, bits = idx_code_bits(sc->dim);
    const fmt_scale h = {.n_cells = m->p.n_cells, .dim = sc->dim};
    m->of = idx_regrow(store, NULL, n, sizeof *m->of);
    m->order = idx_regrow(store, NULL, n, sizeof *m->order);
    m->starts = out->at[FMT_STARTS] = idx_take(store, 1, bytes(&h, FMT_STARTS));
    m->signs = out->at[FMT_SIGNS] = idx_take(store, 1, bytes(&h, FMT_SIGNS));
    m->coarse = out->at[FMT_COARSE] = idx_take(store, 1, bytes(&h, FMT_COARSE));
    m->unit = out->at[FMT_OFFSETS] = idx_take(store, 1, sizeof *m->unit);
    m->entries = out->at[FMT_ENTRIES] = idx_regrow(store, NULL, n, sizeof *m->entries);
    m->rows = out->at[FMT_ROWS] =
        idx_regrow(store, NULL, n * sc->dim, fmt_value_bytes(sc->params.stored));
    if (sc->params.stored == IDX_I8)
        m->steps = out->at[FMT_STEPS] = idx_regrow(store, NULL, n, sizeof *m->steps);
    m->bits = bits;
    return m->of && m->order && m->starts && m->signs && m->coarse && m->unit &&
           m->entries && m->rows && (m->steps || sc->params.stored != IDX_I8);
}

/* Once rows have their cells: everything that lies in their order. */
static idx_status
fill(idx_making_cells *m, idx_built *out)
{
    const size_t block_bytes = idx_block_bytes(m->bits);
    sort_rows(m);
    const uint32_t n_blocks = m->block[m->p.n_cells];
    m->blocks = out->at[FMT_BLOCKS] = idx_take(&m->how->store, n_blocks, block_bytes);
    out->params.leaf = n_blocks;
    if (!m->blocks)
        return IDX_ENOMEM;
    *m->unit = idx_code_unit(m->sc, m->how->kern);
    idx_rotate_signs(m->signs, m->bits, 1, m->how->seed);
    idx_each(m->how, m->p.n_cells / IDX_CELL_UNIT, idx_cells_fill, m);
    out->at[FMT_GROUPS] = m->p.groups;
    out->at[FMT_CELLS] = m->p.cells;
    m->p.groups = m->p.cells = NULL;
    return IDX_OK;
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    idx_making_cells m = {.sc = scale, .how = how};
    idx_status st = idx_partition_learn(&m.p, scale, scale->params.n_cells, how);
    if (!st && !reserve(&m, out))
        st = IDX_ENOMEM;
    if (!st)
        st = idx_partition_assign(&m.p, scale->rows, scale->n_entries, m.of, how);
    if (!st && how->tick && !how->tick(how->ctx, 0.8))
        st = IDX_EIO;
    if (!st)
        st = fill(&m, out);
    idx_partition_free(&m.p);
    idx_give(&how->store, m.of);
    idx_give(&how->store, m.order);
    return st;
}

/* ---- Scratch -------------------------------------------------------------------- */

static void
needs(const idx_scale *scale, idx_needs *n)
{
    idx_cells_scratch s;
    const size_t bytes = idx_cells_scratch_lay(&s, NULL, scale);
    n->own_bytes = n->own_bytes > bytes ? n->own_bytes : bytes;
}

static uint32_t
least_probes(const idx_params *p)
{
    (void)p;
    return 1;
}

static uint32_t
most_probes(const idx_params *p)
{
    return p->n_cells;
}

const idx_family_ops idx_cells_ops = {
    .name = "cells",
    .euclid = true,
    .choose = choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = least_probes,
    .most_probes = most_probes,
    .search = idx_cells_search,
};
