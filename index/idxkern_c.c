#include "idxkern.h"

#include "half.h"

#ifdef __clang__
/* a fused product would round otherwise than avx2 does */
#pragma STDC FP_CONTRACT OFF
#endif

enum { LANES = 16 };

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

static float
dot(const float *restrict x, const float *restrict y, size_t dim)
{
    float a[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            a[j] += x[i + j] * y[i + j];
    for (size_t j = 0; i + j < dim; j++)
        a[j] += x[i + j] * y[i + j];
    return fold(a);
}

static void
dots_c(float *restrict out, const float *restrict x, const float *restrict rows,
       size_t dim, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = dot(x, rows + i * dim, dim);
}

static void
picks_c(float *restrict out, const float *restrict x, const float *restrict rows,
        size_t dim, const uint32_t *restrict id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = dot(x, rows + id[i] * dim, dim);
}

static float
gap(const float *restrict x, const float *restrict y, size_t dim)
{
    float a[LANES] = {0};
    for (size_t i = 0; i < dim; i += LANES)
        for (size_t j = 0; j < LANES && i + j < dim; j++) {
            const float d = x[i + j] - y[i + j];
            a[j] += d * d;
        }
    return fold(a);
}

static void
gaps_c(float *restrict out, const float *restrict x, const float *restrict rows,
       size_t dim, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gap(x, rows + i * dim, dim);
}

static void
gap_picks_c(float *restrict out, const float *restrict x, const float *restrict rows,
            size_t dim, const uint32_t *restrict id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = gap(x, rows + id[i] * dim, dim);
}

static void
widen_c(float *restrict out, const uint16_t *restrict half, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = idx_from_half(half[i]);
}

const idx_kern idx_kern_c = {"c", dots_c, picks_c, gaps_c, gap_picks_c, widen_c};
