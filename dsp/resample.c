/* Reads a sound at another pace: one windowed sinc over all of it. */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The kernel spans TAPS samples. */
enum { TAPS = 32, LANES = 4 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

/*
 * A row of the kernel's values at t = first, first + 1, ...: a Blackman-windowed sinc
 * with its cutoff as a share of the sampling rate's half. Of every sine and cosine but
 * the first ones a rotation makes the next, since thousands would take longer than
 * reading a short sound.
 */
static void
fill_row(float row[TAPS], double first, double cutoff)
{
    const double pi = 3.14159265358979323846, a = pi * cutoff, u = pi / (TAPS / 2);
    const double ca = cos(a), sa = sin(a), cu = cos(u), su = sin(u);
    double c = cos(a * first), s = sin(a * first);
    double wc = cos(u * first), ws = sin(u * first);
    for (size_t j = 0; j < TAPS; j++) {
        const double t = first + (double)j, x = a * t, next_c = c * ca - s * sa;
        const double window =
            fabs(t) < TAPS / 2 ? 0.42 + 0.5 * wc + 0.08 * (2 * wc * wc - 1) : 0;
        row[j] = (float)(window * cutoff * (fabs(x) > 1e-9 ? s / x : 1));
        s = s * ca + c * sa;
        c = next_c;
        const double next_wc = wc * cu - ws * su;
        ws = ws * cu + wc * su;
        wc = next_wc;
    }
}

static inline lanes
product(const float *x, const float *w)
{
    lanes a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, w, sizeof b);
    return a * b;
}

static float
read_at(const float x[TAPS], const float row[TAPS])
{
    lanes even = {0}, odd = {0}; /* two sums, neither of which waits for the other */
    for (size_t j = 0; j < TAPS; j += 2 * LANES) {
        even += product(x + j, row + j);
        odd += product(x + j + LANES, row + j + LANES);
    }
    const lanes sum = even + odd;
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* The TAPS samples of x[n] from `at`, which lie in it or in edge[], with zeros. */
static const float *
samples_at(const float x[], size_t n, int64_t at, float edge[TAPS])
{
    if (at >= 0 && (size_t)at + TAPS <= n)
        return x + at;
    for (int64_t j = 0; j < TAPS; j++)
        edge[j] = at + j >= 0 && at + j < (int64_t)n ? x[at + j] : 0;
    return edge;
}

static void
run(float y[], size_t n_out, const float x[], size_t n, float rows[][TAPS],
    dsp_ratio step)
{
    float edge[TAPS];
    int64_t whole = -(TAPS / 2 - 1);
    uint32_t part = 0;
    for (size_t i = 0; i < n_out; i++) {
        y[i] = read_at(samples_at(x, n, whole, edge), rows[part]);
        for (part += step.up; part >= step.down; part -= step.down)
            whole++;
    }
}

dsp_status
dsp_resample(dsp_sound *y, const float x[], size_t n, dsp_ratio step, size_t n_out)
{
    const double exact = (double)step.up / step.down;
    float(*rows)[TAPS] = dsp_calloc(step.down * sizeof *rows);
    float *out = malloc(n_out * sizeof *out);
    const bool able = rows && out;
    if (able) {
        for (uint32_t p = 0; p < step.down; p++) /* weights around p / step.down */
            fill_row(rows[p], -(TAPS / 2 - 1) - (double)p / step.down,
                     exact > 1 ? 0.94 / exact : 0.94);
        run(out, n_out, x, n, rows, step);
        *y = (dsp_sound){out, n_out};
    } else {
        free(out);
    }
    free(rows);
    return able ? DSP_OK : DSP_ENOMEM;
}
