/* Who asks over OSC to be sent to, as destinations are; see control.h. */
#include "control_private.h"
#include "target.h"

#include <stdio.h>
#include <string.h>

static bool
same_peer(const osc_peer *a, const osc_peer *b)
{
    return a->port == b->port && a->is_ipv6 == b->is_ipv6 && a->scope == b->scope &&
           !memcmp(a->address, b->address, sizeof a->address);
}

/* The place of a subscriber, else a free one, else NULL. */
static rt_subscriber *
place_of(rt_control *c, const osc_peer *who)
{
    rt_subscriber *empty = NULL;
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++) {
        rt_subscriber *s = &c->subscriber[i];
        if (s->until_s > 0 && same_peer(&s->who, who))
            return s;
        if (!(s->until_s > 0) && !empty)
            empty = s;
    }
    return empty;
}

/* Who subscribes: who asks, perhaps at another port. */
static bool
subscriber_of(const rt_control *c, const osc_message *m, osc_peer *out, char *why,
              size_t len)
{
    *out = rt_control_asker(c);
    int port = 0;
    if (!rt_arg_number(m, 0, 0, 65535, &port)) {
        snprintf(why, len, "%s takes a port from 1 to 65535, or 0 for that of answers",
                 m->address);
        return false;
    }
    out->port = port ? (uint16_t)port : out->port;
    return true;
}

static void
tell_subscribed(rt_control *c, const osc_peer *who, int32_t seconds,
                const char *settings)
{
    char text[OSC_PEER_TEXT];
    osc_peer_text(who, text);
    const osc_arg args[] = {{.type = 's', .s = text},
                            {.type = 'i', .i = seconds},
                            {.type = 's', .s = settings}};
    rt_control_reply(c, "/hearken/subscribed", args, 3);
}

/* Into *t, without a socket. */
static bool
read_settings(const rt_control *c, rt_target *t, const char *settings, char *why,
              size_t len)
{
    char reason[RT_SENTENCE - 60];
    const rt_shelf *s = c->config.shelf;
    if (rt_target_read(t, settings, true, reason, sizeof reason) &&
        rt_target_choose(t, (const char(*)[RT_NAME])s->name, s->n, reason,
                         sizeof reason))
        return true;
    snprintf(why, len, "settings of a subscriber: %s", reason);
    return false;
}

/* Sends to it by these settings from now on, in place of others where it has some. */
static bool
send_by(rt_control *c, rt_subscriber *s, const osc_peer *who, const char *settings,
        char *why, size_t len)
{
    char text[OSC_PEER_TEXT];
    rt_target t;
    osc_peer_text(who, text);
    if (!read_settings(c, &t, settings, why, len) ||
        osc_dest_open(&t.dest, text, why, len))
        return false;
    if (!rt_publish_subscribe(c->config.publish, (uint32_t)(s - c->subscriber), &t)) {
        rt_target_close(&t);
        snprintf(why, len, "hearken is too busy to take a subscriber now; try again");
        return false;
    }
    s->who = *who;
    s->asks = rt_target_asks(&t);
    snprintf(s->settings, sizeof s->settings, "%s", settings);
    return true;
}

/* Has found what they all want, and no more. */
static void
ask(rt_control *c)
{
    uint32_t asked = c->asked;
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++)
        if (c->subscriber[i].until_s > 0)
            asked |= c->subscriber[i].asks;
    if (asked == c->options.match.asked)
        return;
    pthread_mutex_lock(&c->lock);
    c->options.match.asked = asked;
    pthread_mutex_unlock(&c->lock);
    c->due = true;
}

bool
rt_control_subscribe(rt_control *c, const osc_message *m, char *why, size_t len)
{
    osc_peer who;
    int seconds = RT_SUBSCRIBED_S;
    const char *settings = m->n_args > 2 ? rt_arg_string(m, 2) : "";
    if (!subscriber_of(c, m, &who, why, len))
        return false;
    if (!rt_arg_number(m, 1, 1, RT_SUBSCRIBED_S, &seconds) || !settings) {
        snprintf(
            why, len,
            "%s takes 1 to %d seconds, and then settings such as \"at=onsets,k=3\"",
            m->address, RT_SUBSCRIBED_S);
        return false;
    }
    rt_subscriber *s = place_of(c, &who);
    if (!s) {
        snprintf(why, len, "there are %d subscribers already; try again later",
                 RT_SUBSCRIBERS);
        return false;
    }
    const bool goes_on = s->until_s > 0 && !strcmp(s->settings, settings);
    if (!goes_on && !send_by(c, s, &who, settings, why, len))
        return false;
    s->until_s = c->now_s + seconds;
    ask(c);
    tell_subscribed(c, &who, seconds, settings);
    return true;
}

bool
rt_control_unsubscribe(rt_control *c, const osc_message *m, char *why, size_t len)
{
    osc_peer who;
    if (!subscriber_of(c, m, &who, why, len))
        return false;
    rt_subscriber *s = place_of(c, &who);
    if (s && s->until_s > 0)
        s->until_s = c->now_s; /* the thread takes it away */
    tell_subscribed(c, &who, 0, "");
    return true;
}

void
rt_control_expire(rt_control *c)
{
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++) {
        rt_subscriber *s = &c->subscriber[i];
        if (s->until_s > 0 && s->until_s <= c->now_s &&
            rt_publish_subscribe(c->config.publish, i, NULL))
            s->until_s = 0;
    }
    ask(c);
}

void
rt_control_resubscribe(rt_control *c, const rt_subscription s[RT_SUBSCRIBERS])
{
    char why[RT_SENTENCE];
    osc_peer who;
    c->now_s = rt_seconds();
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++)
        if (s[i].left_s > 0 && osc_peer_parse(&who, s[i].who) &&
            send_by(c, &c->subscriber[i], &who, s[i].settings, why, sizeof why))
            c->subscriber[i].until_s = c->now_s + s[i].left_s;
    ask(c);
}

void
rt_control_subscribed(const rt_control *c, rt_subscription s[RT_SUBSCRIBERS])
{
    const double now_s = rt_seconds();
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++) {
        const rt_subscriber *from = &c->subscriber[i];
        const double left_s = from->until_s - now_s;
        s[i].left_s = left_s > 0 ? left_s : 0;
        osc_peer_text(&from->who, s[i].who);
        snprintf(s[i].settings, sizeof s[i].settings, "%s", from->settings);
    }
}
