/* rt/npy.c: arrays of every type that is read, headers good, bad and hostile. */
#include "support.h"
#include "vectors_support.h"

#include <math.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static kept k;
static bytes b;

/* ---- What is taken --------------------------------------------------------------- */

static const struct {
    const char *descr;
    size_t item_bytes;
    uint64_t bits[3];
    float want[3];
} types[] = {
    {"|b1", 1, {0, 1, 2}, {0, 1, 1}},
    {"|u1", 1, {0, 128, 255}, {0, 128, 255}},
    {"<f4", 4, {0x3f800000, 0xc0490fdb, 0x00000001}, {1, -3.14159274F, 0x1p-149F}},
    {"<f8",
     8,
     {0x3ff0000000000000, 0xc009220000000000, 0x3e10000000000000},
     {1, -3.141601562F, 0x1p-30F}},
    {"<i4", 4, {1, 0xffffffff, 0x80000000}, {1, -1, -2147483648.0F}},
    {"<i8", 8, {7, UINT64_MAX, 0x8000000000000000}, {7, -1, -0x1p63F}},
    {"<u8", 8, {7, UINT64_MAX, 1ULL << 40}, {7, 0x1p64F, 0x1p40F}},
};

START_TEST(every_type_is_read_in_either_order_of_bytes)
{
    const size_t n_bytes = types[_i].item_bytes;
    for (int swap = 0; swap < (n_bytes > 1 ? 2 : 1); swap++) {
        char dictionary[100];
        snprintf(dictionary, sizeof dictionary,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (1, 3), }",
                 types[_i].descr);
        b.n = 0;
        if (swap)
            *strchr(dictionary, '<') = '>';
        put_npy_head(&b, dictionary);
        for (int i = 0; i < 3; i++)
            for (size_t j = 0; j < n_bytes; j++)
                put_number(&b, types[_i].bits[i] >> 8 * (swap ? n_bytes - 1 - j : j),
                           1);
        read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
        ck_assert_msg(k.ok && k.n == 1 && k.v[0].dim == 3, "%s: %s", types[_i].descr,
                      k.why);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(!memcmp(&k.x[0][i], &types[_i].want[i], 4), "%s: %g, not %g",
                          types[_i].descr, (double)k.x[0][i],
                          (double)types[_i].want[i]);
    }
}
END_TEST

/* Dictionaries around six floats, and the rows and values that they become. */
static const struct {
    const char *dictionary;
    size_t n, dim;
} good[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      ", 2, 3},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}", 3, 2},
    {"{'shape':(6,1),'fortran_order':False,'descr':'<f4'}", 6, 1},
    {"{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1, 6), }", 1, 6},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", 1, 6},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (6,), }", 1, 6},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", 2, 3},
    {" { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , } ", 2, 3},
};

START_TEST(dictionaries_are_read_as_python_means_them)
{
    b.n = 0;
    put_npy_head(&b, good[_i].dictionary);
    for (int i = 0; i < 6; i++)
        put_float(&b, (float)i);
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    ck_assert_msg(k.ok, "%s: %s", good[_i].dictionary, k.why);
    ck_assert_uint_eq(k.n, good[_i].n);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_uint_eq(k.v[i / good[_i].dim].dim, good[_i].dim);
        ck_assert_uint_eq(k.v[i / good[_i].dim].row, i / good[_i].dim);
        ck_assert_float_eq(k.x[i / good[_i].dim][i % good[_i].dim], (float)i);
    }
}
END_TEST

#define ONE_BY_ONE "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1), }\n"

START_TEST(versions_two_and_three_have_longer_headers)
{
    for (unsigned char version = 2; version <= 3; version++) {
        b.n = 0;
        put(&b, "\x93NUMPY", 6);
        put_number(&b, version, 2);
        put_number(&b, strlen(ONE_BY_ONE), 4);
        put(&b, ONE_BY_ONE, strlen(ONE_BY_ONE));
        put_number(&b, 9, 1);
        read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
        ck_assert_msg(k.ok && k.n == 1 && k.x[0][0] == 9.0F, "%s", k.why);
    }
}
END_TEST

START_TEST(an_array_of_no_rows_gives_none)
{
    b.n = 0;
    put_npy_head(&b, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }");
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    ck_assert(k.ok && k.n == 0);
}
END_TEST

START_TEST(what_export_writes_is_read)
{
    char head[RT_NPY_HEAD];
    rt_npy_head(head, UINT32_MAX, IDX_MAX_DIM);
    ck_assert(!memchr(head + 10, 0, sizeof head - 10));
    ck_assert_int_eq(head[sizeof head - 1], '\n');
    rt_npy_head(head, 2, 3);
    b.n = 0;
    put(&b, head, sizeof head);
    for (int i = 0; i < 6; i++)
        put_float(&b, (float)i);
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    ck_assert_msg(k.ok && k.n == 2 && k.x[1][2] == 5.0F, "%s", k.why);
}
END_TEST

/* ---- What is refused ------------------------------------------------------------- */

#define DESCR "'descr': '<f4', "
#define ORDER "'fortran_order': False, "
#define NO_DICTIONARY                                                                  \
    "its .npy header is no dictionary of descr, fortran_order and shape"
#define TYPE(t)                                                                        \
    "its values are of type " t "; b1 u1 f4 f8 i4 i8 u8 are read, so store it with "   \
    "astype('<f4')"

/* Dictionaries around 24 bytes. */
static const struct {
    const char *dictionary, *why;
} bad[] = {
    {"", NO_DICTIONARY},
    {"{}", NO_DICTIONARY},
    {"{" DESCR ORDER "}", NO_DICTIONARY},
    {"{" DESCR "'shape': (2, 3), }", NO_DICTIONARY},
    {"{" ORDER "'shape': (2, 3), }", NO_DICTIONARY},
    {"{" DESCR DESCR ORDER "'shape': (2, 3), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2, 3), 'more': 1}", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2, 3), ", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2, 3)} x", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2, 3)}}", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2, 3", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2 3), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2,,3), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (6), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': 6, }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': [2, 3], }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (-2, 3), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (2.0, 3), }", NO_DICTIONARY},
    {"{" DESCR ORDER "'shape': (18446744073709551618, 3), }", NO_DICTIONARY},
    {"{" DESCR "'fortran_order': 0, 'shape': (2, 3), }", NO_DICTIONARY},
    {"{'descr': '<f4, " ORDER "'shape': (2, 3), }", NO_DICTIONARY},
    {"{'descr': [('x', '<f4')], " ORDER "'shape': (6,), }", NO_DICTIONARY},
    {"{'descr': <f4, " ORDER "'shape': (2, 3), }", NO_DICTIONARY},
    {"{'descr': '|O', " ORDER "'shape': (2, 3), }", TYPE("|O")},
    {"{'descr': '<f2', " ORDER "'shape': (12,), }", TYPE("<f2")},
    {"{'descr': '<c8', " ORDER "'shape': (3,), }", TYPE("<c8")},
    {"{'descr': '', " ORDER "'shape': (6,), }", TYPE("")},
    {"{" DESCR ORDER "'shape': (), }",
     "its array has 0 dimensions; 1 or 2 are read, so reshape it"},
    {"{" DESCR ORDER "'shape': (1, 2, 3), }",
     "its array has 3 dimensions; 1 or 2 are read, so reshape it"},
    {"{" DESCR "'fortran_order': True, 'shape': (2, 3), }",
     "its array is in Fortran order; store it with numpy.ascontiguousarray"},
    {"{" DESCR ORDER "'shape': (6, 0), }",
     "its vectors have 0 values; an index takes 1 to 1024"},
    {"{" DESCR ORDER "'shape': (1, 1025), }",
     "its vectors have 1025 values; an index takes 1 to 1024"},
    {"{" DESCR ORDER "'shape': (3, 3), }",
     "its header promises 3 rows of 12 bytes, but 24 bytes follow"},
    {"{" DESCR ORDER "'shape': (1, 3), }",
     "its header promises 1 rows of 12 bytes, but 24 bytes follow"},
    {"{" DESCR ORDER "'shape': (1, 5), }",
     "its header promises 1 rows of 20 bytes, but 24 bytes follow"},
    {"{'descr': '<f8', " ORDER "'shape': (2, 3), }",
     "its header promises 2 rows of 24 bytes, but 24 bytes follow"},
    {"{" DESCR ORDER "'shape': (100000000000000000, 1024), }",
     "its header promises 100000000000000000 rows of 4096 bytes, but 24 bytes follow"},
    {"{" DESCR ORDER "'shape': (9223372036854775808,), }", NO_DICTIONARY},
};

START_TEST(headers_that_are_wrong_are_refused_in_one_sentence)
{
    char want[300];
    b.n = 0;
    put_npy_head(&b, bad[_i].dictionary);
    for (int i = 0; i < 6; i++)
        put_float(&b, 1);
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    snprintf(want, sizeof want, "a.npy: %s", bad[_i].why);
    ck_assert_msg(!k.ok && !strcmp(k.why, want), "%s: %s", bad[_i].dictionary, k.why);
    ck_assert_uint_eq(k.n, 0);
}
END_TEST

START_TEST(a_header_that_lies_about_its_length_is_refused)
{
    static const struct {
        unsigned char version;
        uint32_t length; /* of a dictionary of 60 bytes, and one value */
        const char *why;
    } cases[] = {
        {1, 0, "its .npy header says that it has 0 bytes"},
        {1, 62, "its .npy header says that it has 62 bytes"},
        {1, 65535, "its .npy header says that it has 65535 bytes"},
        {1, 30, NO_DICTIONARY},
        {2, UINT32_MAX, "its .npy header says that it has 4294967295 bytes"},
        {2, 1 << 30, "its .npy header says that it has 1073741824 bytes"},
        {0, 60, ".npy version 0.0; 1.0, 2.0 and 3.0 are read"},
        {4, 60, ".npy version 4.0; 1.0, 2.0 and 3.0 are read"},
    };
    for (int i = 0; i < N(cases); i++) {
        char want[200];
        b.n = 0;
        put(&b, "\x93NUMPY", 6);
        put_number(&b, cases[i].version, 2);
        put_number(&b, cases[i].length, cases[i].version == 1 ? 2 : 4);
        put(&b, ONE_BY_ONE, strlen(ONE_BY_ONE));
        put_number(&b, 1, 1);
        ck_assert_uint_eq(strlen(ONE_BY_ONE), 60);
        read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
        snprintf(want, sizeof want, "a.npy: %s", cases[i].why);
        ck_assert_str_eq(k.why, want);
    }
}
END_TEST

START_TEST(a_file_cut_at_every_byte_is_refused)
{
    b.n = 0;
    put_npy_head(&b, good[0].dictionary);
    for (int i = 0; i < 6; i++)
        put_float(&b, 1);
    for (size_t n = 0; n < b.n; n++) {
        read_bytes_as(&k, "a.npy", b.b, n, (rt_vector_how){0});
        ck_assert_msg(!k.ok && k.n == 0, "%zu of %zu bytes", n, b.n);
    }
    read_bytes_as(&k, "a.npy", b.b, b.n + 1, (rt_vector_how){0});
    ck_assert(!k.ok);
}
END_TEST

START_TEST(a_zero_byte_in_the_dictionary_is_refused)
{
    b.n = 0;
    put_npy_head(&b, good[0].dictionary);
    b.b[10 + 56] = 0;
    for (int i = 0; i < 6; i++)
        put_float(&b, 1);
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    ck_assert_str_eq(k.why, "a.npy: " NO_DICTIONARY);
}
END_TEST

START_TEST(numbers_that_no_float_holds_are_named_with_their_row)
{
    static const double values[] = {NAN, INFINITY, -INFINITY, 1e39, -1e300};
    b.n = 0;
    put_npy_head(&b, "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }");
    for (int i = 0; i < 5; i++)
        put(&b, &(double){1e38}, 8);
    put(&b, &values[_i], 8);
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    ck_assert_str_eq(k.why, "a.npy: value 1 of row 2 is no finite 32-bit float; mend "
                            "or remove that row");
    ck_assert_uint_eq(k.n, 2);
    ck_assert_float_eq(k.x[0][0], 1e38F);
}
END_TEST

START_TEST(what_the_sink_refuses_ends_the_reading)
{
    b.n = 0;
    put_npy_head(&b, good[0].dictionary);
    for (int i = 0; i < 6; i++)
        put_float(&b, 1);
    k.refuse_at = 2;
    read_bytes_as(&k, "a.npy", b.b, b.n, (rt_vector_how){0});
    k.refuse_at = 0;
    ck_assert_str_eq(k.why, "refused");
    ck_assert_uint_eq(k.n, 1);
}
END_TEST

START_TEST(a_failing_allocation_ends_it_with_a_sentence)
{
    const rt_vector_sink sink = {&k, keep_row, keep_left_out};
    const rt_vector_how how = {0};
    FILE *file = tmpfile();
    b.n = 0;
    put_npy_head(&b, good[0].dictionary);
    ck_assert(fwrite(b.b, 1, b.n, file) == b.n);
    heap_fail_at = 1;
    const bool ok =
        rt_vectors_read(file, "a.npy", &how, &sink, &k.fates, k.why, sizeof k.why);
    heap_fail_at = 0;
    fclose(file);
    ck_assert(!ok);
    ck_assert_str_eq(k.why, "a.npy: there is not enough memory to read it");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/npy");
    TCase *t = tcase_create("taken");
    tcase_add_loop_test(t, every_type_is_read_in_either_order_of_bytes, 0, N(types));
    tcase_add_loop_test(t, dictionaries_are_read_as_python_means_them, 0, N(good));
    tcase_add_test(t, versions_two_and_three_have_longer_headers);
    tcase_add_test(t, an_array_of_no_rows_gives_none);
    tcase_add_test(t, what_export_writes_is_read);
    suite_add_tcase(s, t);
    t = tcase_create("refused");
    tcase_add_loop_test(t, headers_that_are_wrong_are_refused_in_one_sentence, 0,
                        N(bad));
    tcase_add_test(t, a_header_that_lies_about_its_length_is_refused);
    tcase_add_test(t, a_file_cut_at_every_byte_is_refused);
    tcase_add_test(t, a_zero_byte_in_the_dictionary_is_refused);
    tcase_add_loop_test(t, numbers_that_no_float_holds_are_named_with_their_row, 0, 5);
    tcase_add_test(t, what_the_sink_refuses_ends_the_reading);
    tcase_add_test(t, a_failing_allocation_ends_it_with_a_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
