/* Linear discriminant analysis of labelled rows. */
#include "dsp/learn.h"
#include "learn_private.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

static const double jitter = 1e-9; /* of the mean variance */

typedef struct {
    uint32_t n, n_labels, n_used; /* labels with good rows */
    dsp_moments all;              /* second: total covariance, then Sw', its root */
    double *weight;               /* [n_labels] */
    double *centre;  /* [n_labels][n]: sums; then [n_used][n], squares sum to Sb */
    double *between; /* [n][n] */
    double *value;   /* [n] */
    double *vector;  /* [dim][n] */
} discriminant;

static dsp_status
discriminant_new(discriminant *k, const dsp_lesson *l, uint32_t n_labels)
{
    const size_t row = l->n_in * sizeof(double);
    *k = (discriminant){.n = l->n_in, .n_labels = n_labels};
    if (n_labels > (SIZE_MAX / 2) / row)
        return DSP_ENOMEM;
    const dsp_status st = dsp_moments_new(&k->all, k->n);
    if (st)
        return st;
    k->weight = dsp_calloc((n_labels + (size_t)1) * sizeof *k->weight);
    k->centre = dsp_calloc((n_labels + (size_t)1) * row);
    k->between = dsp_calloc(l->n_in * row);
    k->value = dsp_calloc(row);
    k->vector = dsp_calloc(dsp_lesson_dim(l) * row);
    return k->weight && k->centre && k->between && k->value && k->vector ? DSP_OK
                                                                         : DSP_ENOMEM;
}

static void
discriminant_free(discriminant *k)
{
    dsp_moments_free(&k->all);
    free(k->weight);
    free(k->centre);
    free(k->between);
    free(k->value);
    free(k->vector);
}

static bool
labels_ok(const dsp_lesson *l, const uint32_t label[], uint32_t n_labels)
{
    for (size_t r = 0; r < l->n_rows; r++)
        if (label[r] != UINT32_MAX && label[r] >= n_labels)
            return false;
    return true;
}

static void
add_rows(discriminant *k, const dsp_lesson *l, const dsp_projection *p,
         const uint32_t label[])
{
    for (size_t r = 0; r < l->n_rows; r++) {
        if (label[r] == UINT32_MAX)
            continue;
        const double *u = dsp_moments_put(&k->all, p, l->rows + r * k->n, NULL);
        if (!u)
            continue;
        double *centre = k->centre + (size_t)label[r] * k->n;
        for (uint32_t i = 0; i < k->n; i++)
            centre[i] += u[i];
        k->n_used += k->weight[label[r]] == 0;
        k->weight[label[r]] += 1;
    }
}

/* Sums to deviations from the mean of all, so weighted that Sb is the sum of their
 * squares; those of labels without rows go. */
static void
deviate(discriminant *k)
{
    double *out = k->centre;
    for (uint32_t c = 0; c < k->n_labels; c++) {
        const double w = k->weight[c], *sum = k->centre + (size_t)c * k->n;
        if (!(w > 0))
            continue;
        for (uint32_t i = 0; i < k->n; i++)
            out[i] = sqrt(w / k->all.weight) * (sum[i] / w - k->all.sum[i]);
        out += k->n;
    }
}

/* between = sum of squares of the centres; the lower triangle */
static void
square_centres(discriminant *k)
{
    const int n = (int)k->n;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, (int)k->n_used, 1, k->centre,
                n, 0, k->between, n);
}

/* Total covariance to the root R of Sw' = R R', both in the lower triangle. */
static dsp_status
within_root(discriminant *k, double shrinkage)
{
    const double total = dsp_trace(k->all.second, k->n);
    double *sw = k->all.second;
    for (size_t i = 0; i < k->n; i++)
        for (size_t j = 0; j <= i; j++)
            sw[i * k->n + j] -= k->between[i * k->n + j];
    const double within = fmax(dsp_trace(sw, k->n), 0);
    const double ridge = (shrinkage * within + jitter * total) / k->n;
    for (size_t i = 0; i < k->n; i++) {
        for (size_t j = 0; j <= i; j++)
            sw[i * k->n + j] *= 1 - shrinkage;
        sw[i * k->n + i] += ridge;
    }
    const lapack_int n = (lapack_int)k->n;
    return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, sw, n) ? DSP_EMATH : DSP_OK;
}

/* x[n_rows][n] becomes x R^-1, or x R'^-1. */
static void
divide_by_root(const discriminant *k, CBLAS_TRANSPOSE trans, uint32_t n_rows, double *x)
{
    const int n = (int)k->n;
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, trans, CblasNonUnit, (int)n_rows,
                n, 1, k->all.second, n, x, n);
}

static dsp_status
separate(discriminant *k, double shrinkage, uint32_t most, float matrix[],
         uint32_t *dim)
{
    if (k->n_used < 2)
        return DSP_OK;
    dsp_moments_finish(&k->all, true);
    deviate(k);
    square_centres(k);
    if (!(dsp_trace(k->between, k->n) > DSP_LEAST_VARIANCE))
        return DSP_OK;
    dsp_status st = within_root(k, shrinkage);
    if (st)
        return st;
    divide_by_root(k, CblasTrans, k->n_used, k->centre);
    square_centres(k);
    if (most > k->n_used - 1)
        most = k->n_used - 1;
    st = dsp_eigen(k->between, k->n, most, k->value, k->vector);
    if (st)
        return st;
    *dim = dsp_eigen_count(k->value, most);
    divide_by_root(k, CblasNoTrans, *dim, k->vector);
    for (size_t i = 0; i < (size_t)*dim * k->n; i++)
        matrix[i] = (float)k->vector[i];
    return DSP_OK;
}

dsp_status
dsp_learn_labels(const dsp_lesson *l, const uint32_t label[], uint32_t n_labels,
                 float shrinkage, const float mean[], const float spread[],
                 float matrix[], uint32_t *dim)
{
    *dim = 0;
    if (!dsp_lesson_begin(l) || !labels_ok(l, label, n_labels) ||
        !(shrinkage >= 0 && shrinkage <= 1))
        return DSP_EARG;
    const dsp_projection p = dsp_lesson_scale(l, mean, spread);
    discriminant k;
    dsp_status st = discriminant_new(&k, l, n_labels);
    if (!st) {
        add_rows(&k, l, &p, label);
        st = separate(&k, (double)shrinkage, dsp_lesson_dim(l), matrix, dim);
    }
    discriminant_free(&k);
    return st;
}
