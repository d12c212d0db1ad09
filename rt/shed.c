/* Hot: decides per block what the analysis does without. */
#include "shed.h"

enum { SCENES_MS = 100, EVENTS_MS = 200, FRAMES_MS = 400, SLACK_MS = 500 };

rt_shed
rt_shed_new(uint32_t rate_hz)
{
    return (rt_shed){.rate_hz = rate_hz};
}

static uint64_t
frames(const rt_shed *s, uint32_t ms)
{
    return (uint64_t)s->rate_hz * ms / 1000;
}

static uint32_t
level_of(const rt_shed *s, uint64_t late)
{
    return late >= frames(s, FRAMES_MS)   ? RT_SHED_FRAMES
           : late >= frames(s, EVENTS_MS) ? RT_SHED_EVENTS
           : late >= frames(s, SCENES_MS) ? RT_SHED_SCENES
                                          : RT_SHED_NOTHING;
}

bool
rt_shed_judge(rt_shed *s, uint64_t first, uint64_t newest)
{
    if (first >= newest) {
        s->level = RT_SHED_NOTHING;
        return true;
    }
    const uint32_t level = level_of(s, newest - first);
    if (level > s->level) {
        s->level = level;
        s->begun = first;
        s->until = newest;
    }
    if (s->level < RT_SHED_FRAMES)
        return true;
    const uint64_t came = newest - s->until, analysed = first - s->begun;
    return came <= analysed / 2 + frames(s, SLACK_MS);
}

/* Lets go what came before sample number newest, which is in the ring. */
static const rt_block *
skip(rt_ring *ring, uint64_t newest, rt_counts *counts)
{
    const rt_block *b = rt_ring_front(ring);
    while (b->first_frame < newest) {
        rt_ring_release(ring);
        rt_count(counts, RT_N_skipped_blocks, 1);
        b = rt_ring_front(ring);
    }
    return b;
}

const rt_block *
rt_shed_front(rt_shed *s, rt_ring *ring, bool patient, rt_counts *counts)
{
    const rt_block *b = rt_ring_front(ring), *last = b ? rt_ring_back(ring) : NULL;
    if (patient) /* as many as a ring holds, when it ends now */
        s->unhurried = RT_BLOCKS;
    if (!b || s->unhurried > 0) {
        s->level = RT_SHED_NOTHING;
        s->unhurried = b ? s->unhurried - 1 : 0;
        return b;
    }
    if (rt_shed_judge(s, b->first_frame, last->cycle_frame))
        return b;
    s->level = RT_SHED_NOTHING;
    return skip(ring, last->cycle_frame, counts);
}
