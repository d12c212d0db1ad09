/* Names the hot threads, locks memory, and says what the kernel does not give. */
#define _GNU_SOURCE /* explicit_bzero(), SCHED_RESET_ON_FORK */
#include "honest.h"

#include "rt.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

static const char *const task_name[RT_HOT_THREADS] = {NULL, "hearken-analyse",
                                                      "hearken-publish"};
static const char *const what_name[RT_HOT_THREADS] = {"JACK's callback", "the analysis",
                                                      "the sending"};

/* Where memory is not locked, the stack's pages come when they are first written. */
static __attribute__((noinline)) void
touch_stack(void)
{
    char room[STACK_BYTES];
    explicit_bzero(room, sizeof room);
}

void
rt_honest_enter(rt_honest *h, rt_hot_thread which)
{
    rt_thread_name(task_name[which]);
    touch_stack();
    if (which == RT_ANALYSIS)
        rt_honest_faults_begin(h);
    atomic_store_explicit(&h->tid[which], rt_thread_id(), memory_order_relaxed);
}

void
rt_honest_lock(rt_honest *h)
{
    atomic_store(&h->unlocked, mlockall(MCL_CURRENT) ? errno : 0);
}

static void
tell_memory(rt_honest *h)
{
    const int error = atomic_load(&h->unlocked);
    if (!error || h->said_unlocked)
        return;
    h->said_unlocked = true;
    rt_warn("memory cannot be locked (%s): an answer may be late when memory is short; "
            "see `ulimit -l`",
            strerror(error));
}

/* ---- Scheduling ------------------------------------------------------------------ */

/* Of a thread that is not there, or has just ended, there is no news. */
static bool
is_realtime(const rt_honest *h, int i)
{
    const int tid = atomic_load_explicit(&h->tid[i], memory_order_relaxed);
    const int policy = tid ? sched_getscheduler(tid) : -1;
    const int kind = policy & ~SCHED_RESET_ON_FORK;
    return policy < 0
               ? !h->missing[i]
               : kind == SCHED_FIFO || kind == SCHED_RR || kind == SCHED_DEADLINE;
}

/* "the analysis and the sending" */
static void
list(const bool of[RT_HOT_THREADS], char *out, size_t len)
{
    int left = 0;
    size_t n = 0;
    for (int i = 0; i < RT_HOT_THREADS; i++)
        left += of[i];
    for (int i = 0; i < RT_HOT_THREADS && n < len; i++)
        if (of[i])
            n += (size_t)snprintf(out + n, len - n, "%s%s", what_name[i],
                                  --left > 1  ? ", "
                                  : left == 1 ? " and "
                                              : "");
}

bool
rt_honest_text(rt_honest *h, const bool have[RT_HOT_THREADS], char *out, size_t len)
{
    bool lost[RT_HOT_THREADS], back[RT_HOT_THREADS], any_lost = false, any_back = false;
    char names[100] = "";
    for (int i = 0; i < RT_HOT_THREADS; i++) {
        lost[i] = !have[i] && !h->missing[i];
        back[i] = have[i] && h->missing[i];
        any_lost = any_lost || lost[i];
        any_back = any_back || back[i];
    }
    list(any_lost ? lost : back, names, sizeof names);
    for (int i = 0; i < RT_HOT_THREADS; i++) /* one kind of news at a time */
        h->missing[i] = any_lost ? h->missing[i] || lost[i] : h->missing[i] && !back[i];
    if (any_lost)
        snprintf(out, len,
                 "no real-time scheduling for %s: answers may be late under load; see "
                 "/etc/security/limits.d/audio.conf%s",
                 names,
                 lost[RT_AUDIO] ? ", and whether the JACK server has it (jackd -R)"
                                : "");
    else
        snprintf(out, len, "real-time scheduling again for %s", names);
    return any_lost || any_back;
}

void
rt_honest_tick(rt_honest *h, int audio, bool freewheel)
{
    bool have[RT_HOT_THREADS];
    char text[300];
    tell_memory(h);
    atomic_store(&h->tid[RT_AUDIO], audio);
    for (int i = 0; i < RT_HOT_THREADS; i++)
        have[i] = is_realtime(h, i);
    if (freewheel)
        have[RT_AUDIO] = !h->missing[RT_AUDIO];
    while (rt_honest_text(h, have, text, sizeof text))
        rt_warn("%s", text);
}
