/* Making and checking sketches. Cold. */
#include "sketch.h"
#include "tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows on their way to sketches. */
typedef struct {
    const idx_scale *sc;
    const float *centre;
    const uint64_t *signs;
    uint64_t *sketch;
} sketching;

static void
sketch_row(void *job, uint32_t row)
{
    const sketching *k = job;
    const uint32_t bits = k->sc->params.leaf, dim = k->sc->dim;
    const float *x = k->sc->rows + (size_t)row * dim;
    uint64_t *out = k->sketch + row * idx_sketch_words(bits);
    float centred[IDX_MAX_DIM], y[IDX_MAX_DIM];
    double power = 0.0, size = 0.0, along = 0.0;
    for (uint32_t i = 0; i < dim; i++) {
        centred[i] = x[i] - k->centre[i];
        along += (double)centred[i] * (double)k->centre[i];
    }
    idx_rotate(y, centred, k->signs, dim);
    for (uint32_t i = 0; i < bits; i++) {
        power += (double)y[i] * (double)y[i];
        size += fabs((double)y[i]);
        out[i >> 6] |= (uint64_t)(y[i] >= 0.0F) << (i & 63);
    }
    const bool euclid = k->sc->params.metric == IDX_EUCLID;
    const idx_sketch_side side = {.factor = size > 0.0 ? (float)(power / size) : 0.0F,
                                  .offset =
                                      euclid ? (float)(-0.5 * power) : (float)along};
    memcpy(out + idx_sketch_words(bits) - 1, &side, sizeof side);
}

idx_status
idx_sketch_build(idx_built *out, const idx_scale *scale, const idx_making *how,
                 const uint64_t signs[])
{
    const size_t bytes = idx_sketch_bytes(scale->params.leaf, scale->n_entries);
    uint64_t *sketch = out->at[FMT_CODES] = calloc(1, bytes);
    sketching job = {scale, out->at[FMT_CENTRE], signs, sketch};
    if (!sketch)
        return IDX_ENOMEM;
    return idx_tables_hash(scale, how, sketch_row, &job) ? IDX_OK : IDX_EIO;
}

idx_status
idx_sketch_build_own(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    uint64_t *signs = out->at[FMT_SIGNS] =
        calloc(idx_rotate_words(scale->dim), sizeof *signs);
    if (!signs)
        return IDX_ENOMEM;
    idx_rotate_signs(signs, scale->dim, 1, how->seed ^ 0x5ce7c4e5U);
    return idx_sketch_build(out, scale, how, signs);
}

uint64_t
idx_sketch_bytes(uint32_t bits, uint32_t n_entries)
{
    return bits ? (uint64_t)n_entries * idx_sketch_words(bits) * sizeof(uint64_t) : 0;
}

bool
idx_sketch_holds(const idx_scale *sc, const uint64_t sketch[], char *fault,
                 size_t fault_len)
{
    const size_t words = idx_sketch_words(sc->params.leaf);
    for (size_t i = 0; sc->params.leaf && i < sc->n_entries; i++) {
        idx_sketch_side side;
        memcpy(&side, sketch + (i + 1) * words - 1, sizeof side);
        if (!isfinite(side.factor) || !isfinite(side.offset))
            return FAULT("the sketch of row %zu is not finite", i);
    }
    return true;
}
