#include "osc/osc.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Listens at 127.0.0.1; port 0 takes any. */
static int
receiver(uint16_t *port)
{
    const int on = 1, small = 2048;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small); /* of those accepted */
    ck_assert_int_eq(bind(fd, (void *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    getsockname(fd, (void *)&at, &len);
    *port = ntohs(at.sin_port);
    return fd;
}

static osc_dest *
dest_at(uint16_t port)
{
    char text[40], why[300] = "";
    osc_dest *d;
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    ck_assert_msg(!osc_dest_open_tcp(&d, text, why, sizeof why), "%s", why);
    return d;
}

static void
pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
              NULL);
}

/* The next n bytes; false at the end. */
static bool
take(int fd, uint8_t out[], size_t n)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (size_t got = 0; got < n;) {
        const ssize_t more = poll(&p, 1, 300) > 0 ? recv(fd, out + got, n - got, 0) : 0;
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return true;
}

/* Length of the next frame, or 0 at the end. */
static size_t
take_frame(int fd, uint8_t out[OSC_MAX_DATAGRAM])
{
    uint8_t head[4];
    if (!take(fd, head, 4))
        return 0;
    const size_t n =
        (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    ck_assert_uint_le(n, OSC_MAX_DATAGRAM);
    return take(fd, out, n) ? n : 0;
}

/* Sends until it is taken; how often it was not. */
static int
send_until(osc_dest *d, const uint8_t data[], size_t n, int tries)
{
    for (int i = 0; i < tries; i++) {
        if (!osc_dest_send(d, data, n))
            return i;
        pause_ms(50);
    }
    return -1;
}

START_TEST(a_message_comes_behind_its_length)
{
    uint16_t port = 0;
    uint8_t got[OSC_MAX_DATAGRAM];
    const int listener = receiver(&port);
    osc_dest *d = dest_at(port);
    ck_assert_int_eq(send_until(d, (const uint8_t *)"/one\0\0\0\0,\0\0\0", 12, 20), 0);
    ck_assert_int_eq(osc_dest_send(d, (const uint8_t *)"/two", 4), OSC_OK);
    const int fd = accept(listener, NULL, NULL);
    ck_assert_uint_eq(take_frame(fd, got), 12);
    ck_assert_mem_eq(got, "/one\0\0\0\0,\0\0\0", 12);
    ck_assert_uint_eq(take_frame(fd, got), 4);
    ck_assert_mem_eq(got, "/two", 4);
    ck_assert_int_eq(osc_dest_send(d, got, 0), OSC_EARG);
    ck_assert_int_eq(osc_dest_send(d, got, OSC_MAX_DATAGRAM + 1), OSC_EARG);
    osc_dest_close(d);
    ck_assert_uint_eq(take_frame(fd, got), 0);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(a_receiver_that_comes_later_or_again_is_found)
{
    uint16_t port = 0;
    uint8_t got[OSC_MAX_DATAGRAM];
    int listener = receiver(&port);
    close(listener); /* the port is free, and nobody is there */
    osc_dest *d = dest_at(port);
    pause_ms(20);
    ck_assert_int_eq(osc_dest_send(d, (const uint8_t *)"/one", 4), OSC_EIO);
    ck_assert_int_eq(errno, ENOTCONN);
    for (int round = 0; round < 2; round++) {
        listener = receiver(&port);
        ck_assert_int_ge(send_until(d, (const uint8_t *)"/two", 4, 100), 0);
        const int fd = accept(listener, NULL, NULL);
        ck_assert_uint_eq(take_frame(fd, got), 4);
        ck_assert_mem_eq(got, "/two", 4);
        close(fd);
        close(listener);
        pause_ms(20);
        ck_assert_int_eq(osc_dest_send(d, (const uint8_t *)"/gone", 4), OSC_EIO);
    }
    osc_dest_close(d);
}
END_TEST

START_TEST(a_receiver_that_reads_nothing_costs_no_time_and_no_frame)
{
    uint16_t port = 0;
    uint8_t data[OSC_MAX_DATAGRAM] = {0}, got[OSC_MAX_DATAGRAM];
    struct timespec from, to;
    uint32_t n_sent = 0, n_got = 0;
    const int listener = receiver(&port);
    osc_dest *d = dest_at(port);
    pause_ms(20);
    const int fd = accept(listener, NULL, NULL);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (uint32_t i = 0; i < 20000; i++) {
        data[0] = (uint8_t)n_sent;
        data[OSC_MAX_DATAGRAM - 1] = (uint8_t)n_sent;
        n_sent += osc_dest_send(d, data, sizeof data) == OSC_OK;
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    ck_assert_int_lt(to.tv_sec - from.tv_sec, 10);
    ck_assert_uint_gt(n_sent, 1);
    ck_assert_uint_lt(n_sent, 20000); /* it was full */
    ck_assert_int_eq(errno, EAGAIN);
    osc_status last = OSC_EIO;
    while (n_got < n_sent) { /* what was begun is finished by a further send */
        if (n_got + 1 == n_sent && last)
            last = osc_dest_send(d, (const uint8_t *)"/end", 4);
        ck_assert_uint_eq(take_frame(fd, got), sizeof data);
        ck_assert_uint_eq(got[0], (uint8_t)n_got);
        ck_assert_uint_eq(got[OSC_MAX_DATAGRAM - 1], (uint8_t)n_got);
        n_got++;
    }
    if (last)
        ck_assert_int_ge(send_until(d, (const uint8_t *)"/end", 4, 20), 0);
    ck_assert_uint_eq(take_frame(fd, got), 4);
    osc_dest_close(d);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(what_is_no_destination_is_refused)
{
    osc_dest *d;
    char why[300] = "";
    ck_assert_int_eq(osc_dest_open_tcp(&d, "nonsense", why, sizeof why), OSC_EARG);
    ck_assert_ptr_null(d);
    ck_assert_ptr_nonnull(strstr(why, "\"nonsense\""));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("osc/stream");
    TCase *tc = tcase_create("stream");
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, a_message_comes_behind_its_length);
    tcase_add_test(tc, a_receiver_that_comes_later_or_again_is_found);
    tcase_add_test(tc, a_receiver_that_reads_nothing_costs_no_time_and_no_frame);
    tcase_add_test(tc, what_is_no_destination_is_refused);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
