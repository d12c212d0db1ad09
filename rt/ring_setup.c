#include "ring_private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

rt_ring *
rt_ring_new(size_t n_slots, size_t slot_bytes)
{
    if (!n_slots || !slot_bytes || n_slots > SIZE_MAX / 4 / slot_bytes)
        return NULL;
    size_t n = 1;
    while (n < n_slots)
        n *= 2;
    rt_ring *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);
    if (!r)
        return NULL;
    memset(r, 0, sizeof *r);
    r->slots = malloc(n * slot_bytes);
    if (!r->slots) {
        free(r);
        return NULL;
    }
    /* Every page is touched now, so that none faults later. Not with zeros: compilers
     * turn that into calloc(), which touches nothing. */
    memset(r->slots, 0x55, n * slot_bytes);
    r->mask = n - 1;
    r->slot_bytes = slot_bytes;
    return r;
}

void
rt_ring_free(rt_ring *r)
{
    if (!r)
        return;
    free(r->slots);
    free(r);
}
