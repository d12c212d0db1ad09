/*
 * The JACK client: one input port whose samples go to an rt_capture. Callbacks set
 * flags and wake; all libjack calls are made by the thread that opened the client.
 */
#ifndef HEARKEN_RT_JACK_H
#define HEARKEN_RT_JACK_H

#include "capture.h"
#include "options.h"

typedef struct rt_jack rt_jack;

/*
 * Opens a client (never starting a server) and registers its port; it does not run yet.
 * False, with why, when there is no server or the name is taken. main_wake is posted
 * when the server goes away.
 */
bool rt_jack_open(rt_jack **out, const rt_options *o, sem_t *main_wake, char *why,
                  size_t why_len);

uint32_t rt_jack_rate(const rt_jack *j);
uint32_t rt_jack_period(const rt_jack *j);

/* SCHED_FIFO priority for a thread so many steps below the server's clients, 0 when the
 * server runs without. */
int rt_jack_priority(const rt_jack *j, int below);

/* Starts the callbacks and makes the wanted connections; says on stderr which. */
bool rt_jack_run(rt_jack *j, rt_capture *cap, const rt_list *connect, char *why,
                 size_t why_len);

/* Whether the server went away. */
bool rt_jack_gone(const rt_jack *j);

/* The server's frame at which the stream began; false before the first callback. */
bool rt_jack_first_frame(const rt_jack *j, uint32_t *frame);

/* Stops the callbacks; the client stays open. Waits until none runs. */
void rt_jack_halt(rt_jack *j);
void rt_jack_close(rt_jack *j);

/* The server's clock in microseconds. Only after rt_jack_open() succeeded once. */
int64_t rt_jack_now_us(void);

#endif
