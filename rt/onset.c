/* Onsets by spectral flux. Hot. */
#include "onset.h"

#include <string.h>

static const float floor_db = -80; /* of a band: what is quieter does not flicker */
static const float mean_weight = 0.3F;

void
rt_onset_reset(rt_onset *o)
{
    memset(o, 0, sizeof *o);
    for (uint32_t i = 0; i < RT_FLUX_LAG; i++)
        for (uint32_t b = 0; b < DSP_BANDS; b++)
            o->bands[i][b] = floor_db;
}

/* Takes the place of the oldest hop, and is compared with it. */
static float
rise(float before[DSP_BANDS], const float bands[])
{
    float sum = 0;
    for (uint32_t b = 0; b < DSP_BANDS; b++) {
        const float now = bands[b] > floor_db ? bands[b] : floor_db;
        sum += now > before[b] ? now - before[b] : 0;
        before[b] = now;
    }
    return sum / DSP_BANDS;
}

static float
usual(const float flux[RT_FLUX])
{
    float sorted[RT_FLUX], sum = 0;
    for (uint32_t i = 0; i < RT_FLUX; i++) {
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > flux[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = flux[i];
        sum += flux[i];
    }
    return sorted[RT_FLUX / 2] + mean_weight * sum / RT_FLUX;
}

float
rt_onset_feed(rt_onset *o, const float bands[], float threshold_db)
{
    const float flux = rise(o->bands[o->n % RT_FLUX_LAG], bands);
    const float excess = flux - usual(o->flux) - threshold_db;
    const bool told = excess > 0 && !o->above;
    o->above = excess > 0;
    o->flux[o->n % RT_FLUX] = flux;
    o->n = (o->n + 1) % (RT_FLUX * RT_FLUX_LAG);
    return told ? excess : 0;
}

size_t
rt_onset_refine(const float x[], size_t n, uint32_t rate_hz)
{
    enum { AROUND = 4, MOST = 64 };
    const size_t step = rate_hz / 1000, whole = n / step;
    const size_t n_steps = whole < MOST ? whole : MOST;
    const float *from = x + n - n_steps * step;
    float energy[MOST + 1] = {0}, best = 0;
    size_t at = n_steps;
    for (size_t i = 0; i < n_steps; i++) {
        energy[i + 1] = energy[i];
        for (size_t j = 0; j < step; j++)
            energy[i + 1] += from[i * step + j] * from[i * step + j];
    }
    for (size_t i = AROUND; i + AROUND <= n_steps; i++) {
        const float before = energy[i] - energy[i - AROUND] + 1e-9F;
        const float ratio = (energy[i + AROUND] - energy[i]) / before;
        if (ratio > best) {
            best = ratio;
            at = i;
        }
    }
    return (n_steps - at) * step;
}
