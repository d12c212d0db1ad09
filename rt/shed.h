/*
 * What the analysis does without when it is late, so that what it says is never old.
 *
 *   blocks in the ring --rt_shed_front--> the next to analyse, and a level for
 *   rt_analyse_shed()
 *
 * How late it is, is counted in sound: what came before the newest JACK cycle and still
 * waits. The cycle itself is on time, however long it is. From 100 ms on scenes are not
 * answered, from 200 ms on events (and timbre) neither, from 400 ms on nothing; samples
 * are still analysed, a thousand times faster than they come, and a level stays until
 * none is late. So answers are never late by more than 400 ms, and those after it are
 * the same as if nothing had been. Where even that does not catch up at twice the speed
 * of sound coming in, give or take half a second, what waits is let go, and the
 * analysis begins anew with the newest cycle. In freewheel nothing is shed, nor is what
 * it left in the ring, which is not late.
 */
#ifndef HEARKEN_RT_SHED_H
#define HEARKEN_RT_SHED_H

#include "analyse.h"
#include "capture.h"

typedef struct {
    uint32_t rate_hz;
    uint32_t level;        /* rt_shed_level, for rt_analyse_shed() */
    uint64_t begun, until; /* of the level: its first block; the newest cycle then */
    uint32_t unhurried;    /* blocks at most that are left from freewheel */
} rt_shed;

/* Nothing is late yet. */
rt_shed rt_shed_new(uint32_t rate_hz);

/*
 * The rule alone: a block that begins with sample number first is next, newest is the
 * first sample of the newest cycle. Sets the level. False when what waits before newest
 * should be let go.
 */
bool rt_shed_judge(rt_shed *s, uint64_t first, uint64_t newest);

/*
 * Analysis thread: the next block to analyse, in place; NULL when there is none. Blocks
 * that are let go are counted as skipped. patient: freewheel. Does not wait.
 */
const rt_block *rt_shed_front(rt_shed *s, rt_ring *ring, bool patient,
                              rt_counts *counts);

#endif
