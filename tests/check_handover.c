/* rt/handover.c, rt/anew.c: what a process leaves to itself. */
#include "rt/anew.h"
#include "rt/handover.h"
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static rt_handover *h, *back;
static rt_options o, o_back;
static char text[RT_HANDOVER], why[400];

static void
set_up(void)
{
    h = calloc(1, sizeof *h);
    back = calloc(1, sizeof *back);
    ck_assert(h && back);
    rt_options_default(&o);
    rt_options_default(&o_back);
    *why = 0;
}

static void
tear_down(void)
{
    free(h);
    free(back);
}

static void
set(const char *name, const char *value)
{
    ck_assert_msg(rt_options_set(&o, name, value, RT_LIVE, why, sizeof why), "%s", why);
}

static void
fill(void)
{
    for (int i = 0; i < RT_COUNTS; i++)
        h->counts[i] = (uint64_t)i * 1000000007;
    h->stream = (rt_stream){.frame = 1234567890123, .us = 98765432101, .s = 0.1 + 0.2};
    snprintf(h->index[0], RT_TEXT, "/tmp/a folder\nwith a line/x.hkn");
    snprintf(h->index[RT_INDEXES - 1], RT_TEXT, "y.hkn");
    o.listen.index.n = 1;
    snprintf(o.listen.index.item[0], RT_ITEM, "drums=d.hkn,score=0.5");
    h->connect.n = 2;
    snprintf(h->connect.item[0], RT_ITEM, "in=system:capture_1");
    snprintf(h->connect.item[1], RT_ITEM, "in=a player (2):out 1");
    h->subscribed[3] = (rt_subscription){.who = "127.0.0.1:57120",
                                         .settings = "at=onsets, match=/a {label}",
                                         .left_s = 33.25};
    h->subscribed[15] = (rt_subscription){.who = "[fe80::1%2]:9", .left_s = 0.5};
    h->sequence[0] = 5;
    h->sequence[RT_DESTS - 1] = -1; /* it wraps, after weeks */
    set("match.score", "0.123456789");
    set("match.scales", "frame,scene");
    set("match.k", "7");
    set("osc.mute", "yes");
}

static bool
reads(const char *from, size_t n)
{
    return rt_handover_read(back, &o_back, from, n, why, sizeof why);
}

START_TEST(all_that_is_left_comes_back)
{
    fill();
    const size_t n = rt_handover_write(h, &o, text, sizeof text);
    ck_assert_uint_gt(n, 0);
    ck_assert_msg(reads(text, n), "%s", why);
    ck_assert_mem_eq(back->counts, h->counts, sizeof h->counts);
    ck_assert(back->stream.frame == h->stream.frame && back->stream.us == h->stream.us);
    ck_assert(!(back->stream.s < h->stream.s) && !(back->stream.s > h->stream.s));
    ck_assert_mem_eq(back->index, h->index, sizeof h->index);
    ck_assert_uint_eq(back->indexes.n, 1);
    ck_assert_str_eq(back->indexes.item[0], "drums=d.hkn,score=0.5");
    ck_assert_uint_eq(back->connect.n, 2);
    ck_assert_str_eq(back->connect.item[1], h->connect.item[1]);
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++) {
        ck_assert_str_eq(back->subscribed[i].who, h->subscribed[i].who);
        ck_assert_str_eq(back->subscribed[i].settings, h->subscribed[i].settings);
        ck_assert(!(back->subscribed[i].left_s < h->subscribed[i].left_s) &&
                  !(back->subscribed[i].left_s > h->subscribed[i].left_s));
    }
    ck_assert_mem_eq(back->sequence, h->sequence, sizeof h->sequence);
}
END_TEST

START_TEST(each_setting_of_osc_comes_back)
{
    char a[RT_TEXT], b[RT_TEXT];
    size_t n_fields, n_live = 0;
    const rt_field *f = rt_fields(&n_fields);
    fill();
    const size_t n = rt_handover_write(h, &o, text, sizeof text);
    ck_assert_msg(reads(text, n), "%s", why);
    for (size_t i = 0; i < n_fields; i++) {
        if (!(f[i].commands & RT_LIVE))
            continue;
        n_live++;
        ck_assert_msg(f[i].type != 6,
                      "a list can be set, and is not left"); /* T_LIST */
        rt_options_text(&o, &f[i], 0, a, sizeof a);
        rt_options_text(&o_back, &f[i], 0, b, sizeof b);
        ck_assert_str_eq(a, b);
    }
    ck_assert_uint_gt(n_live, 10);
    ck_assert_uint_eq(o_back.match.k, 7);
}
END_TEST

START_TEST(nothing_is_left_by_one_who_has_nothing)
{
    const size_t n = rt_handover_write(h, &o, text, sizeof text);
    ck_assert_msg(reads(text, n), "%s", why);
    ck_assert_mem_eq(back, h, sizeof *h);
}
END_TEST

START_TEST(what_does_not_fit_is_not_written)
{
    fill();
    const size_t n = rt_handover_write(h, &o, text, sizeof text);
    for (size_t cap = 0; cap < n; cap += 1 + cap / 7)
        ck_assert_uint_eq(rt_handover_write(h, &o, text, cap), 0);
    ck_assert_uint_eq(rt_handover_write(h, &o, text, n), n);
    ck_assert_uint_eq(rt_handover_write(h, &o, text, n - 1), 0);
}
END_TEST

START_TEST(what_is_cut_is_refused_whole)
{
    fill();
    const size_t n = rt_handover_write(h, &o, text, sizeof text);
    const rt_options before = o_back;
    for (size_t cut = 0; cut < n; cut++) {
        const bool at_a_line = cut && !text[cut - 1];
        if (at_a_line)
            continue;
        char *exact = malloc(cut + !cut); /* so that a sanitizer sees a read beyond */
        ck_assert(exact != NULL);
        memcpy(exact, text, cut);
        ck_assert_msg(!reads(exact, cut), "cut at %zu", cut);
        free(exact);
        ck_assert_uint_eq(back->counts[1], 0);
        ck_assert_mem_eq(&o_back, &before, sizeof before);
    }
}
END_TEST

static const struct {
    const char *line; /* the second one */
    bool ok;
} lines[] = {
    {"count blocks 5", true},
    {"count blocks -5", false},
    {"count blocks", false},
    {"count blocks ", false},
    {"count blocks 5 ", true}, /* a blank at the end is nothing */
    {"count blocks 5 6", false},
    {"count blocks 99999999999999999999999999", false},
    {"count blocks 18446744073709551615", false},
    {"count locks 5", false},
    {"count  5", false},
    {"stream 1 2 3", true},
    {"stream 1 2", false},
    {"stream 1 2 nan", false},
    {"stream 1 2 1e300", false},
    {"stream 1 -2 3", false},
    {"stream 9223372036854775807 2 3", false},
    {"stream 1 2 3 4", false},
    {"index 0 /x", true},
    {"index 7 /x", true},
    {"index 8 /x", false},
    {"index 0 ", false},
    {"index /x", false},
    {"listen drums=x.hkn", true},
    {"listen ", false},
    {"set match.score 0.5", true},
    {"set match.score 1.5", false},
    {"set match.score", false},
    {"set match.colour 1", false},
    {"set osc.listen 0.0.0.0:1", false}, /* no command could set it */
    {"set jack.client-name x", false},
    {"connect in=x", true},
    {"connect ", false},
    {"subscriber 15 60 127.0.0.1:1", true},
    {"subscriber 15 60 127.0.0.1:1 ", true},
    {"subscriber 15 60 127.0.0.1:1 k=1,at=onsets", true},
    {"subscriber 15 60  k=1", false},
    {"subscriber 16 60 127.0.0.1:1", false},
    {"subscriber 1 61 127.0.0.1:1", false},
    {"subscriber 1 -1 127.0.0.1:1", false},
    {"subscriber 1 inf 127.0.0.1:1", false},
    {"subscriber 1 60 ", false},
    {"sequence 31 4294967295", true},
    {"sequence 31 4294967296", false},
    {"sequence 32 1", false},
    {"sequence 1", false},
    {"hearken left this", false},
    {"", false},
    {"counts blocks 5", false},
};

START_TEST(lines_are_read_with_care)
{
    const size_t n = (size_t)snprintf(text, sizeof text, "hearken left this%c%s", 0,
                                      lines[_i].line) +
                     1;
    ck_assert_msg(reads(text, n) == lines[_i].ok, "\"%s\": %s", lines[_i].line, why);
    ck_assert_msg(lines[_i].ok || strstr(why, "line 2 "), "%s", why);
}
END_TEST

START_TEST(settings_that_do_not_go_together_are_refused)
{
    static const char bad[] =
        "hearken left this\0set match.confirm-ms 900\0set match.within-ms 500";
    ck_assert(!reads(bad, sizeof bad) && *why);
    static const char other[] = "hearken was here";
    ck_assert(!reads(other, sizeof other) && strstr(why, "line 1 "));
}
END_TEST

START_TEST(too_long_texts_are_refused)
{
    static const char *const words[] = {
        "index 0", "listen", "connect", "subscriber 1 5", "subscriber 1 5 a:1", "set"};
    char longer[2 * RT_TEXT];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = (size_t)snprintf(text, sizeof text, "hearken left this%c%s %s",
                                          0, words[i], longer) +
                         1;
        ck_assert_msg(!reads(text, n), "%s", words[i]);
    }
}
END_TEST

START_TEST(more_connections_than_there_can_be_are_refused)
{
    size_t n = (size_t)snprintf(text, sizeof text, "hearken left this") + 1;
    for (int i = 0; i <= RT_LIST; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "connect in=p%d", i) + 1;
        ck_assert_int_eq(reads(text, n), i < RT_LIST);
    }
}
END_TEST

/* ---- Starting anew: this very program, as main() below tells -----------------------
 */

static int
child(void)
{
    char got[100] = "";
    const size_t n = rt_left(got, sizeof got);
    if (getenv("HEARKEN_LEFT") || rt_left(got + n, sizeof got - n))
        return 2;
    return n == 12 && !memcmp(got, "left\0to\0me\0", n) ? 0 : 1;
}

/* The status of one who starts anew as the child above. */
static int
status_of(const char left[], size_t n, const char *variable)
{
    char word[] = "child", *args[] = {word};
    const pid_t pid = fork();
    if (!pid) {
        if (variable)
            setenv("HEARKEN_LEFT", variable, 1);
        freopen("/dev/null", "w", stderr);
        rt_start_anew(1, args, left, n);
        _exit(99);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(a_program_that_starts_anew_gets_what_it_left)
{
    ck_assert_int_eq(status_of("left\0to\0me\0", 12, NULL), 0);
    ck_assert_int_eq(status_of("left\0to\0me\0", 11, NULL), 1);
    ck_assert_int_eq(status_of("", 0, NULL), 1);
}
END_TEST

START_TEST(a_file_that_others_name_is_not_believed)
{
    char got[100], number[20];
    const int fd = open("/proc/self/exe", O_RDONLY);
    ck_assert_int_ge(fd, 3);
    snprintf(number, sizeof number, "%d", fd);
    const char *const names[] = {number, "0", "-1", "", "3x", "99999999999", "1000000"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("HEARKEN_LEFT", names[i], 1);
        ck_assert_uint_eq(rt_left(got, sizeof got), 0);
        ck_assert(!getenv("HEARKEN_LEFT"));
    }
    ck_assert_int_eq(close(fd), 0); /* it was left alone */
}
END_TEST

static Suite *
handover_suite(void)
{
    Suite *s = suite_create("handover");
    TCase *t = tcase_create("handover");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, all_that_is_left_comes_back);
    tcase_add_test(t, each_setting_of_osc_comes_back);
    tcase_add_test(t, nothing_is_left_by_one_who_has_nothing);
    tcase_add_test(t, what_does_not_fit_is_not_written);
    tcase_add_test(t, what_is_cut_is_refused_whole);
    tcase_add_loop_test(t, lines_are_read_with_care, 0,
                        (int)(sizeof lines / sizeof *lines));
    tcase_add_test(t, settings_that_do_not_go_together_are_refused);
    tcase_add_test(t, too_long_texts_are_refused);
    tcase_add_test(t, more_connections_than_there_can_be_are_refused);
    tcase_add_test(t, a_program_that_starts_anew_gets_what_it_left);
    tcase_add_test(t, a_file_that_others_name_is_not_believed);
    suite_add_tcase(s, t);
    return s;
}

int
main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "child"))
        return child();
    return run_suite(handover_suite());
}
