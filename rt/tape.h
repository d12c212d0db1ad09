/*
 * A ring that goes round: one thread writes items of a fixed size and never waits, the
 * oldest are overwritten; any thread reads those that are still there, and learns when
 * they were overwritten meanwhile. Items are numbered 0, 1, 2, ... since the beginning.
 */
#ifndef HEARKEN_RT_TAPE_H
#define HEARKEN_RT_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rt_tape rt_tape;

/* item_bytes is a multiple of 4. Touches all of its memory. NULL when there is no
 * memory, or a size is 0 or overflows. */
rt_tape *rt_tape_new(size_t n_items, size_t item_bytes);
void rt_tape_free(rt_tape *tape); /* takes NULL */
size_t rt_tape_bytes(const rt_tape *tape);

/* The writing thread: n items, at most n_items. Does not allocate, lock or wait. */
void rt_tape_write(rt_tape *tape, const void *items, size_t n);

/* How many were written; the number of the next one. */
uint64_t rt_tape_end(const rt_tape *tape);

/* Number of the oldest item that is surely still there. */
uint64_t rt_tape_begin(const rt_tape *tape);

/* Copies items first..first + n - 1. False, with out undefined, when some of them are
 * not written yet, or overwritten, perhaps only during the call. */
bool rt_tape_read(const rt_tape *tape, uint64_t first, size_t n, void *out);

#endif
