/* Scoring the sketches of candidates. Analysis thread. */
#include "sketch.h"

#include <math.h>
#include <string.h>

/*
 * Errors of an estimate have a standard deviation of 0.75 |r| |q| / sqrt(bits), and
 * |r| is about 0.8 sqrt(bits) factors: 0.6 |q| factors. Two of them are allowed for.
 */
static const float allowed = 1.2F;

/* Sums of all 256 subsets of eight values, doubled. */
static void
fill_table(float table[256], const float y[8])
{
    table[0] = 0.0F;
    for (uint32_t v = 1; v < 256; v++)
        table[v] = table[v & (v - 1)] + 2.0F * y[__builtin_ctz(v)];
}

idx_sketch
idx_sketch_begin(const idx_index *index, uint32_t scale, idx_scratch *s,
                 const uint64_t signs[], float room[])
{
    const idx_scale *sc = &index->scales[scale];
    const uint32_t bits = sc->params.leaf;
    const float *centre = index->part[scale][FMT_CENTRE];
    idx_sketch k = {.sketch = index->part[scale][FMT_CODES],
                    .words = idx_sketch_words(bits),
                    .n_bytes = bits / 8,
                    .table = room};
    float y[IDX_MAX_DIM], sum = 0.0F, power = 0.0F, along = 0.0F;
    for (uint32_t i = 0; i < sc->dim; i++)
        along += centre[i] * s->unit[i];
    idx_rotate(y, s->centred, signs, sc->dim);
    for (uint32_t i = 0; i < bits; i++) {
        sum += y[i];
        power += y[i] * y[i];
    }
    for (uint32_t b = 0; b < k.n_bytes; b++)
        fill_table(room + (size_t)b * 256, y + (size_t)b * 8);
    k.least_sum = allowed * sqrtf(power) - sum;
    k.base = sc->params.metric == IDX_EUCLID ? -0.5F * power : along;
    k.base += 1e-6F * (1.0F + fabsf(k.base)); /* what rounding may take */
    return k;
}

float
idx_sketch_upper(const idx_sketch *k, uint32_t entry)
{
    const uint64_t *sketch = k->sketch + entry * k->words;
    const float *table = k->table;
    float even = k->least_sum, odd = 0.0F;
    idx_sketch_side side;
    for (size_t w = 0; w + 1 < k->words; w++)
        for (uint32_t b = 0; b < 64; b += 16, table += 512) {
            even += table[sketch[w] >> b & 255];
            odd += table[256 + (sketch[w] >> (b + 8) & 255)];
        }
    memcpy(&side, sketch + k->words - 1, sizeof side);
    return k->base + side.offset + side.factor * (even + odd);
}
