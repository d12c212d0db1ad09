/* A fault of memory in a call of a library, kept to the thread that made the call. */
#ifndef HEARKEN_RT_FENCE_H
#define HEARKEN_RT_FENCE_H

#include <stdbool.h>

/* Main thread, once, before others are started: sees to SIGBUS, which libjack 1.9.21
 * gets where servers and clients of a user open their common database at a time. What
 * faults outside a fence ends the process as ever. */
void rt_fence_build(void);

/*
 * Between these, on any thread but those of real time: who faults stays where it is for
 * ever, and nobody else notices, until rt_fence_is_broken() is asked. What the library
 * holds is then lost, and the process should start anew. They do not nest.
 */
void rt_fence_enter(void);
void rt_fence_leave(void);

/* Any thread. */
bool rt_fence_is_broken(void);

#endif
