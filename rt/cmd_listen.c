/* hearken listen x.hkn: JACK in, OSC out. */
#include "capture.h"
#include "jack.h"
#include "load.h"
#include "out.h"
#include "publish.h"
#include "rt.h"
#include "truth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef struct {
    rt_options options;
    idx_index *index;
    rt_counts counts;
    rt_jack *jack;
    rt_analyse *analyse;
    rt_publish *publish;
    rt_truth *truth;           /* NULL: nothing to check */
    bool said_low[DSP_SCALES]; /* that it finds too little */
    rt_capture capture;
    rt_ring *lines;
    sem_t blocks_wake, main_wake;
    pthread_t thread; /* analysis */
    bool started, fifo;
    atomic_bool stop;
    rt_out out;
} listener;

static void
push_match(void *ctx, const rt_match *m)
{
    listener *l = ctx;
    rt_publish_push(l->publish, m);
}

static void
push_asked(void *ctx, const rt_asked *q)
{
    listener *l = ctx;
    rt_truth_offer(l->truth, q);
}

/* Analysis thread: blocks out of the ring, in place. */
static void
analyse_blocks(listener *l, uint64_t *expected)
{
    const rt_block *b;
    while ((b = rt_ring_front(l->capture.ring)) != NULL) {
        if (b->first_frame != *expected)
            rt_analyse_gap(l->analyse, b->first_frame - *expected);
        rt_analyse_block(l->analyse, b->x, b->n_frames, b->first_us);
        *expected = b->first_frame + b->n_frames;
        rt_ring_release(l->capture.ring);
    }
}

static void *
run_analysis(void *arg)
{
    listener *l = arg;
    uint64_t expected = 0;
    dsp_thread_init();
    while (!atomic_load(&l->stop)) {
        while (sem_wait(&l->blocks_wake)) /* EINTR */
            ;
        analyse_blocks(l, &expected);
    }
    analyse_blocks(l, &expected); /* what came between the last look and the end */
    return NULL;
}

static bool
open_publish(listener *l, char *why, size_t why_len)
{
    const rt_publish_config publish = {.options = &l->options,
                                       .index = l->index,
                                       .counts = &l->counts,
                                       .lines = l->lines,
                                       .lines_wake = &l->main_wake,
                                       .now_us = rt_jack_now_us,
                                       .patient = &l->capture.patient};
    return rt_publish_open(&l->publish, &publish, why, why_len);
}

static bool
start_truth(listener *l, char *why, size_t why_len)
{
    if (!l->options.listen.truth)
        return true;
    return rt_truth_new(&l->truth, l->index, &l->options, &l->counts, why, why_len) &&
           (!l->truth || rt_truth_start(l->truth, why, why_len));
}

static bool
start_threads(listener *l, char *why, size_t why_len)
{
    const rt_sink sink = {.ctx = l, .match = push_match, .asked = push_asked};
    if (!start_truth(l, why, why_len) ||
        !rt_analyse_new(&l->analyse, rt_jack_rate(l->jack), &l->options, l->index,
                        &l->counts, &sink, why, why_len) ||
        !rt_publish_start(l->publish, rt_jack_priority(l->jack, 10), why, why_len))
        return false;
    l->started = rt_thread_start(&l->thread, run_analysis, l,
                                 rt_jack_priority(l->jack, 5), &l->fifo);
    if (!l->started)
        snprintf(why, why_len, "the system gives no thread to analyse with");
    return l->started;
}

static void
tell_conditions(listener *l)
{
    if (mlockall(MCL_CURRENT))
        rt_say(
            "memory cannot be locked (%s): an answer may be late when memory is short; "
            "see `ulimit -l`",
            strerror(errno));
    if (!l->fifo || !rt_publish_is_fifo(l->publish))
        rt_say("no real-time scheduling: answers may be late under load; see "
               "/etc/security/limits.d/audio.conf");
    if (l->truth && !rt_truth_is_idle(l->truth))
        rt_say(
            "answers are checked at ordinary priority, which the system does not let "
            "go: use --listen-truth no where time is short");
    rt_say("%s:%s at %u Hz, period %u; answers to %s%s", l->options.jack.client_name,
           l->options.jack.input_name, rt_jack_rate(l->jack), rt_jack_period(l->jack),
           l->options.osc.to.item[0], l->options.osc.to.n > 1 ? " and others" : "");
}

static void
print_lines(listener *l)
{
    rt_match m;
    while (rt_ring_pop(l->lines, &m))
        if (!ferror(stdout))
            rt_out_write(&l->out, &m);
    if (!ferror(stdout) && fflush(stdout))
        rt_say("stdout cannot be written any more (%s); going on without",
               strerror(errno));
}

/* Says once of each scale when it finds less than the index promised. */
static void
watch_truth(listener *l)
{
    char text[120];
    rt_tally tally;
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        if (l->said_low[s] || !rt_truth_tally(l->truth, s, &tally) ||
            !rt_truth_is_low(&tally))
            continue;
        l->said_low[s] = true;
        rt_truth_text(&tally, s, text, sizeof text);
        rt_say("%s, but the index promised %.3f; what is heard is harder to find than "
               "what it was tuned with: build it with a higher --index-recall",
               text, (double)tally.promised);
    }
}

static void
wait_until(sem_t *sem, double seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    const long ns = t.tv_nsec + (long)(seconds * 1e9);
    t.tv_sec += ns / 1000000000L;
    t.tv_nsec = ns % 1000000000L;
    sem_timedwait(sem, &t);
}

/* Main thread: prints, has the status sent once a second, waits for an end. */
static void
run(listener *l)
{
    const double began = rt_seconds();
    double next_status = began + 1;
    bool told = false;
    uint32_t frame;
    while (!atomic_load(&rt_stop) && !rt_jack_gone(l->jack)) {
        wait_until(&l->main_wake, 0.25);
        print_lines(l);
        if (!told && (told = rt_jack_first_frame(l->jack, &frame)))
            rt_say("the stream begins at JACK frame %u", frame);
        const double now = rt_seconds();
        if (now >= next_status) {
            next_status = now + 1;
            rt_publish_status(l->publish);
            watch_truth(l);
        }
        if (l->options.listen.seconds && now - began >= l->options.listen.seconds)
            break;
    }
}

static void
summary(const listener *l)
{
    const rt_counts *c = &l->counts;
    char text[120];
    rt_tally tally;
    fputs("hearken: in all:", stderr);
    for (int i = 0; i < RT_COUNTS; i++)
        if (rt_counted(c, i))
            fprintf(stderr, " %s %llu", rt_count_name[i],
                    (unsigned long long)rt_counted(c, i));
    fputc('\n', stderr);
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        if (!rt_truth_tally(l->truth, s, &tally))
            continue;
        rt_truth_text(&tally, s, text, sizeof text);
        rt_say("%s", text);
    }
}

static int
listen_live(listener *l)
{
    char why[500];
    if (!open_publish(l, why, sizeof why)) { /* what can be mended without a server */
        rt_say("%s", why);
        return RT_CONFIG;
    }
    if (!rt_jack_open(&l->jack, &l->options, &l->main_wake, why, sizeof why)) {
        rt_say("%s", why);
        return RT_UNAVAILABLE;
    }
    if (!start_threads(l, why, sizeof why)) {
        rt_say("%s", why);
        return RT_CONFIG;
    }
    l->out.rate_hz = rt_jack_rate(l->jack);
    tell_conditions(l);
    if (!rt_jack_run(l->jack, &l->capture, &l->options.jack.connect, why, sizeof why)) {
        rt_say("%s", why);
        return RT_UNAVAILABLE;
    }
    run(l);
    if (!rt_jack_gone(l->jack))
        return RT_OK;
    rt_say("the JACK server went away");
    return RT_UNAVAILABLE;
}

/* In the order of the data: no more samples, then the rings, then the rest. */
static void
finish(listener *l)
{
    if (l->jack)
        rt_jack_halt(l->jack);
    atomic_store(&l->stop, true);
    sem_post(&l->blocks_wake);
    if (l->started)
        pthread_join(l->thread, NULL);
    rt_truth_stop(l->truth);
    rt_publish_close(l->publish);
    if (l->lines)
        print_lines(l);
    if (l->started)
        summary(l);
    rt_truth_free(l->truth);
    rt_analyse_free(l->analyse);
    rt_jack_close(l->jack);
    rt_ring_free(l->lines);
    rt_ring_free(l->capture.ring);
    idx_close(l->index);
}

static int
listen_to(listener *l, const char *path)
{
    int status = rt_load(&l->index, path, &l->options, true);
    if (status)
        return status;
    l->out = (rt_out){.to = stdout,
                      .format = rt_out_format(l->options.out.format, stdout),
                      .index = l->index,
                      .input = l->options.jack.input_name};
    sem_init(&l->blocks_wake, 0, 0);
    sem_init(&l->main_wake, 0, 0);
    l->lines = rt_ring_new(RT_LINES, sizeof(rt_match));
    l->capture.ring = rt_ring_new(RT_BLOCKS, sizeof(rt_block));
    l->capture.wake = &l->blocks_wake;
    l->capture.counts = &l->counts;
    rt_catch_stop();
    if (l->lines && l->capture.ring)
        status = listen_live(l);
    else
        status = RT_SOFTWARE;
    finish(l);
    return status;
}

int
rt_cmd_listen(int argc, char **argv)
{
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    listener *l = calloc(1, sizeof *l);
    if (!rest || !l) {
        free(rest);
        free(l);
        return RT_SOFTWARE;
    }
    const int n = rt_options_parse(&l->options, RT_LISTEN, argc, argv, rest, &status);
    if (n == 1) {
        status = listen_to(l, rest[0]);
    } else if (n >= 0) {
        rt_say("name one index; see hearken listen --help");
        status = RT_USAGE;
    }
    free(l);
    free(rest);
    return status;
}
