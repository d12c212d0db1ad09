/* Building: which windows become entries. A part of analyse.c. */
#include "analyse_private.h"

enum {
    PAUSE_HOPS = 10, /* of silence, after which a sound begins */
    RING_HOPS = 3,   /* that a sound's end is still in a window */
};
static const uint32_t beginnings[] = {5, 10, 20, 40}; /* hops */

/* The last hops before hop number end become an entry. */
static void
emit(rt_analyse *a, rt_moments kind, uint64_t hops, uint64_t end)
{
    const dsp_scale scale = kind == RT_FRAMES ? DSP_FRAME : DSP_EVENT;
    const double begin = (double)(end - hops) / DSP_HOPS_PER_S;
    const double length = (double)a->n_frames / a->rate_hz - begin;
    const double full = (double)hops / DSP_HOPS_PER_S;
    dsp_span span;
    if (dsp_stream_window(a->stream, scale, (uint32_t)hops, a->raw, &span) <
        DSP_MIN_LOUD)
        return;
    const rt_moment m = {.kind = kind,
                         .start_s = (float)begin,
                         .length_s = (float)(length < full ? length : full),
                         .end = end,
                         .raw = a->raw,
                         .n = a->layout[scale].n_in};
    a->sink.moment(a->sink.ctx, &m);
}

/* Emits the window of a scale that ends here, if one is due. */
static void
emit_due(rt_analyse *a, rt_moments kind, uint32_t window, uint32_t step, uint64_t end)
{
    if (end < window || (end - window) % step)
        return;
    emit(a, kind, window, end);
    a->emitted[kind] = end;
}

void
rt_build_hop(rt_analyse *a, const dsp_hop *hop)
{
    const uint64_t end = hop->index + 1;
    if (hop->loud && a->quiet_hops >= PAUSE_HOPS)
        a->begun = hop->index;
    a->quiet_hops = hop->loud ? 0 : a->quiet_hops + 1;
    emit_due(a, RT_FRAMES, DSP_FRAME_HOPS, a->frame_step, end);
    emit_due(a, RT_EVENTS, a->event_hops, a->event_step, end);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (end - a->begun == beginnings[i] && beginnings[i] < a->event_hops)
            emit(a, RT_BEGINNINGS, beginnings[i], end);
}

/* The end of the sound, unless windows sent before cover all but a little of it. */
static void
emit_rest(rt_analyse *a, rt_moments kind, uint32_t window, uint32_t step, uint64_t end)
{
    if (!a->emitted[kind] || end - a->emitted[kind] >= step / 2 + RING_HOPS)
        emit(a, kind, end < window ? end : window, end);
}

void
rt_analyse_finish(rt_analyse *a)
{
    static const float silence[480];
    const uint64_t sounded = a->n_frames;
    const uint64_t ring_out = (uint64_t)(a->rate_hz * 0.032) + 1;
    dsp_hop hop = {0};
    bool done, any = a->n_frames >= a->rate_hz / DSP_HOPS_PER_S;
    uint64_t bad = 0, fed = 0, end = sounded * DSP_HOPS_PER_S / a->rate_hz;
    while (fed < ring_out || !any) {
        fed += dsp_stream_feed(a->stream, silence, 480, &hop, &done, &bad);
        if (done) {
            end = hop.index + 1;
            any = true;
            rt_count(a->counts, RT_N_hops, 1);
            if (a->timbre)
                rt_timbre_hop(a, &hop);
        }
    }
    emit_rest(a, RT_FRAMES, DSP_FRAME_HOPS, a->frame_step, end);
    emit_rest(a, RT_EVENTS, a->event_hops, a->event_step, end);
}
