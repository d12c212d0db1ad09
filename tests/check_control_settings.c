/* rt/control_settings.c and what is answered to each command. */
#include "control_support.h"

/* ---- Settings ---------------------------------------------------------------------
 */

static const struct {
    const char *address, *types, *s;
    int i;
    double f;
    const char *want;
} messages[] = {
    {"/hearken/match/score", "f", "", 0, 0.75, "/hearken/value s:match.score f:0.75"},
    {"/hearken/match/score", "i", "", 1, 0, "/hearken/value s:match.score f:1"},
    {"/hearken/match/score", "s", "0.25", 0, 0, "/hearken/value s:match.score f:0.25"},
    {"/hearken/match/score", "", "", 0, 0, "/hearken/value s:match.score f:0.5"},
    {"/hearken/match/k", "f", "", 0, 7, "/hearken/value s:match.k i:7"},
    {"/hearken/match/k", "i", "", 100, 0, "/hearken/value s:match.k i:100"},
    {"/hearken/match/gate_db", "f", "", 0, -40, "/hearken/value s:match.gate-db f:-40"},
    {"/hearken/match/scales", "s", "frame, event", 0, 0,
     "/hearken/value s:match.scales s:frame,event"},
    {"/hearken/match/refine", "s", "yes", 0, 0, "/hearken/value s:match.refine s:yes"},
    {"/hearken/osc/nomatch", "T", "", 0, 0, "/hearken/value s:osc.nomatch i:1"},
    {"/hearken/osc/nomatch", "F", "", 0, 0, "/hearken/value s:osc.nomatch i:0"},
    {"/hearken/osc/nomatch", "i", "", 1, 0, "/hearken/value s:osc.nomatch i:1"},
    {"/hearken/osc/nomatch", "f", "", 0, 1, "/hearken/value s:osc.nomatch i:1"},
    {"/hearken/osc/nomatch", "s", "yes", 0, 0, "/hearken/value s:osc.nomatch i:1"},
    {"/hearken/get", "s", "match.min-gap-ms", 0, 0,
     "/hearken/value s:match.min-gap-ms i:0"},
    {"/hearken/get", "s", "jack.client-name", 0, 0,
     "/hearken/value s:jack.client-name s:hearken"},
    {"/hearken/get", "s", "osc.allow", 0, 0, "/hearken/value s:osc.allow s:loopback"},
    {"/hearken/set", "sf", "match.score", 0, 0.125,
     "/hearken/value s:match.score f:0.125"},
    {"/hearken/set", "si", "match.within-ms", 500, 0,
     "/hearken/value s:match.within-ms i:500"},
    {"/hearken/set", "si", "match.confirm-ms", 300, 0,
     "/hearken/value s:match.confirm-ms i:300"},
    {"/hearken/match/release", "f", "", 0, 0.75,
     "/hearken/error s:match.release 0.75 is more than match.score 0.5, so that a "
     "match "
     "would never end; lower match.release first"},
    {"/hearken/mute", "", "", 0, 0, "/hearken/value s:osc.mute i:1"},
    {"/hearken/mute", "i", "", 0, 0, "/hearken/value s:osc.mute i:0"},
    {"/hearken/pause", "", "", 0, 0, "/hearken/value s:listen.paused i:1"},
    {"/hearken/resume", "", "", 0, 0, "/hearken/value s:listen.paused i:0"},
    {"/hearken/ping", "", "", 0, 0, "/hearken/pong s:" RT_VERSION},
    {"/hearken/record/dump", "", "", 0, 0, "/hearken/error s:nothing is recorded"},
    {"/hearken/match/score", "f", "", 0, 1.5,
     "/hearken/error s:match.score cannot be \"1.5\"; it wants a number from 0 to 1"},
    {"/hearken/match/score", "T", "", 0, 0,
     "/hearken/error s:match.score wants a value of type f, not T"},
    {"/hearken/match/score", "ff", "", 0, 0.5,
     "/hearken/error s:match.score takes one value, and 2 came"},
    {"/hearken/match/k", "f", "", 0, 1.5,
     "/hearken/error s:match.k cannot be \"1.5\"; it wants a whole number from 1 to "
     "100"},
    {"/hearken/match/k", "i", "", 101, 0,
     "/hearken/error s:match.k cannot be \"101\"; it wants a whole number from 1 to "
     "100"},
    {"/hearken/match/refine", "i", "", 1, 0,
     "/hearken/error s:match.refine cannot be \"1\"; it wants one of auto, no, yes"},
    {"/hearken/match/scales", "s", "event,timbre", 0, 0,
     "/hearken/error s:the index has nothing at scale timbre, so that it must be built "
     "with --build-timbre yes"},
    {"/hearken/search/space", "s", "labels", 0, 0,
     "/hearken/error s:the index has nothing at scale event in the space of labels, so "
     "that it must be built with --build-labels"},
    {"/hearken/jack/client-name", "s", "x", 0, 0,
     "/hearken/error s:jack.client-name cannot be changed while hearken runs; start it "
     "with --jack-client-name"},
    {"/hearken/build/seed", "i", "", 1, 0,
     "/hearken/error s:there is no address \"/hearken/build/seed\" here; /hearken/list "
     "tells the settings"},
    {"/hearken/get", "s", "no\nsuch", 0, 0,
     "/hearken/error s:there is no setting \"no?such\" here"},
    {"/hearken/get", "", "", 0, 0,
     "/hearken/error s:/hearken/get wants the name of a setting, such as match.score"},
    {"/hearken/get", "i", "", 1, 0,
     "/hearken/error s:/hearken/get wants the name of a setting, such as match.score"},
    {"/hearken/set", "s", "match.k", 0, 0,
     "/hearken/error s:/hearken/set wants a value after the name"},
    {"/hearken/mute", "i", "", 2, 0, "/hearken/error s:/hearken/mute takes 1 or 0"},
    {"/hearken/mute", "s", "x", 0, 0, "/hearken/error s:/hearken/mute takes 1 or 0"},
    {"/hearken/subscribe", "i", "", 65536, 0,
     "/hearken/error s:/hearken/subscribe takes a port from 1 to 65535, or 0 for that "
     "of "
     "answers"},
    {"/hearken/query/file", "", "", 0, 0,
     "/hearken/error s:/hearken/query/file wants the path of a sound file, and perhaps "
     "how many sounds, and of which index"},
    {"/hearken/index/set", "s", "main", 0, 0,
     "/hearken/error s:/hearken/index/set wants the name of an index, that of a "
     "setting, such as score, and a value"},
    {"/hearken/index/reload", "s", "drums", 0, 0,
     "/hearken/error s:there is no index \"drums\"; /hearken/index/list tells them"},
    {"/hearken/query/file", "s", "/no/such.wav", 0, 0,
     "/hearken/error s:/no/such.wav: No such file or directory"},
    {"/hearken", "", "", 0, 0,
     "/hearken/error s:there is no address \"/hearken\" here; /hearken/list tells the "
     "settings"},
    {"/dirt/play", "s", "bd", 0, 0,
     "/hearken/error s:there is no address \"/dirt/play\" here; /hearken/list tells "
     "the settings"},
};

START_TEST(each_message_is_answered_by_its_value_or_one_sentence)
{
    const char *t = messages[_i].types;
    if (!strcmp(t, "s"))
        send_osc(messages[_i].address, t, messages[_i].s);
    else if (!strcmp(t, "si"))
        send_osc(messages[_i].address, t, messages[_i].s, messages[_i].i);
    else if (!strcmp(t, "sf"))
        send_osc(messages[_i].address, t, messages[_i].s, messages[_i].f);
    else if (!strcmp(t, "i"))
        send_osc(messages[_i].address, t, messages[_i].i);
    else
        send_osc(messages[_i].address, t, messages[_i].f, messages[_i].f);
    ck_assert_str_eq(answer(), messages[_i].want);
    const bool bad = strstr(messages[_i].want, "/error ");
    send_osc("/hearken/ping", "");
    ck_assert_str_eq(answer(), "/hearken/pong s:" RT_VERSION);
    close_control(); /* counted when the thread has ended */
    ck_assert_uint_eq(rt_counted(&counts, RT_N_bad_commands), bad);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_commands), 1 + !bad);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_replies), 2);
    open_control();
}
END_TEST

START_TEST(a_change_is_handed_to_the_analysis_whole_and_a_bad_one_is_not)
{
    send_osc("/hearken/match/score", "f", 7.0);
    send_osc("/hearken/match/score", "f", 0.75);
    ck_assert(strstr(answer(), "/hearken/error"));
    answer();
    rt_options o = handed();
    ck_assert_float_eq(o.match.score, 0.75F);
    ck_assert_uint_eq(o.match.k, 1);
    ck_assert_uint_eq(o.dsp.event_ms, options.dsp.event_ms);
    send_osc("/hearken/match/k", "i", 4);
    answer();
    o = handed();
    ck_assert_float_eq(o.match.score, 0.75F);
    ck_assert_uint_eq(o.match.k, 4);
    rt_options now = options;
    rt_control_now(control, &now);
    ck_assert(!memcmp(&now, &o, sizeof o));
    rt_control_now(NULL, &now);
    ck_assert(!rt_ring_pop(settings, &o));
}
END_TEST

START_TEST(a_ring_that_is_full_gets_the_last_value_later)
{
    char want[80];
    for (int k = 1; k <= 4 * RT_SETTINGS; k++) {
        send_osc("/hearken/match/k", "i", k);
        snprintf(want, sizeof want, "/hearken/value s:match.k i:%d", k);
        ck_assert_str_eq(answer(), want);
        rt_sleep_ms(2);
    }
    uint32_t last = 0;
    for (int i = 0; i < 100 && last != 4 * RT_SETTINGS; i++) {
        rt_options o;
        while (rt_ring_pop(settings, &o))
            last = o.match.k;
        rt_sleep_ms(20);
    }
    ck_assert_uint_eq(last, 4 * RT_SETTINGS);
}
END_TEST

START_TEST(the_list_holds_each_setting_that_can_change)
{
    size_t n, n_live = 0;
    const rt_field *f = rt_fields(&n);
    send_osc("/hearken/list", "");
    for (size_t i = 0; i < n; i++) {
        char want[80];
        if (!(f[i].commands & RT_LIVE))
            continue;
        n_live++;
        snprintf(want, sizeof want, "/hearken/value s:%s.%s ", f[i].section, f[i].key);
        ck_assert_ptr_nonnull(strstr(answer(), want));
    }
    ck_assert_uint_gt(n_live, 12);
    ck_assert_str_eq(next_at(asker, 100), "");
}
END_TEST

START_TEST(a_pattern_is_a_message_to_each_address_that_it_fits)
{
    send_osc("/hearken/match/{score,k}", "");
    ck_assert_str_eq(answer(), "/hearken/value s:match.k i:1");
    ck_assert_ptr_nonnull(strstr(answer(), "/hearken/value s:match.score f:"));
    send_osc("/hearken/osc/[mo]*", "i", 0);
    ck_assert_str_eq(answer(), "/hearken/value s:osc.onsets i:0");
    ck_assert_str_eq(answer(), "/hearken/value s:osc.mute i:0");
    send_osc("/*/p?ng", "");
    ck_assert_str_eq(answer(), "/hearken/pong s:" RT_VERSION);
    send_osc("/hearken/match/k*", "i", RT_MAX_K + 1);
    ck_assert_ptr_nonnull(strstr(answer(), "/hearken/error s:match.k "));
    send_osc("/hearken/osc/listen*", "s", "0.0.0.0:1"); /* only a start sets it */
    ck_assert_ptr_nonnull(strstr(answer(), "no address here fits \"/hearken/osc/l"));
    send_osc("/hearken/{match", "i", 1);
    ck_assert_ptr_nonnull(strstr(answer(), "no address here fits \"/hearken/{"));
    ck_assert_str_eq(next_at(asker, 50), "");
    close_control();
    const uint64_t obeyed = rt_counted(&counts, RT_N_commands),
                   bad = rt_counted(&counts, RT_N_bad_commands);
    open_control();
    ck_assert_uint_eq(obeyed, 5);
    ck_assert_uint_eq(bad, 3);
}
END_TEST

START_TEST(each_address_that_a_pattern_fits_counts_as_a_message)
{
    const uint32_t n_sent = 400;
    for (uint32_t i = 0; i < n_sent; i++) /* of which there are more than ten */
        send_osc("/hearken/match/*", "");
    for (int i = 0; i < 100 && !rt_counted(&counts, RT_N_refused_commands); i++)
        rt_sleep_ms(50);
    rt_sleep_ms(100);
    close_control();
    const uint64_t obeyed = rt_counted(&counts, RT_N_commands),
                   refused = rt_counted(&counts, RT_N_refused_commands);
    open_control();
    ck_assert_msg(obeyed > 500 && obeyed < 4000, "%d", (int)obeyed);
    ck_assert_uint_gt(refused, 0);
}
END_TEST

START_TEST(answers_go_to_the_reply_port_where_one_is_set)
{
    uint16_t other_port;
    const int other = any_socket(&other_port);
    char want[80];
    send_osc("/hearken/osc/reply-port", "i", other_port);
    snprintf(want, sizeof want, "/hearken/value s:osc.reply-port i:%d", other_port);
    ck_assert_str_eq(next_at(other, 5000), want);
    ck_assert_str_eq(next_at(asker, 50), "");
    send_osc("/hearken/subscribe", "");
    snprintf(want, sizeof want,
             "/hearken/subscribed s:127.0.0.1:%d i:60 s:", other_port);
    ck_assert_str_eq(next_at(other, 5000), want);
    close(other);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/control_settings");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, build_once, remove_once);
    tcase_add_checked_fixture(t, open_control, close_control);
    tcase_add_loop_test(t, each_message_is_answered_by_its_value_or_one_sentence, 0,
                        sizeof messages / sizeof *messages);
    tcase_add_test(t, a_change_is_handed_to_the_analysis_whole_and_a_bad_one_is_not);
    tcase_add_test(t, a_ring_that_is_full_gets_the_last_value_later);
    tcase_add_test(t, the_list_holds_each_setting_that_can_change);
    tcase_add_test(t, a_pattern_is_a_message_to_each_address_that_it_fits);
    tcase_add_test(t, each_address_that_a_pattern_fits_counts_as_a_message);
    tcase_add_test(t, answers_go_to_the_reply_port_where_one_is_set);
    suite_add_tcase(s, t);
    return run_suite(s);
}
