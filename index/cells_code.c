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

/* One row of a cell. */
typedef struct {
    const float *centre; /* [dim] */
    const float *turned; /* [bits] R centre */
    const float *x;      /* [dim] */
    uint8_t *block;      /* its block of codes */
    uint32_t slot;       /* in that */
} coding;

/* The least half that is no less than x. */
static uint16_t
half_above(double x)
{
    const uint16_t h = idx_to_half((float)x);
    if ((double)idx_from_half(h) >= x)
        return h;
    return (uint16_t)(h & 0x8000U ? h - 1U : h + 1U); /* -0 is not below 0 */
}

static void
code_row(const idx_making_cells *m, const coding *c)
{
    float e[IDX_MAX_DIM];
    uint16_t side[2];
    double power = 0.0, size = 0.0, own = 0.0, along = 0.0;
    idx_cells_rotate(e, c->x, m->signs, m->sc->dim);
    for (size_t i = 0; i < m->bits; i++) {
        e[i] -= c->turned[i];
        power += (double)e[i] * (double)e[i];
        size += fabs((double)e[i]);
        own += e[i] >= 0.0F ? (double)c->turned[i] : -(double)c->turned[i];
        if (e[i] >= 0.0F)
            c->block[i / 8 * IDX_CODE_ROWS + c->slot] |= (uint8_t)(1U << (i & 7U));
    }
    for (size_t i = 0; i < m->sc->dim; i++)
        along += (double)c->centre[i] * ((double)c->x[i] - (double)c->centre[i]);
    const double unit = (double)*m->unit;
    /* the factor as it is stored, which may not be 0 or no error would be allowed for;
     * the offset rounded upwards: a row is never less promising than it is */
    side[0] = idx_to_half((float)(size > 0.0 ? power / size / unit : 0.0));
    side[0] = (uint16_t)(side[0] + (side[0] == 0 && size > 0.0));
    const double factor = (double)idx_from_half(side[0]) * unit;
    const double offset =
        (m->sc->params.metric == IDX_EUCLID ? -0.5 * power : along) - factor * own;
    side[1] = half_above(offset / (unit * unit));
    uint8_t *at = c->block + m->bits * 4 + c->slot * sizeof *side;
    memcpy(at, &side[0], sizeof *side);
    memcpy(at + IDX_CODE_ROWS * sizeof *side, &side[1], sizeof *side);
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
store_row(const idx_making_cells *m, size_t i, const coding *c)
{
    const size_t dim = m->sc->dim;
    uint16_t *half = (uint16_t *)m->rows + i * dim;
    switch (m->sc->params.stored) {
    case IDX_I8:
        store_bytes((int8_t *)m->rows + i * dim, &m->steps[i], c->x, c->centre, dim);
        break;
    case IDX_F16:
        for (size_t j = 0; j < dim; j++)
            half[j] = idx_to_half(c->x[j]);
        break;
    default:
        memcpy((float *)m->rows + i * dim, c->x, dim * sizeof *c->x);
    }
}

static void
fill_cell(const idx_making_cells *m, size_t cell)
{
    const size_t dim = m->sc->dim, bytes = idx_block_bytes(m->bits);
    float turned[IDX_MAX_DIM];
    coding c = {.centre = m->p.cells + cell * dim, .turned = turned};
    idx_cells_rotate(turned, c.centre, m->signs, dim);
    for (uint32_t b = m->block[cell]; b < m->block[cell + 1]; b++)
        for (size_t j = 0; j < IDX_CODE_ROWS; j++) {
            const uint16_t none = IDX_NO_ROW;
            memcpy(m->blocks + b * bytes + m->bits * 4 + 2 * (IDX_CODE_ROWS + j), &none,
                   sizeof none);
        }
    for (uint32_t i = m->cell[cell]; i < m->cell[cell + 1]; i++) {
        const uint32_t at = i - m->cell[cell];
        c.x = m->sc->rows + (size_t)m->order[i] * dim;
        c.block = m->blocks + (m->block[cell] + at / IDX_CODE_ROWS) * bytes;
        c.slot = at % IDX_CODE_ROWS;
        code_row(m, &c);
        m->entries[i] = m->sc->entries[m->order[i]];
        store_row(m, i, &c);
    }
}

void
idx_cells_fill(void *job, size_t eight)
{
    const idx_making_cells *m = job;
    round_centres(m, eight);
    for (size_t k = 0; k < IDX_COARSE_CELLS; k++)
        fill_cell(m, eight * IDX_COARSE_CELLS + k);
}
