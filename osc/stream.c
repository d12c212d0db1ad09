/* Frames on a TCP stream. The one who sends never waits: connecting, too, goes on
 * between two calls. */
#include "dest.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 4 + OSC_MAX_DATAGRAM };

static const double first_pause_s = 0.25, last_pause_s = 8;

struct osc_stream {
    int fd; /* -1: none */
    bool connected;
    double retry_s, pause_s; /* when to connect again; what to wait after that */
    size_t sent, n;          /* of frame: what the system took, and what there is */
    uint8_t frame[FRAME];
    struct sockaddr_storage address;
    socklen_t address_len;
};

static double
now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* No connection: the next try is later. Keeps errno. */
static osc_status
hang_up(osc_stream *s)
{
    const int error = errno;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->connected = false;
    s->n = s->sent = 0;
    s->retry_s = now_s() + s->pause_s;
    s->pause_s = s->pause_s * 2 < last_pause_s ? s->pause_s * 2 : last_pause_s;
    errno = error;
    return OSC_EIO;
}

static void
begin(osc_stream *s)
{
    const int on = 1;
    s->fd = socket(s->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        hang_up(s);
        return;
    }
    /* a finding is of use now, not when there are more of them */
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    s->connected = !connect(s->fd, (const void *)&s->address, s->address_len);
    if (!s->connected && errno != EINPROGRESS)
        hang_up(s);
}

/* Whether connecting has come to an end, without waiting for it. */
static bool
is_connected(osc_stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;
    if (s->connected || poll(&p, 1, 0) <= 0)
        return s->connected;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error)
        hang_up(s);
    else
        s->connected = true;
    return s->connected;
}

/* What a receiver says is not for us, but that it went is: a first write after that
 * would still succeed. */
static bool
is_there(osc_stream *s)
{
    char away[512];
    ssize_t got;
    for (int i = 0; i < 8; i++) {
        got = recv(s->fd, away, sizeof away, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (got < 0)
            return true;
    }
    return true;
}

/* Goes on with the frame. OSC_EIO with EAGAIN: some of it is left. */
static osc_status
flush(osc_stream *s)
{
    while (s->sent < s->n) {
        const ssize_t took =
            send(s->fd, s->frame + s->sent, s->n - s->sent, MSG_NOSIGNAL);
        if (took < 0 && errno == EINTR)
            continue;
        if (took < 0)
            return errno == EAGAIN ? OSC_EIO : hang_up(s);
        s->sent += (size_t)took;
    }
    return OSC_OK;
}

osc_status
osc_stream_send(osc_stream *s, const uint8_t data[], size_t n)
{
    if (s->fd < 0 && now_s() >= s->retry_s)
        begin(s);
    if (s->fd < 0 || !is_connected(s) || !is_there(s)) {
        if (s->connected) /* and not there any more */
            hang_up(s);
        errno = ENOTCONN;
        return OSC_EIO;
    }
    osc_status st = flush(s); /* what is left of the one before */
    if (st)
        return st;
    s->pause_s = first_pause_s; /* a connection that carries something is a good one */
    s->frame[0] = s->frame[1] = 0;
    s->frame[2] = (uint8_t)(n >> 8);
    s->frame[3] = (uint8_t)n;
    memcpy(s->frame + 4, data, n);
    s->sent = 0;
    s->n = 4 + n;
    st = flush(s);
    if (!st || !s->sent)
        s->n = s->sent = 0;             /* all of it, or nothing: then it is dropped */
    return st && s->sent ? OSC_OK : st; /* once begun, it will be sent */
}

osc_stream *
osc_stream_new(const struct addrinfo *address)
{
    osc_stream *s = calloc(1, sizeof *s);
    if (!s || address->ai_addrlen > sizeof s->address) {
        free(s);
        return NULL;
    }
    memcpy(&s->address, address->ai_addr, address->ai_addrlen);
    s->address_len = address->ai_addrlen;
    s->fd = -1;
    s->pause_s = first_pause_s;
    begin(s);
    return s;
}

void
osc_stream_free(osc_stream *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}
