/* State of an analysis, out and in. Hot: it is taken once a second. */
#include "analyse_private.h"
#include "snapshot.h"

#include <string.h>

void
rt_analyse_snapshot(const rt_analyse *a, rt_snapshot *s)
{
    memset(s, 0, sizeof *s); /* with what lies between the fields */
    s->frame = a->n_frames;
    s->last_loud = a->gate.last_loud;
    s->open = a->gate.open;
    s->onset_hop = a->onset_hop;
    s->rose_hop = a->rose_hop;
    for (uint32_t i = 0; i < RT_SCALES; i++) {
        const rt_agreement *g = &a->agreement[i];
        s->held[i] = g->held;
        for (uint32_t j = 0; j < RT_ANSWERS; j++)
            s->best[i][j] = g->best[(g->at - 1 - j) % RT_ANSWERS];
    }
    for (uint32_t i = 0; i < DSP_TIMBRE_FRAMES; i++)
        s->timbre[i] = a->code.ring[(a->code.at + i) % DSP_TIMBRE_FRAMES];
}

void
rt_analyse_warm(rt_analyse *a, const float x[], size_t n)
{
    while (n > 0) {
        dsp_hop hop;
        bool done;
        uint64_t bad = 0;
        const size_t used = dsp_stream_feed(a->stream, x, n, &hop, &done, &bad);
        a->n_frames += used;
        if (done) {
            rt_floor_hop(a, hop.index);
            rt_flux_onset(a, &hop, false);
            rt_scene_hop(a, &hop);
        }
        x += used;
        n -= used;
    }
}

void
rt_analyse_restore(rt_analyse *a, const rt_snapshot *s)
{
    a->gate.last_loud = s->last_loud;
    a->gate.open = s->open;
    a->onset_hop = s->onset_hop;
    a->rose_hop = s->rose_hop;
    for (uint32_t i = 0; i < RT_SCALES; i++) {
        rt_agreement *g = &a->agreement[i];
        g->held = s->held[i];
        for (uint32_t j = 0; j < RT_ANSWERS; j++)
            g->best[(g->at - 1 - j) % RT_ANSWERS] = s->best[i][j];
    }
    dsp_timbre_reset(&a->code);
    for (uint32_t i = 0; i < DSP_TIMBRE_FRAMES; i++)
        dsp_timbre_push(&a->code, s->timbre[i] ? s->timbre[i] - 1U : DSP_TIMBRE_BITS);
}

void
rt_analyse_sent(rt_analyse *a, uint32_t scale, uint32_t sound, uint64_t frame)
{
    *rt_last_sent(a, scale, sound) = frame + 1;
}

/* An event looks at its window of hops, each hop at some milliseconds, a scene at the
 * events of ten seconds, and each of them at the floor of the ten before. */
uint32_t
rt_analyse_preroll_s(const rt_analyse *a)
{
    const uint32_t floor = RT_FLOOR_HOPS * (RT_FLOOR_BLOCKS + 1);
    const uint32_t hops = floor + a->event_hops + (a->scene ? DSP_SCENE_HOPS : 0);
    const uint32_t reach = (dsp_stream_reach(a->stream) + a->rate_hz - 1) / a->rate_hz;
    return reach + (hops + DSP_HOPS_PER_S - 1) / DSP_HOPS_PER_S;
}
