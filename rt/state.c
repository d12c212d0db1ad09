/* When to open, when to close, and what to call it meanwhile. */
#include "supervise.h"

static const double first_retry_s = 0.25, last_retry_s = 2;
static const double still_s = 1, still_periods = 10; /* without a cycle: stalled */
static const double first_patience_s = 5, last_patience_s = 60;
static const double stuck_s = 20, lost_s = 10;

const char *
rt_state_name(rt_state state)
{
    static const char *const name[] = {"waiting", "running", "stalled"};
    return name[state];
}

rt_watch
rt_watch_new(double now)
{
    return (rt_watch){.state = RT_WAITING,
                      .since = now,
                      .retry_s = first_retry_s,
                      .next_try = now,
                      .patience_s = first_patience_s};
}

static void
become(rt_watch *w, rt_state state, double now)
{
    if (w->state == state)
        return;
    w->state = state;
    w->since = now;
}

static double
longer(double s, double most)
{
    return 2 * s < most ? 2 * s : most;
}

/* A connection came or went since the last look. */
static void
note_open(rt_watch *w, const rt_seen *s, double now)
{
    if (s->open == w->open)
        return;
    if (!s->open) /* at once, as a server may be back; unless it never brought sound */
        w->next_try = now + (w->any ? 0 : w->retry_s);
    w->open = s->open;
    w->closing = w->any = false;
    w->cycles = 0;
    w->last_cycle = now;
}

static bool
stands_still(const rt_watch *w, const rt_seen *s, double now)
{
    const double periods = still_periods * s->period_s;
    return !s->freewheel &&
           now - w->last_cycle > (periods > still_s ? periods : still_s);
}

/* What the connection does, also while a call of libjack is held. */
static void
note_cycles(rt_watch *w, const rt_seen *s, double now)
{
    if (s->gone) {
        become(w, RT_WAITING, now);
    } else if (s->cycles != w->cycles) {
        w->cycles = s->cycles;
        w->last_cycle = now;
        w->any = true;
        w->retry_s = first_retry_s;
        w->patience_s = first_patience_s;
        become(w, RT_RUNNING, now);
    } else if (stands_still(w, s, now)) {
        become(w, RT_STALLED, now);
    }
}

static rt_action
look_at_open(rt_watch *w, const rt_seen *s, double now)
{
    const bool tired = w->state == RT_STALLED && now - w->since >= w->patience_s;
    if (!s->gone && !tired)
        return RT_DO_NOTHING;
    if (tired && !w->any) /* opening did not help the last time: do so less often */
        w->patience_s = longer(w->patience_s, last_patience_s);
    w->closing = true;
    return RT_DO_CLOSE;
}

rt_action
rt_watch_look(rt_watch *w, const rt_seen *s, double now)
{
    w->busy_since = !s->busy ? 0 : w->busy_since > 0 ? w->busy_since : now;
    if (!s->busy)
        note_open(w, s, now);
    if (w->open && !w->closing)
        note_cycles(w, s, now);
    if (s->busy)
        return RT_DO_NOTHING;
    if (w->open)
        return look_at_open(w, s, now);
    become(w, RT_WAITING, now);
    if (now < w->next_try)
        return RT_DO_NOTHING;
    w->next_try = now + w->retry_s;
    w->retry_s = longer(w->retry_s, last_retry_s);
    return RT_DO_OPEN;
}

bool
rt_watch_is_stuck(const rt_watch *w, double now)
{
    return w->busy_since > 0 && now - w->busy_since > stuck_s;
}

bool
rt_watch_is_lost(const rt_watch *w, bool stands_still, double now)
{
    return !stands_still && w->busy_since > 0 && now - w->busy_since > lost_s;
}
