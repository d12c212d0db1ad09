#include "parallel.h"

#include "dsp/dsp.h"
#include "rt.h"

#include <unistd.h>

typedef struct {
    size_t n;
    void (*run)(void *ctx, size_t i);
    void *ctx;
    atomic_size_t next;
    atomic_int running;
} crew;

static void *
work(void *arg)
{
    crew *c = arg;
    dsp_thread_init();
    while (!atomic_load(&rt_stop)) {
        const size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= c->n)
            break;
        c->run(c->ctx, i);
    }
    atomic_fetch_sub(&c->running, 1);
    return NULL;
}

bool
rt_parallel(size_t n, uint32_t n_threads, void (*run)(void *ctx, size_t i),
            void (*idle)(void *ctx), void *ctx)
{
    enum { MAX_THREADS = 256 };
    crew c = {.n = n, .run = run, .ctx = ctx};
    pthread_t threads[MAX_THREADS];
    uint32_t started = 0;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (!n_threads)
        n_threads = cores > 0 && cores < MAX_THREADS ? (uint32_t)cores : 1;
    for (; started < n_threads && started < MAX_THREADS; started++) {
        atomic_fetch_add(&c.running, 1);
        if (!rt_thread_start(&threads[started], work, &c, 0, NULL))
            break;
    }
    atomic_fetch_sub(&c.running, started < n_threads && started < MAX_THREADS);
    while (atomic_load(&c.running) > 0) {
        rt_sleep_ms(20);
        idle(ctx);
    }
    for (uint32_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started > 0;
}
