/*
 * The publish thread: findings to OSC, then to the thread that prints. The only thread
 * that touches the sockets.
 */
#ifndef HEARKEN_RT_PUBLISH_H
#define HEARKEN_RT_PUBLISH_H

#include "honest.h"
#include "inputs.h"
#include "live.h"
#include "osc/osc.h"
#include "print.h"
#include "ring.h"
#include "rt.h"
#include "shelf.h"
#include "target.h"

#include <semaphore.h>

enum {
    RT_MATCHES = 4096,                   /* slots of the ring */
    RT_SUBSCRIBERS = 16,                 /* destinations beside those of osc.to */
    RT_DESTS = RT_LIST + RT_SUBSCRIBERS, /* places: those of osc.to go first */
};

typedef struct rt_publish rt_publish;

typedef struct {
    const rt_options *options;
    rt_shelf *shelf;         /* that findings are of; held by each on its way */
    const rt_inputs *inputs; /* their names; the first says whether to be patient */
    rt_counts *counts;
    rt_live *live;           /* gets matches; NULL: none */
    rt_print *print;         /* NULL: none */
    rt_honest *honest;       /* is told which the thread is */
    int64_t (*now_us)(void); /* the clock of rt_match.centre_us */

    /* [RT_DESTS]: number of the first message to each place, a subscriber's for the
     * first one there; at closing, of the one that would be next. NULL: from 0. */
    int32_t *sequence;
} rt_publish_config;

/* Resolves destinations. Returns the exit status, with why: RT_CONFIG when one is not
 * of the form of target.h, RT_NOHOST when it is not known, RT_IO when there is no way
 * to it, RT_SOFTWARE when memory runs out. */
int rt_publish_open(rt_publish **out, const rt_publish_config *config, char *why,
                    size_t why_len);

/* Before it starts: what the destinations want beside match.at, for match.asked. */
uint32_t rt_publish_asks(const rt_publish *p);

/* Starts the thread, at ordinary priority. */
bool rt_publish_start(rt_publish *p, char *why, size_t why_len);

/* Main thread: rt_thread_fifo() of it. */
bool rt_publish_fifo(rt_publish *p, int priority);

/* Sends what is left, ends the thread, closes the sockets. Takes NULL. */
void rt_publish_close(rt_publish *p);

/* Analysis thread: hands one finding over. Never waits, but in freewheel. */
void rt_publish_push(rt_publish *p, const rt_match *m);

/* Control thread: takes osc.onsets, osc.mute and match.at, which may change. */
void rt_publish_set(rt_publish *p, const rt_options *options);

/*
 * Control thread: gives a further destination to a place 0..RT_SUBSCRIBERS-1, where it
 * takes over the count of one that is there, or takes away what is there (NULL). The
 * publish thread closes it. False, and nothing is taken, when that thread is too far
 * behind.
 */
bool rt_publish_subscribe(rt_publish *p, uint32_t place, const rt_target *target);

/* Main thread: has /hearken/status sent, with that state; a constant string. */
void rt_publish_status(rt_publish *p, const char *state);

#endif
