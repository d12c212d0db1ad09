/* Many independent jobs over several threads. */
#ifndef HEARKEN_RT_PARALLEL_H
#define HEARKEN_RT_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Calls run(ctx, i) once for each i < n, in that order but several at a time, on
 * n_threads threads (0: one per core) that have dsp_thread_init() behind them;
 * meanwhile idle(ctx), on the calling thread, about every 20 ms. Once rt_stop is set no
 * further job is begun. Returns when all have ended; false when the system gave no
 * thread.
 */
bool rt_parallel(size_t n, uint32_t n_threads, void (*run)(void *ctx, size_t i),
                 void (*idle)(void *ctx), void *ctx);

#endif
