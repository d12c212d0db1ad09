/* The thread that calls libjack, and what main has it do. */
#include "supervise.h"

#include "fence.h"
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 700, LINES = 64, STOP_TRIES = 300, STOP_MS = 10 };
static const double settle_s = 0.2; /* between two looks at loose connections */
static const double analysed_s = 2; /* without a hop: the analysis is not alive */
static const double cycled_s = 1;   /* without a cycle: the server does not go on */

typedef enum { IDLE, OPEN, CLOSE, CONNECT, RATE, QUIT } command;

struct rt_supervise {
    rt_supervise_config config;
    rt_jack *jack;
    pthread_t thread;
    bool started;
    sem_t wake;
    rt_ring *lines; /* char[LINE]: what the thread has to say */

    /* main gives a command; the thread does it and takes it away */
    _Atomic int command;
    bool ok, again;
    char why[LINE];

    /* main */
    rt_watch watch;
    command pending;         /* whose end was not seen yet */
    bool open, begun, fresh; /* begun: sound came; fresh: from a new connection */
    double look_at;          /* when to look at connections again; 0: not by itself */
    uint32_t period;
    uint64_t connections;
    char complaint[LINE]; /* said last, about opening */
    uint64_t hops, cycles;
    double hops_at, cycles_at; /* when they last became more */
};

/* ---- The thread ------------------------------------------------------------------ */

static void
push_line(rt_supervise *sv, const char *text)
{
    char line[LINE];
    snprintf(line, sizeof line, "%s", text);
    rt_ring_push(sv->lines, line);
}

static void
say_wire(void *ctx, uint32_t input, const char *text)
{
    rt_supervise *sv = ctx;
    char line[LINE];
    if (sv->config.inputs->n == 1) {
        push_line(sv, text);
        return;
    }
    snprintf(line, sizeof line, "%s: %s", sv->config.inputs->input[input].name, text);
    push_line(sv, line);
}

static void
tell_open(rt_supervise *sv)
{
    const rt_options *o = sv->config.options;
    const rt_inputs *in = sv->config.inputs;
    const rt_jack_news news = rt_jack_look(sv->jack);
    char line[LINE];
    snprintf(line, sizeof line, "%s:%s%s at %u Hz, period %u; answers to %s%s",
             o->jack.client_name, in->input[0].name, in->n > 1 ? " and others" : "",
             news.rate_hz, news.period, o->osc.to.item[0],
             o->osc.to.n > 1 ? " and others" : "");
    push_line(sv, line);
}

/* Has the inputs analysed at a rate, with all that this takes in memory. */
static bool
set_rate(rt_supervise *sv, uint32_t rate_hz)
{
    const bool set =
        rt_swap_set_rate(sv->config.swap, rate_hz, sv->why, sizeof sv->why);
    rt_honest_lock(sv->config.honest);
    return set;
}

static bool
open_jack(rt_supervise *sv)
{
    if (!rt_jack_open(sv->jack, sv->why, sizeof sv->why))
        return false;
    if (!set_rate(sv, rt_jack_look(sv->jack).rate_hz) ||
        !rt_jack_run(sv->jack, sv->why, sizeof sv->why)) {
        rt_jack_close(sv->jack);
        return false;
    }
    tell_open(sv);
    sv->again = rt_jack_connect(sv->jack, say_wire, sv);
    return true;
}

/* The server changed its rate. */
static bool
change_rate(rt_supervise *sv)
{
    const uint32_t rate_hz = rt_jack_look(sv->jack).server_rate_hz;
    snprintf(sv->why, sizeof sv->why, "the JACK server stopped while its rate changed");
    if (rt_jack_pause(sv->jack) && set_rate(sv, rate_hz)) {
        rt_jack_resume(sv->jack, rate_hz);
        return true;
    }
    rt_jack_close(sv->jack);
    return false;
}

static void *
run(void *arg)
{
    rt_supervise *sv = arg;
    dsp_thread_init(); /* it makes analyses */
    rt_thread_name("hearken-jack");
    for (;;) {
        while (sem_wait(&sv->wake)) /* EINTR */
            ;
        const int todo = atomic_load(&sv->command);
        if (todo == OPEN)
            sv->ok = open_jack(sv);
        else if (todo == RATE)
            sv->ok = change_rate(sv);
        else if (todo == CONNECT)
            sv->again = rt_jack_connect(sv->jack, say_wire, sv);
        else
            rt_jack_close(sv->jack);
        atomic_store(&sv->command, IDLE);
        sem_post(sv->config.main_wake);
        if (todo == QUIT)
            return NULL;
    }
}

/* ---- Main ------------------------------------------------------------------------ */

static void
begin(rt_supervise *sv, command todo)
{
    sv->pending = todo;
    atomic_store(&sv->command, todo);
    sem_post(&sv->wake);
}

static bool
is_busy(rt_supervise *sv)
{
    return atomic_load(&sv->command) != IDLE;
}

static void
say_lines(rt_supervise *sv)
{
    char line[LINE];
    while (rt_ring_pop(sv->lines, line))
        rt_say("%s", line);
}

/* The same trouble is said once. */
static void
complain(rt_supervise *sv)
{
    if (!strcmp(sv->why, sv->complaint))
        return;
    memcpy(sv->complaint, sv->why, sizeof sv->complaint);
    rt_say("%s%s", sv->why, sv->config.options->jack.wait ? " (waiting)" : "");
}

/* Takes the result of a command that has ended. */
static void
take_result(rt_supervise *sv, double now)
{
    const command done = sv->pending;
    sv->pending = IDLE;
    if (done == OPEN || done == RATE) {
        sv->open = sv->ok;
        sv->begun = false;
        sv->fresh = done == OPEN || !sv->ok;
        if (!sv->ok)
            complain(sv);
    } else if (done == CLOSE) {
        sv->open = false;
    }
    if (done == OPEN)
        sv->period = rt_jack_look(sv->jack).period;
    if (done == OPEN || done == CONNECT)
        sv->look_at = sv->open && sv->again ? now + settle_s : 0;
}

static void
tell_stream(rt_supervise *sv, const rt_jack_news *news)
{
    sv->begun = true;
    *sv->complaint = 0;
    if (!sv->connections++ && !news->stream_frame) {
        rt_say("the stream begins at JACK frame %u", news->first_frame);
        return;
    }
    rt_count(sv->config.counts, RT_N_reconnects, sv->fresh);
    rt_say("the stream goes on at JACK frame %u, with frame %llu of it",
           news->first_frame, (unsigned long long)news->stream_frame);
}

static void
tell_state(rt_supervise *sv, const rt_watch *before)
{
    const rt_state state = sv->watch.state;
    if (state == RT_STALLED) {
        rt_count(sv->config.counts, RT_N_stalls, 1);
        rt_warn("the JACK server stands still; waiting for it to go on");
    } else if (state == RT_RUNNING && before->state == RT_STALLED) {
        rt_say("the JACK server goes on, after %.1f s", rt_seconds() - before->since);
    }
}

/* Why the connection is given up. */
static void
tell_close(rt_supervise *sv, const rt_jack_news *news)
{
    if (news->gone) {
        snprintf(sv->complaint, sizeof sv->complaint, "%s", RT_JACK_NO_SERVER);
        rt_warn("the JACK server went away%s",
                sv->config.options->jack.wait ? "; waiting for it" : "");
    } else {
        rt_warn("the JACK server still stands still; opening it anew");
    }
}

static void
tell_period(rt_supervise *sv, const rt_jack_news *news)
{
    if (!sv->open || news->period == sv->period)
        return;
    sv->period = news->period;
    rt_say("the JACK server changed its period to %u", news->period);
}

static void
watch_analysis(rt_supervise *sv, double now)
{
    const uint64_t hops = rt_counted(sv->config.counts, RT_N_hops);
    if (hops != sv->hops)
        sv->hops_at = now;
    sv->hops = hops;
    const uint64_t cycles = rt_jack_look(sv->jack).cycles;
    if (cycles != sv->cycles)
        sv->cycles_at = now;
    sv->cycles = cycles;
}

/* Looks at everything, and says what changed; what the thread should do. */
static command
look(rt_supervise *sv, double now)
{
    const rt_jack_news news = rt_jack_look(sv->jack);
    const rt_watch before = sv->watch;
    const rt_seen seen = {.busy = sv->pending != IDLE,
                          .open = sv->open,
                          .gone = news.gone,
                          .freewheel = news.freewheel,
                          .cycles = news.cycles,
                          .period_s =
                              news.rate_hz ? (double)news.period / news.rate_hz : 0};
    const rt_action action = rt_watch_look(&sv->watch, &seen, now);
    if (sv->open && !sv->begun && news.begun)
        tell_stream(sv, &news);
    tell_period(sv, &news);
    if (sv->watch.state != before.state)
        tell_state(sv, &before);
    if (action == RT_DO_CLOSE)
        tell_close(sv, &news);
    if (action != RT_DO_NOTHING)
        return action == RT_DO_OPEN ? OPEN : CLOSE;
    if (seen.busy || !sv->open)
        return IDLE;
    if (news.server_rate_hz != news.rate_hz) {
        rt_say("the JACK server changed its rate to %u Hz", news.server_rate_hz);
        return RATE;
    }
    const bool due = sv->look_at > 0 && now >= sv->look_at;
    return rt_jack_graph_changed(sv->jack) || due ? CONNECT : IDLE;
}

bool
rt_supervise_tick(rt_supervise *sv)
{
    const double now = rt_seconds();
    say_lines(sv);
    if (!is_busy(sv) && sv->pending != IDLE)
        take_result(sv, now);
    watch_analysis(sv, now);
    const command todo = look(sv, now);
    if (*sv->complaint && !sv->config.options->jack.wait)
        return false;
    if (todo != IDLE)
        begin(sv, todo);
    return true;
}

rt_state
rt_supervise_state(const rt_supervise *sv)
{
    return sv->watch.state;
}

double
rt_supervise_state_s(const rt_supervise *sv)
{
    return rt_seconds() - sv->watch.since;
}

uint64_t
rt_supervise_connections(const rt_supervise *sv)
{
    return sv->connections;
}

rt_jack_news
rt_supervise_news(const rt_supervise *sv)
{
    return rt_jack_look(sv->jack);
}

void
rt_supervise_connected(rt_supervise *sv, rt_list *connect)
{
    if (!is_busy(sv)) /* the thread is at rest until main has something to do for it */
        rt_jack_connected(sv->jack, connect);
}

bool
rt_supervise_is_alive(const rt_supervise *sv)
{
    const double now = rt_seconds();
    if (sv->watch.state != RT_RUNNING)
        return !rt_watch_is_stuck(&sv->watch, now);
    const double since = sv->hops_at > sv->watch.since ? sv->hops_at : sv->watch.since;
    return now - since < analysed_s || rt_jack_look(sv->jack).freewheel;
}

bool
rt_supervise_is_lost(const rt_supervise *sv)
{
    const double now = rt_seconds();
    const bool goes_on = now - sv->cycles_at < cycled_s;
    if (rt_fence_is_broken()) /* not more often than once a second */
        return now - sv->watch.busy_since > 1;
    return rt_watch_is_lost(&sv->watch, !rt_jack_look(sv->jack).gone && !goes_on, now);
}

bool
rt_supervise_start(rt_supervise **out, const rt_supervise_config *config, char *why,
                   size_t why_len)
{
    rt_supervise *sv = calloc(1, sizeof *sv);
    *out = sv;
    if (sv) {
        sv->config = *config;
        sv->watch = rt_watch_new(rt_seconds());
        sem_init(&sv->wake, 0, 0);
        sv->lines = rt_ring_new(LINES, LINE);
        sv->jack = rt_jack_new(config->options, config->inputs, config->main_wake);
        sv->started =
            sv->lines && sv->jack && rt_thread_start(&sv->thread, run, sv, 0, NULL);
    }
    if (!sv || !sv->started)
        snprintf(why, why_len, "there is not enough memory for a JACK client");
    return sv && sv->started;
}

/* Waits some seconds for the thread to end its command. */
static bool
wait_idle(rt_supervise *sv)
{
    for (int i = 0; i < STOP_TRIES && is_busy(sv); i++)
        rt_sleep_ms(STOP_MS);
    return !is_busy(sv);
}

bool
rt_supervise_stop(rt_supervise *sv)
{
    if (!sv || !sv->started)
        return true;
    bool idle = wait_idle(sv);
    if (idle) {
        begin(sv, QUIT);
        idle = wait_idle(sv);
    }
    say_lines(sv);
    if (!idle) {
        rt_warn("the JACK server does not answer; ending without it");
        return false;
    }
    pthread_join(sv->thread, NULL);
    sv->started = false;
    return true;
}

void
rt_supervise_free(rt_supervise *sv)
{
    if (!sv)
        return;
    rt_jack_free(sv->jack);
    rt_ring_free(sv->lines);
    sem_destroy(&sv->wake);
    free(sv);
}
