/* Whether an answer goes out, and why not. Hot: a part of analyse.c. */
#include "analyse_private.h"

#include <string.h>

const uint32_t rt_answer_ms[RT_SCALES] = {
    [DSP_FRAME] = 10, [DSP_EVENT] = 100, [DSP_SCENE] = 1000, [RT_TIMBRE] = 100};

float
rt_score_of(const rt_analyse *a, uint32_t scale, float cosine)
{
    const idx_scale *sc = idx_scale_of(a->index, a->set[scale]);
    return scale != RT_TIMBRE || a->by_jaccard ? idx_score(sc, cosine)
                                               : idx_score_hamming(sc, cosine);
}

float
rt_least_score(const rt_analyse *a, uint32_t scale, uint32_t sound)
{
    const bool held = a->agreement[scale].held == sound + 1;
    return held ? a->min_score - a->release : a->min_score;
}

static void
note(rt_agreement *g, uint32_t best)
{
    g->best[g->at++ % RT_ANSWERS] = best;
}

/* How often, among the last n answers. */
static uint32_t
times(const rt_agreement *g, uint32_t best, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= n; i++)
        count += g->best[(g->at - i) % RT_ANSWERS] == best;
    return count;
}

/* Whether the sound that was sent last is still here, and the best not better than it
 * by enough. */
static bool
holds(const rt_analyse *a, uint32_t scale, uint32_t best, uint32_t n_hits)
{
    const uint32_t held = a->agreement[scale].held;
    if (!held || held == best || !(a->better_by > 0))
        return false;
    for (uint32_t i = 1; i < n_hits; i++)
        if (rt_entry_of(a, scale, a->hits[i].entry).sound + 1 == held)
            return a->hits[0].cosine - a->hits[i].cosine < a->better_by &&
                   rt_score_of(a, scale, a->hits[i].cosine) >=
                       rt_least_score(a, scale, held - 1);
    return false;
}

/* Best hit among sounds as they are, and what was asked for it, where labels are
 * searched: what tells labels apart does not tell them from noise. */
static const float *
hear_acoustic(rt_analyse *a, uint32_t scale, idx_hit *best)
{
    const dsp_projection p = rt_projection_in(a->index, scale, &a->layout[scale]);
    uint32_t n = 0;
    if (a->set[scale] == scale) {
        *best = a->hits[0];
        return a->query;
    }
    return dsp_project(&p, a->raw, a->u, a->refined) &&
                   !idx_query(a->index, scale, a->scratch, a->refined, 1, best, &n,
                              NULL) &&
                   n
               ? a->refined
               : NULL;
}

bool
rt_stands_out(rt_analyse *a, uint32_t scale)
{
    idx_hit best = {0};
    if (!a->background || scale == RT_TIMBRE || a->margin[scale] < -1)
        return true;
    const float *x = hear_acoustic(a, scale, &best);
    const bool euclid = idx_scale_of(a->index, scale)->params.metric == IDX_EUCLID;
    const float cosine = best.cosine + (euclid ? 1.0F : 0.0F);
    return x && cosine - rt_background_likeness(a->background, scale, a->scratch, x) >=
                    a->margin[scale];
}

int
rt_judge(rt_analyse *a, const rt_match *m, uint32_t n_hits)
{
    rt_agreement *g = &a->agreement[m->scale];
    if (!n_hits || m->score < rt_least_score(a, m->scale, m->sound)) {
        rt_judge_none(a, m->scale);
        return RT_N_below_score;
    }
    if (!rt_stands_out(a, m->scale)) {
        rt_judge_none(a, m->scale);
        return RT_N_background;
    }
    const uint32_t best = m->sound + 1;
    note(g, best);
    if (holds(a, m->scale, best, n_hits))
        return RT_N_held;
    if (times(g, best, a->within[m->scale]) < a->confirm[m->scale])
        return RT_N_unconfirmed;
    const uint64_t last = *rt_last_sent(a, m->scale, m->sound);
    if (last && m->frame + 1 - last < a->min_gap_frames)
        return RT_N_rate_limited;
    g->held = best;
    return RT_N_matched;
}

void
rt_judge_none(rt_analyse *a, uint32_t scale)
{
    note(&a->agreement[scale], 0);
    a->agreement[scale].held = 0;
}

void
rt_judge_onset(rt_analyse *a)
{
    for (uint32_t s = 0; s < RT_SCALES; s++)
        a->agreement[s].held = 0;
}

void
rt_judge_gap(rt_analyse *a)
{
    memset(a->agreement, 0, sizeof a->agreement);
}
