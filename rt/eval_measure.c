#include "eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The unit vectors of one series and level, those of sound i at first[i]..first[i+1]-1.
 */
typedef struct {
    uint32_t dim;
    float *x;
    size_t *first;
} vectors;

/* Each block is standardised, clipped and brought to unit length on its own. */
typedef struct {
    float mean[EVAL_MAX_DIM], spread[EVAL_MAX_DIM];
    uint32_t dim, n_blocks;
    const uint32_t *block_size;
} standard;

/* Mean and standard deviation over the stored sounds' rows; hearken's as build fits it.
 */
static bool
fit(standard *st, const eval_sound sounds[], size_t n, eval_series series,
    eval_level level)
{
    const uint32_t dim = eval_dim[series];
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total += sounds[i].row->query ? 0 : sounds[i].rows[series][level].n;
    float *all = malloc((total ? total : 1) * dim * sizeof *all);
    if (!all)
        return false;
    for (size_t i = 0; i < n; i++) {
        const eval_rows *r = &sounds[i].rows[series][level];
        if (sounds[i].row->query || !r->n)
            continue;
        memcpy(all + at * dim, r->x, (size_t)r->n * dim * sizeof *all);
        at += r->n;
    }
    if (series == EVAL_HEARKEN) {
        dsp_fit_spread(all, total, st->mean, st->spread);
    } else {
        for (uint32_t d = 0; d < dim; d++) {
            double sum = 0, square = 0;
            for (size_t r = 0; r < total; r++)
                sum += (double)all[r * dim + d];
            const double mean = total ? sum / (double)total : 0;
            for (size_t r = 0; r < total; r++)
                square += pow((double)all[r * dim + d] - mean, 2);
            st->mean[d] = (float)mean;
            st->spread[d] = (float)fmax(sqrt(total ? square / (double)total : 0), 1e-6);
        }
    }
    st->dim = dim;
    st->n_blocks = series == EVAL_BLOCKS ? DSP_BLOCKS : 1;
    st->block_size = series == EVAL_BLOCKS ? dsp_block_size : &eval_dim[series];
    free(all);
    return true;
}

static float cosine(const float *a, const float *b, size_t dim);

/* Projects raw[n] into out, blocks side by side; one without direction becomes zeros.
 */
static void
project(const standard *st, const float raw[], size_t n, float out[])
{
    float unused[1];
    for (size_t r = 0; r < n; r++) {
        const float *x = raw + r * st->dim;
        float *y = out + r * st->dim;
        for (uint32_t b = 0, at = 0; b < st->n_blocks; at += st->block_size[b++]) {
            const uint32_t d = st->block_size[b];
            const dsp_projection p = {d, d, st->mean + at, st->spread + at, NULL};
            if (!dsp_project(&p, x + at, unused, y + at))
                memset(y + at, 0, d * sizeof *y);
        }
        const float length = sqrtf(cosine(y, y, st->dim));
        for (uint32_t i = 0; length > 0 && i < st->dim; i++)
            y[i] /= length;
    }
}

static bool
make_vectors(vectors *v, const standard *st, const eval_sound sounds[], size_t n,
             eval_series series, eval_level level)
{
    size_t total = 0;
    v->dim = eval_dim[series];
    v->first = calloc(n + 1, sizeof *v->first);
    for (size_t i = 0; v->first && i < n; i++) {
        total += sounds[i].rows[series][level].n;
        v->first[i + 1] = total;
    }
    v->x = malloc((total ? total : 1) * v->dim * sizeof *v->x);
    if (!v->first || !v->x)
        return false;
    for (size_t i = 0; i < n; i++)
        project(st, sounds[i].rows[series][level].x, sounds[i].rows[series][level].n,
                v->x + v->first[i] * v->dim);
    return true;
}

static float
cosine(const float *a, const float *b, size_t dim)
{
    float lane[8] = {0}, sum = 0;
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        for (size_t l = 0; l < 8; l++)
            lane[l] += a[i + l] * b[i + l];
    for (; i < dim; i++)
        sum += a[i] * b[i];
    for (size_t l = 0; l < 8; l++)
        sum += lane[l];
    return sum;
}

/* The highest cosine of q to a vector of a sound. */
static float
similarity(const vectors *v, const float *q, size_t sound)
{
    float best = -2;
    for (size_t r = v->first[sound]; r < v->first[sound + 1]; r++) {
        const float c = cosine(q, v->x + r * v->dim, v->dim);
        best = c > best ? c : best;
    }
    return best;
}

/* What a query may be answered with; returns how many, and how many of them are
 * relevant. */
static size_t
candidates(const vectors *v, const float *q, const eval_sound sounds[], size_t n,
           const rt_row *asked, rt_candidate c[], size_t *relevant)
{
    size_t m = 0;
    *relevant = 0;
    for (size_t i = 0; i < n; i++) {
        const rt_row *row = sounds[i].row;
        if (row->query || !strcmp(row->group, asked->group))
            continue;
        c[m] = (rt_candidate){similarity(v, q, i), !strcmp(row->label, asked->label)};
        *relevant += c[m++].relevant;
    }
    return m;
}

/* Adds the interpolated precision at each recall; c is sorted. A tie counts as one
 * step, so that its inner order does not matter. */
static void
add_curve(double precision[EVAL_POINTS], const rt_candidate c[], size_t n,
          size_t relevant, double weight)
{
    double best[EVAL_POINTS] = {0};
    size_t hits = 0;
    for (size_t i = 0; i < n; i++) {
        hits += c[i].relevant;
        if (!hits || (i + 1 < n && c[i + 1].score >= c[i].score))
            continue;
        const double recall = (double)hits / (double)relevant;
        const double p = (double)hits / (double)(i + 1);
        for (int k = 0; k < EVAL_POINTS && 0.1 * k <= recall + 1e-9; k++)
            best[k] = fmax(best[k], p);
    }
    for (int k = 0; k < EVAL_POINTS; k++)
        precision[k] += weight * best[k];
}

static bool
rank(eval_ranking *g, const vectors *v, const eval_sound sounds[], size_t n)
{
    rt_candidate *c = malloc((n ? n : 1) * sizeof *c);
    double answered = 0;
    for (size_t i = 0; c && i < n; i++) {
        const size_t windows = v->first[i + 1] - v->first[i];
        if (!sounds[i].row->query) {
            g->n_stored++;
            continue;
        }
        g->n_queries++;
        answered += windows == 0; /* silent to this series: it finds nothing */
        for (size_t r = v->first[i]; r < v->first[i + 1]; r++) {
            size_t relevant;
            const double weight = 1 / (double)windows;
            const size_t m = candidates(v, v->x + r * v->dim, sounds, n, sounds[i].row,
                                        c, &relevant);
            if (!relevant) {
                g->n_unanswerable += r == v->first[i];
                continue;
            }
            answered += weight;
            g->map_10 += weight * rt_average_precision(c, m, 10);
            g->map_all += weight * rt_average_precision(c, m, 0);
            g->p_1 += weight * rt_precision_at(c, m, 1);
            g->p_10 += weight * rt_precision_at(c, m, 10);
            add_curve(g->precision, c, m, relevant, weight);
        }
    }
    for (int k = 0; answered > 0 && k < EVAL_POINTS; k++)
        g->precision[k] /= answered;
    if (answered > 0) {
        g->map_10 /= answered;
        g->map_all /= answered;
        g->p_1 /= answered;
        g->p_10 /= answered;
    }
    free(c);
    return c;
}

/* Recall of each stored sound by its degraded copies, among all stored sounds. */
static bool
recall(eval_result *result, const vectors *v, const standard *st,
       const eval_sound sounds[], size_t n, eval_series series)
{
    float *score = malloc((n ? n : 1) * sizeof *score), q[EVAL_MAX_DIM];
    for (size_t d = 0; score && d < DSP_DEGRADATIONS; d++) {
        double at_1 = 0, at_10 = 0, asked = 0;
        for (size_t i = 0; i < n; i++) {
            const eval_rows *r = &sounds[i].degraded[series][d];
            if (sounds[i].row->query)
                continue;
            asked++;
            if (!r->n) /* nothing of it was left above the gate: not found */
                continue;
            project(st, r->x, 1, q);
            for (size_t j = 0; j < n; j++)
                score[j] = sounds[j].row->query ? -3 : similarity(v, q, j);
            at_1 += rt_recall_at(score, n, i, 1);
            at_10 += rt_recall_at(score, n, i, 10);
        }
        result->recall_1[series][d] = asked > 0 ? at_1 / asked : 0;
        result->recall_10[series][d] = asked > 0 ? at_10 / asked : 0;
    }
    free(score);
    return score;
}

bool
eval_measure(eval_result *result, const eval_sound sounds[], size_t n)
{
    const bool degraded = result->degraded;
    bool ok = true;
    *result = (eval_result){.degraded = degraded};
    for (eval_series e = 0; ok && e < EVAL_SERIES; e++)
        for (eval_level l = 0; ok && l < EVAL_LEVELS; l++) {
            standard *st = malloc(sizeof *st);
            vectors v = {0};
            ok = st && fit(st, sounds, n, e, l) &&
                 make_vectors(&v, st, sounds, n, e, l) &&
                 rank(&result->ranking[e][l], &v, sounds, n);
            if (ok && l == EVAL_CLIP && degraded)
                ok = recall(result, &v, st, sounds, n, e);
            free(v.x);
            free(v.first);
            free(st);
        }
    return ok;
}
