/* k-means and reservoir sampling against their definitions. */
#include "support.h"

#include "dsp/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_N = 6000, MAX_DIM = 20, MAX_K = 128 };

static float rows[MAX_N * MAX_DIM], centroids[MAX_K * MAX_DIM];
static uint32_t label[MAX_N];

/* Rows around n_groups places, as far from these as noise says. */
static void
fill_groups(size_t n, uint32_t dim, uint32_t n_groups, double noise, uint64_t seed)
{
    static double place[64][MAX_DIM];
    for (uint32_t g = 0; g < n_groups; g++)
        for (uint32_t j = 0; j < dim; j++)
            place[g][j] = 10 * random_normal(&seed);
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < dim; j++)
            rows[i * dim + j] =
                (float)(place[i % n_groups][j] + noise * random_normal(&seed));
}

/* In float and in order, as the header says. */
static float
distance_by_definition(const float a[], const float b[], uint32_t dim)
{
    float sum = 0;
    for (uint32_t j = 0; j < dim; j++) {
        const float d = a[j] - b[j];
        sum += d * d;
    }
    return sum;
}

/* Labels and the last distortion are those of the centroids; no distortion rises. */
static void
assert_consistent(size_t n, uint32_t dim, uint32_t k, const dsp_kmeans_report *r)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float least = INFINITY;
        uint32_t want = 0;
        for (uint32_t c = 0; c < k; c++) {
            const float d = distance_by_definition(rows + i * dim,
                                                   centroids + (size_t)c * dim, dim);
            if (d < least) {
                least = d;
                want = c;
            }
        }
        ck_assert_msg(label[i] == want, "row %zu: centroid %u, not %u", i, label[i],
                      want);
        sum += (double)least;
    }
    ck_assert_uint_ge(r->n_rounds, 1);
    ck_assert_uint_le(r->n_rounds, DSP_KMEANS_ROUNDS);
    ck_assert_double_eq_tol(r->distortion[r->n_rounds], sum / (double)n,
                            1e-12 * (1 + sum));
    for (uint32_t i = 1; i <= r->n_rounds; i++)
        ck_assert_msg(r->distortion[i] <= r->distortion[i - 1] * (1 + 1e-6),
                      "round %u: from %g to %g", i, r->distortion[i - 1],
                      r->distortion[i]);
}

static const struct {
    const char *name;
    size_t n;
    uint32_t dim, k, n_groups;
    double noise;
} shapes[] = {
    {"one centroid", 1000, 3, 1, 4, 1},
    {"two", 1000, 1, 2, 2, 1},
    {"fewer than a tile", 3000, 13, 15, 20, 3},
    {"a tile", 3000, 7, 16, 20, 3},
    {"one more", 3000, 7, 17, 20, 3},
    {"timbre code", 6000, 13, 128, 50, 2},
    {"a row more than centroids", 101, 20, 100, 50, 2},
    {"as many rows as centroids", 100, 20, 100, 50, 2},
    {"one column", 5000, 1, 60, 1, 9},
    {"above the start's sample", 6000, 2, 9, 9, 1},
};

START_TEST(labels_fit_and_the_distortion_never_rises)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        dsp_kmeans_report r;
        fill_groups(shapes[_i].n, shapes[_i].dim, shapes[_i].n_groups, shapes[_i].noise,
                    seed + 1);
        ck_assert_msg(!dsp_kmeans(rows, shapes[_i].n, shapes[_i].dim, shapes[_i].k,
                                  seed, centroids, label, &r),
                      "%s", shapes[_i].name);
        assert_consistent(shapes[_i].n, shapes[_i].dim, shapes[_i].k, &r);
        ck_assert_msg(r.n_real == shapes[_i].k, "%s: %u", shapes[_i].name, r.n_real);
    }
}
END_TEST

/* In each group the centroids 0 and 2 are stable, with the row 1 in the middle, when
 * that of 0 has the lower number. */
START_TEST(ties_go_to_the_lower_centroid)
{
    enum { GROUPS = 20, N = 6 * GROUPS };
    static const float group[6] = {-1, 0, 1, 2, 2, 2};
    int n_ties = 0;
    for (int i = 0; i < N; i++)
        rows[i] = group[i % 6] + 100.0F * (float)(i / 6);
    for (uint64_t seed = 0; seed < 50; seed++) {
        dsp_kmeans_report r;
        ck_assert(!dsp_kmeans(rows, N, 1, 2 * GROUPS, seed, centroids, label, &r));
        assert_consistent(N, 1, 2 * GROUPS, &r);
        for (int i = 0; i < N; i += 6)
            n_ties += centroids[label[i]] == rows[i + 1] &&
                      centroids[label[i + 5]] == rows[i + 5];
    }
    ck_assert_int_gt(n_ties, 100);
}
END_TEST

START_TEST(one_centroid_is_the_mean)
{
    dsp_kmeans_report r;
    double mean[3] = {0};
    fill_groups(5000, 3, 4, 1, 1);
    ck_assert(!dsp_kmeans(rows, 5000, 3, 1, 0, centroids, NULL, &r));
    for (int i = 0; i < 15000; i++)
        mean[i % 3] += (double)rows[i] / 5000;
    for (int j = 0; j < 3; j++)
        ck_assert_double_eq_tol(centroids[j], mean[j], 1e-6);
}
END_TEST

START_TEST(groups_far_apart_are_found)
{
    enum { GROUPS = 20, DIM = 8 };
    for (uint64_t seed = 0; seed < 10; seed++) {
        dsp_kmeans_report r;
        fill_groups(2000, DIM, GROUPS, 0.01, seed + 1);
        ck_assert(!dsp_kmeans(rows, 2000, DIM, GROUPS, seed, centroids, label, &r));
        for (uint32_t i = GROUPS; i < 2000; i++)
            ck_assert_uint_eq(label[i], label[i % GROUPS]);
        ck_assert_double_lt(r.distortion[r.n_rounds], 2e-4 * DIM);
    }
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits)
{
    static float again[MAX_K * MAX_DIM];
    dsp_kmeans_report a, b;
    fill_groups(6000, 13, 50, 3, 1);
    ck_assert(!dsp_kmeans(rows, 6000, 13, 128, 7, centroids, NULL, &a));
    ck_assert(!dsp_kmeans(rows, 6000, 13, 128, 7, again, label, &b));
    ck_assert_mem_eq(again, centroids, 128 * 13 * sizeof *again);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert(!dsp_kmeans(rows, 6000, 13, 128, 8, again, NULL, &b));
    ck_assert(memcmp(again, centroids, 128 * 13 * sizeof *again) != 0);
}
END_TEST

static const struct {
    const char *name;
    size_t n;
    uint32_t n_distinct, k;
} copies[] = {
    {"all rows equal", 500, 1, 128},         {"one row", 1, 1, 16},
    {"three rows over and over", 500, 3, 8}, {"one row too few", 5000, 127, 128},
    {"just enough", 5000, 128, 128},
};

START_TEST(missing_centroids_are_copies_that_win_no_tie)
{
    enum { DIM = 13 };
    dsp_kmeans_report r;
    uint64_t seed = 4;
    const uint32_t n_distinct = copies[_i].n_distinct;
    for (size_t i = 0; i < n_distinct * (size_t)DIM; i++)
        rows[i] = (float)random_normal(&seed);
    for (size_t i = n_distinct; i < copies[_i].n; i++)
        memcpy(rows + i * DIM, rows + i % n_distinct * DIM, DIM * sizeof *rows);
    ck_assert(
        !dsp_kmeans(rows, copies[_i].n, DIM, copies[_i].k, 1, centroids, label, &r));
    ck_assert_msg(r.n_real == n_distinct, "%s: %u", copies[_i].name, r.n_real);
    ck_assert(r.distortion[r.n_rounds] == 0);
    assert_consistent(copies[_i].n, DIM, copies[_i].k, &r);
    for (size_t i = 0; i < copies[_i].n; i++) {
        ck_assert_uint_lt(label[i], n_distinct);
        ck_assert_mem_eq(rows + i * DIM, centroids + label[i] * DIM,
                         DIM * sizeof *rows);
    }
    for (uint32_t c = n_distinct; c < copies[_i].k; c++)
        ck_assert_mem_eq(centroids + c * DIM, centroids, DIM * sizeof *rows);
}
END_TEST

/* 4e-23 is a float's square away from 0 but not from the mean of 0 and many 2e-23: a
 * centroid there loses its row, with others before and after it. */
START_TEST(centroids_that_merge_leave_no_gap)
{
    enum { N = 12, K = 3 };
    int n_merged = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        dsp_kmeans_report r;
        for (int i = 0; i < N; i++)
            rows[i] = 2e-23F;
        rows[0] = 0;
        rows[10] = 4e-23F;
        rows[11] = 7e-23F;
        ck_assert(!dsp_kmeans(rows, N, 1, K, seed, centroids, label, &r));
        assert_consistent(N, 1, K, &r);
        for (uint32_t c = r.n_real; c < K; c++)
            ck_assert(centroids[c] == centroids[0]);
        for (int i = 0; i < N; i++)
            ck_assert_uint_lt(label[i], r.n_real);
        n_merged += r.n_real < K;
    }
    ck_assert_int_gt(n_merged, 10);
}
END_TEST

START_TEST(rows_that_the_start_did_not_see_get_a_centroid)
{
    /* k-means++ draws 256 k of them; the odd ones come by the refill */
    enum { N = 6000, K = 4 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        dsp_kmeans_report r;
        for (int i = 0; i < N; i++)
            rows[i] = 5;
        rows[1000] = 6;
        rows[3000] = 7;
        rows[N - 1] = -1;
        ck_assert(!dsp_kmeans(rows, N, 1, K, seed, centroids, label, &r));
        ck_assert_uint_eq(r.n_real, K);
        ck_assert(r.distortion[r.n_rounds] == 0);
        assert_consistent(N, 1, K, &r);
    }
}
END_TEST

static const struct {
    const char *name;
    size_t n;
    uint32_t dim, k;
    float value;
    dsp_status status;
} arguments[] = {
    {"no rows", 0, 2, 2, 0, DSP_EARG},
    {"no columns", 10, 0, 2, 0, DSP_EARG},
    {"no centroids", 10, 2, 0, 0, DSP_EARG},
    {"too many centroids", 10, 2, DSP_KMEANS_MAX + 1, 0, DSP_EARG},
    {"too many columns", 10, DSP_KMEANS_MAX + 1, 2, 0, DSP_EARG},
    {"no number", 10, 2, 2, NAN, DSP_EARG},
    {"infinite", 10, 2, 2, -INFINITY, DSP_EARG},
    {"too large", 10, 2, 2, 1.1e15F, DSP_EARG},
    {"largest", 10, 2, 2, -9.9e14F, DSP_OK},
    {"least", 10, 2, 2, 1e-45F, DSP_OK},
    {"usual", 10, 2, 2, 1, DSP_OK},
};

START_TEST(arguments_out_of_range_are_refused)
{
    dsp_kmeans_report r;
    memset(rows, 0, 20 * sizeof *rows);
    rows[19] = arguments[_i].value;
    ck_assert_msg(dsp_kmeans(rows, arguments[_i].n, arguments[_i].dim, arguments[_i].k,
                             0, centroids, NULL, &r) == arguments[_i].status,
                  "%s", arguments[_i].name);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    dsp_kmeans_report r;
    dsp_status st = DSP_ENOMEM;
    uint64_t k = 1;
    fill_groups(100, 3, 4, 1, 1);
    for (; st; k++) {
        heap_fail_at = k;
        st = dsp_kmeans(rows, 100, 3, 5, 1, centroids, _i ? label : NULL, &r);
        heap_fail_at = 0;
        ck_assert(st == DSP_OK || st == DSP_ENOMEM);
    }
    ck_assert_uint_eq(k, _i ? 10 : 11); /* one more than there are, and one for ++ */
}
END_TEST

/* ---- Reservoir ------------------------------------------------------------------- */

START_TEST(a_short_stream_fills_the_slots_in_order)
{
    dsp_reservoir r = dsp_reservoir_start(5, 1);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(dsp_reservoir_slot(&r), i);
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_le(dsp_reservoir_slot(&r), 5);
    ck_assert_uint_eq(r.n_seen, 1005);
}
END_TEST

START_TEST(every_item_is_as_likely_to_be_kept)
{
    enum { CAP = 8, N = 60, RUNS = 20000 };
    int kept[N] = {0};
    for (uint64_t run = 0; run < RUNS; run++) {
        dsp_reservoir r = dsp_reservoir_start(CAP, run);
        int slot[CAP + 1];
        for (int i = 0; i < N; i++)
            slot[dsp_reservoir_slot(&r)] = i;
        for (int i = 0; i < CAP; i++)
            kept[slot[i]]++;
    }
    const double p = (double)CAP / N, sd = sqrt(RUNS * p * (1 - p));
    for (int i = 0; i < N; i++)
        ck_assert_msg(fabs(kept[i] - RUNS * p) < 4 * sd, "item %d: %d, not %g", i,
                      kept[i], RUNS * p);
}
END_TEST

START_TEST(the_same_seed_keeps_the_same_items)
{
    dsp_reservoir a = dsp_reservoir_start(100, 3), b = dsp_reservoir_start(100, 3);
    dsp_reservoir c = dsp_reservoir_start(100, 4);
    int n_other = 0;
    for (int i = 0; i < 1000; i++) {
        const size_t slot = dsp_reservoir_slot(&a);
        ck_assert_uint_eq(slot, dsp_reservoir_slot(&b));
        n_other += slot != dsp_reservoir_slot(&c);
    }
    ck_assert_int_gt(n_other, 100);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("kmeans");
    TCase *t = tcase_create("kmeans"), *v = tcase_create("reservoir");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, labels_fit_and_the_distortion_never_rises, 0,
                        sizeof shapes / sizeof *shapes);
    tcase_add_test(t, ties_go_to_the_lower_centroid);
    tcase_add_test(t, one_centroid_is_the_mean);
    tcase_add_test(t, groups_far_apart_are_found);
    tcase_add_test(t, the_same_seed_gives_the_same_bits);
    tcase_add_loop_test(t, missing_centroids_are_copies_that_win_no_tie, 0,
                        sizeof copies / sizeof *copies);
    tcase_add_test(t, centroids_that_merge_leave_no_gap);
    tcase_add_test(t, rows_that_the_start_did_not_see_get_a_centroid);
    tcase_add_loop_test(t, arguments_out_of_range_are_refused, 0,
                        sizeof arguments / sizeof *arguments);
    tcase_add_loop_test(t, every_allocation_may_fail, 0, 2);
    suite_add_tcase(s, t);
    tcase_add_test(v, a_short_stream_fills_the_slots_in_order);
    tcase_add_test(v, every_item_is_as_likely_to_be_kept);
    tcase_add_test(v, the_same_seed_keeps_the_same_items);
    suite_add_tcase(s, v);
    return run_suite(s);
}
