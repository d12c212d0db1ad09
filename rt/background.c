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

/*
 * Share of what stood out by more than the first number of a tail, which was a tenth,
 * that does by more than x. Of events it falls as a normal distribution does; frames of
 * room tone would pass by that (docs/matching.md), and scenes were left alone.
 */
static float
share_of_tail(uint32_t scale, const float tail[2], float x)
{
    static const float tenth = 1.28155F, mean = 0.47344F; /* in deviations */
    const float beyond = (x - tail[0]) / (tail[1] + 1e-4F);
    if (beyond <= 0)
        return 0.1F;
    return scale == DSP_EVENT ? 0.5F * erfcf((tenth + mean * beyond) * 0.70711F)
                              : 0.1F * expf(-beyond);
}

static double
share_above(uint32_t scale, const idx_noises *s, float x)
{
    float sum = 0;
    for (uint32_t i = 0; i < s->n_tails; i++)
        sum += share_of_tail(scale, s->tails + 2 * i, x);
    return (double)(sum / (float)s->n_tails);
}

float
rt_background_margin(const idx_noises *s, uint32_t scale, double false_alarms,
                     uint32_t n_scales)
{
    const double answers = 3.6e6 / rt_answer_ms[scale] * n_scales;
    const double p = false_alarms / answers;
    float low = -2, high = 2;
    if (!s->n_tails || !(p < 0.1))
        return -2;
    for (int i = 0; i < 24; i++) {
        const float middle = (low + high) / 2;
        if (share_above(scale, s, middle) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}
