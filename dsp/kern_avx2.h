/* What the AVX2 kernels share; for files built with -mavx2 -mfma only. */
#ifndef HEARKEN_DSP_KERN_AVX2_H
#define HEARKEN_DSP_KERN_AVX2_H

#include "kern.h"

#include <immintrin.h>

/* In kern_percentiles_avx2.c, of dsp_block_kern_avx2. */
void dsp_percentiles_avx2(float *x, size_t n, float *out);

/* Sums of the lanes of eight registers, as one register. */
static inline __m256
sum_lanes(const __m256 v[8])
{
    const __m256 s01 = _mm256_hadd_ps(v[0], v[1]), s23 = _mm256_hadd_ps(v[2], v[3]);
    const __m256 s45 = _mm256_hadd_ps(v[4], v[5]), s67 = _mm256_hadd_ps(v[6], v[7]);
    const __m256 a = _mm256_hadd_ps(s01, s23), b = _mm256_hadd_ps(s45, s67);
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20),
                         _mm256_permute2f128_ps(a, b, 0x31));
}

static inline float
sum_of(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline int32_t
sum_of_i(__m256i v)
{
    __m128i s =
        _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

static inline int32_t
least_of_i(__m256i v)
{
    __m128i s =
        _mm_min_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_min_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_min_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

static inline int32_t
greatest_of_i(__m256i v)
{
    __m128i s =
        _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_max_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

static inline __m256i
load_i(const float *x)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

/* All bits of the first n lanes, 0 <= n <= 8. */
static inline __m256i
first_lanes(size_t n)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}

/* See log2_c(). */
static inline __m256
log2_avx2(__m256 x)
{
    const __m256i half_root = _mm256_set1_epi32(0x3f3504f3);
    const __m256i shifted = _mm256_sub_epi32(_mm256_castps_si256(x), half_root);
    const __m256 exponent = _mm256_cvtepi32_ps(_mm256_srai_epi32(shifted, 23));
    const __m256i fraction = _mm256_and_si256(shifted, _mm256_set1_epi32(0x007fffff));
    const __m256 m = _mm256_castsi256_ps(_mm256_add_epi32(fraction, half_root));
    const __m256 one = _mm256_set1_ps(1.0F);
    const __m256 s = _mm256_div_ps(_mm256_sub_ps(m, one), _mm256_add_ps(m, one));
    const __m256 s2 = _mm256_mul_ps(s, s);
    __m256 r = _mm256_set1_ps(0.41219858F);
    r = _mm256_fmadd_ps(r, s2, _mm256_set1_ps(0.57707802F));
    r = _mm256_fmadd_ps(r, s2, _mm256_set1_ps(0.96179669F));
    r = _mm256_fmadd_ps(r, s2, _mm256_set1_ps(2.88539008F));
    return _mm256_fmadd_ps(s, r, exponent);
}

#endif
