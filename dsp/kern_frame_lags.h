/*
 * The autocorrelation that belongs to a power spectrum: the spectrum of a series that
 * is real and even, in vectors. Included by C and AVX2 kernels alike, which define
 *
 *   lanes                     a vector of LANES (4 or 8) floats
 *   lanes_add_product(a, b, c), lanes_take_product(a, b, c)     a + b c, a - b c
 *   lanes_reversed(v)         in the opposite order
 *   lanes_transpose(v[LANES]) in place
 *
 * N = 32 h is the number of bins around the circle, x[k] = x[N-k] = p[k]. With B = 2 h,
 * k = B a + b and lags l = c + 16 d
 *
 *   r[l] = sum over b of W_B^(b d) V_c[b]
 *   V_c[b] = W_N^(b c) T_c[b],  T_c[b] = sum over a of W_16^(a c) x[B a + b]
 *
 * T is of 16 real numbers, those of b and -b are conjugates, and so are those of V,
 * whose transforms are real. Lags c and -c are equal, so that c = 0..8 do: 1..7 each in
 * a lane of its own, while 0 and 8, whose T are real, share lane 0. There
 *
 *   V[b] = T_0[b] - 2 i sin(pi b / B) T_8[b]
 *
 * gives r[16 d] as the even part and r[16 d + 8] - r[16 d - 8] as the odd part. (Half
 * of that V saves halves.)
 *
 * Two real results are one complex one: a transform of h numbers
 *
 *   Z[b] = (V[b] + V[h-b]*) + i W_B^b (V[b] - V[h-b]*)
 *
 * leads to r[c + 32 j] + i r[c + 32 j + 16]; by Stockham's algorithm, which needs no
 * reordering (Van Loan, Computational Frameworks for the FFT, 1992, 1.7).
 */
#ifndef HEARKEN_DSP_KERN_FRAME_LAGS_H
#define HEARKEN_DSP_KERN_FRAME_LAGS_H

#include "kern_frame.h"

typedef struct {
    lanes re, im;
} lanes_pair;

enum { WIDE = DSP_LAG_LANES };

#define LAGS_INLINE static inline __attribute__((always_inline))

LAGS_INLINE lanes
lanes_load(const float *x)
{
    lanes v;
    memcpy(&v, x, sizeof v);
    return v;
}

LAGS_INLINE void
lanes_store(float *to, lanes v)
{
    memcpy(to, &v, sizeof v);
}

LAGS_INLINE lanes
lanes_all(float x)
{
    return x - (lanes){0};
}

/* ---- T ----------------------------------------------------------------------------
 */

/* T_0, T_2, T_4, T_6 and T_8 from x[a] + x[a+8]: parts 0..8 of re, 1..7 of im. */
LAGS_INLINE void
lags_even(const lanes s[8], lanes re[WIDE + 1], lanes im[WIDE])
{
    const lanes half_root = lanes_all(0.707106781F);
    const lanes e0 = s[0] + s[4], e1 = s[1] + s[5], e2 = s[2] + s[6], e3 = s[3] + s[7];
    const lanes f0 = s[0] - s[4], f1 = s[1] - s[5], f2 = s[2] - s[6], f3 = s[3] - s[7];
    const lanes even = e0 + e2, odd = e1 + e3, up = f1 - f3, down = f1 + f3;
    re[0] = even + odd;
    re[8] = even - odd;
    re[4] = e0 - e2;
    im[4] = e3 - e1;
    re[2] = lanes_add_product(f0, half_root, up);
    re[6] = lanes_take_product(f0, half_root, up);
    im[2] = -lanes_add_product(f2, half_root, down);
    im[6] = lanes_take_product(f2, half_root, down);
}

/* T_1, T_3, T_5 and T_7 from x[a] - x[a+8]. */
LAGS_INLINE void
lags_odd(const lanes d[8], lanes re[WIDE + 1], lanes im[WIDE])
{
    const lanes half_root = lanes_all(0.707106781F);
    const lanes co = lanes_all(0.923879533F), si = lanes_all(0.382683432F); /* pi/8 */
    const lanes u1 = d[1] - d[7], u2 = d[2] - d[6], u3 = d[3] - d[5];
    const lanes v1 = d[1] + d[7], v2 = d[2] + d[6], v3 = d[3] + d[5];
    const lanes up = lanes_add_product(d[0], half_root, u2);
    const lanes down = lanes_take_product(d[0], half_root, u2);
    const lanes a = lanes_add_product(si * u3, co, u1);
    const lanes b = lanes_take_product(si * u1, co, u3);
    re[1] = up + a;
    re[7] = up - a;
    re[3] = down + b;
    re[5] = down - b;
    const lanes left = lanes_add_product(d[4], half_root, v2);
    const lanes right = lanes_take_product(d[4], half_root, v2);
    const lanes e = lanes_add_product(si * v1, co, v3);
    const lanes f = lanes_take_product(si * v3, co, v1); /* minus what it should be */
    im[1] = -(e + left);
    im[7] = left - e;
    im[3] = f + right;
    im[5] = f - right;
}

/* The rows first..first+LANES-1 of t[b][2][WIDE]: re and im of T_c, with T_8 for the
 * imaginary part of T_0. Returns T_8. */
LAGS_INLINE lanes
lags_rows(const float *p, size_t B, size_t first, float *t)
{
    lanes s[8], d[8], re[WIDE + 1], im[WIDE];
    for (size_t a = 0; a < 8; a++) { /* x[a+8] is that of 8-a, on the other side */
        const lanes x = lanes_load(p + B * a + first);
        const lanes y =
            lanes_reversed(lanes_load(p + B * (8 - a) - first - (LANES - 1)));
        s[a] = x + y;
        d[a] = x - y;
    }
    lags_even(s, re, im);
    lags_odd(d, re, im);
    im[0] = re[8];
    for (size_t g = 0; g < WIDE; g += LANES) {
        lanes_transpose(re + g);
        lanes_transpose(im + g);
        for (size_t l = 0; l < LANES; l++) {
            lanes_store(t + 2 * WIDE * (first + l) + g, re[g + l]);
            lanes_store(t + 2 * WIDE * (first + l) + WIDE + g, im[g + l]);
        }
    }
    return re[8];
}

/* All rows up to h, some more, and r[8]. */
LAGS_INLINE float
lags_all_rows(const dsp_lags *plan, const size_t h, const float *p, float *t)
{
    lanes sum = {0};
    for (size_t b = 0; b <= h; b += LANES)
        sum = lanes_add_product(sum, lags_rows(p, 2 * h, b, t),
                                lanes_load(plan->eighth + b));
    float total = 0;
    for (size_t l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

/* ---- Z ----------------------------------------------------------------------------
 */

/* V[b] of the lanes g... */
LAGS_INLINE lanes_pair
lags_turned(const dsp_lags *plan, const float *t, size_t b, size_t g)
{
    const float *w = plan->turn + 3 * WIDE * b + g, *from = t + 2 * WIDE * b + g;
    const lanes re = lanes_load(from), im = lanes_load(from + WIDE);
    const lanes si = lanes_load(w + WIDE);
    return (lanes_pair){lanes_add_product(si * im, lanes_load(w), re),
                        lanes_take_product(lanes_load(w + 2 * WIDE) * im, si, re)};
}

LAGS_INLINE void
lags_tangle(const dsp_lags *plan, const size_t h, const float *t, size_t g,
            lanes_pair z[])
{
    for (size_t b = 0; b <= h / 2; b++) {
        const lanes_pair v = lags_turned(plan, t, b, g);
        const lanes_pair w = lags_turned(plan, t, h - b, g);
        const lanes co = lanes_all(plan->root[2 * b]),
                    si = lanes_all(plan->root[2 * b + 1]);
        const lanes s_re = v.re + w.re, s_im = v.im - w.im;
        const lanes d_re = v.re - w.re, d_im = v.im + w.im;
        const lanes t_re = lanes_take_product(si * d_re, co, d_im);
        const lanes t_im = lanes_add_product(co * d_re, si, d_im);
        z[b] = (lanes_pair){s_re + t_re, s_im + t_im};
        z[h - b] = (lanes_pair){s_re - t_re, t_im - s_im}; /* z[h] is not used */
    }
}

/* ---- Transform --------------------------------------------------------------------
 */

/* z W_h^i. */
LAGS_INLINE lanes_pair
lags_twiddled(const dsp_lags *plan, lanes_pair z, size_t i)
{
    const lanes co = lanes_all(plan->root[4 * i]);
    const lanes si = lanes_all(plan->root[4 * i + 1]);
    return (lanes_pair){lanes_add_product(co * z.re, si, z.im),
                        lanes_take_product(co * z.im, si, z.re)};
}

LAGS_INLINE void
lags_2(lanes_pair z[2])
{
    const lanes_pair a = z[0], b = z[1];
    z[0] = (lanes_pair){a.re + b.re, a.im + b.im};
    z[1] = (lanes_pair){a.re - b.re, a.im - b.im};
}

LAGS_INLINE void
lags_3(lanes_pair z[3])
{
    const lanes half = lanes_all(0.5F), root = lanes_all(0.866025404F);
    const lanes re = z[1].re + z[2].re, im = z[1].im + z[2].im;
    const lanes turn_re = z[1].im - z[2].im, turn_im = z[2].re - z[1].re;
    const lanes mid_re = lanes_take_product(z[0].re, half, re);
    const lanes mid_im = lanes_take_product(z[0].im, half, im);
    z[0] = (lanes_pair){z[0].re + re, z[0].im + im};
    z[1] = (lanes_pair){lanes_add_product(mid_re, root, turn_re),
                        lanes_add_product(mid_im, root, turn_im)};
    z[2] = (lanes_pair){lanes_take_product(mid_re, root, turn_re),
                        lanes_take_product(mid_im, root, turn_im)};
}

LAGS_INLINE void
lags_4(lanes_pair z[4])
{
    const lanes s_re = z[0].re + z[2].re, s_im = z[0].im + z[2].im;
    const lanes d_re = z[0].re - z[2].re, d_im = z[0].im - z[2].im;
    const lanes t_re = z[1].re + z[3].re, t_im = z[1].im + z[3].im;
    const lanes u_re = z[1].im - z[3].im, u_im = z[3].re - z[1].re; /* -i (z1 - z3) */
    z[0] = (lanes_pair){s_re + t_re, s_im + t_im};
    z[1] = (lanes_pair){d_re + u_re, d_im + u_im};
    z[2] = (lanes_pair){s_re - t_re, s_im - t_im};
    z[3] = (lanes_pair){d_re - u_re, d_im - u_im};
}

/* Any odd number of them, by the definition: what is j before and j after the first is
 * weighted alike. */
LAGS_INLINE void
lags_any(const dsp_lags *plan, const size_t h, lanes_pair z[], const size_t n)
{
    lanes_pair s[DSP_LAG_PRIME / 2 + 1], d[DSP_LAG_PRIME / 2 + 1];
    const size_t step = 2 * h / n;
    s[0] = z[0];
    for (size_t j = 1; j <= n / 2; j++) {
        const lanes_pair a = z[j], b = z[n - j];
        s[j] = (lanes_pair){a.re + b.re, a.im + b.im};
        d[j] = (lanes_pair){a.im - b.im, b.re - a.re}; /* -i (a - b) */
        z[0] = (lanes_pair){z[0].re + s[j].re, z[0].im + s[j].im};
    }
    for (size_t k = 1; k <= n / 2; k++) {
        lanes_pair a = s[0], b = {{0}, {0}};
        for (size_t j = 1, at = k; j <= n / 2; j++) {
            const lanes co = lanes_all(plan->root[2 * at * step]);
            const lanes si = lanes_all(plan->root[2 * at * step + 1]);
            a = (lanes_pair){lanes_add_product(a.re, co, s[j].re),
                             lanes_add_product(a.im, co, s[j].im)};
            b = (lanes_pair){lanes_add_product(b.re, si, d[j].re),
                             lanes_add_product(b.im, si, d[j].im)};
            at = at + k < n ? at + k : at + k - n;
        }
        z[k] = (lanes_pair){a.re + b.re, a.im + b.im};
        z[n - k] = (lanes_pair){a.re - b.re, a.im - b.im};
    }
}

/* A pass of butterflies of the given radix over h = s radix m numbers. */
LAGS_INLINE void
lags_pass(const dsp_lags *plan, const size_t h, const size_t radix, const size_t s,
          const lanes_pair *from, lanes_pair *to)
{
    const size_t m = h / radix / s;
    lanes_pair z[DSP_LAG_PRIME];
    for (size_t q = 0; q < m; q++)
        for (size_t i = 0; i < s; i++) {
            for (size_t j = 0; j < radix; j++)
                z[j] = from[i + s * (q + m * j)];
            if (radix == 4)
                lags_4(z);
            else if (radix == 3)
                lags_3(z);
            else if (radix == 2)
                lags_2(z);
            else
                lags_any(plan, h, z, radix);
            to[i + s * radix * q] = z[0];
            for (size_t k = 1; k < radix; k++)
                to[i + s * (radix * q + k)] =
                    q ? lags_twiddled(plan, z[k], q * k * s) : z[k];
        }
}

/* z, transformed; it or other. */
LAGS_INLINE lanes_pair *
lags_transform(const dsp_lags *plan, const size_t h, lanes_pair *z, lanes_pair *other)
{
    size_t s = 1;
    for (size_t i = 0; i < plan->n_passes; i++) {
        lanes_pair *const last = z;
        if (plan->radix[i] == 4)
            lags_pass(plan, h, 4, s, z, other);
        else if (plan->radix[i] == 2)
            lags_pass(plan, h, 2, s, z, other);
        else
            lags_pass(plan, h, plan->radix[i], s, z, other);
        s *= plan->radix[i];
        z = other;
        other = last;
    }
    return z;
}

/* The same for 48 and 44, those of 48 and 44.1 kHz, with all of it known beforehand. */
LAGS_INLINE lanes_pair *
lags_transform_48(const dsp_lags *plan, lanes_pair *z, lanes_pair *other)
{
    lags_pass(plan, 48, 4, 1, z, other);
    lags_pass(plan, 48, 4, 4, other, z);
    lags_pass(plan, 48, 3, 16, z, other);
    return other;
}

LAGS_INLINE lanes_pair *
lags_transform_44(const dsp_lags *plan, lanes_pair *z, lanes_pair *other)
{
    lags_pass(plan, 44, 4, 1, z, other);
    lags_pass(plan, 44, 11, 4, other, z);
    return z;
}

/* ---- Lags -------------------------------------------------------------------------
 */

LAGS_INLINE void
lags_weigh(float *r, const float *weight, lanes v)
{
    lanes_store(r, v * lanes_load(weight));
}

/* Rows of 16 from the lanes g..: those with d in order, and those with -d in the
 * opposite one. Numbers 0 and 8 of a row come out wrong. */
LAGS_INLINE void
lags_put(lanes up, lanes down, size_t g, const float *weight, float *r)
{
    const size_t at = 17 - g - LANES;
    lags_weigh(r + g, weight + g, up);
    lags_weigh(r + at, weight + at, lanes_reversed(down));
}

/* All of them. From lane 0 come lags 16 d and 16 d + 8, and of the latter, eight is the
 * first. */
LAGS_INLINE void
lags_put_all(const lanes_pair z[], const size_t h, const size_t g, float eight,
             const float *weight, float *r)
{
    for (size_t j = 0; j < h / 2; j++, weight += 32, r += 32) {
        lanes_pair up = z[j], down = z[h - 1 - j];
        const float a = up.re[0], b = up.im[0];
        const float c = z[j > 0 ? h - j : 0].re[0], d = down.im[0];
        if (g == 0) {
            up.re[0] = a + c;
            up.im[0] = b + d;
        }
        lags_put(up.re, down.im, g, weight, r);
        lags_put(up.im, down.re, g, weight + 16, r + 16);
        if (g == 0) {
            r[8] = weight[8] * (eight + (a - c));
            eight += (a - c) + (b - d);
            r[24] = weight[24] * eight;
        }
    }
}

LAGS_INLINE void
lags_of(const dsp_lags *plan, const size_t h, const float *p, float *r)
{
    float t[2 * WIDE * (DSP_LAG_MOST + WIDE)];
    lanes_pair a[DSP_LAG_MOST + 1], b[DSP_LAG_MOST + 1], *z;
    const float eight = lags_all_rows(plan, h, p, t);
    for (size_t g = WIDE; g > 0;) {
        g -= LANES; /* lane 0 comes last */
        lags_tangle(plan, h, t, g, a);
        if (h == 48)
            z = lags_transform_48(plan, a, b);
        else if (h == 44)
            z = lags_transform_44(plan, a, b);
        else
            z = lags_transform(plan, h, a, b);
        lags_put_all(z, h, g, eight, plan->weight, r);
    }
}

static void
lags(const dsp_lags *plan, const float *p, float *r)
{
    if (plan->h == 48)
        lags_of(plan, 48, p, r);
    else if (plan->h == 44)
        lags_of(plan, 44, p, r);
    else
        lags_of(plan, plan->h, p, r);
}

#endif
