/* Choosing p-stable functions by how far apart rows are. Cold. */
#include "buckets.h"
#include "plan.h"
#include "pstable.h"
#include "random.h"
#include "strangers.h"

#include <math.h>
#include <stdlib.h>

enum {
    N_SAMPLE = 50, /* rows whose neighbours are sought */
    NTH = 10,      /* neighbours of each */
    N_ANY = 1000,  /* pairs of any rows */
    TABLES = 12,
    CODED_TABLES = 3, /* large buckets of few tables, as in hyperplane_setup.c */
};

static const double plan_recall = 0.9;

/* Distances of a scale. */
typedef struct {
    double near[N_SAMPLE * NTH], any[N_ANY];
    size_t n_near, n_any;
} distances;

static double
distance_of(const idx_scale *sc, float likeness)
{
    const double half =
        (sc->params.metric == IDX_EUCLID ? 0.0 : 1.0) - (double)likeness;
    return half > 0.0 ? sqrt(2.0 * half) : 0.0;
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Returns the median distance of a tenth neighbour, or of the last there is. */
static double
take_near(distances *d, const idx_scale *sc, const idx_making *how)
{
    const idx_making silent = {
        .kern = how->kern, .parallel = how->parallel, .ctx = how->ctx};
    const uint32_t n = sc->n_entries < N_SAMPLE ? sc->n_entries : N_SAMPLE;
    float best[N_SAMPLE * NTH];
    double last[N_SAMPLE] = {0};
    idx_strangers(sc, &silent, n, NTH, best);
    for (uint32_t q = 0; q < n; q++)
        for (uint32_t k = 0; k < NTH && best[q * NTH + k] > IDX_NO_STRANGER; k++)
            d->near[d->n_near++] = last[q] = distance_of(sc, best[q * NTH + k]);
    qsort(last, n, sizeof *last, by_value);
    return last[n / 2];
}

static void
take_any(distances *d, const idx_scale *sc, const idx_making *how)
{
    idx_random r = idx_random_of(how->seed);
    for (; d->n_any < N_ANY; d->n_any++) {
        const float *x = sc->rows + (size_t)idx_draw_below(&r, sc->n_entries) * sc->dim;
        const float *y = sc->rows + (size_t)idx_draw_below(&r, sc->n_entries) * sc->dim;
        float gap;
        how->kern->gaps(&gap, x, y, sc->dim, 1);
        d->any[d->n_any] = sqrt((double)gap);
    }
}

/* How often a function agrees on a pair at a distance (Datar et al., section 3.2). */
static double
agreement(double distance, double width)
{
    const double r = width / distance;
    if (!(r < 1e6))
        return 1.0;
    return 1.0 - erfc(r / sqrt(2.0)) -
           0.7978845608028654 / r * (1.0 - exp(-r * r / 2.0)); /* sqrt(2 / pi) */
}

/*
 * What a query costs in ns, about, when a dozen tables are probed to do what so many
 * would without: T, the buckets that takes, was a tenth of the cube of their number on
 * frames of recordings (12, 21 and 40 tables: 190, 700 and 6,100 buckets of 8, 10 and
 * 13 functions), at 200 ns a bucket and 45 a candidate, or 4 where it is scored by its
 * code.
 */
static double
cost_of(const idx_plan *plan, bool coded)
{
    const double n = plan->n_tables;
    return 20.0 * n * n * n + (coded ? 4.0 : 45.0) * plan->candidates;
}

/* The number of functions by which a query would cost least. */
static uint32_t
best_functions(const distances *d, const idx_scale *sc, double width, bool coded)
{
    double near[N_SAMPLE * NTH], any[N_ANY], least = 0.0;
    const idx_pairs pairs = {near, any, d->n_near, d->n_any};
    uint32_t best = 1;
    for (size_t i = 0; i < d->n_near; i++)
        near[i] = agreement(d->near[i], width);
    for (size_t i = 0; i < d->n_any; i++)
        any[i] = agreement(d->any[i], width);
    for (uint32_t k = 1; k <= IDX_MAX_STABLE; k++) {
        const idx_plan plan = idx_plan_of(&pairs, k, plan_recall, sc->n_entries);
        if (k == 1 || cost_of(&plan, coded) < least) {
            least = cost_of(&plan, coded);
            best = k;
        }
    }
    return best;
}

void
idx_stable_choose(idx_params *p, const idx_scale *scale, const idx_making *how)
{
    distances d = {.n_near = 0};
    idx_scale as = *scale;
    as.params.metric = p->metric;
    p->leaf = idx_table_bits(scale->dim);
    if (p->n_tables == 0)
        p->n_tables = p->leaf ? CODED_TABLES : TABLES;
    if (p->n_planes && p->width > 0.0F)
        return;
    const double radius = take_near(&d, &as, how);
    /* of copies of one row, any width holds all */
    if (p->width <= 0.0F)
        p->width = radius > 1e-6 && radius < 1e29 ? (float)(4.0 * radius) : 1.0F;
    take_any(&d, &as, how);
    if (p->n_planes == 0)
        p->n_planes = best_functions(&d, &as, (double)p->width, p->leaf > 0);
}
