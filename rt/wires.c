#include "wires.h"

#include <stdio.h>
#include <string.h>

static const double settle_s = 2; /* a port that goes is disconnected first */
static const double try_s = 3; /* a program's port is there before the program runs */

static rt_wire *
find(rt_wires *w, uint32_t input, const char *port)
{
    for (size_t i = 0; i < RT_WIRES; i++) {
        rt_wire *x = &w->wire[i];
        if (x->state != RT_WIRE_FREE && x->input == input && !strcmp(x->port, port))
            return x;
    }
    return NULL;
}

/* A wire of that name, new if need be; NULL when it cannot be remembered. */
static rt_wire *
take(rt_wires *w, uint32_t input, const char *port, rt_wire_state state)
{
    rt_wire *x = find(w, input, port);
    const size_t n = strlen(port);
    for (size_t i = 0; !x && i < RT_WIRES && n < RT_PORT; i++) {
        if (w->wire[i].state != RT_WIRE_FREE)
            continue;
        x = &w->wire[i];
        *x = (rt_wire){.state = state, .input = input};
        memcpy(x->port, port, n + 1);
    }
    return x;
}

bool
rt_wires_note(rt_wires *w, uint32_t input, const char *port)
{
    rt_wire *x = find(w, input, port);
    const bool known = x && x->state == RT_WIRE_ON;
    x = take(w, input, port, RT_WIRE_ON);
    if (x)
        x->state = RT_WIRE_ON;
    return x && !known;
}

void
rt_wires_want(rt_wires *w, uint32_t input, const char *port)
{
    take(w, input, port, RT_WIRE_AWAITED);
}

bool
rt_wires_any(const rt_wires *w, uint32_t input)
{
    for (size_t i = 0; i < RT_WIRES; i++)
        if (w->wire[i].state != RT_WIRE_FREE && w->wire[i].input == input)
            return true;
    return false;
}

void
rt_wires_lost(rt_wires *w)
{
    for (size_t i = 0; i < RT_WIRES; i++) {
        rt_wire *x = &w->wire[i];
        x->since = 0;
        if (x->state == RT_WIRE_ON || x->state == RT_WIRE_LOOSE)
            x->state = RT_WIRE_AWAITED;
        else if (x->state == RT_WIRE_REFUSED)
            x->state = RT_WIRE_FREE;
    }
}

typedef struct {
    const rt_patchbay *bay;
    double now;
    rt_wires_say *say;
    void *ctx;
} look;

static void
tell(const look *l, const rt_wire *x, const char *before, const char *after)
{
    char text[RT_PORT + 200];
    snprintf(text, sizeof text, "%s%s%s", before, x->port, after);
    l->say(l->ctx, x->input, text);
}

/* A wire that was there and is not. Its port went too where there is none of that name,
 * or where one that is there came after some port went: a program that was started
 * again is to be heard again. */
static void
look_for_loose(const look *l, rt_wire *x)
{
    if (l->bay->ports_gone != x->ports_gone || !l->bay->exists(l->bay->ctx, x->port)) {
        x->state = RT_WIRE_AWAITED;
        x->since = 0;
        tell(l, x, "", " went away; waiting for it");
    } else if (x->state == RT_WIRE_ON) {
        x->state = RT_WIRE_LOOSE;
        x->since = l->now;
    } else if (l->now - x->since >= settle_s) {
        x->state = RT_WIRE_CUT;
        tell(l, x, "", " was disconnected by hand, and is left so");
    }
}

static void
make(const look *l, rt_wire *x)
{
    if (!l->bay->exists(l->bay->ctx, x->port)) {
        x->since = 0;
        return;
    }
    if (l->bay->connect(l->bay->ctx, x->input, x->port)) {
        x->state = RT_WIRE_ON;
        tell(l, x, "listening to ", "");
    } else if (x->since <= 0) {
        x->since = l->now;
    } else if (l->now - x->since >= try_s) {
        x->state = RT_WIRE_REFUSED;
        tell(l, x, "JACK did not connect ", "; connect it by hand");
    }
}

bool
rt_wires_look(rt_wires *w, const rt_patchbay *p, double now, rt_wires_say *say,
              void *ctx)
{
    const look l = {.bay = p, .now = now, .say = say, .ctx = ctx};
    bool again = false;
    for (size_t i = 0; i < RT_WIRES; i++) {
        rt_wire *x = &w->wire[i];
        if (x->state == RT_WIRE_FREE)
            continue;
        if (p->connected(p->ctx, x->input, x->port))
            x->state = RT_WIRE_ON;
        else if (x->state == RT_WIRE_ON || x->state == RT_WIRE_LOOSE)
            look_for_loose(&l, x);
        else if (x->state != RT_WIRE_AWAITED && !p->exists(p->ctx, x->port))
            x->state = RT_WIRE_FREE;
        if (x->state == RT_WIRE_AWAITED)
            make(&l, x);
        if (x->state == RT_WIRE_ON)
            x->ports_gone = p->ports_gone;
        again |=
            x->state == RT_WIRE_LOOSE || (x->state == RT_WIRE_AWAITED && x->since > 0);
    }
    return again;
}
