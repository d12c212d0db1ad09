/* jackhog: a bad neighbour. A JACK client that oversleeps in its process callback, to
 * provoke xruns.
 *
 * Build:  cc -O2 -Wall -Wextra -o jackhog jackhog.c -ljack
 * Use:    jackhog [-n NAME] [-u USECS] [-e EVERY] [-t SECONDS]
 *   -u  how long to oversleep (default 20000)   -e  in every how many cycles (default
 * 100) -t  end after so many seconds (default 5)   -n  client name (default hog)
 */
#define _GNU_SOURCE
#include <jack/jack.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static unsigned usecs = 20000, every = 100;
static atomic_uint cycles, slept, xruns, ended;

static int
process(jack_nframes_t n, void *arg)
{
    (void)n, (void)arg;
    if ((atomic_fetch_add(&cycles, 1) + 1) % every == 0) {
        struct timespec t = {usecs / 1000000, (long)(usecs % 1000000) * 1000};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
        atomic_fetch_add(&slept, 1);
    }
    return 0;
}
static int
on_xrun(void *arg)
{
    (void)arg;
    atomic_fetch_add(&xruns, 1);
    return 0;
}
static void
on_shutdown(void *arg)
{
    (void)arg;
    atomic_store(&ended, 1);
}

int
main(int argc, char **argv)
{
    const char *name = "hog";
    double secs = 5;
    int o;
    while ((o = getopt(argc, argv, "n:u:e:t:")) != -1) {
        switch (o) {
        case 'n':
            name = optarg;
            break;
        case 'u':
            usecs = (unsigned)atoi(optarg);
            break;
        case 'e':
            every = (unsigned)atoi(optarg);
            break;
        case 't':
            secs = atof(optarg);
            break;
        default:
            return 2;
        }
    }
    if (!every)
        every = 1;
    jack_client_t *c = jack_client_open(name, JackNoStartServer, NULL);
    if (!c) {
        fputs("jackhog: no JACK server\n", stderr);
        return 1;
    }
    jack_set_process_callback(c, process, NULL);
    jack_set_xrun_callback(c, on_xrun, NULL);
    jack_on_shutdown(c, on_shutdown, NULL);
    jack_activate(c);
    for (double t = 0; t < secs && !atomic_load(&ended); t += 0.05)
        usleep(50000);
    printf("{\"cycles\":%u,\"overslept\":%u,\"xruns\":%u,\"server_gone\":%s}\n",
           atomic_load(&cycles), atomic_load(&slept), atomic_load(&xruns),
           atomic_load(&ended) ? "true" : "false");
    jack_client_close(c);
    return 0;
}
