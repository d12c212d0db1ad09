#include "osc/template.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* As the receiver sees it: "address types arguments". */
static char seen[3000];

static void
on_message(void *ctx, const osc_message *m)
{
    (void)ctx;
    size_t n = (size_t)snprintf(seen, sizeof seen, "%s ", m->address);
    for (uint32_t i = 0; i < m->n_args; i++)
        seen[n++] = m->arg[i].type;
    seen[n] = 0;
    for (uint32_t i = 0; i < m->n_args; i++) {
        const osc_arg *a = &m->arg[i];
        if (a->type == 'i')
            n += (size_t)snprintf(seen + n, sizeof seen - n, " %d", a->i);
        else if (a->type == 'f')
            n += (size_t)snprintf(seen + n, sizeof seen - n, " %g", (double)a->f);
        else
            n += (size_t)snprintf(seen + n, sizeof seen - n, " '%s'", a->s);
    }
}

static void
fill(osc_arg value[OSC_VALUES])
{
    for (unsigned v = 0; v < OSC_VALUES; v++) {
        value[v] = (osc_arg){.type = osc_value_type((osc_value)v), .s = "text"};
        if (value[v].type == 'i')
            value[v].i = (int32_t)v;
        else if (value[v].type == 'f')
            value[v].f = 0.5F;
    }
    value[OSC_V_LABEL].s = "snare drum/#1";
    value[OSC_V_SOUND].i = -17;
    value[OSC_V_SEQ].i = INT32_MAX;
}

static const struct {
    osc_kind kind;
    const char *text, *sent;
} good[] = {
    {OSC_MATCH, "/dirt/play s {label} n {sound} gain {score}",
     "/dirt/play sssisf 's' 'snare drum/#1' 'n' -17 'gain' 0.5"},
    {OSC_MATCH, "/a", "/a "},
    {OSC_MATCH, "  /a \t ", "/a "},
    {OSC_MATCH, "/a 1 -2 0.5 1e3 . - 1x \"7\" \"two words\" \"\"",
     "/a iiffssssss 1 -2 0.5 1000 '.' '-' '1x' '7' 'two words' ''"},
    {OSC_MATCH, "/a 2147483647 2147483648 -2147483648",
     "/a ifi 2147483647 2.14748e+09 "
     "-2147483648"},
    {OSC_MATCH, "/a {sound:f} {score:i} {score*127:i} {sound*0.5} {score*-2}",
     "/a fiiff -17 0 64 -8.5 -1"},
    {OSC_MATCH, "/a {seq*10:i} {seq*-10:i}", "/a ii 2147483647 -2147483648"},
    {OSC_MATCH, "/a/{label}/{sound}/{seq}b", "/a/snare_drum__1/-17/2147483647b "},
    {OSC_ONSET, "/on {level} {age} {input} {strength}", "/on ffsf 0.5 0.5 'text' 0.5"},
    {OSC_NOMATCH, "/no/{scale} {score}", "/no/text f 0.5"},
    {OSC_LABEL, "/l/{label} {share} {voters}", "/l/snare_drum__1 fi 0.5 15"},
    {OSC_STATUS, "/s/{state} {seq}", "/s/text i 2147483647"},
};

START_TEST(a_template_is_sent_as_it_reads)
{
    osc_template t;
    osc_arg value[OSC_VALUES];
    uint8_t data[OSC_MAX_DATAGRAM];
    char what[300] = "";
    const char *why;
    size_t column;
    fill(value);
    ck_assert_msg(!osc_template_parse(&t, good[_i].kind, good[_i].text, &column, what,
                                      sizeof what),
                  "%s: %s", good[_i].text, what);
    const size_t n = osc_template_encode(data, sizeof data, &t, value);
    ck_assert_msg(n > 0, "%s", good[_i].text);
    ck_assert_int_eq(osc_read(data, n, on_message, NULL, &why), OSC_OK);
    ck_assert_str_eq(seen, good[_i].sent);
}
END_TEST

static const struct {
    osc_kind kind;
    const char *text;
    size_t column;
    const char *why;
} bad[] = {
    {OSC_MATCH, "", 1, "begins with an address"},
    {OSC_MATCH, " kick", 2, "begins with an address"},
    {OSC_MATCH, "/a {lable}", 5, "no {lable} in the message match; it has seq, input"},
    {OSC_MATCH, "/a {}", 5, "no {}"},
    {OSC_MATCH, "/a {level}", 5, "no {level}"},
    {OSC_ONSET, "/a {label}", 5, "it has seq, input, age, level, strength"},
    {OSC_MATCH, "/a {label", 4, "a { has no }"},
    {OSC_MATCH, "/a {score:s}", 10, "to be i or f"},
    {OSC_MATCH, "/a {score:if}", 12, "to be a }"},
    {OSC_MATCH, "/a {score*:i}", 11, "to be a number"},
    {OSC_MATCH, "/a {score* 2}", 11, "to be a number"},
    {OSC_MATCH, "/a {score*inf}", 11, "to be a number"},
    {OSC_MATCH, "/a {label:i}", 10, "cannot become"},
    {OSC_MATCH, "/a {label*2}", 11, "only a number"},
    {OSC_MATCH, "/a/{score}", 4, "strings and whole numbers"},
    {OSC_MATCH, "/a/{score:i}", 4, "strings and whole numbers"},
    {OSC_MATCH, "/a/{sound:i}", 4, "strings and whole numbers"},
    {OSC_MATCH, "/a*", 3, "cannot be in an address"},
    {OSC_MATCH, "/h\xC3\xB6", 3, "cannot be in an address"},
    {OSC_MATCH, "/a \"b", 4, "no second one"},
    {OSC_MATCH, "/a \"b\"c", 7, "a blank is missing"},
    {OSC_MATCH, "/a b{label}", 5, "a blank is missing"},
    {OSC_MATCH, "/a {label}b", 11, "a blank is missing"},
    {OSC_MATCH, "/a 1e99", 4, "too large"},
    {OSC_MATCH, "/a 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3",
     68, "more than 32"},
};

START_TEST(a_wrong_template_is_refused_with_its_place)
{
    osc_template t;
    char why[300] = "";
    size_t column = 0;
    ck_assert_int_eq(
        osc_template_parse(&t, bad[_i].kind, bad[_i].text, &column, why, sizeof why),
        OSC_EARG);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].text, why);
    ck_assert_msg(column == bad[_i].column, "%s: column %zu", bad[_i].text, column);
}
END_TEST

START_TEST(what_is_too_long_or_not_finite_is_not_sent)
{
    static char long_label[2000];
    osc_template t;
    osc_arg value[OSC_VALUES];
    uint8_t data[OSC_MAX_DATAGRAM];
    char why[300];
    size_t column;
    memset(long_label, 'x', sizeof long_label - 1);
    fill(value);
    ck_assert(!osc_template_parse(&t, OSC_MATCH, "/a/{label} {score} {score:i}",
                                  &column, why, sizeof why));
    ck_assert_uint_gt(osc_template_encode(data, sizeof data, &t, value), 0);
    value[OSC_V_SCORE].f = NAN;
    ck_assert_uint_eq(osc_template_encode(data, sizeof data, &t, value), 0);
    value[OSC_V_SCORE].f = INFINITY;
    ck_assert_uint_eq(osc_template_encode(data, sizeof data, &t, value), 0);
    fill(value);
    value[OSC_V_LABEL].s = long_label;
    ck_assert_uint_eq(osc_template_encode(data, sizeof data, &t, value), 0);
}
END_TEST

START_TEST(a_template_that_is_too_long_is_refused)
{
    static char text[3000];
    osc_template t;
    char why[300];
    size_t column;
    memset(text, 'x', sizeof text - 1);
    text[0] = '/';
    ck_assert_int_eq(osc_template_parse(&t, OSC_MATCH, text, &column, why, sizeof why),
                     OSC_EARG);
    ck_assert_ptr_nonnull(strstr(why, "longer than"));
    text[2] = ' ';
    ck_assert_int_eq(osc_template_parse(&t, OSC_MATCH, text, &column, why, sizeof why),
                     OSC_EARG);
    ck_assert_uint_eq(column, 4);
}
END_TEST

START_TEST(a_bundle_has_its_time_and_one_message)
{
    uint8_t data[OSC_MAX_DATAGRAM] = "/a\0\0,i\0\0\0\0\0\7";
    const char *why;
    /* half a second after 2026-01-01T00:00:00Z, in seconds since 1900 */
    const uint32_t s = 1767225600U + 2208988800U;
    ck_assert_uint_eq(osc_bundle_wrap(data, 12, INT64_C(1767225600500000000)), 32);
    ck_assert_mem_eq(data, "#bundle", 8);
    const uint8_t tag[12] = {(uint8_t)(s >> 24),
                             (uint8_t)(s >> 16),
                             (uint8_t)(s >> 8),
                             (uint8_t)s,
                             0x80,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             12};
    ck_assert_mem_eq(data + 8, tag, 12);
    ck_assert_int_eq(osc_read(data, 32, on_message, NULL, &why), OSC_OK);
    ck_assert_str_eq(seen, "/a i 7");
    ck_assert_uint_eq(osc_bundle_wrap(data, 0, 0), 0);
    ck_assert_uint_eq(osc_bundle_wrap(data, OSC_MAX_DATAGRAM - OSC_BUNDLE + 4, 0), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("osc/template");
    TCase *tc = tcase_create("template");
    tcase_add_loop_test(tc, a_template_is_sent_as_it_reads, 0,
                        sizeof good / sizeof *good);
    tcase_add_loop_test(tc, a_wrong_template_is_refused_with_its_place, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tc, what_is_too_long_or_not_finite_is_not_sent);
    tcase_add_test(tc, a_template_that_is_too_long_is_refused);
    tcase_add_test(tc, a_bundle_has_its_time_and_one_message);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
