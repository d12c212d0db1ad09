/* Hot: runs in the audio callback. */
#include "follow.h"

enum { FAR_BACK = 16384 }; /* frames; two of the longest periods */
static const double still_s = 1;

/* Samples that the clock saw go by between two cycles. */
static double
elapsed(const rt_follow *f, const rt_cycle *c)
{
    const double frames = (double)(c->now_us - f->last_us) / c->us_per_frame - c->n;
    return frames > 0 ? frames : 0;
}

/* Where the frame counter is, against where it should be. jackd 1.9.21 steps by the new
 * period already when that changes; no sample is missing then. */
static int32_t
jump_of(const rt_follow *f, const rt_cycle *c)
{
    const int32_t jump = (int32_t)(c->frame - f->next_frame);
    const int32_t step = (int32_t)(c->frame - f->end_frame);
    return step == (int32_t)(c->n - f->n) ? jump - step : jump;
}

/* Samples that the counter, or where it goes on as if nothing were, the clock says are
 * missing: with jackd -S it does, and after the server stood still. */
static uint64_t
missing(const rt_follow *f, const rt_cycle *c, int32_t jump)
{
    const double passed = elapsed(f, c), second = 1e6 / c->us_per_frame;
    if (c->freewheel)
        return jump > 0 ? (uint64_t)jump : 0;
    if (passed > jump + still_s * second)
        return (uint64_t)passed;
    if (jump > 0) /* no further than time went by, or nearly */
        return jump < passed + second ? (uint64_t)jump : (uint64_t)passed;
    const double late = (double)(c->begin_us - f->end_us) / c->us_per_frame;
    const bool known = jump == 0 && c->timed && f->end_us && c->n == f->n;
    return known && late >= c->n && passed >= c->n ? (uint64_t)late : 0;
}

/*
 * A counter that is behind has run ahead before: an awaking that comes late makes it
 * jump, and the next one takes that back. Those samples were counted as missing, and
 * the next ones that are missing are not counted again.
 */
static uint32_t
frame_after(const rt_cycle *c, int32_t jump)
{
    const uint32_t ahead = jump < 0 && jump > -FAR_BACK ? (uint32_t)-jump : 0;
    return c->frame + ahead + c->n;
}

uint64_t
rt_follow_cycle(rt_follow *f, const rt_cycle *c, bool fresh)
{
    uint64_t first = f->next;
    const int32_t jump = jump_of(f, c);
    const bool goes_on = f->begun && !fresh;
    if (goes_on)
        first += missing(f, c, jump);
    else if (f->begun)
        first += 1 + (uint64_t)elapsed(f, c);
    f->next_frame = goes_on ? frame_after(c, jump) : c->frame + c->n;
    f->begun = true;
    f->next = first + c->n;
    f->n = c->n;
    f->end_frame = c->frame + c->n;
    f->end_us = c->timed && !c->freewheel ? c->end_us : 0;
    f->last_us = c->now_us;
    return first;
}
