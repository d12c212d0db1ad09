/* What idx_tune() chooses, and the knots of idx_calibrate(). */
#include "tests/idx_support.h"

#include <check.h>

enum { ROWS = 24000, DIM = 32, SOUNDS = 200 };

static corpus big; /* made once; read only */

/* Tunes, and frees what was built. */
static idx_status
tune(const idx_scale *s, uint64_t seed, float target, bool auto_family, idx_params *p)
{
    const idx_tuning how = {
        .seed = seed, .target_recall = target, .auto_family = auto_family};
    idx_built *built;
    const idx_status st = idx_tune(s, &how, p, &built);
    ck_assert((built != NULL) == (!st && p->family != IDX_EXACT));
    idx_built_free(built);
    return st;
}

static idx_params
tuned(float target, bool auto_family, idx_params p)
{
    p.family = IDX_HYPERPLANE;
    ck_assert_int_eq(tune(&big.contents.scales[0], 3, target, auto_family, &p), IDX_OK);
    return p;
}

static bool
same(const idx_params *a, const idx_params *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

START_TEST(tuning_reaches_its_target_with_a_fraction_of_the_rows)
{
    static const float targets[] = {0.5F, 0.8F, 0.95F};
    float last = 0.0F;
    for (int i = 0; i < 3; i++) {
        const idx_params p = tuned(targets[i], 1, (idx_params){0});
        ck_assert_uint_eq(p.family, IDX_HYPERPLANE);
        ck_assert_msg(p.recall >= targets[i], "recall %g below %g", (double)p.recall,
                      (double)targets[i]);
        ck_assert(p.n_planes >= 8 && p.n_tables >= 8 && p.n_probes >= p.n_tables);
        ck_assert(p.candidates > last && p.candidates < ROWS / 4.0F);
        ck_assert(p.max_candidates >= 1000 && p.max_candidates <= ROWS);
        last = p.candidates;
    }
}
END_TEST

START_TEST(the_recall_it_promises_holds_for_sounds_it_never_saw)
{
    char why[200] = "";
    corpus c = big, other;
    idx_index *ix = NULL;
    idx_scratch *s;
    const char *path = temp_path("tuned.hkn");
    double found = 0.0;
    uint32_t n = 0;
    c.contents.scales[0].params = tuned(0.9F, 1, (idx_params){0});
    c.contents.seed = 3; /* that of tuned() */
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    unlink(path);
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    /* other sounds of the same families, which the same seed draws first */
    corpus_make(&other, (const uint32_t[]){ROWS, 0, 0, 0},
                (const uint32_t[]){DIM, 0, 0, 0}, SOUNDS / 2, 1);
    for (uint32_t i = 240; i < ROWS; i += 97, n++) {
        idx_hit got[10], all[10];
        uint32_t n_got, n_all;
        const float *x = other.contents.scales[0].rows + (size_t)i * DIM;
        ck_assert(!idx_query(ix, 0, s, x, 10, got, &n_got, NULL));
        ck_assert(!idx_query_exact(ix, 0, s, x, 10, all, &n_all));
        for (uint32_t h = 0; h < n_got; h++)
            found += got[h].cosine >= all[n_all - 1].cosine;
    }
    ck_assert_msg(found / (10.0 * n) > 0.85, "recall %g", found / (10.0 * n));
    corpus_free(&other);
    idx_scratch_free(s);
    idx_close(ix);
}
END_TEST

START_TEST(tuning_repeats_with_every_kernel)
{
    const idx_params a = tuned(0.7F, 1, (idx_params){0});
    setenv("IDX_KERN", "c", 1);
    const idx_params b = tuned(0.7F, 1, (idx_params){0});
    unsetenv("IDX_KERN");
    ck_assert(same(&a, &b));
}
END_TEST

START_TEST(what_is_given_is_kept_and_measured)
{
    const idx_params p =
        tuned(0.9F, 0,
              (idx_params){
                  .n_planes = 7, .n_tables = 5, .n_probes = 9, .max_candidates = 777});
    ck_assert(p.n_planes == 7 && p.n_tables == 5 && p.n_probes == 9);
    ck_assert_uint_eq(p.max_candidates, 777);
    ck_assert(p.candidates > 0.0F && p.candidates <= 777.0F);
    ck_assert(p.recall > 0.0F && p.recall < 1.0F);
    const idx_params q = tuned(0.99F, 0, (idx_params){.n_planes = 6, .n_tables = 2});
    ck_assert(q.n_planes == 6 && q.n_tables == 2 && q.recall >= 0.99F);
}
END_TEST

START_TEST(a_cap_too_low_for_the_target_ends_the_search_for_probes)
{
    const idx_params p = tuned(0.99F, 0, (idx_params){.max_candidates = 20});
    ck_assert_uint_eq(p.max_candidates, 20);
    ck_assert(p.recall < 0.99F && p.candidates <= 20.0F);
}
END_TEST

START_TEST(small_scales_and_those_not_worth_it_become_exact)
{
    static const idx_params none = {.family = IDX_HYPERPLANE};
    idx_scale s = big.contents.scales[0];
    idx_params p = none;
    s.n_entries = IDX_EXACT_BELOW - 1;
    ck_assert(!tune(&s, 1, 0.5F, true, &p));
    ck_assert_uint_eq(p.family, IDX_EXACT);
    ck_assert(p.recall == 1.0F && p.candidates == (float)s.n_entries &&
              p.n_planes == 0);
    s.n_entries = 0;
    p = none;
    ck_assert(!tune(&s, 1, 0.5F, false, &p));
    ck_assert_uint_eq(p.family, IDX_EXACT);
    p = (idx_params){.family = IDX_EXACT};
    ck_assert(!tune(&big.contents.scales[0], 1, 0.5F, true, &p));
    ck_assert_uint_eq(p.family, IDX_EXACT);
    /* directions without any neighbourhood: hashing finds nothing sooner than chance */
    float *rows = malloc((size_t)ROWS * DIM * sizeof *rows);
    uint64_t state = 4;
    for (uint32_t i = 0; i < ROWS; i++)
        random_direction(rows + (size_t)i * DIM, DIM, &state);
    s = big.contents.scales[0];
    s.rows = rows;
    p = none;
    ck_assert(!tune(&s, 1, 0.99F, true, &p));
    ck_assert_uint_eq(p.family, IDX_EXACT);
    free(rows);
}
END_TEST

START_TEST(tiny_scales_can_be_hashed_on_demand)
{
    for (uint32_t n = 1; n < 40; n += 6) {
        idx_scale s = big.contents.scales[0];
        idx_params p = {.family = IDX_HYPERPLANE};
        s.n_entries = n;
        ck_assert(!tune(&s, 1, 1.0F, false, &p));
        ck_assert_uint_eq(p.family, IDX_HYPERPLANE);
        ck_assert_msg(p.recall == 1.0F, "%u rows: %g", n, (double)p.recall);
    }
}
END_TEST

/* Writes the big corpus by p, opens it and removes the file. */
static idx_index *
opened(const idx_params *p)
{
    char why[200] = "";
    corpus c = big;
    idx_index *ix = NULL;
    const char *path = temp_path("again.hkn");
    c.contents.scales[0].params = *p;
    c.contents.seed = 3; /* that of tuned() */
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    unlink(path);
    return ix;
}

START_TEST(an_open_index_can_be_tuned_anew_and_written)
{
    static const struct {
        uint32_t family, stored;
    } rows[] = {{IDX_HYPERPLANE, IDX_F32}, {IDX_CELLS, IDX_F16}, {IDX_CELLS, IDX_I8}};
    char why[200] = "";
    const char *path = temp_path("anew.hkn");
    const idx_tuning how = {.target_recall = 0.9F, .by_clock = _i > 0};
    idx_params p = {.family = rows[_i].family, .stored = rows[_i].stored};
    ck_assert(!tune(&big.contents.scales[0], 3, 0.5F, false, &p));
    idx_index *ix = opened(&p), *anew = NULL;
    idx_params params[IDX_SCALES] = {0};
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        ck_assert(!idx_retune(ix, i, &how, &params[i]));
    ck_assert_msg(params[0].recall >= 0.9F, "recall %g", (double)params[0].recall);
    ck_assert(params[0].n_probes > p.n_probes && params[0].n_asked > 0);
    ck_assert((params[0].us > 0.0F) == how.by_clock);
    ck_assert_msg(!idx_rewrite(path, ix, params, NULL, NULL, why, sizeof why), "%s",
                  why);
    idx_close(ix);
    ck_assert_msg(!idx_open(&anew, path, why, sizeof why), "%s", why);
    ck_assert(same(&idx_scale_of(anew, 0)->params, &params[0]));
    params[0].n_planes++;
    ck_assert_int_eq(idx_rewrite(path, anew, params, NULL, NULL, why, sizeof why),
                     IDX_EARG);
    ck_assert_msg(strstr(why, "built otherwise; build the index again"), "%s", why);
    idx_close(anew);
    unlink(path);
}
END_TEST

START_TEST(what_was_not_changed_is_written_again_byte_for_byte)
{
    char why[200] = "";
    const char *path = temp_path("same.hkn");
    idx_index *ix = opened(&(idx_params){.family = IDX_HYPERPLANE,
                                         .n_planes = 6,
                                         .n_tables = 2,
                                         .n_probes = 9,
                                         .max_candidates = 500}),
              *again = NULL;
    idx_params params[IDX_SCALES];
    size_t n, n_again;
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        params[i] = idx_scale_of(ix, i)->params;
    ck_assert_msg(!idx_rewrite(path, ix, params, NULL, NULL, why, sizeof why), "%s",
                  why);
    ck_assert_msg(!idx_open(&again, path, why, sizeof why), "%s", why);
    const void *a = idx_memory(ix, &n), *b = idx_memory(again, &n_again);
    ck_assert(n == n_again && memcmp(a, b, n) == 0);
    idx_close(ix);
    idx_close(again);
    unlink(path);
}
END_TEST

START_TEST(noises_are_stored_kept_and_taken_away)
{
    char why[200] = "";
    const char *path = temp_path("noises.hkn");
    idx_index *ix = opened(&(idx_params){.family = IDX_HYPERPLANE,
                                         .n_planes = 6,
                                         .n_tables = 2,
                                         .n_probes = 9,
                                         .max_candidates = 500}),
              *with, *kept;
    const uint32_t dim = idx_scale_of(ix, 0)->dim;
    const float tails[2] = {-0.1F, 0.02F};
    float *row = calloc(dim, sizeof *row);
    row[1] = -1;
    const idx_noises noises[IDX_SCALES] = {{1, 1, row, tails}}, none[IDX_SCALES] = {0};
    ck_assert_msg(!idx_rewrite(path, ix, NULL, noises, NULL, why, sizeof why), "%s",
                  why);
    ck_assert_msg(!idx_open(&with, path, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_rewrite(path, with, NULL, NULL, NULL, why, sizeof why), "%s",
                  why);
    ck_assert_msg(!idx_open(&kept, path, why, sizeof why), "%s", why);
    for (int i = 0; i < 2; i++) {
        const idx_noises *n = &idx_scale_of(i ? kept : with, 0)->noises;
        ck_assert(n->n == 1 && n->n_tails == 1);
        ck_assert(!memcmp(n->rows, row, dim * sizeof *row));
        ck_assert(!memcmp(n->tails, tails, sizeof tails));
    }
    ck_assert(same(&idx_scale_of(kept, 0)->params, &idx_scale_of(ix, 0)->params));
    ck_assert(!idx_rewrite(path, with, NULL, none, NULL, why, sizeof why));
    idx_close(kept);
    ck_assert_msg(!idx_open(&kept, path, why, sizeof why), "%s", why);
    size_t n, n_again;
    const void *a = idx_memory(ix, &n), *b = idx_memory(kept, &n_again);
    ck_assert(n == n_again && memcmp(a, b, n) == 0);
    row[1] = 2;
    ck_assert_int_eq(idx_rewrite(path, ix, NULL, noises, NULL, why, sizeof why),
                     IDX_EARG);
    ck_assert_msg(strstr(why, "noise[0] is not of unit length"), "%s", why);
    idx_close(ix);
    idx_close(with);
    idx_close(kept);
    free(row);
    unlink(path);
}
END_TEST

static const struct {
    const char *name;
    idx_params p;
    float target;
} wrong[] = {
    {"family 2", {.family = 2}, 0.9F},
    {"23 planes", {.family = 1, .n_planes = 23}, 0.9F},
    {"65 tables", {.family = 1, .n_tables = 65}, 0.9F},
    {"fewer probes than tables", {.family = 1, .n_tables = 9, .n_probes = 8}, 0.9F},
    {"more probes than buckets",
     {.family = 1, .n_planes = 2, .n_tables = 2, .n_probes = 9},
     0.9F},
    {"target above 1", {.family = 1}, 1.1F},
    {"target NaN", {.family = 1}, (float)NAN},
};

START_TEST(wrong_wishes_are_refused)
{
    idx_params p = wrong[_i].p;
    ck_assert_msg(tune(&big.contents.scales[0], 1, wrong[_i].target, false, &p) ==
                      IDX_EARG,
                  "case: %s", wrong[_i].name);
    ck_assert_msg(same(&p, &wrong[_i].p), "case: %s: changed", wrong[_i].name);
}
END_TEST

typedef struct {
    double last;
    uint32_t n;
    bool stop;
} told;

static bool
note_progress(void *ctx, double share)
{
    told *t = ctx;
    ck_assert_msg(share >= 0.0 && share <= 1.0, "share %g", share);
    t->last = share;
    t->n++;
    return !t->stop;
}

START_TEST(progress_is_told)
{
    told t = {0};
    idx_params p = {.family = IDX_HYPERPLANE};
    const idx_tuning how = {
        .seed = 1, .target_recall = 0.9F, .progress = note_progress, .ctx = &t};
    idx_built *built;
    setenv("IDX_KERN", "c", 1);
    ck_assert(!idx_tune(&big.contents.scales[0], &how, &p, &built));
    ck_assert_uint_ge(t.n, 1);
    idx_built_free(built);
    t.stop = true;
    p = (idx_params){.family = IDX_HYPERPLANE};
    ck_assert_int_eq(idx_tune(&big.contents.scales[0], &how, &p, &built), IDX_EIO);
    ck_assert(built == NULL && p.n_planes == 0);
    unsetenv("IDX_KERN");
}
END_TEST

/* ---- Knots ---------------------------------------------------------------------- */

START_TEST(knots_are_quantiles_of_the_nearest_strangers)
{
    enum { N = 300, KNOTS = 11 };
    idx_scale s = big.contents.scales[0];
    float knots[KNOTS], best[N];
    idx_entry entries[N];
    s.n_entries = N;
    s.entries = entries;
    for (uint32_t i = 0; i < N; i++)
        entries[i] = (idx_entry){i / 60, 0, 0};
    ck_assert_int_eq(idx_calibrate(&s, NULL, 1000, KNOTS, knots), IDX_OK);
    for (uint32_t i = 0; i < N; i++) {
        best[i] = -2.0F;
        for (uint32_t j = 0; j < N; j++) {
            float sum = 0.0F;
            for (uint32_t d = 0; d < DIM; d++)
                sum += s.rows[i * DIM + d] * s.rows[j * DIM + d];
            if (i / 60 != j / 60 && sum > best[i])
                best[i] = sum;
        }
    }
    for (uint32_t k = 0; k < KNOTS; k++) {
        uint32_t below = 0;
        for (uint32_t i = 0; i < N; i++)
            below += best[i] < knots[k] - 1e-5F;
        ck_assert_msg(fabs((double)below / N - (double)k / (KNOTS - 1)) < 0.02,
                      "knot %u has %u of %d below", k, below, N);
        ck_assert(k == 0 || knots[k] >= knots[k - 1]);
    }
}
END_TEST

START_TEST(without_strangers_knots_are_evenly_spaced)
{
    idx_scale s = big.contents.scales[0];
    float knots[5];
    for (uint32_t n = 0; n < 3; n++) { /* all of sound 0 */
        s.n_entries = n;
        ck_assert_int_eq(idx_calibrate(&s, NULL, 100, 5, knots), IDX_OK);
        for (int k = 0; k < 5; k++)
            ck_assert(fabsf(knots[k] - (0.5F * (float)k - 1.0F)) < 1e-6F);
    }
    ck_assert_int_eq(idx_calibrate(&s, NULL, 100, 1, knots), IDX_EARG);
    ck_assert_int_eq(idx_calibrate(&s, NULL, 0, 5, knots), IDX_EARG);
}
END_TEST

START_TEST(knots_never_leave_the_cosines)
{
    idx_scale s = big.contents.scales[0];
    float rows[4 * DIM], knots[3];
    idx_entry entries[4] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {3, 0, 0}};
    for (int i = 0; i < 4;
         i++) /* one row, and a little too long, as rounding makes it */
        for (int j = 0; j < DIM; j++)
            rows[i * DIM + j] = 1.000001F * s.rows[j];
    s.n_entries = 4;
    s.rows = rows;
    s.entries = entries;
    ck_assert_int_eq(idx_calibrate(&s, NULL, 4, 3, knots), IDX_OK);
    for (int k = 0; k < 3; k++)
        ck_assert(knots[k] == 1.0F);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("tune");
    TCase *tc = tcase_create("tune");
    corpus_make(&big, (const uint32_t[]){ROWS, 0, 0, 0},
                (const uint32_t[]){DIM, 0, 0, 0}, SOUNDS, 1);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, tuning_reaches_its_target_with_a_fraction_of_the_rows);
    tcase_add_test(tc, the_recall_it_promises_holds_for_sounds_it_never_saw);
    tcase_add_test(tc, tuning_repeats_with_every_kernel);
    tcase_add_test(tc, what_is_given_is_kept_and_measured);
    tcase_add_test(tc, a_cap_too_low_for_the_target_ends_the_search_for_probes);
    tcase_add_test(tc, small_scales_and_those_not_worth_it_become_exact);
    tcase_add_test(tc, tiny_scales_can_be_hashed_on_demand);
    tcase_add_loop_test(tc, wrong_wishes_are_refused, 0,
                        (int)(sizeof wrong / sizeof *wrong));
    tcase_add_loop_test(tc, an_open_index_can_be_tuned_anew_and_written, 0, 3);
    tcase_add_test(tc, what_was_not_changed_is_written_again_byte_for_byte);
    tcase_add_test(tc, noises_are_stored_kept_and_taken_away);
    tcase_add_test(tc, progress_is_told);
    tcase_add_test(tc, knots_are_quantiles_of_the_nearest_strangers);
    tcase_add_test(tc, without_strangers_knots_are_evenly_spaced);
    tcase_add_test(tc, knots_never_leave_the_cosines);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    corpus_free(&big);
    return failed != 0;
}
