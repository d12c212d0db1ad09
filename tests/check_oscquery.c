/* rt/oscquery.c: the tree, as JSON; rt/oscquery_http.c: by HTTP. */
#include "rt/oscquery.h"
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static rt_options options;
static osc_control *control;
static rt_oscquery_config config;
static uint16_t port;

static uint16_t
free_port(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert(fd >= 0 && !bind(fd, (void *)&at, sizeof at) &&
              !getsockname(fd, (void *)&at, &len));
    close(fd);
    return ntohs(at.sin_port);
}

static void
open_control(const char *allowed)
{
    char text[40], why[200] = "";
    osc_range r;
    port = free_port();
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ck_assert(!osc_range_parse(&r, allowed, why, sizeof why));
    ck_assert_msg(!osc_control_open(&control, text, &r, 1, why, sizeof why), "%s", why);
    config = (rt_oscquery_config){&options, control};
}

static void
setup(void)
{
    rt_options_default(&options);
    open_control("127.0.0.1");
}

static void
teardown(void)
{
    osc_control_close(control);
}

static char *
ask(const char *path, const char *attribute, unsigned want)
{
    static char text[65536];
    memset(text, 0, sizeof text);
    FILE *to = fmemopen(text, sizeof text - 1, "w");
    ck_assert_msg(rt_oscquery_answer(&config, path, attribute, to) == want, "%s", path);
    ck_assert(!ferror(to) && !fclose(to));
    return text;
}

static const struct {
    const char *path, *attribute, *want;
    unsigned status;
} asked[] = {
    {"/hearken/match/k", NULL,
     "{\"FULL_PATH\":\"/hearken/match/k\",\"ACCESS\":3,\"TYPE\":\"i\",\"VALUE\":[7],"
     "\"RANGE\":[{\"MIN\":1,\"MAX\":100}],\"DESCRIPTION\":\"different sounds in an "
     "answer, best first\"}",
     200},
    {"/hearken/match/score", "VALUE", "{\"VALUE\":[0.75]}", 200},
    {"/hearken/match/score", "RANGE", "{\"RANGE\":[{\"MIN\":0,\"MAX\":1}]}", 200},
    {"/hearken/match/gate-db", "RANGE", "{\"RANGE\":[{\"MIN\":-120,\"MAX\":0}]}", 200},
    {"/hearken/match/refine", "RANGE",
     "{\"RANGE\":[{\"VALS\":[\"auto\",\"no\",\"yes\"]}]}", 200},
    {"/hearken/match/refine", "VALUE", "{\"VALUE\":[\"auto\"]}", 200},
    {"/hearken/match/scales", "VALUE", "{\"VALUE\":[\"event,scene\"]}", 200},
    {"/hearken/match/scales", "RANGE", "", 204},
    {"/hearken/osc/onsets", "TYPE", "{\"TYPE\":\"i\"}", 200},
    {"/hearken/osc/onsets", "RANGE", "{\"RANGE\":[{\"VALS\":[0,1]}]}", 200},
    {"/hearken/osc/onsets", "VALUE", "{\"VALUE\":[1]}", 200},
    {"/hearken/match", "TYPE", "{\"TYPE\":\"issiffifffss\"}", 200},
    {"/hearken/match", "ACCESS", "{\"ACCESS\":1}", 200},
    {"/hearken/match", "VALUE", "", 204},
    {"/hearken/set", "ACCESS", "{\"ACCESS\":2}", 200},
    {"/hearken/ping", "TYPE", "{\"TYPE\":\"N\"}", 200},
    {"/hearken/mute", "TYPE", "{\"TYPE\":\"i\"}", 200},
    {"/hearken/subscribe", "TYPE", "{\"TYPE\":\"iis\"}", 200},
    {"/hearken/query/file", "TYPE", "{\"TYPE\":\"sis\"}", 200},
    {"/hearken/query", "ACCESS", "{\"ACCESS\":0}", 200},
    {"/hearken/query", "TYPE", "", 204},
    {"/hearken/query/", "FULL_PATH", "{\"FULL_PATH\":\"/hearken/query\"}", 200},
    {"/", "FULL_PATH", "{\"FULL_PATH\":\"/\"}", 200},
    {"/hearken/match/score", "NOSUCH", "", 204},
    {"/hearken/mat", NULL, "", 404},
    {"/hearken/matches", NULL, "", 404},
    {"/hearken/jack/client-name", NULL, "", 404},
    {"/other", "VALUE", "", 404},
    {"hearken", NULL, "", 404},
};

START_TEST(a_path_or_an_attribute_is_told_or_there_is_none)
{
    options.match.k = 7;
    options.match.score = 0.75F;
    ck_assert_str_eq(ask(asked[_i].path, asked[_i].attribute, asked[_i].status),
                     asked[_i].want);
}
END_TEST

START_TEST(the_root_holds_all_settings_commands_and_messages_once)
{
    size_t n, n_live = 0;
    const rt_field *f = rt_fields(&n);
    const char *text = ask("/", NULL, 200);
    ck_assert_msg(!strncmp(text,
                           "{\"FULL_PATH\":\"/\",\"ACCESS\":0,\"CONTENTS\":"
                           "{\"hearken\":{\"FULL_PATH\":\"/hearken\",",
                           70),
                  "%.100s", text);
    for (size_t i = 0; i < n; i++) {
        char want[120];
        snprintf(want, sizeof want, "\"FULL_PATH\":\"/hearken/%s/%s\"", f[i].section,
                 f[i].key);
        const char *at = strstr(text, want);
        const bool live = f[i].commands & RT_LIVE;
        n_live += live;
        ck_assert_msg(!!at == live, "%s", want);
        ck_assert_msg(!at || !strstr(at + 1, want), "%s twice", want);
    }
    ck_assert_uint_gt(n_live, 12);
    static const char *const others[] = {"ping",       "query/file", "record/dump",
                                         "query/done", "status",     "match",
                                         "subscribed", "label",      "onset"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char want[80];
        snprintf(want, sizeof want, "\"FULL_PATH\":\"/hearken/%s\"", others[i]);
        ck_assert_msg(strstr(text, want), "%s", want);
    }
}
END_TEST

START_TEST(host_info_names_the_socket_for_commands)
{
    char want[300];
    snprintf(want, sizeof want,
             "{\"NAME\":\"hearken\",\"OSC_IP\":\"127.0.0.1\",\"OSC_PORT\":%u,"
             "\"OSC_TRANSPORT\":\"UDP\",\"EXTENSIONS\":{\"ACCESS\":true,\"VALUE\":true,"
             "\"RANGE\":true,\"DESCRIPTION\":true}}",
             port);
    ck_assert_str_eq(ask("/", "HOST_INFO", 200), want);
}
END_TEST

/* ---- HTTP -------------------------------------------------------------------------
 */

/* Sends text to a server that is run meanwhile; all that comes back. */
static const char *
over_http(rt_oscquery *q, const char *text)
{
    static char back[65536];
    size_t n = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!connect(fd, (void *)&to, sizeof to));
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
    for (int i = 0; i < 200; i++) {
        struct pollfd p[2] = {{.fd = rt_oscquery_fd(q), .events = POLLIN},
                              {.fd = fd, .events = POLLIN}};
        poll(p, 2, 10);
        rt_oscquery_run(q);
        if (!p[1].revents)
            continue;
        const ssize_t got = recv(fd, back + n, sizeof back - 1 - n, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    back[n] = 0;
    return back;
}

static rt_oscquery *
open_http(void)
{
    char text[40], why[200] = "";
    rt_oscquery *q;
    snprintf(text, sizeof text, "127.0.0.1:%u", port); /* TCP beside UDP */
    ck_assert_msg(!rt_oscquery_open(&q, text, &config, why, sizeof why), "%s", why);
    return q;
}

START_TEST(http_answers_with_the_value_of_now)
{
    rt_oscquery *q = open_http();
    static const char get[] = "GET /hearken/match/k?VALUE HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n";
    const char *back = over_http(q, get);
    ck_assert_msg(!strncmp(back, "HTTP/1.1 200 ", 13) &&
                      strstr(back, "Content-Type: application/json\r\n") &&
                      strstr(back, "\r\n\r\n{\"VALUE\":[1]}"),
                  "%s", back);
    options.match.k = 9;
    ck_assert_ptr_nonnull(strstr(over_http(q, get), "{\"VALUE\":[9]}"));
    rt_oscquery_close(q);
}
END_TEST

static const struct {
    const char *request, *status;
} requests[] = {
    {"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
    {"GET /?NOSUCH HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "204"},
    {"GET /?HOST_INFO=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
    {"GET /%68earken/match/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
    {"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
    {"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd",
     "405"},
};

START_TEST(other_requests_get_the_status_that_they_should)
{
    rt_oscquery *q = open_http();
    const char *back = over_http(q, requests[_i].request);
    ck_assert_msg(!strncmp(back, "HTTP/1.1 ", 9) &&
                      !strncmp(back + 9, requests[_i].status, 3),
                  "%s: %s", requests[_i].request, back);
    rt_oscquery_close(q);
}
END_TEST

START_TEST(who_may_not_command_is_not_answered_either)
{
    teardown();
    open_control("10.0.0.0/8");
    rt_oscquery *q = open_http();
    ck_assert_str_eq(over_http(q, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
    rt_oscquery_close(q);
}
END_TEST

START_TEST(a_place_that_cannot_be_had_is_said_in_a_sentence)
{
    char text[40], why[200] = "";
    rt_oscquery *q = open_http(), *second = (void *)1;
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ck_assert_int_eq(rt_oscquery_open(&second, text, &config, why, sizeof why),
                     OSC_EIO);
    ck_assert_msg(strstr(why, "another program has that port"), "%s", why);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(rt_oscquery_open(&second, "x", &config, why, sizeof why),
                     OSC_EARG);
    rt_oscquery_close(q);
    rt_oscquery_close(NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/oscquery");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_path_or_an_attribute_is_told_or_there_is_none, 0,
                        sizeof asked / sizeof *asked);
    tcase_add_test(t, the_root_holds_all_settings_commands_and_messages_once);
    tcase_add_test(t, host_info_names_the_socket_for_commands);
    tcase_add_test(t, http_answers_with_the_value_of_now);
    tcase_add_loop_test(t, other_requests_get_the_status_that_they_should, 0,
                        sizeof requests / sizeof *requests);
    tcase_add_test(t, who_may_not_command_is_not_answered_either);
    tcase_add_test(t, a_place_that_cannot_be_had_is_said_in_a_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
