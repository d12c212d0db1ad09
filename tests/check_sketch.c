/* Sketches: how near they say that rows are, and what they let through. */
#include "tests/idx_support.h"

#include "index/sketch.h"

#include <check.h>

enum { N = 2000, DIM = 100, BITS = 128 };

typedef struct {
    corpus c;
    idx_scale scale;
    idx_built built;
    idx_index ix;
    idx_scratch *s;
} hashed;

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
make_hashed(hashed *t, int family, bool sketches)
{
    const idx_making how = {.seed = 4, .kern = idx_kern_pick()};
    corpus_make(&t->c, (const uint32_t[]){N, 0, 0, 0}, (const uint32_t[]){DIM, 0, 0, 0},
                40, 42);
    for (uint32_t i = 0; i < N * DIM; i++)
        t->c.array[0][4][i] *= families[family].times;
    t->scale = t->c.contents.scales[0];
    t->scale.params = families[family].p;
    t->scale.params.max_candidates = N;
    idx_family_of(t->scale.params.family)->choose(&t->scale.params, &t->scale, &how);
    ck_assert_uint_eq(t->scale.params.leaf, BITS);
    if (!sketches)
        t->scale.params.leaf = 0;
    t->scale.params.n_probes = 8 * t->scale.params.n_tables;
    ck_assert_int_eq(idx_build(&t->built, &t->scale, &how), IDX_OK);
    t->ix = idx_as_built(&t->scale, &t->built);
    ck_assert_int_eq(idx_scratch_new(&t->s, &t->ix), IDX_OK);
}

static void
free_hashed(hashed *t)
{
    idx_scratch_free(t->s);
    idx_built_clear(&t->built);
    corpus_free(&t->c);
}

/* Where the sketches' own rotation lies. */
static const uint64_t *
signs_of(const hashed *t)
{
    const fmt_scale h = {.dim = DIM,
                         .n_entries = N,
                         .family = t->scale.params.family,
                         .n_planes = t->scale.params.n_planes,
                         .n_tables = t->scale.params.n_tables,
                         .leaf = t->scale.params.leaf};
    const uint64_t *all = t->built.at[FMT_SIGNS];
    return all + fmt_bytes(&h, FMT_SIGNS) / sizeof *all - idx_rotate_words(DIM);
}

START_TEST(rows_are_seldom_nearer_than_their_sketch_allows_and_seldom_much_farther)
{
    hashed t;
    uint64_t state = 5;
    uint32_t above = 0, n = 0;
    double excess = 0.0, square = 0.0;
    static float room[BITS / 8 * 256];
    make_hashed(&t, _i, true);
    const float *centre = t.built.at[FMT_CENTRE];
    for (int q = 0; q < 40; q++) {
        double length = 0.0;
        for (uint32_t j = 0; j < DIM; j++) {
            const float x = t.scale.rows[(size_t)q * 50 * DIM + j];
            t.s->unit[j] = x + families[_i].times * 0.02F * rnd_normal(&state);
        }
        if (t.scale.params.metric == IDX_COSINE)
            unit_length(t.s->unit, DIM);
        for (uint32_t j = 0; j < DIM; j++) {
            t.s->centred[j] = t.s->unit[j] - centre[j];
            length += (double)t.s->centred[j] * (double)t.s->centred[j];
        }
        const idx_sketch k = idx_sketch_begin(&t.ix, 0, t.s, signs_of(&t), room);
        for (uint32_t i = 0; i < N; i += 7, n++) {
            float likeness;
            double power = 0.0;
            idx_compare(&t.ix, 0, t.s, &i, 0, 1, &likeness);
            for (uint32_t j = 0; j < DIM; j++) {
                const double r =
                    (double)t.scale.rows[(size_t)i * DIM + j] - (double)centre[j];
                power += r * r;
            }
            /* in standard deviations of an estimate: 0.75 |r| |q| / sqrt(bits) */
            const double sd = 0.75 * sqrt(power * length / BITS);
            const double over = (double)(idx_sketch_upper(&k, i) - likeness) / sd;
            above += over < 0.0;
            excess += over;
            square += over * over;
        }
    }
    const double mean = excess / n, sd = sqrt(square / n - mean * mean);
    ck_assert_msg(above < n / 25, "%s: %u of %u rows are ruled out wrongly",
                  families[_i].name, above, n);
    ck_assert_msg(mean > 1.9 && mean < 2.3, "%s: allowed for %g", families[_i].name,
                  mean);
    ck_assert_msg(sd > 0.7 && sd < 1.1, "%s: scattered by %g", families[_i].name, sd);
    free_hashed(&t);
}
END_TEST

START_TEST(answers_are_those_without_sketches_but_for_few)
{
    hashed with, without;
    uint64_t state = 9;
    uint32_t same = 0, all = 0;
    make_hashed(&with, _i, true);
    make_hashed(&without, _i, false);
    ck_assert(without.built.at[FMT_CODES] == NULL);
    for (int q = 0; q < 100; q++) {
        float x[DIM];
        idx_hit got[10], wanted[10];
        uint32_t n_got, n_wanted;
        idx_work work, full;
        for (uint32_t j = 0; j < DIM; j++)
            x[j] = with.scale.rows[(size_t)q * 20 * DIM + j] +
                   families[_i].times * 0.02F * rnd_normal(&state);
        ck_assert(!idx_query(&with.ix, 0, with.s, x, 10, got, &n_got, &work));
        ck_assert(
            !idx_query(&without.ix, 0, without.s, x, 10, wanted, &n_wanted, &full));
        ck_assert_uint_eq(work.n_candidates, full.n_candidates);
        ck_assert_uint_eq(work.n_scanned, work.n_candidates);
        ck_assert_uint_eq(full.n_scanned, 0);
        ck_assert_uint_eq(n_got, n_wanted);
        for (uint32_t i = 0; i < n_got; i++)
            for (uint32_t j = 0; j < n_wanted; j++)
                same += !memcmp(&got[i], &wanted[j], sizeof *got);
        all += n_wanted;
    }
    ck_assert_uint_gt(all, 500);
    ck_assert_msg(same >= all - all / 50, "%s: %u of %u", families[_i].name, same, all);
    free_hashed(&with);
    free_hashed(&without);
}
END_TEST

START_TEST(copies_of_one_row_are_all_let_through)
{
    hashed t;
    make_hashed(&t, _i, true);
    for (uint32_t i = 1; i < N; i++)
        memcpy(t.c.array[0][4] + (size_t)i * DIM, t.c.array[0][4], DIM * sizeof(float));
    const idx_making how = {.seed = 4, .kern = idx_kern_pick()};
    idx_scratch_free(t.s);
    idx_built_clear(&t.built);
    ck_assert_int_eq(idx_build(&t.built, &t.scale, &how), IDX_OK);
    t.ix = idx_as_built(&t.scale, &t.built);
    ck_assert_int_eq(idx_scratch_new(&t.s, &t.ix), IDX_OK);
    idx_hit got[500];
    uint32_t n_got;
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, 500, got, &n_got, NULL));
    ck_assert_uint_eq(n_got, 500);
    for (uint32_t i = 0; i < 500; i++)
        ck_assert_uint_eq(got[i].entry, i);
    free_hashed(&t);
}
END_TEST

static const struct {
    const char *name;
    size_t word; /* from the end of the sketch of the last row */
    uint32_t value;
} hostile[] = {{"a factor that is NaN", 0, 0x7fc00000},
               {"an offset that is infinite", 1, 0x7f800000}};

START_TEST(numbers_that_are_not_finite_are_refused)
{
    hashed t;
    char fault[200] = "";
    make_hashed(&t, _i, true);
    const idx_family_ops *ops = idx_family_of(t.scale.params.family);
    ck_assert_msg(ops->holds(&t.ix, 0, fault, sizeof fault), "%s", fault);
    for (size_t i = 0; i < 2; i++) {
        uint32_t *last = (uint32_t *)t.built.at[FMT_CODES] +
                         (N * idx_sketch_words(BITS) - 1) * 2 + hostile[i].word;
        const uint32_t before = *last;
        *last = hostile[i].value;
        ck_assert_msg(!ops->holds(&t.ix, 0, fault, sizeof fault), "case: %s",
                      hostile[i].name);
        ck_assert_msg(strstr(fault, "sketch of row 1999"), "%s", fault);
        *last = before;
    }
    free_hashed(&t);
}
END_TEST

START_TEST(short_rows_have_none)
{
    ck_assert_uint_eq(idx_sketch_bits(32), 0);
    ck_assert_uint_eq(idx_sketch_bits(33), 64);
    ck_assert_uint_eq(idx_sketch_bits(1024), 1024);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("sketch");
    TCase *tc = tcase_create("sketch");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(
        tc, rows_are_seldom_nearer_than_their_sketch_allows_and_seldom_much_farther, 0,
        N_FAMILIES);
    tcase_add_loop_test(tc, answers_are_those_without_sketches_but_for_few, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, copies_of_one_row_are_all_let_through, 0, N_FAMILIES);
    tcase_add_loop_test(tc, numbers_that_are_not_finite_are_refused, 0, N_FAMILIES);
    tcase_add_test(tc, short_rows_have_none);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
