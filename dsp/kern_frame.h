/* Kernels of the descriptors of one frame. The C version is the definition (kern.h).
 *
 * Powers p[n] are finite and not negative. Any alignment; nothing beyond n is read
 * or written.
 */
#ifndef HEARKEN_DSP_KERN_FRAME_H
#define HEARKEN_DSP_KERN_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DSP_CHUNK = 32, /* bins whose moments are taken together */
    DSP_LAG_LANES = 8,
    DSP_LAG_MOST = 128, /* h */
    DSP_LAG_PRIME = 61, /* factors of h */
    DSP_LAG_PASSES = 8,
};

typedef struct {
    float sum, first, second; /* of p, x p, x^2 p; x is 0 in the middle of the chunk */
} dsp_moments;

/* Some powers, of which the k smallest and the k largest are wanted; 1 <= k <= n / 2,
 * or 1 if n is 1. */
typedef struct {
    const float *p;
    size_t n;
    int32_t k;
} dsp_part;

/* Of the lags of a spectrum of 16 h + 1 bins, h even and at least 8. See
 * kern_frame_lags.h. */
typedef struct {
    uint32_t h, n_passes;
    uint32_t radix[DSP_LAG_PASSES]; /* their product is h: 2, 4 or odd primes */
    const float *turn; /* [h + 1][3][DSP_LAG_LANES], of c = 1..7: cos, sin, cos of pi b
                        * c / 16 h; for c = 0 1/2, 0, -sin(pi b / 2 h) */
    const float *root; /* [2 h][2], cos and sin of pi i / h */
    const float *eighth; /* [h + DSP_LAG_LANES], 2 cos(pi b / 2 h), but 1, 0, 0, ... for
                          * b = 0, h, h + 1, ... */
    const float *weight; /* [16 h + 1] */
} dsp_lags;

typedef struct dsp_frame_kern {
    /* Neighbours in x[n] of which one is below 0 and the other is not. */
    size_t (*crossings)(const float *x, size_t n);

    /* Means of the k smallest and of the k largest of each part; to 1e-6 of them. */
    void (*fifths)(const dsp_part part[], size_t n_parts, float mean[][2]);

    /* Of each DSP_CHUNK of p[n], the last one filled up with zeros. Within 1e-6 of what
     * they are for |x|. */
    void (*moments)(const float *p, size_t n, dsp_moments *chunk);

    /* Returns the sum of log2(max(p, floor)) over p[n], within 1e-6 n; *sum is that of
     * p to 1e-6 of it. n <= 8000; floor is normal. */
    float (*log_sum)(const float *p, size_t n, float floor, float *sum);

    /* r[l] = weight[l] times the sum of p[k] cos(pi k l / 16 h) for k in -16 h + 1..16
     * h and l < 16 h, where p[-k] is p[k]; within 1e-6 of r[0]. r has room for one
     * more. */
    void (*lags)(const dsp_lags *plan, const float *p, float *r);

    /* The first i with x[i] >= goal; n if there is none. */
    size_t (*reach)(const float *x, size_t n, float goal);
} dsp_frame_kern;

/* In kern_frame_fifths_*.c. */
void dsp_fifths_c(const dsp_part part[], size_t n_parts, float mean[][2]);
void dsp_fifths_avx2(const dsp_part part[], size_t n_parts, float mean[][2]);

/* What noise has, whose powers are distributed exponentially: a fifth is below ln 5/4
 * times the mean, and another one above ln 5 times that. */
#define DSP_LOW_FIFTH 0.223F
#define DSP_HIGH_FIFTH 1.609F

extern const dsp_frame_kern dsp_frame_kern_c;
extern const dsp_frame_kern dsp_frame_kern_avx2; /* where the compiler has AVX2 */

/* Positive floats are in the order of their bits. */
static inline int32_t
dsp_bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float
dsp_float_of(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
