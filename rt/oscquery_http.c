/* OSCQuery's HTTP server: libmicrohttpd without a thread of its own. */
#include "oscquery.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MOST_CONNECTIONS = 16,
    IDLE_S = 10,
    MEMORY_BYTES = 16384, /* of a connection, for the request */
};

struct rt_oscquery {
    rt_oscquery_config config;
    struct MHD_Daemon *daemon;
    int epoll_fd;
};

static enum MHD_Result
may_connect(void *ctx, const struct sockaddr *from, socklen_t len)
{
    const rt_oscquery *q = ctx;
    const osc_peer peer = osc_peer_of(from, len);
    return osc_control_may(q->config.socket, &peer) ? MHD_YES : MHD_NO;
}

/* The first key of the query, which stands for an attribute; it has no value. */
static enum MHD_Result
take_key(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    const char **attribute = ctx;
    (void)kind;
    (void)value;
    *attribute = key;
    return MHD_NO;
}

static enum MHD_Result
respond(struct MHD_Connection *connection, unsigned status, char *text, size_t n)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "application/json");
    MHD_add_response_header(r, "Cache-Control", "no-store"); /* values change */
    const enum MHD_Result queued = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *path,
           const char *method, const char *version, const char *upload,
           size_t *upload_bytes, void **state)
{
    static char begun;
    const rt_oscquery *q = ctx;
    const char *attribute = NULL;
    char *text = NULL;
    size_t n = 0;
    (void)version;
    (void)upload;
    if (!*state) { /* the head came; the answer is for when all has */
        *state = &begun;
        return MHD_YES;
    }
    if (*upload_bytes) { /* what is sent along is not wanted */
        *upload_bytes = 0;
        return MHD_YES;
    }
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return MHD_NO;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_key, &attribute);
    const bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    unsigned status = get ? rt_oscquery_answer(&q->config, path, attribute, to) : 405;
    if (fclose(to)) {
        free(text);
        return MHD_NO;
    }
    return respond(connection, status, text, status == 200 ? n : 0);
}

static bool
start_daemon(rt_oscquery *q, int fd)
{
    q->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, may_connect, q, on_request, q, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        q->daemon ? MHD_get_daemon_info(q->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    q->epoll_fd = info ? info->epoll_fd : -1;
    return info && q->epoll_fd >= 0;
}

osc_status
rt_oscquery_open(rt_oscquery **out, const char *text, const rt_oscquery_config *config,
                 char *why, size_t why_len)
{
    int fd;
    *out = NULL;
    osc_status st = osc_tcp_listen(&fd, text, why, why_len);
    if (st)
        return st;
    rt_oscquery *q = calloc(1, sizeof *q);
    if (q)
        q->config = *config;
    if (q && start_daemon(q, fd)) {
        *out = q;
        return OSC_OK;
    }
    snprintf(why, why_len, "the system gives no HTTP server for OSCQuery");
    if (!q || !q->daemon)
        close(fd); /* a daemon closes it itself */
    rt_oscquery_close(q);
    return OSC_ENOMEM;
}

int
rt_oscquery_fd(const rt_oscquery *q)
{
    return q->epoll_fd;
}

void
rt_oscquery_run(rt_oscquery *q)
{
    MHD_run(q->daemon);
}

void
rt_oscquery_close(rt_oscquery *q)
{
    if (!q)
        return;
    if (q->daemon)
        MHD_stop_daemon(q->daemon);
    free(q);
}
