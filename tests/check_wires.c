/* rt/wires.c: connections that are remembered, beside a patch bay of the test's own. */
#include "rt/wires.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

enum { PORTS = 8, INPUTS = 2 };

/* Ports "p:0" to "p:7". */
static bool exists[PORTS], on[INPUTS][PORTS], refuses;
static char said[4000];
static rt_wires wires;

static int
number(const char *port)
{
    return strncmp(port, "p:", 2) ? -1 : port[2] - '0';
}

static bool
port_exists(void *ctx, const char *port)
{
    (void)ctx;
    const int i = number(port);
    return i >= 0 && exists[i];
}

static bool
connected(void *ctx, uint32_t input, const char *port)
{
    (void)ctx;
    const int i = number(port);
    return i >= 0 && on[input][i];
}

static bool
connect_port(void *ctx, uint32_t input, const char *port)
{
    (void)ctx;
    const int i = number(port);
    ck_assert(i >= 0 && exists[i] && !on[input][i]);
    on[input][i] = !refuses;
    return !refuses;
}

static void
say(void *ctx, uint32_t input, const char *text)
{
    (void)ctx;
    const size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%u %s;", input, text);
}

static rt_patchbay bay = {
    .exists = port_exists, .connected = connected, .connect = connect_port};

static bool
look(double now)
{
    *said = 0;
    return rt_wires_look(&wires, &bay, now, say, NULL);
}

static void
remove_port(int i)
{
    exists[i] = false;
    bay.ports_gone++;
    for (int input = 0; input < INPUTS; input++)
        on[input][i] = false;
}

static void
setup(void)
{
    memset(&wires, 0, sizeof wires);
    memset(on, 0, sizeof on);
    memset(exists, 0, sizeof exists);
    refuses = false;
    exists[1] = true;
}

START_TEST(a_wanted_port_is_connected_when_it_comes)
{
    rt_wires_want(&wires, 0, "p:1");
    rt_wires_want(&wires, 1, "p:2");
    ck_assert(!look(0));
    ck_assert_str_eq(said, "0 listening to p:1;");
    exists[2] = true;
    ck_assert(!look(1));
    ck_assert_str_eq(said, "1 listening to p:2;");
    ck_assert(on[0][1] && on[1][2] && !on[0][2] && !on[1][1]);
    ck_assert(!look(2));
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(a_port_that_goes_is_connected_again_when_it_comes_back)
{
    on[0][1] = true; /* somebody connected it by hand */
    ck_assert(rt_wires_note(&wires, 0, "p:1"));
    ck_assert(!rt_wires_note(&wires, 0, "p:1")); /* no news */
    ck_assert(!look(0));
    ck_assert_str_eq(said, "");
    remove_port(1);
    ck_assert(!look(1));
    ck_assert_str_eq(said, "0 p:1 went away; waiting for it;");
    ck_assert(!look(2));
    ck_assert_str_eq(said, "");
    exists[1] = true;
    ck_assert(!look(3));
    ck_assert_str_eq(said, "0 listening to p:1;");
    ck_assert(on[0][1]);
}
END_TEST

START_TEST(a_port_is_disconnected_before_it_goes_and_that_is_not_taken_for_a_wish)
{
    rt_wires_want(&wires, 0, "p:1");
    look(0);
    on[0][1] = false;
    ck_assert(look(1)); /* it wants to look again */
    ck_assert_str_eq(said, "");
    remove_port(1);
    ck_assert(!look(1.1));
    ck_assert_str_eq(said, "0 p:1 went away; waiting for it;");
}
END_TEST

START_TEST(what_somebody_takes_out_stays_out_until_its_port_goes)
{
    rt_wires_want(&wires, 0, "p:1");
    look(0);
    on[0][1] = false;
    ck_assert(look(1));
    ck_assert(look(2.9));
    ck_assert_str_eq(said, "");
    ck_assert(!look(3.1));
    ck_assert_str_eq(said, "0 p:1 was disconnected by hand, and is left so;");
    rt_wires_want(&wires, 0, "p:1"); /* as the options say at each look */
    look(3.2);
    ck_assert(!on[0][1]);
    rt_wires_lost(&wires); /* a restart of the server does not change that */
    rt_wires_want(&wires, 0, "p:1");
    look(4);
    ck_assert(!on[0][1] && rt_wires_any(&wires, 0));
    remove_port(1);
    look(4);
    ck_assert(!rt_wires_any(&wires, 0));
    exists[1] = true;
    rt_wires_want(&wires, 0, "p:1");
    look(5);
    ck_assert(on[0][1]);
}
END_TEST

START_TEST(a_port_that_is_back_before_anyone_looks_is_connected_again)
{
    rt_wires_want(&wires, 0, "p:1");
    look(1);
    ck_assert(on[0][1]);
    remove_port(1);
    exists[1] = true;
    look(2);
    ck_assert(on[0][1]);
    ck_assert_str_eq(said, "0 p:1 went away; waiting for it;0 listening to p:1;");
}
END_TEST

START_TEST(what_is_put_in_again_by_hand_is_remembered_again)
{
    rt_wires_want(&wires, 0, "p:1");
    look(0);
    on[0][1] = false;
    look(1);
    look(3);
    on[0][1] = true;
    ck_assert(!look(4));
    remove_port(1);
    look(5);
    exists[1] = true;
    look(6);
    ck_assert(on[0][1]);
}
END_TEST

START_TEST(a_server_that_comes_back_gets_all_its_connections_back)
{
    rt_wires_want(&wires, 0, "p:1");
    rt_wires_note(&wires, 1, "p:3");
    rt_wires_note(&wires, 1, "p:4");
    exists[3] = exists[4] = on[1][3] = on[1][4] = true;
    look(0);
    on[1][4] = false;
    look(1); /* loose: nobody knows yet why */
    memset(on, 0, sizeof on);
    memset(exists, 0, sizeof exists);
    rt_wires_lost(&wires);
    exists[1] = true;
    ck_assert(!look(2));
    ck_assert_str_eq(said, "0 listening to p:1;");
    exists[3] = exists[4] = true;
    ck_assert(!look(3));
    ck_assert_str_eq(said, "1 listening to p:3;1 listening to p:4;");
    ck_assert(on[0][1] && on[1][3] && on[1][4]);
}
END_TEST

START_TEST(a_port_that_is_not_ready_yet_is_tried_again)
{
    rt_wires_want(&wires, 0, "p:1");
    refuses = true;
    ck_assert(look(10));
    ck_assert(look(12.9));
    ck_assert_str_eq(said, "");
    refuses = false;
    ck_assert(!look(12.95));
    ck_assert_str_eq(said, "0 listening to p:1;");
}
END_TEST

START_TEST(a_server_that_refuses_is_asked_for_some_seconds_and_then_the_next_one)
{
    rt_wires_want(&wires, 0, "p:1");
    refuses = true;
    ck_assert(look(10));
    ck_assert(!look(13.1));
    ck_assert_str_eq(said, "0 JACK did not connect p:1; connect it by hand;");
    refuses = false;
    ck_assert(!look(14));
    ck_assert_str_eq(said, "");
    ck_assert(!on[0][1]);
    rt_wires_lost(&wires);
    rt_wires_want(&wires, 0, "p:1");
    look(15);
    ck_assert(on[0][1]);
}
END_TEST

START_TEST(more_and_longer_names_than_there_is_room_for_are_let_go)
{
    char port[RT_PORT + 2];
    for (int i = 0; i < RT_WIRES + 10; i++) {
        snprintf(port, sizeof port, "q:%d", i);
        rt_wires_note(&wires, 0, port);
    }
    rt_wires_note(&wires, 1, "p:1");
    ck_assert(!rt_wires_any(&wires, 1));
    memset(&wires, 0, sizeof wires);
    memset(port, 'x', sizeof port);
    port[RT_PORT] = 0;
    rt_wires_want(&wires, 0, port);
    ck_assert(!rt_wires_any(&wires, 0));
    port[RT_PORT - 1] = 0;
    rt_wires_want(&wires, 0, port);
    ck_assert(rt_wires_any(&wires, 0));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/wires");
    TCase *t = tcase_create("wires");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_wanted_port_is_connected_when_it_comes);
    tcase_add_test(t, a_port_that_goes_is_connected_again_when_it_comes_back);
    tcase_add_test(
        t, a_port_is_disconnected_before_it_goes_and_that_is_not_taken_for_a_wish);
    tcase_add_test(t, what_somebody_takes_out_stays_out_until_its_port_goes);
    tcase_add_test(t, a_port_that_is_back_before_anyone_looks_is_connected_again);
    tcase_add_test(t, what_is_put_in_again_by_hand_is_remembered_again);
    tcase_add_test(t, a_server_that_comes_back_gets_all_its_connections_back);
    tcase_add_test(t, a_port_that_is_not_ready_yet_is_tried_again);
    tcase_add_test(
        t, a_server_that_refuses_is_asked_for_some_seconds_and_then_the_next_one);
    tcase_add_test(t, more_and_longer_names_than_there_is_room_for_are_let_go);
    suite_add_tcase(s, t);
    return run_suite(s);
}
