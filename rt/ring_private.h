#ifndef HEARKEN_RT_RING_PRIVATE_H
#define HEARKEN_RT_RING_PRIVATE_H

#include "ring.h"

#include <stdalign.h>
#include <stdatomic.h>

/* Counters that only grow, each on a cache line of its own; a slot is counter & mask.
 */
struct rt_ring {
    alignas(64) _Atomic size_t written;
    alignas(64) _Atomic size_t read;
    alignas(64) size_t mask;
    size_t slot_bytes;
    unsigned char *slots;
};

#endif
