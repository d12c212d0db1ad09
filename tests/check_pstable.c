/* p-stable hashing against what theory says, and its sequence of buckets. */
#include "built_support.h"

#include "index/pstable.h"

enum { DIM = 32, FUNCTIONS = 16, TABLES = 64, PAIRS = 100000 };

/* n rows, all of them times a number. */
static void
make_hashed(built_scale *t, uint32_t n, uint32_t n_functions, uint32_t n_tables,
            float width, float times)
{
    const idx_making how = making();
    make_scale(t, n, DIM, CORPUS_SOUNDS, times);
    t->scale.params = (idx_params){.family = IDX_P_STABLE,
                                   .metric = IDX_EUCLID,
                                   .n_planes = n_functions,
                                   .n_tables = n_tables,
                                   .n_probes = n_tables,
                                   .max_candidates = n,
                                   .width = width};
    if (width <= 0.0F)
        idx_stable_choose(&t->scale.params, &t->scale, &how);
    build_scale(t);
}

/* ---- The hash ------------------------------------------------------------------- */

static int32_t
value_at(const built_scale *t, uint32_t at, const float x[], float width)
{
    const float *planes = t->built.at[FMT_PLANES], *offset = t->built.at[FMT_OFFSETS];
    float side, above;
    idx_kern_pick()->dots(&side, x, planes + (size_t)at * DIM, DIM, 1);
    return idx_stable_value(side, 1.0F / width, offset[at], &above);
}

static const struct {
    double distance, p; /* width 4: Datar et al., section 3.2 */
} rates[] = {{0.5, 0.9003}, {1, 0.8005}, {1.5, 0.7017},
             {2, 0.6095},   {3, 0.4652}, {4, 0.3687}};

START_TEST(values_agree_as_often_as_the_distance_says)
{
    built_scale t;
    float x[DIM], y[DIM];
    uint64_t state = 7;
    uint32_t same = 0;
    const double p = rates[_i].p;
    make_hashed(&t, 10, FUNCTIONS, TABLES, 4.0F, 1.0F);
    for (int i = 0; i < PAIRS; i++) {
        const uint32_t at = (uint32_t)(rnd_u64(&state) % (FUNCTIONS * TABLES));
        random_direction(y, DIM, &state);
        for (int j = 0; j < DIM; j++) {
            x[j] = 5.0F * rnd_normal(&state);
            y[j] = x[j] + (float)rates[_i].distance * y[j];
        }
        same += value_at(&t, at, x, 4.0F) == value_at(&t, at, y, 4.0F);
    }
    ck_assert_msg(fabs((double)same / PAIRS - p) <= 4 * sqrt(p * (1 - p) / PAIRS),
                  "distance %g: %g, not %g", rates[_i].distance, (double)same / PAIRS,
                  p);
    free_scale(&t);
}
END_TEST

static const struct {
    float projection, per_width;
    int32_t value;
} values[] = {{0, 1, 0},
              {0.99F, 1, 0},
              {-0.01F, 1, -1},
              {-1, 1, -1},
              {7.5F, 2, 15},
              {1e30F, 1, 1 << 30},
              {-1e30F, 1, -(1 << 30)},
              {INFINITY, 1, 1 << 30},
              {-INFINITY, 1, -(1 << 30)},
              {NAN, 1, -(1 << 30)}};

START_TEST(a_value_is_a_floor_and_clamped_to_what_an_integer_holds)
{
    float above;
    const int32_t v =
        idx_stable_value(values[_i].projection, values[_i].per_width, 0.0F, &above);
    ck_assert_int_eq(v, values[_i].value);
    ck_assert(above >= 0.0F && above <= 1.0F);
}
END_TEST

START_TEST(data_and_width_may_be_scaled_together)
{
    enum { N = 1000, K = 6, L = 5 };
    static const uint32_t kinds[] = {FMT_STARTS, FMT_IDS, FMT_CHECKS};
    built_scale t, larger, odd;
    make_hashed(&t, N, K, L, 0.7F, 1.0F);
    make_hashed(&larger, N, K, L, 0.7F * 1024, 1024);
    make_hashed(&odd, N, K, L, 0.7F * 37, 37);
    for (size_t i = 0; i < 3; i++)
        ck_assert(!memcmp(t.built.at[kinds[i]], larger.built.at[kinds[i]],
                          (kinds[i] == FMT_STARTS ? L * 513 : L * N) * 4));
    /* where rounding is another, so may be a value in a million */
    ck_assert(!memcmp(t.built.at[FMT_IDS], odd.built.at[FMT_IDS], L * N * 4));
    free_scale(&t);
    free_scale(&larger);
    free_scale(&odd);
}
END_TEST

START_TEST(the_width_that_is_chosen_follows_the_distance_of_neighbours)
{
    built_scale t, larger;
    make_hashed(&t, 1000, 6, 5, 0.0F, 1.0F);
    make_hashed(&larger, 1000, 6, 5, 0.0F, 512.0F);
    ck_assert_float_gt(t.scale.params.width, 0.1F);
    ck_assert_float_eq_tol(larger.scale.params.width / t.scale.params.width, 512.0F,
                           0.1F);
    free_scale(&t);
    free_scale(&larger);
}
END_TEST

/* ---- Buckets -------------------------------------------------------------------- */

START_TEST(home_buckets_hold_the_rows_that_share_all_values_of_a_table)
{
    enum { N = 800, K = 5, L = 4 };
    built_scale t;
    make_hashed(&t, N, K, L, 1.0F, 1.0F);
    for (uint32_t q = 0; q < N; q += 37) {
        idx_hit hits[IDX_MAX_K];
        uint32_t n_hits, n_same = 0;
        const float *x = t.scale.rows + (size_t)q * DIM;
        bool same[N] = {false};
        for (uint32_t i = 0; i < N; i++) {
            for (uint32_t l = 0; l < L; l++) {
                uint32_t f = 0;
                while (f < K && value_at(&t, l * K + f, x, 1.0F) ==
                                    value_at(&t, l * K + f,
                                             t.scale.rows + (size_t)i * DIM, 1.0F))
                    f++;
                same[i] = same[i] || f == K;
            }
            n_same += same[i];
        }
        ck_assert(!idx_query(&t.ix, 0, t.s, x, IDX_MAX_K, hits, &n_hits, NULL));
        ck_assert_uint_eq(n_hits, n_same);
        for (uint32_t i = 0; i < n_hits; i++)
            ck_assert(same[hits[i].entry]);
        ck_assert_uint_gt(n_same, 0);
    }
    free_scale(&t);
}
END_TEST

START_TEST(probes_are_all_combinations_of_neighbouring_pieces_cheap_ones_first)
{
    enum { K = 4, L = 2, COMBINATIONS = 81 };
    built_scale t;
    bool visited[L][COMBINATIONS] = {{false}};
    float last = 0.0F;
    uint32_t table;
    uint64_t key;
    make_hashed(&t, 100, K, L, 0.8F, 1.0F);
    memcpy(t.s->unit, t.scale.rows, DIM * sizeof(float));
    const idx_hash h = idx_stable_hash(&t.ix, 0, t.s);
    idx_hash_start(t.s, &h);
    for (uint32_t n = 0; n < L * COMBINATIONS; n++) {
        const float score = n < L ? 0.0F : t.s->heap[0].score;
        ck_assert(idx_hash_next(t.s, &h, &table, &key));
        ck_assert_msg(score >= last, "probe %u costs less than the one before", n);
        last = score;
        uint32_t which = COMBINATIONS;
        for (uint32_t c = 0; c < COMBINATIONS; c++) {
            uint64_t would = t.s->home[table];
            double cost = 0.0;
            for (uint32_t f = 0, left = c; f < K; f++, left /= 3) {
                const uint32_t at = table * K + f;
                const float *offset = t.built.at[FMT_OFFSETS];
                float above;
                idx_stable_value(t.s->side[at], 1.0F / 0.8F, offset[at], &above);
                would += left % 3 == 1   ? idx_stable_step(f)
                         : left % 3 == 2 ? -idx_stable_step(f)
                                         : 0;
                const double gap = left % 3 == 1 ? 1.0 - (double)above : (double)above;
                cost += left % 3 ? gap * gap : 0.0;
            }
            if (would == key) {
                which = c;
                ck_assert_msg(fabs(cost - (double)score) < 1e-4 * (cost + 0.01),
                              "probe %u: %g, not %g", n, (double)score, cost);
            }
        }
        ck_assert_msg(which < COMBINATIONS, "probe %u is of no such bucket", n);
        ck_assert_msg(!visited[table][which], "probe %u comes twice", n);
        visited[table][which] = true;
    }
    ck_assert(!idx_hash_next(t.s, &h, &table, &key));
    free_scale(&t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("pstable");
    TCase *tc = tcase_create("pstable");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, values_agree_as_often_as_the_distance_says, 0,
                        (int)(sizeof rates / sizeof *rates));
    tcase_add_loop_test(tc, a_value_is_a_floor_and_clamped_to_what_an_integer_holds, 0,
                        (int)(sizeof values / sizeof *values));
    tcase_add_test(tc, data_and_width_may_be_scaled_together);
    tcase_add_test(tc, the_width_that_is_chosen_follows_the_distance_of_neighbours);
    tcase_add_test(tc, home_buckets_hold_the_rows_that_share_all_values_of_a_table);
    tcase_add_test(tc,
                   probes_are_all_combinations_of_neighbouring_pieces_cheap_ones_first);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
