/* Codes in the order of buckets: what they let through, and what a walk scores. */
#include "built_support.h"

#include "index/buckets.h"

enum { N = 2000, DIM = 100, BITS = 128 };

static const struct {
    const char *name;
    idx_params p;
    float times; /* rows are longer than 1 by Euclid */
} families[] = {
    {"hyperplane", {.family = IDX_HYPERPLANE}, 1.0F},
    {"cross-polytope", {.family = IDX_CROSS_POLYTOPE}, 1.0F},
    {"p-stable", {.family = IDX_P_STABLE}, 1.0F},
    {"p-stable by Euclid", {.family = IDX_P_STABLE, .metric = IDX_EUCLID}, 30.0F},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

static void
make_hashed(built_scale *t, int family, bool coded)
{
    const idx_making how = making();
    idx_params *p = &t->scale.params;
    make_scale(t, N, DIM, 40, families[family].times);
    *p = families[family].p;
    p->max_candidates = N;
    idx_family_of(p->family)->choose(p, &t->scale, &how);
    ck_assert_uint_eq(p->leaf, BITS);
    if (!coded)
        p->leaf = 0;
    const uint32_t most = idx_family_of(p->family)->most_probes(p);
    p->n_probes = 8 * p->n_tables < most ? 8 * p->n_tables : most;
    build_scale(t);
}

/* Something near row 20 q. */
static void
query(const built_scale *t, int family, int q, uint64_t *state, float x[DIM])
{
    for (uint32_t j = 0; j < DIM; j++)
        x[j] = t->scale.rows[(size_t)q * 20 * DIM + j] +
               families[family].times * 0.02F * rnd_normal(state);
}

/* Whole blocks are scored, so that more is found than the buckets hold; what is found
 * without codes is found with them but for a few. */
START_TEST(answers_are_those_without_codes_but_for_few)
{
    built_scale with, without;
    uint64_t state = 9;
    uint32_t same = 0, all = 0;
    make_hashed(&with, _i, true);
    make_hashed(&without, _i, false);
    ck_assert(without.built.at[FMT_BLOCKS] == NULL && with.built.at[FMT_BLOCKS]);
    for (int q = 0; q < 100; q++) {
        float x[DIM];
        idx_hit got[10], wanted[10];
        uint32_t n_got, n_wanted;
        idx_work work, full;
        query(&with, _i, q, &state, x);
        ck_assert(!idx_query(&with.ix, 0, with.s, x, 10, got, &n_got, &work));
        ck_assert(
            !idx_query(&without.ix, 0, without.s, x, 10, wanted, &n_wanted, &full));
        ck_assert_uint_eq(work.n_probes, full.n_probes);
        ck_assert_uint_ge(work.n_scanned, full.n_candidates);
        ck_assert_uint_eq(full.n_scanned, 0);
        ck_assert_uint_ge(n_got, n_wanted);
        for (uint32_t j = 0; j < n_wanted; j++) {
            bool found = n_got == 10 && got[9].cosine > wanted[j].cosine;
            for (uint32_t i = 0; i < n_got; i++)
                found = found || !memcmp(&got[i], &wanted[j], sizeof *got);
            same += found;
        }
        all += n_wanted;
    }
    ck_assert_uint_gt(all, 500);
    ck_assert_msg(same >= all - all / 50, "%s: %u of %u", families[_i].name, same, all);
    free_scale(&with);
    free_scale(&without);
}
END_TEST

START_TEST(kernels_in_c_find_the_same)
{
    built_scale fast;
    uint64_t state = 9;
    idx_scratch *plain;
    make_hashed(&fast, _i, true);
    setenv("IDX_KERN", "c", 1);
    ck_assert_int_eq(idx_scratch_new(&plain, &fast.ix), IDX_OK);
    unsetenv("IDX_KERN");
    for (int q = 0; q < 100; q++) {
        float x[DIM];
        idx_hit a[10], b[10];
        uint32_t n_a, n_b;
        idx_work of_a, of_b;
        query(&fast, _i, q, &state, x);
        ck_assert(!idx_query(&fast.ix, 0, fast.s, x, 10, a, &n_a, &of_a));
        ck_assert(!idx_query(&fast.ix, 0, plain, x, 10, b, &n_b, &of_b));
        ck_assert_uint_eq(n_a, n_b);
        ck_assert_mem_eq(a, b, n_a * sizeof *a);
        ck_assert_mem_eq(&of_a, &of_b, sizeof of_a);
    }
    idx_scratch_free(plain);
    free_scale(&fast);
}
END_TEST

START_TEST(copies_of_one_row_are_all_let_through)
{
    built_scale t;
    make_hashed(&t, _i, true);
    for (uint32_t i = 1; i < N; i++)
        memcpy(t.c.array[0][4] + (size_t)i * DIM, t.c.array[0][4], DIM * sizeof(float));
    idx_built_clear(&t.built);
    build_scale(&t);
    idx_hit got[500];
    uint32_t n_got;
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, 500, got, &n_got, NULL));
    ck_assert_uint_eq(n_got, 500);
    for (uint32_t i = 0; i < 500; i++)
        ck_assert_uint_eq(got[i].entry, i);
    free_scale(&t);
}
END_TEST

START_TEST(each_block_is_scored_once_and_each_row_compared_once)
{
    built_scale t;
    make_hashed(&t, _i, true);
    const idx_params *p = &t.scale.params;
    const idx_family_ops *ops = idx_family_of(p->family);
    const uint32_t most = ops->most_probes(p);
    idx_params all = *p;
    all.n_probes = most < IDX_MAX_PROBES ? most : IDX_MAX_PROBES;
    ck_assert_int_eq(idx_scratch_set(t.s, 0, &all), IDX_OK);
    idx_hit got[IDX_MAX_K];
    uint32_t n_got;
    idx_work work;
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, IDX_MAX_K, got, &n_got, &work));
    ck_assert_uint_le(work.n_scanned,
                      p->n_tables * idx_table_blocks(N) * IDX_CODE_ROWS);
    ck_assert_uint_le(work.n_candidates, N);
    ck_assert_uint_gt(n_got, 10);
    for (uint32_t i = 1; i < n_got; i++)
        ck_assert(
            got[i].cosine < got[i - 1].cosine ||
            (got[i].cosine <= got[i - 1].cosine && got[i].entry > got[i - 1].entry));
    free_scale(&t);
}
END_TEST

START_TEST(a_cap_on_codes_ends_the_search_and_is_counted)
{
    built_scale t;
    make_hashed(&t, _i, true);
    idx_hit got[10];
    uint32_t n_got;
    idx_work work;
    idx_params few = t.scale.params;
    few.max_scanned = 100;
    ck_assert_int_eq(idx_scratch_set(t.s, 0, &few), IDX_OK);
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, 10, got, &n_got, &work));
    ck_assert_uint_le(work.n_scanned, 100);
    ck_assert_uint_eq(work.cut, 1);
    few.max_scanned = UINT32_MAX;
    few.max_candidates = 5;
    ck_assert_int_eq(idx_scratch_set(t.s, 0, &few), IDX_OK);
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, 10, got, &n_got, &work));
    ck_assert_uint_le(work.n_candidates, 5);
    ck_assert_uint_eq(work.cut, 1);
    few.max_scanned = 0;
    ck_assert_int_eq(idx_scratch_set(t.s, 0, &few), IDX_EARG);
    free_scale(&t);
}
END_TEST

START_TEST(codes_of_rows_that_are_not_there_are_refused)
{
    built_scale t;
    char fault[200] = "";
    make_hashed(&t, _i, true); /* 2000 rows: the last block holds 16 */
    const idx_family_ops *ops = idx_family_of(t.scale.params.family);
    const size_t bytes = idx_block_bytes(BITS);
    ck_assert_msg(ops->holds(&t.ix, 0, fault, sizeof fault), "%s", fault);
    for (uint32_t l = 0; l < t.scale.params.n_tables; l++) {
        unsigned char *end = (unsigned char *)t.built.at[FMT_BLOCKS] +
                             (l + 1) * idx_table_blocks(N) * bytes;
        const unsigned char before = end[-1];
        end[-1] = 0;
        ck_assert(!ops->holds(&t.ix, 0, fault, sizeof fault));
        ck_assert_msg(strstr(fault, "a row too many"), "%s", fault);
        end[-1] = before;
    }
    free_scale(&t);
}
END_TEST

START_TEST(short_rows_have_none)
{
    ck_assert_uint_eq(idx_table_bits(32), 0);
    ck_assert_uint_eq(idx_table_bits(33), 64);
    ck_assert_uint_eq(idx_table_bits(1024), 1024);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("buckets");
    TCase *tc = tcase_create("buckets");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, answers_are_those_without_codes_but_for_few, 0, N_FAMILIES);
    tcase_add_loop_test(tc, kernels_in_c_find_the_same, 0, N_FAMILIES);
    tcase_add_loop_test(tc, copies_of_one_row_are_all_let_through, 0, N_FAMILIES);
    tcase_add_loop_test(tc, each_block_is_scored_once_and_each_row_compared_once, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, a_cap_on_codes_ends_the_search_and_is_counted, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, codes_of_rows_that_are_not_there_are_refused, 0,
                        N_FAMILIES);
    tcase_add_test(tc, short_rows_have_none);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
