/* What the main thread does while others listen: supervises, and tells how it goes. */
#include "listen.h"
#include "records.h"
#include "rt.h"

#include <time.h>

/* Each connection may bring other memory, and another priority of the server. */
static void
take_conditions(rt_listener *l)
{
    const int priority = rt_supervise_news(l->supervise).priority;
    rt_thread_fifo(l->thread, priority - 5);
    rt_publish_fifo(l->publish, priority - 10);
    rt_honest_lock(&l->honest);
    if (!rt_shelf_is_idle(l->shelf) && !l->said_busy) {
        l->said_busy = true;
        rt_warn(
            "answers are checked at ordinary priority, which the system does not let "
            "go: use --listen-truth no where time is short");
    }
}

/* Says once of each scale when an index finds less at it than it promised. */
static void
watch_truth(rt_listener *l, uint32_t index)
{
    char text[120];
    rt_tally tally;
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        if (l->said_low[index][s] || !rt_shelf_tally(l->shelf, index, s, &tally) ||
            !rt_truth_is_low(&tally))
            continue;
        l->said_low[index][s] = true;
        rt_truth_text(&tally, s, text, sizeof text);
        rt_warn(
            "%s%s%s, but the index promised %.3f; what is heard is harder to find than "
            "what it was tuned with: build it with a higher --index-recall",
            index ? l->shelf->name[index] : "", index ? ": " : "", text,
            (double)tally.promised);
    }
}

static void
tick_live(rt_listener *l)
{
    const rt_jack_news news = rt_supervise_news(l->supervise);
    rt_options o = l->options;
    rt_control_now(l->control, &o);
    const uint32_t book = rt_shelf_take(l->shelf, 0);
    const rt_live_now now = {.state = rt_state_name(rt_supervise_state(l->supervise)),
                             .since_s =
                                 rt_seconds() - rt_supervise_state_s(l->supervise),
                             .rate_hz = news.rate_hz,
                             .period = news.period,
                             .scales = o.match.scales,
                             .k = o.match.k,
                             .truth = l->shelf->book[book].truth};
    rt_live_tick(l->live, &now);
    rt_shelf_release(l->shelf, book);
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

/* As it stands: what is connected, too. */
static void
keep_session(const rt_listener *l)
{
    rt_options now = l->options;
    rt_control_now(l->control, &now);
    rt_supervise_connected(l->supervise, &now.jack.connect);
    rt_session_keep(l->session, &now);
}

/* What main does each time round. False when it is to end. */
static bool
tick(rt_listener *l)
{
    const bool going = rt_supervise_tick(l->supervise);
    const rt_state state = rt_supervise_state(l->supervise);
    const uint64_t connections = rt_supervise_connections(l->supervise);
    const double now = rt_seconds();
    char status[RT_NOTIFY_TEXT];
    rt_swap_tick(l->swap);
    if (connections != l->connections)
        take_conditions(l);
    rt_notify_status(status, sizeof status, rt_state_name(state), &l->counts);
    rt_notify_tick(&l->notify, now, rt_supervise_is_alive(l->supervise), status);
    rt_records_tick(&l->inputs);
    if (state != l->state || now >= l->next_status) {
        rt_publish_status(l->publish, rt_state_name(state));
        for (uint32_t i = 0; i < l->shelf->n; i++)
            watch_truth(l, i);
        rt_supervise_connected(l->supervise, &l->left.connect);
        if (connections) { /* before the first, none asks for real-time scheduling */
            const rt_jack_news news = rt_supervise_news(l->supervise);
            rt_honest_tick(&l->honest, news.tid, news.freewheel);
        }
        l->next_status = now + 1;
    }
    if (rt_session_tick(l->session, rt_state_name(state)))
        keep_session(l);
    tick_live(l);
    l->connections = connections;
    l->state = state;
    return going;
}

int
rt_listen_run(rt_listener *l)
{
    const double began = rt_seconds();
    l->next_status = began + 1;
    while (!atomic_load(&rt_stop)) {
        wait_until(&l->main_wake, 0.1);
        rt_print_tick(l->print);
        if (!tick(l))
            return RT_UNAVAILABLE;
        if (rt_supervise_is_lost(l->supervise))
            return RT_ANEW;
        if (l->options.listen.seconds &&
            rt_seconds() - began >= l->options.listen.seconds)
            break;
    }
    return RT_OK;
}
