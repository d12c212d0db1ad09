/* Random rotations: what holds of every one, whatever its signs. */
#include "tests/idx_support.h"

#include "index/random.h"
#include "index/rotate.h"

#include <check.h>

enum { MOST = 1024 };

static float
sign_of(const uint64_t signs[], size_t i)
{
    return signs[i >> 6] >> (i & 63) & 1 ? -1.0F : 1.0F;
}

static const size_t dims[] = {1,  2,  3,  4,   5,   8,   13,  32,
                              33, 64, 65, 100, 128, 300, 1024};

START_TEST(the_transform_is_that_of_hadamard)
{
    float x[MOST];
    const size_t d = idx_rotate_dim(dims[_i]);
    uint64_t state = d;
    const size_t row = rnd_u64(&state) % d;
    memset(x, 0, sizeof x);
    x[row] = 1.0F;
    idx_hadamard(x, d);
    for (size_t i = 0; i < d; i++)
        ck_assert_float_eq(x[i], __builtin_parityll(i & row) ? -1.0F : 1.0F);
}
END_TEST

START_TEST(the_transform_twice_is_d_times_the_identity)
{
    float x[MOST], y[MOST];
    const size_t d = idx_rotate_dim(dims[_i]);
    uint64_t state = 5;
    for (size_t i = 0; i < d; i++) /* integers, so that nothing is rounded */
        x[i] = y[i] = (float)(rnd_u64(&state) % 15) - 7.0F;
    idx_hadamard(y, d);
    idx_hadamard(y, d);
    for (size_t i = 0; i < d; i++)
        ck_assert_float_eq(y[i], (float)d * x[i]);
}
END_TEST

/* The definition, in double. */
static void
rotate_slowly(double y[], const float x[], const uint64_t signs[], size_t dim)
{
    static double z[MOST];
    const size_t d = idx_rotate_dim(dim), words = (d + 63) / 64;
    for (size_t i = 0; i < d; i++)
        y[i] = i < dim ? (double)x[i] : 0.0;
    for (size_t r = 0; r < IDX_ROUNDS; r++) {
        for (size_t i = 0; i < d; i++)
            z[i] = y[i] * (double)sign_of(signs + r * words, i);
        for (size_t i = 0; i < d; i++) {
            y[i] = 0.0;
            for (size_t j = 0; j < d; j++)
                y[i] += (__builtin_parityll(i & j) ? -z[j] : z[j]) / sqrt((double)d);
        }
    }
}

START_TEST(a_rotation_is_three_rounds_of_signs_and_transform)
{
    const size_t dim = dims[_i], d = idx_rotate_dim(dim);
    float x[MOST], y[MOST];
    static double slow[MOST];
    uint64_t signs[IDX_ROUNDS * MOST / 64 + IDX_ROUNDS], state = 3;
    idx_rotate_signs(signs, dim, 1, 99);
    for (size_t i = 0; i < dim; i++)
        x[i] = rnd_normal(&state);
    unit_length(x, (uint32_t)dim);
    idx_rotate(y, x, signs, dim);
    rotate_slowly(slow, x, signs, dim);
    for (size_t i = 0; i < d; i++)
        ck_assert_double_eq_tol((double)y[i], slow[i], 1e-6);
}
END_TEST

START_TEST(lengths_and_products_are_kept)
{
    const size_t dim = dims[_i], d = idx_rotate_dim(dim);
    float x[2][MOST], y[2][MOST];
    double before = 0.0, after = 0.0, length = 0.0;
    uint64_t signs[IDX_ROUNDS * MOST / 64 + IDX_ROUNDS], state = 17;
    idx_rotate_signs(signs, dim, 1, 4);
    for (int v = 0; v < 2; v++) {
        random_direction(x[v], (uint32_t)dim, &state);
        idx_rotate(y[v], x[v], signs, dim);
    }
    for (size_t i = 0; i < dim; i++)
        before += (double)x[0][i] * (double)x[1][i];
    for (size_t i = 0; i < d; i++) {
        after += (double)y[0][i] * (double)y[1][i];
        length += (double)y[0][i] * (double)y[0][i];
    }
    ck_assert_double_eq_tol(length, 1.0, 1e-5);
    ck_assert_double_eq_tol(after, before, 1e-5);
}
END_TEST

START_TEST(nothing_overflows_that_has_a_length)
{
    float x[128], y[128];
    uint64_t signs[2 * IDX_ROUNDS];
    idx_rotate_signs(signs, 128, 1, 4);
    for (size_t i = 0; i < 128; i++)
        x[i] = 1e37F;
    idx_rotate(y, x, signs, 128);
    for (size_t i = 0; i < 128; i++)
        ck_assert(isfinite(y[i]));
}
END_TEST

START_TEST(signs_follow_from_the_seed_and_are_even)
{
    enum { ROTATIONS = 1000 };
    static uint64_t a[ROTATIONS * 6], b[ROTATIONS * 6];
    uint32_t minus = 0;
    ck_assert_uint_eq(idx_rotate_words(100), 6);
    idx_rotate_signs(a, 100, ROTATIONS, 1);
    idx_rotate_signs(b, 100, ROTATIONS, 1);
    ck_assert(memcmp(a, b, sizeof a) == 0);
    for (size_t i = 0; i < ROTATIONS * 6; i++)
        minus += (uint32_t)__builtin_popcountll(a[i]);
    ck_assert_double_eq_tol(minus / (ROTATIONS * 384.0), 0.5, 4 * 0.5 / sqrt(384000.0));
    idx_rotate_signs(b, 100, ROTATIONS, 2);
    ck_assert(memcmp(a, b, sizeof a) != 0);
    ck_assert_uint_eq(idx_rotate_words(9), 3);
    idx_rotate_signs(a, 9, 1, 1);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(a[i] >> 16, 0);
}
END_TEST

START_TEST(draws_below_a_number_are_below_it_and_even)
{
    enum { SIDES = 7, THROWS = 70000 };
    uint32_t count[SIDES] = {0};
    idx_random r = idx_random_of(12);
    for (int i = 0; i < THROWS; i++) {
        const uint32_t side = idx_draw_below(&r, SIDES);
        ck_assert_uint_lt(side, SIDES);
        count[side]++;
    }
    for (int i = 0; i < SIDES; i++) /* 4 sigma of 10000 */
        ck_assert_msg(count[i] > 9620 && count[i] < 10380, "%d: %u", i, count[i]);
    ck_assert_uint_eq(idx_draw_below(&r, 1), 0);
}
END_TEST

int
main(void)
{
    const int n = (int)(sizeof dims / sizeof *dims);
    Suite *s = suite_create("rotate");
    TCase *tc = tcase_create("rotate");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_transform_is_that_of_hadamard, 0, n);
    tcase_add_loop_test(tc, the_transform_twice_is_d_times_the_identity, 0, n);
    tcase_add_loop_test(tc, a_rotation_is_three_rounds_of_signs_and_transform, 0, n);
    tcase_add_loop_test(tc, lengths_and_products_are_kept, 0, n);
    tcase_add_test(tc, nothing_overflows_that_has_a_length);
    tcase_add_test(tc, signs_follow_from_the_seed_and_are_even);
    tcase_add_test(tc, draws_below_a_number_are_below_it_and_even);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
