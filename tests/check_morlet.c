/* Morlet wavelets against scipy's, and against their definition summed up. */
#include "../dsp/front_private.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* The settings of tests/golden/cwt_morlet2_w6_16000. */
static const dsp_morlet_config scipy = {.rate_hz = 16000,
                                        .n_bands = 64,
                                        .low_hz = 60,
                                        .high_hz = 6000,
                                        .w = 6,
                                        .reach = 5,
                                        .least_lag = 1280};

static dsp_morlet
morlet_of(const dsp_morlet_config *c)
{
    dsp_morlet m = {0};
    ck_assert(!dsp_morlet_init(&m, c));
    return m;
}

START_TEST(moduli_equal_the_golden_ones)
{
    enum { RATE = 16000, HOP = 160, ROOM = 4096 };
    static float x[RATE + 2 * ROOM], out[DSP_FRONT_MAX_BANDS];
    size_t rows, cols;
    float *gold = golden_load("cwt_morlet2_w6_16000", &rows, &cols);
    golden_signal(x + ROOM, RATE, 1);
    dsp_morlet m = morlet_of(&scipy);
    double worst = 0, peak = 0;
    for (size_t i = 0; i < rows * cols; i++)
        peak = fmax(peak, (double)gold[i]);
    ck_assert_uint_le(m.window_frames, ROOM);
    ck_assert_uint_eq(m.levels[0].lag, 1280);
    ck_assert_uint_eq(cols, m.n_heard);
    for (size_t r = 0; r < rows; r++) {
        dsp_morlet_frame(&m, x + ROOM + r * HOP + 1280 - m.window_frames, out);
        for (size_t b = 0; b < cols; b++)
            worst =
                fmax(worst, fabs(sqrt((double)out[b]) - (double)gold[r * cols + b]));
    }
    ck_assert_msg(worst <= 1e-5 * peak, "off by %g of the peak", worst / peak);
    dsp_morlet_done(&m);
    free(gold);
}
END_TEST

static const struct {
    const char *name;
    dsp_morlet_config config;
} configs[] = {
    {"scipy's", {16000, 64, 60, 6000, 6, 5, false, 1280, 0}},
    {"48 kHz", {48000, 64, 60, 12000, 6, 5, false, 0, 0}},
    {"odd rate, three bands", {23456, 3, 100, 9000, 8, 5.5, false, 300, 0}},
    {"sines", {44100, 128, 200, 18000, 12, 5.5, true, 1000, 0}},
};

/* Squared modulus of the wavelet at f on x[n], its instant at t. */
static double
defined(const dsp_morlet_config *c, double f, const float x[], size_t n, double t)
{
    const double s = c->w * c->rate_hz / (2 * pi * f);
    const double gain =
        c->sine ? sqrt(2) / (s * sqrt(2 * pi)) : pow(pi, -0.25) / sqrt(s);
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        const double u = ((double)i - t) / s;
        re += (double)x[i] * exp(-u * u / 2) * cos(c->w * u);
        im += (double)x[i] * exp(-u * u / 2) * sin(c->w * u);
    }
    return gain * gain * (re * re + im * im);
}

START_TEST(energies_are_the_sums_of_their_definition)
{
    const dsp_morlet_config *c = &configs[_i].config;
    dsp_morlet m = morlet_of(c);
    float *x = calloc(m.window_frames, sizeof *x), out[DSP_FRONT_MAX_BANDS];
    uint64_t seed = 5;
    for (uint32_t i = 0; i < m.window_frames; i++)
        x[i] = (float)random_unit(&seed);
    dsp_morlet_frame(&m, x, out);
    for (uint32_t l = 0; l < m.n_levels; l++)
        for (uint32_t i = 0; i < m.levels[l].n_bands; i += 3) {
            const uint32_t b = m.levels[l].first_band + i;
            const double t = m.window_frames - (double)m.levels[l].lag;
            const double want = sqrt(defined(c, m.hz[b], x, m.window_frames, t));
            const double rms = c->sine ? sqrt(m.hz[b] / c->rate_hz / c->w) : 1;
            ck_assert_msg(fabs(sqrt((double)out[b]) - want) < 1e-5 * rms,
                          "%s, band %u: %g, not %g", configs[_i].name, b,
                          sqrt((double)out[b]), want);
        }
    free(x);
    dsp_morlet_done(&m);
}
END_TEST

/* Mean of the energy of a wavelet that moves under the window, at its definition's
 * scale for sines. */
static double
defined_mean(const dsp_morlet_config *c, double f, const float x[], size_t n)
{
    double *h = calloc(2 * n, sizeof *h), sum = 0;
    float *padded = calloc(3 * n, sizeof *padded);
    for (size_t i = 0; i < n; i++) {
        h[i] = 0.5 - 0.5 * cos(2 * pi * (double)i / (double)n);
        padded[n + i] = x[i] * (float)h[i];
    }
    for (size_t t = n / 2; t < 5 * n / 2; t += 3)
        sum += 3 * defined(c, f, padded, 3 * n, (double)t);
    free(padded);
    free(h);
    return sum / (3.0 / 8 * (double)n); /* by the sum of the squared window */
}

START_TEST(short_wavelets_give_their_mean_energy)
{
    enum { N = 512 };
    const dsp_morlet_config c = {.rate_hz = 16000,
                                 .n_bands = 6,
                                 .low_hz = 500,
                                 .high_hz = 3000,
                                 .w = 6,
                                 .reach = 4,
                                 .sine = true,
                                 .mean_frames = N};
    dsp_morlet m = morlet_of(&c);
    ck_assert_uint_eq(m.n_levels, 1);
    ck_assert_uint_eq(m.window_frames, N);
    float x[N], out[DSP_FRONT_MAX_BANDS];
    uint64_t seed = 5;
    for (int i = 0; i < N; i++)
        x[i] = (float)random_unit(&seed);
    dsp_morlet_frame(&m, x, out);
    /* the gain makes up for the window's own width in the spectrum: 0.3 dB at 500 Hz */
    for (uint32_t b = 0; b < 6; b++)
        ck_assert_double_eq_tol(
            10 * log10((double)out[b] / defined_mean(&c, m.hz[b], x, N)), 0,
            b == 0 ? 0.4 : 0.1);
    dsp_morlet_done(&m);
}
END_TEST

START_TEST(a_sine_in_the_centre_of_a_band_has_half_the_power)
{
    const dsp_morlet_config c = {48000, 64, 60, 12000, 6, 3.34, true, 768, 1536};
    dsp_morlet m = morlet_of(&c);
    float *x = calloc(m.window_frames, sizeof *x), out[DSP_FRONT_MAX_BANDS];
    for (uint32_t b = 0; b < 64; b++) {
        for (uint32_t i = 0; i < m.window_frames; i++)
            x[i] = (float)sin(2 * pi * m.hz[b] * i / 48000);
        dsp_morlet_frame(&m, x, out);
        ck_assert_msg(fabs(10 * log10((double)out[b]) + 3.01) < 0.05, "band %u: %g dB",
                      b, 10 * log10((double)out[b]));
        for (uint32_t o = 0; o < 64; o++)
            ck_assert_msg(out[o] <= 1.02F * out[b], "band %u tops %u", o, b);
    }
    free(x);
    dsp_morlet_done(&m);
}
END_TEST

START_TEST(bands_whose_image_would_beat_are_empty)
{
    const dsp_morlet_config c = {22050, 64, 60, 12000, 6, 3.34, true, 352, 704};
    dsp_morlet m = morlet_of(&c);
    ck_assert_double_le(m.hz[m.n_heard - 1], 22050 * 0.375);
    ck_assert_double_gt(m.hz[m.n_heard], 22050 * 0.375);
    float *x = calloc(m.window_frames, sizeof *x), out[DSP_FRONT_MAX_BANDS];
    uint64_t seed = 5;
    for (uint32_t i = 0; i < m.window_frames; i++)
        x[i] = (float)random_unit(&seed);
    dsp_morlet_frame(&m, x, out);
    for (uint32_t b = 0; b < 64; b++)
        ck_assert((out[b] > 0) == (b < m.n_heard));
    free(x);
    dsp_morlet_done(&m);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
    dsp_morlet_config bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = scipy;
    bad[0].n_bands = 1;
    bad[1].n_bands = DSP_FRONT_MAX_BANDS + 1;
    bad[2].low_hz = 0;
    bad[3].high_hz = 60;
    bad[4].w = 5;
    bad[5].reach = 1;
    bad[6].low_hz = 6001;
    for (int i = 0; i < 7; i++) {
        dsp_morlet m = {0};
        ck_assert_msg(dsp_morlet_init(&m, &bad[i]) == DSP_EARG, "case %d", i);
        dsp_morlet_done(&m);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("morlet");
    TCase *t = tcase_create("morlet");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, moduli_equal_the_golden_ones);
    tcase_add_loop_test(t, energies_are_the_sums_of_their_definition, 0,
                        sizeof configs / sizeof *configs);
    tcase_add_test(t, short_wavelets_give_their_mean_energy);
    tcase_add_test(t, a_sine_in_the_centre_of_a_band_has_half_the_power);
    tcase_add_test(t, bands_whose_image_would_beat_are_empty);
    tcase_add_test(t, settings_out_of_range_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
