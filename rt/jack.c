#include "jack.h"

#include "rt.h"

#include <jack/jack.h>
#include <jack/thread.h>
#include <stdlib.h>
#include <string.h>

struct rt_jack {
    jack_client_t *client;
    jack_port_t *port;
    rt_capture *capture;
    sem_t *main_wake;
    atomic_bool gone;
    _Atomic uint32_t
        latency_frames; /* what the samples took to get here, as JACK says */

    /* audio thread only */
    bool running;
    uint32_t next_frame;         /* of the server, expected */
    uint64_t n_frames;           /* of the stream */
    _Atomic int64_t first_frame; /* of the server; -1 before the stream began */
};

int64_t
rt_jack_now_us(void)
{
    return (int64_t)jack_get_time();
}

/* Frames of the stream before this cycle. A jump forward means lost samples; the
 * server's counter wraps within 25 hours at 48 kHz, and what is not ahead is not
 * trusted. */
static uint64_t
stream_frame(rt_jack *j, jack_nframes_t now)
{
    if (!j->running) {
        j->running = true;
        atomic_store_explicit(&j->first_frame, now, memory_order_relaxed);
    } else {
        const int32_t jump = (int32_t)(now - j->next_frame);
        j->n_frames += jump > 0 ? (uint32_t)jump : 0;
    }
    return j->n_frames;
}

/* When the first sample of this cycle sounded, from the cycle's own times in signed
 * arithmetic (jack_frames_to_time() is wrong under PipeWire 0.3.65), and clamped,
 * because under xruns the server's clock may be tens of milliseconds off. */
static int64_t
cycle_start_us(rt_jack *j, jack_nframes_t now_frame, uint32_t n, double *us_per_frame)
{
    jack_nframes_t frame;
    jack_time_t current, next;
    float period;
    const int64_t now = rt_jack_now_us();
    if (jack_get_cycle_times(j->client, &frame, &current, &next, &period) ||
        next <= current) {
        *us_per_frame = 0;
        return now;
    }
    const uint32_t latency =
        atomic_load_explicit(&j->latency_frames, memory_order_relaxed);
    *us_per_frame = (double)(next - current) / n;
    const double ahead = (double)(int32_t)(now_frame - frame) - (double)latency;
    const int64_t t = (int64_t)current + (int64_t)(ahead * *us_per_frame);
    const int64_t oldest = now - (int64_t)((latency + 2.0 * n) * *us_per_frame);
    return t < oldest ? oldest : t > now ? now : t;
}

static int
on_process(jack_nframes_t n, void *arg)
{
    rt_jack *j = arg;
    const float *x = jack_port_get_buffer(j->port, n);
    const jack_nframes_t now = jack_last_frame_time(j->client);
    double us_per_frame;
    const int64_t first_us = cycle_start_us(j, now, n, &us_per_frame);
    rt_capture_feed(j->capture, x, n, stream_frame(j, now), first_us, us_per_frame);
    j->n_frames += n;
    j->next_frame = now + n;
    return 0;
}

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
    atomic_store(&j->capture->patient, starting != 0);
}

static void
on_latency(jack_latency_callback_mode_t mode, void *arg)
{
    rt_jack *j = arg;
    jack_latency_range_t range;
    if (mode != JackCaptureLatency)
        return;
    jack_port_get_latency_range(j->port, mode, &range);
    atomic_store_explicit(&j->latency_frames, range.max, memory_order_relaxed);
}

static void
quiet(const char *text)
{
    (void)text; /* libjack's own lines; we say what matters in our words */
}

/* Opens the client under just that name. JackUseExactName would not do: jackd2 then
 * answers a taken name like a missing server. */
static jack_client_t *
open_client(const char *name, char *why, size_t why_len)
{
    jack_status_t status = 0;
    jack_client_t *client = jack_client_open(name, JackNoStartServer, &status);
    if (!client) {
        snprintf(why, why_len,
                 "no JACK server is running; start jackd or PipeWire (then "
                 "pw-jack hearken ...) and try again");
        return NULL;
    }
    if (!(status & JackNameNotUnique) && !strcmp(jack_get_client_name(client), name))
        return client;
    snprintf(why, why_len,
             "a JACK client named %s is there already; choose another name with "
             "--jack-client-name",
             name);
    jack_client_close(client);
    return NULL;
}

bool
rt_jack_open(rt_jack **out, const rt_options *o, sem_t *main_wake, char *why,
             size_t why_len)
{
    *out = NULL;
    jack_set_error_function(quiet);
    jack_set_info_function(quiet);
    rt_jack *j = calloc(1, sizeof *j);
    if (!j) {
        snprintf(why, why_len, "there is not enough memory for a JACK client");
        return false;
    }
    j->main_wake = main_wake;
    atomic_init(&j->first_frame, -1);
    j->client = open_client(o->jack.client_name, why, why_len);
    if (j->client) {
        j->port = jack_port_register(j->client, o->jack.input_name,
                                     JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        if (!j->port)
            snprintf(why, why_len, "JACK refuses an input port named %s",
                     o->jack.input_name);
    }
    if (j->port)
        *out = j;
    else
        rt_jack_close(j);
    return *out;
}

uint32_t
rt_jack_rate(const rt_jack *j)
{
    return jack_get_sample_rate(j->client);
}

uint32_t
rt_jack_period(const rt_jack *j)
{
    return jack_get_buffer_size(j->client);
}

int
rt_jack_priority(const rt_jack *j, int below)
{
    const int priority = jack_client_real_time_priority(j->client);
    return priority > below ? priority - below : 0;
}

static void
connect_port(rt_jack *j, const char *from)
{
    const char *to = jack_port_name(j->port);
    jack_connect(j->client, from, to);
    /* A server without self-connect returns 0 and does nothing: look. */
    if (jack_port_connected_to(j->port, from))
        rt_say("listening to %s", from);
    else
        rt_say("JACK did not connect %s to %s; connect them by hand", from, to);
}

static void
connect_pattern(rt_jack *j, const char *pattern)
{
    const bool automatic = !strcmp(pattern, "auto");
    const unsigned long flags =
        JackPortIsOutput | (automatic ? JackPortIsPhysical : 0U);
    if (!strcmp(pattern, "none"))
        return;
    if (!automatic && jack_port_by_name(j->client, pattern)) {
        connect_port(j, pattern);
        return;
    }
    const char **ports = jack_get_ports(j->client, automatic ? NULL : pattern,
                                        JACK_DEFAULT_AUDIO_TYPE, flags);
    if (!ports)
        rt_say("there is no JACK port to listen to%s%s; connect one to %s",
               automatic ? "" : " that is called like ", automatic ? "" : pattern,
               jack_port_name(j->port));
    for (size_t i = 0; ports && ports[i]; i++) {
        connect_port(j, ports[i]);
        if (automatic)
            break;
    }
    jack_free(ports);
}

bool
rt_jack_run(rt_jack *j, rt_capture *cap, const rt_list *connect, char *why,
            size_t why_len)
{
    j->capture = cap;
    jack_set_process_callback(j->client, on_process, j);
    jack_set_freewheel_callback(j->client, on_freewheel, j);
    jack_set_latency_callback(j->client, on_latency, j);
    jack_on_shutdown(j->client, on_shutdown, j);
    jack_on_info_shutdown(j->client, on_info_shutdown, j);
    if (jack_activate(j->client)) {
        snprintf(why, why_len,
                 "JACK does not start the client; is the server stopping?");
        return false;
    }
    for (uint32_t i = 0; i < connect->n; i++)
        connect_pattern(j, connect->item[i]);
    return true;
}

bool
rt_jack_gone(const rt_jack *j)
{
    return atomic_load(&j->gone);
}

bool
rt_jack_first_frame(const rt_jack *j, uint32_t *frame)
{
    const int64_t first = atomic_load_explicit(&j->first_frame, memory_order_relaxed);
    *frame = (uint32_t)first;
    return first >= 0;
}

void
rt_jack_halt(rt_jack *j)
{
    if (!rt_jack_gone(j))
        jack_deactivate(j->client);
}

void
rt_jack_close(rt_jack *j)
{
    if (!j)
        return;
    if (j->client)
        jack_client_close(j->client);
    free(j);
}
