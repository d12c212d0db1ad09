/* rt/nsm.c: what a session manager says, and who it is. */
#include "rt/nsm.h"
#include "rt/rt.h"
#include "support.h"

#include <arpa/inet.h>
#include <lo/lo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The datagram of texts (at most four, the last empty) and numbers, exactly as long as
 * it is. */
static uint8_t *
datagram(const char *path, const char *types, const char *a, const char *b,
         const char *c, size_t *n)
{
    const char *text[] = {a, b, c, ""};
    lo_message m = lo_message_new();
    for (int t = 0; *types; types++)
        if (*types == 's')
            lo_message_add_string(m, text[t++]);
        else if (*types == 'i')
            lo_message_add_int32(m, -8);
        else
            lo_message_add_float(m, 0.5F);
    uint8_t *data = lo_message_serialise(m, path, NULL, n);
    lo_message_free(m);
    ck_assert_ptr_nonnull(data);
    return data;
}

#define ANNOUNCE "/nsm/server/announce"
#define OPEN "/nsm/client/open"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *name, *path, *types, *a, *b, *c;
    rt_nsm_kind kind;
    const char *text;
} orders[] = {
    {"open", OPEN, "sss", "/s/h.nABC", "s", "h.nABC", RT_NSM_OPEN, ""},
    {"open with two texts", OPEN, "ss", "/s/h.nABC", "h", "", RT_NSM_OTHER, ""},
    {"open with numbers", OPEN, "iii", "", "", "", RT_NSM_OTHER, ""},
    {"a path that is not absolute", OPEN, "sss", "s/h", "s", "h", RT_NSM_BAD_OPEN,
     "path"},
    {"no path", OPEN, "sss", "", "s", "h", RT_NSM_BAD_OPEN, "path"},
    {"a path of two lines", OPEN, "sss", "/s\n/h", "s", "h", RT_NSM_BAD_OPEN, "path"},
    {"no id", OPEN, "sss", "/s/h", "s", "", RT_NSM_BAD_OPEN, "id"},
    {"an id like a port's name", OPEN, "sss", "/s/h", "s", "h:in", RT_NSM_BAD_OPEN,
     "id"},
    {"an id of 64", OPEN, "sss", "/s/h", "s", X64, RT_NSM_BAD_OPEN, "id"},
    {"save", "/nsm/client/save", "", "", "", "", RT_NSM_SAVE, ""},
    {"save with something", "/nsm/client/save", "s", "x", "", "", RT_NSM_SAVE, ""},
    {"welcome", "/reply", "ssss", ANNOUNCE, "hello", "nsmd", RT_NSM_WELCOME, "hello"},
    {"a reply to something else", "/reply", "ss", "/x", "hello", "", RT_NSM_OTHER, ""},
    {"refusal", "/error", "sis", ANNOUNCE, "no\x1b[31m", "", RT_NSM_REFUSED, "no?[31m"},
    {"the session is loaded", "/nsm/client/session_is_loaded", "", "", "", "",
     RT_NSM_OTHER, ""},
    {"a type that it has not", "/nsm/client/save", "f", "", "", "", RT_NSM_OTHER, ""},
};
enum { N_ORDERS = sizeof orders / sizeof *orders };

START_TEST(orders_are_understood)
{
    size_t n;
    rt_nsm_order o;
    uint8_t *data = datagram(orders[_i].path, orders[_i].types, orders[_i].a,
                             orders[_i].b, orders[_i].c, &n);
    rt_nsm_parse(&o, data, n);
    ck_assert_msg(o.kind == orders[_i].kind, "case: %s", orders[_i].name);
    ck_assert_msg(*orders[_i].text ? strstr(o.text, orders[_i].text) != NULL : !*o.text,
                  "case: %s: \"%s\"", orders[_i].name, o.text);
    const bool open = o.kind == RT_NSM_OPEN;
    ck_assert_str_eq(o.path, open ? "/s/h.nABC" : "");
    ck_assert_str_eq(o.client, open ? "h.nABC" : "");
    free(data);
}
END_TEST

START_TEST(a_path_too_long_is_refused)
{
    char path[sizeof(rt_nsm_order) + 1];
    for (int more = 0; more < 2; more++) {
        size_t n;
        rt_nsm_order o;
        memset(path, 'x', sizeof path);
        path[0] = '/';
        path[sizeof o.path - 1 + (size_t)more] = 0;
        uint8_t *data = datagram(OPEN, "sss", path, "s", "h", &n);
        rt_nsm_parse(&o, data, n);
        ck_assert_int_eq(o.kind, more ? RT_NSM_BAD_OPEN : RT_NSM_OPEN);
        free(data);
    }
}
END_TEST

/* Of exact size, so that a sanitizer sees a read beyond it. */
START_TEST(a_datagram_cut_short_is_no_order)
{
    size_t n;
    rt_nsm_order o;
    uint8_t *data = datagram(OPEN, "sss", "/s/h.nABC", "s", "h.nABC", &n);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *part = malloc(cut + !cut);
        memcpy(part, data, cut);
        rt_nsm_parse(&o, part, cut);
        ck_assert_msg(o.kind == RT_NSM_OTHER, "%zu of %zu bytes", cut, n);
        free(part);
    }
    free(data);
}
END_TEST

/* ---- Over sockets ---------------------------------------------------------------- */

static int
bound(uint32_t address, uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    socklen_t len = sizeof at;
    const struct timeval wait = {.tv_sec = 5};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof at));
    ck_assert(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait));
    ck_assert(!getsockname(fd, (struct sockaddr *)&at, &len));
    *port = ntohs(at.sin_port);
    return fd;
}

static rt_nsm *nsm;
static int manager, stranger;
static struct sockaddr_in client;

/* The next message that the manager got: "PATH TYPES", and its first texts. */
static void
got(char what[200])
{
    uint8_t data[2000];
    socklen_t len = sizeof client;
    const ssize_t n =
        recvfrom(manager, data, sizeof data, 0, (struct sockaddr *)&client, &len);
    ck_assert_int_gt((int)n, 0);
    lo_message m = lo_message_deserialise(data, (size_t)n, NULL);
    ck_assert_ptr_nonnull(m);
    size_t at = (size_t)snprintf(what, 200, "%s %s", lo_get_path(data, n),
                                 lo_message_get_types(m));
    for (int i = 0; i < lo_message_get_argc(m); i++) {
        const void *a = lo_message_get_argv(m)[i]; /* at any address */
        int32_t number = 0;
        if (lo_message_get_types(m)[i] == 'i')
            memcpy(&number, a, sizeof number);
        if (lo_message_get_types(m)[i] == 's')
            at += (size_t)snprintf(what + at, 200 - at, " %s", (const char *)a);
        else
            at += (size_t)snprintf(what + at, 200 - at, " %d", number);
    }
    lo_message_free(m);
}

static void
send_from(int fd, const char *path)
{
    size_t n;
    uint8_t *data = datagram(path, "", "", "", "", &n);
    ck_assert(sendto(fd, data, n, 0, (struct sockaddr *)&client, sizeof client) ==
              (ssize_t)n);
    free(data);
}

static bool
comes(rt_nsm_kind kind)
{
    rt_nsm_order o;
    for (int i = 0; i < 500; i++, rt_sleep_ms(10))
        if (rt_nsm_take(nsm, &o))
            return o.kind == kind;
    return false;
}

/* The manager as it names itself, and where its socket really is. */
static const struct {
    const char *host;
    uint32_t address;
} managers[] = {{"127.0.0.1", INADDR_LOOPBACK},
                {"localhost", INADDR_LOOPBACK},
                {"127.0.1.1", INADDR_ANY}}; /* as Debian's hosts are named */

START_TEST(only_the_manager_is_heard)
{
    uint16_t port, other;
    char url[60], why[400] = "", what[200], want[200];
    rt_nsm_order o;
    manager = bound(managers[_i].address, &port);
    stranger = bound(INADDR_LOOPBACK, &other);
    snprintf(url, sizeof url, "osc.udp://%s:%u/", managers[_i].host, port);
    ck_assert_msg(rt_nsm_open(&nsm, url, why, sizeof why), "%s", why);
    rt_nsm_announce(nsm, "prog");
    got(what);
    snprintf(want, sizeof want, ANNOUNCE " sssiii hearken :message: prog 1 1 %d",
             (int)getpid());
    ck_assert_str_eq(what, want);
    ck_assert_uint_eq(ntohl(client.sin_addr.s_addr), INADDR_LOOPBACK);
    ck_assert(!rt_nsm_take(nsm, &o)); /* and does not wait */
    send_from(stranger, "/nsm/client/save");
    rt_sleep_ms(50);
    ck_assert(!rt_nsm_take(nsm, &o));
    send_from(manager, "/nsm/client/show_optional_gui");
    send_from(manager, "/nsm/client/save");
    ck_assert(comes(RT_NSM_SAVE));
    rt_nsm_close(nsm);
    close(manager);
    close(stranger);
}
END_TEST

static void
open_pair(void)
{
    uint16_t port;
    char url[60], why[400] = "", what[200];
    manager = bound(INADDR_LOOPBACK, &port);
    snprintf(url, sizeof url, "osc.udp://127.0.0.1:%u/", port);
    ck_assert_msg(rt_nsm_open(&nsm, url, why, sizeof why), "%s", why);
    rt_nsm_announce(nsm, "prog");
    got(what);
}

START_TEST(answers_have_the_form_of_the_protocol)
{
    char what[200];
    open_pair();
    rt_nsm_reply(nsm, RT_NSM_OPEN, 0, "fine");
    got(what);
    ck_assert_str_eq(what, "/reply ss /nsm/client/open fine");
    rt_nsm_reply(nsm, RT_NSM_SAVE, RT_NSM_CREATE_FAILED, "full");
    got(what);
    ck_assert_str_eq(what, "/error sis /nsm/client/save -10 full");
    rt_nsm_message(nsm, 2, "hello");
    got(what);
    ck_assert_str_eq(what, "/nsm/client/message is 2 hello");
    rt_nsm_close(nsm);
    close(manager);
}
END_TEST

START_TEST(a_flood_ends_and_hides_nothing)
{
    rt_nsm_order o;
    open_pair();
    for (int i = 0; i < 200; i++)
        send_from(manager, "/nothing");
    send_from(manager, "/nsm/client/save");
    rt_sleep_ms(50);
    int calls = 0;
    while (!rt_nsm_take(nsm, &o) && calls < 100)
        calls++;
    ck_assert_int_ge(calls, 2); /* it came back in between */
    ck_assert_int_eq(o.kind, RT_NSM_SAVE);
    rt_nsm_close(nsm);
    close(manager);
}
END_TEST

static const struct {
    const char *url, *says;
} wrong[] = {
    {"", "form"},
    {"osc.tcp://127.0.0.1:9/", "form"},
    {"http://127.0.0.1:9/", "form"},
    {"osc.udp://127.0.0.1/", "form"},
    {"osc.udp://", "form"},
    {"osc.udp://no.such.host.invalid:9/", "not known"},
    {"osc.udp://127.0.0.1:70000/", "form"},
    {"osc.udp://127.0.0.1:123456/", "form"},
    {"osc.udp://127.0.0.1:0/", "form"},
    {"osc.udp://127.0.0.1:9x/", "form"},
};

START_TEST(a_url_of_another_form_is_refused)
{
    char why[400] = "";
    ck_assert(!rt_nsm_open(&nsm, wrong[_i].url, why, sizeof why) && !nsm);
    ck_assert_msg(strstr(why, wrong[_i].says) != NULL, "\"%s\": %s", wrong[_i].url,
                  why);
    rt_nsm_close(NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("nsm");
    TCase *t = tcase_create("nsm");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, orders_are_understood, 0, N_ORDERS);
    tcase_add_test(t, a_path_too_long_is_refused);
    tcase_add_test(t, a_datagram_cut_short_is_no_order);
    tcase_add_loop_test(t, only_the_manager_is_heard, 0,
                        sizeof managers / sizeof *managers);
    tcase_add_test(t, answers_have_the_form_of_the_protocol);
    tcase_add_test(t, a_flood_ends_and_hides_nothing);
    tcase_add_loop_test(t, a_url_of_another_form_is_refused, 0,
                        sizeof wrong / sizeof *wrong);
    suite_add_tcase(s, t);
    return run_suite(s);
}
