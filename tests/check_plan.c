/* The plan of plain LSH against sums done by hand. */
#include "index/plan.h"
#include "support.h"

#include <math.h>

/* A million rows of 128 floats, neighbours at 30 degrees and all else at 90; recall
 * 0.9: from the closed form ceil(ln 0.1 / ln(1 - (5/6)^K)). */
static const struct {
    uint32_t n_functions, n_tables;
    double candidates, mmacs;
} rows[] = {
    {8, 9, 34612, 4.44},   {10, 14, 13585, 1.76}, {12, 20, 4872, 0.654},
    {14, 29, 1769, 0.278}, {16, 42, 641, 0.168},  {18, 61, 233, 0.170},
    {20, 88, 84, 0.236},   {22, 126, 30, 0.359},
};

START_TEST(two_kinds_of_pairs_need_as_many_tables_as_the_closed_form_says)
{
    const double near = 1 - 30 / 180.0, any = 0.5;
    const idx_pairs pairs = {&near, &any, 1, 1};
    const idx_plan p = idx_plan_of(&pairs, rows[_i].n_functions, 0.9, 1000000);
    ck_assert_uint_eq(p.n_tables, rows[_i].n_tables);
    ck_assert_double_eq_tol(p.candidates, rows[_i].candidates, 0.5);
    ck_assert_double_eq_tol(((rows[_i].n_functions * p.n_tables) + p.candidates) *
                                128e-6,
                            rows[_i].mmacs, rows[_i].mmacs > 1 ? 0.005 : 0.0005);
}
END_TEST

START_TEST(pairs_count_one_by_one_and_not_as_their_mean)
{
    const double near[2] = {0.5, 1.0}, any[4] = {0.9, 0, 0, 0};
    const idx_pairs pairs = {near, any, 2, 4};
    /* half of the pairs are always found: one table has half + 0.5^4 / 2 of them */
    ck_assert_uint_eq(idx_plan_of(&pairs, 4, 0.53, 100).n_tables, 1);
    ck_assert_uint_eq(idx_plan_of(&pairs, 4, 0.54, 100).n_tables, 2);
    ck_assert_double_eq_tol(idx_plan_of(&pairs, 4, 0.5, 100).candidates,
                            25 * pow(0.9, 4), 1e-9);
}
END_TEST

START_TEST(what_cannot_be_reached_ends)
{
    const double near = 0, any = 0;
    const idx_pairs pairs = {&near, &any, 1, 1}, none = {NULL, NULL, 0, 0};
    ck_assert_uint_gt(idx_plan_of(&pairs, 4, 0.9, 100).n_tables, 1000);
    ck_assert_uint_gt(idx_plan_of(&none, 4, 0.9, 100).n_tables, 1000);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("plan");
    TCase *tc = tcase_create("plan");
    tcase_add_loop_test(tc,
                        two_kinds_of_pairs_need_as_many_tables_as_the_closed_form_says,
                        0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tc, pairs_count_one_by_one_and_not_as_their_mean);
    tcase_add_test(tc, what_cannot_be_reached_ends);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
