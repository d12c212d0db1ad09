/* Which ports the inputs are to be connected to, and connecting them. */
#include "jack_private.h"

#include "rt.h"

#include <stdio.h>
#include <string.h>

static bool
port_exists(void *ctx, const char *port)
{
    const rt_jack *j = ctx;
    return jack_port_by_name(j->client, port) != NULL;
}

static bool
is_connected(void *ctx, uint32_t input, const char *port)
{
    const rt_jack *j = ctx;
    return jack_port_connected_to(j->port[input], port) != 0;
}

/* A server without self-connect returns 0 and does nothing: look. */
static bool
make_connection(void *ctx, uint32_t input, const char *port)
{
    rt_jack *j = ctx;
    jack_connect(j->client, port, jack_port_name(j->port[input]));
    return is_connected(ctx, input, port);
}

typedef struct {
    rt_jack *j;
    rt_wires_say *say;
    void *ctx;
} wanting;

/* What somebody connected while it ran. */
static void
note_connections(const wanting *w)
{
    rt_jack *j = w->j;
    for (uint32_t i = 0; i < j->inputs->n; i++) {
        const char **ports = jack_port_get_all_connections(j->client, j->port[i]);
        for (size_t k = 0; ports && ports[k]; k++) {
            char text[RT_PORT + 40];
            snprintf(text, sizeof text, "listening to %s", ports[k]);
            if (rt_wires_note(&j->wires, i, ports[k]))
                w->say(w->ctx, i, text);
        }
        jack_free(ports);
    }
}

static void
say_none(const wanting *w, uint32_t item, uint32_t input, const char *pattern)
{
    char text[RT_ITEM + 100];
    if (w->j->said_none[item])
        return;
    w->j->said_none[item] = true;
    snprintf(text, sizeof text,
             "there is no JACK port to listen to%s%s; waiting for one",
             *pattern ? " that is called like " : "", pattern);
    w->say(w->ctx, input, text);
}

/* The capture port of the number of the input, for one that nothing is known of: if
 * somebody cut it or took another one, that is as he wants it. */
static void
want_automatic(const wanting *w, uint32_t item, uint32_t input)
{
    if (rt_wires_any(&w->j->wires, input))
        return;
    const char **ports =
        jack_get_ports(w->j->client, NULL, JACK_DEFAULT_AUDIO_TYPE,
                       (unsigned long)JackPortIsOutput | JackPortIsPhysical);
    uint32_t n = 0;
    while (ports && ports[n] && n < input)
        n++;
    if (ports && ports[n])
        rt_wires_want(&w->j->wires, input, ports[n]);
    else
        say_none(w, item, input, "");
    jack_free(ports);
}

/* All ports that a name or a regular expression fits. */
static void
want_pattern(const wanting *w, uint32_t item, uint32_t input, const char *pattern)
{
    rt_jack *j = w->j;
    if (jack_port_by_name(j->client, pattern)) {
        rt_wires_want(&j->wires, input, pattern);
        return;
    }
    const char **ports =
        jack_get_ports(j->client, pattern, JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput);
    for (size_t i = 0; ports && ports[i]; i++)
        rt_wires_want(&j->wires, input, ports[i]);
    if (!ports)
        say_none(w, item, input, pattern);
    jack_free(ports);
}

/* Length of "drums=" at the beginning of an item, where that names an input. */
static size_t
address(const rt_jack *j, const char *item, uint32_t *input)
{
    const char *equals = strchr(item, '=');
    const size_t n = equals ? (size_t)(equals - item) : 0;
    for (uint32_t i = 0; i < j->inputs->n && equals; i++)
        if (strlen(j->inputs->input[i].name) == n &&
            !memcmp(j->inputs->input[i].name, item, n)) {
            *input = i;
            return n + 1;
        }
    return 0;
}

/* Items that name no input are dealt to the inputs in turn; auto is for all. */
static void
want_all(const wanting *w)
{
    const rt_list *items = &w->j->options->jack.connect;
    uint32_t turn = 0;
    for (uint32_t k = 0; k < items->n; k++) {
        uint32_t input = 0;
        const size_t n = address(w->j, items->item[k], &input);
        const char *pattern = items->item[k] + n;
        const bool automatic = !strcmp(pattern, "auto");
        if (!strcmp(pattern, "none"))
            continue;
        if (automatic && !n) {
            for (uint32_t i = 0; i < w->j->inputs->n; i++)
                want_automatic(w, k, i);
            continue;
        }
        if (!n)
            input = turn++ % w->j->inputs->n;
        if (automatic)
            want_automatic(w, k, input);
        else
            want_pattern(w, k, input, pattern);
    }
}

bool
rt_jack_connect(rt_jack *j, rt_wires_say *say, void *ctx)
{
    const wanting w = {.j = j, .say = say, .ctx = ctx};
    const rt_patchbay bay = {.ctx = j,
                             .ports_gone = atomic_load(&j->ports_gone),
                             .exists = port_exists,
                             .connected = is_connected,
                             .connect = make_connection};
    note_connections(&w);
    want_all(&w);
    return rt_wires_look(&j->wires, &bay, rt_seconds(), say, ctx);
}

void
rt_jack_connected(const rt_jack *j, rt_list *connect)
{
    rt_list list = {0};
    bool known = false, fits = true;
    for (size_t i = 0; i < RT_WIRES; i++) {
        const rt_wire *x = &j->wires.wire[i];
        known |= x->state != RT_WIRE_FREE;
        if (x->state != RT_WIRE_ON && x->state != RT_WIRE_LOOSE &&
            x->state != RT_WIRE_AWAITED)
            continue;
        fits = fits && list.n < RT_LIST &&
               snprintf(list.item[list.n++], RT_ITEM, "%s=%s",
                        j->inputs->input[x->input].name, x->port) < RT_ITEM;
    }
    if (known && !list.n)
        snprintf(list.item[list.n++], RT_ITEM, "none");
    if (known && fits)
        *connect = list;
}
