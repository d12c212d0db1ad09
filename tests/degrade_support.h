/* What the suites of dsp_degrade() share. */
#ifndef HEARKEN_TESTS_DEGRADE_SUPPORT_H
#define HEARKEN_TESTS_DEGRADE_SUPPORT_H

#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 7 };
static const double tau = 6.28318530717958647692;

/* The degraded copy of x[n], which must succeed. */
static inline float *
copy_of(dsp_degradation kind, const float x[], size_t n, uint32_t rate, uint64_t seed,
        size_t *n_out)
{
    float *y;
    ck_assert_int_eq(dsp_degrade(kind, x, n, rate, seed, &y, n_out), DSP_OK);
    ck_assert_ptr_nonnull(y);
    return y;
}

static inline void
make_sine(float x[], size_t n, uint32_t rate, double hz)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(0.5 * sin(tau * fmod(hz * (double)i / rate, 1)));
}

static inline double
energy(const float y[], size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)y[i] * (double)y[i];
    return sum;
}

static inline double
to_db(double power_ratio)
{
    return 10 * log10(power_ratio);
}

/* Hann-windowed projection of y[n] on a rotation of so many turns per sample. */
static inline void
project(const float y[], size_t n, double turns_per_sample, double *re, double *im)
{
    *re = *im = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = (1 - cos(tau * (double)i / (double)n)) * (double)y[i];
        const double a = tau * fmod(turns_per_sample * (double)i, 1);
        *re += w * cos(a) * 2 / (double)n;
        *im -= w * sin(a) * 2 / (double)n;
    }
}

#endif
