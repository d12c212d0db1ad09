/* Hot: both ends run on threads with a deadline. */
#include "ring_private.h"

#include <string.h>
#include <time.h>

void *
rt_ring_slot(rt_ring *r)
{
    const size_t w = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* acquire: the consumer is done with the slot before we fill it again */
    if (w - atomic_load_explicit(&r->read, memory_order_acquire) > r->mask)
        return NULL;
    return r->slots + (w & r->mask) * r->slot_bytes;
}

void
rt_ring_commit(rt_ring *r)
{
    const size_t w = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* release: what was written is there when the consumer sees the count */
    atomic_store_explicit(&r->written, w + 1, memory_order_release);
}

bool
rt_ring_push(rt_ring *r, const void *item)
{
    void *slot = rt_ring_slot(r);
    if (!slot)
        return false;
    memcpy(slot, item, r->slot_bytes);
    rt_ring_commit(r);
    return true;
}

bool
rt_ring_push_patiently(rt_ring *r, const void *item, const atomic_bool *patient,
                       sem_t *wake)
{
    enum { TRIES = 20000 };
    static const struct timespec pause = {.tv_nsec = 100000};
    bool pushed = rt_ring_push(r, item);
    for (int i = 0;
         !pushed && i < TRIES && atomic_load_explicit(patient, memory_order_relaxed);
         i++) {
        sem_post(wake);
        nanosleep(&pause, NULL);
        pushed = rt_ring_push(r, item);
    }
    return pushed;
}

const void *
rt_ring_front(rt_ring *r)
{
    const size_t n = atomic_load_explicit(&r->read, memory_order_relaxed);
    if (atomic_load_explicit(&r->written, memory_order_acquire) == n)
        return NULL;
    return r->slots + (n & r->mask) * r->slot_bytes;
}

const void *
rt_ring_back(rt_ring *r)
{
    const size_t n = atomic_load_explicit(&r->read, memory_order_relaxed);
    const size_t w = atomic_load_explicit(&r->written, memory_order_acquire);
    return w == n ? NULL : r->slots + ((w - 1) & r->mask) * r->slot_bytes;
}

void
rt_ring_release(rt_ring *r)
{
    const size_t n = atomic_load_explicit(&r->read, memory_order_relaxed);
    atomic_store_explicit(&r->read, n + 1, memory_order_release);
}

bool
rt_ring_pop(rt_ring *r, void *item)
{
    const void *slot = rt_ring_front(r);
    if (!slot)
        return false;
    memcpy(item, slot, r->slot_bytes);
    rt_ring_release(r);
    return true;
}

size_t
rt_ring_count(rt_ring *r)
{
    const size_t n = atomic_load_explicit(&r->read, memory_order_acquire);
    return atomic_load_explicit(&r->written, memory_order_acquire) - n;
}
