/* sd_notify(3) without its library: lines of NAME=VALUE in one datagram. */
#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Below, a late tick (they come every 0.25 s) may miss half of its time. */
static const double shortest_watchdog_s = 2;

static bool
whole_number(const char *text, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* A path, or with @ in front a name in the kernel's abstract space. */
static bool
take_address(rt_notify *n, const char *name)
{
    const size_t len = strlen(name);
    if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof n->to.sun_path)
        return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, len);
    if (*name == '@')
        n->to.sun_path[0] = '\0';
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

static bool
take_watchdog(rt_notify *n, char *why, size_t why_len)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    unsigned long long us, who;
    if (!usec)
        return true;
    if (pid && whole_number(pid, &who) && who != (unsigned long long)getpid())
        return true; /* another process of this service is watched */
    if (!whole_number(usec, &us) || us == 0) {
        snprintf(why, why_len,
                 "the watchdog is not fed, because WATCHDOG_USEC=%.40s is no time",
                 usec);
        return false;
    }
    const double seconds = 1e-6 * (double)us;
    n->feed_s = seconds / 4;
    if (seconds >= shortest_watchdog_s)
        return true;
    snprintf(why, why_len,
             "a watchdog of %g s may strike for nothing; set WatchdogSec= to %g s or "
             "more",
             seconds, shortest_watchdog_s);
    return false;
}

bool
rt_notify_open(rt_notify *n, char *why, size_t why_len)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *n = (rt_notify){.fd = -1};
    if (!name || !*name)
        return true;
    if (!take_address(n, name)) {
        snprintf(why, why_len,
                 "the service manager is not told anything, because "
                 "NOTIFY_SOCKET=%.120s is neither /path nor @name",
                 name);
        return false;
    }
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (n->fd < 0) {
        snprintf(why, why_len, "the service manager is not told anything: %s",
                 strerror(errno));
        return false;
    }
    return take_watchdog(n, why, why_len);
}

static bool
tell(const rt_notify *n, const char *text)
{
    return sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&n->to, n->to_len) >= 0;
}

/* One line: a port may be called what it likes. */
static void
one_line(char out[RT_NOTIFY_TEXT], const char *text)
{
    snprintf(out, RT_NOTIFY_TEXT, "%s", text);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

void
rt_notify_tick(rt_notify *n, double now, bool alive, const char *status)
{
    char line[RT_NOTIFY_TEXT], text[RT_NOTIFY_TEXT + 64];
    if (n->fd < 0)
        return;
    one_line(line, status);
    const bool ready = alive && !n->ready;
    const bool news = now >= n->next_news && strcmp(line, n->told) != 0;
    const bool feed = alive && n->feed_s > 0 && now >= n->next_feed;
    snprintf(text, sizeof text, "%s%s%s%s%s", ready ? "READY=1\n" : "",
             feed ? "WATCHDOG=1\n" : "", news ? "STATUS=" : "", news ? line : "",
             news ? "\n" : "");
    if (!*text || !tell(n, text))
        return;
    n->ready = n->ready || ready;
    if (feed)
        n->next_feed = now + n->feed_s;
    if (news) {
        n->next_news = now + 1;
        memcpy(n->told, line, sizeof line);
    }
}

void
rt_notify_status(char *out, size_t cap, const char *state, const rt_counts *c)
{
    static const struct {
        int which;
        const char *what;
    } losses[] = {
        {RT_N_lost_frames, "samples lost"},
        {RT_N_dropped_matches, "matches dropped"},
        {RT_N_failed, "messages failed"},
        {RT_N_unprinted, "lines unprinted"},
    };
    size_t at = (size_t)snprintf(out, cap, "%s", state);
    bool lost = false;
    for (size_t i = 0; i < sizeof losses / sizeof *losses && at < cap; i++) {
        const uint64_t n = rt_counted(c, losses[i].which);
        if (!n)
            continue;
        at += (size_t)snprintf(out + at, cap - at, "%s%llu %s", lost ? ", " : "; ",
                               (unsigned long long)n, losses[i].what);
        lost = true;
    }
    if (!lost && at < cap)
        snprintf(out + at, cap - at, "; nothing lost");
}

void
rt_notify_close(rt_notify *n)
{
    if (n->fd < 0)
        return;
    tell(n, "STOPPING=1\n");
    close(n->fd);
    n->fd = -1;
}
