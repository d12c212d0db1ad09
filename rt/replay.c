#include "replay.h"

#include <stdio.h>

bool
rt_replay_new(rt_replay *p, const rt_options *options, const idx_index *index,
              const idx_index *layer, const char text[], size_t n, uint32_t rate_hz,
              uint64_t n_samples, char *why, size_t why_len)
{
    *p = (rt_replay){.options = *options};
    rt_recording *r = &p->recording;
    if (!rt_recording_read(r, &p->options, index, layer, text, n, why, why_len))
        return false;
    if (r->rate_hz == rate_hz && r->n_samples == n_samples)
        return true;
    snprintf(why, why_len,
             "it was changed since it was recorded: its sound has other samples; take "
             "it as any other sound with --record-replay no");
    rt_recording_done(r);
    return false;
}

void
rt_replay_done(rt_replay *p)
{
    rt_recording_done(&p->recording);
}

void
rt_replay_begin(rt_replay *p, rt_analyse *a)
{
    rt_analyse_begin(a, p->recording.first_frame);
}

static void
restore(rt_replay *p, rt_analyse *a)
{
    const rt_recording *r = &p->recording;
    rt_analyse_restore(a, &r->state);
    for (size_t i = 0; i < r->n_sent; i++)
        rt_analyse_sent(a, r->sent[i].scale, r->sent[i].sound, r->sent[i].frame);
    p->restored = true;
}

static void
change(rt_analyse *a, const rt_change *c)
{
    if (c->kind == RT_GAP)
        rt_analyse_gap(a, c->value);
    else
        rt_analyse_shed(a, (uint32_t)c->value);
}

/* Does what is due before the next sample; how many samples follow until more is. */
static uint64_t
step(rt_replay *p, rt_analyse *a)
{
    const rt_recording *r = &p->recording;
    if (!p->restored && p->at == r->n_warm)
        restore(p, a);
    for (; p->n_changed < r->n_changes && r->changes[p->n_changed].at == p->at;
         p->n_changed++)
        change(a, &r->changes[p->n_changed]);
    uint64_t next = p->restored ? UINT64_MAX : r->n_warm;
    if (p->n_changed < r->n_changes && r->changes[p->n_changed].at < next)
        next = r->changes[p->n_changed].at;
    return next - p->at;
}

void
rt_replay_block(rt_replay *p, rt_analyse *a, const float x[], size_t n)
{
    while (n > 0) {
        const uint64_t most = step(p, a);
        const size_t take = n < most ? n : (size_t)most;
        if (p->restored)
            rt_analyse_block(a, x, take, 0);
        else
            rt_analyse_warm(a, x, take);
        p->at += take;
        x += take;
        n -= take;
    }
}
