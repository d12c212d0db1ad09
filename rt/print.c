#include "print.h"

#include "ring.h"
#include "rt.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A pipe takes so much whole or not at all: no line is ever torn. */
enum { BATCH = PIPE_BUF, LAST_WORDS_S = 1 };

struct rt_print {
    rt_print_config config;
    rt_ring *ring; /* of rt_match */
    sem_t wake, over;
    pthread_t thread;
    bool started, told;
    atomic_bool stop;
    atomic_int error;           /* errno of the write that failed; 0: none did */
    _Atomic uint64_t unwritten; /* lines taken from the ring, and not written yet */

    /* the thread */
    rt_out out; /* into text */
    char *text; /* the newest line */
    size_t n_text;
    char batch[BATCH];
    size_t n_batch;
    uint32_t n_lines; /* in it */
};

/* ---- The thread ------------------------------------------------------------------ */

/* The only place where it may be ended from outside. */
static void
write_all(rt_print *p, const char *bytes, size_t n)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    while (n > 0 && !atomic_load(&p->error)) {
        const ssize_t done = write(p->config.fd, bytes, n);
        if (done >= 0) {
            bytes += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN) { /* somebody made it so: wait here instead */
            struct pollfd ready = {.fd = p->config.fd, .events = POLLOUT};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            atomic_store(&p->error, errno);
        }
    }
    pthread_setcancelstate(before, NULL);
}

static void
flush(rt_print *p)
{
    write_all(p, p->batch, p->n_batch);
    if (!atomic_load(&p->error))
        atomic_fetch_sub(&p->unwritten, p->n_lines);
    p->n_batch = p->n_lines = 0;
}

static void
add_line(rt_print *p, const rt_match *m)
{
    atomic_fetch_add(&p->unwritten, 1);
    rewind(p->out.to);
    p->out.input = p->config.inputs->input[m->input].name;
    if (p->config.shelf) {
        const rt_shelf *s = p->config.shelf;
        p->out.index = s->book[m->book].index;
        p->out.layer = s->book[m->book].layer;
        p->out.name = s->n > 1 ? s->name[rt_index_of(m->book)] : NULL;
    }
    rt_out_write(&p->out, m);
    if (p->config.shelf)
        rt_shelf_release(p->config.shelf, m->book);
    fflush(p->out.to);
    if (p->n_batch + p->n_text > BATCH)
        flush(p);
    p->n_lines++;
    if (p->n_text > BATCH) {
        write_all(p, p->text, p->n_text);
        flush(p);
    } else {
        memcpy(p->batch + p->n_batch, p->text, p->n_text);
        p->n_batch += p->n_text;
    }
}

static void *
run(void *arg)
{
    rt_print *p = arg;
    rt_match m;
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    rt_thread_name("hearken-print");
    for (bool more = true; more;) {
        while (sem_wait(&p->wake)) /* EINTR */
            ;
        more = !atomic_load(&p->stop); /* before the last look into the ring */
        while (rt_ring_pop(p->ring, &m))
            add_line(p, &m);
        flush(p);
    }
    sem_post(&p->over);
    return NULL;
}

/* ---- From and to the others ------------------------------------------------------ */

bool
rt_print_new(rt_print **out, const rt_print_config *config, char *why, size_t why_len)
{
    *out = NULL;
    rt_print *p = calloc(1, sizeof *p);
    if (p) {
        p->config = *config;
        p->out = config->how;
        p->out.to = open_memstream(&p->text, &p->n_text);
        sem_init(&p->wake, 0, 0);
        sem_init(&p->over, 0, 0);
        p->ring = rt_ring_new(RT_LINES, sizeof(rt_match));
        if (p->out.to && p->ring)
            *out = p;
        else
            rt_print_close(p);
    }
    if (!*out)
        snprintf(why, why_len, "there is not enough memory to print");
    return *out;
}

bool
rt_print_start(rt_print *p, char *why, size_t why_len)
{
    p->started = rt_thread_start(&p->thread, run, p, 0, NULL);
    if (!p->started)
        snprintf(why, why_len, "the system gives no thread to print with");
    return p->started;
}

void
rt_print_push(rt_print *p, const rt_match *m)
{
    if (!p)
        return;
    rt_shelf *shelf = p->config.shelf;
    if (shelf)
        rt_shelf_hold(shelf, m->book);
    const bool lost =
        atomic_load(&p->error) ||
        !rt_ring_push_patiently(p->ring, m, &p->config.inputs->input[0].capture.patient,
                                &p->wake);
    if (shelf && lost)
        rt_shelf_release(shelf, m->book);
    rt_count(p->config.counts, RT_N_unprinted, lost);
    sem_post(&p->wake);
}

void
rt_print_tick(rt_print *p)
{
    const int error = p ? atomic_load(&p->error) : 0;
    if (!error || p->told)
        return;
    p->told = true;
    rt_warn("stdout cannot be written any more (%s); going on without",
            strerror(error));
}

/* Lines that were handed over, and are not written. */
static uint64_t
left(const rt_print *p)
{
    return rt_ring_count(p->ring) + atomic_load(&p->unwritten);
}

/* Whether the thread ends by itself; it is waited for as long as it gets on. */
static bool
ends(rt_print *p)
{
    uint64_t before;
    int failed;
    do {
        struct timespec t;
        before = left(p);
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_sec += LAST_WORDS_S;
        while ((failed = sem_timedwait(&p->over, &t)) && errno == EINTR)
            ;
    } while (failed && left(p) < before);
    return !failed;
}

void
rt_print_close(rt_print *p)
{
    if (!p)
        return;
    if (p->started) {
        atomic_store(&p->stop, true);
        sem_post(&p->wake);
        if (!ends(p))
            pthread_cancel(p->thread);
        pthread_join(p->thread, NULL);
        rt_count(p->config.counts, RT_N_unprinted, left(p));
        rt_print_tick(p);
    }
    if (p->out.to)
        fclose(p->out.to);
    free(p->text);
    rt_ring_free(p->ring);
    sem_destroy(&p->wake);
    sem_destroy(&p->over);
    free(p);
}
