#include "nsm.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <lo/lo.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct rt_nsm {
    int fd;
    struct sockaddr_in manager;
};

static const char announce[] = "/nsm/server/announce";
static const char *const order_path[] = {
    [RT_NSM_OPEN] = "/nsm/client/open",
    [RT_NSM_BAD_OPEN] = "/nsm/client/open",
    [RT_NSM_SAVE] = "/nsm/client/save",
};

/* ---- What comes ------------------------------------------------------------------
 */

typedef struct {
    const uint8_t *data;
    size_t n, at;
} reader;

/* A text with the zeros behind it; NULL where it does not end within the datagram. */
static const char *
take_text(reader *r)
{
    const char *text = (const char *)r->data + r->at;
    const size_t left = r->n - r->at, length = strnlen(text, left);
    if (length == left || length / 4 * 4 + 4 > left)
        return NULL;
    r->at += length / 4 * 4 + 4;
    return text;
}

static bool
take_i32(reader *r)
{
    const bool is_there = r->n - r->at >= 4;
    r->at += is_there ? 4 : 0;
    return is_there;
}

/* As many texts as there is room for, numbers passed over. False when an argument is
 * cut off or of another type. */
static bool
take_texts(reader *r, const char *types, const char *text[], size_t cap)
{
    size_t n = 0;
    for (; *types; types++) {
        const char *t = *types == 's' ? take_text(r) : NULL;
        if (*types == 's' ? !t : *types != 'i' || !take_i32(r))
            return false;
        if (t && n < cap)
            text[n++] = t;
    }
    return true;
}

/* Copies, cut where it is too long, what may stand in a terminal. */
static void
copy_plain(char *to, size_t cap, const char *text)
{
    size_t n = 0;
    for (; *text && n + 1 < cap; text++)
        to[n++] = iscntrl((unsigned char)*text) ? '?' : *text;
    to[n] = 0;
}

static bool
is_plain(const char *text, size_t cap)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)text[i]))
            return false;
    return n > 0 && n < cap;
}

static void
take_open(rt_nsm_order *order, const char *path, const char *client)
{
    const char *fault = NULL;
    if (*path != '/' || !is_plain(path, sizeof order->path))
        fault = "the path of the project is not absolute, or too long";
    else if (!is_plain(client, sizeof order->client) || strchr(client, ':'))
        fault = "the client's id cannot be the name of a JACK client";
    order->kind = fault ? RT_NSM_BAD_OPEN : RT_NSM_OPEN;
    snprintf(order->path, sizeof order->path, "%s", fault ? "" : path);
    snprintf(order->client, sizeof order->client, "%s", fault ? "" : client);
    snprintf(order->text, sizeof order->text, "%s", fault ? fault : "");
}

void
rt_nsm_parse(rt_nsm_order *order, const uint8_t data[], size_t n)
{
    reader r = {data, n, 0};
    const char *text[3] = {"", "", ""};
    memset(order, 0, sizeof *order);
    const char *path = take_text(&r), *types = path ? take_text(&r) : NULL;
    if (!types || *types != ',' || !take_texts(&r, types + 1, text, 3))
        return;
    if (!strcmp(path, order_path[RT_NSM_OPEN]) && !strcmp(types, ",sss"))
        take_open(order, text[0], text[2]);
    else if (!strcmp(path, order_path[RT_NSM_SAVE]))
        order->kind = RT_NSM_SAVE;
    else if (!strcmp(path, "/reply") && !strcmp(text[0], announce))
        order->kind = RT_NSM_WELCOME;
    else if (!strcmp(path, "/error") && !strcmp(text[0], announce))
        order->kind = RT_NSM_REFUSED;
    if (order->kind == RT_NSM_WELCOME || order->kind == RT_NSM_REFUSED)
        copy_plain(order->text, sizeof order->text, text[1]);
}

/* The manager's own port, and its address or, where that is on the loopback, another
 * one there: a manager on 127.0.1.1, as Debian's hosts are named, answers from
 * 127.0.0.1. */
static bool
is_manager(const rt_nsm *nsm, const struct sockaddr_in *from)
{
    const uint32_t a = ntohl(nsm->manager.sin_addr.s_addr),
                   b = ntohl(from->sin_addr.s_addr);
    return from->sin_family == AF_INET && from->sin_port == nsm->manager.sin_port &&
           (a == b || (a >> 24 == 127 && b >> 24 == 127));
}

bool
rt_nsm_take(rt_nsm *nsm, rt_nsm_order *order)
{
    enum { DATAGRAMS = 64, MAX_DATAGRAM = 4096 }; /* longer ones are cut, and refused */
    uint8_t data[MAX_DATAGRAM];
    for (int i = 0; i < DATAGRAMS; i++) {
        struct sockaddr_in from = {0};
        socklen_t from_len = sizeof from;
        const ssize_t n = recvfrom(nsm->fd, data, sizeof data, MSG_DONTWAIT,
                                   (struct sockaddr *)&from, &from_len);
        if (n < 0 && errno != ECONNREFUSED) /* of an earlier datagram of ours */
            return false;
        if (n < 0 || from_len != sizeof from || !is_manager(nsm, &from))
            continue;
        rt_nsm_parse(order, data, (size_t)n);
        if (order->kind != RT_NSM_OTHER)
            return true;
    }
    return false;
}

/* ---- What goes -------------------------------------------------------------------
 */

/* Takes the message, which may be NULL; what is lost is as a datagram lost. */
static void
send_message(const rt_nsm *nsm, const char *path, lo_message m)
{
    size_t n = 0;
    void *data = m ? lo_message_serialise(m, path, NULL, &n) : NULL;
    if (data)
        sendto(nsm->fd, data, n, MSG_DONTWAIT, (const struct sockaddr *)&nsm->manager,
               sizeof nsm->manager);
    free(data);
    if (m)
        lo_message_free(m);
}

void
rt_nsm_announce(rt_nsm *nsm, const char *program)
{
    lo_message m = lo_message_new();
    if (m)
        lo_message_add(m, "sssiii", "hearken", ":message:", program, 1, 1,
                       (int)getpid());
    send_message(nsm, announce, m);
}

void
rt_nsm_reply(rt_nsm *nsm, rt_nsm_kind to, int code, const char *text)
{
    lo_message m = lo_message_new();
    if (m && code)
        lo_message_add(m, "sis", order_path[to], code, text);
    else if (m)
        lo_message_add(m, "ss", order_path[to], text);
    send_message(nsm, code ? "/error" : "/reply", m);
}

void
rt_nsm_message(rt_nsm *nsm, int priority, const char *text)
{
    lo_message m = lo_message_new();
    if (m)
        lo_message_add(m, "is", priority, text);
    send_message(nsm, "/nsm/client/message", m);
}

/* ---- The socket ------------------------------------------------------------------
 */

/* NULL, or what is wrong with the address. */
static const char *
resolve(struct sockaddr_in *at, const char *url)
{
    const struct addrinfo want = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    char host[256], port[6], rest[2] = "";
    const int n = sscanf(url, "osc.udp://%255[^:/]:%5[0-9]%1[^/]", host, port, rest);
    if (n != 2 || atoi(port) < 1 || atoi(port) > 65535)
        return "it is not of the form osc.udp://HOST:PORT/";
    if (getaddrinfo(host, port, &want, &found))
        return "its host is not known";
    memcpy(at, found->ai_addr, sizeof *at);
    freeaddrinfo(found);
    return NULL;
}

bool
rt_nsm_open(rt_nsm **out, const char *url, char *why, size_t why_len)
{
    rt_nsm *nsm = *out = calloc(1, sizeof *nsm);
    if (!nsm) {
        snprintf(why, why_len, "there is not enough memory to join a session");
        return false;
    }
    const char *fault = resolve(&nsm->manager, url);
    const bool is_here = ntohl(nsm->manager.sin_addr.s_addr) >> 24 == 127;
    const struct sockaddr_in own = {.sin_family = AF_INET,
                                    .sin_addr.s_addr =
                                        htonl(is_here ? INADDR_LOOPBACK : INADDR_ANY)};
    nsm->fd = fault ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!fault &&
        (nsm->fd < 0 || bind(nsm->fd, (const struct sockaddr *)&own, sizeof own)))
        fault = strerror(errno);
    if (!fault)
        return true;
    snprintf(why, why_len, "NSM_URL is \"%.200s\", but %s", url, fault);
    rt_nsm_close(nsm);
    *out = NULL;
    return false;
}

void
rt_nsm_close(rt_nsm *nsm)
{
    if (!nsm)
        return;
    if (nsm->fd >= 0)
        close(nsm->fd);
    free(nsm);
}
