#include "osc/dest.h"
#include "osc/osc.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Text ----------------------------------------------------------------------- */

#define N63 "x23456789-123456789-123456789-123456789-123456789-123456789-123"
#define N61 "123456789-123456789-123456789-123456789-123456789-123456789-1"
#define N253 N63 "." N63 "." N63 "." N61

static const struct {
    const char *text;
    const char *host, *port; /* what is resolved; NULL when refused */
    const char *why;         /* what the sentence holds */
} texts[] = {
    {"127.0.0.1:9000", "127.0.0.1", "9000", NULL},
    {"localhost:1", "localhost", "1", NULL},
    {"studio-2.example.org:65535", "studio-2.example.org", "65535", NULL},
    {":9000", "127.0.0.1", "9000", NULL},
    {"a:00080", "a", "80", NULL},
    {"[::1]:57120", "::1", "57120", NULL},
    {"[fe80::1%eth0]:9000", "fe80::1%eth0", "9000", NULL},
    {"[::ffff:127.0.0.1]:9000", "::ffff:127.0.0.1", "9000", NULL},
    {"", NULL, NULL, "no port"},
    {"9000", NULL, NULL, "no port"},
    {"localhost", NULL, NULL, "no port"},
    {"localhost:", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:0", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:65536", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:999999999999999999999", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:000080", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:+80", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:-80", NULL, NULL, "no number from 1 to 65535"},
    {"localhost: 80", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:80 ", NULL, NULL, "no number from 1 to 65535"},
    {"localhost:osc", NULL, NULL, "no number from 1 to 65535"},
    {":", NULL, NULL, "no number from 1 to 65535"},
    {"two words:80", NULL, NULL, "neither a name nor an address"},
    {"[host]:80", NULL, NULL, "no IPv6 address in its brackets"},
    {"[127.0.0.1]:80", NULL, NULL, "no IPv6 address in its brackets"},
    {"[]:80", NULL, NULL, "no IPv6 address in its brackets"},
    {"[::1%]:80", NULL, NULL, "no IPv6 address in its brackets"},
    {"[::1:80", NULL, NULL, "needs brackets"},
    {"[::1]", NULL, NULL, "needs brackets"},
    {"::1:80", NULL, NULL, "needs brackets"},
    {"::", NULL, NULL, "needs brackets"},
    {"osc.udp://localhost:80", NULL, NULL, "needs brackets"},
    {"//localhost:80", NULL, NULL, "neither a name nor an address"},
    {"[:80", NULL, NULL, "neither a name nor an address"},
    {"h\xC3\xB4te:80", NULL, NULL, "neither a name nor an address"},
    {N253 ":80", N253, "80", NULL},
    {N253 "x:80", NULL, NULL, "too long"},
};

START_TEST(text_is_taken_apart_or_refused_with_a_reason)
{
    dest_parts parts;
    char why[400] = "";
    const char *text = texts[_i].text;
    const osc_status st = osc_dest_parse(&parts, text, why, sizeof why);
    if (texts[_i].host) {
        ck_assert_msg(st == OSC_OK, "\"%s\" is refused: %s", text, why);
        ck_assert_str_eq(parts.host, texts[_i].host);
        ck_assert_str_eq(parts.port, texts[_i].port);
        ck_assert_int_eq(parts.is_ipv6, strchr(parts.host, ':') != NULL);
        return;
    }
    char quoted[100];
    snprintf(quoted, sizeof quoted, "\"%.80s\"", text);
    ck_assert_msg(st == OSC_EARG, "\"%s\" is taken", text);
    ck_assert_msg(strstr(why, texts[_i].why), "\"%s\": %s", text, why);
    ck_assert_msg(strstr(why, quoted), "\"%s\" is not named: %s", text, why);
    ck_assert_msg(strstr(why, "HOST:PORT"), "\"%s\": no form is given: %s", text, why);
}
END_TEST

START_TEST(a_short_why_is_cut_and_none_is_fine)
{
    osc_dest *dest = (osc_dest *)&dest;
    char why[8] = "-------";
    ck_assert_int_eq(osc_dest_open(&dest, "nonsense", why, 4), OSC_EARG);
    ck_assert_mem_eq(why, "des\0---", 8);
    ck_assert_ptr_null(dest);
    ck_assert_int_eq(osc_dest_open(&dest, "nonsense", NULL, 0), OSC_EARG);
}
END_TEST

/* ---- Loopback ------------------------------------------------------------------- */

/* A receiver on the loopback; its port, chosen by the kernel, goes to *port. -1 when
 * there is no such family here. */
static int
receiver(int family, unsigned *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *at =
        family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t len = family == AF_INET ? sizeof four : sizeof six;
    const int fd = socket(family, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, at, len) || getsockname(fd, at, &len)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return fd;
}

static osc_dest *
opened(const char *host, unsigned port)
{
    char text[80], why[400] = "";
    osc_dest *dest;
    snprintf(text, sizeof text, "%s:%u", host, port);
    const osc_status st = osc_dest_open(&dest, text, why, sizeof why);
    ck_assert_msg(st == OSC_OK, "%s", why);
    ck_assert_str_eq(osc_dest_text(dest), text);
    return dest;
}

static void
must_receive(int fd, const void *want, size_t n)
{
    uint8_t got[2 * OSC_MAX_DATAGRAM];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, 2000), 1);
    ck_assert_int_eq(recv(fd, got, sizeof got, 0), (ssize_t)n);
    ck_assert_mem_eq(got, want, n);
}

static const struct {
    const char *host;
    int family;
} hosts[] = {
    {"127.0.0.1", AF_INET}, {"localhost", AF_INET}, {"", AF_INET}, {"[::1]", AF_INET6}};

START_TEST(a_receiver_gets_the_bytes)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    unsigned port;
    const int fd = receiver(hosts[_i].family, &port);
    if (fd < 0) {
        ck_assert_int_eq(hosts[_i].family, AF_INET6); /* a machine without IPv6 */
        return;
    }
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    osc_dest *dest = opened(hosts[_i].host, port);
    ck_assert_int_eq(osc_dest_send(dest, data, 4), OSC_OK);
    ck_assert_int_eq(osc_dest_send(dest, data, sizeof data), OSC_OK);
    must_receive(fd, data, 4);
    must_receive(fd, data, sizeof data);
    osc_dest_close(dest);
    close(fd);
}
END_TEST

START_TEST(a_length_beyond_the_datagram_is_refused)
{
    static const uint8_t data[OSC_MAX_DATAGRAM + 1];
    unsigned port;
    const int fd = receiver(AF_INET, &port);
    osc_dest *dest = opened("127.0.0.1", port);
    ck_assert_int_eq(osc_dest_send(dest, data, 0), OSC_EARG);
    ck_assert_int_eq(osc_dest_send(dest, data, sizeof data), OSC_EARG);
    ck_assert_int_eq(recv(fd, (char[4]){0}, 4, MSG_DONTWAIT), -1);
    osc_dest_close(dest);
    close(fd);
}
END_TEST

/* The receiver goes and comes back: nothing fails, and what is sent after its return
 * arrives, the first datagram included. */
START_TEST(a_closed_port_is_no_error)
{
    unsigned port;
    int fd = receiver(AF_INET, &port);
    osc_dest *dest = opened("127.0.0.1", port);
    close(fd);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(osc_dest_send(dest, (const uint8_t *)"gone", 4), OSC_OK);
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(osc_dest_send(dest, (const uint8_t *)"back", 4), OSC_OK);
    must_receive(fd, "back", 4);
    osc_dest_close(dest);
    close(fd);
}
END_TEST

START_TEST(a_broadcast_address_can_be_opened)
{
    osc_dest_close(opened("127.255.255.255", 9000));
}
END_TEST

/* The number of the socket that is connected to port on 127.0.0.1. */
static int
socket_to(unsigned port)
{
    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_in peer = {.sin_port = 0};
        socklen_t len = sizeof peer;
        if (!getpeername(fd, (struct sockaddr *)&peer, &len) &&
            peer.sin_family == AF_INET && peer.sin_port == htons((uint16_t)port))
            return fd;
    }
    return -1;
}

START_TEST(the_socket_never_blocks_and_is_not_inherited)
{
    unsigned port;
    const int fd = receiver(AF_INET, &port);
    osc_dest *dest = opened("127.0.0.1", port);
    const int sender = socket_to(port);
    ck_assert_int_ge(sender, 0);
    ck_assert_int_eq(fcntl(sender, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fcntl(sender, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    osc_dest_close(dest);
    ck_assert_int_eq(socket_to(port), -1);
    close(fd);
}
END_TEST

static const struct {
    const char *text;
    osc_status st;
} unreachable[] = {
    {"no-such-host.invalid:9000", OSC_ERESOLVE},
    {"[fe80::1%no-such-if]:9000", OSC_ERESOLVE},
    {"localhost", OSC_EARG},
};

START_TEST(what_cannot_be_opened_is_named)
{
    osc_dest *dest = (osc_dest *)&dest;
    char why[400] = "";
    ck_assert_int_eq(osc_dest_open(&dest, unreachable[_i].text, why, sizeof why),
                     unreachable[_i].st);
    ck_assert_ptr_null(dest);
    ck_assert_msg(strstr(why, unreachable[_i].text), "%s", why);
}
END_TEST

START_TEST(closing_nothing_is_allowed)
{
    osc_dest_close(NULL);
}
END_TEST

START_TEST(every_status_has_its_text)
{
    for (int a = OSC_OK; a <= OSC_EIO + 1; a++) {
        ck_assert_uint_gt(strlen(osc_status_text((osc_status)a)), 0);
        for (int b = OSC_OK; b < a; b++)
            ck_assert_str_ne(osc_status_text((osc_status)a),
                             osc_status_text((osc_status)b));
    }
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("osc/dest");
    TCase *t = tcase_create("dest");
    tcase_set_timeout(t, 30); /* a resolver without a network takes its time */
    tcase_add_loop_test(t, text_is_taken_apart_or_refused_with_a_reason, 0, N(texts));
    tcase_add_test(t, a_short_why_is_cut_and_none_is_fine);
    tcase_add_loop_test(t, a_receiver_gets_the_bytes, 0, N(hosts));
    tcase_add_test(t, a_length_beyond_the_datagram_is_refused);
    tcase_add_test(t, a_closed_port_is_no_error);
    tcase_add_test(t, a_broadcast_address_can_be_opened);
    tcase_add_test(t, the_socket_never_blocks_and_is_not_inherited);
    tcase_add_loop_test(t, what_cannot_be_opened_is_named, 0, N(unreachable));
    tcase_add_test(t, closing_nothing_is_allowed);
    tcase_add_test(t, every_status_has_its_text);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
