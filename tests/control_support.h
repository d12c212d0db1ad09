/* A control with all that it commands but JACK, and one who asks it. */
#ifndef HEARKEN_TESTS_CONTROL_SUPPORT_H
#define HEARKEN_TESTS_CONTROL_SUPPORT_H

#include "osc/control.h"
#include "rt/control.h"
#include "rt/honest.h"
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[256], index_path[300];
static idx_index *ix;
static rt_shelf *shelf; /* with another ix */
static rt_options options;
static rt_counts counts;
static rt_honest honest;
static rt_publish *publish;
static rt_honest honest;
static rt_control *control;
static rt_inputs inputs;
static rt_ring *settings; /* of the inputs */
static sem_t wake;
/* of the last control and publish, for the next ones */
static rt_subscription subscribed[RT_SUBSCRIBERS];
static int32_t sequence[RT_DESTS];
static int asker; /* the socket that commands come from */
static uint16_t port;

static inline int64_t
now_us(void)
{
    return 0;
}

static inline int
any_socket(uint16_t *at_port)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert(fd >= 0 && !bind(fd, (void *)&at, sizeof at) &&
              !getsockname(fd, (void *)&at, &len));
    *at_port = ntohs(at.sin_port);
    return fd;
}

static inline void
build_once(void)
{
    char why[300] = "";
    make_folder(folder, sizeof folder);
    rt_options_default(&options);
    options.build.invariance = 0;
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, index_path);
    store_noises(index_path, &options);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
}

static inline void
remove_once(void)
{
    idx_close(ix);
    remove_tree(folder);
}

static inline bool
dump(void *ctx, char *text, size_t len)
{
    snprintf(text, len, "%s", (const char *)ctx);
    return true;
}

/* Learns anything but "bad"; "unsaved" is not saved. */
static inline bool
learn_any(void *ctx, const char *label, double seconds, const char *input,
          rt_learning *out, char *why, size_t len)
{
    (void)ctx;
    *out = (rt_learning){12, seconds + (double)strlen(input)};
    if (!strcmp(label, "bad") || !strcmp(label, "unsaved"))
        snprintf(why, len, "it is %s", label);
    return strcmp(label, "bad") != 0;
}

static inline bool
forget_any(void *ctx, const char *label, uint32_t *n_left, char *why, size_t len)
{
    (void)ctx;
    *n_left = 3;
    if (!strcmp(label, "bad"))
        snprintf(why, len, "it is bad");
    return strcmp(label, "bad") != 0;
}

static inline void
open_with(const char *allow, bool recorder)
{
    char why[300] = "";
    rt_options_default(&options);
    ck_assert(rt_analyse_settings(&options, ix, why, sizeof why));
    options.osc.to.n = 1;
    snprintf(options.osc.to.item[0], RT_ITEM, "none");
    snprintf(options.osc.allow.item[0], RT_ITEM, "%s", allow);
    const int probe = any_socket(&port);
    close(probe);
    snprintf(options.osc.query, RT_TEXT, "127.0.0.1:%u", port);
    snprintf(options.osc.listen, RT_TEXT, "127.0.0.1:%u", port);
    memset(&counts, 0, sizeof counts);
    sem_init(&wake, 0, 0);
    idx_index *own;
    ck_assert(!idx_open(&own, index_path, why, sizeof why));
    ck_assert((shelf = rt_shelf_new()) != NULL &&
              rt_shelf_add(shelf, "main", own, &options, index_path, why, sizeof why));
    static const rt_sink none = {.ctx = NULL};
    memset(&inputs, 0, sizeof inputs);
    ck_assert(rt_inputs_parse(&inputs, "in", why, sizeof why) &&
              rt_inputs_new(&inputs, &counts, &none, &wake));
    settings = inputs.settings;
    const rt_publish_config p = {.options = &options,
                                 .shelf = shelf,
                                 .inputs = &inputs,
                                 .counts = &counts,
                                 .honest = &honest,
                                 .now_us = now_us,
                                 .sequence = sequence};
    ck_assert_msg(!rt_publish_open(&publish, &p, why, sizeof why), "%s", why);
    ck_assert_msg(rt_publish_start(publish, why, sizeof why), "%s", why);
    static char path[] = "/tmp/x.wav";
    const rt_control_config c = {.options = &options,
                                 .shelf = shelf,
                                 .counts = &counts,
                                 .publish = publish,
                                 .settings = settings,
                                 .settings_wake = &wake,
                                 .learn = recorder ? learn_any : NULL,
                                 .forget = recorder ? forget_any : NULL,
                                 .dump = recorder ? dump : NULL,
                                 .dump_ctx = path,
                                 .subscribed = subscribed};
    ck_assert_msg(rt_control_open(&control, &c, why, sizeof why), "%s", why);
    ck_assert(control && rt_control_start(control, why, sizeof why));
    uint16_t mine;
    asker = any_socket(&mine);
}

static inline void
open_control(void)
{
    memset(subscribed, 0, sizeof subscribed);
    memset(sequence, 0, sizeof sequence);
    open_with("loopback", false);
}

static inline void
close_control(void)
{
    rt_control_close(control);
    rt_publish_close(publish);
    rt_shelf_free(shelf);
    rt_inputs_free(&inputs);
    close(asker);
}

static inline void
send_bytes(const void *data, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(sendto(asker, data, n, 0, (void *)&to, sizeof to), (int)n);
}

/* send("/a", "sf", "text", 0.5) */
static inline void
send_osc(const char *address, const char *types, ...)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    osc_arg args[OSC_MAX_ARGS];
    va_list list;
    va_start(list, types);
    for (int i = 0; types[i]; i++) {
        args[i].type = types[i];
        if (types[i] == 's')
            args[i].s = va_arg(list, const char *);
        else if (types[i] == 'i')
            args[i].i = va_arg(list, int);
        else if (types[i] == 'f')
            args[i].f = (float)va_arg(list, double);
    }
    va_end(list);
    const size_t n =
        osc_message_encode(data, sizeof data, address, args, (uint32_t)strlen(types));
    ck_assert(n > 0);
    send_bytes(data, n);
}

/* As text: "/hearken/value s:match.score f:0.8" */
static inline void
write_message(void *ctx, const osc_message *m)
{
    char *out = ctx;
    size_t n = (size_t)snprintf(out, 2000, "%s", m->address);
    for (uint32_t i = 0; i < m->n_args; i++) {
        const osc_arg *a = &m->arg[i];
        n += (size_t)snprintf(out + n, 2000 - n, " %c:", a->type);
        if (a->type == 's')
            n += (size_t)snprintf(out + n, 2000 - n, "%s", a->s);
        else if (a->type == 'i')
            n += (size_t)snprintf(out + n, 2000 - n, "%d", a->i);
        else
            n += (size_t)snprintf(out + n, 2000 - n, "%g", (double)a->f);
    }
}

/* The next message that comes to a socket; "" when none does within so long. */
static inline const char *
next_at(int fd, int milliseconds)
{
    static char text[2000];
    uint8_t data[OSC_MAX_RECEIVED];
    const char *why;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    *text = 0;
    if (poll(&p, 1, milliseconds) != 1)
        return text;
    const ssize_t n = recv(fd, data, sizeof data, 0);
    ck_assert(n > 0 && !osc_read(data, (size_t)n, write_message, text, &why));
    return text;
}

static inline const char *
answer(void)
{
    return next_at(asker, 5000);
}

/* The last settings that were handed to the analysis. */
static inline rt_options
handed(void)
{
    rt_options o;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 5;
    ck_assert(!sem_timedwait(&wake, &t));
    ck_assert(rt_ring_pop(settings, &o));
    return o;
}

#endif
