/* What a projection learns, against slow definitions in double. */
#include "learn_support.h"

static float other[N * N];

/* ---- Slow definitions ---- */

/* Eigenvectors of a as rows of v, by Jacobi's rotations, largest eigenvalue first. */
static void
jacobi(double a[N][N], double value[N], double v[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            v[i][j] = i == j;
    for (int turn = 0; turn < 60 * N * N; turn++) {
        const int p = turn % N, q = turn / N % N;
        if (p >= q || fabs(a[p][q]) < 1e-300)
            continue;
        const double angle = 0.5 * atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const double c = cos(angle), s = sin(angle);
        for (int i = 0; i < N; i++) {
            const double x = a[i][p], y = a[i][q];
            a[i][p] = c * x - s * y;
            a[i][q] = s * x + c * y;
        }
        for (int i = 0; i < N; i++) {
            const double x = a[p][i], y = a[q][i], vx = v[p][i], vy = v[q][i];
            a[p][i] = c * x - s * y;
            a[q][i] = s * x + c * y;
            v[p][i] = c * vx - s * vy;
            v[q][i] = s * vx + c * vy;
        }
    }
    for (int i = 0; i < N; i++)
        value[i] = a[i][i];
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++)
            if (value[j] > value[i]) {
                double keep[N];
                const double x = value[i];
                value[i] = value[j];
                value[j] = x;
                memcpy(keep, v[i], sizeof keep);
                memcpy(v[i], v[j], sizeof keep);
                memcpy(v[j], keep, sizeof keep);
            }
}

static void
multiply(double a[N][N], double b[N][N], double out[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            out[i][j] = 0;
            for (int k = 0; k < N; k++)
                out[i][j] += a[i][k] * b[k][j];
        }
}

/* w = (S + 0.2 tr S / N)^(-a/2) of the lesson's pairs */
static void
slow_w(double w[N][N])
{
    double s[N][N] = {{0}}, value[N], v[N][N], trace = 0, u[N], d[N];
    for (size_t r = 0; r < lesson.n_pairs; r++) {
        ck_assert(standardise(clean[r], u) && standardise(degraded[r], d));
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                s[i][j] += (d[i] - u[i]) * (d[j] - u[j]) / (double)lesson.n_pairs;
    }
    for (int i = 0; i < N; i++)
        trace += s[i][i];
    for (int i = 0; i < N; i++)
        s[i][i] += 0.2 * trace / N;
    jacobi(s, value, v);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            w[i][j] = lesson.n_pairs ? 0 : i == j;
            for (int k = 0; k < N && lesson.n_pairs; k++)
                w[i][j] +=
                    v[k][i] * v[k][j] * pow(value[k], -(double)lesson.invariance / 2);
        }
}

static void
slow_covariance(double c[N][N])
{
    double m[N] = {0}, total = (double)lesson.n_rows;
    memset(c, 0, N * sizeof *c);
    for (size_t r = 0; r < lesson.n_rows; r++)
        add_row(rows[r], 1, m, c);
    for (size_t r = 0; r < lesson.n_prior; r++)
        add_row(prior[r], lesson.prior_weight / (double)lesson.n_prior, m, c);
    if (lesson.n_prior > 0)
        total += lesson.prior_weight;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            c[i][j] = c[i][j] / total - m[i] / total * (m[j] / total);
}

static double
sign_of_largest(const double x[N])
{
    int top = 0;
    for (int i = 0; i < N; i++)
        top = fabs(x[i]) > fabs(x[top]) ? i : top;
    return x[top] < 0 ? -1 : 1;
}

static void
slow_acoustic(uint32_t n_dim, double out[N][N])
{
    double w[N][N], c[N][N], room[N][N], value[N], v[N][N], square = 0;
    slow_w(w);
    slow_covariance(c);
    multiply(w, c, room);
    multiply(room, w, c);
    jacobi(c, value, v);
    multiply(v, w, out);
    for (uint32_t d = 0; d < n_dim; d++)
        for (int i = 0; i < N; i++) {
            out[d][i] *= sign_of_largest(v[d]);
            square += out[d][i] * out[d][i];
        }
    for (uint32_t d = 0; d < n_dim; d++)
        for (int i = 0; i < N; i++)
            out[d][i] *= sqrt(n_dim / square);
}

/* ---- Spread ---- */

START_TEST(spread_is_the_weighted_deviation)
{
    for (int i = 0; i < N; i++) {
        double m = 0, v = 0;
        for (int r = 0; r < ROWS; r++)
            m += (double)rows[r][i] / (ROWS + 100);
        for (int r = 0; r < PRIOR; r++)
            m += (double)prior[r][i] * (100.0 / PRIOR) / (ROWS + 100);
        for (int r = 0; r < ROWS; r++)
            v += pow((double)rows[r][i] - m, 2) / (ROWS + 100);
        for (int r = 0; r < PRIOR; r++)
            v += pow((double)prior[r][i] - m, 2) * (100.0 / PRIOR) / (ROWS + 100);
        ck_assert_double_eq_tol((double)mean[i], m, 1e-6 * fabs(m) + 1e-6);
        ck_assert_double_eq_tol((double)spread[i], sqrt(v), 1e-6 * sqrt(v));
    }
}
END_TEST

START_TEST(a_value_that_never_varies_stays_at_the_mean_and_clips_when_it_does)
{
    static const float constant[] = {0, 0.1F, -2.302585F, 1e4F, 1e30F};
    for (size_t c = 0; c < sizeof constant / sizeof *constant; c++) {
        for (int r = 0; r < ROWS; r++)
            rows[r][3] = constant[c];
        lesson.n_prior = 0;
        ck_assert_int_eq(dsp_learn_spread(&lesson, mean, spread), DSP_OK);
        ck_assert_float_eq(mean[3], constant[c]);
        ck_assert(spread[3] > 0);
        const float off = constant[c] * 1.01F + 0.01F;
        ck_assert(fabsf(off - mean[3]) > 4 * spread[3]);
        ck_assert(fabsf(nextafterf(constant[c], 1) - mean[3]) < 0.01F * spread[3]);
    }
}
END_TEST

START_TEST(without_rows_spread_changes_nothing)
{
    lesson.n_rows = 0;
    lesson.prior_weight = 0; /* so the prior does not count */
    ck_assert_int_eq(dsp_learn_spread(&lesson, mean, spread), DSP_OK);
    for (int i = 0; i < N; i++)
        ck_assert(mean[i] == 0 && spread[i] == 1);
}
END_TEST

/* ---- Acoustic ---- */

static const struct {
    const char *name;
    float a;
    size_t n_rows, n_prior, n_pairs;
    uint32_t max_dim;
} cases[] = {
    {"PCA", 0, ROWS, 0, PAIRS, N},
    {"PCA without pairs", 1, ROWS, 0, 0, N},
    {"half", 0.5F, ROWS, 0, PAIRS, N},
    {"all", 1, ROWS, 0, PAIRS, N},
    {"few dimensions", 0.5F, ROWS, 0, PAIRS, 5},
    {"one block of rows", 0.5F, 4096, 0, PAIRS, N},
    {"prior", 0.5F, 50, PRIOR, PAIRS, N},
    {"nothing but the prior", 0.5F, 0, PRIOR, PAIRS, N},
    {"more dimensions than there are", 0.5F, 1000, PRIOR, PAIRS, 4 * N},
};

START_TEST(acoustic_equals_its_definition)
{
    double want[N][N];
    lesson.invariance = cases[_i].a;
    lesson.n_rows = cases[_i].n_rows;
    lesson.n_prior = cases[_i].n_prior;
    lesson.n_pairs = cases[_i].n_pairs;
    lesson.max_dim = cases[_i].max_dim;
    ck_assert_int_eq(acoustic(matrix), DSP_OK);
    const uint32_t n_dim = lesson.max_dim < N ? lesson.max_dim : N;
    ck_assert_uint_eq(dim, n_dim);
    slow_acoustic(n_dim, want);
    for (uint32_t d = 0; d < n_dim; d++)
        for (int i = 0; i < N; i++)
            ck_assert_msg(fabs((double)matrix[d * N + (uint32_t)i] - want[d][i]) < 1e-5,
                          "case: %s: %u, %d: %g not %g", cases[_i].name, d, i,
                          (double)matrix[d * N + (uint32_t)i], want[d][i]);
}
END_TEST

/* Mean squared distance of embeddings of pairs, over that of neighbouring rows. */
static double
relative_distance(void)
{
    const dsp_projection p = {N, dim, 2, block_size, mean, spread, matrix};
    float u[N], x[N], y[N];
    double pairs = 0, others = 0;
    for (int r = 0; r < PAIRS; r++) {
        ck_assert(dsp_project(&p, clean[r], u, x));
        ck_assert(dsp_project(&p, degraded[r], u, y));
        for (uint32_t d = 0; d < dim; d++)
            pairs += pow((double)(x[d] - y[d]), 2);
        ck_assert(dsp_project(&p, clean[(r + 1) % PAIRS], u, y));
        for (uint32_t d = 0; d < dim; d++)
            others += pow((double)(x[d] - y[d]), 2);
    }
    return pairs / others;
}

START_TEST(invariance_brings_pairs_together)
{
    double distance[3];
    for (int i = 0; i < 3; i++) {
        lesson.invariance = (float)i / 2;
        ck_assert_int_eq(acoustic(matrix), DSP_OK);
        distance[i] = relative_distance();
    }
    ck_assert_double_lt(distance[1], 0.85 * distance[0]);
    ck_assert_double_lt(distance[2], 0.85 * distance[1]);
}
END_TEST

static double
difference(void)
{
    double sum = 0;
    for (int i = 0; i < N * N; i++)
        sum += pow((double)(matrix[i] - other[i]), 2);
    return sqrt(sum / (N * N));
}

START_TEST(the_prior_fades_as_the_corpus_grows)
{
    double last = INFINITY;
    lesson.prior_weight = 10;
    for (size_t n = 10; n <= ROWS; n *= 10) {
        lesson.n_rows = n;
        lesson.n_prior = 0;
        ck_assert_int_eq(acoustic(other), DSP_OK);
        lesson.n_prior = PRIOR;
        ck_assert_int_eq(acoustic(matrix), DSP_OK);
        ck_assert(dim == N && difference() < last);
        last = difference();
    }
    ck_assert_double_lt(last, 0.02);
}
END_TEST

START_TEST(the_same_lesson_gives_the_same_bytes_wherever_it_lies)
{
    float m[N], s[N];
    float *copy = malloc(sizeof rows + sizeof *copy);
    ck_assert(copy && acoustic(matrix) == DSP_OK);
    memcpy(copy + 1, rows, sizeof rows);
    lesson.rows = copy + 1;
    ck_assert(dsp_learn_spread(&lesson, m, s) == DSP_OK && acoustic(other) == DSP_OK);
    ck_assert_mem_eq(m, mean, sizeof m);
    ck_assert_mem_eq(s, spread, sizeof s);
    ck_assert_mem_eq(other, matrix, sizeof other);
    ck_assert(labels(0.5F, other) == DSP_OK);
    lesson.rows = rows[0];
    ck_assert(labels(0.5F, matrix) == DSP_OK);
    ck_assert_mem_eq(other, matrix, dim * N * sizeof *other);
    free(copy);
}
END_TEST

/* Learns all that there is to learn; unused rows of a matrix are zeros. */
static void
learn_all(float m[N], float s[N], float out[2][N * N], uint32_t n_dim[2])
{
    memset(out, 0, 2 * sizeof *out);
    ck_assert_int_eq(dsp_learn_spread(&lesson, m, s), DSP_OK);
    ck_assert_int_eq(acoustic(out[0]), DSP_OK);
    n_dim[0] = dim;
    ck_assert_int_eq(labels(0.3F, out[1]), DSP_OK);
    n_dim[1] = dim;
}

START_TEST(rows_that_are_not_finite_count_nowhere)
{
    static float want[2][N * N], got[2][N * N];
    float m[2][N], s[2][N];
    uint32_t n_dim[2][2];
    lesson.n_rows = ROWS - 3, lesson.n_prior = PRIOR - 1, lesson.n_pairs = PAIRS - 2;
    learn_all(m[0], s[0], want, n_dim[0]);
    rows[ROWS - 3][0] = NAN;
    rows[ROWS - 2][N - 1] = INFINITY;
    rows[ROWS - 1][4] = -INFINITY;
    prior[PRIOR - 1][2] = NAN;
    clean[PAIRS - 2][0] = NAN;
    degraded[PAIRS - 1][0] = INFINITY;
    lesson.n_rows = ROWS, lesson.n_prior = PRIOR, lesson.n_pairs = PAIRS;
    learn_all(m[1], s[1], got, n_dim[1]);
    ck_assert_mem_eq(m[1], m[0], sizeof *m);
    ck_assert_mem_eq(s[1], s[0], sizeof *s);
    ck_assert_mem_eq(n_dim[1], n_dim[0], sizeof *n_dim);
    ck_assert_mem_eq(got, want, sizeof got);
}
END_TEST

static const struct {
    const char *name;
    size_t n_rows;
    bool equal;
    uint32_t dim; /* n rows differ in n - 1 directions */
} small[] = {
    {"no rows", 0, false, 0}, {"one row", 1, false, 0},       {"two rows", 2, false, 0},
    {"three", 3, false, 2},   {"equal rows", 40, true, 0},    {"five", 5, false, 4},
    {"many", 100, false, N},  {"two equal rows", 2, true, 0},
};

START_TEST(a_small_corpus_gives_as_many_dimensions_as_vary)
{
    lesson.n_rows = small[_i].n_rows;
    lesson.n_prior = 0;
    for (int r = 1; small[_i].equal && r < ROWS; r++)
        memcpy(rows[r], rows[0], sizeof *rows);
    ck_assert_int_eq(acoustic(matrix), DSP_OK);
    ck_assert_msg(dim == small[_i].dim, "case: %s: %u", small[_i].name, dim);
    ck_assert_int_eq(dsp_learn_spread(&lesson, mean, spread), DSP_OK);
    ck_assert_int_eq(acoustic(matrix), DSP_OK);
    for (uint32_t i = 0; i < dim * N; i++)
        ck_assert(isfinite(matrix[i]));
}
END_TEST

START_TEST(what_hardly_varies_is_no_dimension)
{
    static const double size[][4] = {
        {1, 1, 1e-5, 0}, {1, 1, 1e-2, 0}, {0, 1e-7, 1e-7, 1}};
    static const uint32_t want[] = {2, 3, 0};
    uint64_t seed = 8;
    for (int i = 0; i < N; i++)
        mean[i] = 0, spread[i] = 1;
    memset(rows, 0, sizeof rows);
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < 4; i++)
            rows[r][i] = (float)(size[_i][i] * (i < 3 ? random_normal(&seed) : 1));
    lesson.n_prior = lesson.n_pairs = 0;
    ck_assert_int_eq(acoustic(matrix), DSP_OK);
    ck_assert_uint_eq(dim, want[_i]);
    ck_assert_int_eq(labels(0.5F, matrix), DSP_OK);
    ck_assert(dim > 0 || want[_i] == 0);
    ck_assert(dim == 0 || want[_i] > 0);
}
END_TEST

START_TEST(pairs_without_difference_change_nothing)
{
    lesson.n_pairs = 0;
    ck_assert_int_eq(acoustic(other), DSP_OK);
    lesson.n_pairs = PAIRS;
    memcpy(degraded, clean, sizeof degraded);
    ck_assert_int_eq(acoustic(matrix), DSP_OK);
    ck_assert_mem_eq(matrix, other, sizeof matrix);
}
END_TEST

/* ---- All of them ---- */

START_TEST(lessons_out_of_range_are_refused)
{
    dsp_lesson bad[11];
    for (int i = 0; i < 11; i++)
        bad[i] = lesson;
    bad[0].n_in = 0;
    bad[1].n_in = N + 1;
    bad[2].n_blocks = 0;
    bad[3].n_in = DSP_LEARN_MAX_IN + 1;
    bad[4].max_dim = 0;
    bad[5].invariance = -0.01F;
    bad[6].invariance = NAN;
    bad[7].prior_weight = -1;
    bad[8].prior_weight = INFINITY;
    bad[9].rows = NULL;
    bad[10].degraded = NULL;
    for (int i = 0; i < 11; i++) {
        lesson = bad[i];
        ck_assert_int_eq(dsp_learn_spread(&lesson, mean, spread), DSP_EARG);
        ck_assert(acoustic(matrix) == DSP_EARG && dim == 0);
        ck_assert(labels(0.5F, matrix) == DSP_EARG && dim == 0);
    }
}
END_TEST

static dsp_status
learn(int what)
{
    return what == 0   ? dsp_learn_spread(&lesson, mean, spread)
           : what == 1 ? acoustic(matrix)
                       : labels(0.5F, matrix);
}

START_TEST(any_allocation_may_fail)
{
    uint64_t k = 0;
    dsp_status st = DSP_ENOMEM;
    lesson.n_rows = 200;
    while (st != DSP_OK && k < 100) {
        heap_fail_at = ++k;
        st = learn(_i);
        const bool failed = !heap_fail_at;
        heap_fail_at = 0;
        ck_assert_int_eq(st, failed ? DSP_ENOMEM : DSP_OK);
        ck_assert(!failed || _i == 0 || dim == 0);
    }
    ck_assert_uint_gt(k, 2);
    ck_assert_uint_lt(k, 100);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("learn");
    TCase *t = tcase_create("learn");
    const int n_cases = sizeof cases / sizeof *cases;
    tcase_add_checked_fixture(t, learn_setup, NULL);
    tcase_add_test(t, spread_is_the_weighted_deviation);
    tcase_add_test(t,
                   a_value_that_never_varies_stays_at_the_mean_and_clips_when_it_does);
    tcase_add_test(t, without_rows_spread_changes_nothing);
    tcase_add_loop_test(t, acoustic_equals_its_definition, 0, n_cases);
    tcase_add_test(t, invariance_brings_pairs_together);
    tcase_add_test(t, the_prior_fades_as_the_corpus_grows);
    tcase_add_test(t, the_same_lesson_gives_the_same_bytes_wherever_it_lies);
    tcase_add_test(t, rows_that_are_not_finite_count_nowhere);
    tcase_add_loop_test(t, a_small_corpus_gives_as_many_dimensions_as_vary, 0,
                        sizeof small / sizeof *small);
    tcase_add_loop_test(t, what_hardly_varies_is_no_dimension, 0, 3);
    tcase_add_test(t, pairs_without_difference_change_nothing);
    tcase_add_test(t, lessons_out_of_range_are_refused);
    tcase_add_loop_test(t, any_allocation_may_fail, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
