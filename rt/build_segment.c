/* The degraded copies that learning goes by. */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>

/* Where the moments of one copy go. */
typedef struct {
    rt_rows *frames, *events;
    bool failed;
} target;

static void
keep(void *ctx, const rt_moment *m)
{
    target *t = ctx;
    rt_rows *r = m->kind == RT_FRAMES   ? t->frames
                 : m->kind == RT_EVENTS ? t->events
                                        : NULL;
    t->failed = t->failed || (r && !rt_rows_add(r, m));
}

static bool
analyse_copy(rt_segment *s, uint32_t copy, rt_analyse *a, const float x[], size_t n)
{
    target t = {&s->frames[copy], &s->events[copy], false};
    const rt_sink sink = {.ctx = &t, .moment = keep};
    rt_analyse_rewind(a, &sink);
    rt_analyse_block(a, x, n, 0);
    rt_analyse_finish(a);
    return !t.failed;
}

bool
rt_segment_analyse(rt_segment *s, rt_job *job, rt_analyse *a, uint32_t rate_hz,
                   const rt_options *o)
{
    bool ok = analyse_copy(s, 0, a, s->x, s->n);
    for (dsp_degradation d = 0; ok && d < DSP_DEGRADATIONS; d++) {
        float *copy;
        size_t n;
        ok = !dsp_degrade(d, s->x, s->n, rate_hz, o->build.seed, &copy, &n);
        if (ok)
            ok = analyse_copy(s, 1 + d, a, copy, n);
        free(copy);
    }
    if (!ok)
        snprintf(job->trouble, sizeof job->trouble,
                 "not enough memory for its degraded copies");
    return ok;
}
