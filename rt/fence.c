#include "fence.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_bool broken;
static _Thread_local atomic_bool within;
static struct sigaction before;

/* Only what may be called in a handler of signals. */
static void
stay(int signal)
{
    if (!atomic_load(&within)) {
        sigaction(signal, &before, NULL); /* which gets it again at once */
        return;
    }
    atomic_store(&broken, true);
    for (;;)
        pause();
}

void
rt_fence_build(void)
{
    struct sigaction s = {.sa_handler = stay};
    sigemptyset(&s.sa_mask);
    sigaction(SIGBUS, &s, &before);
}

void
rt_fence_enter(void)
{
    atomic_store(&within, true);
}

void
rt_fence_leave(void)
{
    atomic_store(&within, false);
}

bool
rt_fence_is_broken(void)
{
    return atomic_load(&broken);
}
