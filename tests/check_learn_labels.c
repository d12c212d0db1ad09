/* Discriminant analysis against slow definitions in double. */
#include "learn_support.h"

/* Within-class covariance with shrinkage s, means of labels, and how many rows each
 * has. */
static void
slow_classes(double s, double sw[N][N], double m[LABELS][N], double count[LABELS])
{
    double n = 0, trace = 0, u[N], c[LABELS][N][N] = {{{0}}};
    memset(sw, 0, N * sizeof *sw);
    memset(m, 0, LABELS * sizeof *m);
    memset(count, 0, LABELS * sizeof *count);
    for (size_t r = 0; r < lesson.n_rows; r++)
        if (label[r] < LABELS && standardise(rows[r], u)) {
            add_row(rows[r], 1, m[label[r]], c[label[r]]);
            count[label[r]]++;
            n++;
        }
    for (int k = 0; k < LABELS; k++)
        for (int i = 0; i < N && count[k] > 0; i++)
            for (int j = 0; j < N; j++)
                sw[i][j] += (c[k][i][j] - m[k][i] * m[k][j] / count[k]) / n;
    for (int k = 0; k < LABELS; k++)
        for (int i = 0; i < N && count[k] > 0; i++)
            m[k][i] /= count[k];
    for (int i = 0; i < N; i++)
        trace += sw[i][i];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            sw[i][j] = (1 - s) * sw[i][j] + (i == j ? s * trace / N : 0);
}

START_TEST(two_labels_give_the_textbook_direction)
{
    static const float shrinkage[] = {0, 0.1F, 0.5F, 1};
    double sw[N][N], m[LABELS][N], count[LABELS], dot = 0, xx = 0, yy = 0;
    for (int r = 0; r < ROWS; r++)
        label[r] = label[r] < 2 ? label[r] : UINT32_MAX;
    ck_assert_int_eq(labels(shrinkage[_i], matrix), DSP_OK);
    ck_assert_uint_eq(dim, 1);
    slow_classes((double)shrinkage[_i], sw, m, count);
    for (int i = 0; i < N; i++) { /* Sw' x is along m1 - m2 when x is Sw'^-1 of it */
        double x = 0, y = m[0][i] - m[1][i];
        for (int j = 0; j < N; j++)
            x += sw[i][j] * (double)matrix[j];
        dot += x * y;
        xx += x * x;
        yy += y * y;
    }
    ck_assert_double_gt(fabs(dot) / sqrt(xx * yy), 1 - 1e-8);
}
END_TEST

START_TEST(two_labels_end_up_apart)
{
    double sum[2] = {0}, square[2] = {0}, count[2] = {0}, u[N];
    for (int r = 0; r < ROWS; r++)
        label[r] = label[r] < 2 ? label[r] : UINT32_MAX;
    ck_assert_int_eq(labels(0, matrix), DSP_OK);
    for (int r = 0; r < ROWS; r++) {
        if (label[r] > 1 || !standardise(rows[r], u))
            continue;
        double y = 0;
        for (int i = 0; i < N; i++)
            y += (double)matrix[i] * u[i];
        sum[label[r]] += y;
        square[label[r]] += y * y;
        count[label[r]]++;
    }
    const double m0 = sum[0] / count[0], m1 = sum[1] / count[1];
    const double within =
        (square[0] + square[1] - count[0] * m0 * m0 - count[1] * m1 * m1) /
        (count[0] + count[1]);
    ck_assert_double_eq_tol(within, 1, 1e-4);
    ck_assert_double_gt(fabs(m0 - m1), 3);
}
END_TEST

/* a' S b for rows a, b of the matrix */
static double
form(uint32_t a, double s[N][N], uint32_t b)
{
    double sum = 0;
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++)
            sum += (double)matrix[a * N + i] * s[i][j] * (double)matrix[b * N + j];
    return sum;
}

START_TEST(directions_whiten_the_labels_and_diagonalise_their_means)
{
    const float s = 0.2F;
    double sw[N][N], sb[N][N] = {{0}}, m[LABELS][N], count[LABELS], all[N] = {0};
    double last = INFINITY, total = 0;
    lesson.max_dim = (uint32_t)_i;
    ck_assert_int_eq(labels(s, matrix), DSP_OK);
    ck_assert_uint_eq(dim, lesson.max_dim < LABELS ? lesson.max_dim : LABELS - 1);
    slow_classes((double)s, sw, m, count);
    for (int k = 0; k < LABELS; k++)
        total += count[k];
    for (int k = 0; k < LABELS; k++)
        for (int i = 0; i < N; i++)
            all[i] += m[k][i] * count[k] / total;
    for (int k = 0; k < LABELS; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                sb[i][j] += (m[k][i] - all[i]) * (m[k][j] - all[j]) * count[k] / total;
    for (uint32_t a = 0; a < dim; a++) {
        for (uint32_t b = 0; b < dim; b++) {
            ck_assert_double_eq_tol(form(a, sw, b), a == b, 1e-5);
            if (a != b)
                ck_assert_double_eq_tol(form(a, sb, b), 0, 1e-5);
        }
        ck_assert(form(a, sb, a) > 0 && form(a, sb, a) < last);
        last = form(a, sb, a);
    }
}
END_TEST

static const struct {
    const char *name;
    size_t n_rows;
    uint32_t n_kinds; /* labels in use */
    bool equal;
    uint32_t dim;
} few[] = {
    {"no rows", 0, 4, false, 0},      {"one label", ROWS, 1, false, 0},
    {"no labels", ROWS, 0, false, 0}, {"two rows, two labels", 2, 2, false, 1},
    {"one row each", 4, 4, false, 3}, {"fewer rows than values", 8, 4, false, 3},
    {"equal rows", 100, 4, true, 0},
};

START_TEST(few_rows_or_labels_give_what_separates_them)
{
    lesson.n_rows = few[_i].n_rows;
    for (uint32_t r = 0; r < ROWS; r++) {
        label[r] = few[_i].n_kinds ? r % few[_i].n_kinds : UINT32_MAX;
        if (few[_i].equal)
            memcpy(rows[r], rows[0], sizeof *rows);
    }
    for (int s = 0; s < 3; s++) {
        ck_assert_int_eq(labels((float)s / 2, matrix), DSP_OK);
        ck_assert_msg(dim == few[_i].dim, "case: %s: %u", few[_i].name, dim);
        for (uint32_t i = 0; i < dim * N; i++)
            ck_assert(isfinite(matrix[i]));
    }
}
END_TEST

START_TEST(labels_with_one_mean_need_one_direction_less)
{
    for (uint32_t r = 0; r < ROWS; r++)
        label[r] = r % LABELS;
    for (uint32_t r = 1; r < ROWS; r += LABELS)
        memcpy(rows[r], rows[r - 1], sizeof *rows);
    lesson.n_rows = ROWS / LABELS * LABELS;
    ck_assert_int_eq(labels(0.5F, matrix), DSP_OK);
    ck_assert_uint_eq(dim, LABELS - 2);
}
END_TEST

START_TEST(labels_and_shrinkage_out_of_range_are_refused)
{
    ck_assert_int_eq(labels(-0.1F, matrix), DSP_EARG);
    ck_assert_int_eq(labels(1.1F, matrix), DSP_EARG);
    ck_assert_int_eq(labels(NAN, matrix), DSP_EARG);
    label[7] = LABELS;
    ck_assert_int_eq(labels(0.5F, matrix), DSP_EARG);
    ck_assert_uint_eq(dim, 0);
    for (int r = 0; r < ROWS; r++)
        label[r] = UINT32_MAX;
    ck_assert_int_eq(
        dsp_learn_labels(&lesson, label, 0, 0.5F, mean, spread, matrix, &dim), DSP_OK);
    ck_assert_uint_eq(dim, 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("learn_labels");
    TCase *t = tcase_create("learn_labels");
    tcase_add_checked_fixture(t, learn_setup, NULL);
    tcase_add_loop_test(t, two_labels_give_the_textbook_direction, 0, 4);
    tcase_add_test(t, two_labels_end_up_apart);
    tcase_add_loop_test(t, directions_whiten_the_labels_and_diagonalise_their_means, 1,
                        6);
    tcase_add_loop_test(t, few_rows_or_labels_give_what_separates_them, 0,
                        sizeof few / sizeof *few);
    tcase_add_test(t, labels_with_one_mean_need_one_direction_less);
    tcase_add_test(t, labels_and_shrinkage_out_of_range_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
