/* How alike a vector and the background are, and how much that may be. Hot. */
#include "background_private.h"

#include <math.h>

static float
dot(const float *restrict x, const float *restrict y, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

float
rt_background_nearest(const rt_backdrop *d, uint32_t but, const float x[])
{
    float most = -1;
    for (uint32_t i = 0; i < d->n; i += d->every) {
        const float likeness =
            d->material[i] == but ? -1 : dot(x, d->x + (size_t)i * d->dim, d->dim);
        most = likeness > most ? likeness : most;
    }
    return most;
}

float
rt_background_likeness(const rt_background *b, uint32_t set, const float x[])
{
    return rt_background_nearest(&b->set[set], UINT32_MAX, x);
}

/* Of its own kind among them: it is compared with, but when left out it says nothing of
 * how the others stand for what is not among them. */
static bool
is_alone(uint32_t m)
{
    return m == RT_CLICKS || m == RT_DARK || m == RT_HUM_50 || m == RT_HUM_60;
}

/* Share of the answers to the background that would stand out by more than x. */
static float
share_above(const rt_backdrop *d, float x)
{
    uint32_t n = 0;
    float sum = 0;
    for (uint32_t m = 0; m < RT_MATERIALS; m++) {
        const float beyond = d->beyond[m] + 1e-4F;
        if (is_alone(m))
            continue;
        n++;
        sum += x <= d->at[m] ? 0.1F : 0.1F * expf((d->at[m] - x) / beyond);
    }
    return sum / (float)n;
}

float
rt_background_margin(const rt_background *b, uint32_t set, double p)
{
    const rt_backdrop *d = &b->set[set];
    float low = -2, high = 2;
    if (!d->n || p >= 0.1)
        return -2;
    for (int i = 0; i < 24; i++) {
        const float middle = (low + high) / 2;
        if ((double)share_above(d, middle) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}
