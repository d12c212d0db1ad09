/* Projection against its definition. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <string.h>

enum { ROWS = 200, N = 103, DIM = 42, BLOCKS = 5 };
static const uint32_t block_size[BLOCKS] = {40, 1, 0, 59, 3};

static float rows[ROWS][N], mean[N], spread[N], matrix[DIM][N];
static dsp_projection identity, projection;

static void
setup(void)
{
    uint64_t seed = 11;
    for (int i = 0; i < N; i++) {
        mean[i] = (float)(5 * sin(i));
        spread[i] = (float)(2 + cos(i));
        for (int d = 0; d < DIM; d++)
            matrix[d][i] = (float)random_normal(&seed);
        for (int r = 0; r < ROWS; r++)
            rows[r][i] = (float)(5 * sin(i) + 3 * random_normal(&seed));
    }
    for (int r = 0; r < ROWS; r++)
        rows[r][r % N] += r % 2 ? 1000 : 0; /* clipped */
    identity = (dsp_projection){N, N, BLOCKS, block_size, mean, spread, NULL};
    projection = (dsp_projection){N, DIM, BLOCKS, block_size, mean, spread, matrix[0]};
}

static void
unit_length(double x[], size_t n)
{
    double square = 0;
    for (size_t i = 0; i < n; i++)
        square += x[i] * x[i];
    for (size_t i = 0; i < n && square > 0; i++)
        x[i] /= sqrt(square);
}

static void
standardise(const float raw[], double u[])
{
    for (int i = 0; i < N; i++) {
        u[i] = ((double)raw[i] - (double)mean[i]) / (double)spread[i];
        u[i] = fmax(-4, fmin(4, u[i]));
    }
    for (size_t b = 0, at = 0; b < BLOCKS; at += block_size[b++])
        unit_length(u + at, block_size[b]);
}

static void
project(const float raw[], const dsp_projection *p, double out[])
{
    double u[N];
    standardise(raw, u);
    for (uint32_t d = 0; d < p->dim; d++) {
        out[d] = p->matrix ? 0 : u[d];
        for (int i = 0; p->matrix && i < N; i++)
            out[d] += (double)matrix[d][i] * u[i];
    }
    unit_length(out, p->dim);
}

static void
assert_near(const float got[], const double want[], size_t n, int row)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs((double)got[i] - want[i]) < 1e-6, "row %d, %zu: %g not %g",
                      row, i, (double)got[i], want[i]);
}

START_TEST(standardising_equals_its_definition)
{
    float out[N], in_place[N];
    double want[N];
    for (int r = 0; r < ROWS; r++) {
        ck_assert(dsp_standardise(&projection, rows[r], out));
        standardise(rows[r], want);
        assert_near(out, want, N, r);
        memcpy(in_place, rows[r], sizeof in_place);
        ck_assert(dsp_standardise(&projection, in_place, in_place));
        ck_assert_mem_eq(in_place, out, sizeof out);
    }
}
END_TEST

START_TEST(projection_equals_its_definition)
{
    const dsp_projection *p = _i ? &projection : &identity;
    float scratch[N], out[N];
    double want[N];
    for (int r = 0; r < ROWS; r++) {
        ck_assert(dsp_project(p, rows[r], scratch, out));
        project(rows[r], p, want);
        assert_near(out, want, p->dim, r);
    }
}
END_TEST

START_TEST(equal_rows_of_the_matrix_give_equal_bits_wherever_they_stand)
{
    float scratch[N], out[DIM];
    for (int d = 1; d < DIM; d++)
        memcpy(matrix[d], matrix[0], sizeof matrix[d]);
    ck_assert(dsp_project(&projection, rows[0], scratch, out));
    for (int d = 1; d < DIM; d++)
        ck_assert_mem_eq(out + d, out, sizeof *out);
}
END_TEST

START_TEST(a_block_without_direction_becomes_zeros)
{
    float raw[N], out[N], scratch[N];
    memcpy(raw, rows[0], sizeof raw);
    memcpy(raw, mean, block_size[0] * sizeof *raw);
    ck_assert(dsp_standardise(&projection, raw, out));
    for (uint32_t i = 0; i < block_size[0]; i++)
        ck_assert_float_eq(out[i], 0);
    ck_assert_float_eq(fabsf(out[block_size[0]]), 1); /* a block of one value */
    ck_assert(dsp_project(&projection, raw, scratch, out));
}
END_TEST

START_TEST(the_mean_itself_has_no_direction)
{
    float scratch[N], out[N];
    ck_assert(!dsp_standardise(&identity, mean, out));
    ck_assert(!dsp_project(&identity, mean, scratch, out));
    ck_assert(!dsp_project(&projection, mean, scratch, out));
}
END_TEST

START_TEST(an_embedding_of_zeros_has_no_direction)
{
    float scratch[N], out[DIM];
    memset(matrix, 0, sizeof matrix);
    ck_assert(!dsp_project(&projection, rows[0], scratch, out));
}
END_TEST

START_TEST(one_value_that_is_not_finite_spoils_the_row)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float scratch[N], out[N];
    for (int i = 0; i < N; i++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            const float good = rows[0][i];
            rows[0][i] = bad[b];
            ck_assert(!dsp_standardise(&identity, rows[0], out));
            ck_assert(!dsp_project(&identity, rows[0], scratch, out));
            ck_assert(!dsp_project(&projection, rows[0], scratch, out));
            rows[0][i] = good;
        }
}
END_TEST

START_TEST(the_largest_floats_clip)
{
    float out[N];
    double want[N];
    for (int i = 0; i < N; i++)
        rows[0][i] = i % 2 ? 3e38F : -3e38F;
    spread[0] = 1e-6F; /* the quotient overflows */
    ck_assert(dsp_standardise(&identity, rows[0], out));
    standardise(rows[0], want);
    assert_near(out, want, N, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("project");
    TCase *t = tcase_create("project");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, standardising_equals_its_definition);
    tcase_add_loop_test(t, projection_equals_its_definition, 0, 2);
    tcase_add_test(t, equal_rows_of_the_matrix_give_equal_bits_wherever_they_stand);
    tcase_add_test(t, a_block_without_direction_becomes_zeros);
    tcase_add_test(t, the_mean_itself_has_no_direction);
    tcase_add_test(t, an_embedding_of_zeros_has_no_direction);
    tcase_add_test(t, one_value_that_is_not_finite_spoils_the_row);
    tcase_add_test(t, the_largest_floats_clip);
    suite_add_tcase(s, t);
    return run_suite(s);
}
