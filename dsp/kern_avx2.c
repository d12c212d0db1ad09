/* The kernels for x86 with AVX2 and FMA; only *_avx2.c is built with those switched on.
 */
#include "kern.h"

#if !defined(__AVX2__)

const dsp_kern *const dsp_kern_avx2 = NULL;

#else

#include "kern_avx2.h"
#include "kern_blocks.h"
#include "kern_frame.h"

static void
window_avx2(float *restrict out, const float *restrict x, const float *restrict w,
            size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i,
                         _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(w + i)));
    for (; i < n; i++)
        out[i] = x[i] * w[i];
}

/* Eight interleaved complex numbers as eight real and eight imaginary parts, both in
 * the order 0 1 4 5 2 3 6 7 in which shuffles leave them; permute() puts that right. */
typedef struct {
    __m256 re, im;
} split;

static inline split
load_split(const float *z)
{
    const __m256 a = _mm256_loadu_ps(z), b = _mm256_loadu_ps(z + 8);
    return (split){_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd)};
}

static inline __m256
permute(__m256 x, __m256i order)
{
    return _mm256_permutevar8x32_ps(x, order);
}

static void
power_avx2(float *restrict p, const float *restrict z, const float *restrict cosine,
           const float *restrict sine, size_t m, size_t n_bins, float gain)
{
    const __m256i up = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
    const __m256i down = _mm256_setr_epi32(7, 6, 3, 2, 5, 4, 1, 0);
    const __m256 quarter = _mm256_set1_ps(0.25F * gain);
    size_t k = 0;
    for (; k + 8 <= n_bins && k + 7 <= m; k += 8) {
        const split lo = load_split(z + 2 * k), hi = load_split(z + 2 * (m - k - 7));
        const __m256 a = permute(lo.re, up), b = permute(lo.im, up);
        const __m256 c = permute(hi.re, down), d = permute(hi.im, down);
        const __m256 sum_re = _mm256_add_ps(a, c), sum_im = _mm256_add_ps(b, d);
        const __m256 dif_re = _mm256_sub_ps(a, c), dif_im = _mm256_sub_ps(b, d);
        const __m256 co = _mm256_loadu_ps(cosine + k), si = _mm256_loadu_ps(sine + k);
        const __m256 re =
            _mm256_fnmadd_ps(si, dif_re, _mm256_fmadd_ps(co, sum_im, sum_re));
        const __m256 im =
            _mm256_fnmadd_ps(si, sum_im, _mm256_fnmadd_ps(co, dif_re, dif_im));
        const __m256 sq = _mm256_fmadd_ps(re, re, _mm256_mul_ps(im, im));
        _mm256_storeu_ps(p + k, _mm256_mul_ps(quarter, sq));
    }
    dsp_power_from(k, p, z, cosine, sine, m, n_bins, gain);
}

static void
bands_avx2(float *restrict out, const float *restrict p, const dsp_band bands[],
           const float *restrict weights, size_t n_bands)
{
    for (size_t b = 0; b < n_bands; b += 8) {
        __m256 acc[8];
        for (size_t j = 0; j < 8; j++) {
            const float *x = p + bands[b + j].first_bin;
            const float *w = weights + bands[b + j].offset;
            __m256 s = _mm256_mul_ps(_mm256_loadu_ps(x), _mm256_loadu_ps(w));
            for (size_t i = 1; i < bands[b + j].n_blocks; i++)
                s = _mm256_fmadd_ps(_mm256_loadu_ps(x + 8 * i),
                                    _mm256_loadu_ps(w + 8 * i), s);
            acc[j] = s;
        }
        _mm256_storeu_ps(out + b, sum_lanes(acc));
    }
}

static void
decibels_avx2(float *x, size_t n, float floor)
{
    const __m256 least = _mm256_set1_ps(floor), scale = _mm256_set1_ps(3.01029996F);
    for (size_t i = 0; i < n; i += 8) {
        const __m256 v = _mm256_max_ps(_mm256_loadu_ps(x + i), least); /* NaN: floor */
        _mm256_storeu_ps(x + i, _mm256_mul_ps(scale, log2_avx2(v)));
    }
}

static float
sum_avx2(const float *p, size_t n)
{
    __m256 acc = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        acc = _mm256_add_ps(acc, _mm256_loadu_ps(p + i));
    float lane[8];
    _mm256_storeu_ps(lane, acc);
    for (size_t l = 0; i < n; i++, l++)
        lane[l] += p[i];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static const dsp_kern kern_avx2 = {
    .name = "avx2",
    .frame = &dsp_frame_kern_avx2,
    .block = &dsp_block_kern_avx2,
    .window = window_avx2,
    .power = power_avx2,
    .bands = bands_avx2,
    .decibels = decibels_avx2,
    .sum = sum_avx2,
};
const dsp_kern *const dsp_kern_avx2 = &kern_avx2;

#endif
