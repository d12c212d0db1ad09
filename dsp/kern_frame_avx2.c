/* The kernels of one frame for x86 with AVX2 and FMA. */
#include "kern_frame.h"

#if defined(__AVX2__)

#include "kern_avx2.h"

/* What kern_frame_lags.h asks for. */
enum { LANES = 8 };
typedef __m256 lanes;

static inline lanes
lanes_add_product(lanes a, lanes b, lanes c)
{
    return _mm256_fmadd_ps(b, c, a);
}

static inline lanes
lanes_take_product(lanes a, lanes b, lanes c)
{
    return _mm256_fnmadd_ps(b, c, a);
}

static inline lanes
lanes_reversed(lanes v)
{
    return _mm256_permutevar8x32_ps(v, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}

/* Four rows of which halves have been put together, for each half. */
static inline void
transpose_halves(__m256 v[4])
{
    const __m256 a = _mm256_unpacklo_ps(v[0], v[1]), b = _mm256_unpackhi_ps(v[0], v[1]);
    const __m256 c = _mm256_unpacklo_ps(v[2], v[3]), d = _mm256_unpackhi_ps(v[2], v[3]);
    v[0] = _mm256_shuffle_ps(a, c, 0x44);
    v[1] = _mm256_shuffle_ps(a, c, 0xee);
    v[2] = _mm256_shuffle_ps(b, d, 0x44);
    v[3] = _mm256_shuffle_ps(b, d, 0xee);
}

static inline void
lanes_transpose(lanes v[LANES])
{
    for (size_t i = 0; i < 4; i++) {
        const __m256 a = v[i], b = v[i + 4];
        v[i] = _mm256_permute2f128_ps(a, b, 0x20);
        v[i + 4] = _mm256_permute2f128_ps(a, b, 0x31);
    }
    transpose_halves(v);
    transpose_halves(v + 4);
}

#include "kern_frame_lags.h"

/* Bit i tells whether x[i] is below 0, for 32 of them. */
static inline uint32_t
negative(const float *x)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256 zero = _mm256_setzero_ps();
    __m256i v[4];
    for (size_t i = 0; i < 4; i++)
        v[i] = _mm256_castps_si256(
            _mm256_cmp_ps(_mm256_loadu_ps(x + 8 * i), zero, _CMP_LT_OQ));
    const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]),
                                             _mm256_packs_epi32(v[2], v[3]));
    return (uint32_t)_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(bytes, order));
}

static size_t
crossings_avx2(const float *x, size_t n)
{
    if (n == 0)
        return 0;
    uint32_t before = x[0] < 0;
    int32_t count = 0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        const uint32_t bits = negative(x + i);
        count += _mm_popcnt_u32(bits ^ (bits << 1 | before));
        before = bits >> 31;
    }
    for (; i < n; i++) {
        count += before != (x[i] < 0);
        before = x[i] < 0;
    }
    return (size_t)count;
}

/* The lanes' moments of a chunk; only n bins of it exist. */
static inline void
moments_of_chunk(const float *p, size_t n, __m256 *sum, __m256 *first, __m256 *second)
{
    __m256 x =
        _mm256_setr_ps(-15.5F, -14.5F, -13.5F, -12.5F, -11.5F, -10.5F, -9.5F, -8.5F);
    *sum = *first = *second = _mm256_setzero_ps();
    for (size_t i = 0; i < 4; i++) {
        const __m256 v =
            n >= DSP_CHUNK
                ? _mm256_loadu_ps(p + 8 * i)
                : _mm256_maskload_ps(p + 8 * i, first_lanes(n > 8 * i ? n - 8 * i : 0));
        const __m256 weighted = _mm256_mul_ps(x, v);
        *sum = _mm256_add_ps(*sum, v);
        *first = _mm256_add_ps(*first, weighted);
        *second = _mm256_fmadd_ps(x, weighted, *second);
        x = _mm256_add_ps(x, _mm256_set1_ps(8));
    }
}

static void
moments_avx2(const float *p, size_t n, dsp_moments *chunk)
{
    for (size_t i = 0; i < n; i += 8 * DSP_CHUNK) { /* eight chunks at once */
        __m256 parts[3][8];
        size_t c = 0;
        for (; c < 8 && i + c * DSP_CHUNK < n; c++) {
            const size_t at = i + c * DSP_CHUNK;
            moments_of_chunk(p + at, n - at, &parts[0][c], &parts[1][c], &parts[2][c]);
        }
        const size_t n_chunks = c;
        for (; c < 8; c++)
            parts[0][c] = parts[1][c] = parts[2][c] = _mm256_setzero_ps();
        float sums[3][8];
        for (size_t m = 0; m < 3; m++)
            _mm256_storeu_ps(sums[m], sum_lanes(parts[m]));
        for (c = 0; c < n_chunks; c++)
            *chunk++ = (dsp_moments){sums[0][c], sums[1][c], sums[2][c]};
    }
}

/* Sums of exponents and products of mantissas; see log_sum_c(). */
typedef struct {
    __m256i exponent;
    __m256 product;
} logs;

/* Splits x into its exponent, which is added, and its mantissa in [1, 2). */
static inline __m256
split(__m256i x, __m256i *exponent)
{
    const __m256i one = _mm256_set1_epi32(0x3f800000);
    const __m256i fraction = _mm256_and_si256(x, _mm256_set1_epi32(0x007fffff));
    *exponent = _mm256_add_epi32(*exponent, _mm256_srli_epi32(x, 23));
    return _mm256_castsi256_ps(_mm256_or_si256(fraction, one));
}

static inline void
add_logs(logs *a, __m256 x, __m256i floor)
{
    const __m256i b = _mm256_max_epi32(_mm256_castps_si256(x), floor);
    a->product = _mm256_mul_ps(a->product, split(b, &a->exponent));
}

/* Brings the product back to [1, 2). That costs an exponent's bias. */
static inline void
normalise(logs *a)
{
    a->product = split(_mm256_castps_si256(a->product), &a->exponent);
}

static float
log_sum_avx2(const float *p, size_t n, float floor, float *sum)
{
    const __m256i least = _mm256_set1_epi32(dsp_bits_of(floor));
    const __m256 ones = _mm256_set1_ps(1);
    logs a = {_mm256_setzero_si256(), ones}, b = a;
    __m256 sum_a = _mm256_setzero_ps(), sum_b = sum_a;
    int32_t biases = 2; /* of the exponents of each lane */
    size_t i = 0;
    for (; i + 16 <= n; i += 16, biases += 2) {
        const __m256 x = _mm256_loadu_ps(p + i), y = _mm256_loadu_ps(p + i + 8);
        add_logs(&a, x, least);
        add_logs(&b, y, least);
        sum_a = _mm256_add_ps(sum_a, x);
        sum_b = _mm256_add_ps(sum_b, y);
        if (i % 1024 == 1008) { /* either product may have doubled 64 times */
            normalise(&a);
            normalise(&b);
            biases += 2;
        }
    }
    normalise(&a);
    normalise(&b);
    for (; i < n; i += 8, biases++) {
        const __m256i in = first_lanes(n - i < 8 ? n - i : 8);
        const __m256 x = _mm256_maskload_ps(p + i, in);
        add_logs(&a, _mm256_blendv_ps(ones, x, _mm256_castsi256_ps(in)), least);
        sum_a = _mm256_add_ps(sum_a, x);
    }
    *sum = sum_of(_mm256_add_ps(sum_a, sum_b));
    const __m256 logs_left = log2_avx2(_mm256_mul_ps(a.product, b.product));
    const int32_t exponent = sum_of_i(_mm256_add_epi32(a.exponent, b.exponent));
    return sum_of(logs_left) + (float)(exponent - 8 * 127 * biases);
}

static size_t
reach_avx2(const float *x, size_t n, float goal)
{
    const __m256 least = _mm256_set1_ps(goal);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256 there = _mm256_cmp_ps(_mm256_loadu_ps(x + i), least, _CMP_GE_OQ);
        const int bits = _mm256_movemask_ps(there);
        if (bits)
            return i + (size_t)__builtin_ctz((unsigned)bits);
    }
    while (i < n && !(x[i] >= goal))
        i++;
    return i;
}

const dsp_frame_kern dsp_frame_kern_avx2 = {
    .crossings = crossings_avx2,
    .fifths = dsp_fifths_avx2,
    .moments = moments_avx2,
    .log_sum = log_sum_avx2,
    .lags = lags,
    .reach = reach_avx2,
};

#endif
