/* How alike a vector and the background are, and how much that may be. Hot. */
#include "background_private.h"

#include <math.h>

const idx_noises *
rt_background_noises(const rt_background *b)
{
    return b->set;
}

float
rt_background_likeness(const rt_background *b, uint32_t set, idx_scratch *scratch,
                       const float x[])
{
    const idx_noises *s = &b->set[set];
    return idx_likeness(scratch, x, idx_scale_of(b->index, set)->dim, s->rows, s->n);
}

/* Share of the answers to noises that would stand out by more than x. */
static double
share_above(const idx_noises *s, float x)
{
    float sum = 0;
    for (uint32_t i = 0; i < s->n_tails; i++) {
        const float at = s->tails[2 * i], beyond = s->tails[2 * i + 1] + 1e-4F;
        sum += x <= at ? 0.1F : 0.1F * expf((at - x) / beyond);
    }
    return (double)(sum / (float)s->n_tails);
}

float
rt_background_margin(const idx_noises *s, double false_alarms, uint32_t answer_ms,
                     uint32_t n_scales)
{
    const double answers = 3.6e6 / answer_ms * n_scales;
    const double p = false_alarms / answers;
    float low = -2, high = 2;
    if (!s->n_tails || !(p < 0.1))
        return -2;
    for (int i = 0; i < 24; i++) {
        const float middle = (low + high) / 2;
        if (share_above(s, middle) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}
