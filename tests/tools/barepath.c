/*
 * barepath: the least that a JACK client with a thread for its computations and one for
 * its sockets can do, as the reference for the latency of a real one.
 *
 *   process callback =semaphore=> FIFO "DSP" thread =semaphore=> FIFO sender => UDP
 *
 * A sample above 0.5 at its input "in" becomes a message  /bare i seq  f sample  s
 * "click" at 127.0.0.1:PORT; a second one only after a sample that is not above. The
 * DSP thread computes nothing. Ends on SIGTERM or SIGINT, status 0; when the server
 * goes, status 1.
 *
 *   barepath PORT [NAME]      NAME of the client (default bare)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <jack/jack.h>
#include <jack/thread.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static jack_client_t *client;
static jack_port_t *in;
static sem_t to_dsp, to_sender;
static _Atomic uint32_t level_bits; /* the sample that was found, as a float's bits */
static atomic_bool ending, gone;
static int udp;

static int
process(jack_nframes_t n, void *arg)
{
    static bool above;
    (void)arg;
    const float *x = jack_port_get_buffer(in, n);
    for (jack_nframes_t i = 0; i < n; i++) {
        const bool was = above;
        above = x[i] > 0.5F;
        if (!above || was)
            continue;
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        atomic_store_explicit(&level_bits, bits, memory_order_relaxed);
        sem_post(&to_dsp);
    }
    return 0;
}

static void
wait_for(sem_t *s)
{
    while (sem_wait(s) && errno == EINTR)
        ;
}

static void *
dsp(void *arg)
{
    for (;;) {
        wait_for(&to_dsp);
        sem_post(&to_sender);
        if (atomic_load(&ending))
            return arg;
    }
}

static void
send_message(uint32_t seq)
{
    static uint8_t m[] = "/bare\0\0\0,ifs\0\0\0\0iiiiffffclick\0\0";
    const uint32_t numbers[] = {htonl(seq), htonl(atomic_load(&level_bits))};
    memcpy(m + 16, numbers, sizeof numbers);
    (void)!send(udp, m, 32, MSG_NOSIGNAL); /* without a receiver it is lost */
}

static void *
sender(void *arg)
{
    for (uint32_t seq = 0;; seq++) {
        wait_for(&to_sender);
        if (atomic_load(&ending))
            return arg;
        send_message(seq);
    }
}

static void
on_shutdown(void *arg)
{
    (void)arg;
    atomic_store(&gone, true);
    kill(getpid(), SIGTERM);
}

static void
die(const char *what)
{
    fprintf(stderr, "barepath: %s\n", what);
    if (client)
        jack_client_close(client);
    exit(1);
}

static pthread_t
start(void *(*run)(void *), int priority)
{
    const struct sched_param p = {.sched_priority = priority};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, NULL))
        die("cannot start a thread");
    if (priority < 1 || pthread_setschedparam(thread, SCHED_FIFO, &p))
        fputs("barepath: no SCHED_FIFO, so its figures are no reference\n", stderr);
    return thread;
}

static void
open_socket(const char *port)
{
    const int number = atoi(port);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)number),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (number < 1 || number > 65535)
        die("PORT is no number from 1 to 65535");
    if (udp < 0 || connect(udp, (const struct sockaddr *)&to, sizeof to))
        die("cannot open a socket");
}

static void
open_client(const char *name)
{
    client = jack_client_open(name, JackNoStartServer, NULL);
    if (!client)
        die("no JACK server");
    in = jack_port_register(client, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    if (!in)
        die("cannot register a port");
    jack_set_process_callback(client, process, NULL);
    jack_on_shutdown(client, on_shutdown, NULL);
}

int
main(int argc, char **argv)
{
    sigset_t end;
    int sig;
    if (argc < 2 || argc > 3) {
        fputs("usage: barepath PORT [NAME]\n", stderr);
        return 2;
    }
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    pthread_sigmask(SIG_BLOCK, &end,
                    NULL); /* inherited by all threads, libjack's too */
    sem_init(&to_dsp, 0, 0);
    sem_init(&to_sender, 0, 0);
    open_socket(argv[1]);
    open_client(argc > 2 ? argv[2] : "bare");
    mlockall(MCL_CURRENT |
             MCL_FUTURE); /* where it is not allowed: a slow first click */
    /* -1 where the server has no FIFO; else below it, so that it preempts both */
    const int priority = jack_client_real_time_priority(client);
    const pthread_t threads[] = {start(dsp, priority - 1), start(sender, priority - 2)};
    if (jack_activate(client))
        die("cannot activate");
    fputs("barepath: ready\n", stderr);
    sigwait(&end, &sig);

    jack_client_close(client);
    atomic_store(&ending, true);
    sem_post(&to_dsp);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    close(udp);
    return atomic_load(&gone) ? 1 : 0;
}
