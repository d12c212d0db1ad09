/* Hot: what the analysis thread keeps for who wants to learn it. */
#include "history.h"

void
rt_history_begin(rt_history *h, uint32_t rate_hz, uint64_t frame)
{
    if (!h->tape)
        return;
    h->end_frame = frame;
    atomic_store_explicit(&h->rate_hz, rate_hz, memory_order_relaxed);
    /* release: who sees it sees the rate */
    atomic_store_explicit(&h->whole_from, rt_tape_end(h->tape), memory_order_release);
}

/* What was lost is silence; after more than a second of it, another beginning. */
static void
skip(rt_history *h, uint64_t n_frames)
{
    static const float silence[256];
    const uint32_t rate = atomic_load_explicit(&h->rate_hz, memory_order_relaxed);
    if (n_frames > rate) {
        atomic_store_explicit(&h->whole_from, rt_tape_end(h->tape),
                              memory_order_release);
        return;
    }
    for (uint64_t left = n_frames; left > 0;) {
        const uint64_t n = left < 256 ? left : 256;
        rt_tape_write(h->tape, silence, (size_t)n);
        left -= n;
    }
}

void
rt_history_block(rt_history *h, const float x[], uint32_t n, uint64_t first_frame)
{
    if (!h->tape)
        return;
    if (first_frame != h->end_frame)
        skip(h, first_frame - h->end_frame);
    rt_tape_write(h->tape, x, n);
    h->end_frame = first_frame + n;
}
