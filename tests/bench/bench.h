/* What the benchmarks share: clocks and order statistics. */
#ifndef HEARKEN_TESTS_BENCH_H
#define HEARKEN_TESTS_BENCH_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline double
bench_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static inline int
bench_by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The share-quantile of x[n], which gets sorted. */
static inline double
bench_quantile(double x[], size_t n, double share)
{
    qsort(x, n, sizeof *x, bench_by_value);
    const size_t i = (size_t)(share * (double)n);
    return x[i < n ? i : n - 1];
}

#endif
