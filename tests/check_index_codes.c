/* The scale of codes: its search and its knots against their definitions. */
#include "tests/idx_support.h"

#include <check.h>

enum { N = 1500, DIM = 128, WORDS = 2, K = 12 };

static corpus c;
static idx_index *ix;
static idx_scratch *scratch;

static void
setup(void)
{
    char why[300] = "";
    const char *path = temp_path("codes.hkn");
    corpus_make(&c, (const uint32_t[]){30, 0, 0, 0}, (const uint32_t[]){8, 0, 0, 0}, 20,
                3);
    corpus_add_codes(&c, N, DIM, 4);
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    unlink(path);
    ck_assert_int_eq(idx_scratch_new(&scratch, ix), IDX_OK);
}

static void
teardown(void)
{
    idx_scratch_free(scratch);
    idx_close(ix);
    corpus_free(&c);
}

/* Bit by bit, in double. */
static double
likeness(const uint64_t a[], const uint64_t b[], bool by_jaccard)
{
    unsigned both = 0, either = 0;
    for (unsigned i = 0; i < DIM; i++) {
        const bool x = a[i / 64] >> i % 64 & 1U, y = b[i / 64] >> i % 64 & 1U;
        both += x && y;
        either += x || y;
    }
    if (by_jaccard)
        return either ? (double)both / either : 0;
    return 1 - (double)(either - both) / DIM;
}

START_TEST(the_likest_codes_are_found_by_either_distance)
{
    const bool by_jaccard = _i;
    const uint64_t *codes = idx_scale_of(ix, IDX_TIMBRE)->codes;
    for (uint32_t q = 0; q < N; q += 97) {
        idx_hit hits[K];
        idx_work work;
        uint32_t n, better = 0;
        const uint64_t *code = codes + (size_t)q * WORDS;
        ck_assert_int_eq(idx_query_codes(ix, IDX_TIMBRE, scratch, code, K, by_jaccard,
                                         hits, &n, &work),
                         IDX_OK);
        ck_assert_uint_eq(n, K);
        ck_assert_uint_eq(work.n_candidates, N);
        ck_assert_float_eq(hits[0].cosine, 1);
        for (uint32_t i = 0; i < K; i++) {
            const uint64_t *other = codes + (size_t)hits[i].entry * WORDS;
            ck_assert_double_eq_tol((double)hits[i].cosine,
                                    likeness(code, other, by_jaccard), 1e-6);
            ck_assert(i == 0 || hits[i].cosine < hits[i - 1].cosine ||
                      (hits[i].cosine <= hits[i - 1].cosine &&
                       hits[i].entry > hits[i - 1].entry));
        }
        for (uint32_t i = 0; i < N; i++)
            better += likeness(code, codes + (size_t)i * WORDS, by_jaccard) >
                      (double)hits[K - 1].cosine + 1e-6;
        ck_assert_uint_lt(better, K);
    }
}
END_TEST

START_TEST(a_scale_is_searched_for_what_it_holds_only)
{
    const uint64_t code[WORDS] = {1, 2};
    const float x[DIM] = {1};
    idx_hit hits[K];
    uint32_t n = 9;
    ck_assert_int_eq(idx_query(ix, IDX_TIMBRE, scratch, x, 1, hits, &n, NULL),
                     IDX_EARG);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(idx_query_exact(ix, IDX_TIMBRE, scratch, x, 1, hits, &n),
                     IDX_EARG);
    ck_assert_int_eq(idx_query_codes(ix, 0, scratch, code, 1, true, hits, &n, NULL),
                     IDX_EARG);
    ck_assert_int_eq(
        idx_query_codes(ix, IDX_SCALES, scratch, code, 1, true, hits, &n, NULL),
        IDX_EARG);
    ck_assert_int_eq(
        idx_query_codes(ix, IDX_TIMBRE, scratch, code, 0, true, hits, &n, NULL),
        IDX_EARG);
    ck_assert_int_eq(idx_query_codes(ix, IDX_TIMBRE, scratch, code, IDX_MAX_K + 1, true,
                                     hits, &n, NULL),
                     IDX_EARG);
    ck_assert_int_eq(idx_query_codes(ix, 1, scratch, code, 1, true, hits, &n, NULL),
                     IDX_OK); /* absent */
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(as_many_hits_as_there_may_be_are_given)
{
    static idx_hit hits[IDX_MAX_K];
    const uint64_t code[WORDS] = {0xff00ff, 0};
    uint32_t n;
    for (int by_jaccard = 0; by_jaccard < 2; by_jaccard++) {
        ck_assert_int_eq(idx_query_codes(ix, IDX_TIMBRE, scratch, code, IDX_MAX_K,
                                         by_jaccard, hits, &n, NULL),
                         IDX_OK);
        ck_assert_uint_eq(n, IDX_MAX_K);
    }
}
END_TEST

START_TEST(a_code_without_bits_is_like_none_by_jaccard_and_like_sparse_ones_by_hamming)
{
    const uint64_t nothing[WORDS] = {0};
    idx_hit hit;
    uint32_t n;
    ck_assert(
        !idx_query_codes(ix, IDX_TIMBRE, scratch, nothing, 1, true, &hit, &n, NULL));
    ck_assert_float_eq(hit.cosine, 0);
    ck_assert(
        !idx_query_codes(ix, IDX_TIMBRE, scratch, nothing, 1, false, &hit, &n, NULL));
    ck_assert_float_gt(hit.cosine, 0.8F);
}
END_TEST

START_TEST(knots_are_quantiles_of_the_nearest_strangers)
{
    enum { KNOTS = 5, SAMPLE = N }; /* every entry asks: the quantiles are exact */
    const idx_scale *sc = idx_scale_of(ix, IDX_TIMBRE);
    float knots[2][KNOTS];
    ck_assert_int_eq(idx_calibrate_codes(sc, SAMPLE, KNOTS, knots[1], knots[0]),
                     IDX_OK);
    for (int by_jaccard = 0; by_jaccard < 2; by_jaccard++)
        for (uint32_t k = 0; k < KNOTS; k++) {
            uint32_t below = 0, most = 0;
            for (uint32_t q = 0; q < N; q++) {
                double best = 0;
                for (uint32_t i = 0; i < N; i++)
                    if (sc->entries[i].sound != sc->entries[q].sound)
                        best = fmax(best, likeness(sc->codes + (size_t)q * WORDS,
                                                   sc->codes + (size_t)i * WORDS,
                                                   by_jaccard));
                below += best < (double)knots[by_jaccard][k] - 1e-6;
                most += best <= (double)knots[by_jaccard][k] + 1e-6;
            }
            const double rank = (double)k * (N - 1) / (KNOTS - 1);
            ck_assert_msg(below <= rank + 1 && most >= rank, "knot %u: %u..%u of %.1f",
                          k, below, most, rank);
        }
    ck_assert_int_eq(
        idx_calibrate_codes(idx_scale_of(ix, 0), SAMPLE, KNOTS, knots[0], knots[1]),
        IDX_EARG);
    ck_assert_int_eq(idx_calibrate_codes(sc, SAMPLE, 1, knots[0], knots[1]), IDX_EARG);
}
END_TEST

START_TEST(a_score_is_the_share_of_nearest_strangers_that_are_less_alike)
{
    /* to do so, a fraction has to be the same float in a hit as among the knots */
    enum { KNOTS = N }; /* and every entry asks: knots are the nearest strangers */
    static float knots[2][KNOTS];
    idx_scale sc = *idx_scale_of(ix, IDX_TIMBRE);
    ck_assert(!idx_calibrate_codes(&sc, N, KNOTS, knots[1], knots[0]));
    sc.n_knots = KNOTS;
    sc.knots = knots[1];
    sc.hamming_knots = knots[0];
    for (int by_jaccard = 0; by_jaccard < 2; by_jaccard++) {
        uint32_t n, compared = 0;
        for (uint32_t q = 0; q < N; q++) {
            idx_hit hits[200];
            uint32_t i = 0, less = 0;
            ck_assert(!idx_query_codes(ix, IDX_TIMBRE, scratch,
                                       sc.codes + (size_t)q * WORDS, 200, by_jaccard,
                                       hits, &n, NULL));
            while (i < n && sc.entries[hits[i].entry].sound == sc.entries[q].sound)
                i++;
            if (i == n)
                continue;
            while (less < KNOTS &&
                   (double)knots[by_jaccard][less] < (double)hits[i].cosine - 1e-6)
                less++;
            const float s = by_jaccard ? idx_score(&sc, hits[i].cosine)
                                       : idx_score_hamming(&sc, hits[i].cosine);
            ck_assert_double_eq_tol((double)s, (double)less / (KNOTS - 1), 1e-6);
            compared++;
        }
        ck_assert_uint_gt(compared, N / 2);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("index_codes");
    TCase *tc = tcase_create("index_codes");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, the_likest_codes_are_found_by_either_distance, 0, 2);
    tcase_add_test(tc, a_scale_is_searched_for_what_it_holds_only);
    tcase_add_test(tc, as_many_hits_as_there_may_be_are_given);
    tcase_add_test(
        tc,
        a_code_without_bits_is_like_none_by_jaccard_and_like_sparse_ones_by_hamming);
    tcase_add_test(tc, knots_are_quantiles_of_the_nearest_strangers);
    tcase_add_test(tc, a_score_is_the_share_of_nearest_strangers_that_are_less_alike);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
