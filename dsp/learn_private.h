/* What the files that learn a projection share. Matrices are row-major, in double. */
#ifndef HEARKEN_DSP_LEARN_PRIVATE_H
#define HEARKEN_DSP_LEARN_PRIVATE_H

#include "dsp/learn.h"
#include "private.h"

/* First and second moments of standardised rows. Zeroed memory may be freed. */
typedef struct {
    uint32_t n, fill; /* rows that wait in the block */
    double weight;    /* of the rows so far: 1 each, unless scaled */
    double *sum;      /* [n] */
    double *second;   /* [n][n], sum of u u'; the lower triangle */
    double *block;    /* [DSP_MOMENTS_ROWS][n], rows on their way into the sums */
    float *u, *v;     /* [n] */
} dsp_moments;

enum { DSP_MOMENTS_ROWS = 4096 };

dsp_status dsp_moments_new(dsp_moments *m, uint32_t n);
void dsp_moments_free(dsp_moments *m);

/* Adds u(row), or u(row) - u(minus); returns what it added, until the next call, or
 * NULL where a row is no good. */
const double *dsp_moments_put(dsp_moments *m, const dsp_projection *p, const float *row,
                              const float *minus);

/* Adds rows[n_rows][n], or their differences from minus[n_rows][n]. */
void dsp_moments_add(dsp_moments *m, const dsp_projection *p, const float *rows,
                     const float *minus, size_t n_rows);

/* Lets the rows so far weigh so much together. */
void dsp_moments_scale(dsp_moments *m, double weight);

/* Turns sum into the mean and second into the full covariance, about that mean or about
 * 0. weight must not be 0. */
void dsp_moments_finish(dsp_moments *m, bool about_mean);

/* Floats of u are good to 1e-7: variance below this is rounding. */
#define DSP_LEAST_VARIANCE 1e-12

/* Copies the lower triangle of a[n][n] into the upper one. */
void dsp_mirror(double *a, uint32_t n);
double dsp_trace(const double *a, uint32_t n);

/*
 * The k largest eigenvalues of the symmetric a[n][n] (lower triangle; overwritten), in
 * falling order, with unit eigenvectors vector[k][n] whose entry of largest magnitude
 * is positive. value has room for n. 1 <= k <= n.
 */
dsp_status dsp_eigen(double *a, uint32_t n, uint32_t k, double value[], double *vector);

/* How many of k falling eigenvalues are not mere rounding: 1e-7 of the first. */
uint32_t dsp_eigen_count(const double value[], uint32_t k);

/* False for a lesson out of range. Also sets OpenBLAS to one thread. */
bool dsp_lesson_begin(const dsp_lesson *l);

/* A projection that standardises. */
dsp_projection dsp_lesson_scale(const dsp_lesson *l, const float mean[],
                                const float spread[]);

/* Rows of the matrix that is learned, at most. */
uint32_t dsp_lesson_dim(const dsp_lesson *l);

#endif
