/* Hot: what the hot threads do themselves. */
#define _GNU_SOURCE /* gettid(), RUSAGE_THREAD */
#include "honest.h"

#include <sys/resource.h>
#include <unistd.h>

enum { LOOK_EVERY = 256 }; /* calls: once a second at a period of 188 */

static uint64_t
faults_so_far(void)
{
    struct rusage u;
    getrusage(RUSAGE_THREAD, &u);
    return (uint64_t)u.ru_minflt + (uint64_t)u.ru_majflt;
}

void
rt_honest_faults_begin(rt_honest *h)
{
    faults_so_far(); /* the first call may cost one itself */
    h->faults = faults_so_far();
    h->until = LOOK_EVERY;
}

int
rt_thread_id(void)
{
    return gettid();
}

void
rt_honest_faults(rt_honest *h, rt_counts *counts)
{
    if (--h->until)
        return;
    h->until = LOOK_EVERY;
    const uint64_t now = faults_so_far();
    rt_count(counts, RT_N_page_faults, now - h->faults);
    h->faults = now;
}
