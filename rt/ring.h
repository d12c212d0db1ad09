/*
 * A ring of fixed-size slots between one producing and one consuming thread. Neither
 * side waits: a full ring refuses the new item, an empty one has none. (jack_ringbuffer
 * is formally a data race in C11, hence our own.)
 */
#ifndef HEARKEN_RT_RING_H
#define HEARKEN_RT_RING_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct rt_ring rt_ring;

/* n_slots is rounded up to a power of two; touches all of its memory. NULL when there
 * is no memory, or a size is 0 or overflows. */
rt_ring *rt_ring_new(size_t n_slots, size_t slot_bytes);
void rt_ring_free(rt_ring *ring);

/* Producer: copies one item in; false when full. */
bool rt_ring_push(rt_ring *ring, const void *item);

/* Producer: the same, but while *patient (freewheel, where nothing may be lost) wakes
 * the consumer and waits for room, for two seconds at most. */
bool rt_ring_push_patiently(rt_ring *ring, const void *item, const atomic_bool *patient,
                            sem_t *wake);

/* Producer: a free slot to fill in place, NULL when full; rt_ring_commit() hands it
 * over. */
void *rt_ring_slot(rt_ring *ring);
void rt_ring_commit(rt_ring *ring);

/* Consumer: the oldest item in place, NULL when empty; rt_ring_release() gives it back.
 */
const void *rt_ring_front(rt_ring *ring);
void rt_ring_release(rt_ring *ring);

/* Consumer: the newest item in place, NULL when empty; it stays until it is released.
 */
const void *rt_ring_back(rt_ring *ring);

/* Consumer: copies the oldest item out; false when empty. */
bool rt_ring_pop(rt_ring *ring, void *item);

/* Either side: items inside, as of some moment during the call. */
size_t rt_ring_count(rt_ring *ring);

#endif
