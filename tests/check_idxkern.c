/* Kernels of index/ against their twin in C, which they match bit for bit. */
#include "tests/idx_support.h"

#include "index/half.h"
#include "index/idxkern.h"

#include <check.h>

enum { MAX_DIM = 67, LONG_DIM = 1024, ROWS = 21 };

static const idx_kern *list[2];
static size_t n_list;

static float *
random_floats(size_t n, uint64_t seed)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = rnd_normal(&seed);
    return x;
}

static void
compare_all(size_t dim, size_t n)
{
    float *x = random_floats(dim + 1, 7 + dim);
    float *rows = random_floats(ROWS * dim + 1, 11 + n);
    uint32_t id[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        id[i] = i * 8 % ROWS;
    for (size_t k = 1; k < n_list; k++) {
        float want[ROWS + 1] = {0}, got[ROWS + 1] = {0};
        list[0]->dots(want, x, rows, dim, n);
        list[k]->dots(got, x, rows, dim, n);
        ck_assert_msg(memcmp(want, got, sizeof want) == 0, "dots %s: dim %zu, n %zu",
                      list[k]->name, dim, n);
        list[0]->picks(want, x, rows, dim, id, n);
        list[k]->picks(got, x, rows, dim, id, n);
        ck_assert_msg(memcmp(want, got, sizeof want) == 0, "picks %s: dim %zu, n %zu",
                      list[k]->name, dim, n);
        list[0]->gaps(want, x, rows, dim, n);
        list[k]->gaps(got, x, rows, dim, n);
        ck_assert_msg(memcmp(want, got, sizeof want) == 0, "gaps %s: dim %zu, n %zu",
                      list[k]->name, dim, n);
        list[0]->gap_picks(want, x, rows, dim, id, n);
        list[k]->gap_picks(got, x, rows, dim, id, n);
        ck_assert_msg(memcmp(want, got, sizeof want) == 0,
                      "gap_picks %s: dim %zu, n %zu", list[k]->name, dim, n);
    }
    free(x);
    free(rows);
}

START_TEST(kernels_equal_their_twin_bit_for_bit_at_every_length)
{
    for (size_t n = 0; n <= ROWS; n++)
        compare_all((size_t)_i, n);
}
END_TEST

START_TEST(kernels_equal_their_twin_at_long_rows)
{
    for (size_t dim = 96; dim <= LONG_DIM; dim += 29)
        compare_all(dim, ROWS);
    compare_all(LONG_DIM, ROWS);
}
END_TEST

START_TEST(a_row_has_the_same_product_alone_in_company_and_picked)
{
    const size_t dim = 128;
    float *x = random_floats(dim, 1);
    float *rows = random_floats(ROWS * dim, 2);
    for (size_t k = 0; k < n_list; k++) {
        float all[ROWS];
        list[k]->dots(all, x, rows, dim, ROWS);
        for (uint32_t i = 0; i < ROWS; i++) {
            float alone, picked;
            list[k]->dots(&alone, x, rows + i * dim, dim, 1);
            list[k]->picks(&picked, x, rows, dim, &i, 1);
            ck_assert_msg(memcmp(&alone, &all[i], 4) == 0 &&
                              memcmp(&picked, &all[i], 4) == 0,
                          "%s row %u", list[k]->name, i);
        }
    }
    free(x);
    free(rows);
}
END_TEST

START_TEST(products_are_within_rounding_of_a_sum_in_double)
{
    const size_t dim = (size_t)_i;
    float *x = random_floats(dim + 1, 3);
    float *y = random_floats(dim + 1, 4);
    double sum = 0.0, size = 0.0;
    for (size_t i = 0; i < dim; i++) {
        sum += (double)x[i] * (double)y[i];
        size += fabs((double)x[i] * (double)y[i]);
    }
    for (size_t k = 0; k < n_list; k++) {
        float got;
        list[k]->dots(&got, x, y, dim, 1);
        ck_assert_msg(fabs((double)got - sum) <= 1e-6 * size, "%s dim %zu: %g, not %g",
                      list[k]->name, dim, (double)got, sum);
    }
    free(x);
    free(y);
}
END_TEST

START_TEST(squared_distances_survive_where_lengths_drown_them)
{
    float x[48], y[48];
    for (int i = 0; i < 48; i++) {
        x[i] = 1000.0F;
        y[i] = 1000.0F + 0x1p-10F;
    }
    for (size_t k = 0; k < n_list; k++) {
        float got;
        list[k]->gaps(&got, x, y, 48, 1);
        ck_assert_msg(got == 48 * 0x1p-20F, "%s: %g", list[k]->name, (double)got);
    }
}
END_TEST

/* Every pattern of 16 bits, by the definition of binary16. */
START_TEST(halves_widen_exactly_and_floats_round_to_the_nearest)
{
    static uint16_t half[65536];
    static float want[65536], got[65536];
    for (uint32_t h = 0; h < 65536; h++) {
        const int exponent = (int)(h >> 10 & 31);
        const double part = (double)(h & 1023) / 1024;
        double v = exponent == 0    ? ldexp(part, -14)
                   : exponent == 31 ? (part > 0 ? (double)NAN : (double)INFINITY)
                                    : ldexp(1.0 + part, exponent - 15);
        half[h] = (uint16_t)h;
        want[h] = (float)(h >> 15 ? -v : v);
    }
    for (size_t k = 0; k < n_list; k++) {
        list[k]->widen(got, half, 65536);
        for (uint32_t h = 0; h < 65536; h++)
            ck_assert_msg(isnan(want[h]) ? isnan(got[h])
                                         : memcmp(&want[h], &got[h], 4) == 0,
                          "%s: %04x is %g, not %g", list[k]->name, h, (double)got[h],
                          (double)want[h]);
    }
    for (uint32_t h = 0; h + 1 < 0x7c00; h++) { /* halfway goes to even */
        const float middle = 0.5F * (want[h] + want[h + 1]);
        ck_assert_uint_eq(idx_to_half(want[h]), h);
        ck_assert_uint_eq(idx_to_half(-want[h]), h | 0x8000);
        ck_assert_uint_eq(idx_to_half(middle), h + (h & 1));
        ck_assert_uint_eq(idx_to_half(nextafterf(middle, 1e9F)), h + 1);
        ck_assert_uint_eq(idx_to_half(nextafterf(middle, -1.0F)), h);
    }
    ck_assert_uint_eq(idx_to_half(65519.0F), 0x7bff);
    ck_assert_uint_eq(idx_to_half(65520.0F), 0x7c00);
    ck_assert_uint_eq(idx_to_half(-1e30F), 0xfc00);
}
END_TEST

START_TEST(nothing_is_written_behind_the_results)
{
    float rows[3 * 5] = {0}, x[5] = {0};
    for (size_t k = 0; k < n_list; k++) {
        float out[5] = {9, 9, 9, 9, 9};
        const uint32_t id[3] = {0, 2, 1};
        list[k]->dots(out, x, rows, 5, 3);
        ck_assert(out[2] == 0.0F && out[3] == 9.0F && out[4] == 9.0F);
        list[k]->picks(out, x, rows, 5, id, 2);
        ck_assert(out[3] == 9.0F && out[4] == 9.0F);
    }
}
END_TEST

START_TEST(the_environment_can_force_the_twin)
{
    setenv("IDX_KERN", "c", 1);
    ck_assert_str_eq(idx_kern_pick()->name, "c");
    setenv("IDX_KERN", "no such kernel", 1);
    ck_assert_ptr_eq(idx_kern_pick(), list[n_list - 1]);
    unsetenv("IDX_KERN");
    ck_assert_ptr_eq(idx_kern_pick(), list[n_list - 1]);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("idxkern");
    TCase *tc = tcase_create("kernels");
    n_list = idx_kern_list(list);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, kernels_equal_their_twin_bit_for_bit_at_every_length, 0,
                        MAX_DIM + 1);
    tcase_add_test(tc, kernels_equal_their_twin_at_long_rows);
    tcase_add_test(tc, a_row_has_the_same_product_alone_in_company_and_picked);
    tcase_add_loop_test(tc, products_are_within_rounding_of_a_sum_in_double, 0,
                        MAX_DIM + 1);
    tcase_add_test(tc, squared_distances_survive_where_lengths_drown_them);
    tcase_add_test(tc, halves_widen_exactly_and_floats_round_to_the_nearest);
    tcase_add_test(tc, nothing_is_written_behind_the_results);
    tcase_add_test(tc, the_environment_can_force_the_twin);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
