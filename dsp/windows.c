/* The raw features of a window of the last hops. Hot. */
#include "stream_private.h"

#include <float.h>
#include <math.h>

static const float loud_share = 1e-4F; /* within 40 dB of the loudest hop */
static const float range_db = 80, lowest_db = -105;

/* The window's hops first..end-1 of the history. */
typedef struct {
    size_t first, end;
    uint32_t n_loud;
    float least; /* energy of a loud hop, at least */
} span;

/* From the first loud hop to the last: silence before and after a sound, and how much
 * of it there is, shall not matter. */
static span
find_span(const dsp_stream *s, uint32_t n_hops)
{
    const size_t end =
        (size_t)((s->n_hops + DSP_HISTORY - 1) % DSP_HISTORY) + DSP_HISTORY + 1;
    span w = {end, end, 0, 0};
    float most = 0;
    for (size_t t = end - n_hops; t < end; t++)
        most = s->energy[t] > most ? s->energy[t] : most;
    w.least = loud_share * most;
    for (size_t t = end; most > 0 && t-- > end - n_hops;)
        if (s->energy[t] > 0 && s->energy[t] >= w.least) {
            w.end = w.n_loud++ ? w.end : t + 1;
            w.first = t;
        }
    return w;
}

static bool
is_loud(const dsp_stream *s, const span *w, size_t t)
{
    return s->energy[t] > 0 && s->energy[t] >= w->least;
}

/* Adds the values of a hop, floored, or the squares of what they are away from mean. */
static void
add(const float *restrict x, size_t n, float low, const float *restrict mean,
    float *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        const float v = (x[i] > low ? x[i] : low) - (mean ? mean[i] : 0);
        sum[i] += mean ? v * v : v;
    }
}

/* Mean over the loud hops of n values each, which stand width apart, and their
 * deviation (may be NULL). */
static void
measure(const dsp_stream *s, const span *w, const float *values, size_t n, float low,
        float mean[], float sd[])
{
    const float count = (float)w->n_loud;
    for (size_t i = 0; i < n; i++)
        mean[i] = 0;
    for (size_t t = w->first; t < w->end; t++)
        if (is_loud(s, w, t))
            add(values + t * n, n, low, NULL, mean);
    for (size_t i = 0; i < n; i++) {
        mean[i] /= count;
        if (sd)
            sd[i] = 0;
    }
    for (size_t t = w->first; sd && t < w->end; t++)
        if (is_loud(s, w, t))
            add(values + t * n, n, low, mean, sd);
    for (size_t i = 0; sd && i < n; i++)
        sd[i] = sqrtf(sd[i] / count);
}

/* 80 dB below the loudest band; other front ends have a floor of their own. */
static float
floor_of(const dsp_stream *s, const span *w)
{
    float peak = lowest_db;
    if (s->front)
        return -FLT_MAX;
    for (size_t t = w->first; t < w->end; t++)
        for (size_t b = 0; is_loud(s, w, t) && b < DSP_BANDS; b++) {
            const float x = s->mel[t * DSP_BANDS + b];
            peak = x > peak ? x : peak;
        }
    return peak - range_db > lowest_db ? peak - range_db : lowest_db;
}

/* Log-mel of the window without the floor, in the places that it has in s->mel. */
static const float *
without_floor(dsp_stream *s, const span *w)
{
    if (!s->has_floor)
        return s->mel;
    for (size_t t = w->first; t < w->end; t++)
        for (size_t b = 0; b < DSP_BANDS; b++) {
            const float x = s->mel[t * DSP_BANDS + b];
            const float above = DSP_FLOOR_PER_DB * (x - s->floor[b]);
            const int step = above < DSP_FLOOR_STEPS ? (int)fmaxf(above, 0) : -1;
            s->clean[t * DSP_BANDS + b] = step < 0 ? x : x + s->left_db[step];
        }
    return s->clean;
}

/* Mean and deviation of each band, the former without the mean of all; then of what
 * else a hop has, descriptors by their mean alone. */
static void
statistics(const dsp_stream *s, const span *w, const float bands[], float raw[])
{
    const uint32_t n = s->n_bands;
    float *more = raw + 2 * (size_t)n, level = 0;
    measure(s, w, bands, n, floor_of(s, w), raw, raw + n);
    for (uint32_t b = 0; b < n; b++)
        level += raw[b] / (float)n;
    for (uint32_t b = 0; b < n; b++)
        raw[b] -= level;
    measure(s, w, s->more, s->n_more, -FLT_MAX, more,
            s->front ? more + s->n_more : NULL);
}

uint32_t
dsp_stream_window(dsp_stream *s, dsp_scale scale, uint32_t n_hops, float raw[],
                  dsp_span *out)
{
    const span w = find_span(s, n_hops < s->event_hops ? n_hops : s->event_hops);
    const size_t now =
        (size_t)((s->n_hops + DSP_HISTORY - 1) % DSP_HISTORY) + DSP_HISTORY + 1;
    *out = (dsp_span){w.n_loud, (uint32_t)(w.end - w.first), (uint32_t)(now - w.end)};
    if (w.n_loud < DSP_MIN_LOUD)
        return w.n_loud;
    const float *bands = without_floor(s, &w);
    if (scale == DSP_FRAME || s->front)
        statistics(s, &w, bands, raw);
    else
        dsp_blocks_window(s->blocks, bands + w.first * DSP_BANDS,
                          s->more + w.first * DSP_DESCRIPTORS, w.end - w.first, raw);
    return w.n_loud;
}
