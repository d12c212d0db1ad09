/* What an index learns from its corpus: spread, and the acoustic matrix. */
#include "dsp/learn.h"
#include "learn_private.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double least_spread = 1e-6, least_spread_of_mean = 1e-4;
static const double ridge = 0.2; /* of the mean eigenvalue of S */

/* ---- Lessons ---- */

static bool
blocks_ok(const dsp_lesson *l)
{
    uint64_t sum = 0;
    for (uint32_t b = 0; b < l->n_blocks; b++)
        sum += l->block_size[b];
    return l->n_blocks > 0 && sum == l->n_in;
}

bool
dsp_lesson_begin(const dsp_lesson *l)
{
    openblas_set_num_threads(1);
    return l->n_in >= 1 && l->n_in <= DSP_LEARN_MAX_IN && blocks_ok(l) &&
           l->max_dim >= 1 && l->invariance >= 0 && l->invariance <= 1 &&
           l->prior_weight >= 0 && isfinite(l->prior_weight) &&
           (l->rows || !l->n_rows) && (l->prior || !l->n_prior) &&
           ((l->clean && l->degraded) || !l->n_pairs);
}

dsp_projection
dsp_lesson_scale(const dsp_lesson *l, const float mean[], const float spread[])
{
    return (dsp_projection){l->n_in, l->n_in, l->n_blocks, l->block_size,
                            mean,    spread,  NULL};
}

uint32_t
dsp_lesson_dim(const dsp_lesson *l)
{
    return l->max_dim < l->n_in ? l->max_dim : l->n_in;
}

/* Prior rows that count. */
static size_t
prior_rows(const dsp_lesson *l)
{
    return l->prior_weight > 0 ? l->n_prior : 0;
}

/* ---- Spread ---- */

static bool
all_finite(const float x[], uint32_t n)
{
    int n_bad = 0;
    for (uint32_t i = 0; i < n; i++)
        n_bad += !(fabsf(x[i]) <= FLT_MAX);
    return n_bad == 0;
}

/* Adds (x - about)^power of the good rows to sum[n_in]; power 1 or 2. Returns how many
 * are good. */
static size_t
add_powers(const dsp_lesson *l, const float *rows, size_t n_rows, const double about[],
           int power, double sum[])
{
    size_t n_good = 0;
    for (size_t r = 0; r < n_rows; r++) {
        const float *x = rows + r * l->n_in;
        if (!all_finite(x, l->n_in))
            continue;
        n_good++;
        for (uint32_t i = 0; i < l->n_in; i++) {
            const double d = (double)x[i] - about[i];
            sum[i] += power == 2 ? d * d : d;
        }
    }
    return n_good;
}

/* sum[n_in] becomes the weighted mean of (x - about)^power. Returns the weight. */
static double
average(const dsp_lesson *l, const double about[], int power, double sum[])
{
    double weight = 0;
    for (uint32_t i = 0; i < l->n_in; i++)
        sum[i] = 0;
    const size_t n_prior = add_powers(l, l->prior, prior_rows(l), about, power, sum);
    if (n_prior > 0) {
        weight = l->prior_weight;
        for (uint32_t i = 0; i < l->n_in; i++)
            sum[i] *= weight / (double)n_prior;
    }
    weight += (double)add_powers(l, l->rows, l->n_rows, about, power, sum);
    for (uint32_t i = 0; weight > 0 && i < l->n_in; i++)
        sum[i] /= weight;
    return weight;
}

/* The first good row of all, so that equal rows deviate by nothing. */
static void
find_centre(const dsp_lesson *l, double centre[])
{
    const size_t n_prior = prior_rows(l);
    for (size_t r = 0; r < n_prior + l->n_rows; r++) {
        const float *x =
            r < n_prior ? l->prior + r * l->n_in : l->rows + (r - n_prior) * l->n_in;
        if (!all_finite(x, l->n_in))
            continue;
        for (uint32_t i = 0; i < l->n_in; i++)
            centre[i] = (double)x[i];
        return;
    }
}

dsp_status
dsp_learn_spread(const dsp_lesson *l, float mean[], float spread[])
{
    if (!dsp_lesson_begin(l))
        return DSP_EARG;
    double *about = dsp_calloc(l->n_in * sizeof *about);
    double *sum = dsp_calloc(l->n_in * sizeof *sum);
    if (about && sum) {
        find_centre(l, about);
        average(l, about, 1, sum);
        for (uint32_t i = 0; i < l->n_in; i++) {
            about[i] += sum[i];
            mean[i] = (float)about[i];
        }
        const double weight = average(l, about, 2, sum);
        for (uint32_t i = 0; i < l->n_in; i++) {
            const double least =
                fmax(least_spread, least_spread_of_mean * fabs(about[i]));
            spread[i] = weight > 0 ? (float)fmax(sqrt(sum[i]), least) : 1;
        }
    }
    const dsp_status st = about && sum ? DSP_OK : DSP_ENOMEM;
    free(about);
    free(sum);
    return st;
}

/* ---- Acoustic matrix ---- */

typedef struct {
    uint32_t n, dim;
    dsp_moments rows, pairs;
    double *w;      /* [n][n], invariance; NULL for the identity */
    double *room;   /* [n][n] */
    double *value;  /* [n] */
    double *vector; /* [n][n] for W, [dim][n] for the rest */
} acoustic;

static dsp_status
acoustic_new(acoustic *k, const dsp_lesson *l)
{
    const size_t square = (size_t)l->n_in * l->n_in * sizeof(double);
    *k = (acoustic){.n = l->n_in, .dim = dsp_lesson_dim(l)};
    dsp_status st = dsp_moments_new(&k->rows, k->n);
    if (st)
        return st;
    k->room = dsp_calloc(square);
    k->value = dsp_calloc(k->n * sizeof *k->value);
    k->vector = dsp_calloc(square);
    return k->room && k->value && k->vector ? DSP_OK : DSP_ENOMEM;
}

static void
acoustic_free(acoustic *k)
{
    dsp_moments_free(&k->rows);
    dsp_moments_free(&k->pairs);
    free(k->w);
    free(k->room);
    free(k->value);
    free(k->vector);
}

/* out = a b, for a[rows][n] and b[n][n] */
static void
product(const double *a, const double *b, uint32_t rows, uint32_t n, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)n, (int)n, 1,
                a, (int)n, b, (int)n, 0, out, (int)n);
}

/* k->w = sum of g v v' over the eigenvectors v of S, g = (1 + value / least)^(-a/2) */
static dsp_status
power_of_s(acoustic *k, double least, double a)
{
    const int n = (int)k->n;
    const dsp_status st = dsp_eigen(k->pairs.second, k->n, k->n, k->value, k->vector);
    if (st)
        return st;
    for (uint32_t i = 0; i < k->n; i++)
        cblas_dscal(n, pow(1 + fmax(k->value[i], 0) / least, -a / 4),
                    k->vector + (size_t)i * k->n, 1);
    k->w = dsp_calloc((size_t)k->n * k->n * sizeof *k->w);
    if (!k->w)
        return DSP_ENOMEM;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, n, 1, k->vector, n, 0, k->w,
                n);
    dsp_mirror(k->w, k->n);
    return DSP_OK;
}

static dsp_status
learn_invariance(acoustic *k, const dsp_lesson *l, const dsp_projection *p)
{
    if (!(l->invariance > 0) || l->n_pairs == 0)
        return DSP_OK;
    const dsp_status st = dsp_moments_new(&k->pairs, k->n);
    if (st)
        return st;
    dsp_moments_add(&k->pairs, p, l->degraded, l->clean, l->n_pairs);
    if (!(k->pairs.weight > 0))
        return DSP_OK;
    dsp_moments_finish(&k->pairs, false);
    const double mean = dsp_trace(k->pairs.second, k->n) / k->n;
    return mean > 0 ? power_of_s(k, ridge * mean, (double)l->invariance) : DSP_OK;
}

/* k->rows.second = covariance of W u; false without a good row. */
static bool
learn_covariance(acoustic *k, const dsp_lesson *l, const dsp_projection *p)
{
    dsp_moments_add(&k->rows, p, l->prior, NULL, prior_rows(l));
    dsp_moments_scale(&k->rows, l->prior_weight);
    dsp_moments_add(&k->rows, p, l->rows, NULL, l->n_rows);
    if (!(k->rows.weight > 0))
        return false;
    dsp_moments_finish(&k->rows, true);
    if (k->w) {
        product(k->w, k->rows.second, k->n, k->n, k->room);
        product(k->room, k->w, k->n, k->n, k->rows.second);
    }
    return true;
}

/* Eigenvectors to rows of the matrix. */
static void
write_matrix(acoustic *k, uint32_t dim, float matrix[])
{
    const size_t size = (size_t)dim * k->n;
    if (k->w)
        product(k->vector, k->w, dim, k->n, k->room);
    const double *m = k->w ? k->room : k->vector;
    double square = 0;
    for (size_t i = 0; i < size; i++)
        square += m[i] * m[i];
    const double gain = sqrt(dim / square);
    for (size_t i = 0; i < size; i++)
        matrix[i] = (float)(gain * m[i]);
}

static dsp_status
learn_components(acoustic *k, float matrix[], uint32_t *dim)
{
    const dsp_status st = dsp_eigen(k->rows.second, k->n, k->dim, k->value, k->vector);
    if (st)
        return st;
    uint32_t n = dsp_eigen_count(k->value, k->dim);
    while (n > 0 && k->value[n - 1] < DSP_LEAST_VARIANCE)
        n--;
    if (n < 2)
        return DSP_OK;
    write_matrix(k, n, matrix);
    *dim = n;
    return DSP_OK;
}

dsp_status
dsp_learn_acoustic(const dsp_lesson *l, const float mean[], const float spread[],
                   float matrix[], uint32_t *dim)
{
    *dim = 0;
    if (!dsp_lesson_begin(l))
        return DSP_EARG;
    const dsp_projection p = dsp_lesson_scale(l, mean, spread);
    acoustic k;
    dsp_status st = acoustic_new(&k, l);
    if (!st)
        st = learn_invariance(&k, l, &p);
    if (!st && learn_covariance(&k, l, &p))
        st = learn_components(&k, matrix, dim);
    acoustic_free(&k);
    return st;
}
