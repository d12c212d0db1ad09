/* Samples to hops to rolling windows, O(1) per hop and without drift. Hot. */
#include "private.h"

#include <math.h>
#include <string.h>

enum { UNITS_PER_DB = 4096 }; /* |level| < 127 dB stays below 2^19 units */

/* Copies n samples, with 0 for what cannot be sound, and returns how many those were.
 * Magnitudes order as their bits do; 0x49742400 is 1e6, NaN and infinity lie above. */
static uint64_t
copy_sane(float *restrict to, const float *restrict x, size_t n)
{
    uint32_t n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const uint32_t bad = (bits & 0x7fffffffU) > 0x49742400U;
        bits = bad ? 0 : bits;
        memcpy(&to[i], &bits, sizeof bits);
        n_bad += bad;
    }
    return n_bad;
}

/* Log-mel in integer units, floored 80 dB below the loudest band and at -105 dB, so
 * that gain moves all bands alike. */
static void
quantise(int32_t units[DSP_BANDS], const float db[DSP_BANDS])
{
    float peak = -200;
    for (size_t b = 0; b < DSP_BANDS; b++)
        peak = db[b] > peak ? db[b] : peak;
    const float low = peak - 80 > -105 ? peak - 80 : -105;
    for (size_t b = 0; b < DSP_BANDS; b++) {
        float x = db[b] > low ? db[b] : low;
        x = x < 127 ? x : 127;
        units[b] = (int32_t)(x * UNITS_PER_DB + (x < 0 ? -0.5F : 0.5F));
    }
}

static uint64_t
end_of_hop(const dsp_stream *s, uint64_t hop)
{
    return (hop + 1) * s->rate_hz / DSP_HOPS_PER_S;
}

/* Moves one window on: the new hop in, the one that is now too old out. */
static void
roll(dsp_stream *s, dsp_scale scale, const int32_t units[DSP_BANDS], bool loud)
{
    static const int32_t nothing[DSP_BANDS];
    const uint32_t length = dsp_scale_hops[scale];
    const size_t old =
        (size_t)((s->n_hops + DSP_HISTORY_HOPS - length) % DSP_HISTORY_HOPS);
    const bool leaves = s->n_hops - s->first_hop >= length && s->loud[old];
    dsp_rolling *r = &s->rolling[scale];
    if (!loud && !leaves)
        return;
    s->kern->roll(r->sum, r->square, loud ? units : nothing,
                  leaves ? s->history[old] : nothing, DSP_BANDS);
    r->n_loud += (uint32_t)loud - (uint32_t)leaves;
}

static void
complete_hop(dsp_stream *s, dsp_hop *hop)
{
    float db[DSP_BANDS];
    int32_t units[DSP_BANDS];
    hop->level_db =
        dsp_logmel_frame(s->logmel, s->buffer + s->fill - s->window_frames, db);
    hop->loud = hop->level_db >= s->gate_db;
    hop->index = s->n_hops;
    hop->frames = s->n_frames;
    quantise(units, db);
    for (dsp_scale scale = DSP_FRAME; scale < DSP_SCALES; scale++)
        roll(s, scale, units, hop->loud);
    const size_t slot = (size_t)(s->n_hops % DSP_HISTORY_HOPS);
    memcpy(s->history[slot], units, sizeof units);
    s->loud[slot] = hop->loud;
    s->n_hops++;
    s->next_hop = end_of_hop(s, s->n_hops);
}

uint64_t
dsp_stream_hop(const dsp_stream *s)
{
    return s->n_hops;
}

void
dsp_stream_reset(dsp_stream *s, uint64_t frame)
{
    s->n_frames = frame;
    s->n_hops = frame * DSP_HOPS_PER_S / s->rate_hz;
    while (end_of_hop(s, s->n_hops) <= frame) /* rates that 100 does not divide */
        s->n_hops++;
    s->first_hop = s->n_hops;
    s->next_hop = end_of_hop(s, s->n_hops);
    s->fill = s->window_frames;
    memset(s->buffer, 0, s->window_frames * sizeof *s->buffer);
    memset(s->loud, 0, sizeof s->loud);
    memset(s->rolling, 0, sizeof s->rolling);
}

size_t
dsp_stream_feed(dsp_stream *s, const float x[], size_t n, dsp_hop *hop, bool *done,
                uint64_t *n_bad)
{
    const uint64_t missing =
        s->next_hop - s->n_frames; /* at most a hop: fits the buffer */
    const size_t take = n < missing ? n : (size_t)missing;
    if (s->fill + take > s->window_frames + (size_t)DSP_BUFFER_FRAMES) {
        memmove(s->buffer, s->buffer + s->fill - s->window_frames,
                s->window_frames * sizeof *s->buffer);
        s->fill = s->window_frames;
    }
    *n_bad += copy_sane(s->buffer + s->fill, x, take);
    s->fill += take;
    s->n_frames += take;
    *done = take == missing;
    if (*done)
        complete_hop(s, hop);
    return take;
}

uint32_t
dsp_stream_window(const dsp_stream *s, dsp_scale scale, float raw[DSP_RAW])
{
    const dsp_rolling *r = &s->rolling[scale];
    const int64_t n = r->n_loud;
    if (n < DSP_MIN_LOUD)
        return r->n_loud;
    int64_t total = 0;
    for (size_t b = 0; b < DSP_BANDS; b++)
        total += r->sum[b];
    const double per_unit = 1.0 / ((double)n * UNITS_PER_DB);
    const double level = (double)total / DSP_BANDS;
    for (size_t b = 0; b < DSP_BANDS; b++) {
        /* n^2 times the variance, exact: below 2^58 for the thousand hops of a scene */
        const int64_t spread = n * r->square[b] - (int64_t)r->sum[b] * r->sum[b];
        raw[b] = (float)(((double)r->sum[b] - level) * per_unit);
        raw[DSP_BANDS + b] = (float)(sqrt((double)spread) * per_unit);
    }
    return r->n_loud;
}
