/* Cold. */
#include "noise.h"

#include <math.h>

/* splitmix64, in [-1, 1). */
static float
uniform(rt_noise *g)
{
    uint64_t z = (g->state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return (float)((double)(z >> 11) * 0x1p-52 - 1);
}

/* Noise through poles that lie two octaves apart falls by 3 dB an octave, nearly. */
static float
pink(rt_noise *g, float w)
{
    static const float pole[] = {0.99886F, 0.99332F, 0.96900F, 0.86650F, 0.55000F};
    static const float gain[] = {0.05552F, 0.07508F, 0.15385F, 0.31049F, 0.53295F};
    float sum = 0.2F * w;
    for (int i = 0; i < 5; i++)
        sum += g->slow[i] = pole[i] * g->slow[i] + gain[i] * w;
    return 0.2F * sum;
}

static float
click(rt_noise *g, float w)
{
    const float chance = uniform(g);
    if (chance > 1 - 12.0F / RT_NOISE_RATE) /* some six a second */
        g->slow[0] = 0.5F;
    g->slow[0] *= 0.97F;
    return g->slow[0] * w + 0.0002F * w;
}

static float
hum(rt_noise *g, float w)
{
    const float x = g->hum[g->at];
    g->at = g->at + 1 < g->period ? g->at + 1 : 0;
    return x + g->slow[0] * w;
}

/* Dull above one frequency, thin below another. */
static float
room(rt_noise *g, float w)
{
    g->slow[0] += g->low * (w - g->slow[0]);
    g->slow[1] += g->low * (g->slow[0] - g->slow[1]);
    g->slow[2] += g->high * (g->slow[1] - g->slow[2]);
    return g->gain * (g->slow[1] - g->slow[2]);
}

static float
next(rt_noise *g)
{
    const float w = uniform(g), before = g->slow[6];
    g->slow[6] = w;
    switch (g->what) {
    case RT_WHITE:
        return 0.2F * w;
    case RT_PINK:
        return pink(g, w);
    case RT_BROWN:
        return 3 * (g->slow[0] = 0.995F * g->slow[0] + 0.01F * w);
    case RT_BLUE:
        return 0.15F * (w - before);
    case RT_DARK: /* as through a wall */
        g->slow[1] = 0.9F * g->slow[1] + 0.1F * w;
        return g->slow[0] = 0.9F * g->slow[0] + 0.1F * g->slow[1];
    case RT_HUM_50:
    case RT_HUM_60:
        return hum(g, w);
    case RT_CLICKS:
        return click(g, w);
    case RT_ROOMS:
        return room(g, w);
    default: /* hiss of a quiet line */
        return 0.004F * w;
    }
}

void
rt_noise_begin(rt_noise *g, rt_material what)
{
    *g = (rt_noise){.state = 1000 + (uint64_t)what, .what = what};
}

static void
begin_room(rt_noise *g, int burst)
{
    static const struct {
        float dull_hz, thin_hz;
    } kinds[RT_NOISE_BURSTS] = {{250, 20},   {700, 20},    {2000, 100},
                                {1500, 400}, {6000, 1500}, {5000, 300}};
    const float turn = 6.2831853F / RT_NOISE_RATE;
    g->low = 1 - expf(-turn * kinds[burst].dull_hz);
    g->high = 1 - expf(-turn * kinds[burst].thin_hz);
    g->gain = 24 / sqrtf(kinds[burst].dull_hz); /* about a tenth */
}

/* From a transformer's to a rectifier's; every other one with some hiss. */
static void
begin_hum(rt_noise *g, int burst)
{
    static const struct {
        int first, step, n;
        double fall; /* of amplitude, by this power of the number */
    } kinds[RT_NOISE_BURSTS] = {{1, 1, 12, 1},   {1, 1, 4, 0.7}, {2, 2, 6, 1},
                                {1, 1, 30, 0.5}, {1, 2, 8, 1},   {1, 1, 3, 0}};
    double sum[RT_NOISE_MOST_PERIOD] = {0}, power = 0;
    g->period = RT_NOISE_RATE / (g->what == RT_HUM_50 ? 50U : 60U);
    g->slow[0] = burst % 2 ? 0 : 0.001F;
    for (int i = 0; i < kinds[burst].n; i++) {
        const int h = kinds[burst].first + i * kinds[burst].step;
        const double amplitude = pow(h, -kinds[burst].fall);
        power += amplitude * amplitude;
        for (uint32_t t = 0; t < g->period; t++)
            sum[t] += amplitude * sin(6.283185307179586 * h * t / g->period + h * h);
    }
    for (uint32_t t = 0; t < g->period; t++)
        g->hum[t] = (float)(0.2 * sum[t] / sqrt(power));
}

void
rt_noise_burst(rt_noise *g, int burst)
{
    if (g->what == RT_HUM_50 || g->what == RT_HUM_60)
        begin_hum(g, burst);
    else if (g->what == RT_ROOMS)
        begin_room(g, burst);
}

void
rt_noise_fill(rt_noise *g, float x[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = next(g);
}
