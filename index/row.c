/* A row, however it is stored. Hot: refining a list asks for three. */
#include "cells.h"
#include "half.h"

#include <string.h>

/* The cell of an entry, by bisection. */
static uint32_t
cell_of(const idx_cells *c, uint32_t entry)
{
    uint32_t lo = 0;
    uint32_t hi = c->n_cells;
    while (hi - lo > 1) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (c->cell[mid] <= entry)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

void
idx_row(const idx_index *index, uint32_t scale, uint32_t entry, float out[])
{
    const idx_scale *sc = &index->scales[scale];
    const void *const *part = index->part[scale];
    const size_t dim = sc->dim, at = entry * dim;
    if (sc->params.family == IDX_CODES) {
        memset(out, 0, dim * sizeof *out);
    } else if (sc->params.stored == IDX_F32) {
        memcpy(out, (const float *)part[FMT_ROWS] + at, dim * sizeof *out);
    } else if (sc->params.stored == IDX_F16) {
        for (size_t i = 0; i < dim; i++)
            out[i] = idx_from_half(((const uint16_t *)part[FMT_ROWS])[at + i]);
    } else {
        const idx_cells c = idx_cells_of(index, scale);
        const float *centre = c.cells + cell_of(&c, entry) * dim;
        const float step = ((const float *)part[FMT_STEPS])[entry];
        for (size_t i = 0; i < dim; i++)
            out[i] = centre[i] + step * (float)((const int8_t *)part[FMT_ROWS])[at + i];
    }
}
