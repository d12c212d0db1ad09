/* Random rotations. Analysis thread. */
#include "rotate.h"
#include "index/index.h"

#include <math.h>
#include <string.h>

/*
 * A stage of the transform in its constant geometry (Pease, 1968): it adds and
 * subtracts the halves of x, and puts the results next to each other, which moves the
 * highest bit of a place to the lowest. After all stages every bit is home again. All
 * stages read forwards whatever their stride would be, which compilers turn into good
 * vector code.
 */
static void
stage(float *restrict out, const float *restrict x, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half];
        out[2 * i] = a + b;
        out[2 * i + 1] = a - b;
    }
}

/* Two stages at once. */
static void
stages(float *restrict out, const float *restrict x, size_t quarter)
{
    for (size_t i = 0; i < quarter; i++) {
        const float a = x[i], b = x[i + quarter];
        const float c = x[i + 2 * quarter], d = x[i + 3 * quarter];
        const float ac = a + c, a_c = a - c, bd = b + d, b_d = b - d;
        out[4 * i] = ac + bd;
        out[4 * i + 1] = ac - bd;
        out[4 * i + 2] = a_c + b_d;
        out[4 * i + 3] = a_c - b_d;
    }
}

/* H x, in x or in spare; returns which. */
static float *
transform(float *x, float *spare, size_t d)
{
    size_t left = d;
    for (; left >= 4; left /= 4) {
        stages(spare, x, d / 4);
        float *const done = spare;
        spare = x;
        x = done;
    }
    if (left < 2)
        return x;
    stage(spare, x, d / 2);
    return spare;
}

void
idx_hadamard(float x[], size_t d)
{
    float spare[IDX_MAX_DIM];
    if (transform(x, spare, d) != x)
        memcpy(x, spare, d * sizeof *x);
}

/* out[i] = x[i], negated where bit i of signs is 1. */
static void
turn(float *restrict out, const float *restrict x, const uint64_t signs[], size_t n)
{
    for (size_t i = 0; i < n; i += 32) {
        const uint32_t word = (uint32_t)(signs[i >> 6] >> (i & 32));
        const size_t most = n - i < 32 ? n - i : 32;
        for (size_t j = 0; j < most; j++) {
            uint32_t bits;
            memcpy(&bits, x + i + j, sizeof bits);
            bits ^= (word & 1U << j) ? 0x80000000U : 0U;
            memcpy(out + i + j, &bits, sizeof bits);
        }
    }
}

void
idx_rotate(float out[], const float x[], const uint64_t signs[], size_t dim)
{
    const size_t d = idx_rotate_dim(dim);
    const size_t words = (d + 63) / 64;
    float room[2][IDX_MAX_DIM];
    float *at = room[0];
    /* H makes vectors longer by the root of d; shortened first, none can overflow */
    const float scale = 1.0F / ((float)d * sqrtf((float)d));
    for (size_t i = 0; i < dim; i++)
        at[i] = x[i] * scale;
    memset(at + dim, 0, (d - dim) * sizeof *at);
    for (size_t r = 0; r < IDX_ROUNDS; r++) {
        float *const other = at == room[0] ? room[1] : room[0];
        turn(other, at, signs + r * words, d);
        at = transform(other, at, d);
    }
    memcpy(out, at, d * sizeof *out);
}
