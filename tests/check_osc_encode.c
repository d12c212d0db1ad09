#include "osc/osc.h"

#include <check.h>
#include <lo/lo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest strings that fit one datagram: see osc_match. */
enum { LONG_INPUT = 64, LONG_LABEL = 255, LONG_PATH = 1003 };

static const osc_match plain = {1, "in", "event", 1,  0.5F,   0.25F,
                                7, 1.5F, 1,       40, "kick", "kick/a.wav"};

/* n bytes of 'x' and a terminator; the caller frees it. */
static char *
repeat(size_t n)
{
    char *s = malloc(n + 1);
    ck_assert_ptr_nonnull(s);
    memset(s, 'x', n);
    s[n] = '\0';
    return s;
}

/* ---- Against the parser of liblo ------------------------------------------------ */

/* liblo's lo_arg wants 8-byte alignment, and arguments have 4: copied, not pointed to.
 */
static int32_t
i_of(const lo_arg *a)
{
    int32_t value;
    memcpy(&value, a, sizeof value);
    return value;
}

static float
f_of(const lo_arg *a)
{
    float value;
    memcpy(&value, a, sizeof value);
    return value;
}

static const char *
s_of(const lo_arg *a)
{
    return (const char *)a;
}

static lo_message
parsed(const uint8_t data[], size_t n, const char *path, const char *types)
{
    int error = 0;
    uint8_t copy[OSC_MAX_DATAGRAM]; /* liblo's argument is not const */
    memcpy(copy, data, n);
    ck_assert_uint_eq(n % 4, 0);
    ck_assert_str_eq((const char *)data, path);
    lo_message m = lo_message_deserialise(copy, n, &error);
    ck_assert_msg(m != NULL, "liblo refuses it: error %d", error);
    ck_assert_str_eq(lo_message_get_types(m), types);
    return m;
}

static const osc_match matches[] = {
    {1, "in", "event", 1, 0.5F, 0.25F, 7, 1.5F, 1, 40, "kick", "kick/a.wav"},
    {0, "", "", 0, 0, 0, 0, 0, 0, 0, "", ""},
    {INT32_MAX, "a", "ab", INT32_MIN, 1, -1, -1, 3e38F, 1e-45F, -0.0F, "abc", "abcd"},
    {-1, "in_1", "frame", 10, 0.999F, 1, 99999, 3600, 10, 1e6F, "Glöckchen 鐘",
     "sons/été/vélo 🚲.flac"},
    {2, "line\n", "scene", 1, 1, 1, 1, 1, 1, 1, "#bundle", ",iiii"},
};

START_TEST(match_is_what_liblo_reads)
{
    const osc_match *m = &matches[_i];
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t n = osc_match_encode(out, sizeof out, m);
    lo_message got = parsed(out, n, "/hearken/match", "issiffifffss");
    lo_arg **a = lo_message_get_argv(got);
    ck_assert_int_eq(i_of(a[0]), m->seq);
    ck_assert_str_eq(s_of(a[1]), m->input);
    ck_assert_str_eq(s_of(a[2]), m->scale);
    ck_assert_int_eq(i_of(a[3]), m->rank);
    ck_assert_float_eq(f_of(a[4]), m->score);
    ck_assert_float_eq(f_of(a[5]), m->cosine);
    ck_assert_int_eq(i_of(a[6]), m->sound);
    ck_assert_float_eq(f_of(a[7]), m->start_s);
    ck_assert_float_eq(f_of(a[8]), m->length_s);
    ck_assert_float_eq(f_of(a[9]), m->age_ms);
    ck_assert_str_eq(s_of(a[10]), m->label);
    ck_assert_str_eq(s_of(a[11]), m->path);
    lo_message_free(got);
}
END_TEST

START_TEST(onset_is_what_liblo_reads)
{
    const osc_onset m = {matches[_i].seq, matches[_i].input, -60.5F, matches[_i].age_ms,
                         12.5F};
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t n = osc_onset_encode(out, sizeof out, &m);
    lo_message got = parsed(out, n, "/hearken/onset", "isfff");
    lo_arg **a = lo_message_get_argv(got);
    ck_assert_int_eq(i_of(a[0]), m.seq);
    ck_assert_str_eq(s_of(a[1]), m.input);
    ck_assert_float_eq(f_of(a[2]), m.level_db);
    ck_assert_float_eq(f_of(a[3]), m.age_ms);
    ck_assert_float_eq(f_of(a[4]), m.strength_db);
    lo_message_free(got);
}
END_TEST

START_TEST(nomatch_is_what_liblo_reads)
{
    const osc_nomatch m = {matches[_i].seq, matches[_i].input, matches[_i].scale,
                           matches[_i].score, matches[_i].age_ms};
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t n = osc_nomatch_encode(out, sizeof out, &m);
    lo_message got = parsed(out, n, "/hearken/nomatch", "issff");
    lo_arg **a = lo_message_get_argv(got);
    ck_assert_int_eq(i_of(a[0]), m.seq);
    ck_assert_str_eq(s_of(a[1]), m.input);
    ck_assert_str_eq(s_of(a[2]), m.scale);
    ck_assert_float_eq(f_of(a[3]), m.score);
    ck_assert_float_eq(f_of(a[4]), m.age_ms);
    lo_message_free(got);
}
END_TEST

START_TEST(label_is_what_liblo_reads)
{
    const osc_label m = {matches[_i].seq,   matches[_i].input, matches[_i].scale,
                         matches[_i].label, matches[_i].score, 7,
                         matches[_i].age_ms};
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t n = osc_label_encode(out, sizeof out, &m);
    lo_message got = parsed(out, n, "/hearken/label", "isssfif");
    lo_arg **a = lo_message_get_argv(got);
    ck_assert_int_eq(i_of(a[0]), m.seq);
    ck_assert_str_eq(s_of(a[1]), m.input);
    ck_assert_str_eq(s_of(a[2]), m.scale);
    ck_assert_str_eq(s_of(a[3]), m.label);
    ck_assert_float_eq(f_of(a[4]), m.share);
    ck_assert_int_eq(i_of(a[5]), 7);
    ck_assert_float_eq(f_of(a[6]), m.age_ms);
    lo_message_free(got);
}
END_TEST

/* _i bytes: every remainder of the padding, twice. */
START_TEST(reject_is_what_liblo_reads)
{
    uint8_t out[OSC_MAX_DATAGRAM];
    const osc_reject m = {7, "in", "scene", "below_score", 0.25F, 12, "drum", "/a.wav"};
    const size_t n = osc_reject_encode(out, sizeof out, &m);
    lo_message lo = parsed(out, n, "/hearken/reject", "isssffss");
    lo_arg **v = lo_message_get_argv(lo);
    ck_assert_int_eq(i_of(v[0]), 7);
    ck_assert_float_eq(f_of(v[4]), 0.25F);
    ck_assert_float_eq(f_of(v[5]), 12);
    ck_assert_str_eq(s_of(v[3]), "below_score");
    ck_assert_str_eq(s_of(v[7]), "/a.wav");
    lo_message_free(lo);
    ck_assert_uint_eq(
        osc_reject_encode(out, sizeof out, &(osc_reject){.label = "a", .score = NAN}),
        0);
}
END_TEST

START_TEST(strings_of_any_length_are_padded)
{
    char *s = repeat((size_t)_i);
    const osc_onset m = {1, s, -20, 3, 40};
    uint8_t out[OSC_MAX_DATAGRAM];
    memset(out, 0xAA, sizeof out);
    const size_t n = osc_onset_encode(out, sizeof out, &m);
    ck_assert_uint_eq(n, 16 + 8 + 4 + ((size_t)_i / 4 + 1) * 4 + 12);
    for (size_t i = 28 + (size_t)_i; i < n - 12; i++)
        ck_assert_uint_eq(out[i], 0);
    lo_message got = parsed(out, n, "/hearken/onset", "isfff");
    ck_assert_str_eq(s_of(lo_message_get_argv(got)[1]), s);
    lo_message_free(got);
    free(s);
}
END_TEST

/* ---- Bytes ---------------------------------------------------------------------- */

START_TEST(nomatch_has_the_bytes_of_the_specification)
{
    static const uint8_t want[] = {
        '/',  'h',  'e',  'a',  'r', 'k', 'e', 'n', '/', 'n', 'o', 'm', /* address */
        'a',  't',  'c',  'h',  0,   0,   0,   0, /* 16 bytes, 4 of 0 */
        ',',  'i',  's',  's',  'f', 'f', 0,   0, /* type tags */
        0x12, 0x34, 0x56, 0x78,                   /* seq 305419896 */
        'm',  'i',  'c',  '1',  0,   0,   0,   0, /* input "mic1" */
        's',  'c',  'e',  'n',  'e', 0,   0,   0, /* scale "scene" */
        0x3F, 0x40, 0,    0,                      /* score 0.75 */
        0xC1, 0x20, 0,    0,                      /* age_ms -10 */
    };
    const osc_nomatch m = {0x12345678, "mic1", "scene", 0.75F, -10};
    uint8_t out[OSC_MAX_DATAGRAM];
    ck_assert_uint_eq(osc_nomatch_encode(out, sizeof out, &m), sizeof want);
    ck_assert_mem_eq(out, want, sizeof want);
}
END_TEST

/* ---- Limits --------------------------------------------------------------------- */

START_TEST(the_longest_strings_fill_one_datagram)
{
    char *input = repeat(LONG_INPUT), *label = repeat(LONG_LABEL);
    char *path = repeat(LONG_PATH + 1);
    osc_match m = plain;
    uint8_t out[2 * OSC_MAX_DATAGRAM];
    m.input = input;
    m.label = label;
    m.path = path;
    ck_assert_uint_eq(osc_match_encode(out, sizeof out, &m), 0);
    path[LONG_PATH] = '\0';
    ck_assert_uint_eq(osc_match_encode(out, sizeof out, &m), OSC_MAX_DATAGRAM);
    lo_message_free(parsed(out, OSC_MAX_DATAGRAM, "/hearken/match", "issiffifffss"));
    free(input);
    free(label);
    free(path);
}
END_TEST

START_TEST(a_string_of_a_megabyte_is_refused)
{
    char *s = repeat(1 << 20);
    const osc_onset m = {1, s, 0, 0, 0};
    uint8_t out[OSC_MAX_DATAGRAM];
    ck_assert_uint_eq(osc_onset_encode(out, sizeof out, &m), 0);
    free(s);
}
END_TEST

/* For each of the five, every cap that is too small: nothing beyond it is touched. */
START_TEST(nothing_is_written_beyond_cap)
{
    const osc_onset onset = {1, "in", -20, 3, 40};
    const osc_nomatch nomatch = {1, "in", "event", 0.5F, 3};
    const osc_label label = {1, "in", "event", "drum", 0.5F, 5, 3};
    const osc_reject reject = {1, "in", "event", "held", 0.5F, 3, "drum", "a.wav"};
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t full = _i == 0   ? osc_match_encode(out, sizeof out, &plain)
                        : _i == 1 ? osc_onset_encode(out, sizeof out, &onset)
                        : _i == 2 ? osc_nomatch_encode(out, sizeof out, &nomatch)
                        : _i == 3 ? osc_label_encode(out, sizeof out, &label)
                                  : osc_reject_encode(out, sizeof out, &reject);
    ck_assert_uint_gt(full, 0);
    for (size_t cap = 0; cap <= full; cap++) {
        memset(out, 0xAA, sizeof out);
        const size_t n = _i == 0   ? osc_match_encode(out, cap, &plain)
                         : _i == 1 ? osc_onset_encode(out, cap, &onset)
                         : _i == 2 ? osc_nomatch_encode(out, cap, &nomatch)
                         : _i == 3 ? osc_label_encode(out, cap, &label)
                                   : osc_reject_encode(out, cap, &reject);
        ck_assert_uint_eq(n, cap < full ? 0 : full);
        for (size_t i = cap; i < sizeof out; i++)
            ck_assert_uint_eq(out[i], 0xAA);
    }
}
END_TEST

START_TEST(a_float_that_is_not_finite_is_refused)
{
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY};
    uint8_t out[OSC_MAX_DATAGRAM];
    const float v = values[_i];
    for (int field = 0; field < 5; field++) {
        osc_match m = plain;
        *(float *[]){&m.score, &m.cosine, &m.start_s, &m.length_s, &m.age_ms}[field] =
            v;
        ck_assert_uint_eq(osc_match_encode(out, sizeof out, &m), 0);
    }
    const osc_onset onsets[] = {
        {1, "in", v, 0, 0}, {1, "in", 0, v, 0}, {1, "in", 0, 0, v}};
    const osc_nomatch nomatches[] = {{1, "in", "event", v, 0},
                                     {1, "in", "event", 0, v}};
    ck_assert_uint_eq(osc_onset_encode(out, sizeof out, &onsets[2]), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(osc_onset_encode(out, sizeof out, &onsets[i]), 0);
        ck_assert_uint_eq(osc_nomatch_encode(out, sizeof out, &nomatches[i]), 0);
    }
}
END_TEST

START_TEST(a_string_that_is_null_is_refused)
{
    uint8_t out[OSC_MAX_DATAGRAM];
    for (int field = 0; field < 4; field++) {
        osc_match m = plain;
        *(const char **[]){&m.input, &m.scale, &m.label, &m.path}[field] = NULL;
        ck_assert_uint_eq(osc_match_encode(out, sizeof out, &m), 0);
    }
    const osc_onset onset = {1, NULL, 0, 0, 0};
    const osc_nomatch no_input = {1, NULL, "event", 0, 0},
                      no_scale = {1, "in", NULL, 0, 0};
    ck_assert_uint_eq(osc_onset_encode(out, sizeof out, &onset), 0);
    ck_assert_uint_eq(osc_nomatch_encode(out, sizeof out, &no_input), 0);
    ck_assert_uint_eq(osc_nomatch_encode(out, sizeof out, &no_scale), 0);
}
END_TEST

/* ---- The name of an index -------------------------------------------------------- */

START_TEST(a_name_goes_into_the_address_and_nothing_else_changes)
{
    static const char *const names[] = {
        "a", "ab", "abc", "abcd", "drums-2", "abcdefghijklmnopqrstuvwxyz12345"};
    uint8_t before[OSC_MAX_DATAGRAM], out[OSC_MAX_DATAGRAM];
    char address[60];
    const size_t n = osc_match_encode(before, sizeof before, &plain);
    memset(out, 0xff, sizeof out);
    memcpy(out, before, n);
    const size_t named = osc_index_put(out, n, names[_i]);
    snprintf(address, sizeof address, "/hearken/%s/match", names[_i]);
    lo_message got = parsed(out, named, address, "issiffifffss");
    lo_message_free(got);
    const size_t rest = n - 16;
    ck_assert_mem_eq(out + named - rest, before + 16, rest);
    ck_assert_uint_eq(named - rest, (strlen(address) | 3) + 1);
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_refused)
{
    uint8_t out[OSC_MAX_DATAGRAM] = {0};
    char *path = repeat(LONG_PATH);
    char *label = repeat(LONG_LABEL), *input = repeat(LONG_INPUT);
    osc_match m = plain;
    m.path = path;
    m.label = label;
    m.input = input;
    const size_t full = osc_match_encode(out, sizeof out, &m);
    ck_assert_uint_eq(full, OSC_MAX_DATAGRAM);
    ck_assert_uint_eq(osc_index_put(out, full, "a"), 0);
    const size_t n = osc_match_encode(out, sizeof out, &plain);
    ck_assert_uint_eq(osc_index_put(out, 0, "a"), 0);
    ck_assert_uint_eq(osc_index_put(out, n, ""), 0);
    ck_assert_uint_eq(osc_index_put(out, n, "abcdefghijklmnopqrstuvwxyz123456"), 0);
    memcpy(out, "/another/match", 15);
    ck_assert_uint_eq(osc_index_put(out, n, "a"), 0);
    free(path);
    free(label);
    free(input);
}
END_TEST

int
main(void)
{
    enum { N = sizeof matches / sizeof *matches };
    Suite *s = suite_create("osc/encode");
    TCase *t = tcase_create("encode");
    tcase_add_loop_test(t, match_is_what_liblo_reads, 0, N);
    tcase_add_loop_test(t, onset_is_what_liblo_reads, 0, N);
    tcase_add_loop_test(t, nomatch_is_what_liblo_reads, 0, N);
    tcase_add_loop_test(t, label_is_what_liblo_reads, 0, N);
    tcase_add_test(t, reject_is_what_liblo_reads);
    tcase_add_loop_test(t, strings_of_any_length_are_padded, 0, 9);
    tcase_add_test(t, nomatch_has_the_bytes_of_the_specification);
    tcase_add_test(t, the_longest_strings_fill_one_datagram);
    tcase_add_test(t, a_string_of_a_megabyte_is_refused);
    tcase_add_loop_test(t, nothing_is_written_beyond_cap, 0, 5);
    tcase_add_loop_test(t, a_float_that_is_not_finite_is_refused, 0, 4);
    tcase_add_test(t, a_string_that_is_null_is_refused);
    tcase_add_loop_test(t, a_name_goes_into_the_address_and_nothing_else_changes, 0, 6);
    tcase_add_test(t, a_name_that_does_not_fit_is_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
