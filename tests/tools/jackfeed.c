/*
 * jackfeed: plays sound files, or a train of clicks, into a JACK graph from memory, and
 * says on stdout which JACK frame carried their first samples.
 *
 * A test instrument, for headless runs against the dummy backend: it never resamples (a
 * rate other than the server's is an error), never touches the disk while it plays,
 * waits for the ports that it is to feed, and ends by itself.
 *
 * Stdout is JSON lines, written as things happen: as each file starts, and as it ends,
 *   {"event":"start","file":"a.wav","first_frame":F,"first_usecs":T,"frames":N,"elapsed":E}
 *   {"event":"end",  the same}        E: frames since it began, skipped ones too
 * and last a line on the whole run, with "ok" (all was played) and "clean" (and no
 * frame was lost on the way). Clicks are in that line alone, as [frame, usecs, sounds]:
 * jack_get_time() when the cycle of the click began, and the time of its very sample.
 */
#include "soundfile.h"

#include <errno.h>
#include <jack/jack.h>
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PORTS = 16, MAX_TARGETS = 64 };

/* What the command line says. */
static const char *client_name = "feed", *target[MAX_TARGETS];
static unsigned n_targets;
static double wait_s = 5, limit_s, before_s = 0.2, after_s = 0.2, gap_s;
static double clicks_s, distance_s = 0.25, gain = 1, loops = 1;
static bool freewheel, mix, latency;

/* One playing of a sound. */
typedef struct {
    const sound *what;
    uint64_t at;          /* in frames since armed */
    uint32_t first_frame; /* JACK's number of its first sample */
    uint64_t first_usecs; /* and its time, on the clock of jack_get_time() */
    uint64_t cycle_usecs; /* when the cycle with that sample was run, same clock */
    uint64_t elapsed;     /* frames from armed to it, skipped ones too */
} item;

static float click_sample = 1;
static const sound click = {.x = &click_sample, .frames = 1, .channels = 1};
static sound *files;
static item *items; /* [n_items], in the order of at */
static unsigned n_files, n_items, n_ports = 1;
static uint64_t total; /* frames from armed to done */

static jack_client_t *client;
static jack_port_t *port[MAX_PORTS];
static double rate;

/* Starts and ends so far, of items in their order: start, end, start, end. */
static atomic_uint n_events;
static atomic_bool armed, done, stopped, gone, freewheeling;
static atomic_uint xruns, lost_frames;
static sem_t wake;

/* ---- Process thread ------------------------------------------------------------- */

static uint64_t pos;    /* frames since armed */
static int64_t skipped; /* frames meanwhile that the server did not run */
static unsigned cur;    /* the item that plays, or that comes next */

static void
happened(void)
{
    atomic_fetch_add(&n_events, 1);
    sem_post(&wake);
}

/* jackd2 begins a new period as if the last one had had that length. A cycle that comes
 * late has the number of the next, which then comes too: a jump back. */
static void
count_lost(jack_nframes_t now, jack_nframes_t n)
{
    static jack_nframes_t expected, last_n;
    const int32_t jump = (int32_t)(now - expected);
    if (last_n && (n == last_n || jump != (int32_t)(n - last_n))) {
        atomic_fetch_add(&lost_frames, jump > 0 ? (unsigned)jump : 0);
        skipped += jump;
    }
    expected = now + n;
    last_n = n;
}

static void
play_frame(float *out[], jack_nframes_t i, jack_nframes_t now, uint64_t begun)
{
    item *it = &items[cur];
    const uint64_t p = pos - it->at;
    if (p == 0) {
        it->first_frame = now + i;
        it->first_usecs = jack_frames_to_time(client, now + i);
        it->cycle_usecs = begun;
        it->elapsed = pos + (uint64_t)skipped;
        happened();
    }
    for (unsigned c = 0; c < n_ports; c++)
        out[c][i] = (float)gain * sound_sample(it->what, p, c);
    if (p + 1 == it->what->frames) {
        cur++;
        happened();
    }
}

static int
process(jack_nframes_t n, void *arg)
{
    (void)arg;
    float *out[MAX_PORTS];
    for (unsigned c = 0; c < n_ports; c++) {
        out[c] = jack_port_get_buffer(port[c], n);
        memset(out[c], 0, n * sizeof *out[c]);
    }
    if (!atomic_load(&armed))
        return 0;
    const jack_nframes_t now = jack_last_frame_time(client);
    const uint64_t begun = jack_get_time();
    count_lost(now, n);
    for (jack_nframes_t i = 0; i < n && pos < total; i++, pos++)
        if (cur < n_items && pos >= items[cur].at)
            play_frame(out, i, now, begun);
    if (pos >= total) {
        atomic_store(&armed, false);
        atomic_store(&done, true);
        sem_post(&wake);
    }
    return 0;
}

/* ---- Other callbacks ------------------------------------------------------------ */

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
    atomic_store(&gone, true);
    sem_post(&wake);
}

static void
on_freewheel(int starting, void *arg)
{
    (void)arg;
    atomic_store(&freewheeling, starting != 0);
}

static void
on_latency(jack_latency_callback_mode_t mode, void *arg)
{
    (void)arg;
    if (mode != JackCaptureLatency)
        return;
    const jack_nframes_t l = latency ? jack_get_buffer_size(client) : 0;
    jack_latency_range_t range = {l, l};
    for (unsigned c = 0; c < n_ports; c++)
        jack_port_set_latency_range(port[c], mode, &range);
}

static void
on_signal(int sig)
{
    (void)sig;
    atomic_store(&stopped, true);
    sem_post(&wake);
}

/* A server that does not answer can hold any call of libjack for ever, also closing. */
static void
on_alarm(int sig)
{
    static const char m[] =
        "jackfeed: the server does not answer, or does not run the graph\n";
    (void)sig;
    (void)!write(STDERR_FILENO, m, sizeof m - 1);
    _exit(3);
}

/* ---- Command line --------------------------------------------------------------- */

static const char usage[] =
    "jackfeed [options] FILE... | jackfeed [options] -k SECONDS\n"
    "  -c PORT   connect to PORT (repeat: the ports take turns, first with first)\n"
    "  -w SECS   wait that long for the ports of -c to appear (default 5)\n"
    "  -n NAME   client name (default feed)\n"
    "  -m        mix the channels of each file down to one port\n"
    "  -b SECS   silence before all (default 0.2)  -e SECS  and after it (0.2)\n"
    "  -s SECS   silence between files (default 0)\n"
    "  -g GAIN   linear gain (default 1)           -l N     play all N times\n"
    "  -k SECS   no file: one-sample clicks for SECS seconds\n"
    "  -i SECS   clicks: distance between them (default 0.25)\n"
    "  -L        report one period of capture latency, as a sound card would\n"
    "  -F        freewheel while playing (faster than real time)\n"
    "  -T SECS   give up after so long (default: twice the length, and 10 s)\n";

static void
die(int status, const char *what, const char *which)
{
    fprintf(stderr, "jackfeed: %s%s%s\n", what, which ? ": " : "", which ? which : "");
    if (client)
        jack_client_close(client);
    exit(status);
}

/* A whole argument that is a number within 0..max. */
static double
number(const char *text, double max)
{
    char *end;
    const double x = strtod(text, &end);
    if (end == text || *end || !(x >= 0 && x <= max))
        die(2, "not a number that makes sense here", text);
    return x;
}

/* The options that take a number, and those that take nothing. */
static const struct {
    char letter;
    double *value, max;
} numbers[] = {
    {'w', &wait_s, 1e5},   {'b', &before_s, 1e5},   {'e', &after_s, 1e5},
    {'s', &gap_s, 1e5},    {'g', &gain, 1e6},       {'l', &loops, 1e4},
    {'k', &clicks_s, 1e5}, {'i', &distance_s, 1e5}, {'T', &limit_s, 1e5},
};
static const struct {
    char letter;
    bool *value;
} flags[] = {{'m', &mix}, {'L', &latency}, {'F', &freewheel}};

static bool
set_option(int letter)
{
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (numbers[k].letter == letter)
            return *numbers[k].value = number(optarg, numbers[k].max), true;
    for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
        if (flags[k].letter == letter)
            return *flags[k].value = true;
    if (letter == 'n')
        return client_name = optarg, true;
    if (letter == 'c' && n_targets < MAX_TARGETS)
        return target[n_targets++] = optarg, true;
    return false;
}

static void
read_options(int argc, char **argv)
{
    int o;
    bool ok = true;
    while ((o = getopt(argc, argv, "c:w:n:b:e:s:g:l:k:i:T:mLFh")) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        ok = set_option(o) && ok;
    }
    const bool clicks = clicks_s > 0;
    if (!ok || clicks == (optind < argc) || loops < 1 || distance_s < 1e-4) {
        fputs(usage, stderr);
        exit(2);
    }
}

/* ---- Files ---------------------------------------------------------------------- */

static void
read_file(sound *s, const char *path)
{
    const char *fault = sound_read(s, path, mix);
    if (fault)
        die(1, fault, path);
    if (s->channels > MAX_PORTS)
        die(1, "too many channels", path);
    if (s->channels > n_ports)
        n_ports = s->channels;
}

static void
check_rates(void)
{
    char what[80];
    for (unsigned f = 0; f < n_files; f++) {
        snprintf(what, sizeof what, "at %d Hz, but the server is at %.0f Hz",
                 files[f].rate_hz, rate);
        if (files[f].rate_hz != (int)rate)
            die(1, what, files[f].path);
    }
}

static uint64_t
to_frames(double seconds)
{
    return (uint64_t)llround(seconds * rate);
}

/* Places all playings one after the other. */
static void
lay_out(void)
{
    const unsigned n = n_files ? n_files : (unsigned)ceil(clicks_s / distance_s);
    const uint64_t gap = to_frames(n_files ? gap_s : distance_s) - !n_files;
    n_items = n * (unsigned)loops;
    items = calloc(n_items, sizeof *items);
    if (!items)
        die(1, "out of memory", NULL);
    uint64_t end = to_frames(before_s);
    for (unsigned k = 0; k < n_items; k++) {
        items[k].what = n_files ? &files[k % n] : &click;
        items[k].at = end + (k ? gap : 0);
        end = items[k].at + items[k].what->frames;
    }
    total = end + to_frames(after_s);
}

/* ---- The run -------------------------------------------------------------------- */

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
pause_10_ms(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void
open_client(void)
{
    /* libjack refuses now and then while other clients come and go */
    for (int i = 0; !client && i < 50; i++) {
        client = jack_client_open(client_name, JackNoStartServer, NULL);
        if (!client)
            pause_10_ms();
    }
    if (!client)
        die(1, "no JACK server", NULL);
    rate = jack_get_sample_rate(client);
    check_rates();
    for (unsigned c = 0; c < n_ports; c++) {
        char name[16];
        snprintf(name, sizeof name, "out_%u", c + 1);
        port[c] = jack_port_register(client, name, JACK_DEFAULT_AUDIO_TYPE,
                                     JackPortIsOutput, 0);
        if (!port[c])
            die(1, "cannot register a port", NULL);
    }
    lay_out();
    jack_set_process_callback(client, process, NULL);
    jack_set_xrun_callback(client, on_xrun, NULL);
    jack_set_latency_callback(client, on_latency, NULL);
    jack_set_freewheel_callback(client, on_freewheel, NULL);
    jack_on_shutdown(client, on_shutdown, NULL);
    if (jack_activate(client))
        die(1, "cannot activate", NULL);
}

static void
connect_ports(void)
{
    const double until = seconds() + wait_s;
    for (unsigned t = 0; t < n_targets; t++) {
        jack_port_t *from = port[t % n_ports]; /* connects when its client is active */
        while (!jack_port_connected_to(from, target[t])) {
            if (seconds() > until)
                die(1, "cannot connect to", target[t]);
            if (jack_connect(client, jack_port_name(from), target[t]))
                pause_10_ms();
        }
    }
}

static void
print_event(unsigned e)
{
    const item *it = &items[e / 2];
    printf("{\"event\":\"%s\",\"file\":", e % 2 ? "end" : "start");
    sound_print_path(it->what);
    printf(
        ",\"first_frame\":%u,\"first_usecs\":%llu,\"frames\":%llu,\"elapsed\":%llu}\n",
        it->first_frame, (unsigned long long)it->first_usecs,
        (unsigned long long)it->what->frames, (unsigned long long)it->elapsed);
    fflush(stdout);
}

/* Until all is played, the server is gone or a signal came. */
static void
follow(void)
{
    unsigned shown = 0;
    bool end = false;
    while (!end) {
        while (sem_wait(&wake) && errno == EINTR)
            ;
        end = atomic_load(&done) || atomic_load(&gone) || atomic_load(&stopped);
        for (; n_files && shown < atomic_load(&n_events); shown++)
            print_event(shown);
    }
}

/* A client that closes in freewheel leaves jackd 1.9.21 in it for ever: wait. */
static void
end_freewheel(void)
{
    if (!freewheel || atomic_load(&gone))
        return;
    jack_set_freewheel(client, 0);
    for (int i = 0; i < 200 && atomic_load(&freewheeling); i++)
        pause_10_ms();
}

static bool
print_run(double wall_s, unsigned n_xruns)
{
    const bool ok = atomic_load(&done) && !atomic_load(&gone);
    const bool clean = ok && !atomic_load(&lost_frames);
    const unsigned n_clicks = n_files ? 0 : atomic_load(&n_events) / 2;
    printf("{\"ok\":%s,\"clean\":%s,\"rate\":%.0f,\"period\":%u,\"channels\":%u,"
           "\"first_frame\":%u,\"first_usecs\":%llu,\"lost_frames\":%u,"
           "\"xruns\":%u,\"wall_s\":%.3f",
           ok ? "true" : "false", clean ? "true" : "false", rate,
           ok ? jack_get_buffer_size(client) : 0, n_ports, items[0].first_frame,
           (unsigned long long)items[0].first_usecs, atomic_load(&lost_frames), n_xruns,
           wall_s);
    for (unsigned k = 0; k < n_clicks; k++)
        printf("%s[%u,%llu,%llu]", k ? "," : ",\"clicks\":[", items[k].first_frame,
               (unsigned long long)items[k].cycle_usecs,
               (unsigned long long)items[k].first_usecs);
    puts(n_clicks ? "]}" : "}");
    fflush(stdout);
    return ok;
}

static void
catch_signals(void)
{
    const double length = (double)total / rate;
    const struct sigaction stop = {.sa_handler = on_signal},
                           late = {.sa_handler = on_alarm};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGALRM, &late, NULL);
    alarm((unsigned)ceil(limit_s > 0 ? limit_s : 10 + 2 * length));
}

int
main(int argc, char **argv)
{
    read_options(argc, argv);
    n_files = (unsigned)(argc - optind);
    files = calloc(n_files + 1, sizeof *files); /* + 1: calloc(0) may be NULL */
    if (!files)
        die(1, "out of memory", NULL);
    for (unsigned f = 0; f < n_files; f++)
        read_file(&files[f], argv[optind + (int)f]);
    sem_init(&wake, 0, 0);
    open_client();
    connect_ports();
    catch_signals();
    if (freewheel && jack_set_freewheel(client, 1))
        die(1, "cannot freewheel", NULL);
    const double begun = seconds();
    const unsigned xruns_before = atomic_load(&xruns);
    atomic_store(&armed, true);
    follow();
    const double wall_s = seconds() - begun;
    end_freewheel();
    const bool ok = print_run(wall_s, atomic_load(&xruns) - xruns_before);
    jack_client_close(client);
    for (unsigned f = 0; f < n_files; f++)
        sound_free(&files[f]);
    free(files);
    free(items);
    return ok ? 0 : 1;
}
