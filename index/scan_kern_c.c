#include "half.h"
#include "scan_kern.h"

#include <string.h>

#ifdef __clang__
/* a fused product would round otherwise than avx2 does */
#pragma STDC FP_CONTRACT OFF
#endif

enum { LANES = 16 };

static void
coarse_c(float *restrict out, const int8_t *restrict q, float scale,
         const uint8_t *restrict blocks, size_t dim, size_t n)
{
    const size_t bytes = idx_coarse_bytes(dim);
    for (size_t b = 0; b < n; b++, blocks += bytes) {
        const int8_t *value = (const int8_t *)blocks;
        int32_t sum[IDX_COARSE_CELLS] = {0};
        float side[2 * IDX_COARSE_CELLS];
        for (size_t i = 0; i < bytes - 64; i++)
            sum[i / 4 % IDX_COARSE_CELLS] += q[i / 32 * 4 + i % 4] * value[i];
        memcpy(side, blocks + bytes - 64, sizeof side);
        for (size_t k = 0; k < IDX_COARSE_CELLS; k++) {
            const float dot = scale * side[k] * (float)sum[k];
            out[b * IDX_COARSE_CELLS + k] = dot - side[IDX_COARSE_CELLS + k];
        }
    }
}

static uint32_t
scan_c(const idx_scan *s, const uint8_t *restrict blocks, size_t bits, size_t n,
       idx_survivor out[])
{
    uint32_t n_out = 0;
    for (size_t b = 0; b < n; b++, blocks += idx_block_bytes(bits)) {
        uint16_t side[2 * IDX_CODE_ROWS];
        memcpy(side, blocks + bits * 4, sizeof side);
        for (uint32_t j = 0; j < IDX_CODE_ROWS; j++) {
            uint32_t sum = 0;
            for (size_t i = 0; i < bits / 8; i++) {
                const uint8_t pair = blocks[i * IDX_CODE_ROWS + j];
                sum += s->table[32 * i + (pair & 15U)];
                sum += s->table[32 * i + 16 + (pair >> 4)];
            }
            const float code = (float)sum * s->scale + s->shift;
            const float factor = idx_from_half(side[j]);
            const float offset = idx_from_half(side[IDX_CODE_ROWS + j]);
            const float upper = factor * code + offset + s->base;
            if (upper >= s->least)
                out[n_out++] =
                    (idx_survivor){.entry = s->first + (uint32_t)b * IDX_CODE_ROWS + j,
                                   .upper = upper};
        }
    }
    return n_out;
}

static float
fold(const float a[LANES])
{
    float b[8];
    for (int j = 0; j < 8; j++)
        b[j] = a[j] + a[j + 8];
    for (int j = 0; j < 4; j++)
        b[j] += b[j + 4];
    return (b[0] + b[2]) + (b[1] + b[3]);
}

static void
picks8_c(float *restrict out, const float *restrict x, const int8_t *restrict rows,
         const float *restrict step, size_t dim, const uint32_t *restrict id, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = rows + id[i] * dim;
        float a[LANES] = {0};
        for (size_t j = 0; j < dim; j++)
            a[j % LANES] += x[j] * (float)row[j];
        out[i] = step[id[i]] * fold(a);
    }
}

static void
gap_picks8_c(float *restrict out, const float *restrict x, const int8_t *restrict rows,
             const float *restrict step, size_t dim, const uint32_t *restrict id,
             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = rows + id[i] * dim;
        float a[LANES] = {0};
        for (size_t j = 0; j < dim; j++) {
            const float d = x[j] - step[id[i]] * (float)row[j];
            a[j % LANES] += d * d;
        }
        out[i] = fold(a);
    }
}

const idx_scan_kern idx_scan_kern_c = {"c", coarse_c, scan_c, picks8_c, gap_picks8_c};
