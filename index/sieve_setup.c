/* Making codes: see sieve.h. Cold. */
#include "half.h"
#include "sieve.h"

#include <math.h>
#include <string.h>

float
idx_code_unit(const idx_scale *sc, const idx_kern *kern)
{
    float most = 0.0F, unit = 1.0F;
    if (sc->params.metric == IDX_COSINE)
        return 1.0F;
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        const float *x = sc->rows + (size_t)i * sc->dim;
        float power;
        kern->dots(&power, x, x, sc->dim, 1);
        most = power > most ? power : most;
    }
    while (unit * unit < most && unit < 1e18F)
        unit *= 2.0F;
    while (unit * unit * 0.25F >= most && unit > 1e-18F)
        unit *= 0.5F;
    return unit;
}

void
idx_code_end(uint8_t block[], size_t bits, uint32_t from)
{
    const uint16_t none = IDX_NO_ROW;
    for (uint32_t j = from; j < IDX_CODE_ROWS; j++)
        memcpy(block + bits * 4 + (IDX_CODE_ROWS + j) * sizeof none, &none,
               sizeof none);
}

bool
idx_code_ends(const uint8_t block[], size_t bits, uint32_t from)
{
    uint16_t side[2 * IDX_CODE_ROWS];
    memcpy(side, block + bits * 4, sizeof side);
    for (uint32_t j = from; j < IDX_CODE_ROWS; j++)
        if (side[j] != 0 || side[IDX_CODE_ROWS + j] != IDX_NO_ROW)
            return false;
    return true;
}

/* The least half that is no less than x. */
static uint16_t
half_above(double x)
{
    const uint16_t h = idx_to_half((float)x);
    if ((double)idx_from_half(h) >= x)
        return h;
    return (uint16_t)(h & 0x8000U ? h - 1U : h + 1U); /* -0 is not below 0 */
}

void
idx_code_row(const idx_coding *c, const float x[], uint8_t block[], uint32_t slot)
{
    const size_t bits = idx_code_bits(c->dim);
    const double unit = (double)c->unit;
    float e[IDX_MAX_DIM];
    uint16_t side[2];
    double power = 0.0, size = 0.0, own = 0.0, along = 0.0;
    idx_code_rotate(e, x, c->signs, c->dim);
    for (size_t i = 0; i < bits; i++) {
        e[i] -= c->turned[i];
        power += (double)e[i] * (double)e[i];
        size += fabs((double)e[i]);
        own += e[i] >= 0.0F ? (double)c->turned[i] : -(double)c->turned[i];
        if (e[i] >= 0.0F)
            block[i / 8 * IDX_CODE_ROWS + slot] |= (uint8_t)(1U << (i & 7U));
    }
    for (size_t i = 0; i < c->dim; i++)
        along += (double)c->centre[i] * ((double)x[i] - (double)c->centre[i]);
    /* the factor as it is stored, which may not be 0 or no error would be allowed for;
     * the offset rounded upwards: a row is never less promising than it is */
    side[0] = idx_to_half((float)(size > 0.0 ? power / size / unit : 0.0));
    side[0] = (uint16_t)(side[0] + (side[0] == 0 && size > 0.0));
    const double factor = (double)idx_from_half(side[0]) * unit;
    const double offset = (c->euclid ? -0.5 * power : along) - factor * own;
    side[1] = half_above(offset / (unit * unit));
    uint8_t *at = block + bits * 4 + slot * sizeof *side;
    memcpy(at, &side[0], sizeof *side);
    memcpy(at + IDX_CODE_ROWS * sizeof *side, &side[1], sizeof *side);
}
