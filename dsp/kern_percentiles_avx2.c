/*
 * Percentiles of columns for x86 with AVX2. Up to 150 rows nothing is sorted as a
 * whole: the sixteen least and the sixteen greatest hold both percentiles.
 */
#include "kern_blocks.h"

#if defined(__AVX2__)

#include "kern_avx2.h"

#include <string.h>

enum { LIST = 16 };

/* Puts two rows in order. */
#define E(i, j)                                                                        \
    do {                                                                               \
        const __m256 low = _mm256_min_ps(v##i, v##j);                                  \
        v##j = _mm256_max_ps(v##i, v##j);                                              \
        v##i = low;                                                                    \
    } while (0)
#define ALL(X)                                                                         \
    X(0)                                                                               \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define GET(i) __m256 v##i = x[i];
#define PUT(i) x[i] = v##i;

/* Sorts sixteen rows, each column of its own, by Batcher's network. */
static void
sort16(__m256 x[LIST])
{
    ALL(GET)
    E(0, 8);
    E(1, 9);
    E(2, 10);
    E(3, 11);
    E(4, 12);
    E(5, 13);
    E(6, 14);
    E(7, 15);
    E(0, 4);
    E(1, 5);
    E(2, 6);
    E(3, 7);
    E(8, 12);
    E(9, 13);
    E(10, 14);
    E(11, 15);
    E(4, 8);
    E(5, 9);
    E(6, 10);
    E(7, 11);
    E(0, 2);
    E(1, 3);
    E(4, 6);
    E(5, 7);
    E(8, 10);
    E(9, 11);
    E(12, 14);
    E(13, 15);
    E(2, 8);
    E(3, 9);
    E(6, 12);
    E(7, 13);
    E(2, 4);
    E(3, 5);
    E(6, 8);
    E(7, 9);
    E(10, 12);
    E(11, 13);
    E(0, 1);
    E(2, 3);
    E(4, 5);
    E(6, 7);
    E(8, 9);
    E(10, 11);
    E(12, 13);
    E(14, 15);
    E(1, 8);
    E(3, 10);
    E(5, 12);
    E(7, 14);
    E(1, 4);
    E(3, 6);
    E(5, 8);
    E(7, 10);
    E(9, 12);
    E(11, 14);
    E(1, 2);
    E(3, 4);
    E(5, 6);
    E(7, 8);
    E(9, 10);
    E(11, 12);
    E(13, 14);
    ALL(PUT)
}

/* The same where the rows rise, then fall, or the other way round. */
static void
sort16_bitonic(__m256 x[LIST])
{
    ALL(GET)
    E(0, 8);
    E(1, 9);
    E(2, 10);
    E(3, 11);
    E(4, 12);
    E(5, 13);
    E(6, 14);
    E(7, 15);
    E(0, 4);
    E(1, 5);
    E(2, 6);
    E(3, 7);
    E(8, 12);
    E(9, 13);
    E(10, 14);
    E(11, 15);
    E(0, 2);
    E(1, 3);
    E(4, 6);
    E(5, 7);
    E(8, 10);
    E(9, 11);
    E(12, 14);
    E(13, 15);
    E(0, 1);
    E(2, 3);
    E(4, 5);
    E(6, 7);
    E(8, 9);
    E(10, 11);
    E(12, 13);
    E(14, 15);
    ALL(PUT)
}

/* The sixteen least of both sorted lists into low, sorted; or the greatest into high.
 */
static void
keep_least(__m256 low[LIST], const __m256 x[LIST])
{
    for (size_t i = 0; i < LIST; i++)
        low[i] = _mm256_min_ps(low[i], x[LIST - 1 - i]);
    sort16_bitonic(low);
}

static void
keep_greatest(__m256 high[LIST], const __m256 x[LIST])
{
    for (size_t i = 0; i < LIST; i++)
        high[i] = _mm256_max_ps(high[i], x[LIST - 1 - i]);
    sort16_bitonic(high);
}

/* Sixteen rows, sorted; those from the n-th on are filled. */
static inline void
load_sorted(__m256 to[LIST], const float *x, size_t n, float fill)
{
    for (size_t i = 0; i < LIST; i++)
        to[i] = i < n ? _mm256_loadu_ps(x + i * DSP_COLUMNS) : _mm256_set1_ps(fill);
    sort16(to);
}

static inline void
store_percentile(float *out, __m256 a, __m256 b, size_t tenths)
{
    const __m256 share = _mm256_set1_ps((float)tenths / 10);
    _mm256_storeu_ps(out, _mm256_add_ps(a, _mm256_mul_ps(share, _mm256_sub_ps(b, a))));
}

/* Both percentiles of eight columns of up to 150 rows: they lie among the sixteen least
 * and the sixteen greatest. */
static void
percentiles_of_few(const float *x, size_t n, float *out)
{
    const float infinity = __builtin_inff();
    __m256 low[LIST], high[LIST];
    load_sorted(low, x, n, infinity);
    if (n < LIST)
        load_sorted(high, x, n, -infinity);
    else
        memcpy(high, low, sizeof high);
    for (size_t t = LIST; t < n; t += LIST) {
        __m256 rows[LIST];
        load_sorted(rows, x + t * DSP_COLUMNS, n - t, infinity);
        keep_least(low, rows);
        if (n - t < LIST)
            load_sorted(rows, x + t * DSP_COLUMNS, n - t, -infinity);
        keep_greatest(high, rows);
    }
    const size_t last = n - 1, at = last / 10, from_top = last - 9 * last / 10;
    store_percentile(out, low[at], low[at + (n > 1)], last % 10);
    store_percentile(out + DSP_COLUMNS, high[LIST - 1 - from_top],
                     high[LIST - from_top - (n == 1)], 9 * last % 10);
}

void
dsp_percentiles_avx2(float *x, size_t n, float *out)
{
    if (n > 150)
        dsp_block_kern_c.percentiles(x, n, out);
    else
        for (size_t c = 0; c < DSP_COLUMNS; c += 8)
            percentiles_of_few(x + c, n, out + c);
}

#endif
