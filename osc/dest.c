#include "osc/osc.h"

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

const char *
osc_status_text(osc_status st)
{
    switch (st) {
    case OSC_OK:
        return "done";
    case OSC_EARG:
        return "an argument is not of the form that is wanted";
    case OSC_ENOMEM:
        return "out of memory";
    case OSC_ERESOLVE:
        return "the host is not known";
    case OSC_EIO:
        return "the system refused to open or send";
    }
    return "unknown status";
}

/* ---- Text ---------------------------------------------------------------------- */

/* Returns what is wrong with the port, or NULL. */
static const char *
parse_port(char port[6], const char *text)
{
    const size_t len = strlen(text);
    const size_t digits = strspn(text, "0123456789");
    const long value = len <= 5 && digits == len ? strtol(text, NULL, 10) : 0;
    if (value < 1 || value > 65535)
        return "its port is no number from 1 to 65535";
    snprintf(port, 6, "%ld", value);
    return NULL;
}

/* An IPv6 address that names one interface ("fe80::1%eth0") passes without the
 * interface; whether there is such an interface is for the resolver to say. */
static bool
is_ipv6(const char *host)
{
    char address[INET6_ADDRSTRLEN];
    const size_t len = strcspn(host, "%");
    if (len >= sizeof address || (host[len] && !host[len + 1]))
        return false;
    memcpy(address, host, len);
    address[len] = '\0';
    struct in6_addr bits;
    return inet_pton(AF_INET6, address, &bits) == 1;
}

/* Returns what is wrong with the host, or NULL. */
static const char *
parse_host(dest_parts *parts, const char *text, size_t len)
{
    static const char name_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    const bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    if (len >= sizeof parts->host)
        return "its host is too long";
    memcpy(parts->host, text, len);
    parts->host[len] = '\0';
    parts->is_ipv6 = is_ipv6(parts->host);
    if (bracketed)
        return parts->is_ipv6 ? NULL : "there is no IPv6 address in its brackets";
    if (memchr(text, ':', len))
        return "an IPv6 address needs brackets, and a port after them";
    if (len == 0)
        snprintf(parts->host, sizeof parts->host, "127.0.0.1");
    else if (strspn(parts->host, name_bytes) != len)
        return "its host is neither a name nor an address";
    return NULL;
}

osc_status
osc_dest_parse(dest_parts *parts, const char *text, char *why, size_t why_len)
{
    const char *colon = strrchr(text, ':');
    const char *fault = "it has no port";
    if (colon)
        fault = parse_host(parts, text, (size_t)(colon - text));
    if (!fault)
        fault = parse_port(parts->port, colon + 1);
    if (!fault)
        return OSC_OK;
    snprintf(
        why, why_len,
        "destination \"%.80s\": %s; it is written HOST:PORT, [IPv6]:PORT or :PORT, "
        "such as 127.0.0.1:9000",
        text, fault);
    return OSC_EARG;
}

/* ---- Socket -------------------------------------------------------------------- */

static osc_status
resolve(struct addrinfo **list, const dest_parts *parts, const char *text, char *why,
        size_t why_len)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_NUMERICSERV |
                                               (parts->is_ipv6 ? AI_NUMERICHOST : 0)};
    const int rc = getaddrinfo(parts->host, parts->port, &hints, list);
    if (!rc)
        return OSC_OK;
    *list = NULL;
    snprintf(why, why_len,
             "destination \"%.80s\": its host is not known (%s); give a name that this "
             "machine can resolve, or an address",
             text, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    return rc == EAI_MEMORY ? OSC_ENOMEM : OSC_ERESOLVE;
}

static const struct addrinfo *
choose(const struct addrinfo *list)
{
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        if (a->ai_family == AF_INET)
            return a;
    return list;
}

/* Returns the socket, or -1 with errno. */
static int
connect_udp(const struct addrinfo *a)
{
    const int on = 1;
    const int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* Without it the kernel refuses broadcast addresses, by which an installation
     * reaches all its machines; to other addresses it makes no difference. */
    if (!setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) &&
        !connect(fd, a->ai_addr, a->ai_addrlen))
        return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static osc_status
open_dest(osc_dest **out, const char *text, bool tcp, char *why, size_t why_len)
{
    *out = NULL;
    dest_parts parts;
    struct addrinfo *list = NULL;
    osc_status st = osc_dest_parse(&parts, text, why, why_len);
    if (!st)
        st = resolve(&list, &parts, text, why, why_len);
    if (st)
        return st;

    const size_t text_bytes = strlen(text) + 1;
    osc_dest *dest = malloc(sizeof *dest + text_bytes);
    osc_stream *stream = tcp ? osc_stream_new(choose(list)) : NULL;
    if (dest) {
        memcpy(dest->text, text, text_bytes);
        dest->stream = stream;
        dest->fd = tcp ? -1 : connect_udp(choose(list));
    }
    if (!dest || (tcp && !stream)) {
        st = OSC_ENOMEM;
        snprintf(why, why_len, "destination \"%.80s\": out of memory", text);
    } else if (!tcp && dest->fd < 0) {
        st = OSC_EIO;
        snprintf(why, why_len, "destination \"%.80s\": the system cannot reach it (%s)",
                 text, strerror(errno));
    }
    freeaddrinfo(list);
    if (!st) {
        *out = dest;
        return OSC_OK;
    }
    osc_stream_free(stream);
    free(dest); /* it has no socket */
    return st;
}

osc_status
osc_dest_open(osc_dest **out, const char *text, char *why, size_t why_len)
{
    return open_dest(out, text, false, why, why_len);
}

osc_status
osc_dest_open_tcp(osc_dest **out, const char *text, char *why, size_t why_len)
{
    return open_dest(out, text, true, why, why_len);
}

void
osc_dest_close(osc_dest *dest)
{
    if (!dest)
        return;
    if (dest->stream)
        osc_stream_free(dest->stream);
    else
        close(dest->fd);
    free(dest);
}

const char *
osc_dest_text(const osc_dest *dest)
{
    return dest->text;
}

osc_status
osc_dest_send(osc_dest *dest, const uint8_t data[], size_t n)
{
    if (n == 0 || n > OSC_MAX_DATAGRAM)
        return OSC_EARG;
    if (dest->stream)
        return osc_stream_send(dest->stream, data, n);
    ssize_t sent = send(dest->fd, data, n, MSG_NOSIGNAL);
    if (sent < 0 && errno == ECONNREFUSED)
        sent = send(dest->fd, data, n, MSG_NOSIGNAL);
    return sent >= 0 || errno == ECONNREFUSED ? OSC_OK : OSC_EIO;
}
