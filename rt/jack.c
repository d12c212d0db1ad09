/* The audio callback, and the other callbacks; opening and closing. */
#include "jack_private.h"

#include "fence.h"
#include "honest.h"
#include "rt.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t
rt_jack_now_us(void)
{
    return (int64_t)jack_get_time();
}

/* ---- Audio thread ---------------------------------------------------------------- */

/* *us_per_frame: by the server's clock, as it runs now. */
static rt_cycle
this_cycle(rt_jack *j, jack_nframes_t n, double *us_per_frame)
{
    jack_nframes_t frame;
    jack_time_t begin, end;
    float period;
    rt_cycle c = {.frame = jack_last_frame_time(j->client),
                  .n = n,
                  .now_us = rt_jack_now_us(),
                  .us_per_frame = 1e6 / atomic_load(&j->rate_hz),
                  .freewheel = atomic_load(&j->freewheel)};
    *us_per_frame = c.us_per_frame;
    if (jack_get_cycle_times(j->client, &frame, &begin, &end, &period) || end <= begin)
        return c;
    *us_per_frame = (double)(end - begin) / n;
    const int64_t ahead = (int32_t)(c.frame - frame);
    c.begin_us = (int64_t)begin + (int64_t)((double)ahead * *us_per_frame);
    c.end_us = c.begin_us + (int64_t)(end - begin);
    c.timed = true;
    return c;
}

/* Tells main where the stream begins or goes on. */
static void
tell_first(rt_jack *j, const rt_cycle *c, uint64_t frame)
{
    j->fresh = false;
    atomic_store_explicit(&j->tid, rt_thread_id(), memory_order_relaxed);
    atomic_store_explicit(&j->stream_frame, frame, memory_order_relaxed);
    /* release: who sees it sees the line above */
    atomic_store_explicit(&j->first_frame, c->frame, memory_order_release);
    sem_post(j->main_wake);
}

/* When the first sample of this cycle sounded, from the cycle's own times in signed
 * arithmetic (jack_frames_to_time() is wrong under PipeWire 0.3.65), and clamped,
 * because under xruns the server's clock may be tens of milliseconds off. */
static int64_t
sounded_us(const rt_jack *j, const rt_cycle *c, uint32_t input)
{
    if (!c->timed)
        return c->now_us;
    const double latency =
        atomic_load_explicit(&j->latency_frames[input], memory_order_relaxed);
    const int64_t t = c->begin_us - (int64_t)(latency * c->us_per_frame);
    const int64_t oldest =
        c->now_us - (int64_t)((latency + 2.0 * c->n) * c->us_per_frame);
    return t < oldest ? oldest : t > c->now_us ? c->now_us : t;
}

static void
feed(rt_jack *j, jack_nframes_t n)
{
    double us_per_frame;
    const rt_cycle c = this_cycle(j, n, &us_per_frame);
    const uint64_t frame = rt_follow_cycle(&j->follow, &c, j->fresh);
    if (j->fresh)
        tell_first(j, &c, frame);
    for (uint32_t i = 0; i < j->inputs->n; i++)
        rt_capture_feed(&j->inputs->input[i].capture,
                        jack_port_get_buffer(j->port[i], n), n, frame,
                        sounded_us(j, &c, i), us_per_frame);
}

/* What on_process() returns, jackd takes for a wish to leave unless it is 0. */
static int
on_process(jack_nframes_t n, void *arg)
{
    rt_jack *j = arg;
    if (atomic_load(&j->server_rate_hz) == atomic_load(&j->rate_hz))
        feed(j, n);
    else
        atomic_store(&j->paused, true);
    const uint64_t cycles = atomic_load_explicit(&j->cycles, memory_order_relaxed);
    atomic_store_explicit(&j->cycles, cycles + 1, memory_order_relaxed);
    return 0;
}

/* ---- Notification thread --------------------------------------------------------- */

static void
on_shutdown(void *arg)
{
    rt_jack *j = arg;
    atomic_store(&j->gone, true);
    sem_post(j->main_wake);
}

/* jackd2 calls only this one when both are registered, PipeWire only the other. */
static void
on_info_shutdown(jack_status_t code, const char *reason, void *arg)
{
    (void)code;
    (void)reason;
    on_shutdown(arg);
}

static void
on_freewheel(int starting, void *arg)
{
    rt_jack *j = arg;
    rt_inputs_patient(j->inputs, starting != 0);
    atomic_store(&j->freewheel, starting != 0);
    sem_post(j->main_wake);
}

static void
on_latency(jack_latency_callback_mode_t mode, void *arg)
{
    rt_jack *j = arg;
    jack_latency_range_t range;
    if (mode != JackCaptureLatency)
        return;
    for (uint32_t i = 0; i < j->inputs->n; i++) {
        jack_port_get_latency_range(j->port[i], mode, &range);
        atomic_store_explicit(&j->latency_frames[i], range.max, memory_order_relaxed);
    }
}

static int
on_period(jack_nframes_t n, void *arg)
{
    rt_jack *j = arg;
    atomic_store(&j->period, n);
    sem_post(j->main_wake);
    return 0;
}

/* While a server runs only PipeWire changes its rate, or tells of it only then. */
static int
on_rate(jack_nframes_t rate_hz, void *arg)
{
    rt_jack *j = arg;
    atomic_store(&j->server_rate_hz, rate_hz);
    sem_post(j->main_wake);
    return 0;
}

static int
on_xrun(void *arg)
{
    rt_jack *j = arg;
    rt_count(j->inputs->counts, RT_N_xruns, 1);
    return 0;
}

static void
graph_changed(rt_jack *j)
{
    atomic_store(&j->graph, true);
    sem_post(j->main_wake);
}

static void
on_port(jack_port_id_t port, int registered, void *arg)
{
    rt_jack *j = arg;
    (void)port;
    if (!registered)
        atomic_fetch_add(&j->ports_gone, 1);
    graph_changed(j);
}

static void
on_connect(jack_port_id_t a, jack_port_id_t b, int connected, void *arg)
{
    (void)a;
    (void)b;
    (void)connected;
    graph_changed(arg);
}

/* ---- Any thread ------------------------------------------------------------------ */

rt_jack_news
rt_jack_look(const rt_jack *j)
{
    const int64_t first = atomic_load_explicit(&j->first_frame, memory_order_acquire);
    return (rt_jack_news){
        .gone = atomic_load(&j->gone),
        .freewheel = atomic_load(&j->freewheel),
        .cycles = atomic_load_explicit(&j->cycles, memory_order_relaxed),
        .rate_hz = atomic_load(&j->rate_hz),
        .server_rate_hz = atomic_load(&j->server_rate_hz),
        .period = atomic_load(&j->period),
        .priority = atomic_load(&j->priority),
        .tid = atomic_load_explicit(&j->tid, memory_order_relaxed),
        .begun = first >= 0,
        .first_frame = (uint32_t)first,
        .stream_frame = atomic_load_explicit(&j->stream_frame, memory_order_relaxed)};
}

bool
rt_jack_graph_changed(rt_jack *j)
{
    return atomic_exchange(&j->graph, false);
}

/* ---- The one thread that calls libjack ------------------------------------------- */

static void
quiet(const char *text)
{
    (void)text; /* libjack's own lines; we say what matters in our words */
}

rt_jack *
rt_jack_new(const rt_options *o, rt_inputs *inputs, sem_t *main_wake)
{
    rt_jack *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->options = o;
    j->inputs = inputs;
    j->main_wake = main_wake;
    const rt_stream before = rt_inputs_stream(inputs);
    if (before.frame) /* of the process that this one was */
        j->follow =
            (rt_follow){.begun = true, .next = before.frame, .last_us = before.us};
    atomic_init(&j->first_frame, -1);
    jack_set_error_function(quiet);
    jack_set_info_function(quiet);
    return j;
}

void
rt_jack_free(rt_jack *j)
{
    free(j);
}

/* Now and then without looking: a server may be in another name space of the network,
 * where its socket is not seen. */
static bool
is_worth_opening(rt_jack *j)
{
    enum { BLINDLY = 10 };
    return !j->options->jack.wait || rt_server_may_be_there() ||
           ++j->unseen % BLINDLY == 0;
}

static void
close_client(jack_client_t *client)
{
    rt_fence_enter();
    jack_client_close(client);
    rt_fence_leave();
}

/* Opens the client under just that name. JackUseExactName would not do: jackd2 then
 * answers a taken name like a missing server. */
static jack_client_t *
open_client(const char *name, char *why, size_t why_len)
{
    jack_status_t status = 0;
    rt_fence_enter();
    jack_client_t *client = jack_client_open(name, JackNoStartServer, &status);
    rt_fence_leave();
    if (!client) {
        snprintf(why, why_len, "%s", RT_JACK_NO_SERVER);
        return NULL;
    }
    if (!(status & JackNameNotUnique) && !strcmp(jack_get_client_name(client), name))
        return client;
    snprintf(why, why_len,
             "a JACK client named %s is there already; choose another name with "
             "--jack-client-name",
             name);
    close_client(client);
    return NULL;
}

static bool
register_ports(rt_jack *j, char *why, size_t why_len)
{
    for (uint32_t i = 0; i < j->inputs->n; i++) {
        const char *name = j->inputs->input[i].name;
        j->port[i] = jack_port_register(j->client, name, JACK_DEFAULT_AUDIO_TYPE,
                                        JackPortIsInput, 0);
        if (!j->port[i]) {
            snprintf(why, why_len, "JACK refuses an input port named %s", name);
            return false;
        }
    }
    return true;
}

bool
rt_jack_open(rt_jack *j, char *why, size_t why_len)
{
    atomic_store(&j->gone, false);
    atomic_store(&j->freewheel, false);
    atomic_store(&j->cycles, 0);
    rt_inputs_patient(j->inputs, false);
    if (!is_worth_opening(j)) {
        snprintf(why, why_len, "%s", RT_JACK_NO_SERVER);
        return false;
    }
    j->client = open_client(j->options->jack.client_name, why, why_len);
    if (!j->client)
        return false;
    if (!register_ports(j, why, why_len)) {
        rt_jack_close(j);
        return false;
    }
    const int priority = jack_client_real_time_priority(j->client);
    atomic_store(&j->rate_hz, jack_get_sample_rate(j->client));
    atomic_store(&j->server_rate_hz, atomic_load(&j->rate_hz));
    atomic_store(&j->period, jack_get_buffer_size(j->client));
    atomic_store(&j->priority, priority > 0 ? priority : 0);
    return true;
}

/* While no samples are fed: those to come are a new beginning. */
static void
begin_anew(rt_jack *j)
{
    j->fresh = true;
    j->follow.end_us = 0;
    atomic_store(&j->first_frame, -1);
    atomic_store(&j->paused, false);
}

bool
rt_jack_run(rt_jack *j, char *why, size_t why_len)
{
    begin_anew(j);
    jack_set_process_callback(j->client, on_process, j);
    jack_set_freewheel_callback(j->client, on_freewheel, j);
    jack_set_latency_callback(j->client, on_latency, j);
    jack_set_buffer_size_callback(j->client, on_period, j);
    jack_set_sample_rate_callback(j->client, on_rate, j);
    jack_set_xrun_callback(j->client, on_xrun, j);
    jack_set_port_registration_callback(j->client, on_port, j);
    jack_set_port_connect_callback(j->client, on_connect, j);
    jack_on_shutdown(j->client, on_shutdown, j);
    jack_on_info_shutdown(j->client, on_info_shutdown, j);
    if (!jack_activate(j->client))
        return true;
    snprintf(why, why_len, "JACK does not start the client");
    return false;
}

bool
rt_jack_pause(rt_jack *j)
{
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES && !atomic_load(&j->paused); i++)
        rt_sleep_ms(10);
    return atomic_load(&j->paused);
}

void
rt_jack_resume(rt_jack *j, uint32_t rate_hz)
{
    begin_anew(j);
    atomic_store(&j->rate_hz, rate_hz);
}

static void
leave_freewheel(rt_jack *j)
{
    enum { TRIES = 200 };
    if (!atomic_load(&j->freewheel) || atomic_load(&j->gone))
        return;
    jack_set_freewheel(j->client, 0);
    for (int i = 0; i < TRIES && atomic_load(&j->freewheel); i++)
        rt_sleep_ms(10);
}

void
rt_jack_close(rt_jack *j)
{
    if (!j->client)
        return;
    leave_freewheel(j);
    close_client(j->client);
    j->client = NULL;
    rt_wires_lost(&j->wires);
}
