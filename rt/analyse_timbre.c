/* Hops to timbre codes, and their neighbours. Hot: a part of analyse.c. */
#include "analyse_private.h"
#include "rt.h"

/* A moment without overlaps or ends: the build makes windows of them. */
static void
emit(rt_analyse *a, const float bfcc[], uint64_t end)
{
    const double step = (double)DSP_TIMBRE_STEP_HOPS / DSP_HOPS_PER_S;
    const rt_moment m = {.kind = RT_BFCCS,
                         .start_s = (float)((double)end / DSP_HOPS_PER_S - step),
                         .length_s = (float)step,
                         .end = end,
                         .raw = bfcc,
                         .n = DSP_BFCC};
    a->sink.moment(a->sink.ctx, &m);
}

void
rt_timbre_hop(rt_analyse *a, const dsp_hop *hop)
{
    const uint64_t end = hop->index + 1;
    float bfcc[DSP_BFCC];
    if (end % DSP_TIMBRE_STEP_HOPS || (a->index && !a->gate.open))
        return; /* nothing before an onset is asked for again */
    const bool loud = dsp_stream_bfcc(a->stream, bfcc);
    if (!a->index) {
        emit(a, bfcc, end);
        return;
    }
    const float *centroids = idx_scale_of(a->index, IDX_TIMBRE)->matrix;
    dsp_timbre_push(&a->code,
                    loud ? dsp_timbre_nearest(centroids, bfcc) : DSP_TIMBRE_BITS);
    a->n_bfccs++;
}

void
rt_timbre_reset(rt_analyse *a)
{
    dsp_timbre_reset(&a->code);
    a->n_bfccs = 0;
}

bool
rt_timbre_search(rt_analyse *a, rt_match *m, uint32_t *n_hits, idx_work *work)
{
    const uint64_t n = a->n_bfccs < DSP_TIMBRE_FRAMES ? a->n_bfccs : DSP_TIMBRE_FRAMES;
    const uint64_t hops = n * DSP_TIMBRE_STEP_HOPS;
    m->heard_s = (float)(a->code.n_loud * DSP_TIMBRE_STEP_HOPS) / DSP_HOPS_PER_S;
    m->centre_us = rt_time_of(a, m->frame - hops * a->rate_hz / (2 * DSP_HOPS_PER_S));
    const uint64_t began = rt_ns();
    const bool found =
        a->code.n_loud &&
        !idx_query_codes(a->index, IDX_TIMBRE, a->scratch, a->code.bits, a->n_hits,
                         a->by_jaccard, a->hits, n_hits, work);
    a->query_ns += rt_ns() - began;
    return found;
}
