/*
 * OSCQuery: a tree of what can be sent to hearken and what it sends, as JSON over HTTP,
 * for programs that make their faders of it. Reads only; commands go over OSC.
 *
 *   HTTP GET /hearken/match?RANGE --> rt_oscquery_answer() --> JSON
 */
#ifndef HEARKEN_RT_OSCQUERY_H
#define HEARKEN_RT_OSCQUERY_H

#include "control.h"
#include "osc/control.h"

#include <stdio.h>

typedef struct rt_oscquery rt_oscquery;

typedef struct {
    const rt_options *options; /* as they are when somebody asks */
    const osc_control *socket; /* where commands go, and who may */
} rt_oscquery_config;

/*
 * What is said of a path ("/hearken/match/score") or of one attribute of it ("RANGE",
 * NULL for all), written to to. Returns the HTTP status: 200; 404 when there is no such
 * path, 204 when it has no such attribute, and then writes nothing.
 */
unsigned rt_oscquery_answer(const rt_oscquery_config *config, const char *path,
                            const char *attribute, FILE *to);

/*
 * Listens at "HOST:PORT" by TCP. OSC_EARG, OSC_ERESOLVE, OSC_ENOMEM or OSC_EIO with one
 * sentence in why. It has no thread: who opened it polls rt_oscquery_fd() for reading
 * and calls rt_oscquery_run(), which answers what has come and does not wait.
 */
osc_status rt_oscquery_open(rt_oscquery **out, const char *text,
                            const rt_oscquery_config *config, char *why,
                            size_t why_len);
int rt_oscquery_fd(const rt_oscquery *q);
void rt_oscquery_run(rt_oscquery *q);
void rt_oscquery_close(rt_oscquery *q); /* takes NULL */

#endif
