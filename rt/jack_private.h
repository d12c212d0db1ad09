#ifndef HEARKEN_RT_JACK_PRIVATE_H
#define HEARKEN_RT_JACK_PRIVATE_H

#include "follow.h"
#include "jack.h"

#include <jack/jack.h>
#include <jack/thread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct rt_jack {
    const rt_options *options;
    rt_inputs *inputs;
    sem_t *main_wake;

    /* the thread that opens, and callbacks while it is open */
    jack_client_t *client; /* NULL: closed */
    jack_port_t *port[RT_LIST];
    _Atomic uint32_t rate_hz; /* that the inputs are analysed at */

    /* from the callbacks */
    atomic_bool gone, freewheel, graph;
    atomic_bool paused; /* no samples are fed, as the server has another rate */
    _Atomic uint32_t server_rate_hz, period;
    _Atomic uint32_t latency_frames[RT_LIST]; /* what samples took to get here */
    _Atomic uint32_t ports_gone;              /* that were unregistered */
    _Atomic uint64_t cycles;
    _Atomic int priority, tid;   /* tid: of the audio thread */
    _Atomic int64_t first_frame; /* of the server; -1 before the first cycle */
    _Atomic uint64_t stream_frame;

    /* audio thread only, and before it starts */
    bool fresh; /* the next cycle is the first of the connection */
    rt_follow follow;

    /* the thread that opens and connects */
    uint32_t unseen; /* times that no server was seen to open */
    rt_wires wires;
    bool said_none[RT_LIST]; /* of jack.connect, that there is no such port */
};

#endif
