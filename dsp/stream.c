/* Samples to hops, and the features of each hop into the history. Hot. */
#include "stream_private.h"

#include <math.h>
#include <string.h>

/* What the bands of digital silence, each at its floor, sum to: else the level of a
 * silent hop would be far below its valleys, and the slopes beside it would see that.
 */
static const float silence = DSP_BANDS * 1e-11F;

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

static uint64_t
end_of_hop(const dsp_stream *s, uint64_t hop)
{
    return (hop + 1) * s->rate_hz / DSP_HOPS_PER_S;
}

/* Log-mel and descriptors of the newest window; returns the sum of the bands. */
static float
analyse_mel(dsp_stream *s, const float x[], float mel[], float more[], float *level_db)
{
    const float *power;
    float energy;
    *level_db = dsp_logmel_frame_whole(s->logmel, x, mel, &power, &energy);
    dsp_descriptors_frame(s->describe, x, power, 10 * log10f(energy + silence), more);
    return energy;
}

/* What another front end makes of it; returns the mean square of the newest 32 ms. */
static float
analyse_front(dsp_stream *s, const float x[], float bands[], float more[],
              float *level_db)
{
    const float *end = s->buffer + s->fill;
    float energy = 0;
    for (const float *p = end - s->level_frames; p < end; p++)
        energy += *p * *p;
    energy /= (float)s->level_frames;
    *level_db = 10 * log10f(energy + 1e-12F);
    dsp_front_frame(s->front, x, bands, more);
    return energy;
}

/* Analyses the window that ends with the buffer into both slots of the new hop. */
static void
complete_hop(dsp_stream *s, dsp_hop *hop)
{
    const float *x = s->buffer + s->fill - s->window_frames;
    const size_t slot = (size_t)(s->n_hops % DSP_HISTORY), twin = slot + DSP_HISTORY;
    float *mel = s->mel + slot * s->n_bands, *more = s->more + slot * s->n_more;
    const float energy = s->front ? analyse_front(s, x, mel, more, &hop->level_db)
                                  : analyse_mel(s, x, mel, more, &hop->level_db);
    hop->loud = hop->level_db >= s->gate_db;
    hop->index = s->n_hops;
    hop->frames = s->n_frames;
    memcpy(s->mel + twin * s->n_bands, mel, s->n_bands * sizeof *mel);
    memcpy(s->more + twin * s->n_more, more, s->n_more * sizeof *more);
    s->energy[slot] = s->energy[twin] = hop->loud ? energy : 0;
    s->n_hops++;
    s->next_hop = end_of_hop(s, s->n_hops);
}

bool
dsp_stream_bfcc(dsp_stream *s, float out[DSP_BFCC])
{
    const size_t newest = (size_t)((s->n_hops + DSP_HISTORY - 1) % DSP_HISTORY);
    if (s->bfcc && s->energy[newest] > 0)
        return dsp_bfcc_frame(s->bfcc, s->buffer + s->fill - dsp_bfcc_window(s->bfcc),
                              out);
    memset(out, 0, DSP_BFCC * sizeof *out);
    return false;
}

const float *
dsp_stream_bands(const dsp_stream *s)
{
    const size_t newest = (size_t)((s->n_hops + DSP_HISTORY - 1) % DSP_HISTORY);
    return s->front ? NULL : s->mel + newest * s->n_bands;
}

const float *
dsp_stream_samples(const dsp_stream *s, size_t *n)
{
    *n = s->kept_frames;
    return s->buffer + s->fill - s->kept_frames;
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
    s->next_hop = end_of_hop(s, s->n_hops);
    s->fill = s->kept_frames;
    memset(s->buffer, 0, s->kept_frames * sizeof *s->buffer);
    memset(s->energy, 0, sizeof s->energy);
    s->has_floor = false;
}

void
dsp_stream_set_floor(dsp_stream *s, const float bands[])
{
    s->has_floor = bands && !s->front;
    if (s->has_floor)
        memcpy(s->floor, bands, sizeof s->floor);
}

size_t
dsp_stream_feed(dsp_stream *s, const float x[], size_t n, dsp_hop *hop, bool *done,
                uint64_t *n_bad)
{
    const uint64_t missing =
        s->next_hop - s->n_frames; /* at most a hop: fits the buffer */
    const size_t take = n < missing ? n : (size_t)missing;
    if (s->fill + take > s->kept_frames + (size_t)DSP_BUFFER_FRAMES) {
        memmove(s->buffer, s->buffer + s->fill - s->kept_frames,
                s->kept_frames * sizeof *s->buffer);
        s->fill = s->kept_frames;
    }
    *n_bad += copy_sane(s->buffer + s->fill, x, take);
    s->fill += take;
    s->n_frames += take;
    *done = take == missing;
    if (*done)
        complete_hop(s, hop);
    return take;
}
