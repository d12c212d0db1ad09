/* The definition of the kernels of one frame, in plain C. */
#include "kern_frame.h"

#include "kern.h"

#include <math.h>

/* What kern_frame_lags.h asks for; any CPU with vectors has such. */
enum { LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static inline lanes
lanes_add_product(lanes a, lanes b, lanes c)
{
    return a + b * c;
}

static inline lanes
lanes_take_product(lanes a, lanes b, lanes c)
{
    return a - b * c;
}

static inline lanes
lanes_reversed(lanes v)
{
    return __builtin_shufflevector(v, v, 3, 2, 1, 0);
}

static inline void
lanes_transpose(lanes v[LANES])
{
    const lanes a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
    const lanes b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
    const lanes c = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    const lanes d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    v[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

#include "kern_frame_lags.h"

static float
sum_of_lanes(const float lane[DSP_LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static size_t
crossings_c(const float *x, size_t n)
{
    int32_t count = 0;
    for (size_t i = 1; i < n; i++)
        count += (x[i - 1] < 0) != (x[i] < 0);
    return (size_t)count;
}

static float
sum_c(const float *p, size_t n)
{
    float lane[DSP_LANES] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l];
    for (size_t l = 0; i < n; i++, l++)
        lane[l] += p[i];
    return sum_of_lanes(lane);
}

static dsp_moments
moments_of_chunk(const float p[DSP_CHUNK])
{
    float x[DSP_LANES] = {-15.5F, -14.5F, -13.5F, -12.5F, -11.5F, -10.5F, -9.5F, -8.5F};
    float sum[DSP_LANES] = {0}, first[DSP_LANES] = {0}, second[DSP_LANES] = {0};
    for (size_t i = 0; i < DSP_CHUNK; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++) {
            const float weighted = x[l] * p[i + l];
            sum[l] += p[i + l];
            first[l] += weighted;
            second[l] += x[l] * weighted;
            x[l] += DSP_LANES;
        }
    return (dsp_moments){sum_of_lanes(sum), sum_of_lanes(first), sum_of_lanes(second)};
}

static void
moments_c(const float *p, size_t n, dsp_moments *chunk)
{
    size_t i = 0;
    for (; i + DSP_CHUNK <= n; i += DSP_CHUNK)
        *chunk++ = moments_of_chunk(p + i);
    if (i < n) {
        float rest[DSP_CHUNK] = {0};
        memcpy(rest, p + i, (n - i) * sizeof *p);
        *chunk = moments_of_chunk(rest);
    }
}

/* Exponents are added and mantissas multiplied, so that eight logarithms do; but no
 * more than 64 rows at once, since each may double the product. */
static float
log_sum_of_rows(const float *p, size_t n_rows, float floor)
{
    const int32_t one = 0x3f800000, floor_bits = dsp_bits_of(floor);
    int32_t exponent[DSP_LANES] = {0};
    float product[DSP_LANES], total = 0;
    for (size_t l = 0; l < DSP_LANES; l++)
        product[l] = 1;
    for (size_t i = 0; i < n_rows * DSP_LANES; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++) {
            int32_t b = dsp_bits_of(p[i + l]);
            b = b > floor_bits ? b : floor_bits;
            exponent[l] += b >> 23;
            product[l] *= dsp_float_of((b & 0x007fffff) | one);
        }
    for (size_t l = 0; l < DSP_LANES; l++)
        total += (float)(exponent[l] - 127 * (int32_t)n_rows) + log2f(product[l]);
    return total;
}

static float
log_sum_c(const float *p, size_t n, float floor, float *sum)
{
    enum { ROWS = 64 };
    float total = 0;
    const size_t n_rows = n / DSP_LANES;
    for (size_t r = 0; r < n_rows; r += ROWS)
        total += log_sum_of_rows(p + r * DSP_LANES,
                                 n_rows - r < ROWS ? n_rows - r : ROWS, floor);
    for (size_t i = n_rows * DSP_LANES; i < n; i++)
        total += log2f(p[i] > floor ? p[i] : floor);
    *sum = sum_c(p, n);
    return total;
}

static size_t
reach_c(const float *x, size_t n, float goal)
{
    size_t i = 0;
    while (i < n && !(x[i] >= goal))
        i++;
    return i;
}

const dsp_frame_kern dsp_frame_kern_c = {
    .crossings = crossings_c,
    .fifths = dsp_fifths_c,
    .moments = moments_c,
    .log_sum = log_sum_c,
    .lags = lags,
    .reach = reach_c,
};
