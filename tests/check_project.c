/* Projection and its fit against their definitions. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 500, DIM = 40 };

static float rows[ROWS][DSP_RAW], mean[DSP_RAW], spread[DSP_RAW], matrix[DIM][DSP_RAW];

static void
setup(void)
{
    uint64_t seed = 11;
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < DSP_RAW; i++)
            rows[r][i] = (float)(5 * sin(i) + 3 * random_normal(&seed));
    for (int d = 0; d < DIM; d++)
        for (int i = 0; i < DSP_RAW; i++)
            matrix[d][i] = (float)random_normal(&seed);
    dsp_fit_spread(rows[0], ROWS, mean, spread);
}

START_TEST(the_fit_is_mean_and_deviation_with_ten_typical_rows_mixed_in)
{
    for (int i = 0; i < DSP_RAW; i++) {
        double m = 0, v = 0;
        for (int r = 0; r < ROWS; r++)
            m += (double)rows[r][i] / ROWS;
        for (int r = 0; r < ROWS; r++)
            v += pow((double)rows[r][i] - m, 2) / ROWS;
        /* ten rows among 510, at most some 20 dB away */
        ck_assert_double_eq_tol(mean[i], m, 20.0 * 10 / 510);
        ck_assert_double_eq_tol(spread[i], sqrt(v), 1.5);
    }
}
END_TEST

START_TEST(no_rows_and_equal_rows_still_give_a_usable_spread)
{
    float m[DSP_RAW], s[DSP_RAW], same[20][DSP_RAW];
    for (int r = 0; r < 20; r++)
        for (int i = 0; i < DSP_RAW; i++)
            same[r][i] = 7;
    dsp_fit_spread(same[0], 0, m, s);
    for (int i = 0; i < DSP_RAW; i++)
        ck_assert(s[i] > 1 && isfinite(m[i]));
    dsp_fit_spread(same[0], 20, m, s);
    for (int i = 0; i < DSP_RAW; i++)
        ck_assert(s[i] > 1 && isfinite(m[i]));
}
END_TEST

static void
by_definition(const float raw[], bool with_matrix, double out[])
{
    double z[DSP_RAW], norm = 0;
    for (int i = 0; i < DSP_RAW; i++) {
        z[i] = ((double)raw[i] - (double)mean[i]) / (double)spread[i];
        z[i] = fmax(-4, fmin(4, z[i]));
        norm += z[i] * z[i];
    }
    const int dim = with_matrix ? DIM : DSP_RAW;
    double length = 0;
    for (int d = 0; d < dim; d++) {
        out[d] = with_matrix ? 0 : z[d] / sqrt(norm);
        for (int i = 0; with_matrix && i < DSP_RAW; i++)
            out[d] += (double)matrix[d][i] * z[i] / sqrt(norm);
        length += out[d] * out[d];
    }
    for (int d = 0; d < dim; d++)
        out[d] /= sqrt(length);
}

START_TEST(projection_equals_its_definition)
{
    const bool with_matrix = _i;
    const uint32_t dim = with_matrix ? DIM : DSP_RAW;
    const dsp_projection p = {DSP_RAW, dim, mean, spread,
                              with_matrix ? matrix[0] : NULL};
    float scratch[DSP_RAW], out[DSP_RAW];
    double want[DSP_RAW];
    for (int r = 0; r < ROWS; r++) {
        rows[r][r % DSP_RAW] += r % 2 ? 1000 : 0; /* clipped */
        ck_assert(dsp_project(&p, rows[r], scratch, out));
        by_definition(rows[r], with_matrix, want);
        for (uint32_t d = 0; d < dim; d++)
            ck_assert_msg(fabs((double)out[d] - want[d]) < 1e-5,
                          "row %d, %u: %g not %g", r, d, (double)out[d], want[d]);
    }
}
END_TEST

START_TEST(the_mean_itself_has_no_direction)
{
    const dsp_projection p = {DSP_RAW, DSP_RAW, mean, spread, NULL};
    float scratch[DSP_RAW], out[DSP_RAW], nan[DSP_RAW];
    ck_assert(!dsp_project(&p, mean, scratch, out));
    for (int i = 0; i < DSP_RAW; i++)
        nan[i] = NAN;
    ck_assert(!dsp_project(&p, nan, scratch, out));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("project");
    TCase *t = tcase_create("project");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, the_fit_is_mean_and_deviation_with_ten_typical_rows_mixed_in);
    tcase_add_test(t, no_rows_and_equal_rows_still_give_a_usable_spread);
    tcase_add_loop_test(t, projection_equals_its_definition, 0, 2);
    tcase_add_test(t, the_mean_itself_has_no_direction);
    suite_add_tcase(s, t);
    return run_suite(s);
}
