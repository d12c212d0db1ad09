/* What the benchmarks share: clocks, order statistics, cases that take turns. */
#ifndef HEARKEN_TESTS_BENCH_H
#define HEARKEN_TESTS_BENCH_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
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

/* ---- Cases ---- */

enum {
    BENCH_ROUNDS = 61,
    BENCH_CALLS = 500, /* in half a round, one per hop of the sound */
    BENCH_SECONDS = 6, /* of sound: some more than those hops */
    BENCH_RATE = 48000,
    BENCH_HOP = BENCH_RATE / 100,
    BENCH_SINGLES = BENCH_ROUNDS * BENCH_CALLS,
};

typedef struct bench_case bench_case;
struct bench_case {
    const char *name, *kernel;
    const float *x; /* the sound, which each half of a round runs through */
    uint32_t hop;
    void (*run)(bench_case *c, const float x[]); /* x from one hop on */
    void *state;
    uint32_t at; /* for cases that count hops */
    double rounds[BENCH_ROUNDS], worst[BENCH_ROUNDS];
    double singles[BENCH_SINGLES];
};

/* A tone below a noise that dies away each second. */
static inline void
bench_signal(float x[], uint32_t rate)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < rate * BENCH_SECONDS; i++) {
        state = 1664525U * state + 1013904223U;
        const double noise = state / 2147483648.0 - 1;
        x[i] = (float)(0.3 * sin(0.05 * i) +
                       0.1 * noise * exp(-(double)(i % rate) / (0.1 * rate)));
        if (!isfinite(x[i]))
            exit(70);
    }
}

static inline void
bench_round(bench_case *c, int round)
{
    double *singles = c->singles + (size_t)round * BENCH_CALLS, begin = bench_ns();
    for (int f = 0; f < BENCH_CALLS; f++)
        c->run(c, c->x + (size_t)f * c->hop);
    c->rounds[round] = (bench_ns() - begin) / BENCH_CALLS;
    for (int f = 0; f < BENCH_CALLS; f++) {
        begin = bench_ns();
        c->run(c, c->x + (size_t)f * c->hop);
        singles[f] = bench_ns() - begin;
        c->worst[round] = singles[f] > c->worst[round] ? singles[f] : c->worst[round];
    }
}

/* All cases in turn, so that what disturbs the machine disturbs all alike. */
static inline void
bench_run(bench_case cases[], size_t n)
{
    for (int r = 0; r < BENCH_ROUNDS; r++)
        for (size_t i = 0; i < n; i++)
            bench_round(&cases[i], r);
}

static inline void
bench_print_head(const char *unit)
{
    printf("%-38s %-6s %9s %9s %9s\n", unit, "kernel", "median", "p99", "p99.9");
}

/* The line of a case; returns its median. */
static inline double
bench_print(bench_case *c)
{
    const double median = bench_quantile(c->rounds, BENCH_ROUNDS, 0.5);
    const double p99 = bench_quantile(c->singles, BENCH_SINGLES, 0.99);
    printf("%-38s %-6s %9.0f %9.0f %9.0f\n", c->name, c->kernel, median, p99,
           bench_quantile(c->singles, BENCH_SINGLES, 0.999));
    return median;
}

#endif
