/*
 * Tells a service manager how listen is: the datagrams of sd_notify(3), written by
 * hand, to the socket that $NOTIFY_SOCKET names. Without it nothing happens.
 *
 * Main thread. Nothing here allocates, and nothing waits: what the manager does not
 * take now is told again at the next tick.
 */
#ifndef HEARKEN_RT_NOTIFY_H
#define HEARKEN_RT_NOTIFY_H

#include "counts.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { RT_NOTIFY_TEXT = 200 };

typedef struct {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un to;
    socklen_t to_len;
    bool ready;               /* READY=1 has been taken */
    double feed_s, next_feed; /* seconds between two WATCHDOG=1; 0: no watchdog */
    double next_news;         /* when the status may be told again */
    char told[RT_NOTIFY_TEXT];
} rt_notify;

/*
 * Takes the socket, and the watchdog's time if it is meant for this process, from the
 * environment. False, with why, when a part of that cannot be used; the rest then is.
 */
bool rt_notify_open(rt_notify *n, char *why, size_t why_len);

/*
 * Four times a second, more or less. now is rt_seconds(); alive says that audio is
 * being analysed, or that there is nothing to do but to wait for a server; status is
 * what systemctl status shows; it is told when it changes, once a second at most.
 *
 * The first time that it is alive tells READY=1. The watchdog is fed while it is alive
 * only, at a quarter of its time, so that it is never later than half.
 */
void rt_notify_tick(rt_notify *n, double now, bool alive, const char *status);

/* The state, and what was lost so far: a status that is news only when it should be. */
void rt_notify_status(char *out, size_t cap, const char *state, const rt_counts *c);

/* Tells STOPPING=1: the end has begun. */
void rt_notify_close(rt_notify *n);

#endif
