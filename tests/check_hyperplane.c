/* Hyperplane hashing and multi-probing against what theory and the exact twin say. */
#include "tests/idx_support.h"

#include "index/hyperplane.h"
#include "index/tables.h"

#include <check.h>

static const double pi = 3.14159265358979323846;

/* ---- The hash ------------------------------------------------------------------- */

/* y becomes a unit vector at angle theta from the unit vector x. */
static void
at_angle(float y[], const float x[], uint32_t dim, double theta, uint64_t *state)
{
    double along = 0.0, power = 0.0;
    double *z = malloc(dim * sizeof *z);
    for (uint32_t i = 0; i < dim; i++) {
        z[i] = (double)rnd_normal(state);
        along += z[i] * (double)x[i];
    }
    for (uint32_t i = 0; i < dim; i++) {
        z[i] -= along * (double)x[i];
        power += z[i] * z[i];
    }
    for (uint32_t i = 0; i < dim; i++)
        y[i] = (float)(cos(theta) * (double)x[i] + sin(theta) * z[i] / sqrt(power));
    free(z);
}

enum { PAIRS = 100000, PAIR_DIM = 32, BITS = 8 };

/* Keys of n_bits independent planes for both vectors of a pair. */
static void
pair_keys(double theta, uint64_t *state, uint32_t *a, uint32_t *b)
{
    static float planes[4096 * BITS * PAIR_DIM];
    static bool drawn;
    float x[PAIR_DIM], y[PAIR_DIM], side_x[BITS], side_y[BITS];
    if (!drawn)
        idx_tables_planes(planes, PAIR_DIM, 4096 * BITS, 5);
    drawn = true;
    const float *mine = planes + rnd_u64(state) % 4096 * BITS * PAIR_DIM;
    random_direction(x, PAIR_DIM, state);
    at_angle(y, x, PAIR_DIM, theta, state);
    idx_kern_pick()->dots(side_x, x, mine, PAIR_DIM, BITS);
    idx_kern_pick()->dots(side_y, y, mine, PAIR_DIM, BITS);
    *a = idx_key(side_x, BITS);
    *b = idx_key(side_y, BITS);
}

static bool
within_4_sigma(uint32_t hits, uint32_t n, double p)
{
    const double sigma = sqrt(p * (1.0 - p) / n);
    return fabs((double)hits / n - p) <= 4.0 * sigma;
}

START_TEST(bits_and_keys_agree_as_often_as_the_angle_says) /* 10 to 90 degrees */
{
    const double theta = 10.0 * _i * pi / 180.0;
    uint64_t state = 1000 + (uint64_t)_i;
    uint32_t bit = 0, key = 0;
    for (uint32_t i = 0; i < PAIRS; i++) {
        uint32_t a, b;
        pair_keys(theta, &state, &a, &b);
        bit += ((a ^ b) & 1) == 0;
        key += a == b;
    }
    const double p = 1.0 - theta / pi;
    ck_assert_msg(within_4_sigma(bit, PAIRS, p),
                  "%d degrees: a bit agrees in %u of %d, not %g", 10 * _i, bit, PAIRS,
                  p);
    ck_assert_msg(within_4_sigma(key, PAIRS, pow(p, BITS)),
                  "%d degrees: %d bits agree in %u of %d, not %g", 10 * _i, BITS, key,
                  PAIRS, pow(p, BITS));
}
END_TEST

START_TEST(a_bit_flips_as_often_as_its_distance_from_the_plane_says)
{
    static const struct {
        double t, theta;
    } rows[] = {{0.7, 0.6}, {0.2, 0.6}, {1.5, 1.0}, {0.05, 0.2}};
    const double t = rows[_i].t, theta = rows[_i].theta;
    uint64_t state = 77 + (uint64_t)_i;
    uint32_t flips = 0;
    float x[PAIR_DIM], y[PAIR_DIM];
    /* a plane whose normal a has a.x = t; in units of a standard deviation of a.y */
    for (uint32_t i = 0; i < PAIRS; i++) {
        double ax = 0.0;
        float a[PAIR_DIM], shift, side;
        random_direction(x, PAIR_DIM, &state);
        at_angle(y, x, PAIR_DIM, theta, &state);
        for (uint32_t j = 0; j < PAIR_DIM; j++) {
            a[j] = rnd_normal(&state);
            ax += (double)a[j] * (double)x[j];
        }
        shift = (float)(t - ax);
        for (uint32_t j = 0; j < PAIR_DIM; j++)
            a[j] += shift * x[j];
        idx_kern_pick()->dots(&side, a, y, PAIR_DIM, 1);
        flips += idx_key(&side, 1) == 0;
    }
    const double p = 0.5 * erfc(t * cos(theta) / sin(theta) / sqrt(2.0));
    ck_assert_msg(within_4_sigma(flips, PAIRS, p), "t %g, theta %g: %u of %d, not %g",
                  t, theta, flips, PAIRS, p);
}
END_TEST

START_TEST(planes_have_unit_length_and_follow_from_the_seed)
{
    static float a[50 * 33], b[50 * 33];
    char fault[100];
    idx_tables_planes(a, 33, 50, 9);
    idx_tables_planes(b, 33, 50, 9);
    ck_assert(memcmp(a, b, sizeof a) == 0);
    ck_assert_msg(fmt_units_hold(a, 50, 33, "plane", fault, sizeof fault), "%s", fault);
    idx_tables_planes(b, 33, 50, 10);
    ck_assert(memcmp(a, b, sizeof a) != 0);
}
END_TEST

/* ---- The sequence of buckets ---------------------------------------------------- */

static const char *
open_hashed(corpus *c, idx_index **ix, uint32_t n, uint32_t dim, idx_params p)
{
    static char why[200];
    const char *path = temp_path("hyperplane.hkn");
    why[0] = '\0';
    corpus_make(c, (const uint32_t[]){n, 0, 0, 0}, (const uint32_t[]){dim, 0, 0, 0},
                CORPUS_SOUNDS, 42);
    p.family = IDX_HYPERPLANE;
    p.recall = 1.0F;
    if (p.max_candidates == 0)
        p.max_candidates = n;
    c->contents.scales[0].params = p;
    if (!idx_write(path, &c->contents, NULL, why, sizeof why))
        idx_open(ix, path, why, sizeof why);
    unlink(path);
    return why;
}

static const struct {
    uint32_t n_planes, n_tables;
} shapes[] = {{1, 1}, {1, 3}, {2, 2}, {5, 1}, {7, 4}, {10, 3}};

START_TEST(all_probes_together_visit_every_bucket_once)
{
    const uint32_t n_planes = shapes[_i].n_planes, n_tables = shapes[_i].n_tables;
    const uint32_t n_keys = 1U << n_planes, all = n_tables * n_keys;
    corpus c;
    idx_index *ix = NULL;
    idx_scratch *s;
    const char *why = open_hashed(
        &c, &ix, 200, 24,
        (idx_params){.n_planes = n_planes, .n_tables = n_tables, .n_probes = all});
    ck_assert_msg(ix != NULL, "%s", why);
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    unsigned char *visited = calloc(all, 1);
    uint32_t table, n = 0;
    uint64_t key;
    float last = 0.0F;
    memcpy(s->unit, c.contents.scales[0].rows, 24 * sizeof(float));
    const idx_hash h = idx_hyperplane_hash(ix, 0, s);
    idx_hash_start(s, &h);
    for (; n < all; n++) {
        const float score = n < n_tables ? 0.0F : s->heap[0].score;
        ck_assert(idx_hash_next(s, &h, &table, &key));
        ck_assert(table < n_tables && key < n_keys);
        ck_assert_msg(!visited[table * n_keys + key],
                      "bucket %u of table %u comes twice", (uint32_t)key, table);
        visited[table * n_keys + key] = 1;
        ck_assert_msg(n >= n_tables || (table == n && key == s->home[n]),
                      "home buckets come first");
        ck_assert_msg(score >= last, "probe %u scores below the one before", n);
        last = score;
    }
    ck_assert(!idx_hash_next(s, &h, &table, &key));
    free(visited);
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

START_TEST(a_probe_scores_the_squared_distances_of_the_planes_it_crosses)
{
    corpus c;
    idx_index *ix = NULL;
    idx_scratch *s;
    const char *why = open_hashed(
        &c, &ix, 300, 32, (idx_params){.n_planes = 9, .n_tables = 3, .n_probes = 600});
    ck_assert_msg(ix != NULL, "%s", why);
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    memcpy(s->unit, c.contents.scales[0].rows + 32, 32 * sizeof(float));
    const idx_hash h = idx_hyperplane_hash(ix, 0, s);
    idx_hash_start(s, &h);
    for (uint32_t n = 0; n < 600; n++) {
        uint32_t table;
        uint64_t key;
        const float score = n < 3 ? 0.0F : s->heap[0].score;
        double sum = 0.0;
        idx_hash_next(s, &h, &table, &key);
        for (uint32_t b = 0; b < 9; b++)
            if ((key ^ s->home[table]) >> b & 1)
                sum += (double)s->side[table * 9 + b] * (double)s->side[table * 9 + b];
        ck_assert_msg(fabs((double)score - sum) < 1e-5 * (sum + 1e-9),
                      "probe %u: %g, not %g", n, (double)score, sum);
    }
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

enum { DIM = 128 };

/* ---- The answers ---------------------------------------------------------------- */

/* Share of the exact 10 that a search finds, over n queries near stored rows. */
static double
recall_at_10(const idx_index *ix, const corpus *c, uint32_t n, bool *same_cosines)
{
    const idx_scale *sc = &c->contents.scales[0];
    idx_scratch *s;
    uint64_t state = 31;
    double found = 0.0, wanted = 0.0;
    float x[DIM];
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    for (uint32_t q = 0; q < n; q++) {
        idx_hit got[10], all[10];
        uint32_t n_got, n_all;
        for (uint32_t j = 0; j < sc->dim; j++)
            x[j] = sc->rows[(size_t)q * sc->n_entries / n * sc->dim + j] +
                   0.05F * rnd_normal(&state);
        idx_query(ix, 0, s, x, 10, got, &n_got, NULL);
        idx_query_exact(ix, 0, s, x, 10, all, &n_all);
        wanted += n_all;
        for (uint32_t i = 0; i < n_got; i++)
            for (uint32_t j = 0; j < n_all; j++)
                if (got[i].entry == all[j].entry) {
                    found += 1.0;
                    *same_cosines &= memcmp(&got[i].cosine, &all[j].cosine, 4) == 0;
                }
    }
    idx_scratch_free(s);
    return found / wanted;
}

START_TEST(recall_never_falls_with_more_probes_and_ends_at_one)
{
    double last = 0.0, first = 0.0;
    bool same = true;
    for (uint32_t t = 4; t <= 4096; t *= 4) {
        corpus c;
        idx_index *ix = NULL;
        const char *why =
            open_hashed(&c, &ix, 3000, 64,
                        (idx_params){.n_planes = 10, .n_tables = 4, .n_probes = t});
        ck_assert_msg(ix != NULL, "%s", why);
        const double r = recall_at_10(ix, &c, 50, &same);
        ck_assert_msg(r >= last, "%u probes: recall %g after %g", t, r, last);
        last = r;
        if (t == 4)
            first = r;
        idx_close(ix);
        corpus_free(&c);
    }
    ck_assert(same);
    ck_assert_msg(first < 0.9, "home buckets alone already have %g", first);
    ck_assert_double_eq(last, 1.0);
}
END_TEST

START_TEST(every_bucket_together_answers_like_the_exact_twin)
{
    corpus c;
    idx_index *ix = NULL;
    idx_scratch *s;
    const char *why = open_hashed(
        &c, &ix, 999, 19, (idx_params){.n_planes = 4, .n_tables = 5, .n_probes = 80});
    ck_assert_msg(ix != NULL, "%s", why);
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    uint64_t state = 8;
    for (int q = 0; q < 50; q++) {
        float x[19];
        idx_hit got[IDX_MAX_K], all[IDX_MAX_K];
        uint32_t n_got, n_all;
        idx_work work;
        random_direction(x, 19, &state);
        ck_assert(!idx_query(ix, 0, s, x, IDX_MAX_K, got, &n_got, &work));
        ck_assert(!idx_query_exact(ix, 0, s, x, IDX_MAX_K, all, &n_all));
        ck_assert_uint_eq(n_got, 999);
        ck_assert_uint_eq(n_all, 999);
        ck_assert_uint_eq(work.n_candidates, 999);
        ck_assert_uint_eq(work.n_probes, 80);
        ck_assert(memcmp(got, all, n_all * sizeof *all) == 0);
    }
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

START_TEST(a_cap_on_candidates_is_kept_and_told)
{
    for (uint32_t cap = 1; cap <= 1024; cap *= 4) {
        corpus c;
        idx_index *ix = NULL;
        idx_scratch *s;
        const char *why = open_hashed(
            &c, &ix, 500, 16,
            (idx_params){
                .n_planes = 3, .n_tables = 2, .n_probes = 16, .max_candidates = cap});
        ck_assert_msg(ix != NULL, "%s", why);
        ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
        idx_hit got[10];
        uint32_t n_got;
        idx_work work;
        idx_query(ix, 0, s, c.contents.scales[0].rows, 10, got, &n_got, &work);
        ck_assert_uint_eq(work.n_candidates, cap < 500 ? cap : 500);
        ck_assert_uint_eq(work.cut, cap < 500);
        ck_assert_uint_eq(n_got, cap < 10 ? cap : 10);
        idx_scratch_free(s);
        idx_close(ix);
        corpus_free(&c);
    }
}
END_TEST

START_TEST(equal_rows_find_each_other_through_rounding)
{
    corpus c;
    idx_index *ix = NULL;
    idx_scratch *s;
    char why[200] = "";
    const char *path = temp_path("equal.hkn");
    corpus_make(&c, (const uint32_t[]){700, 0, 0, 0}, (const uint32_t[]){DIM, 0, 0, 0},
                2, 3);
    for (uint32_t i = 1; i < 700; i++)
        memcpy(c.array[0][4] + i * DIM, c.array[0][4], DIM * sizeof(float));
    c.contents.scales[0].params = (idx_params){.family = IDX_HYPERPLANE,
                                               .n_planes = 12,
                                               .n_tables = 3,
                                               .n_probes = 3,
                                               .max_candidates = 700,
                                               .recall = 1.0F};
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    for (int q = 0; q < 20; q++) {
        float x[DIM];
        idx_hit got[20];
        uint32_t n_got;
        for (uint32_t j = 0; j < DIM; j++) /* other loudness, other rounding */
            x[j] = c.array[0][4][j] * (0.1F + 0.37F * (float)q);
        ck_assert(!idx_query(ix, 0, s, x, 20, got, &n_got, NULL));
        ck_assert_uint_eq(n_got, 20);
        for (uint32_t i = 0; i < 20; i++)
            ck_assert_uint_eq(got[i].entry, i);
    }
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
    unlink(path);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("hyperplane");
    TCase *tc = tcase_create("hyperplane");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, bits_and_keys_agree_as_often_as_the_angle_says, 1, 10);
    tcase_add_loop_test(tc, a_bit_flips_as_often_as_its_distance_from_the_plane_says, 0,
                        4);
    tcase_add_test(tc, planes_have_unit_length_and_follow_from_the_seed);
    tcase_add_loop_test(tc, all_probes_together_visit_every_bucket_once, 0,
                        (int)(sizeof shapes / sizeof *shapes));
    tcase_add_test(tc, a_probe_scores_the_squared_distances_of_the_planes_it_crosses);
    tcase_add_test(tc, recall_never_falls_with_more_probes_and_ends_at_one);
    tcase_add_test(tc, every_bucket_together_answers_like_the_exact_twin);
    tcase_add_test(tc, a_cap_on_candidates_is_kept_and_told);
    tcase_add_test(tc, equal_rows_find_each_other_through_rounding);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
