/* osc/control.c: who may command, how often, and the socket. */
#include "osc/control.h"
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *text;
    bool ok;
    const char *in, *out; /* addresses that it holds and does not */
} ranges[] = {
    {"127.0.0.0/8", true, "127.255.1.2", "128.0.0.1"},
    {"192.168.1.20", true, "192.168.1.20", "192.168.1.21"},
    {"192.168.1.20/32", true, "192.168.1.20", "192.168.1.21"},
    {"192.168.1.20/24", true, "192.168.1.255", "192.168.2.20"},
    {"10.128.0.0/9", true, "10.255.0.1", "10.127.0.1"},
    {"0.0.0.0/0", true, "8.8.8.8", "::1"},
    {"::/0", true, "fe80::1", "127.0.0.1"},
    {"::1", true, "::1", "::2"},
    {"fd00:1:2::/48", true, "fd00:1:2:ffff::9", "fd00:1:3::9"},
    {"fe80::/10", true, "febf::1", "fec0::1"},
    {"", false, NULL, NULL},
    {"/8", false, NULL, NULL},
    {"10.0.0.0/", false, NULL, NULL},
    {"10.0.0.0/33", false, NULL, NULL},
    {"10.0.0.0/-1", false, NULL, NULL},
    {"10.0.0.0/8x", false, NULL, NULL},
    {"10.0.0/8", false, NULL, NULL},
    {"::1/129", false, NULL, NULL},
    {"::1/0000064", false, NULL, NULL},
    {"localhost", false, NULL, NULL},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", false, NULL, NULL},
};

static osc_peer
peer(const char *text)
{
    osc_peer p = {.port = 5, .is_ipv6 = strchr(text, ':') != NULL};
    ck_assert(inet_pton(p.is_ipv6 ? AF_INET6 : AF_INET, text, p.address) == 1);
    return p;
}

START_TEST(a_range_holds_the_addresses_that_share_its_bits)
{
    osc_range r;
    char why[200] = "";
    const osc_status st = osc_range_parse(&r, ranges[_i].text, why, sizeof why);
    ck_assert_msg((st == OSC_OK) == ranges[_i].ok, "%s", ranges[_i].text);
    ck_assert_msg(!*why == ranges[_i].ok, "%s: %s", ranges[_i].text, why);
    if (st)
        return;
    const osc_peer in = peer(ranges[_i].in), out = peer(ranges[_i].out);
    ck_assert_msg(osc_range_holds(&r, &in), "%s", ranges[_i].text);
    ck_assert_msg(!osc_range_holds(&r, &out), "%s", ranges[_i].text);
}
END_TEST

/* A socket of a sender, bound to any port of that address. */
static int
sender(const char *address)
{
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    inet_pton(AF_INET, address, &at.sin_addr);
    ck_assert(fd >= 0 && !bind(fd, (void *)&at, sizeof at));
    return fd;
}

static uint16_t
port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    ck_assert(!getsockname(fd, (void *)&at, &len));
    return ntohs(at.sin_port);
}

/* A port that nobody has. */
static uint16_t
free_port(void)
{
    const int fd = sender("127.0.0.1");
    const uint16_t port = port_of(fd);
    close(fd);
    return port;
}

static void
send_to_port(int fd, uint16_t port, size_t n)
{
    static const uint8_t data[OSC_MAX_RECEIVED + 4] = "/a";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(sendto(fd, data, n, 0, (void *)&to, sizeof to), (int)n);
}

static osc_control *control;
static uint16_t port;

static void
open_control(const char *host, const char *allowed)
{
    osc_range r;
    char text[60], why[200] = "";
    port = free_port();
    snprintf(text, sizeof text, "%s:%u", host, port);
    ck_assert(!osc_range_parse(&r, allowed, why, sizeof why));
    ck_assert_msg(!osc_control_open(&control, text, &r, 1, why, sizeof why), "%s", why);
}

static void
close_control(void)
{
    osc_control_close(control);
    control = NULL;
}

static osc_arrival
receive(double now_s, size_t *n, osc_peer *from)
{
    static uint8_t data[OSC_MAX_RECEIVED];
    struct pollfd p = {.fd = osc_control_fd(control), .events = POLLIN};
    poll(&p, 1, 1000);
    return osc_control_receive(control, now_s, data, n, from);
}

START_TEST(an_allowed_datagram_comes_with_its_sender_who_gets_the_reply)
{
    const int fd = sender("127.0.0.1");
    char text[OSC_PEER_TEXT], want[OSC_PEER_TEXT], back[8] = "";
    osc_peer from;
    size_t n;
    open_control("127.0.0.1", "127.0.0.1");
    const osc_peer self = osc_control_self(control);
    ck_assert(osc_peer_is_loopback(&self) && self.port == port);
    send_to_port(fd, port, 4);
    ck_assert_int_eq(receive(1, &n, &from), OSC_GOT);
    ck_assert_uint_eq(n, 4);
    osc_peer_text(&from, text);
    snprintf(want, sizeof want, "127.0.0.1:%u", port_of(fd));
    ck_assert_str_eq(text, want);
    ck_assert(osc_peer_is_loopback(&from));
    ck_assert(!osc_control_reply(control, &from, (const uint8_t *)"/b\0", 4));
    ck_assert_int_eq(recv(fd, back, sizeof back, 0), 4);
    ck_assert_str_eq(back, "/b");
    ck_assert_int_eq(
        osc_control_receive(control, 1, (uint8_t[OSC_MAX_RECEIVED]){0}, &n, &from),
        OSC_NOTHING);
    ck_assert_int_eq(osc_control_reply(control, &from, (const uint8_t *)"", 0),
                     OSC_EARG);
    close_control();
    close(fd);
}
END_TEST

START_TEST(an_ipv6_socket_sees_ipv4_senders_as_such)
{
    const int fd = sender("127.0.0.1");
    char back[8] = "";
    osc_peer from;
    size_t n;
    const int probe = socket(AF_INET6, SOCK_DGRAM, 0);
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    const bool has_ipv6 = probe >= 0 && !bind(probe, (const void *)&any, sizeof any);
    if (probe >= 0)
        close(probe);
    if (has_ipv6) {
        open_control("[::]", "127.0.0.0/8");
        const osc_peer self = osc_control_self(control);
        ck_assert(self.is_ipv6 && !osc_peer_is_loopback(&self));
        send_to_port(fd, port, 4);
        ck_assert_int_eq(receive(1, &n, &from), OSC_GOT);
        ck_assert(!from.is_ipv6 && osc_peer_is_loopback(&from));
        ck_assert(!osc_control_reply(control, &from, (const uint8_t *)"/b\0", 4));
        ck_assert_int_eq(recv(fd, back, sizeof back, 0), 4);
        close_control();
    }
    close(fd);
}
END_TEST

START_TEST(a_datagram_from_elsewhere_is_not_passed_on)
{
    const int fd = sender("127.0.0.2");
    osc_peer from;
    size_t n;
    open_control("127.0.0.1", "127.0.0.1");
    send_to_port(fd, port, 4);
    ck_assert_int_eq(receive(1, &n, &from), OSC_FOREIGN);
    ck_assert_uint_eq(n, 0);
    close_control();
    close(fd);
}
END_TEST

START_TEST(a_datagram_of_8192_bytes_is_the_longest)
{
    const int fd = sender("127.0.0.1");
    osc_peer from;
    size_t n;
    open_control("127.0.0.1", "127.0.0.1");
    send_to_port(fd, port, OSC_MAX_RECEIVED);
    send_to_port(fd, port, OSC_MAX_RECEIVED + 4);
    ck_assert_int_eq(receive(1, &n, &from), OSC_GOT);
    ck_assert_uint_eq(n, OSC_MAX_RECEIVED);
    ck_assert_int_eq(receive(1, &n, &from), OSC_TOO_LONG);
    close_control();
    close(fd);
}
END_TEST

/* Messages that an address may send at a moment. */
static int
spend_all(double now_s, const char *address)
{
    const osc_peer p = peer(address);
    int n = 0;
    while (osc_control_spend(control, now_s, &p))
        n++;
    return n;
}

START_TEST(an_address_may_send_so_many_a_second_and_costs_others_nothing)
{
    open_control("127.0.0.1", "127.0.0.1");
    ck_assert_int_eq(spend_all(100, "10.0.0.1"), OSC_RATE);
    ck_assert_int_eq(spend_all(100, "10.0.0.2"), OSC_RATE);
    ck_assert_int_eq(spend_all(100, "10.0.0.1"), 0);
    ck_assert_int_eq(spend_all(100.25, "10.0.0.1"), OSC_RATE / 4);
    ck_assert_int_eq(spend_all(200, "10.0.0.1"), OSC_RATE); /* not more after a rest */
    close_control();
}
END_TEST

START_TEST(many_addresses_together_are_limited_too)
{
    open_control("127.0.0.1", "127.0.0.1");
    int n = 0;
    char address[40];
    for (int i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "10.1.%d.%d", i / 250, 1 + i % 250);
        n += spend_all(100, address);
    }
    ck_assert_int_eq(n, OSC_RATE_ALL);
    close_control();
}
END_TEST

static const struct {
    const char *text, *why;
    osc_status st;
} refused[] = {
    {"9009", "HOST:PORT", OSC_EARG},
    {"127.0.0.1:0", "HOST:PORT", OSC_EARG},
    {"no.such.host.invalid:9009", "not known", OSC_ERESOLVE},
    {"192.0.2.1:9009", "cannot be taken", OSC_EIO},
};

static const struct {
    const char *text;
    bool ok;
} peers[] = {
    {"127.0.0.1:57120", true}, {"[::1]:9", true},    {"[fe80::1%1]:65535", true},
    {"localhost:9", false},    {"127.0.0.1", false}, {"127.0.0.1:0", false},
    {"[::1]", false},          {"", false},          {"127.0.0.1:9,tcp", false},
    {"999.0.0.1:9", false},
};

START_TEST(a_peer_is_read_as_it_is_written)
{
    osc_peer p, again;
    char text[OSC_PEER_TEXT];
    memset(&p, 0, sizeof p);
    memset(&again, 0, sizeof again);
    ck_assert_msg(osc_peer_parse(&p, peers[_i].text) == peers[_i].ok, "%s",
                  peers[_i].text);
    if (!peers[_i].ok)
        return;
    osc_peer_text(&p, text);
    ck_assert_str_eq(text, peers[_i].text);
    ck_assert(osc_peer_parse(&again, text) && again.port == p.port &&
              again.scope == p.scope && again.is_ipv6 == p.is_ipv6 &&
              !memcmp(again.address, p.address, sizeof p.address));
}
END_TEST

START_TEST(what_cannot_be_listened_at_is_said_in_a_sentence)
{
    osc_control *c = (void *)1;
    char why[200] = "";
    ck_assert_int_eq(osc_control_open(&c, refused[_i].text, NULL, 0, why, sizeof why),
                     refused[_i].st);
    ck_assert_ptr_null(c);
    ck_assert_msg(strstr(why, refused[_i].why) && strstr(why, refused[_i].text), "%s",
                  why);
}
END_TEST

START_TEST(a_port_that_is_taken_is_told_as_such)
{
    char text[40], why[200] = "";
    osc_control *second;
    open_control("127.0.0.1", "127.0.0.1");
    snprintf(text, sizeof text, ":%u", port);
    errno = 0;
    ck_assert_int_eq(osc_control_open(&second, text, NULL, 0, why, sizeof why),
                     OSC_EIO);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_msg(strstr(why, "another program has that port"), "%s", why);
    close_control();
    osc_control_close(NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("osc/control");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_range_holds_the_addresses_that_share_its_bits, 0,
                        sizeof ranges / sizeof *ranges);
    tcase_add_test(t, an_allowed_datagram_comes_with_its_sender_who_gets_the_reply);
    tcase_add_test(t, an_ipv6_socket_sees_ipv4_senders_as_such);
    tcase_add_test(t, a_datagram_from_elsewhere_is_not_passed_on);
    tcase_add_test(t, a_datagram_of_8192_bytes_is_the_longest);
    tcase_add_test(t, an_address_may_send_so_many_a_second_and_costs_others_nothing);
    tcase_add_test(t, many_addresses_together_are_limited_too);
    tcase_add_loop_test(t, a_peer_is_read_as_it_is_written, 0,
                        sizeof peers / sizeof *peers);
    tcase_add_loop_test(t, what_cannot_be_listened_at_is_said_in_a_sentence, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(t, a_port_that_is_taken_is_told_as_such);
    suite_add_tcase(s, t);
    return run_suite(s);
}
