/* The thread that takes commands; see control.h. */
#include "control_private.h"

#include "dsp/dsp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    WAIT_MS = 100, /* between two looks at expiry and the end */
    A_TURN = 256,  /* datagrams between them, when they do not cease */
    NICENESS = 10, /* analysis and publishing go first where nothing is real-time */
};

static bool
is_among(const char *address, const rt_answer *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(address, a[i].address))
            return true;
    return false;
}

/* What hearken itself sends is never answered, so that two of them that were pointed at
 * each other do not talk for ever. */
static bool
is_ours(const char *address)
{
    size_t n_answers, n_sent;
    char plain[RT_ADDRESS];
    const rt_answer *answers = rt_answers(&n_answers), *sent = rt_sent(&n_sent);
    const char *last = strrchr(address, '/'); /* of /hearken/NAME/match */
    snprintf(plain, sizeof plain, "/hearken%.60s", last ? last : "");
    return is_among(address, answers, n_answers) || is_among(address, sent, n_sent) ||
           (!strncmp(address, "/hearken/", 9) && is_among(plain, sent, n_sent) &&
            !rt_setting_at(address));
}

osc_peer
rt_control_asker(const rt_control *c)
{
    osc_peer to = c->from;
    if (c->options.osc.reply_port)
        to.port = (uint16_t)c->options.osc.reply_port;
    return to;
}

bool
rt_control_reply(rt_control *c, const char *address, const osc_arg args[], uint32_t n)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    const osc_peer to = rt_control_asker(c);
    const size_t bytes = osc_message_encode(data, sizeof data, address, args, n);
    const bool sent = bytes && !osc_control_reply(c->socket, &to, data, bytes);
    rt_count(c->config.counts, sent ? RT_N_replies : RT_N_lost_replies, 1);
    return bytes; /* what the system does not take is lost, as in any network */
}

static void
refuse(rt_control *c, char *why)
{
    rt_count(c->config.counts, RT_N_bad_commands, 1);
    for (char *p = why; *p; p++) /* it quotes what strangers sent */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    rt_control_reply(c, "/hearken/error", &(osc_arg){.type = 's', .s = why}, 1);
}

static bool
obey(rt_control *c, const osc_message *m, char *why, size_t len)
{
    size_t n;
    const rt_control_command *command = rt_control_commands(&n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(m->address, command[i].address))
            return command[i].run(c, m, why, len);
    const rt_field *f = rt_setting_at(m->address);
    if (f && m->n_args)
        return rt_setting_change(c, f, m, 0, why, len);
    if (f)
        return rt_setting_tell(c, f, why, len);
    snprintf(why, len,
             "there is no address \"%.80s\" here; /hearken/list tells the settings",
             m->address);
    return false;
}

static void
answer(rt_control *c, const osc_message *m)
{
    char why[RT_SENTENCE] = "";
    if (obey(c, m, why, sizeof why))
        rt_count(c->config.counts, RT_N_commands, 1);
    else
        refuse(c, why);
}

/* Answers a message to a pattern as one to each address that it fits, of commands and
 * of settings that can change; or only counts these, without a message. */
static uint32_t
answer_each(rt_control *c, const char *pattern, const osc_message *m)
{
    size_t n_commands, n_fields;
    char address[RT_ADDRESS];
    uint32_t n = 0;
    const rt_control_command *command = rt_control_commands(&n_commands);
    const rt_field *f = rt_fields(&n_fields);
    osc_message one = m ? *m : (osc_message){.n_args = 0};
    for (size_t i = 0; i < n_commands + n_fields; i++) {
        if (i < n_commands)
            snprintf(address, sizeof address, "%s", command[i].address);
        else if (f[i - n_commands].commands & RT_LIVE)
            rt_setting_address(&f[i - n_commands], address);
        else
            continue;
        if (!osc_pattern_fits(pattern, address))
            continue;
        n++;
        one.address = address;
        if (m)
            answer(c, &one);
    }
    return n;
}

/* The first message is paid for already; the others are here. */
static bool
may_all(rt_control *c, uint32_t n_messages)
{
    for (uint32_t i = 1; i < n_messages; i++)
        if (!osc_control_spend(c->socket, c->now_s, &c->from))
            return false;
    return true;
}

/* Each address counts as a message. */
static void
answer_pattern(rt_control *c, const osc_message *m)
{
    char why[RT_SENTENCE];
    const uint32_t n = answer_each(c, m->address, NULL);
    if (!n) {
        snprintf(why, sizeof why,
                 "no address here fits \"%.80s\"; /hearken/list tells the settings",
                 m->address);
        refuse(c, why);
    } else if (!may_all(c, n)) {
        rt_count(c->config.counts, RT_N_refused_commands, 1);
    } else {
        answer_each(c, m->address, m);
    }
}

static void
on_message(void *ctx, const osc_message *m)
{
    rt_control *c = ctx;
    if (is_ours(m->address))
        rt_count(c->config.counts, RT_N_bad_commands, 1);
    else if (osc_is_pattern(m->address))
        answer_pattern(c, m);
    else
        answer(c, m);
}

static void
count_message(void *ctx, const osc_message *m)
{
    (void)m;
    ++*(uint32_t *)ctx;
}

static void
take(rt_control *c, const uint8_t data[], size_t n)
{
    const char *fault;
    char why[RT_SENTENCE];
    uint32_t n_messages = 0;
    if (osc_read(data, n, count_message, &n_messages, &fault)) {
        snprintf(why, sizeof why, "that is no OSC: %s", fault);
        refuse(c, why);
    } else if (!may_all(c, n_messages)) {
        rt_count(c->config.counts, RT_N_refused_commands, 1);
    } else {
        osc_read(data, n, on_message, c, &fault);
    }
}

/* Takes what has come, a turn of it. */
static void
take_all(rt_control *c)
{
    uint8_t data[OSC_MAX_RECEIVED];
    char why[RT_SENTENCE];
    size_t n;
    for (int i = 0; i < A_TURN; i++) {
        c->now_s = rt_seconds();
        switch (osc_control_receive(c->socket, c->now_s, data, &n, &c->from)) {
        case OSC_NOTHING:
            return;
        case OSC_GOT:
            take(c, data, n);
            break;
        case OSC_TOO_LONG:
            snprintf(why, sizeof why, "a datagram may have %d bytes", OSC_MAX_RECEIVED);
            refuse(c, why);
            break;
        case OSC_FOREIGN:
        case OSC_LIMITED:
            rt_count(c->config.counts, RT_N_refused_commands, 1);
        }
    }
}

/* All settings at once, so that where the ring is full a later turn makes up for it. */
static void
hand_over(rt_control *c)
{
    if (!c->due)
        return;
    c->due = !rt_ring_push(c->config.settings, &c->options);
    sem_post(c->config.settings_wake);
}

static void *
run(void *arg)
{
    rt_control *c = arg;
    dsp_thread_init();                      /* queries of files */
    setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread, on Linux */
    while (!atomic_load(&c->stop)) {
        struct pollfd p[2] = {{.fd = osc_control_fd(c->socket), .events = POLLIN}};
        if (c->oscquery)
            p[1] = (struct pollfd){.fd = rt_oscquery_fd(c->oscquery), .events = POLLIN};
        poll(p, c->oscquery ? 2 : 1, WAIT_MS);
        take_all(c);
        if (c->oscquery)
            rt_oscquery_run(c->oscquery);
        c->now_s = rt_seconds();
        rt_control_expire(c);
        hand_over(c);
    }
    return NULL;
}

/* ---- From the main thread -------------------------------------------------------- */

static bool
add_range(osc_range ranges[], size_t *n, const char *text, char *why, size_t len)
{
    if (strcmp(text, "loopback") != 0)
        return !osc_range_parse(&ranges[(*n)++], text, why, len);
    return !osc_range_parse(&ranges[(*n)++], "127.0.0.0/8", why, len) &&
           !osc_range_parse(&ranges[(*n)++], "::1", why, len);
}

static bool
read_allowed(const rt_list *allow, osc_range ranges[OSC_MAX_RANGES], size_t *n,
             char *why, size_t len)
{
    char reason[200];
    *n = 0;
    for (uint32_t i = 0; i < allow->n; i++) {
        if (*n + 2 > OSC_MAX_RANGES) {
            snprintf(why, len, "osc.allow: %d ranges at most", OSC_MAX_RANGES - 1);
            return false;
        }
        if (!add_range(ranges, n, allow->item[i], reason, sizeof reason)) {
            snprintf(why, len, "osc.allow: %s, or loopback", reason);
            return false;
        }
    }
    return true;
}

/* False, with why, only for what a setting says wrongly. */
static bool
open_socket(rt_control *c, char *why, size_t len)
{
    const rt_options *o = c->config.options;
    osc_range ranges[OSC_MAX_RANGES];
    char reason[300];
    size_t n;
    if (!read_allowed(&o->osc.allow, ranges, &n, why, len))
        return false;
    const osc_status st =
        osc_control_open(&c->socket, o->osc.listen, ranges, n, reason, sizeof reason);
    if (st == OSC_EARG || st == OSC_ENOMEM) {
        snprintf(why, len, "osc.listen: %s", reason);
        return false;
    }
    if (st) {
        rt_warn("%s; going on without them (--osc-listen says where)", reason);
        return true;
    }
    const osc_peer self = osc_control_self(c->socket);
    if (!osc_peer_is_loopback(&self) && o->osc.allow.n == 1 &&
        !strcmp(o->osc.allow.item[0], "loopback"))
        rt_warn("commands are taken at %s, but from this machine alone; --osc-allow "
                "lets others command",
                o->osc.listen);
    return true;
}

/* False, with why, only for what a setting says wrongly. */
static bool
open_oscquery(rt_control *c, char *why, size_t len)
{
    const rt_oscquery_config config = {&c->options, c->socket};
    const char *at = c->options.osc.query;
    char reason[300];
    if (!c->socket || !strcmp(at, "none"))
        return true;
    const osc_status st =
        rt_oscquery_open(&c->oscquery, at, &config, reason, sizeof reason);
    if (st == OSC_EARG) {
        snprintf(why, len, "osc.query: %s", reason);
        return false;
    }
    if (st)
        rt_warn("%s; going on without OSCQuery (--osc-query says where)", reason);
    return true;
}

bool
rt_control_open(rt_control **out, const rt_control_config *config, char *why,
                size_t why_len)
{
    *out = NULL;
    if (!strcmp(config->options->osc.listen, "none"))
        return true;
    rt_control *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_len, "there is not enough memory to take commands");
        return false;
    }
    c->config = *config;
    pthread_mutex_init(&c->lock, NULL);
    c->options = *config->options;
    c->asked = c->options.match.asked;
    const bool ok = open_socket(c, why, why_len) && open_oscquery(c, why, why_len);
    if (ok && c->socket)
        *out = c;
    else
        rt_control_close(c);
    return ok;
}

bool
rt_control_start(rt_control *c, char *why, size_t why_len)
{
    if (!c)
        return true;
    if (c->config.subscribed)
        rt_control_resubscribe(c, c->config.subscribed);
    c->started = rt_thread_start(&c->thread, run, c, 0, NULL);
    if (!c->started)
        snprintf(why, why_len, "the system gives no thread to take commands with");
    return c->started;
}

void
rt_control_now(rt_control *c, rt_options *out)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    *out = c->options;
    pthread_mutex_unlock(&c->lock);
}

void
rt_control_stop(rt_control *c)
{
    if (!c || !c->started)
        return;
    atomic_store(&c->stop, true);
    pthread_join(c->thread, NULL);
    c->started = false;
    if (c->config.subscribed)
        rt_control_subscribed(c, c->config.subscribed);
}

void
rt_control_close(rt_control *c)
{
    if (!c)
        return;
    rt_control_stop(c);
    rt_oscquery_close(c->oscquery);
    osc_control_close(c->socket);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
