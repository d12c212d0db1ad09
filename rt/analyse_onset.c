/* Onsets, by the gate and by flux. Hot: a part of analyse.c. */
#include "analyse_private.h"

#include <math.h>

static void
tell(rt_analyse *a, rt_match *m)
{
    if (a->sink.beside)
        return;
    rt_count(a->counts, RT_N_onsets, 1);
    if (a->paused)
        return;
    if (a->shed >= RT_SHED_FRAMES) {
        rt_count(a->counts, RT_N_shed_onsets, 1);
        return;
    }
    m->kind = RT_ONSET;
    m->sound = UINT32_MAX;
    m->centre_us = rt_time_of(a, m->frame);
    a->sink.match(a->sink.ctx, m);
}

/* What is asked from now on is about what begins here. */
static void
begin(rt_analyse *a, uint64_t hop)
{
    a->onset_hop = hop;
    rt_timbre_reset(a);
    rt_judge_onset(a);
}

void
rt_gate_onset(rt_analyse *a, uint64_t hop, const float x[], size_t at)
{
    const float level = fabsf(x[at]);
    rt_match m = {.level_db = 20 * log10f(level),
                  .strength_db = 20 * log10f(level / a->gate.open_at),
                  .frame = a->n_frames + at};
    a->rose_hop = hop;
    begin(a, hop);
    tell(a, &m);
}

void
rt_flux_onset(rt_analyse *a, const dsp_hop *hop, bool may_tell)
{
    const float *bands = dsp_stream_bands(a->stream);
    if (!bands || !(a->onset_db > 0))
        return;
    rt_match m = {.strength_db = rt_onset_feed(&a->onset, bands, a->onset_db)};
    if (!(m.strength_db > 0) || !a->gate.open || !may_tell ||
        hop->index < a->rose_hop + RT_ONSET_APART)
        return;
    size_t n;
    const float *x = dsp_stream_samples(a->stream, &n);
    const uint64_t back = rt_onset_refine(x, n, a->rate_hz);
    const float peak = rt_peak(x + n - back, back);
    m.level_db = 20 * log10f(peak > 1e-6F ? peak : 1e-6F);
    m.frame = hop->frames - back;
    a->rose_hop = hop->index;
    if (a->at != RT_AT_CONTINUOUS)
        begin(a, m.frame * DSP_HOPS_PER_S / a->rate_hz);
    tell(a, &m);
}
