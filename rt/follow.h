/*
 * Numbers the samples of a stream by what a JACK server says of its cycles, which is
 * not always true: frame counters jump, step back, stand, and clocks are off.
 */
#ifndef HEARKEN_RT_FOLLOW_H
#define HEARKEN_RT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

/* One cycle; times are on the server's clock. */
typedef struct {
    uint32_t frame;      /* of the server, of its first sample */
    uint32_t n;          /* samples */
    int64_t now_us;      /* when the callback came */
    double us_per_frame; /* by the server's rate */
    bool freewheel;      /* the clock says nothing */
    bool timed;          /* the next two hold */
    int64_t begin_us, end_us;
} rt_cycle;

typedef struct {
    bool begun;
    uint64_t next;       /* number of the sample that should come next */
    uint32_t next_frame; /* of the server, of that sample */
    uint32_t end_frame;  /* of the server, after the last cycle */
    uint32_t n;          /* of the last cycle */
    int64_t end_us;      /* of the last cycle; 0: not known */
    int64_t last_us;     /* when it came */
} rt_follow;

/*
 * Audio thread. Takes a cycle, and returns the number of its first sample: beyond
 * f->next (as that was) by as many as are missing in between. fresh: the first one
 * after the server was opened: what went by meanwhile is missing, one sample at least.
 */
uint64_t rt_follow_cycle(rt_follow *f, const rt_cycle *c, bool fresh);

#endif
