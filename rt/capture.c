/* Audio thread. Copies, counts, wakes; everything else happens later. */
#include "capture.h"

#include <string.h>
#include <time.h>

/* A slot for the next block, NULL when the ring is full. */
static rt_block *
free_slot(rt_capture *cap)
{
    enum { TRIES = 20000 };
    static const struct timespec pause = {.tv_nsec = 100000};
    rt_block *b = rt_ring_slot(cap->ring);
    for (int i = 0;
         !b && i < TRIES && atomic_load_explicit(&cap->patient, memory_order_relaxed);
         i++) {
        sem_post(cap->wake);
        nanosleep(&pause, NULL);
        b = rt_ring_slot(cap->ring);
    }
    return b;
}

void
rt_capture_feed(rt_capture *cap, const float x[], uint32_t n, uint64_t first_frame,
                int64_t first_us, double us_per_frame)
{
    for (uint32_t done = 0; done < n;) {
        const uint32_t left = n - done;
        const uint32_t take = left < RT_BLOCK_FRAMES ? left : RT_BLOCK_FRAMES;
        rt_block *b = free_slot(cap);
        if (b) {
            b->first_frame =
                first_frame + done; /* a jump tells analysis that we dropped */
            b->first_us = first_us + (int64_t)(done * us_per_frame);
            b->n_frames = take;
            memcpy(b->x, x + done, take * sizeof *x);
            rt_ring_commit(cap->ring);
        } else {
            rt_count(cap->counts, RT_N_dropped_blocks, 1);
        }
        rt_count(cap->counts, RT_N_blocks, 1);
        done += take;
    }
    sem_post(cap->wake); /* the one system call here; it never waits */
}
