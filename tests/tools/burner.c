/*
 * burner: keeps every core busy for a while, to see what becomes of others.
 *
 *   burner [-p PRIORITY] SECONDS      -p: under SCHED_FIFO; at most 5 seconds
 *
 * Each thread looks at the clock itself, so that it ends even where nothing else runs.
 * Status 3 when the priority is not allowed.
 */
#define _GNU_SOURCE /* pthread_attr_setaffinity_np() */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CORES = 256 };
static double until;

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *
burn(void *arg)
{
    (void)arg;
    while (now() < until)
        ;
    return NULL;
}

/* One on a core, so that no core is left to others. */
static int
start(pthread_t *thread, int core, int priority)
{
    pthread_attr_t attr;
    cpu_set_t cores;
    const struct sched_param want = {.sched_priority = priority};
    CPU_ZERO(&cores);
    CPU_SET((size_t)core, &cores);
    pthread_attr_init(&attr);
    pthread_attr_setaffinity_np(&attr, sizeof cores, &cores);
    if (priority) {
        pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
        pthread_attr_setschedparam(&attr, &want);
    }
    const int failed = pthread_create(thread, &attr, burn, NULL);
    pthread_attr_destroy(&attr);
    return failed;
}

int
main(int argc, char **argv)
{
    pthread_t thread[MOST_CORES];
    cpu_set_t mine;
    int priority = 0, n = 0, refused = 0;
    for (int o; (o = getopt(argc, argv, "p:")) != -1;)
        if (o == 'p')
            priority = atoi(optarg);
    const double seconds = optind < argc ? atof(argv[optind]) : 0;
    if (!(seconds > 0 && seconds <= 5)) {
        fputs("burner [-p PRIORITY] SECONDS: at most 5\n", stderr);
        return 2;
    }
    sched_getaffinity(0, sizeof mine, &mine);
    until = now() + seconds;
    for (int core = 0; core < MOST_CORES; core++)
        if (CPU_ISSET((size_t)core, &mine)) {
            if (start(&thread[n], core, priority))
                refused++;
            else
                n++;
        }
    while (n > 0)
        pthread_join(thread[--n], NULL);
    return refused ? 3 : 0;
}
