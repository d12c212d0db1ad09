/* What the suites of dsp_learn_*() share: a lesson, and standardised rows in double. */
#ifndef HEARKEN_TESTS_LEARN_SUPPORT_H
#define HEARKEN_TESTS_LEARN_SUPPORT_H

#include "dsp/learn.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 12, ROWS = 5000, PRIOR = 60, PAIRS = 300, LABELS = 4 };
static const uint32_t block_size[] = {7, 5};

static float rows[ROWS][N], prior[PRIOR][N], clean[PAIRS][N], degraded[PAIRS][N];
static float mean[N], spread[N], matrix[N * N];
static uint32_t label[ROWS], dim;
static dsp_lesson lesson;

/* Values of different spreads that depend on one another. */
static inline void
make_row(float x[], double offset, uint64_t *seed)
{
    double z[N];
    for (int i = 0; i < N; i++) {
        z[i] = random_normal(seed) / (1 + 0.3 * i);
        x[i] =
            (float)(offset + 3 * i + (1 + i % 3) * (z[i] + (i ? 0.5 * z[i - 1] : 0)));
    }
}

static inline void
learn_setup(void)
{
    uint64_t seed = 5;
    for (int r = 0; r < ROWS; r++) {
        label[r] = (uint32_t)(random_u64(&seed) % LABELS);
        make_row(rows[r], 0, &seed);
        for (uint32_t i = 0; i < N; i++) /* labels differ in a few values */
            rows[r][i] += i % LABELS == label[r] ? 2.0F : 0;
    }
    for (int r = 0; r < PRIOR; r++)
        make_row(prior[r], 0.7, &seed);
    for (int r = 0; r < PAIRS; r++) {
        make_row(clean[r], 0, &seed);
        const double much = random_normal(&seed);
        for (int i = 0; i < N; i++)
            degraded[r][i] = clean[r][i] + (float)(much * (i % 5) + 0.1 * sin(i + r));
    }
    lesson = (dsp_lesson){.n_in = N,
                          .n_blocks = 2,
                          .block_size = block_size,
                          .rows = rows[0],
                          .n_rows = ROWS,
                          .prior = prior[0],
                          .n_prior = PRIOR,
                          .prior_weight = 100,
                          .clean = clean[0],
                          .degraded = degraded[0],
                          .n_pairs = PAIRS,
                          .invariance = 0.5F,
                          .max_dim = N};
    ck_assert_int_eq(dsp_learn_spread(&lesson, mean, spread), DSP_OK);
}

static inline dsp_status
acoustic(float out[])
{
    return dsp_learn_acoustic(&lesson, mean, spread, out, &dim);
}

static inline dsp_status
labels(float shrinkage, float out[])
{
    return dsp_learn_labels(&lesson, label, LABELS, shrinkage, mean, spread, out, &dim);
}

static inline bool
standardise(const float raw[], double u[])
{
    float x[N];
    const dsp_projection p = {N, N, 2, block_size, mean, spread, NULL};
    const bool ok = dsp_standardise(&p, raw, x);
    for (int i = 0; i < N; i++)
        u[i] = (double)x[i];
    return ok;
}

static inline void
add_row(const float raw[], double weight, double m[N], double second[N][N])
{
    double u[N];
    ck_assert(standardise(raw, u));
    for (int i = 0; i < N; i++) {
        m[i] += weight * u[i];
        for (int j = 0; j < N; j++)
            second[i][j] += weight * u[i] * u[j];
    }
}

#endif
