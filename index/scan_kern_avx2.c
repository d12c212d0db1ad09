#include "scan_kern.h"

#ifdef __AVX2__

#include "half.h"

#include <immintrin.h>

#ifdef __clang__
/* products and sums are rounded separately: see scan_kern.h */
#pragma STDC FP_CONTRACT OFF
#endif

static __m256i
load(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* Four bytes at p, eight times. */
static __m256i
spread4(const int8_t *p)
{
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
}

/* ---- Cells ---------------------------------------------------------------------- */

/* acc + the products of four coordinates of 8 centres: q as magnitudes, its signs given
 * to the centres; two products of at most 127^2 fit 16 bits. */
static __m256i
add_four(__m256i acc, __m256i q, __m256i value)
{
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(value, q));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

static void
store_coarse(float *out, __m256i sum, float scale, const uint8_t *side)
{
    const __m256 step = _mm256_loadu_ps((const float *)(const void *)side);
    const __m256 half = _mm256_loadu_ps((const float *)(const void *)(side + 32));
    const __m256 dot = _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(scale), step),
                                     _mm256_cvtepi32_ps(sum));
    _mm256_storeu_ps(out, _mm256_sub_ps(dot, half));
}

static void
coarse_avx2(float *restrict out, const int8_t *restrict q, float scale,
            const uint8_t *restrict blocks, size_t dim, size_t n)
{
    const size_t bytes = idx_coarse_bytes(dim);
    const size_t dim4 = (dim + 3) / 4;
    size_t b = 0;
    for (; b + 2 <= n; b += 2, blocks += 2 * bytes) {
        __m256i s0 = _mm256_setzero_si256(), s1 = s0;
        for (size_t i = 0; i < dim4; i++) {
            const __m256i four = spread4(q + 4 * i);
            s0 = add_four(s0, four, load(blocks + 32 * i));
            s1 = add_four(s1, four, load(blocks + bytes + 32 * i));
        }
        store_coarse(out + 8 * b, s0, scale, blocks + bytes - 64);
        store_coarse(out + 8 * b + 8, s1, scale, blocks + 2 * bytes - 64);
    }
    if (b < n) {
        __m256i s0 = _mm256_setzero_si256();
        for (size_t i = 0; i < dim4; i++)
            s0 = add_four(s0, spread4(q + 4 * i), load(blocks + 32 * i));
        store_coarse(out + 8 * b, s0, scale, blocks + bytes - 64);
    }
}

/* ---- Codes ---------------------------------------------------------------------- */

/* Entries of two tables for a byte of 32 rows each. */
static __m256i
look_up(const uint8_t *table, const uint8_t *code)
{
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i pair = load(code);
    const __m256i t0 = _mm256_broadcastsi128_si256(
        _mm_load_si128((const __m128i *)(const void *)table));
    const __m256i t1 = _mm256_broadcastsi128_si256(
        _mm_load_si128((const __m128i *)(const void *)(table + 16)));
    return _mm256_add_epi8(
        _mm256_shuffle_epi8(t0, _mm256_and_si256(pair, low)),
        _mm256_shuffle_epi8(t1, _mm256_and_si256(_mm256_srli_epi16(pair, 4), low)));
}

/* Sums of 32 rows in 16 bits: those of even rows in *even, of odd ones in *odd. */
static inline __attribute__((always_inline)) void
sum_block(const uint8_t *table, const uint8_t *code, size_t bits, __m256i *even,
          __m256i *odd)
{
    __m256i all = _mm256_setzero_si256(), high = all;
    size_t i = 0;
    for (; i + 2 <= bits / 8; i += 2) { /* four entries fit a byte */
        const __m256i r =
            _mm256_add_epi8(look_up(table + 32 * i, code + 32 * i),
                            look_up(table + 32 * i + 32, code + 32 * i + 32));
        all = _mm256_add_epi16(all, r);
        high = _mm256_add_epi16(high, _mm256_srli_epi16(r, 8));
    }
    if (i < bits / 8) {
        const __m256i r = look_up(table + 32 * i, code + 32 * i);
        all = _mm256_add_epi16(all, r);
        high = _mm256_add_epi16(high, _mm256_srli_epi16(r, 8));
    }
    *even = _mm256_sub_epi16(all, _mm256_slli_epi16(high, 8));
    *odd = high;
}

/* upper of 8 rows. */
static inline __attribute__((always_inline)) __m256
upper8(const idx_scan *s, __m128i sums, const uint8_t *side)
{
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
    const __m256 factor =
        _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)side));
    const __m256 offset =
        _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(side + 64)));
    const __m256 code = _mm256_add_ps(_mm256_mul_ps(sum, _mm256_set1_ps(s->scale)),
                                      _mm256_set1_ps(s->shift));
    return _mm256_add_ps(_mm256_add_ps(_mm256_mul_ps(factor, code), offset),
                         _mm256_set1_ps(s->base));
}

static uint32_t
keep(const float upper[IDX_CODE_ROWS], uint32_t mask, uint32_t first,
     idx_survivor out[])
{
    uint32_t n = 0;
    for (; mask; mask &= mask - 1) {
        const uint32_t j = (uint32_t)__builtin_ctz(mask);
        out[n++] = (idx_survivor){first + j, upper[j]};
    }
    return n;
}

static inline __attribute__((always_inline)) uint32_t
scan_blocks(const idx_scan *s, const uint8_t *restrict blocks, size_t bits, size_t n,
            idx_survivor out[])
{
    const size_t bytes = idx_block_bytes(bits);
    const __m256 least = _mm256_set1_ps(s->least);
    uint32_t n_out = 0;
    for (size_t b = 0; b < n; b++, blocks += bytes) {
        const uint8_t *side = blocks + bits * 4;
        __m256i even, odd;
        __m256 up[4];
        uint32_t mask = 0;
        sum_block(s->table, blocks, bits, &even, &odd);
        const __m256i lo = _mm256_unpacklo_epi16(even, odd); /* rows 0-7, 16-23 */
        const __m256i hi = _mm256_unpackhi_epi16(even, odd); /* rows 8-15, 24-31 */
        up[0] = upper8(s, _mm256_castsi256_si128(lo), side);
        up[1] = upper8(s, _mm256_castsi256_si128(hi), side + 16);
        up[2] = upper8(s, _mm256_extracti128_si256(lo, 1), side + 32);
        up[3] = upper8(s, _mm256_extracti128_si256(hi, 1), side + 48);
        for (int k = 0; k < 4; k++)
            mask |=
                (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(up[k], least, _CMP_GE_OQ))
                << 8 * k;
        if (mask) {
            float upper[IDX_CODE_ROWS];
            for (int k = 0; k < 4; k++)
                _mm256_storeu_ps(upper + 8 * k, up[k]);
            n_out +=
                keep(upper, mask, s->first + (uint32_t)b * IDX_CODE_ROWS, out + n_out);
        }
    }
    return n_out;
}

static uint32_t
scan_avx2(const idx_scan *s, const uint8_t *restrict blocks, size_t bits, size_t n,
          idx_survivor out[])
{
    return bits == 128  ? scan_blocks(s, blocks, 128, n, out) /* loops unrolled */
           : bits == 64 ? scan_blocks(s, blocks, 64, n, out)
                        : scan_blocks(s, blocks, bits, n, out);
}

/* ---- Rows of bytes -------------------------------------------------------------- */

typedef enum { DOT, GAP } what;

/* Sums of 16 lanes, then folded in halves, as in idxkern.h. */
static inline __attribute__((always_inline)) float
sum8(what op, const float *restrict x, const int8_t *restrict row, float step,
     size_t dim)
{
    __m256 acc[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    const __m256 steps = _mm256_set1_ps(step);
    float lane[16];
    size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(row + i));
        for (int k = 0; k < 2; k++) {
            const __m256 y = _mm256_cvtepi32_ps(
                _mm256_cvtepi8_epi32(k ? _mm_srli_si128(bytes, 8) : bytes));
            __m256 a = _mm256_loadu_ps(x + i + 8 * k), b = y;
            if (op == GAP)
                a = b = _mm256_sub_ps(a, _mm256_mul_ps(steps, y));
            acc[k] = _mm256_add_ps(acc[k], _mm256_mul_ps(a, b));
        }
    }
    _mm256_storeu_ps(lane, acc[0]);
    _mm256_storeu_ps(lane + 8, acc[1]);
    for (size_t j = 0; i + j < dim; j++) {
        const float y = (float)row[i + j];
        const float d = x[i + j] - step * y;
        lane[j] += op == GAP ? d * d : x[i + j] * y;
    }
    for (int j = 0; j < 8; j++)
        lane[j] += lane[j + 8];
    for (int j = 0; j < 4; j++)
        lane[j] += lane[j + 4];
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

static void
picks8_avx2(float *restrict out, const float *restrict x, const int8_t *restrict rows,
            const float *restrict step, size_t dim, const uint32_t *restrict id,
            size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = step[id[i]] * sum8(DOT, x, rows + id[i] * dim, 0.0F, dim);
}

static void
gap_picks8_avx2(float *restrict out, const float *restrict x,
                const int8_t *restrict rows, const float *restrict step, size_t dim,
                const uint32_t *restrict id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = sum8(GAP, x, rows + id[i] * dim, step[id[i]], dim);
}

const idx_scan_kern idx_scan_kern_avx2 = {"avx2", coarse_avx2, scan_avx2, picks8_avx2,
                                          gap_picks8_avx2};

#else

const idx_scan_kern idx_scan_kern_avx2 = {0};

#endif
