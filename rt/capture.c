/* Audio thread. Copies, counts, wakes; everything else happens later. */
#include "capture.h"

#include <string.h>
#include <time.h>

static bool
has_room(const rt_capture *cap)
{
    return rt_ring_slot(cap->ring) && rt_ring_count(cap->ring) < RT_BLOCKS / 2;
}

/* A slot for the next block, NULL when the ring is full. In freewheel half of it is
 * kept free: what comes right after, in real time again, finds room too. */
static rt_block *
free_slot(rt_capture *cap)
{
    enum { TRIES = 30000 }; /* 3 to 5 s; jackd 1.9.21 gives up a client after ten */
    static const struct timespec pause = {.tv_nsec = 100000};
    for (int i = 0;
         i < TRIES && atomic_load_explicit(&cap->patient, memory_order_relaxed) &&
         !has_room(cap);
         i++) {
        sem_post(cap->wake);
        nanosleep(&pause, NULL);
    }
    return rt_ring_slot(cap->ring);
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
            b->cycle_frame = first_frame;
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
