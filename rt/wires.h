/*
 * What the inputs are connected to: remembers it, so that it can be made again when a
 * port or a server comes back. Knows no JACK: a patch bay is handed in.
 */
#ifndef HEARKEN_RT_WIRES_H
#define HEARKEN_RT_WIRES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RT_WIRES = 128,
    RT_PORT = 512, /* bytes of a port's full name that is remembered */
};

typedef enum {
    RT_WIRE_FREE, /* no wire */
    RT_WIRE_ON,
    RT_WIRE_LOOSE,   /* just gone; whether with its port, is seen in a moment */
    RT_WIRE_AWAITED, /* its port is not there, or not yet ready: made when it is */
    RT_WIRE_CUT,     /* somebody took it out: left alone until its port goes */
    RT_WIRE_REFUSED, /* the server does not make it: likewise */
} rt_wire_state;

typedef struct {
    rt_wire_state state;
    uint32_t input;
    double since;        /* LOOSE; AWAITED: when it was first tried, 0 if not */
    uint32_t ports_gone; /* of the patch bay, when it was last ON */
    char port[RT_PORT];
} rt_wire;

typedef struct {
    rt_wire wire[RT_WIRES];
} rt_wires;

typedef struct {
    void *ctx;
    uint32_t ports_gone; /* how many went so far: one of that name may be another one */
    bool (*exists)(void *ctx, const char *port);
    bool (*connected)(void *ctx, uint32_t input, const char *port);
    /* Whether they are connected then. */
    bool (*connect)(void *ctx, uint32_t input, const char *port);
} rt_patchbay;

/* A sentence without its end: "listening to system:capture_1". */
typedef void rt_wires_say(void *ctx, uint32_t input, const char *text);

/* There is such a connection; whether that is news. */
bool rt_wires_note(rt_wires *w, uint32_t input, const char *port);

/* Such a connection is wanted: made at the next look, unless it was cut or refused. */
void rt_wires_want(rt_wires *w, uint32_t input, const char *port);

/* Whether anything is known about an input. */
bool rt_wires_any(const rt_wires *w, uint32_t input);

/* The server went away; what was connected is wanted again. */
void rt_wires_lost(rt_wires *w);

/* Compares with what there is, and connects. now in seconds. True when it wants to look
 * again soon. */
bool rt_wires_look(rt_wires *w, const rt_patchbay *p, double now, rt_wires_say *say,
                   void *ctx);

#endif
