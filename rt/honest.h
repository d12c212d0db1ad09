/*
 * What the system really gives to the threads that must be in time. JACK and
 * pthread_getschedparam() tell what was wanted once; here the kernel is asked, again
 * and again, and main says what is missing, and when it is there again.
 */
#ifndef HEARKEN_RT_HONEST_H
#define HEARKEN_RT_HONEST_H

#include "counts.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { RT_AUDIO, RT_ANALYSIS, RT_PUBLISH, RT_HOT_THREADS } rt_hot_thread;

typedef struct {
    atomic_int tid[RT_HOT_THREADS]; /* 0: not there */
    bool missing[RT_HOT_THREADS];   /* main: real-time scheduling; as it was said */
    atomic_int unlocked;            /* errno of locking memory; 0: it is locked */
    bool said_unlocked;             /* main */
    uint64_t faults;                /* analysis: page faults counted so far */
    uint32_t until;                 /* analysis: calls until they are counted again */
} rt_honest;

/* The calling thread is this one from now on; names it, and touches its stack. */
void rt_honest_enter(rt_honest *h, rt_hot_thread which);

/* Of the calling thread, for the kernel. */
int rt_thread_id(void);

/*
 * Analysis thread, each time that it has done its work: counts the page faults that it
 * has had since it entered, about once a second.
 */
void rt_honest_faults(rt_honest *h, rt_counts *counts);

/*
 * After memory for the hot threads was allocated, and before they use it: locks all
 * there is, so that none of it is ever fetched from a disk. What is allocated later is
 * not locked, and on purpose: where the limit of locked memory is reached, MCL_FUTURE
 * makes allocations fail that could do without. Any thread; main says when it is not
 * allowed.
 */
void rt_honest_lock(rt_honest *h);

/* Analysis thread: what was before counts no more. */
void rt_honest_faults_begin(rt_honest *h);

/* Main thread, once a second: asks the kernel, and says what changed. audio is
 * rt_thread_id() of JACK's callback, 0 if not known; it is left out in freewheel, for
 * which JACK gives up real-time scheduling. */
void rt_honest_tick(rt_honest *h, int audio, bool freewheel);

/* The sentence about what changed: have says which threads are scheduled in real time.
 * Remembers it. False when there is nothing new. */
bool rt_honest_text(rt_honest *h, const bool have[RT_HOT_THREADS], char *out,
                    size_t len);

#endif
