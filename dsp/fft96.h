/*
 * Power spectra of real series of 96 samples, one per lane, summed over ranges of bins.
 * Included by C and AVX2 kernels alike, which say in FFT96_LANES how many lanes they
 * have at once: a number for which the compiler has vectors in what the file is built
 * for, and which changes no bit of the results.
 *
 * 96 = 8 * 12. With n = 12 a + b and k = c + 8 d
 *
 *   X[k] = sum over b of W96^(b c) W12^(b d) (sum over a of x[12 a + b] W8^(a c))
 *
 * where c = 5, 6, 7 would give the conjugates of c = 3, 2, 1, and where the inner sums
 * for c = 0 and 4 are real. A W of 12 is a product of one of 3 and one of 4 without any
 * twiddles: number (4 i + 3 j) % 12 leads to bin (4 i + 9 j) % 12.
 */
#ifndef HEARKEN_DSP_FFT96_H
#define HEARKEN_DSP_FFT96_H

#include "kern_blocks.h"

#include <string.h>

typedef float dsp_lanes __attribute__((vector_size(FFT96_LANES * sizeof(float))));
typedef struct {
    dsp_lanes re, im;
} dsp_complex;

enum { FFT_OUTER = 8, FFT_INNER = 12, FFT_BINS = DSP_MOD_FRAMES / 2 + 1 };

/* cos and sin of 2 pi b c / 96 for c = 1..4; W96^(b c) is the former minus i times the
 * latter. */
static const float fft96_cos[4][FFT_INNER] = {
    {1, 0.997858923F, 0.991444861F, 0.98078528F, 0.965925826F, 0.946930129F,
     0.923879533F, 0.896872742F, 0.866025404F, 0.831469612F, 0.79335334F, 0.751839807F},
    {1, 0.991444861F, 0.965925826F, 0.923879533F, 0.866025404F, 0.79335334F,
     0.707106781F, 0.608761429F, 0.5F, 0.382683432F, 0.258819045F, 0.130526192F},
    {1, 0.98078528F, 0.923879533F, 0.831469612F, 0.707106781F, 0.555570233F,
     0.382683432F, 0.195090322F, 0, -0.195090322F, -0.382683432F, -0.555570233F},
    {1, 0.965925826F, 0.866025404F, 0.707106781F, 0.5F, 0.258819045F, 0, -0.258819045F,
     -0.5F, -0.707106781F, -0.866025404F, -0.965925826F},
};
static const float fft96_sin[4][FFT_INNER] = {
    {0, 0.0654031292F, 0.130526192F, 0.195090322F, 0.258819045F, 0.321439465F,
     0.382683432F, 0.44228869F, 0.5F, 0.555570233F, 0.608761429F, 0.659345815F},
    {0, 0.130526192F, 0.258819045F, 0.382683432F, 0.5F, 0.608761429F, 0.707106781F,
     0.79335334F, 0.866025404F, 0.923879533F, 0.965925826F, 0.991444861F},
    {0, 0.195090322F, 0.382683432F, 0.555570233F, 0.707106781F, 0.831469612F,
     0.923879533F, 0.98078528F, 1, 0.98078528F, 0.923879533F, 0.831469612F},
    {0, 0.258819045F, 0.5F, 0.707106781F, 0.866025404F, 0.965925826F, 1, 0.965925826F,
     0.866025404F, 0.707106781F, 0.5F, 0.258819045F},
};

#define DSP_INLINE static inline __attribute__((always_inline))

DSP_INLINE void
fft96_load(dsp_lanes *to, const float *x, const dsp_lanes *mean, float weight)
{
    dsp_lanes v;
    memcpy(&v, x, sizeof v);
    *to = (v - *mean) * weight;
}

/* The spectrum of eight real numbers: y0..y4, of which y0 and y4 are real. */
DSP_INLINE void
fft96_real8(const dsp_lanes x[FFT_OUTER], dsp_lanes *y0, dsp_complex *y1,
            dsp_complex *y2, dsp_complex *y3, dsp_lanes *y4)
{
    const float half_root = 0.70710678F;
    const dsp_lanes s0 = x[0] + x[4], d0 = x[0] - x[4], s1 = x[1] + x[5];
    const dsp_lanes d1 = x[1] - x[5], s2 = x[2] + x[6], d2 = x[2] - x[6];
    const dsp_lanes s3 = x[3] + x[7], d3 = x[3] - x[7];
    const dsp_lanes even = s0 + s2, odd = s1 + s3;
    const dsp_lanes p = (d1 - d3) * half_root, q = (d1 + d3) * half_root;
    *y0 = even + odd;
    *y1 = (dsp_complex){d0 + p, -(d2 + q)};
    *y2 = (dsp_complex){s0 - s2, s3 - s1};
    *y3 = (dsp_complex){d0 - p, d2 - q};
    *y4 = even - odd;
}

/* In place. */
DSP_INLINE void
fft96_3(dsp_complex *a, dsp_complex *b, dsp_complex *c)
{
    const float half_root_3 = 0.8660254F;
    const dsp_lanes re = b->re + c->re, im = b->im + c->im;
    const dsp_lanes turn_re = (b->im - c->im) * half_root_3;
    const dsp_lanes turn_im = (c->re - b->re) * half_root_3;
    const dsp_lanes mid_re = a->re - 0.5F * re, mid_im = a->im - 0.5F * im;
    *a = (dsp_complex){a->re + re, a->im + im};
    *b = (dsp_complex){mid_re + turn_re, mid_im + turn_im};
    *c = (dsp_complex){mid_re - turn_re, mid_im - turn_im};
}

DSP_INLINE void
fft96_4(dsp_complex *a, dsp_complex *b, dsp_complex *c, dsp_complex *d)
{
    const dsp_lanes s_re = a->re + c->re, s_im = a->im + c->im;
    const dsp_lanes d_re = a->re - c->re, d_im = a->im - c->im;
    const dsp_lanes t_re = b->re + d->re, t_im = b->im + d->im;
    const dsp_lanes u_re = b->im - d->im, u_im = d->re - b->re; /* -i (b - d) */
    *a = (dsp_complex){s_re + t_re, s_im + t_im};
    *b = (dsp_complex){d_re + u_re, d_im + u_im};
    *c = (dsp_complex){s_re - t_re, s_im - t_im};
    *d = (dsp_complex){d_re - u_re, d_im - u_im};
}

/* Twelve in place: bin (4 i + 9 j) % 12 at (4 i + 3 j) % 12. */
DSP_INLINE void
fft96_12(dsp_complex z[FFT_INNER])
{
    fft96_3(&z[0], &z[4], &z[8]);
    fft96_3(&z[3], &z[7], &z[11]);
    fft96_3(&z[6], &z[10], &z[2]);
    fft96_3(&z[9], &z[1], &z[5]);
    fft96_4(&z[0], &z[3], &z[6], &z[9]);
    fft96_4(&z[4], &z[7], &z[10], &z[1]);
    fft96_4(&z[8], &z[11], &z[2], &z[5]);
}

DSP_INLINE void
fft96_square(dsp_lanes *to, const dsp_complex *z)
{
    *to = z->re * z->re + z->im * z->im;
}

/* The power of the bins c + 8 d from y[c][]; those above 48 are bins 96 - k. */
DSP_INLINE void
fft96_column(const dsp_complex y[FFT_INNER], size_t c, dsp_lanes power[FFT_BINS])
{
    static const uint32_t d[FFT_INNER] = {0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5};
    const float *co = fft96_cos[c - 1], *si = fft96_sin[c - 1];
    dsp_complex z[FFT_INNER];
    for (size_t b = 0; b < FFT_INNER; b++)
        z[b] = (dsp_complex){co[b] * y[b].re + si[b] * y[b].im,
                             co[b] * y[b].im - si[b] * y[b].re};
    fft96_12(z);
    for (size_t i = 0; i < FFT_INNER; i++) {
        const size_t k = c + FFT_OUTER * d[i];
        fft96_square(&power[k < FFT_BINS ? k : DSP_MOD_FRAMES - k], &z[i]);
    }
}

/* The same for c = 4 from real y. Bins above 48 repeat those below. */
DSP_INLINE void
fft96_column_4(const dsp_lanes y[FFT_INNER], dsp_lanes power[FFT_BINS])
{
    static const uint32_t at[FFT_INNER / 2] = {0, 7, 2, 9, 4, 11};
    const float *co = fft96_cos[3], *si = fft96_sin[3];
    dsp_complex z[FFT_INNER];
    for (size_t b = 0; b < FFT_INNER; b++)
        z[b] = (dsp_complex){co[b] * y[b], -si[b] * y[b]};
    fft96_12(z);
    for (size_t d = 0; d < FFT_INNER / 2; d++)
        fft96_square(&power[4 + FFT_OUTER * d], &z[at[d]]);
}

/* The same for c = 0, whose bins repeat likewise: of i = 1 and 2 one does. */
DSP_INLINE void
fft96_column_0(const dsp_lanes y[FFT_INNER], dsp_lanes power[FFT_BINS])
{
    const float half_root_3 = 0.8660254F;
    dsp_lanes sum[4];
    dsp_complex z[4];
    for (size_t j = 0; j < 4; j++) {
        const dsp_lanes a = y[3 * j], b = y[(3 * j + 4) % 12], c = y[(3 * j + 8) % 12];
        sum[j] = a + (b + c);
        z[j] = (dsp_complex){a - 0.5F * (b + c), half_root_3 * (c - b)};
    }
    fft96_4(&z[0], &z[1], &z[2], &z[3]);
    const dsp_lanes even = sum[0] + sum[2], odd = sum[1] + sum[3];
    const dsp_complex quarter = {sum[0] - sum[2], sum[3] - sum[1]};
    power[0] = (even + odd) * (even + odd);
    power[48] = (even - odd) * (even - odd);
    fft96_square(&power[24], &quarter);
    fft96_square(&power[32], &z[0]); /* d = 4, 1, 10, 7 */
    fft96_square(&power[8], &z[1]);
    fft96_square(&power[16], &z[2]);
    fft96_square(&power[40], &z[3]);
}

/* Power of the bins 0..48 of x, mean off, times weight. */
DSP_INLINE void
fft96_power(const float *x, const float *mean, const float *weight,
            dsp_lanes power[FFT_BINS])
{
    dsp_lanes y0[FFT_INNER], y4[FFT_INNER], m;
    dsp_complex y[3][FFT_INNER];
    memcpy(&m, mean, sizeof m);
    for (size_t b = 0; b < FFT_INNER; b++) {
        dsp_lanes v[FFT_OUTER];
        for (size_t a = 0; a < FFT_OUTER; a++) {
            const size_t t = FFT_INNER * a + b;
            fft96_load(&v[a], x + t * DSP_SERIES, &m, weight[t]);
        }
        fft96_real8(v, &y0[b], &y[0][b], &y[1][b], &y[2][b], &y4[b]);
    }
    fft96_column_0(y0, power);
    for (size_t c = 1; c <= 3; c++)
        fft96_column(y[c - 1], c, power);
    fft96_column_4(y4, power);
}

static void
fft96_spectra(const float *x, const float *mean, const float *weight, float *sum)
{
    for (size_t s = 0; s < DSP_SERIES; s += FFT96_LANES) {
        dsp_lanes power[FFT_BINS], total;
        fft96_power(x + s, mean + s, weight, power);
        for (size_t m = 0; m < DSP_MOD_BINS; m++) {
            float *to = sum + m * DSP_SERIES + s;
            memcpy(&total, to, sizeof total);
            for (size_t k = dsp_mod_first[m]; k < dsp_mod_first[m + 1]; k++)
                total += power[k];
            memcpy(to, &total, sizeof total);
        }
    }
}

#endif
