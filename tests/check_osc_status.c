#include "osc/osc.h"

#include <check.h>
#include <lo/lo.h>
#include <stdlib.h>
#include <string.h>

static const osc_count counts[] = {
    {"analysed", 0},           {"dropped", 1},
    {"sent", INT32_MAX},       {"failed", (uint64_t)INT32_MAX + 1},
    {"Überläufe", UINT64_MAX},
};
enum { N_COUNTS = sizeof counts / sizeof *counts };

/* liblo's lo_arg wants 8-byte alignment, and arguments have 4: copied, not pointed to.
 */
static int32_t
i_of(const lo_arg *a)
{
    int32_t value;
    memcpy(&value, a, sizeof value);
    return value;
}

static const char *
s_of(const lo_arg *a)
{
    return (const char *)a;
}

START_TEST(status_is_what_liblo_reads)
{
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t n_counts = (size_t)_i;
    const size_t n =
        osc_status_encode(out, sizeof out, -3, "listening", counts, n_counts);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(n % 4, 0);
    ck_assert_str_eq((const char *)out, "/hearken/status");
    lo_message m = lo_message_deserialise(out, n, NULL);
    ck_assert_ptr_nonnull(m);
    char types[2 + 2 * N_COUNTS + 1] = "is";
    for (size_t i = 0; i < n_counts; i++)
        strcat(types, "si");
    ck_assert_str_eq(lo_message_get_types(m), types);
    lo_arg **a = lo_message_get_argv(m);
    ck_assert_int_eq(i_of(a[0]), -3);
    ck_assert_str_eq(s_of(a[1]), "listening");
    for (size_t i = 0; i < n_counts; i++) {
        const uint64_t want = counts[i].count < INT32_MAX ? counts[i].count : INT32_MAX;
        ck_assert_str_eq(s_of(a[2 + 2 * i]), counts[i].name);
        ck_assert_int_eq(i_of(a[3 + 2 * i]), (int32_t)want);
    }
    lo_message_free(m);
}
END_TEST

START_TEST(status_has_the_bytes_of_the_specification)
{
    static const uint8_t want[] = {
        '/', 'h', 'e', 'a', 'r', 'k', 'e', 'n', '/', 's', 't', 'a',
        't', 'u', 's', 0,   ',', 'i', 's', 's', 'i', 0,   0,   0,  /* type tags */
        0,   0,   0,   2,                                          /* seq */
        'i', 'd', 'l', 'e', 0,   0,   0,   0,                      /* state */
        's', 'e', 'n', 't', 0,   0,   0,   0,   0,   0,   1,   44, /* "sent" 300 */
    };
    const osc_count sent = {"sent", 300};
    uint8_t out[OSC_MAX_DATAGRAM];
    ck_assert_uint_eq(osc_status_encode(out, sizeof out, 2, "idle", &sent, 1),
                      sizeof want);
    ck_assert_mem_eq(out, want, sizeof want);
}
END_TEST

START_TEST(nothing_is_written_beyond_cap)
{
    uint8_t out[OSC_MAX_DATAGRAM];
    const size_t full =
        osc_status_encode(out, sizeof out, 1, "waiting", counts, N_COUNTS);
    for (size_t cap = 0; cap <= full; cap++) {
        memset(out, 0xAA, sizeof out);
        ck_assert_uint_eq(osc_status_encode(out, cap, 1, "waiting", counts, N_COUNTS),
                          cap < full ? 0 : full);
        for (size_t i = cap; i < sizeof out; i++)
            ck_assert_uint_eq(out[i], 0xAA);
    }
}
END_TEST

START_TEST(more_than_a_datagram_is_refused)
{
    static osc_count many[1000];
    uint8_t out[4 * OSC_MAX_DATAGRAM];
    size_t longest = 0;
    for (size_t i = 0; i < 1000; i++)
        many[i] = (osc_count){"c", i};
    for (size_t n = 0; n <= 1000; n++) {
        const size_t len = osc_status_encode(out, sizeof out, 1, "x", many, n);
        ck_assert_uint_le(len, OSC_MAX_DATAGRAM);
        longest = len > longest ? len : longest;
    }
    /* 8 bytes a pair, and two of type tags: one more pair would not have fitted. */
    ck_assert_uint_gt(longest, OSC_MAX_DATAGRAM - 12);
}
END_TEST

START_TEST(a_string_that_is_null_is_refused)
{
    const osc_count nameless[] = {{"sent", 1}, {NULL, 2}};
    uint8_t out[OSC_MAX_DATAGRAM];
    ck_assert_uint_eq(osc_status_encode(out, sizeof out, 1, NULL, counts, 1), 0);
    ck_assert_uint_eq(osc_status_encode(out, sizeof out, 1, "idle", nameless, 2), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("osc/status");
    TCase *t = tcase_create("status");
    tcase_add_loop_test(t, status_is_what_liblo_reads, 0, N_COUNTS + 1);
    tcase_add_test(t, status_has_the_bytes_of_the_specification);
    tcase_add_test(t, nothing_is_written_beyond_cap);
    tcase_add_test(t, more_than_a_datagram_is_refused);
    tcase_add_test(t, a_string_that_is_null_is_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    const int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
