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

/* How the raw rows of a baseline become vectors; n_in 0 for rows that are ones. */
typedef struct {
    float mean[EVAL_MAX_DIM], spread[EVAL_MAX_DIM];
    dsp_projection p;
} standard;

/* Mean and standard deviation of a column over the stored sounds' rows. */
static void
fit_column(standard *st, uint32_t d, const eval_sound sounds[], size_t n,
           eval_series series, eval_level level)
{
    double sum = 0, square = 0, count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            const eval_rows *r = &sounds[i].rows[series][level];
            for (uint32_t j = 0; !sounds[i].row->query && j < r->n; j++) {
                const double x = (double)r->x[(size_t)j * r->dim + d];
                sum += pass ? 0 : x;
                count += pass ? 0 : 1;
                square += pass ? pow(x - sum / count, 2) : 0;
            }
        }
    st->mean[d] = (float)(count > 0 ? sum / count : 0);
    st->spread[d] = (float)fmax(count > 0 ? sqrt(square / count) : 0, 1e-6);
}

static uint32_t
width_of(const eval_sound sounds[], size_t n, eval_series series, eval_level level)
{
    uint32_t dim = 1;
    for (size_t i = 0; i < n; i++)
        if (sounds[i].rows[series][level].n)
            dim = sounds[i].rows[series][level].dim;
    return dim;
}

/* Each block is standardised, clipped and brought to unit length on its own. */
static void
fit(standard *st, const eval_sound sounds[], size_t n, eval_series series,
    eval_level level)
{
    const uint32_t dim = width_of(sounds, n, series, level);
    st->p = (dsp_projection){.dim = dim};
    if (series >= EVAL_BASELINES)
        return;
    for (uint32_t d = 0; d < dim; d++)
        fit_column(st, d, sounds, n, series, level);
    st->p.n_in = dim;
    st->p.mean = st->mean;
    st->p.spread = st->spread;
    st->p.n_blocks = series == EVAL_BLOCKS ? DSP_BLOCKS : 1;
    st->p.block_size = series == EVAL_BLOCKS ? dsp_block_size : &st->p.n_in;
}

/* n rows into out; one without direction becomes zeros. */
static void
project(const standard *st, const float rows[], size_t n, float out[])
{
    const uint32_t dim = st->p.dim;
    float unused[EVAL_MAX_DIM];
    for (size_t r = 0; r < n; r++)
        if (!st->p.n_in)
            memcpy(out + r * dim, rows + r * dim, dim * sizeof *out);
        else if (!dsp_project(&st->p, rows + r * dim, unused, out + r * dim))
            memset(out + r * dim, 0, dim * sizeof *out);
}

static bool
make_vectors(vectors *v, const standard *st, const eval_sound sounds[], size_t n,
             eval_series series, eval_level level)
{
    size_t total = 0;
    v->dim = st->p.dim;
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

/* The highest cosine of q to a vector of a sound, and which that is (may be NULL). */
static float
similarity(const vectors *v, const float *q, size_t sound, size_t *which)
{
    float best = -2;
    for (size_t r = v->first[sound]; r < v->first[sound + 1]; r++) {
        const float c = cosine(q, v->x + r * v->dim, v->dim);
        if (which && c > best)
            *which = r;
        best = c > best ? c : best;
    }
    return best;
}

static bool
may_answer(const eval_sound *s, const rt_row *asked)
{
    return !s->row->query && strcmp(s->row->group, asked->group) != 0;
}

/* The query and the best vectors of its three nearest sounds, added up into sum; what
 * `query` searches lists with. Returns the nearest sound, n for none. */
static size_t
refine(const vectors *v, const float *q, const eval_sound sounds[], size_t n,
       const rt_row *asked, float sum[])
{
    enum { NEAREST = 3 };
    size_t sound[NEAREST] = {n, n, n}, row[NEAREST] = {0};
    float score[NEAREST] = {-2, -2, -2};
    memcpy(sum, q, v->dim * sizeof *sum);
    for (size_t i = 0; i < n; i++) {
        size_t r = 0;
        if (!may_answer(&sounds[i], asked))
            continue;
        const float c = similarity(v, q, i, &r);
        size_t place = NEAREST;
        while (place > 0 && c > score[place - 1])
            place--;
        for (size_t k = NEAREST; k-- > place + 1;) {
            sound[k] = sound[k - 1];
            row[k] = row[k - 1];
            score[k] = score[k - 1];
        }
        if (place < NEAREST) {
            sound[place] = i;
            row[place] = r;
            score[place] = c;
        }
    }
    for (size_t k = 0; k < NEAREST && sound[k] < n; k++)
        for (uint32_t d = 0; d < v->dim; d++)
            sum[d] += v->x[row[k] * v->dim + d];
    return sound[0];
}

/* What a query may be answered with; returns how many, and how many of them are
 * relevant. */
static size_t
candidates(const vectors *v, const float *q, const eval_sound sounds[], size_t n,
           const rt_row *asked, bool refined, rt_candidate c[], size_t *relevant)
{
    float sum[EVAL_MAX_DIM];
    const size_t nearest = refined ? refine(v, q, sounds, n, asked, sum) : n;
    size_t m = 0;
    *relevant = 0;
    for (size_t i = 0; i < n; i++) {
        if (!may_answer(&sounds[i], asked))
            continue;
        const float score = similarity(v, refined ? sum : q, i, NULL);
        /* the nearest stays the first: a sum of four is no longer than 4 */
        c[m] = (rt_candidate){i == nearest ? 5 : score,
                              !strcmp(sounds[i].row->label, asked->label)};
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

/* Adds one query vector, with a weight. */
static void
ask(eval_ranking *g, const vectors *v, const float *q, const eval_sound sounds[],
    size_t n, const rt_row *asked, bool refined, double weight, rt_candidate c[],
    double *answered)
{
    size_t relevant;
    const size_t m = candidates(v, q, sounds, n, asked, refined, c, &relevant);
    if (!relevant)
        return;
    *answered += weight;
    g->map_10 += weight * rt_average_precision(c, m, 10);
    g->map_all += weight * rt_average_precision(c, m, 0);
    g->p_1 += weight * rt_precision_at(c, m, 1);
    g->p_10 += weight * rt_precision_at(c, m, 10);
    add_curve(g->precision, c, m, relevant, weight);
}

static bool
is_answerable(const eval_sound sounds[], size_t n, const rt_row *asked)
{
    for (size_t i = 0; i < n; i++)
        if (may_answer(&sounds[i], asked) &&
            !strcmp(sounds[i].row->label, asked->label))
            return true;
    return false;
}

static void
divide(eval_ranking *g, double answered)
{
    if (!(answered > 0))
        return;
    for (int k = 0; k < EVAL_POINTS; k++)
        g->precision[k] /= answered;
    g->map_10 /= answered;
    g->map_all /= answered;
    g->p_1 /= answered;
    g->p_10 /= answered;
}

/* Ranks by all vectors of each query, or by those of its beginning where that is 0 or
 * more. A query without vectors, silent to this series, finds nothing; without a
 * beginning it does not ask. */
static bool
rank(eval_ranking *g, const vectors *v, const eval_sound sounds[], size_t n,
     bool refined, int beginning)
{
    rt_candidate *c = malloc((n ? n : 1) * sizeof *c);
    double answered = 0;
    for (size_t i = 0; c && i < n; i++) {
        const eval_rows *early = &sounds[i].beginning[beginning < 0 ? 0 : beginning];
        const float *q = beginning < 0 ? v->x + v->first[i] * v->dim : early->x;
        const size_t windows = beginning < 0 ? v->first[i + 1] - v->first[i] : early->n;
        if (!sounds[i].row->query) {
            g->n_stored++;
            continue;
        }
        if (beginning >= 0 && !windows)
            continue;
        g->n_queries++;
        g->n_unanswerable += !is_answerable(sounds, n, sounds[i].row);
        answered += windows == 0;
        for (size_t r = 0; r < windows; r++)
            ask(g, v, q + r * v->dim, sounds, n, sounds[i].row, refined,
                1 / (double)windows, c, &answered);
    }
    divide(g, answered);
    free(c);
    return c;
}

/* Rows that a series is measured by. */
static eval_series
rows_of(eval_series e)
{
    return e == EVAL_REFINED ? EVAL_HEARKEN : e;
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
            const eval_rows *r = &sounds[i].degraded[rows_of(series)][d];
            if (sounds[i].row->query)
                continue;
            asked++;
            if (!r->n) /* nothing of it was left above the gate: not found */
                continue;
            project(st, r->x, 1, q);
            for (size_t j = 0; j < n; j++)
                score[j] = sounds[j].row->query ? -3 : similarity(v, q, j, NULL);
            at_1 += rt_recall_at(score, n, i, 1);
            at_10 += rt_recall_at(score, n, i, 10);
        }
        result->recall_1[series][d] = asked > 0 ? at_1 / asked : 0;
        result->recall_10[series][d] = asked > 0 ? at_10 / asked : 0;
    }
    free(score);
    return score;
}

static bool
measure(eval_result *result, const eval_sound sounds[], size_t n, eval_series e,
        eval_level l)
{
    standard *st = malloc(sizeof *st);
    vectors v = {0};
    if (st)
        fit(st, sounds, n, rows_of(e), l);
    bool ok = st && make_vectors(&v, st, sounds, n, rows_of(e), l) &&
              rank(&result->ranking[e][l], &v, sounds, n, e == EVAL_REFINED, -1);
    for (int b = 0; ok && e == EVAL_HEARKEN && l == EVAL_WINDOW && b < EVAL_BEGINNINGS;
         b++)
        ok = rank(&result->beginning[b], &v, sounds, n, false, b);
    if (ok && l == EVAL_CLIP && result->degraded)
        ok = recall(result, &v, st, sounds, n, e);
    free(v.x);
    free(v.first);
    free(st);
    return ok;
}

bool
eval_measure(eval_result *result, const eval_sound sounds[], size_t n)
{
    bool ok = true;
    for (eval_series e = 0; ok && e < EVAL_SERIES; e++)
        for (eval_level l = 0; ok && result->there[e] && l < EVAL_LEVELS; l++)
            ok = measure(result, sounds, n, e, l);
    return ok;
}
