#ifndef HEARKEN_RT_LIVE_PRIVATE_H
#define HEARKEN_RT_LIVE_PRIVATE_H

#include "live.h"

#define RT_LIVE_MAGIC "hkn-live" /* eight characters, without the zero */
#define RT_LIVE_PREFIX "hearken-live-"

/* Per input, of the analysis thread. */
typedef struct {
    float peak, fall; /* fall: factor over a block of fall_frames */
    uint32_t fall_frames, fall_rate_hz;
    uint64_t busy_ns;
} rt_live_meter;

struct rt_live {
    rt_live_page *page; /* mapped, shared */
    int fd;             /* keeps the lock */
    char path[4096];
    const rt_counts *counts;
    rt_live_status status; /* main's copy */
    _Atomic uint32_t rate_hz;
    rt_live_meter meter[RT_LIVE_INPUTS];
    uint64_t publish_ns;               /* publish thread */
    uint64_t n_pushed[RT_LIVE_SCALES]; /* publish thread */
};

#endif
