/*
 * cycletap: what a JACK server really gave to a client, whatever the client makes of
 * it.
 *
 *   CYCLETAP=FILE LD_PRELOAD=cycletap.so client...
 *
 * Stands between libjack and the process callback, and keeps these numbers in FILE, a
 * shared mapping that may be read at any time: 8 bytes each, in the machine's order.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <jack/jack.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STOP_US = 500000 }; /* a longer time without a cycle is no lateness */

static struct tap {
    uint64_t connections; /* process callbacks that were set */
    uint64_t cycles, frames;
    int64_t skipped; /* frames that the server numbered and did not deliver, net */
    int64_t stopped; /* frames of time in which a server that was there stood still */
    int64_t away;    /* and between two connections */
} private_tap, *tap = &private_tap;

static jack_client_t *client;
static JackProcessCallback callback;
static void *callback_arg;
static bool begun, fresh;
static jack_nframes_t expected, last_n;
static jack_time_t last_us;

/* jackd2 begins a new period as if the last one had had that length; a cycle that is
 * late has the number of the next, which comes too: a jump back. */
static void
count(jack_nframes_t n, jack_nframes_t now, jack_time_t us)
{
    const int32_t jump = (int32_t)(now - expected);
    const int64_t passed =
        (int64_t)((double)(us - last_us) * jack_get_sample_rate(client) / 1e6);
    if (fresh)
        tap->away += passed - n;
    else if (us - last_us > STOP_US)
        tap->stopped += passed - n;
    else if (n == last_n || jump != (int32_t)(n - last_n))
        tap->skipped += jump;
}

static int
on_process(jack_nframes_t n, void *arg)
{
    const jack_nframes_t now = jack_last_frame_time(client);
    const jack_time_t us = jack_get_time();
    (void)arg;
    if (begun)
        count(n, now, us);
    begun = true;
    tap->cycles++;
    tap->frames += n;
    fresh = false;
    expected = now + n;
    last_n = n;
    last_us = us;
    return callback(n, callback_arg);
}

static void
map_tap(void)
{
    const char *path = getenv("CYCLETAP");
    const int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (fd >= 0 && !ftruncate(fd, sizeof *tap)) {
        void *at = mmap(NULL, sizeof *tap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        tap = at == MAP_FAILED ? tap : at;
    }
    if (fd >= 0)
        close(fd);
}

int
jack_set_process_callback(jack_client_t *c, JackProcessCallback cb, void *arg)
{
    int (*next)(jack_client_t *, JackProcessCallback, void *);
    *(void **)&next = dlsym(RTLD_NEXT, "jack_set_process_callback");
    if (tap == &private_tap)
        map_tap();
    client = c;
    callback = cb;
    callback_arg = arg;
    fresh = true;
    tap->connections++;
    return next(c, on_process, NULL);
}
