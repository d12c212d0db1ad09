#include "cells_code.h"

#include "half.h"

#include <math.h>
#include <string.h>

/* The centres of eight cells as bytes. */
static void
round_centres(const idx_making_cells *m, size_t eight)
{
    const size_t dim = m->sc->dim, bytes = idx_coarse_bytes(dim);
    uint8_t *block = m->coarse + eight * bytes;
    float step[IDX_COARSE_CELLS];
    for (size_t k = 0; k < IDX_COARSE_CELLS; k++) {
        const float *c = m->p.cells + (eight * IDX_COARSE_CELLS + k) * dim;
        float most = 0.0F;
        for (size_t i = 0; i < dim; i++)
            most = fmaxf(most, fabsf(c[i]));
        step[k] = most / 127.0F;
        for (size_t i = 0; i < dim; i++)
            block[i / 4 * 32 + k * 4 + i % 4] =
                (uint8_t)(int8_t)(most > 0.0F ? lrintf(c[i] / most * 127.0F) : 0);
    }
    memcpy(block + bytes - 64, step, sizeof step);
    memcpy(block + bytes - 32, m->p.half + eight * IDX_COARSE_CELLS, sizeof step);
}

static void
store_bytes(int8_t out[], float *step, const float x[], const float centre[],
            size_t dim)
{
    float most = 0.0F;
    for (size_t i = 0; i < dim; i++)
        most = fmaxf(most, fabsf(x[i] - centre[i]));
    *step = most / 127.0F;
    for (size_t i = 0; i < dim; i++)
        out[i] = (int8_t)(most > 0.0F ? lrintf((x[i] - centre[i]) / most * 127.0F) : 0);
}

static void
store_row(const idx_making_cells *m, size_t i, const float x[], const float centre[])
{
    const size_t dim = m->sc->dim;
    uint16_t *half = (uint16_t *)m->rows + i * dim;
    switch (m->sc->params.stored) {
    case IDX_I8:
        store_bytes((int8_t *)m->rows + i * dim, &m->steps[i], x, centre, dim);
        break;
    case IDX_F16:
        for (size_t j = 0; j < dim; j++)
            half[j] = idx_to_half(x[j]);
        break;
    default:
        memcpy((float *)m->rows + i * dim, x, dim * sizeof *x);
    }
}

static void
fill_cell(const idx_making_cells *m, size_t cell)
{
    const size_t dim = m->sc->dim, bytes = idx_block_bytes(m->bits);
    const uint32_t first = m->cell[cell], n = m->cell[cell + 1] - first;
    uint8_t *blocks = m->blocks + m->block[cell] * bytes;
    float turned[IDX_MAX_DIM];
    const idx_coding c = {.dim = dim,
                          .euclid = m->sc->params.metric == IDX_EUCLID,
                          .unit = *m->unit,
                          .signs = m->signs,
                          .centre = m->p.cells + cell * dim,
                          .turned = turned};
    idx_code_rotate(turned, c.centre, m->signs, dim);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t entry = m->order[first + i];
        const float *x = m->sc->rows + (size_t)entry * dim;
        idx_code_row(&c, x, blocks + i / IDX_CODE_ROWS * bytes, i % IDX_CODE_ROWS);
        m->entries[first + i] = m->sc->entries[entry];
        store_row(m, first + i, x, c.centre);
    }
    if (n % IDX_CODE_ROWS)
        idx_code_end(blocks + n / IDX_CODE_ROWS * bytes, m->bits, n % IDX_CODE_ROWS);
}

void
idx_cells_fill(void *job, size_t eight)
{
    const idx_making_cells *m = job;
    round_centres(m, eight);
    for (size_t k = 0; k < IDX_COARSE_CELLS; k++)
        fill_cell(m, eight * IDX_COARSE_CELLS + k);
}
