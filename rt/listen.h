/* Private to cmd_listen.c and listen_loop.c: all that hearken listen is made of. */
#ifndef HEARKEN_RT_LISTEN_H
#define HEARKEN_RT_LISTEN_H

#include "control.h"
#include "handover.h"
#include "honest.h"
#include "indexes.h"
#include "live.h"
#include "notify.h"
#include "publish.h"
#include "session.h"
#include "supervise.h"
#include "swap.h"

typedef struct {
    rt_options options, last; /* at the start; at the end */
    rt_handover left;         /* from the process before, then to the next one */
    rt_indexes indexes;
    rt_shelf *shelf;
    rt_counts counts;
    rt_inputs inputs;
    rt_session *session; /* NULL: none */
    rt_supervise *supervise;
    rt_publish *publish;
    rt_notify notify;
    rt_control *control; /* NULL: nobody may command */
    rt_live *live;       /* NULL: none */
    rt_swap *swap;
    bool said_low[RT_INDEXES][DSP_SCALES]; /* that it finds too little */
    bool said_busy;
    rt_honest honest;
    rt_print *print; /* NULL: nothing to print */
    sem_t blocks_wake, main_wake;
    pthread_t thread; /* analysis */
    bool started;
    atomic_bool stop;

    /* of the last tick */
    rt_state state;
    uint64_t connections;
    double next_status;
} rt_listener;

/* Main thread: supervises what runs until an end. Returns the exit status. */
int rt_listen_run(rt_listener *l);

#endif
