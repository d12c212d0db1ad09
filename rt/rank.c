#include "rank.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* A total order of all floats: NaN below -inf, the zeros equal. */
static int
compare(float a, float b)
{
    if (isnan(a) || isnan(b))
        return !isnan(a) - !isnan(b);
    return (a > b) - (a < b);
}

static int
by_score(const void *a, const void *b)
{
    return compare(((const rt_candidate *)b)->score, ((const rt_candidate *)a)->score);
}

static void
sort(rt_candidate c[], size_t n)
{
    if (n > 1)
        qsort(c, n, sizeof *c, by_score);
}

static size_t
min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Candidates of one score that follow each other, and what comes before them. */
typedef struct {
    size_t n, relevant, n_before, relevant_before;
} tie;

/* Steps to the tie after t (at first a tie of none); false behind the last one. */
static bool
next_tie(tie *t, const rt_candidate c[], size_t n)
{
    const size_t from = t->n_before + t->n;
    *t = (tie){.n_before = from, .relevant_before = t->relevant_before + t->relevant};
    while (from + t->n < n && !compare(c[from].score, c[from + t->n].score))
        t->relevant += c[from + t->n++].relevant;
    return t->n > 0;
}

/*
 * What the first m places of a tie add to the sum, as expected over its n! orders:
 * place i is relevant with chance r/n, and then (i - 1)(r - 1)/(n - 1) of those before
 * it in the tie are.
 */
static double
tie_sum(const tie *t, size_t m)
{
    const double r = (double)t->relevant, n = (double)t->n;
    const double step = t->n > 1 ? (r - 1) / (n - 1) : 0;
    double sum = 0;
    for (size_t i = 0; i < m && t->relevant; i++)
        sum += ((double)t->relevant_before + 1 + (double)i * step) /
               (double)(t->n_before + i + 1);
    return sum * r / n;
}

double
rt_average_precision(rt_candidate c[], size_t n, size_t depth)
{
    const size_t R = depth ? depth : n;
    size_t relevant = 0;
    double sum = 0;
    sort(c, n);
    for (tie t = {0}; next_tie(&t, c, n); relevant += t.relevant)
        if (t.n_before < R)
            sum += tie_sum(&t, min_size(t.n, R - t.n_before));
    return relevant ? sum / (double)min_size(R, relevant) : 0;
}

double
rt_precision_at(rt_candidate c[], size_t n, size_t k)
{
    double hits = 0;
    sort(c, n);
    for (tie t = {0}; next_tie(&t, c, n) && t.n_before < k;)
        hits += (double)t.relevant * (double)min_size(t.n, k - t.n_before) /
                (double)t.n; /* each of the tie is as likely in any of its places */
    return k ? hits / (double)k : 0;
}

double
rt_recall_at(const float score[], size_t n, size_t target, size_t k)
{
    size_t above = 0, alike = 0;
    assert(target < n);
    for (size_t i = 0; i < n; i++) {
        const int order = compare(score[i], score[target]);
        above += order > 0;
        alike += order == 0;
    }
    return k > above ? (double)min_size(k - above, alike) / (double)alike : 0;
}
