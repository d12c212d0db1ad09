/*
 * Keeps listening to a JACK server, whatever becomes of it: opens it, sees when it goes
 * or stands still, and opens it again.
 *
 *   main --rt_supervise_tick()--> rt_watch: what to do now --> a thread that does it
 *
 * All calls of libjack that a server may hold (open, connect, close) are made by that
 * thread, one after the other. So main is never held: it goes on printing, answering
 * and watching while a frozen server is closed, which takes until that thaws or dies.
 */
#ifndef HEARKEN_RT_SUPERVISE_H
#define HEARKEN_RT_SUPERVISE_H

#include "counts.h"
#include "honest.h"
#include "inputs.h"
#include "jack.h"
#include "swap.h"

typedef enum {
    RT_WAITING, /* for a server */
    RT_RUNNING,
    RT_STALLED, /* there is a server, but no sound comes from it */
} rt_state;

/* "waiting", "running", "stalled": as on OSC. */
const char *rt_state_name(rt_state state);

/* ---- What to do when (state.c): no threads, no JACK, the clock is given ------------
 */

typedef enum { RT_DO_NOTHING, RT_DO_OPEN, RT_DO_CLOSE } rt_action;

typedef struct {
    bool busy; /* the last action is not done yet */
    bool open; /* there is a connection */
    bool gone; /* it is of no use any more: close it */
    bool freewheel;
    uint64_t cycles; /* of this connection */
    double period_s;
} rt_seen;

typedef struct {
    rt_state state;
    double since;      /* of the state */
    double retry_s;    /* until the next attempt to open */
    double next_try;   /* time of it */
    double patience_s; /* with a server that stands still, until it is opened anew */
    double last_cycle; /* when one came, or the connection was opened */
    double busy_since; /* 0: not busy */
    uint64_t cycles;
    bool open, closing; /* as the last look left it */
    bool any;           /* cycles came from this connection */
} rt_watch;

rt_watch rt_watch_new(double now);

/* Takes in what is seen, changes the state, says what to do. now in seconds. */
rt_action rt_watch_look(rt_watch *w, const rt_seen *s, double now);

/* Whether a call of libjack is held by the server so long that no more is to be hoped
 * from waiting. */
bool rt_watch_is_stuck(const rt_watch *w, double now);

/* Whether a call is held by no server that stands still, as that is gone or goes on,
 * and so will be for ever: libjack 1.9.21 may wait for a lock of its own that nobody
 * gives back (one in some hundred reconnects on a busy machine). */
bool rt_watch_is_lost(const rt_watch *w, bool stands_still, double now);

/* ---- The supervisor ----------------------------------------------------------------
 */

typedef struct rt_supervise rt_supervise;

typedef struct {
    const rt_options *options;
    rt_swap *swap; /* gives the inputs their analyses */
    rt_inputs *inputs;
    rt_counts *counts;
    rt_honest *honest; /* locks memory before samples come */
    sem_t *main_wake;  /* posted when rt_supervise_tick() has something to do */
} rt_supervise_config;

/* False, with why, without memory or threads. The analysis thread must run, because a
 * connection waits for it to take up the right rate. */
bool rt_supervise_start(rt_supervise **out, const rt_supervise_config *config,
                        char *why, size_t why_len);

/* Main thread, several times a second and when woken: does and says what there is to.
 * False when jack.wait is no and there is nothing to wait for. */
bool rt_supervise_tick(rt_supervise *sv);

rt_state rt_supervise_state(const rt_supervise *sv);
double rt_supervise_state_s(const rt_supervise *sv); /* seconds since it changed */

/* Connections so far that brought sound; the present one's news. */
uint64_t rt_supervise_connections(const rt_supervise *sv);
rt_jack_news rt_supervise_news(const rt_supervise *sv);

/* Main thread: what is connected, or awaited since it was, in the form of jack.connect;
 * the list stays as it is while nothing is known, or where it has no room. */
void rt_supervise_connected(rt_supervise *sv, rt_list *connect);

/* Whether audio was really analysed in the last two seconds, or a server is really
 * awaited: what a watchdog wants to know. Main thread. */
bool rt_supervise_is_alive(const rt_supervise *sv);

/* Whether this process can have no server any more, only another one. Main thread. */
bool rt_supervise_is_lost(const rt_supervise *sv);

/* Main thread: no more sound comes when it returns. False when the server holds the
 * thread: then nothing that callbacks use may be freed, and the process is to end.
 * Takes NULL. */
bool rt_supervise_stop(rt_supervise *sv);
void rt_supervise_free(rt_supervise *sv);

#endif
