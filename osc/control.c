/* The socket that commands come by, and who may send them. */
#include "control.h"

#include "dest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tokens grow with time up to a second's; each message takes one (a token bucket). */
typedef struct {
    osc_peer who;
    double tokens, last_s; /* last_s: 0 for a place that is free */
} bucket;

struct osc_control {
    int fd, family;
    size_t n_allowed;
    osc_range allowed[OSC_MAX_RANGES];
    bucket all, source[OSC_SOURCES];
};

/* ---- Addresses ----------------------------------------------------------------- */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:a.b.c.d */

osc_peer
osc_peer_of(const struct sockaddr *from, size_t len)
{
    osc_peer p = {.is_ipv6 = false};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->sa_family == AF_INET && len >= sizeof v4) {
        memcpy(&v4, from, sizeof v4);
        memcpy(p.address, &v4.sin_addr, 4);
        p.port = ntohs(v4.sin_port);
    }
    if (from->sa_family != AF_INET6 || len < sizeof v6)
        return p;
    memcpy(&v6, from, sizeof v6);
    const uint8_t *address = v6.sin6_addr.s6_addr;
    p.port = ntohs(v6.sin6_port);
    p.is_ipv6 = memcmp(address, mapped, sizeof mapped) != 0;
    p.scope = p.is_ipv6 ? v6.sin6_scope_id : 0;
    memcpy(p.address, p.is_ipv6 ? address : address + 12, p.is_ipv6 ? 16 : 4);
    return p;
}

/* As a socket of that family takes it; its length. */
static socklen_t
socket_address(struct sockaddr_storage *out, const osc_peer *p, int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(p->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                              .sin6_port = htons(p->port),
                              .sin6_scope_id = p->scope};
    if (family == AF_INET) {
        memcpy(&v4.sin_addr, p->address, 4);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    if (p->is_ipv6) {
        memcpy(&v6.sin6_addr, p->address, 16);
    } else {
        memcpy(&v6.sin6_addr, mapped, sizeof mapped);
        memcpy((uint8_t *)&v6.sin6_addr + 12, p->address, 4);
    }
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

void
osc_peer_text(const osc_peer *p, char out[OSC_PEER_TEXT])
{
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(p->is_ipv6 ? AF_INET6 : AF_INET, p->address, address, sizeof address);
    if (!p->is_ipv6)
        snprintf(out, OSC_PEER_TEXT, "%s:%u", address, p->port);
    else if (p->scope)
        snprintf(out, OSC_PEER_TEXT, "[%s%%%u]:%u", address, p->scope, p->port);
    else
        snprintf(out, OSC_PEER_TEXT, "[%s]:%u", address, p->port);
}

bool
osc_peer_parse(osc_peer *out, const char *text)
{
    char why[300];
    dest_parts parts;
    struct addrinfo *list;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    if (osc_dest_parse(&parts, text, why, sizeof why) ||
        getaddrinfo(parts.host, parts.port, &hints, &list))
        return false;
    *out = osc_peer_of(list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return true;
}

bool
osc_peer_is_loopback(const osc_peer *p)
{
    static const uint8_t one[16] = {[15] = 1};
    return p->is_ipv6 ? !memcmp(p->address, one, 16) : p->address[0] == 127;
}

osc_status
osc_range_parse(osc_range *out, const char *text, char *why, size_t why_len)
{
    char address[INET6_ADDRSTRLEN];
    const size_t len = strcspn(text, "/");
    const char *bits = text[len] ? text + len + 1 : NULL;
    const size_t digits = bits ? strspn(bits, "0123456789") : 0;
    *out = (osc_range){.is_ipv6 = memchr(text, ':', len) != NULL};
    const unsigned most = out->is_ipv6 ? 128 : 32;
    bool ok = len > 0 && len < sizeof address;
    if (ok) {
        memcpy(address, text, len);
        address[len] = 0;
        ok = inet_pton(out->is_ipv6 ? AF_INET6 : AF_INET, address, out->address) == 1;
    }
    out->bits = most;
    if (bits) {
        ok = ok && digits && digits <= 3 && !bits[digits];
        out->bits = ok ? (uint32_t)strtoul(bits, NULL, 10) : 0;
    }
    if (ok && out->bits <= most)
        return OSC_OK;
    snprintf(why, why_len,
             "\"%.60s\" is no range of addresses; it is written ADDRESS or "
             "ADDRESS/BITS, such as 192.168.1.0/24",
             text);
    return OSC_EARG;
}

bool
osc_range_holds(const osc_range *r, const osc_peer *p)
{
    const uint32_t bytes = r->bits / 8, rest = r->bits % 8;
    if (r->is_ipv6 != p->is_ipv6 || memcmp(r->address, p->address, bytes) != 0)
        return false;
    return !rest || !((r->address[bytes] ^ p->address[bytes]) >> (8 - rest));
}

/* ---- Opening ------------------------------------------------------------------- */

/* Returns the socket, or -1 with errno. */
static int
bind_to(const struct addrinfo *a)
{
    const int on = 1;
    const int fd =
        socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const bool tcp = a->ai_socktype == SOCK_STREAM;
    /* of TCP a port stays taken for a minute after its last connection */
    if (!(tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) &&
        !bind(fd, a->ai_addr, a->ai_addrlen) && !(tcp && listen(fd, 16)))
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static osc_status
resolve(struct addrinfo **list, const char *text, int type, char *why, size_t why_len)
{
    dest_parts parts;
    *list = NULL;
    if (osc_dest_parse(&parts, text, why, why_len)) {
        snprintf(why, why_len,
                 "\"%.80s\" is no place to listen at; it is written HOST:PORT, "
                 "[IPv6]:PORT or :PORT, such as 127.0.0.1:9009",
                 text);
        return OSC_EARG;
    }
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = type,
                                   .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    const int rc = getaddrinfo(parts.host, parts.port, &hints, list);
    if (!rc)
        return OSC_OK;
    snprintf(why, why_len, "the host of \"%.80s\" is not known here (%s)", text,
             rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    return rc == EAI_MEMORY ? OSC_ENOMEM : OSC_ERESOLVE;
}

/* A socket bound to the first address of text; errno as osc_control_open() says. */
static osc_status
open_bound(int *fd, int *family, const char *text, int type, char *why, size_t why_len)
{
    struct addrinfo *list;
    *fd = -1;
    const osc_status st = resolve(&list, text, type, why, why_len);
    if (st)
        return st;
    *family = list->ai_family;
    *fd = bind_to(list);
    const int error = errno;
    freeaddrinfo(list);
    if (*fd < 0)
        snprintf(why, why_len, "%s cannot be taken at \"%.80s\": %s",
                 type == SOCK_STREAM ? "questions" : "commands", text,
                 error == EADDRINUSE ? "another program has that port"
                                     : strerror(error));
    errno = error;
    return *fd < 0 ? OSC_EIO : OSC_OK;
}

osc_status
osc_tcp_listen(int *fd, const char *text, char *why, size_t why_len)
{
    int family;
    return open_bound(fd, &family, text, SOCK_STREAM, why, why_len);
}

osc_status
osc_control_open(osc_control **out, const char *text, const osc_range allowed[],
                 size_t n_allowed, char *why, size_t why_len)
{
    *out = NULL;
    if (n_allowed > OSC_MAX_RANGES) {
        snprintf(why, why_len, "%d ranges of addresses at most", OSC_MAX_RANGES);
        return OSC_EARG;
    }
    osc_control *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_len, "there is not enough memory to take commands");
        return OSC_ENOMEM;
    }
    const osc_status st =
        open_bound(&c->fd, &c->family, text, SOCK_DGRAM, why, why_len);
    if (st) {
        free(c); /* it has no socket; errno stays */
        return st;
    }
    c->n_allowed = n_allowed;
    if (n_allowed)
        memcpy(c->allowed, allowed, n_allowed * sizeof *allowed);
    *out = c;
    return OSC_OK;
}

void
osc_control_close(osc_control *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c);
}

osc_peer
osc_control_self(const osc_control *c)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    getsockname(c->fd, (void *)&at, &len);
    return osc_peer_of((void *)&at, len);
}

/* ---- Rates --------------------------------------------------------------------- */

static bool
spend(bucket *b, double now_s, double rate)
{
    b->tokens += b->last_s > 0 ? (now_s - b->last_s) * rate : rate;
    b->tokens = b->tokens < rate ? b->tokens : rate;
    b->last_s = now_s > 0 ? now_s : 1e-9;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* The bucket of an address: its own, or that which was not used for longest. */
static bucket *
bucket_of(osc_control *c, const osc_peer *who)
{
    bucket *oldest = &c->source[0];
    for (size_t i = 0; i < OSC_SOURCES; i++) {
        bucket *b = &c->source[i];
        if (b->last_s > 0 && b->who.is_ipv6 == who->is_ipv6 &&
            !memcmp(b->who.address, who->address, sizeof who->address))
            return b;
        if (b->last_s < oldest->last_s)
            oldest = b;
    }
    *oldest = (bucket){.who = *who};
    return oldest;
}

bool
osc_control_spend(osc_control *c, double now_s, const osc_peer *from)
{
    return spend(bucket_of(c, from), now_s, OSC_RATE) &&
           spend(&c->all, now_s, OSC_RATE_ALL);
}

/* ---- Datagrams ----------------------------------------------------------------- */

bool
osc_control_may(const osc_control *c, const osc_peer *from)
{
    for (size_t i = 0; i < c->n_allowed; i++)
        if (osc_range_holds(&c->allowed[i], from))
            return true;
    return false;
}

int
osc_control_fd(const osc_control *c)
{
    return c->fd;
}

osc_arrival
osc_control_receive(osc_control *c, double now_s, uint8_t data[OSC_MAX_RECEIVED],
                    size_t *n, osc_peer *from)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    *n = 0;
    const ssize_t got =
        recvfrom(c->fd, data, OSC_MAX_RECEIVED, MSG_TRUNC, (void *)&at, &len);
    if (got < 0)
        return OSC_NOTHING;
    *from = osc_peer_of((void *)&at, len);
    if (!osc_control_may(c, from))
        return OSC_FOREIGN;
    if (!osc_control_spend(c, now_s, from))
        return OSC_LIMITED;
    if (got > OSC_MAX_RECEIVED)
        return OSC_TOO_LONG;
    *n = (size_t)got;
    return OSC_GOT;
}

osc_status
osc_control_reply(const osc_control *c, const osc_peer *to, const uint8_t data[],
                  size_t n)
{
    struct sockaddr_storage at = {0};
    const socklen_t len = socket_address(&at, to, c->family);
    if (n == 0 || n > OSC_MAX_DATAGRAM)
        return OSC_EARG;
    return sendto(c->fd, data, n, MSG_NOSIGNAL, (const void *)&at, len) >= 0 ? OSC_OK
                                                                             : OSC_EIO;
}
