#include "rt/rt.h"
#include "rt/target.h"

#include <arpa/inet.h>
#include <check.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static rt_target target;
static char why[900], seen[400];

static void
on_message(void *ctx, const osc_message *m)
{
    (void)ctx;
    size_t n = (size_t)snprintf(seen, sizeof seen, "%s", m->address);
    for (uint32_t i = 0; i < m->n_args; i++) {
        const osc_arg *a = &m->arg[i];
        if (a->type == 'i')
            n += (size_t)snprintf(seen + n, sizeof seen - n, " %d", a->i);
        else if (a->type == 'f')
            n += (size_t)snprintf(seen + n, sizeof seen - n, " %.3f", (double)a->f);
        else
            n += (size_t)snprintf(seen + n, sizeof seen - n, " '%s'", a->s);
    }
}

static const rt_match match = {.kind = RT_MATCH,
                               .scale = DSP_EVENT,
                               .rank = 2,
                               .sound = 17,
                               .score = 0.75F,
                               .cosine = 0.5F,
                               .start_s = 1,
                               .length_s = 2};
static const rt_match onset = {.kind = RT_ONSET, .level_db = -12};
static const idx_sound snare = {.label = "snare", .path = "drums/snare.wav"};

static const char *
sent(const rt_match *m)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    const char *fault;
    const size_t n = rt_target_encode(data, &target, m, "in", "main", snare, 40);
    ck_assert_int_eq(osc_read(data, n, on_message, NULL, &fault), OSC_OK);
    return seen;
}

static void
read_settings(const char *settings)
{
    ck_assert_msg(rt_target_read(&target, settings, false, why, sizeof why), "%s: %s",
                  settings, why);
    target.dest = (void *)&target; /* only its being there is looked at */
}

static bool
wants(const rt_match *m)
{
    return rt_target_wants(&target, m, 0, RT_AT_CONTINUOUS);
}

START_TEST(settings_choose_what_is_wanted)
{
    rt_match m = match;
    read_settings("scales=event+frame, k=2 ,messages=match+onset");
    ck_assert(!target.templated && !target.bundle);
    ck_assert(wants(&m) && wants(&onset));
    ck_assert(!rt_target_wants_status(&target));
    m.rank = 3;
    ck_assert(!wants(&m));
    m.rank = 1;
    m.scale = DSP_SCENE;
    ck_assert(!wants(&m));
    m.scale = DSP_EVENT;
    m.kind = RT_NOMATCH;
    ck_assert(!wants(&m));
    m.kind = RT_LABEL; /* whose rank is a number of votes */
    read_settings("k=1,bundle");
    m.rank = 20;
    ck_assert(wants(&m) && target.bundle);
    ck_assert(rt_target_wants_status(&target));
}
END_TEST

static const struct {
    const char *settings;
    rt_match_at at; /* match.at */
    bool late;      /* whether it gets what comes long after an onset */
    uint32_t asks;
} moments[] = {
    {"k=2", RT_AT_CONTINUOUS, true, 0},
    {"k=2", RT_AT_BOTH, true, 0},
    {"k=2", RT_AT_ONSETS, false, 0},
    {"at=onsets", RT_AT_CONTINUOUS, false, 1U << RT_AT_ONSETS},
    {"at = onsets", RT_AT_BOTH, false, 1U << RT_AT_ONSETS},
    {"at=continuous", RT_AT_ONSETS, true, 1U << RT_AT_CONTINUOUS},
    {"at=both", RT_AT_ONSETS, true, 1U << RT_AT_BOTH},
};

START_TEST(answers_come_when_the_receiver_wants_them)
{
    static const rt_kind kinds[] = {RT_MATCH, RT_LABEL, RT_NOMATCH, RT_REJECT};
    read_settings(moments[_i].settings);
    ck_assert_uint_eq(rt_target_asks(&target), moments[_i].asks);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        rt_match m = match;
        m.kind = kinds[i];
        ck_assert_msg(rt_target_wants(&target, &m, 0, moments[_i].at) ==
                          moments[_i].late,
                      "%s", moments[_i].settings);
        m.at_onset = true;
        ck_assert(rt_target_wants(&target, &m, 0, moments[_i].at));
    }
    ck_assert(rt_target_wants(&target, &onset, 0, moments[_i].at));
}
END_TEST

START_TEST(what_all_want_is_found)
{
    static rt_options o;
    for (uint32_t at = 0; at <= RT_AT_BOTH; at++)
        for (uint32_t asked = 0; asked <= RT_AT_BOTH; asked++) {
            o.match.at = at;
            o.match.asked = 0;
            ck_assert_uint_eq(rt_at_of(&o), at);
            o.match.asked = 1U << asked;
            ck_assert_uint_eq(rt_at_of(&o), at == asked ? at : (uint32_t)RT_AT_BOTH);
        }
}
END_TEST

START_TEST(only_messages_with_a_template_are_sent)
{
    read_settings("match=/dirt/play s {label} n {sound} gain {score}");
    ck_assert(wants(&match) && !wants(&onset));
    ck_assert(!rt_target_wants_status(&target));
    ck_assert_str_eq(sent(&match), "/dirt/play 's' 'snare' 'n' 17 'gain' 0.750");
    read_settings("onset=/on {level},as=plain");
    ck_assert(!target.templated && wants(&match));
}
END_TEST

START_TEST(numeric_has_an_address_for_each_label_and_no_string)
{
    uint8_t data[OSC_MAX_DATAGRAM];
    const char *fault;
    rt_match m = match;
    read_settings("as=numeric");
    ck_assert_str_eq(sent(&match),
                     "/hearken/match/in/event/snare 2 0.750 17 1.000 2.000 "
                     "40.000");
    ck_assert_str_eq(sent(&onset), "/hearken/onset/in -12.000 40.000");
    m.kind = RT_NOMATCH;
    ck_assert_str_eq(sent(&m), "/hearken/nomatch/in/event 0.750 40.000");
    m.kind = RT_LABEL;
    ck_assert_str_eq(sent(&m), "/hearken/label/in/event/snare 0.750 2 40.000");
    const size_t n = rt_target_encode_status(data, &target, "running");
    ck_assert_int_eq(osc_read(data, n, on_message, NULL, &fault), OSC_OK);
    ck_assert_str_eq(seen, "/hearken/status/running 0");
    m.kind = RT_MATCH;
    m.cosine = NAN; /* not told here */
    ck_assert_uint_gt(rt_target_encode(data, &target, &m, "in", "main", snare, 40), 0);
    m.score = NAN;
    ck_assert_uint_eq(rt_target_encode(data, &target, &m, "in", "main", snare, 40), 0);
}
END_TEST

START_TEST(a_rate_holds_in_the_long_run)
{
    uint32_t n = 0;
    read_settings("rate=20");
    for (int ms = 0; ms < 10000; ms++)
        n += rt_target_may(&target, 5 + ms / 1000.0);
    ck_assert_uint_ge(n, 20 + 198);
    ck_assert_uint_le(n, 20 + 200);
    read_settings("rate=0.5");
    ck_assert(rt_target_may(&target, 0) && !rt_target_may(&target, 1.9));
    ck_assert(rt_target_may(&target, 2.1));
    read_settings("k=1"); /* no rate: any */
    for (int i = 0; i < 1000; i++)
        ck_assert(rt_target_may(&target, 1));
}
END_TEST

static const struct {
    const char *name, *sent;
} presets[] = {
    {"superdirt", "/dirt/play 's' 'snare' 'n' 0 'gain' 0.750 'begin' 0 'orbit' 0"},
    {"wekinator", "/wek/inputs 17.000 0.750 0.500 1.000"},
    {"sonic-pi", "/hearken/match 'snare' 0.750 17 1.000 2.000 'event'"},
    {"abletonosc", "/live/clip/fire 0 17"},
    {"touchdesigner", "/hearken/event/snare 0.750 17 1.000 2.000"},
};

START_TEST(presets_send_what_their_programs_take)
{
    char settings[200];
    rt_match m = match;
    m.rank = 1;
    snprintf(settings, sizeof settings, "as=presets/destinations/%s.conf",
             presets[_i].name);
    read_settings(settings);
    ck_assert(wants(&m) && !wants(&match));
    ck_assert_str_eq(sent(&m), presets[_i].sent);
}
END_TEST

static const struct {
    const char *settings, *why;
} bad[] = {
    {"bundel", "column 1: here is to be tcp, udp, bundle or key=value"},
    {"k=1,", "column 5: here is to be tcp"},
    {"k=0", "column 3: here is to be a number from 1 to 100"},
    {"tcp,k=1x", "column 7: "},
    {"rate=nan", "column 6: here is to be a number from 0.001 to 1e+06"},
    {"scales=event+evnt",
     "column 14: here is to be one or more, with + between, of frame "
     "event scene timbre"},
    {"scales=", "column 8: here a name is missing"},
    {"messages=mach", "of match onset nomatch label status"},
    {"at=onset", "column 4: here is to be onsets, continuous or both"},
    {"at=", "column 4: here is to be onsets"},
    {"bundle=maybe", "column 8: here is to be yes or no"},
    {"transport=sctp", "column 11: here is to be udp or tcp"},
    {"ranks=1", "column 1: there is no such setting of a destination"},
    {"match=/a {lable}", "column 11: there is no {lable} in the message match"},
    {"onset = /a {score}", "column 13: there is no {score}"},
    {"as=nosuch", "column 4: there is no presets/destinations/nosuch.conf"},
    {"as=./nosuch.conf", "column 4: \"./nosuch.conf\" cannot be read: No such file"},
};

START_TEST(a_wrong_setting_is_refused_with_its_place)
{
    ck_assert_msg(!rt_target_read(&target, bad[_i].settings, false, why, sizeof why),
                  "%s", bad[_i].settings);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].settings, why);
    ck_assert_ptr_null(strchr(why, '\n'));
}
END_TEST

static const struct {
    const char *settings, *why; /* NULL: it may */
} foreign[] = {
    {"", NULL},
    {"at=onsets,k=3,rate=20", NULL},
    {"as=numeric,bundle,udp,scales=event", NULL},
    {"match=/light/{label} {score}", NULL}, /* a / that names no file */
    {"tcp", "column 1: TCP is for osc.to alone"},
    {"k=1, transport=tcp", "column 16: TCP is for osc.to alone"},
    {"as=presets/destinations/superdirt.conf",
     "column 4: a file of hearken's machine is for osc.to alone"},
    {"k=1,as=/dev/stdin", "column 8: a file of hearken's machine"},
    {"as=..", "column 4: there is no presets/destinations/...conf"},
};

START_TEST(a_stranger_chooses_neither_files_nor_tcp)
{
    const bool ok =
        rt_target_read(&target, foreign[_i].settings, true, why, sizeof why);
    ck_assert_msg(ok == !foreign[_i].why, "%s", foreign[_i].settings);
    ck_assert_msg(ok || strstr(why, foreign[_i].why) == why, "%s", why);
}
END_TEST

START_TEST(settings_of_any_length_are_read_or_refused_whole)
{
    char text[RT_ITEM + 10];
    memset(text, ' ', sizeof text);
    memcpy(text, "k=7", 3);
    text[RT_ITEM - 1] = 0;
    read_settings(text);
    ck_assert_uint_eq(target.k, 7);
    memset(text, ' ', sizeof text);
    text[RT_ITEM] = 0;
    ck_assert(!rt_target_read(&target, text, false, why, sizeof why));
    ck_assert_str_eq(why, "they may have 255 bytes at most");
}
END_TEST

START_TEST(a_fault_in_a_file_is_told_with_file_line_and_column)
{
    char path[] = "/tmp/hearken-target-XXXXXX", settings[100], place[100];
    const int fd = mkstemp(path);
    static const char text[] = "# mine\n\nk = 1\n  match = /a {score} {lable}\n";
    ck_assert_int_eq(write(fd, text, sizeof text - 1), (int)sizeof text - 1);
    close(fd);
    snprintf(settings, sizeof settings, "tcp,as=%s", path);
    ck_assert(!rt_target_read(&target, settings, false, why, sizeof why));
    unlink(path);
    snprintf(place, sizeof place, "%s:4:23: there is no {lable}", path);
    ck_assert_msg(strstr(why, place) == why, "%s", why);
}
END_TEST

START_TEST(sending_counts_on_and_a_bundle_says_when)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    char text[60];
    uint8_t data[OSC_MAX_DATAGRAM];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (void *)&at, sizeof at), 0);
    getsockname(fd, (void *)&at, &len);
    snprintf(text, sizeof text, "127.0.0.1:%u,bundle,match=/a {seq}",
             ntohs(at.sin_port));
    ck_assert_int_eq(rt_target_open(&target, text, why, sizeof why), RT_OK);
    for (int i = 0; i < 2; i++) {
        const size_t n =
            rt_target_encode(data, &target, &match, "in", "main", snare, 40);
        ck_assert(rt_target_send(&target, data, n, INT64_C(1767225600000000000)));
    }
    ck_assert(!rt_target_send(&target, data, 0, 0)); /* used up all the same */
    ck_assert_int_eq(target.seq, 3);
    for (uint8_t i = 0; i < 2; i++) {
        ck_assert_int_eq(recv(fd, data, sizeof data, 0), 32);
        ck_assert_mem_eq(data, "#bundle", 8);
        ck_assert_mem_eq(data + 16, "\0\0\0\x0c/a\0\0,i\0\0\0\0\0", 15);
        ck_assert_uint_eq(data[31], i);
    }
    rt_target_close(&target);
    rt_target_close(&target);
    close(fd);
}
END_TEST

START_TEST(only_what_is_of_the_indexes_that_it_names_is_wanted)
{
    static const char names[][RT_NAME] = {"main", "drums", "voice"};
    read_settings("indexes=drums+voice,scales=event");
    ck_assert(rt_target_choose(&target, names, 3, why, sizeof why));
    const rt_match_at at = RT_AT_CONTINUOUS;
    ck_assert(!rt_target_wants(&target, &match, 0, at));
    ck_assert(rt_target_wants(&target, &match, 1, at));
    ck_assert(rt_target_wants(&target, &match, 2, at));
    ck_assert(rt_target_wants(&target, &onset, 0, at)); /* of an input */
    read_settings("scales=event");
    ck_assert(rt_target_choose(&target, names, 3, why, sizeof why));
    ck_assert(rt_target_wants(&target, &match, 0, at));
    ck_assert(rt_target_wants(&target, &match, RT_INDEXES - 1, at));
    read_settings("indexes=drum");
    ck_assert(!rt_target_choose(&target, names, 3, why, sizeof why));
    ck_assert_msg(strstr(why, "no index \"drum\"; main is") != NULL, "%s", why);
    ck_assert(!rt_target_read(&target, "indexes=", false, why, sizeof why));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/target");
    TCase *tc = tcase_create("target");
    tcase_add_test(tc, settings_choose_what_is_wanted);
    tcase_add_loop_test(tc, answers_come_when_the_receiver_wants_them, 0,
                        sizeof moments / sizeof *moments);
    tcase_add_test(tc, what_all_want_is_found);
    tcase_add_test(tc, only_what_is_of_the_indexes_that_it_names_is_wanted);
    tcase_add_test(tc, only_messages_with_a_template_are_sent);
    tcase_add_test(tc, numeric_has_an_address_for_each_label_and_no_string);
    tcase_add_test(tc, a_rate_holds_in_the_long_run);
    tcase_add_loop_test(tc, presets_send_what_their_programs_take, 0,
                        sizeof presets / sizeof *presets);
    tcase_add_loop_test(tc, a_wrong_setting_is_refused_with_its_place, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_loop_test(tc, a_stranger_chooses_neither_files_nor_tcp, 0,
                        sizeof foreign / sizeof *foreign);
    tcase_add_test(tc, settings_of_any_length_are_read_or_refused_whole);
    tcase_add_test(tc, a_fault_in_a_file_is_told_with_file_line_and_column);
    tcase_add_test(tc, sending_counts_on_and_a_bundle_says_when);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
