/* The plane that parts the rows of a node. Cold. */
#include "forest_grow.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 3,       /* of planes, before the median */
    STEPS = 200,     /* towards two means */
    LEAST_SHARE = 20 /* a part below 1 / 20 is no part */
};

static const float *
row_of(const idx_tree *t, uint32_t id)
{
    return t->scale->rows + (size_t)id * t->scale->dim;
}

static void
random_direction(idx_tree *t, float plane[])
{
    const uint32_t dim = t->scale->dim;
    double normal[IDX_MAX_DIM], power = 0.0;
    for (uint32_t j = 0; j < dim; j++) {
        normal[j] = idx_draw_normal(&t->random);
        power += normal[j] * normal[j];
    }
    for (uint32_t j = 0; j < dim; j++)
        plane[j] = power > 0.0 ? (float)(normal[j] / sqrt(power)) : (float)(j == 0);
}

/* A mean on its way, of n members. */
typedef struct {
    float at[IDX_MAX_DIM];
    float per_length; /* by cosine 1 / its length */
    uint32_t n;
} mean;

static float
dot(const idx_tree *t, const float x[], const float y[])
{
    float out;
    t->how->kern->dots(&out, x, y, t->scale->dim, 1);
    return out;
}

static void
measure(const idx_tree *t, mean *m)
{
    const float length = sqrtf(dot(t, m->at, m->at));
    m->per_length = length > 0.0F ? 1.0F / length : 0.0F;
}

/* How far a row is from a mean, by the metric of the scale. */
static float
distance(const idx_tree *t, const mean *m, const float row[])
{
    float gap;
    if (t->scale->params.metric == IDX_COSINE)
        return 1.0F - dot(t, m->at, row) * m->per_length;
    t->how->kern->gaps(&gap, m->at, row, t->scale->dim, 1);
    return gap;
}

static void
join(const idx_tree *t, mean *m, const float row[])
{
    const float share = 1.0F / (float)++m->n;
    for (uint32_t j = 0; j < t->scale->dim; j++)
        m->at[j] += (row[j] - m->at[j]) * share;
    measure(t, m);
}

/* Two members, each then drawn towards those that are nearer to it (Annoy). */
static void
two_means(idx_tree *t, const uint32_t id[], uint32_t n, mean m[2])
{
    const uint32_t first = idx_draw_below(&t->random, n);
    const uint32_t second = (first + 1 + idx_draw_below(&t->random, n - 1)) % n;
    for (int i = 0; i < 2; i++) {
        memcpy(m[i].at, row_of(t, id[i ? second : first]),
               t->scale->dim * sizeof(float));
        m[i].n = 1;
        measure(t, &m[i]);
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        const float *row = row_of(t, id[idx_draw_below(&t->random, n)]);
        const float d0 = (float)m[0].n * distance(t, &m[0], row);
        const float d1 = (float)m[1].n * distance(t, &m[1], row);
        if (d0 != d1)
            join(t, &m[d1 < d0], row);
    }
}

/* The plane half way between two means; false where they are the same. */
static bool
between(const idx_tree *t, const mean m[2], float plane[], float *offset)
{
    const uint32_t dim = t->scale->dim;
    const bool cosine = t->scale->params.metric == IDX_COSINE;
    const float a = cosine ? m[0].per_length : 1.0F;
    const float b = cosine ? m[1].per_length : 1.0F;
    double power = 0.0, at = 0.0;
    for (uint32_t j = 0; j < dim; j++) {
        plane[j] = m[0].at[j] * a - m[1].at[j] * b;
        power += (double)plane[j] * (double)plane[j];
    }
    if (!(power > 1e-24 && power < (double)FLT_MAX))
        return false;
    for (uint32_t j = 0; j < dim; j++) {
        plane[j] = (float)((double)plane[j] / sqrt(power));
        at += (double)plane[j] * ((double)m[0].at[j] + (double)m[1].at[j]) / 2.0;
    }
    *offset = cosine ? 0.0F : (float)at;
    return isfinite(*offset);
}

static void
draw_plane(idx_tree *t, const uint32_t id[], uint32_t n, float plane[], float *offset)
{
    mean m[2];
    if (t->scale->params.n_planes == IDX_TWO_MEANS) {
        two_means(t, id, n, m);
        if (between(t, m, plane, offset))
            return;
    }
    random_direction(t, plane);
    *offset = 0.0F;
    if (t->scale->params.metric == IDX_COSINE)
        return;
    const float a = dot(t, plane, row_of(t, id[idx_draw_below(&t->random, n)]));
    const float b = dot(t, plane, row_of(t, id[idx_draw_below(&t->random, n)]));
    *offset = isfinite(a + b) ? (a + b) / 2.0F : 0.0F;
}

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The offset that parts sorted projections as evenly as those that are alike allow. */
static bool
part_at_median(const float sorted[], uint32_t n, float *offset)
{
    uint32_t above = n / 2, below = n / 2;
    while (above < n && !(sorted[above] > sorted[above - 1]))
        above++;
    while (below > 0 && (below == n || !(sorted[below] > sorted[below - 1])))
        below--;
    if (above == n && below == 0)
        return false;
    const uint32_t k =
        below == 0 || (above < n && above - n / 2 < n / 2 - below) ? above : below;
    *offset = sorted[k - 1] + (sorted[k] - sorted[k - 1]) / 2.0F;
    if (!(*offset < sorted[k]))
        *offset = sorted[k - 1];
    return true;
}

bool
idx_part(idx_tree *t, const uint32_t id[], uint32_t n, float plane[], float *offset)
{
    for (int try = 0; try < TRIES; try++) {
        uint32_t front = 0;
        draw_plane(t, id, n, plane, offset);
        t->how->kern->picks(t->side, plane, t->scale->rows, t->scale->dim, id, n);
        for (uint32_t i = 0; i < n; i++)
            front += t->side[i] > *offset;
        const uint32_t less = front < n - front ? front : n - front;
        if (less > 0 && less >= n / LEAST_SHARE)
            return true;
    }
    for (uint32_t i = 0; i < n; i++) /* a sum that overflowed may be no number */
        t->sorted[i] = isfinite(t->side[i]) ? t->side[i] : -FLT_MAX;
    qsort(t->sorted, n, sizeof *t->sorted, by_value);
    return part_at_median(t->sorted, n, offset);
}
