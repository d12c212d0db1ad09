/* Cross-polytope hashing against what theory says, and its sequence of buckets. */
#include "built_support.h"

#include "index/family.h"
#include "index/polytope.h"

#include <check.h>

static const double pi = 3.14159265358979323846;

/* ---- The hash ------------------------------------------------------------------- */

enum { DIM = 128, ROTATIONS = 512, PAIRS = 20000 };

/* Of Gaussian projections in 128 dimensions, numerically: methods of the paper. */
static const struct {
    int degrees;
    double p;
} rates[] = {{5, .867},  {10, .745}, {15, .634}, {20, .534}, {25, .444},
             {30, .365}, {35, .295}, {40, .235}, {45, .183}, {50, .140},
             {60, .075}, {70, .035}, {80, .013}, {90, .0039}};

/* Two unit vectors at an angle: in the plane of two axes, or of two random vectors. */
static void
pair_at(float x[], float y[], double theta, bool axes, uint64_t *state)
{
    double along = 0.0, power = 0.0;
    if (axes) {
        const uint64_t i = rnd_u64(state) % DIM;
        memset(x, 0, DIM * sizeof *x);
        memset(y, 0, DIM * sizeof *y);
        x[i] = 1.0F;
        y[i] = (float)cos(theta);
        y[(i + 1 + rnd_u64(state) % (DIM - 1)) % DIM] = (float)sin(theta);
        return;
    }
    random_direction(x, DIM, state);
    random_direction(y, DIM, state);
    for (int i = 0; i < DIM; i++)
        along += (double)x[i] * (double)y[i];
    for (int i = 0; i < DIM; i++) {
        y[i] -= (float)along * x[i];
        power += (double)y[i] * (double)y[i];
    }
    for (int i = 0; i < DIM; i++)
        y[i] = (float)(cos(theta) * (double)x[i] +
                       sin(theta) * (double)y[i] / sqrt(power));
}

START_TEST(values_agree_as_often_as_the_angle_says_whatever_the_pair)
{
    static uint64_t signs[ROTATIONS * 6];
    const idx_polytope p = idx_polytope_of(DIM, 8);
    float x[DIM], y[DIM];
    int32_t ranks[DIM];
    ck_assert_uint_eq(idx_rotate_words(DIM), 6);
    idx_rotate_signs(signs, DIM, ROTATIONS, 77);
    for (int axes = 0; axes < 2; axes++) {
        uint64_t state = 100 + (uint64_t)_i;
        uint32_t same = 0;
        for (int i = 0; i < PAIRS; i++) {
            const uint64_t *s = signs + rnd_u64(&state) % ROTATIONS * 6;
            pair_at(x, y, rates[_i].degrees * pi / 180, axes, &state);
            same += idx_polytope_value(ranks, x, s, &p, 0) ==
                    idx_polytope_value(ranks, y, s, &p, 0);
        }
        ck_assert_msg(fabs((double)same / PAIRS - rates[_i].p) <= 0.015,
                      "%d degrees, %s pairs: %g, not %g", rates[_i].degrees,
                      axes ? "axis" : "random", (double)same / PAIRS, rates[_i].p);
    }
}
END_TEST

static const struct {
    uint32_t dim, n_planes, d, bits, n_functions, last_bits;
} shapes[] = {
    {128, 8, 128, 8, 1, 8},      {128, 9, 128, 8, 2, 1}, {128, 18, 128, 8, 3, 2},
    {100, 16, 128, 8, 2, 8},     {1, 3, 1, 1, 3, 1},     {3, 7, 4, 3, 3, 1},
    {1024, 22, 1024, 11, 2, 11},
};

START_TEST(a_key_has_the_bits_it_is_asked_for)
{
    const idx_polytope p = idx_polytope_of(shapes[_i].dim, shapes[_i].n_planes);
    ck_assert_uint_eq(p.d, shapes[_i].d);
    ck_assert_uint_eq(p.bits, shapes[_i].bits);
    ck_assert_uint_eq(p.n_functions, shapes[_i].n_functions);
    ck_assert_uint_eq(p.last_bits, shapes[_i].last_bits);
    ck_assert_uint_eq((p.n_functions - 1) * p.bits + p.last_bits, shapes[_i].n_planes);
}
END_TEST

START_TEST(a_value_is_the_longest_coordinate_it_looks_at_and_its_sign)
{
    const idx_polytope p = idx_polytope_of(100, 8 + 4); /* the last one sees 8 */
    uint64_t signs[6], state = 8;
    float x[100], y[128];
    int32_t ranks[128];
    for (int round = 0; round < 200; round++) {
        idx_rotate_signs(signs, 100, 1, (uint64_t)round);
        random_direction(x, 100, &state);
        idx_rotate(y, x, signs, 100);
        for (uint32_t f = 0; f < 2; f++) {
            uint32_t best = 0;
            const uint32_t value = idx_polytope_value(ranks, x, signs, &p, f);
            for (uint32_t i = 0; i < (f ? 8 : 128); i++)
                if (fabsf(y[i]) > fabsf(y[best]))
                    best = i;
            ck_assert(value < (f ? 16 : 256));
            /* those as long but for the bits that hold the value are as good */
            ck_assert(fabsf(y[value / 2]) >= fabsf(y[best]) * (1 - 0x1p-14F));
            ck_assert(value % 2 == (y[value / 2] < 0));
        }
    }
}
END_TEST

START_TEST(rounding_noise_has_no_say)
{
    const idx_polytope p = idx_polytope_of(16, 5);
    uint64_t signs[3];
    float x[16];
    int32_t ranks[16];
    idx_rotate_signs(signs, 16, 1, 3);
    for (int sign = -1; sign < 2; sign++) {
        for (int i = 0; i < 16; i++)
            x[i] = (float)sign * 1e-8F * (float)(i % 3);
        ck_assert_uint_eq(idx_polytope_value(ranks, x, signs, &p, 0), 0);
    }
}
END_TEST

/* ---- The sequence of buckets ---------------------------------------------------- */

static void
make_hashed(built_scale *t, uint32_t n, uint32_t dim, uint32_t n_planes,
            uint32_t n_tables)
{
    make_scale(t, n, dim, CORPUS_SOUNDS, 1.0F);
    t->scale.params = (idx_params){.family = IDX_CROSS_POLYTOPE,
                                   .n_planes = n_planes,
                                   .n_tables = n_tables,
                                   .n_probes = n_tables << n_planes,
                                   .max_candidates = n};
    build_scale(t);
}

static const struct {
    uint32_t dim, n_planes, n_tables;
} sequences[] = {{8, 4, 1},  {8, 6, 2}, {8, 9, 2}, {24, 6, 3},  {24, 7, 1},
                 {6, 10, 3}, {2, 7, 2}, {1, 3, 2}, {128, 9, 1}, {24, 1, 3}};

START_TEST(all_probes_together_visit_every_bucket_once_and_cheap_ones_first)
{
    const uint32_t n_tables = sequences[_i].n_tables;
    const uint32_t n_keys = 1U << sequences[_i].n_planes, all = n_tables * n_keys;
    built_scale t;
    uint32_t table, n = 0;
    uint64_t key;
    float last = 0.0F;
    make_hashed(&t, 200, sequences[_i].dim, sequences[_i].n_planes, n_tables);
    unsigned char *visited = calloc(all, 1);
    memcpy(t.s->unit, t.scale.rows, sequences[_i].dim * sizeof(float));
    const idx_hash h = idx_polytope_hash(&t.ix, 0, t.s);
    idx_hash_start(t.s, &h);
    for (; n < all; n++) {
        const float score = n < n_tables ? 0.0F : t.s->heap[0].score;
        ck_assert_msg(idx_hash_next(t.s, &h, &table, &key), "ends after %u of %u", n,
                      all);
        ck_assert(table < n_tables && key < n_keys);
        ck_assert_msg(!visited[table * n_keys + key], "bucket %u comes twice",
                      (uint32_t)key);
        visited[table * n_keys + key] = 1;
        ck_assert_msg(score >= last, "probe %u: %g after %g", n, (double)score,
                      (double)last);
        last = score;
    }
    ck_assert(!idx_hash_next(t.s, &h, &table, &key));
    free(visited);
    free_scale(&t);
}
END_TEST

START_TEST(a_probe_costs_how_much_shorter_its_coordinates_are)
{
    enum { N = 2000, ROWS_DIM = 20, BITS = 13 }; /* 6 + 6 + 1 */
    built_scale t;
    float y[3][32];
    make_hashed(&t, 100, ROWS_DIM, BITS, 2);
    memcpy(t.s->unit, t.scale.rows + ROWS_DIM, ROWS_DIM * sizeof(float));
    const idx_hash h = idx_polytope_hash(&t.ix, 0, t.s);
    const uint64_t *signs = t.built.at[FMT_SIGNS];
    idx_hash_start(t.s, &h);
    for (uint32_t n = 0; n < N; n++) {
        const double score = n < 2 ? 0.0 : (double)t.s->heap[0].score;
        uint32_t table;
        uint64_t key;
        double sum = 0.0;
        ck_assert(idx_hash_next(t.s, &h, &table, &key));
        for (uint32_t f = 0; f < 3; f++) {
            const uint64_t own = key >> 6 * f & 63,
                           home = t.s->home[table] >> 6 * f & 63;
            idx_rotate(y[f], t.s->centred, signs + (table * 3 + f) * 3, ROWS_DIM);
            const double longest = fabs((double)y[f][home / 2]);
            const double here = (double)y[f][own / 2] * (own % 2 ? -1 : 1);
            sum += own == home ? 0.0 : (longest - here) * (longest - here);
        }
        ck_assert_msg(fabs(score - sum) < 1e-4 * (sum + 0.1), "probe %u: %g, not %g", n,
                      score, sum);
    }
    free_scale(&t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("polytope");
    TCase *tc = tcase_create("polytope");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, values_agree_as_often_as_the_angle_says_whatever_the_pair,
                        0, (int)(sizeof rates / sizeof *rates));
    tcase_add_loop_test(tc, a_key_has_the_bits_it_is_asked_for, 0,
                        (int)(sizeof shapes / sizeof *shapes));
    tcase_add_test(tc, a_value_is_the_longest_coordinate_it_looks_at_and_its_sign);
    tcase_add_test(tc, rounding_noise_has_no_say);
    tcase_add_loop_test(
        tc, all_probes_together_visit_every_bucket_once_and_cheap_ones_first, 0,
        (int)(sizeof sequences / sizeof *sequences));
    tcase_add_test(tc, a_probe_costs_how_much_shorter_its_coordinates_are);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
