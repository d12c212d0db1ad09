/*
 * The JACK client: an input port for each of the inputs, whose samples go to their
 * captures. Callbacks set flags and wake main; all other calls of libjack are made by
 * one thread, because a server that stands still holds them for as long as it does.
 *
 * One rt_jack lives through many connections, open to close, and its stream goes on.
 */
#ifndef HEARKEN_RT_JACK_H
#define HEARKEN_RT_JACK_H

#include "inputs.h"
#include "options.h"
#include "wires.h"

typedef struct rt_jack rt_jack;

/* main_wake is posted by the callbacks. NULL without memory. */
rt_jack *rt_jack_new(const rt_options *o, rt_inputs *inputs, sem_t *main_wake);
void rt_jack_free(rt_jack *j);

/* ---- Any thread ------------------------------------------------------------------ */

/* Of the present connection, or the last one. */
typedef struct {
    bool gone;       /* the server went away */
    bool freewheel;  /* it runs as fast as it can */
    uint64_t cycles; /* that the audio thread has seen */
    uint32_t rate_hz, period;
    uint32_t server_rate_hz; /* differs when the server changed it */
    int priority; /* SCHED_FIFO, of the server's clients; 0 when it runs without */
    int tid;      /* of the audio thread; 0 before the first cycle */
    bool begun;   /* the next two hold */
    uint32_t first_frame;  /* of the server, of the first cycle of this connection */
    uint64_t stream_frame; /* its number in the stream */
} rt_jack_news;
rt_jack_news rt_jack_look(const rt_jack *j);

/* Whether ports or connections changed since it was asked last. */
bool rt_jack_graph_changed(rt_jack *j);

/* The server's clock in microseconds. Only after rt_jack_open() succeeded once. */
int64_t rt_jack_now_us(void);

/* ---- The one thread that calls libjack ------------------------------------------- */

/* why of rt_jack_open(), when it is just that. */
#define RT_JACK_NO_SERVER                                                              \
    "no JACK server is running; start jackd or PipeWire (then pw-jack hearken ...)"

/* Opens a client (never starting a server) and registers its ports; it does not run
 * yet. False, with why, when there is no server or the name is taken. */
bool rt_jack_open(rt_jack *j, char *why, size_t why_len);

/* Starts the callbacks. */
bool rt_jack_run(rt_jack *j, char *why, size_t why_len);

/* Another rate: waits until no samples are fed any more, false when that cannot be
 * seen; and has them fed again, at that rate, once the inputs are ready for it. */
bool rt_jack_pause(rt_jack *j);
void rt_jack_resume(rt_jack *j, uint32_t rate_hz);

/*
 * Makes the connections that the options want and those that there were when the last
 * server went away, as far as their ports are there. say gets a sentence about each
 * that came or went. True when it wants to look again soon.
 */
bool rt_jack_connect(rt_jack *j, rt_wires_say *say, void *ctx);

/* As rt_supervise_connected(). */
void rt_jack_connected(const rt_jack *j, rt_list *connect);

/* Ends the connection; afterwards no callback runs. Leaves freewheel before, because a
 * client that closes in it leaves jackd 1.9.21 there for ever. Takes a closed one. */
void rt_jack_close(rt_jack *j);

#endif
