/* rt/fvecs.c: rows with their dimension in front, and rows with nothing. */
#include "support.h"
#include "vectors_support.h"

#include <math.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static kept k;
static bytes b;

/* n rows of dim values, each its place in the file. */
static void
make_fvecs(size_t n, uint32_t dim)
{
    b.n = 0;
    for (size_t i = 0; i < n; i++) {
        put_number(&b, dim, 4);
        for (size_t j = 0; j < dim; j++)
            put_float(&b, (float)(i * dim + j));
    }
}

START_TEST(rows_are_read_at_any_dimension)
{
    static const uint32_t dims[] = {1, 2, 3, 128, 1024};
    make_fvecs(3, dims[_i]);
    read_bytes_as(&k, "dir.d/A.FVECS", b.b, b.n, (rt_vector_how){0});
    ck_assert_msg(k.ok && k.n == 3, "%s", k.why);
    for (size_t i = 0; i < 3 * dims[_i]; i++)
        ck_assert_float_eq(k.x[i / dims[_i]][i % dims[_i]], (float)i);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(k.v[i].row == i && k.v[i].dim == dims[_i]);
        ck_assert(!*k.sound[i] && k.v[i].class_id == RT_NO_CLASS);
    }
    ck_assert_double_eq(k.v[2].share, 1);
}
END_TEST

START_TEST(a_file_cut_at_every_byte_gives_whole_rows_or_a_sentence)
{
    make_fvecs(3, 5);
    for (size_t n = 0; n <= b.n; n++) {
        read_bytes_as(&k, "a.fvecs", b.b, n, (rt_vector_how){0});
        ck_assert_msg(k.ok == (n % 24 == 0), "%zu bytes: %s", n, k.why);
        ck_assert_uint_eq(k.n, n / 24);
    }
}
END_TEST

static const struct {
    uint32_t first, second;
    float value;
    const char *why;
} bad[] = {
    {0, 2, 1, "it begins with the dimension 0, so it is no .fvecs"},
    {UINT32_MAX, 2, 1, "it begins with the dimension -1, so it is no .fvecs"},
    {0x80000000, 2, 1, "it begins with the dimension -2147483648, so it is no .fvecs"},
    {1025, 2, 1, "its vectors have 1025 values; an index takes 1 to 1024"},
    {0x7fffffff, 2, 1, "its vectors have 2147483647 values; an index takes 1 to 1024"},
    {3, 2, 1, "row 1 says that it has 1065353216 values, and row 0 has 3"},
    {2, 3, 1, "row 1 says that it has 3 values, and row 0 has 2"},
    {2, UINT32_MAX, 1, "row 1 says that it has -1 values, and row 0 has 2"},
    {512, 2, 1, "it ends early, after 24 bytes"},
    {2, 2, NAN, "value 1 of row 1 is no finite 32-bit float; mend or remove that row"},
};

START_TEST(what_is_wrong_is_refused_in_one_sentence)
{
    char want[200];
    make_fvecs(2, 2);
    memcpy(b.b, &bad[_i].first, 4);
    if (bad[_i].first != 3)
        memcpy(b.b + 12, &bad[_i].second, 4);
    for (int i = 0; i < 2; i++)
        memcpy(b.b + 16 + 4 * i, i ? &bad[_i].value : &(float){1}, 4);
    read_bytes_as(&k, "a.fvecs", b.b, b.n, (rt_vector_how){0});
    snprintf(want, sizeof want, "a.fvecs: %s", bad[_i].why);
    ck_assert_str_eq(k.why, want);
}
END_TEST

/* ---- Raw rows -------------------------------------------------------------------- */

START_TEST(raw_rows_of_zeros_are_dropped_at_the_end_alone)
{
    static const float values[][2] = {{0, 0}, {1, 2},     {0, 0}, {0, 0},
                                      {3, 4}, {0, -0.0F}, {0, 0}, {0, 0}};
    read_bytes_as(&k, "a.raw", values, sizeof values, (rt_vector_how){.raw_dim = 2});
    ck_assert_msg(k.ok, "%s", k.why);
    ck_assert_uint_eq(k.n, 6); /* -0 was written by somebody */
    ck_assert_uint_eq(k.fates.n_tail, 2);
    for (size_t i = 0; i < k.n; i++) {
        ck_assert_uint_eq(k.v[i].row, i);
        ck_assert(!memcmp(k.x[i], values[i], sizeof values[i]));
    }
}
END_TEST

START_TEST(raw_files_of_nothing_but_zeros_have_no_rows)
{
    static const float zeros[512];
    read_bytes_as(&k, "a", zeros, sizeof zeros, (rt_vector_how){.raw_dim = 128});
    ck_assert(k.ok && k.n == 0 && k.fates.n_tail == 4);
    read_bytes_as(&k, "a", zeros, 0, (rt_vector_how){.raw_dim = 128});
    ck_assert(k.ok && k.n == 0 && k.fates.n_tail == 0);
}
END_TEST

START_TEST(a_raw_file_holds_whole_rows)
{
    static const float x[1024];
    read_bytes_as(&k, "a.raw", x, 514, (rt_vector_how){.raw_dim = 128});
    ck_assert_str_eq(k.why,
                     "a.raw: its 514 bytes are no whole number of rows of 128 floats");
    read_bytes_as(&k, "a.raw", x, 4096, (rt_vector_how){.raw_dim = 1024});
    ck_assert(k.ok && k.fates.n_tail == 1);
}
END_TEST

START_TEST(a_raw_row_that_is_not_finite_is_named)
{
    static const float x[] = {0, 0, 1, INFINITY};
    read_bytes_as(&k, "a", x, sizeof x, (rt_vector_how){.raw_dim = 2});
    ck_assert_str_eq(
        k.why,
        "a: value 1 of row 1 is no finite 32-bit float; mend or remove that row");
}
END_TEST

START_TEST(a_sink_may_refuse_a_row_of_zeros)
{
    static const float x[] = {0, 0, 1, 1};
    k.refuse_at = 1;
    read_bytes_as(&k, "a", x, sizeof x, (rt_vector_how){.raw_dim = 2});
    k.refuse_at = 0;
    ck_assert_str_eq(k.why, "refused");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/fvecs");
    TCase *t = tcase_create("fvecs");
    tcase_add_loop_test(t, rows_are_read_at_any_dimension, 0, 5);
    tcase_add_test(t, a_file_cut_at_every_byte_gives_whole_rows_or_a_sentence);
    tcase_add_loop_test(t, what_is_wrong_is_refused_in_one_sentence, 0, N(bad));
    suite_add_tcase(s, t);
    t = tcase_create("raw");
    tcase_add_test(t, raw_rows_of_zeros_are_dropped_at_the_end_alone);
    tcase_add_test(t, raw_files_of_nothing_but_zeros_have_no_rows);
    tcase_add_test(t, a_raw_file_holds_whole_rows);
    tcase_add_test(t, a_raw_row_that_is_not_finite_is_named);
    tcase_add_test(t, a_sink_may_refuse_a_row_of_zeros);
    suite_add_tcase(s, t);
    return run_suite(s);
}
