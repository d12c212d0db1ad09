/*
 * reopen: the least that a JACK client can do that comes back whenever its server does,
 * its memory locked, as the reference for what reconnecting costs: what this one keeps
 * of each connection, libjack keeps.
 *
 *   reopen [NAME]      until SIGTERM or SIGINT
 */
#include <jack/jack.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

static atomic_bool gone;
static volatile sig_atomic_t stopped;

static int
on_process(jack_nframes_t n, void *arg)
{
    (void)n;
    (void)arg;
    return 0;
}

static void
on_shutdown(void *arg)
{
    (void)arg;
    atomic_store(&gone, true);
}

static void
on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static void
quiet(const char *text)
{
    (void)text;
}

static void
pause_20_ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

int
main(int argc, char **argv)
{
    const struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    jack_set_error_function(quiet);
    jack_set_info_function(quiet);
    while (!stopped) {
        jack_client_t *c =
            jack_client_open(argc > 1 ? argv[1] : "reopen", JackNoStartServer, NULL);
        atomic_store(&gone, !c);
        if (c) {
            jack_port_register(c, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
            jack_set_process_callback(c, on_process, NULL);
            jack_on_shutdown(c, on_shutdown, NULL);
            jack_activate(c);
        }
        do
            pause_20_ms();
        while (!stopped && !atomic_load(&gone));
        if (c)
            jack_client_close(c);
    }
    return 0;
}
