/* Moments of standardised rows, and eigenvectors. Build time only. */
#include "learn_private.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

static const double least_eigenvalue = 1e-7; /* of the largest */

dsp_status
dsp_moments_new(dsp_moments *m, uint32_t n)
{
    *m = (dsp_moments){.n = n};
    m->sum = dsp_calloc(n * sizeof *m->sum);
    m->second = dsp_calloc((size_t)n * n * sizeof *m->second);
    m->block = dsp_calloc((size_t)DSP_MOMENTS_ROWS * n * sizeof *m->block);
    m->u = dsp_calloc(n * sizeof *m->u);
    m->v = dsp_calloc(n * sizeof *m->v);
    const bool ok = m->sum && m->second && m->block && m->u && m->v;
    if (!ok)
        dsp_moments_free(m);
    return ok ? DSP_OK : DSP_ENOMEM;
}

void
dsp_moments_free(dsp_moments *m)
{
    free(m->sum);
    free(m->second);
    free(m->block);
    free(m->u);
    free(m->v);
    *m = (dsp_moments){0};
}

static void
flush(dsp_moments *m)
{
    const int n = (int)m->n;
    for (size_t r = 0; r < m->fill; r++)
        for (uint32_t i = 0; i < m->n; i++)
            m->sum[i] += m->block[r * m->n + i];
    if (m->fill > 0)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, (int)m->fill, 1, m->block,
                    n, 1, m->second, n);
    m->fill = 0;
}

const double *
dsp_moments_put(dsp_moments *m, const dsp_projection *p, const float *row,
                const float *minus)
{
    if (m->fill == DSP_MOMENTS_ROWS)
        flush(m);
    if (!dsp_standardise(p, row, m->u))
        return NULL;
    if (minus && !dsp_standardise(p, minus, m->v))
        return NULL;
    double *out = m->block + (size_t)m->fill++ * m->n;
    for (uint32_t i = 0; i < m->n; i++)
        out[i] = (double)m->u[i] - (minus ? (double)m->v[i] : 0);
    m->weight += 1;
    return out;
}

void
dsp_moments_add(dsp_moments *m, const dsp_projection *p, const float *rows,
                const float *minus, size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++)
        dsp_moments_put(m, p, rows + r * m->n, minus ? minus + r * m->n : NULL);
}

void
dsp_moments_scale(dsp_moments *m, double weight)
{
    flush(m);
    if (!(m->weight > 0))
        return;
    const double gain = weight / m->weight;
    for (uint32_t i = 0; i < m->n; i++)
        m->sum[i] *= gain;
    for (size_t i = 0; i < (size_t)m->n * m->n; i++)
        m->second[i] *= gain;
    m->weight = weight;
}

void
dsp_moments_finish(dsp_moments *m, bool about_mean)
{
    flush(m);
    for (uint32_t i = 0; i < m->n; i++)
        m->sum[i] /= m->weight;
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j <= i; j++) {
            double *s = &m->second[i * m->n + j];
            *s = *s / m->weight - (about_mean ? m->sum[i] * m->sum[j] : 0);
        }
    dsp_mirror(m->second, m->n);
}

void
dsp_mirror(double *a, uint32_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            a[j * n + i] = a[i * n + j];
}

double
dsp_trace(const double *a, uint32_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i * n + i];
    return sum;
}

/* ---- Eigenvectors ----
 * LAPACK reads our lower triangle as the upper one of its columns, and gives
 * eigenvectors as columns, which are our rows, in rising order. */

static void
reverse(double value[], double *vector, uint32_t n, uint32_t k)
{
    for (uint32_t a = 0, b = k - 1; a < b; a++, b--) {
        const double v = value[a];
        value[a] = value[b];
        value[b] = v;
        cblas_dswap((int)n, vector + (size_t)a * n, 1, vector + (size_t)b * n, 1);
    }
}

static void
fix_sign(double *x, uint32_t n)
{
    uint32_t top = 0;
    for (uint32_t i = 1; i < n; i++)
        if (fabs(x[i]) > fabs(x[top]))
            top = i;
    if (x[top] < 0)
        cblas_dscal((int)n, -1, x, 1);
}

typedef struct {
    lapack_int n_work, n_iwork; /* -1 asks for the sizes */
    double *work;
    lapack_int *iwork, *support;
} eigen_room;

static dsp_status
call_dsyevr(const eigen_room *room, double *a, uint32_t n, uint32_t k, double value[],
            double *vector)
{
    const lapack_int ln = (lapack_int)n;
    lapack_int n_found = 0;
    const lapack_int info = LAPACKE_dsyevr_work(
        LAPACK_COL_MAJOR, 'V', 'I', 'U', ln, a, ln, 0, 0, (lapack_int)(n - k + 1), ln,
        0, &n_found, value, vector, ln, room->support, room->work, room->n_work,
        room->iwork, room->n_iwork);
    if (info != 0)
        return DSP_EMATH;
    return room->n_work == -1 || n_found == (lapack_int)k ? DSP_OK : DSP_EMATH;
}

dsp_status
dsp_eigen(double *a, uint32_t n, uint32_t k, double value[], double *vector)
{
    double n_work = 0;
    lapack_int n_iwork = 0, no_support[2];
    eigen_room room = {-1, -1, &n_work, &n_iwork, no_support};
    dsp_status st = call_dsyevr(&room, a, n, k, value, vector);
    if (st)
        return st;
    room.n_work = (lapack_int)n_work;
    room.n_iwork = n_iwork;
    room.work = dsp_calloc((size_t)room.n_work * sizeof *room.work);
    room.iwork = dsp_calloc((size_t)room.n_iwork * sizeof *room.iwork);
    room.support = dsp_calloc(2 * (size_t)n * sizeof *room.support);
    st = DSP_ENOMEM;
    if (room.work && room.iwork && room.support)
        st = call_dsyevr(&room, a, n, k, value, vector);
    free(room.work);
    free(room.iwork);
    free(room.support);
    if (st)
        return st;
    reverse(value, vector, n, k);
    for (uint32_t i = 0; i < k; i++)
        fix_sign(vector + (size_t)i * n, n);
    return DSP_OK;
}

uint32_t
dsp_eigen_count(const double value[], uint32_t k)
{
    uint32_t n = 0;
    while (n < k && value[n] > 0 && value[n] >= least_eigenvalue * value[0])
        n++;
    return n;
}
