/* What the last ten seconds were like: weighted mean and deviation of events. Hot. */
#include "blocks_private.h"

#include <math.h>
#include <string.h>

float
dsp_event_weight(const float raw[])
{
    return powf(10, raw[DSP_AT_MFCC] / (8 * 20)); /* c0 is 8 times the mean level */
}

void
dsp_scene_push(dsp_scene *s, const float u[], float weight)
{
    s->weight[s->at] = u ? weight : 0;
    if (u)
        memcpy(s->u + (size_t)s->at * s->n_in, u, s->n_in * sizeof *u);
    s->at = (s->at + 1) % s->n_slots;
}

void
dsp_scene_reset(dsp_scene *s)
{
    memset(s->weight, 0, s->n_slots * sizeof *s->weight);
    s->at = 0;
}

static void
add(float *restrict sum, const float *restrict x, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * x[i];
}

static void
add_squares(float *restrict sum, const float *restrict x, const float *restrict mean,
            float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * (x[i] - mean[i]) * (x[i] - mean[i]);
}

/* Oldest first: sums then only depend on what was pushed. */
uint32_t
dsp_scene_window(const dsp_scene *s, float raw[])
{
    float *mean = raw, *sd = raw + s->n_in, total = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const float weight = s->weight[(s->at + i) % s->n_slots];
        n += weight > 0;
        total += weight;
    }
    if (!n)
        return 0;
    memset(raw, 0, 2 * s->n_in * sizeof *raw);
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const uint32_t slot = (s->at + i) % s->n_slots;
        if (s->weight[slot] > 0)
            add(mean, s->u + (size_t)slot * s->n_in, s->weight[slot] / total, s->n_in);
    }
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const uint32_t slot = (s->at + i) % s->n_slots;
        if (s->weight[slot] > 0)
            add_squares(sd, s->u + (size_t)slot * s->n_in, mean,
                        s->weight[slot] / total, s->n_in);
    }
    for (uint32_t i = 0; i < s->n_in; i++)
        sd[i] = sqrtf(sd[i]);
    return n;
}
