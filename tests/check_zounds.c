/* The Morlet bank of zounds against zounds itself, and against its sums. */
#include "../dsp/front_private.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    uint32_t rate;
    size_t n; /* samples of the golden pooled output */
} golden[] = {{11025, 8192}, {16000, 16000}};
enum { GOLDEN = sizeof golden / sizeof *golden };

static float *
load(const char *name, uint32_t rate, size_t *rows, size_t *cols)
{
    char full[64];
    snprintf(full, sizeof full, "%s_%u", name, rate);
    return golden_load(full, rows, cols);
}

static dsp_zounds
zounds_of(uint32_t rate)
{
    dsp_zounds z = {0};
    ck_assert(!dsp_zounds_init(&z, rate));
    return z;
}

START_TEST(filters_equal_the_golden_ones)
{
    size_t rows, cols, n_params;
    float *bank = load("zounds_bank", golden[_i].rate, &rows, &cols);
    float *params = load("zounds_params", golden[_i].rate, &rows, &n_params);
    ck_assert_uint_eq(rows, DSP_ZOUNDS_BANDS);
    ck_assert_uint_eq(cols, DSP_ZOUNDS_TAPS);
    for (uint32_t b = 0; b < DSP_ZOUNDS_BANDS; b++) {
        double h[DSP_ZOUNDS_TAPS], got[3];
        dsp_zounds_filter(golden[_i].rate, b, h, &got[0], &got[1], &got[2]);
        for (size_t i = 0; i < 3; i++)
            ck_assert_msg(fabs(got[i] / (double)params[b * n_params + i] - 1) < 1e-6,
                          "band %u, column %zu: %.9g", b, i, got[i]);
        for (size_t m = 0; m < cols; m++)
            ck_assert_double_le(fabs(h[m] - (double)bank[b * cols + m]), 1e-6 * got[2]);
    }
    free(params);
    free(bank);
}
END_TEST

static void
compare(const float got[], const float want[], size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
    ck_assert_msg(worst <= 1e-4, "off by %g", worst);
}

START_TEST(pooled_outputs_equal_the_golden_ones)
{
    static float x[16000];
    size_t rows, cols;
    float *gold = load("zounds_pooled", golden[_i].rate, &rows, &cols);
    ck_assert_uint_eq(rows, (golden[_i].n + 1) / DSP_ZOUNDS_HOP + 1);
    float *out = calloc(rows * cols, sizeof *out);
    golden_signal(x, golden[_i].rate, 1);
    dsp_zounds z = zounds_of(golden[_i].rate);
    dsp_zounds_pool(&z, x, golden[_i].n, out);
    compare(out, gold, rows * cols);
    dsp_zounds_done(&z);
    free(out);
    free(gold);
}
END_TEST

START_TEST(the_input_of_the_network_equals_the_golden_one)
{
    enum { RATE = 11025, N = 8192 };
    static float x[RATE];
    size_t rows, cols;
    float *gold = load("zounds_network", RATE, &rows, &cols);
    float *out = calloc(rows * cols, sizeof *out);
    golden_signal(x, RATE, 1);
    dsp_zounds z = zounds_of(RATE);
    dsp_zounds_standardise(x, N);
    dsp_zounds_pool(&z, x, N, out);
    dsp_zounds_standardise(out, rows * cols);
    compare(out, gold, rows * cols);
    dsp_zounds_done(&z);
    free(out);
    free(gold);
}
END_TEST

START_TEST(a_frame_is_the_sum_of_its_definition)
{
    enum { RATE = 12000 };
    dsp_zounds z = zounds_of(RATE);
    float out[DSP_ZOUNDS_BANDS];
    uint64_t seed = 11;
    for (size_t i = 0; i < DSP_ZOUNDS_FFT; i++)
        z.samples[i] = 32768 * (float)random_unit(&seed);
    dsp_zounds_frame(&z, 0, DSP_ZOUNDS_POOL, out);
    for (uint32_t b = 0; b < DSP_ZOUNDS_BANDS; b += 9) {
        double h[DSP_ZOUNDS_TAPS], unused[3], sum = 0;
        dsp_zounds_filter(RATE, b, h, &unused[0], &unused[1], &unused[2]);
        for (size_t j = 0; j < DSP_ZOUNDS_POOL; j++) {
            double y = 0;
            for (size_t m = 0; m < DSP_ZOUNDS_TAPS; m++)
                y += h[m] * (double)z.samples[j + m];
            sum += 20 * log10(1 + fmax(0, y));
        }
        ck_assert_double_eq_tol(out[b], sum / DSP_ZOUNDS_POOL, 2e-3);
    }
    dsp_zounds_done(&z);
}
END_TEST

START_TEST(silence_stays_finite_when_standardised)
{
    float x[64] = {0};
    dsp_zounds_standardise(x, 64);
    for (int i = 0; i < 64; i++)
        ck_assert_float_eq(x[i], 0);
    dsp_zounds_standardise(x, 1);
    ck_assert_float_eq(x[0], 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("zounds");
    TCase *t = tcase_create("zounds");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, filters_equal_the_golden_ones, 0, GOLDEN);
    tcase_add_loop_test(t, pooled_outputs_equal_the_golden_ones, 0, GOLDEN);
    tcase_add_test(t, the_input_of_the_network_equals_the_golden_one);
    tcase_add_test(t, a_frame_is_the_sum_of_its_definition);
    tcase_add_test(t, silence_stays_finite_when_standardised);
    suite_add_tcase(s, t);
    return run_suite(s);
}
