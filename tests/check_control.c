/* rt/control*.c: who is obeyed, subscribers, files, opening. */
#include "control_support.h"

START_TEST(what_hearken_itself_sends_is_counted_and_never_answered)
{
    static const char *const own[] = {
        "/hearken/match", "/hearken/status", "/hearken/drums/match", "/hearken/error",
        "/hearken/value", "/hearken/pong",   "/hearken/query/done"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        send_osc(own[i], "s", "x");
    send_osc("/hearken/ping", "");
    ck_assert_str_eq(answer(), "/hearken/pong s:" RT_VERSION);
    ck_assert_str_eq(next_at(asker, 50), "");
    ck_assert_uint_eq(rt_counted(&counts, RT_N_bad_commands), sizeof own / sizeof *own);
}
END_TEST

START_TEST(what_is_no_osc_is_answered_with_the_reason)
{
    send_bytes("hallo", 5);
    ck_assert_str_eq(answer(), "/hearken/error s:that is no OSC: its length is no "
                               "multiple of 4, or none");
    send_bytes("hallohal", 8);
    ck_assert_ptr_nonnull(strstr(answer(), "/hearken/error s:that is no OSC: "));
    static const char bundle[] = "#bundle\0\0\0\0\0\0\0\0\1"
                                 "\0\0\0\x10/hearken/ping\0\0\0"
                                 "\0\0\0\x10/hearken/ping\0\0";
    send_bytes(bundle, sizeof bundle);
    ck_assert_str_eq(answer(), "/hearken/pong s:" RT_VERSION);
    ck_assert_str_eq(answer(), "/hearken/pong s:" RT_VERSION);
}
END_TEST

START_TEST(who_is_not_allowed_is_neither_obeyed_nor_answered)
{
    close_control();
    open_with("10.0.0.0/8", false);
    send_osc("/hearken/match/k", "i", 4);
    ck_assert_str_eq(next_at(asker, 300), "");
    rt_options o;
    ck_assert(!rt_ring_pop(settings, &o));
    ck_assert_uint_eq(rt_counted(&counts, RT_N_refused_commands), 1);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_commands), 0);
}
END_TEST

START_TEST(more_than_a_thousand_at_once_are_refused_and_counted)
{
    static const char ping[] = "\0\0\0\x10/hearken/ping\0\0";
    uint8_t data[16 + 60 * 20] = "#bundle\0\0\0\0\0\0\0\0\1";
    for (size_t i = 0; i < 60; i++)
        memcpy(data + 16 + 20 * i, ping, 20);
    for (size_t i = 0; i < 40; i++) /* 2,400 messages */
        send_bytes(data, sizeof data);
    rt_sleep_ms(500);
    close_control();
    const uint64_t obeyed = rt_counted(&counts, RT_N_commands);
    ck_assert_msg(obeyed >= 900 && obeyed < 1800, "%d", (int)obeyed);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_refused_commands), 5);
    open_control();
}
END_TEST

/* ---- Subscribers, files, the recorder ---------------------------------------------
 */

START_TEST(a_subscriber_gets_what_is_sent_until_it_unsubscribes)
{
    const rt_match onset = {.kind = RT_ONSET, .level_db = -6, .sound = UINT32_MAX};
    send_osc("/hearken/subscribe", "");
    ck_assert_ptr_nonnull(strstr(answer(), "/hearken/subscribed s:127.0.0.1:"));
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(answer(), "/hearken/onset i:0 s:in f:-6 f:0 f:0");
    send_osc("/hearken/subscribe", ""); /* renews; is not sent to twice */
    ck_assert_ptr_nonnull(strstr(answer(), " i:60"));
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(answer(), "/hearken/onset i:1 s:in f:-6 f:0 f:0");
    ck_assert_str_eq(next_at(asker, 50), "");
    send_osc("/hearken/mute", "");
    ck_assert_str_eq(answer(), "/hearken/value s:osc.mute i:1");
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(asker, 50), "");
    send_osc("/hearken/mute", "F");
    answer();
    send_osc("/hearken/osc/onsets", "F");
    answer();
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(asker, 50), "");
    send_osc("/hearken/osc/onsets", "T");
    answer();
    send_osc("/hearken/unsubscribe", "");
    ck_assert_ptr_nonnull(strstr(answer(), " i:0"));
    rt_sleep_ms(300);
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(asker, 50), "");
    ck_assert_uint_eq(rt_counted(&counts, RT_N_muted), 1);
}
END_TEST

START_TEST(a_subscription_ends_by_itself)
{
    const rt_match onset = {.kind = RT_ONSET, .level_db = -6, .sound = UINT32_MAX};
    send_osc("/hearken/subscribe", "ii", 0, 61);
    ck_assert_ptr_nonnull(strstr(answer(), "takes 1 to 60 seconds"));
    send_osc("/hearken/subscribe", "ii", 0, 1);
    ck_assert_ptr_nonnull(strstr(answer(), " i:1"));
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(answer(), "/hearken/onset i:0 s:in f:-6 f:0 f:0");
    rt_sleep_ms(1300);
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(asker, 50), "");
}
END_TEST

START_TEST(who_had_subscribed_is_sent_to_by_the_next_process_too)
{
    const rt_match onset = {.kind = RT_ONSET, .level_db = -6, .sound = UINT32_MAX};
    uint16_t at, other_at;
    const int fd = any_socket(&at), other = any_socket(&other_at);
    send_osc("/hearken/subscribe", "ii", other_at, 1);
    answer();
    send_osc("/hearken/subscribe", "i", at);
    answer();
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/onset i:0 s:in f:-6 f:0 f:0");
    ck_assert_str_eq(next_at(other, 5000), "/hearken/onset i:0 s:in f:-6 f:0 f:0");
    rt_sleep_ms(1200); /* the other one is not asked for any more */
    close_control();
    ck_assert(subscribed[1].left_s > 50 && subscribed[1].left_s < 59);
    ck_assert_int_eq(sequence[RT_LIST + 1], 1);
    snprintf(subscribed[2].who, OSC_PEER_TEXT, "nobody:1"); /* is left out */
    subscribed[2].left_s = 60;
    open_with("loopback", false);
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/onset i:1 s:in f:-6 f:0 f:0");
    ck_assert_str_eq(next_at(other, 50), "");
    send_osc("/hearken/unsubscribe", "i", at);
    answer();
    rt_sleep_ms(300);
    rt_publish_push(publish, &onset);
    ck_assert_str_eq(next_at(fd, 50), "");
    close(fd);
    close(other);
}
END_TEST

/* A moment of which nothing is found, by itself or just after an onset. */
static void
push_nomatch(bool at_onset)
{
    const rt_match m = {.kind = RT_NOMATCH,
                        .scale = DSP_EVENT,
                        .sound = UINT32_MAX,
                        .at_onset = at_onset};
    rt_publish_push(publish, &m);
}

START_TEST(a_subscriber_has_settings_as_a_destination_has)
{
    uint16_t at, all_at;
    const int fd = any_socket(&at), all = any_socket(&all_at);
    char want[100];
    send_osc("/hearken/subscribe", "i", all_at);
    answer();
    send_osc("/hearken/subscribe", "iis", at, 50, "at=onsets,k=3");
    snprintf(want, sizeof want, "/hearken/subscribed s:127.0.0.1:%d i:50 s:%s", at,
             "at=onsets,k=3");
    ck_assert_str_eq(answer(), want);
    ck_assert_uint_eq(handed().match.asked, 1U << RT_AT_ONSETS);
    push_nomatch(false);
    ck_assert_str_eq(next_at(all, 5000), "/hearken/nomatch i:0 s:in s:event f:0 f:0");
    push_nomatch(true);
    ck_assert_str_eq(next_at(all, 5000), "/hearken/nomatch i:1 s:in s:event f:0 f:0");
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/nomatch i:0 s:in s:event f:0 f:0");
    send_osc("/hearken/subscribe", "iis", at, 50, "at=onsets,k=3"); /* the same */
    answer();
    close_control(); /* for the next process */
    ck_assert_str_eq(subscribed[1].settings, "at=onsets,k=3");
    open_with("loopback", false);
    ck_assert_uint_eq(handed().match.asked, 1U << RT_AT_ONSETS);
    push_nomatch(false);
    push_nomatch(true);
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/nomatch i:1 s:in s:event f:0 f:0");
    send_osc("/hearken/subscribe", "iis", at, 50, "messages=nomatch");
    answer(); /* in place of the others */
    ck_assert_uint_eq(handed().match.asked, 0);
    push_nomatch(false);
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/nomatch i:2 s:in s:event f:0 f:0");
    send_osc("/hearken/subscribe", "iis", at, 50, "at=continuous");
    answer();
    ck_assert_uint_eq(handed().match.asked, 1U << RT_AT_CONTINUOUS);
    send_osc("/hearken/unsubscribe", "i", at);
    ck_assert_ptr_nonnull(strstr(answer(), " i:0 s:"));
    ck_assert_uint_eq(handed().match.asked, 0);
    close(fd);
    close(all);
}
END_TEST

START_TEST(settings_that_a_subscriber_may_not_have_change_nothing)
{
    static const char *const bad[][2] = {
        {"tcp", "column 1: TCP is for osc.to alone"},
        {"as=./mine", "column 4: a file of hearken's machine is for osc.to alone"},
        {"k=0", "column 3: here is to be a number from 1 to 100"},
        {"indexes=drum", "there is no index \"drum\"; main is that of the command "
                         "line, and listen.index names others"},
    };
    char longer[RT_ITEM + 1], want[400];
    uint16_t at;
    const int fd = any_socket(&at);
    memset(longer, ' ', sizeof longer);
    longer[sizeof longer - 1] = 0;
    send_osc("/hearken/subscribe", "iis", at, 60, "at=onsets");
    answer();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(want, sizeof want, "/hearken/error s:settings of a subscriber: %s",
                 bad[i][1]);
        send_osc("/hearken/subscribe", "iis", at, 60, bad[i][0]);
        ck_assert_str_eq(answer(), want);
    }
    send_osc("/hearken/subscribe", "iis", at, 60, longer);
    ck_assert_ptr_nonnull(strstr(answer(), "they may have 255 bytes at most"));
    send_osc("/hearken/subscribe", "iii", at, 60, 1);
    ck_assert_ptr_nonnull(strstr(answer(), "then settings such as \"at=onsets,k=3\""));
    push_nomatch(false);
    push_nomatch(true);
    ck_assert_str_eq(next_at(fd, 5000), "/hearken/nomatch i:0 s:in s:event f:0 f:0");
    ck_assert_str_eq(next_at(fd, 50), "");
    close(fd);
}
END_TEST

START_TEST(sixteen_may_subscribe)
{
    for (int i = 0; i < RT_SUBSCRIBERS; i++) {
        send_osc("/hearken/subscribe", "i", 20001 + i);
        ck_assert_ptr_nonnull(strstr(answer(), " i:60"));
    }
    send_osc("/hearken/subscribe", "i", 20000);
    ck_assert_ptr_nonnull(strstr(answer(), "there are 16 subscribers already"));
    send_osc("/hearken/unsubscribe", "i", 20003);
    ck_assert_ptr_nonnull(strstr(answer(), " i:0"));
    rt_sleep_ms(300);
    send_osc("/hearken/subscribe", "i", 20000);
    ck_assert_ptr_nonnull(strstr(answer(), "127.0.0.1:20000 i:60"));
}
END_TEST

START_TEST(a_file_is_answered_with_the_sounds_most_like_it)
{
    char path[300], want[400];
    snprintf(path, sizeof path, "%s/03.wav", folder);
    send_osc("/hearken/query/file", "si", path, 3);
    const char *a = answer();
    ck_assert_msg(strstr(a, "/hearken/query/match i:1 s:event i:1 f:1 f:1 i:3 ") &&
                      strstr(a, "/03.wav"),
                  "%s", a);
    int n = 1;
    for (; strstr(a = answer(), "/hearken/query/match "); n++)
        ck_assert_ptr_nonnull(strstr(a, n < 3    ? " s:event "
                                        : n == 3 ? " s:scene i:1 "
                                                 : " s:scene "));
    snprintf(want, sizeof want, "/hearken/query/done i:1 i:%d s:%s", n, path);
    ck_assert_str_eq(a, want);
}
END_TEST

START_TEST(the_recorder_is_asked_where_there_is_one)
{
    close_control();
    open_with("loopback", true);
    send_osc("/hearken/record/dump", "");
    ck_assert_str_eq(answer(), "/hearken/record/dumped s:/tmp/x.wav");
}
END_TEST

static const struct {
    const char *args, *label, *input;
    double seconds;
    const char *answer; /* begins so */
} lessons[] = {
    {"s", "kick", NULL, 0, "/hearken/learned s:kick i:12 f:0"},
    {"sf", "kick", NULL, 1.5, "/hearken/learned s:kick i:12 f:1.5"},
    {"sfs", "kick", "in", 1.5, "/hearken/learned s:kick i:12 f:3.5"},
    {"sf", "kick", NULL, 10.5, "/hearken/error s:/hearken/learn wants a label"},
    {"sf", "kick", NULL, 0.01, "/hearken/error s:/hearken/learn wants a label"},
    {"sf", "kick", NULL, -1, "/hearken/error s:/hearken/learn wants a label"},
    {"ss", "kick", "x", 0, "/hearken/error s:/hearken/learn wants a label"},
    {"", NULL, NULL, 0, "/hearken/error s:/hearken/learn wants a label"},
    {"s", "bad", NULL, 0, "/hearken/error s:it is bad"},
};

START_TEST(what_sounded_is_learned_or_refused_at_a_command)
{
    close_control();
    open_with("loopback", true);
    for (size_t i = 0; i < sizeof lessons / sizeof *lessons; i++) {
        const char *args = lessons[i].args;
        if (!strcmp(args, "ss"))
            send_osc("/hearken/learn", args, lessons[i].label, lessons[i].input);
        else
            send_osc("/hearken/learn", args, lessons[i].label, lessons[i].seconds,
                     lessons[i].input);
        const char *got = answer();
        ck_assert_msg(!strncmp(got, lessons[i].answer, strlen(lessons[i].answer)),
                      "case %zu: %s", i, got);
    }
    send_osc("/hearken/learn", "s", "unsaved"); /* learned, but: */
    ck_assert_str_eq(answer(), "/hearken/learned s:unsaved i:12 f:0");
    ck_assert_str_eq(answer(), "/hearken/error s:it is unsaved");
    send_osc("/hearken/forget", "s", "*");
    ck_assert_str_eq(answer(), "/hearken/forgotten s:* i:3");
    send_osc("/hearken/forget", "s", "bad");
    ck_assert_str_eq(answer(), "/hearken/error s:it is bad");
    send_osc("/hearken/forget", "i", 1);
    ck_assert_ptr_nonnull(strstr(answer(), "wants a label that was learned"));
    ck_assert_uint_eq(rt_counted(&counts, RT_N_bad_commands), 9);
}
END_TEST

/* ---- Opening ----------------------------------------------------------------------
 */

START_TEST(a_port_that_is_taken_or_none_goes_on_without_control)
{
    char why[300] = "";
    rt_control *second = (void *)1;
    const rt_control_config c = {.options = &options, .counts = &counts};
    ck_assert(rt_control_open(&second, &c, why, sizeof why));
    ck_assert_ptr_null(second);
    snprintf(options.osc.listen, RT_TEXT, "none");
    ck_assert(rt_control_open(&second, &c, why, sizeof why));
    ck_assert_ptr_null(second);
    ck_assert(rt_control_start(NULL, why, sizeof why));
    rt_control_close(NULL);
}
END_TEST

START_TEST(a_place_or_range_that_is_none_is_refused)
{
    char why[300] = "";
    rt_control *second;
    const rt_control_config c = {.options = &options, .counts = &counts};
    snprintf(options.osc.allow.item[0], RT_ITEM, "10.0.0.0/99");
    ck_assert(!rt_control_open(&second, &c, why, sizeof why));
    ck_assert_msg(strstr(why, "osc.allow: \"10.0.0.0/99\""), "%s", why);
    snprintf(options.osc.allow.item[0], RT_ITEM, "loopback");
    snprintf(options.osc.listen, RT_TEXT, "9009");
    ck_assert(!rt_control_open(&second, &c, why, sizeof why));
    ck_assert_msg(strstr(why, "osc.listen: \"9009\""), "%s", why);
}
END_TEST

START_TEST(the_reference_in_docs_is_what_the_program_writes)
{
    static char text[32768], page[32768];
    FILE *to = fmemopen(text, sizeof text, "w"),
         *file = fopen("docs/osc-control.md", "r");
    ck_assert_msg(file != NULL, "run from the top folder");
    rt_control_reference(to);
    ck_assert(!fclose(to) && fread(page, 1, sizeof page - 1, file) > 1000);
    fclose(file);
    ck_assert_msg(!strcmp(text, page),
                  "write it anew: hearken osc-reference >docs/osc-control.md");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/control");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, build_once, remove_once);
    tcase_add_checked_fixture(t, open_control, close_control);
    tcase_add_test(t, what_hearken_itself_sends_is_counted_and_never_answered);
    tcase_add_test(t, what_is_no_osc_is_answered_with_the_reason);
    tcase_add_test(t, who_is_not_allowed_is_neither_obeyed_nor_answered);
    tcase_add_test(t, more_than_a_thousand_at_once_are_refused_and_counted);
    tcase_add_test(t, a_subscriber_gets_what_is_sent_until_it_unsubscribes);
    tcase_add_test(t, a_subscription_ends_by_itself);
    tcase_add_test(t, who_had_subscribed_is_sent_to_by_the_next_process_too);
    tcase_add_test(t, a_subscriber_has_settings_as_a_destination_has);
    tcase_add_test(t, settings_that_a_subscriber_may_not_have_change_nothing);
    tcase_add_test(t, sixteen_may_subscribe);
    tcase_add_test(t, a_file_is_answered_with_the_sounds_most_like_it);
    tcase_add_test(t, the_recorder_is_asked_where_there_is_one);
    tcase_add_test(t, what_sounded_is_learned_or_refused_at_a_command);
    tcase_add_test(t, a_port_that_is_taken_or_none_goes_on_without_control);
    tcase_add_test(t, a_place_or_range_that_is_none_is_refused);
    tcase_add_test(t, the_reference_in_docs_is_what_the_program_writes);
    suite_add_tcase(s, t);
    return run_suite(s);
}
