/* rt/notify.c, against a socket of our own: what a service manager would have got. */
#include "rt/notify.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 2048 };

static char folder[200], path[sizeof((struct sockaddr_un *)NULL)->sun_path];
static int manager = -1;
static rt_notify notify;

/* A manager at an address: @name, abstract, or a path. */
static void
listen_at(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, name, strlen(name));
    if (*name == '@')
        at.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(manager, 0);
    const socklen_t len =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    ck_assert_msg(!bind(manager, (const struct sockaddr *)&at, len), "%s: %s", name,
                  strerror(errno));
    setenv("NOTIFY_SOCKET", name, 1);
}

static void
enter(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%.90s/socket", folder);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void
leave(void)
{
    rt_notify_close(&notify);
    if (manager >= 0)
        close(manager);
    manager = -1;
    remove_tree(folder);
}

static void
open_notify(void)
{
    char why[300] = "";
    ck_assert_msg(rt_notify_open(&notify, why, sizeof why), "%s", why);
}

/* The next datagram as text, "" when there is none. */
static const char *
heard(void)
{
    static char text[MOST];
    const ssize_t n = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

START_TEST(without_a_manager_nothing_happens)
{
    if (_i)
        setenv("NOTIFY_SOCKET", "", 1);
    setenv("WATCHDOG_USEC", "nonsense", 1); /* nobody is there to be told of it */
    open_notify();
    ck_assert_int_eq(notify.fd, -1);
    rt_notify_tick(&notify, 1, true, "running");
    rt_notify_close(&notify);
}
END_TEST

START_TEST(sockets_of_both_kinds_get_ready_and_stopping)
{
    char name[64];
    snprintf(name, sizeof name, "@hearken/check/%d", (int)getpid());
    listen_at(_i ? name : path);
    open_notify();
    rt_notify_tick(&notify, 1, true, "running");
    ck_assert_str_eq(heard(), "READY=1\nSTATUS=running\n");
    rt_notify_close(&notify);
    ck_assert_str_eq(heard(), "STOPPING=1\n");
    ck_assert_str_eq(heard(), "");
}
END_TEST

/* "L" stands for a name that is as long as it may be, plus one byte. */
static const char *const bad_names[] = {"relative",     "/",  "@",
                                        "vsock:2:1234", "/L", "@L"};

START_TEST(an_address_that_cannot_be_one_is_named)
{
    char name[sizeof notify.to.sun_path + 1], why[300];
    snprintf(name, sizeof name, "%s", bad_names[_i]);
    if (name[1] == 'L')
        memset(name + 1, 'L', sizeof name - 2);
    name[sizeof name - 1] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    ck_assert(!rt_notify_open(&notify, why, sizeof why));
    ck_assert_msg(strstr(why, name), "%s", why);
    rt_notify_tick(&notify, 1, true, "running"); /* and it goes on without */
}
END_TEST

START_TEST(the_longest_path_is_taken)
{
    char name[sizeof notify.to.sun_path];
    memset(name, 'L', sizeof name);
    name[0] = '@';
    name[sizeof name - 1] = '\0';
    listen_at(name);
    open_notify();
    rt_notify_tick(&notify, 1, true, "running");
    ck_assert_str_eq(heard(), "READY=1\nSTATUS=running\n");
}
END_TEST

START_TEST(ready_is_told_once_and_not_before_there_is_life)
{
    listen_at(path);
    open_notify();
    rt_notify_tick(&notify, 1, false, "stalled");
    ck_assert_str_eq(heard(), "STATUS=stalled\n");
    rt_notify_tick(&notify, 2, true, "stalled");
    ck_assert_str_eq(heard(), "READY=1\n");
    rt_notify_tick(&notify, 3, true, "stalled");
    rt_notify_tick(&notify, 4, false, "stalled");
    rt_notify_tick(&notify, 5, true, "stalled");
    ck_assert_str_eq(heard(), "");
}
END_TEST

static const char *const watchdogs[] = {"2000000", "5000000", "30000000"};

/* At most half of its time passes between two, with ticks of 0.25 s that come up to
 * 0.1 s late. */
START_TEST(the_watchdog_is_fed_twice_in_its_time_while_there_is_life)
{
    uint64_t seed = 5;
    const double time_s = 1e-6 * strtod(watchdogs[_i], NULL);
    double last = 0, longest = 0;
    int n = 0;
    setenv("WATCHDOG_USEC", watchdogs[_i], 1);
    listen_at(path);
    open_notify();
    for (double now = 0; now < 20 * time_s; now += 0.25) {
        const double late = 0.05 * (1 + random_unit(&seed));
        rt_notify_tick(&notify, now + late, true, "running");
        if (!strstr(heard(), "WATCHDOG=1\n"))
            continue;
        longest = now + late - last > longest ? now + late - last : longest;
        last = now + late;
        n++;
    }
    ck_assert_msg(n >= 39, "%d times in twenty", n);
    ck_assert_msg(n <= 81, "%d times in twenty", n);
    ck_assert_msg(longest <= time_s / 2, "%g s of %g", longest, time_s);
}
END_TEST

START_TEST(the_watchdog_starves_without_life_and_is_fed_again_at_once)
{
    setenv("WATCHDOG_USEC", "2000000", 1);
    listen_at(path);
    open_notify();
    rt_notify_tick(&notify, 0, true, "");
    ck_assert_str_eq(heard(), "READY=1\nWATCHDOG=1\n");
    for (double now = 0.25; now < 60; now += 0.25) {
        rt_notify_tick(&notify, now, false, "");
        ck_assert_str_eq(heard(), "");
    }
    rt_notify_tick(&notify, 60, true, "");
    ck_assert_str_eq(heard(), "WATCHDOG=1\n");
}
END_TEST

static const struct {
    const char *name, *usec, *pid;
    bool fed, content; /* content: no complaint */
} dogs[] = {
    {"none", NULL, NULL, false, true},
    {"of any process", "2000000", NULL, true, true},
    {"of this process", "2000000", "self", true, true},
    {"of another process", "2000000", "1", false, true},
    {"of no process", "2000000", "x", true, true},
    {"too short to be kept", "1900000", NULL, true, false},
    {"zero", "0", NULL, false, false},
    {"empty", "", NULL, false, false},
    {"negative", "-5000000", NULL, false, false},
    {"with a unit", "5s", NULL, false, false},
    {"beyond all numbers", "99999999999999999999999", NULL, false, false},
};

START_TEST(the_watchdog_is_whose_and_as_long_as_the_environment_says)
{
    char self[32], why[300] = "";
    snprintf(self, sizeof self, "%d", (int)getpid());
    if (dogs[_i].usec)
        setenv("WATCHDOG_USEC", dogs[_i].usec, 1);
    if (dogs[_i].pid)
        setenv("WATCHDOG_PID", strcmp(dogs[_i].pid, "self") ? dogs[_i].pid : self, 1);
    listen_at(path);
    ck_assert_msg(rt_notify_open(&notify, why, sizeof why) == dogs[_i].content,
                  "case: %s: %s", dogs[_i].name, why);
    ck_assert_msg(!*why == dogs[_i].content, "case: %s: %s", dogs[_i].name, why);
    rt_notify_tick(&notify, 1, true, "running"); /* ready in any case */
    ck_assert_msg(!strcmp(heard(), dogs[_i].fed
                                       ? "READY=1\nWATCHDOG=1\nSTATUS=running\n"
                                       : "READY=1\nSTATUS=running\n"),
                  "case: %s", dogs[_i].name);
}
END_TEST

START_TEST(a_status_is_told_when_it_changes_and_is_one_line)
{
    char longer[4 * RT_NOTIFY_TEXT];
    listen_at(path);
    open_notify();
    rt_notify_tick(&notify, 1, true, "a\nREADY=0\x1b\x7f");
    ck_assert_str_eq(heard(), "READY=1\nSTATUS=a?READY=0\?\?\n");
    rt_notify_tick(&notify, 2, true, "a\nREADY=0\x1b\x7f");
    ck_assert_str_eq(heard(), "");
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    rt_notify_tick(&notify, 3, true, "b");
    ck_assert_str_eq(heard(), "STATUS=b\n");
    rt_notify_tick(&notify, 3.9, true, longer); /* not twice in a second */
    ck_assert_str_eq(heard(), "");
    rt_notify_tick(&notify, 4, true, longer);
    const char *text = heard();
    ck_assert_uint_eq(strlen(text), strlen("STATUS=\n") + RT_NOTIFY_TEXT - 1);
    rt_notify_tick(&notify, 5, true, longer);
    ck_assert_str_eq(heard(), "");
}
END_TEST

/* The test ends by the time limit of Check if a tick waits. */
START_TEST(a_manager_that_does_not_read_is_told_later_and_holds_nobody)
{
    static const char filling[] = "filling";
    listen_at(path);
    open_notify();
    const int flood = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert(!connect(flood, (const struct sockaddr *)&notify.to, notify.to_len));
    while (send(flood, filling, sizeof filling - 1, 0) > 0)
        ;
    for (int i = 0; i < 100; i++)
        rt_notify_tick(&notify, i, true, "running");
    for (const char *text = heard(); *text; text = heard())
        ck_assert_str_eq(text, filling);
    rt_notify_tick(&notify, 100, true, "running");
    ck_assert_str_eq(heard(), "READY=1\nSTATUS=running\n");
    close(flood);
}
END_TEST

START_TEST(a_manager_that_went_away_is_told_when_it_is_back)
{
    setenv("WATCHDOG_USEC", "2000000", 1);
    listen_at(path);
    open_notify();
    rt_notify_tick(&notify, 0, true, "running");
    ck_assert_str_eq(heard(), "READY=1\nWATCHDOG=1\nSTATUS=running\n");
    close(manager);
    remove(path);
    rt_notify_tick(&notify, 1, true, "waiting");
    listen_at(path);
    rt_notify_tick(&notify, 1.1, true, "waiting");
    ck_assert_str_eq(heard(), "WATCHDOG=1\nSTATUS=waiting\n");
}
END_TEST

START_TEST(ticks_leave_the_heap_alone)
{
    setenv("WATCHDOG_USEC", "2000000", 1);
    listen_at(path);
    open_notify();
    const uint64_t before = heap_calls;
    int n = 0;
    for (int i = 0; i < 100; i++) {
        rt_notify_tick(&notify, i, true, i % 2 ? "running" : "waiting");
        n += *heard() != '\0';
    }
    const uint64_t after = heap_calls;
    ck_assert_uint_eq(after, before);
    ck_assert_int_eq(n, 100);
}
END_TEST

START_TEST(the_status_tells_the_state_and_what_was_lost)
{
    static rt_counts counts;
    char text[RT_NOTIFY_TEXT], shorter[12];
    rt_notify_status(text, sizeof text, "running", &counts);
    ck_assert_str_eq(text, "running; nothing lost");
    rt_count(&counts, RT_N_matches, 3); /* no loss, and no news */
    rt_count(&counts, RT_N_failed, 2);
    rt_count(&counts, RT_N_lost_frames, 64);
    rt_notify_status(text, sizeof text, "waiting", &counts);
    ck_assert_str_eq(text, "waiting; 64 samples lost, 2 messages failed");
    rt_notify_status(shorter, sizeof shorter, "waiting", &counts);
    ck_assert_str_eq(shorter, "waiting; 64");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/notify");
    TCase *t = tcase_create("notify");
    notify.fd = -1;
    tcase_add_checked_fixture(t, enter, leave);
    tcase_add_loop_test(t, without_a_manager_nothing_happens, 0, 2);
    tcase_add_loop_test(t, sockets_of_both_kinds_get_ready_and_stopping, 0, 2);
    tcase_add_loop_test(t, an_address_that_cannot_be_one_is_named, 0, N(bad_names));
    tcase_add_test(t, the_longest_path_is_taken);
    tcase_add_test(t, ready_is_told_once_and_not_before_there_is_life);
    tcase_add_loop_test(t, the_watchdog_is_fed_twice_in_its_time_while_there_is_life, 0,
                        N(watchdogs));
    tcase_add_test(t, the_watchdog_starves_without_life_and_is_fed_again_at_once);
    tcase_add_loop_test(t, the_watchdog_is_whose_and_as_long_as_the_environment_says, 0,
                        N(dogs));
    tcase_add_test(t, a_status_is_told_when_it_changes_and_is_one_line);
    tcase_add_test(t, a_manager_that_does_not_read_is_told_later_and_holds_nobody);
    tcase_add_test(t, a_manager_that_went_away_is_told_when_it_is_back);
    tcase_add_test(t, ticks_leave_the_heap_alone);
    tcase_add_test(t, the_status_tells_the_state_and_what_was_lost);
    suite_add_tcase(s, t);
    return run_suite(s);
}
