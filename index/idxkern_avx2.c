#include "idxkern.h"

#include "half.h"

#ifdef __AVX2__

#include <immintrin.h>

#ifdef __clang__
/* products and sums are rounded separately: see idxkern.h */
#pragma STDC FP_CONTRACT OFF
#endif

enum {
    ROWS = 4,  /* at a time: 8 accumulators hide the latency of the sums */
    LINE = 16, /* floats in a cache line */
    /* Rows fetched before their use: 8 KB at 128 floats, well inside L1. The hardware's
     * own prefetching does not follow four rows side by side: a scan took 1.9 ms,
     * not 1.1 (100,000 x 128, EPYC). */
    AHEAD = 16,
};

/* First `n` of 8 lanes on; n in 0..8. */
static __m256i
mask_of(size_t n)
{
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(ones + 8 - n));
}

typedef enum { DOT, GAP } what; /* sums of x y, or of (x - y)^2 */

static inline __attribute__((always_inline)) __m256
add_product(what op, __m256 acc, __m256 x, __m256 y)
{
    if (op == GAP)
        x = y = _mm256_sub_ps(x, y);
    return _mm256_add_ps(acc, _mm256_mul_ps(x, y));
}

/* Lanes j and j + 8 of a pair, then j and j + 4. */
static __m128
fold_to_4(__m256 lo, __m256 hi)
{
    const __m256 b = _mm256_add_ps(lo, hi);
    return _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
}

/* The sums of four vectors of four lanes: (0 + 2) + (1 + 3) in each. */
static __m128
fold_rows(__m128 a, __m128 b, __m128 c, __m128 d)
{
    const __m128 ab = _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
    const __m128 cd = _mm_add_ps(_mm_movelh_ps(c, d), _mm_movehl_ps(d, c));
    return _mm_add_ps(_mm_shuffle_ps(ab, cd, _MM_SHUFFLE(2, 0, 2, 0)),
                      _mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1)));
}

static inline __attribute__((always_inline)) __m128
sum4(what op, const float *restrict x, const float *const r[ROWS], size_t dim)
{
    __m256 lo[ROWS], hi[ROWS];
    for (int k = 0; k < ROWS; k++)
        lo[k] = hi[k] = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 16 <= dim; i += 16) {
        const __m256 x0 = _mm256_loadu_ps(x + i);
        const __m256 x1 = _mm256_loadu_ps(x + i + 8);
        for (int k = 0; k < ROWS; k++) {
            lo[k] = add_product(op, lo[k], x0, _mm256_loadu_ps(r[k] + i));
            hi[k] = add_product(op, hi[k], x1, _mm256_loadu_ps(r[k] + i + 8));
        }
    }
    if (i < dim) {
        const size_t left =
            dim - i; /* 1..15; lanes that are off read nothing and add 0 */
        const __m256i m0 = mask_of(left < 8 ? left : 8);
        const __m256i m1 = mask_of(left < 8 ? 0 : left - 8);
        const __m256 x0 = _mm256_maskload_ps(x + i, m0);
        const __m256 x1 = _mm256_maskload_ps(x + i + 8, m1);
        for (int k = 0; k < ROWS; k++) {
            lo[k] = add_product(op, lo[k], x0, _mm256_maskload_ps(r[k] + i, m0));
            hi[k] = add_product(op, hi[k], x1, _mm256_maskload_ps(r[k] + i + 8, m1));
        }
    }
    return fold_rows(fold_to_4(lo[0], hi[0]), fold_to_4(lo[1], hi[1]),
                     fold_to_4(lo[2], hi[2]), fold_to_4(lo[3], hi[3]));
}

/* Stores the first n of four sums. */
static void
store(float *out, __m128 sums, size_t n)
{
    if (n >= ROWS)
        _mm_storeu_ps(out, sums);
    else
        _mm_maskstore_ps(out, _mm256_castsi256_si128(mask_of(n)), sums);
}

static void
fetch(const float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i += LINE)
        _mm_prefetch((const char *)(row + i), _MM_HINT_T0);
}

static inline __attribute__((always_inline)) void
all(what op, float *restrict out, const float *restrict x, const float *restrict rows,
    size_t dim, size_t n)
{
    for (size_t i = 0; i < n; i += ROWS) {
        const float *r[ROWS];
        for (size_t k = 0; k < ROWS; k++) { /* the last rows repeat when n is not 4 m */
            r[k] = rows + (i + k < n ? i + k : n - 1) * dim;
            if (i + k + AHEAD < n)
                fetch(rows + (i + k + AHEAD) * dim, dim);
        }
        store(out + i, sum4(op, x, r, dim), n - i);
    }
}

static inline __attribute__((always_inline)) void
picked(what op, float *restrict out, const float *restrict x,
       const float *restrict rows, size_t dim, const uint32_t *restrict id, size_t n)
{
    for (size_t i = 0; i < n && i < AHEAD; i++)
        fetch(rows + id[i] * dim, dim);
    for (size_t i = 0; i < n; i += ROWS) {
        const float *r[ROWS];
        for (size_t k = 0; k < ROWS; k++) {
            r[k] = rows + id[i + k < n ? i + k : n - 1] * dim;
            if (i + k + AHEAD < n)
                fetch(rows + id[i + k + AHEAD] * dim, dim);
        }
        store(out + i, sum4(op, x, r, dim), n - i);
    }
}

static void
dots_avx2(float *restrict out, const float *restrict x, const float *restrict rows,
          size_t dim, size_t n)
{
    all(DOT, out, x, rows, dim, n);
}

static void
picks_avx2(float *restrict out, const float *restrict x, const float *restrict rows,
           size_t dim, const uint32_t *restrict id, size_t n)
{
    picked(DOT, out, x, rows, dim, id, n);
}

static void
gaps_avx2(float *restrict out, const float *restrict x, const float *restrict rows,
          size_t dim, size_t n)
{
    all(GAP, out, x, rows, dim, n);
}

static void
gap_picks_avx2(float *restrict out, const float *restrict x, const float *restrict rows,
               size_t dim, const uint32_t *restrict id, size_t n)
{
    picked(GAP, out, x, rows, dim, id, n);
}

static void
widen_avx2(float *restrict out, const uint16_t *restrict half, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                      (const __m128i *)(const void *)(half + i))));
    for (; i < n; i++)
        out[i] = idx_from_half(half[i]);
}

const idx_kern idx_kern_avx2 = {"avx2",    dots_avx2,      picks_avx2,
                                gaps_avx2, gap_picks_avx2, widen_avx2};

#else

const idx_kern idx_kern_avx2 = {0};

#endif
