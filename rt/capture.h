/*
 * From the audio callback into the ring to the analysis thread. Open this file first:
 * the way of the data begins here.
 */
#ifndef HEARKEN_RT_CAPTURE_H
#define HEARKEN_RT_CAPTURE_H

#include "counts.h"
#include "ring.h"

#include <semaphore.h>
#include <stdbool.h>

enum {
    RT_BLOCK_FRAMES = 256,
    RT_BLOCKS =
        4096, /* 5 s at a period of 64 and 48 kHz, 21 s at 256 and above; 4 MB */
};

typedef struct {
    uint64_t
        first_frame; /* since the stream began; a jump tells that samples are missing */
    uint64_t cycle_frame; /* of the first sample that JACK delivered together with
                             these */
    int64_t first_us;     /* when the first sample sounded, on the server's clock */
    uint32_t n_frames;
    float x[RT_BLOCK_FRAMES];
} rt_block;

typedef struct {
    rt_ring *ring; /* of rt_block, to the analysis thread */
    sem_t *wake;   /* of that thread */
    rt_counts *counts;
    atomic_bool patient; /* freewheel: wait for the analysis instead of dropping */
} rt_capture;

/*
 * Audio thread. Copies n samples into the ring and wakes the analysis; x[0] is sample
 * first_frame of the stream and sounded at first_us. A full ring drops what does not
 * fit and counts it; only in freewheel, where there is no hurry, it waits for some
 * seconds.
 */
void rt_capture_feed(rt_capture *cap, const float x[], uint32_t n, uint64_t first_frame,
                     int64_t first_us, double us_per_frame);

#endif
