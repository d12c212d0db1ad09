/* Log-mel frames against tests/golden, and the FFT path against sums in double. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

#define SLANEY(bands, high)                                                            \
    {                                                                                  \
        .n_bands = bands, .high_hz = high, .warp = DSP_MEL_SLANEY, .norm = DSP_AREA_1  \
    }
#define VGGISH                                                                         \
    {                                                                                  \
        .n_bands = 64, .low_hz = 125, .high_hz = 7500,                                 \
        .triangle = DSP_TRIANGLE_WARPED, .skip_dc = true                               \
    }

/* librosa centres a short window in the FFT's frame, so its first window begins at (fft
 * - window) / 2; VGGish begins at 0. */
static const struct {
    const char *golden;
    double scale; /* of the signal */
    dsp_logmel_config config;
    uint32_t hop, offset;
    double tolerance;
} cases[] = {
    {"logmel64_16000",
     1,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .log_floor = 1e-10,
      .bank = SLANEY(64, 8000)},
     160,
     56,
     0.01},
    {"logmel64_16000_low",
     1 / 512.0,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .log_floor = 1e-10,
      .bank = SLANEY(64, 8000)},
     160,
     56,
     0.01},
    {"logmel128_16000",
     1,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .log_floor = 1e-10,
      .bank = SLANEY(128, 8000)},
     160,
     56,
     0.02},
    {"logmel64_48000",
     1,
     {.rate_hz = 48000,
      .window_frames = 1200,
      .fft_frames = 2048,
      .power_gain = 1,
      .log_floor = 1e-10,
      .bank = SLANEY(64, 24000)},
     480,
     424,
     0.01},
    {"logmel64_48000_n1536",
     1,
     {.rate_hz = 48000,
      .window_frames = 1200,
      .fft_frames = 1536,
      .power_gain = 1 / 9.0,
      .log_floor = 1e-10,
      .bank = SLANEY(64, 8000)},
     480,
     168,
     0.01},
    {"barktri40_logbark_16000",
     1,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .log_floor = 1e-10,
      .bank = {.n_bands = 40,
               .low_hz = 20,
               .high_hz = 8000,
               .warp = DSP_BARK,
               .triangle = DSP_TRIANGLE_WARPED,
               .skip_dc = true}},
     160,
     56,
     0.01},
    {"vggish_logmel_16000",
     1,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .magnitude = true,
      .log = DSP_LOG_LN,
      .log_floor = 0.01,
      .bank = VGGISH},
     160,
     0,
     5e-4},
    {"yamnet_logmel_16000",
     1,
     {.rate_hz = 16000,
      .window_frames = 400,
      .fft_frames = 512,
      .power_gain = 1,
      .magnitude = true,
      .log = DSP_LOG_LN,
      .log_floor = 0.001,
      .bank = VGGISH},
     160,
     0,
     5e-4},
};
enum { N_CASES = sizeof cases / sizeof *cases };

START_TEST(frames_equal_the_golden_ones)
{
    size_t rows, cols;
    float *gold = golden_load(cases[_i].golden, &rows, &cols);
    const uint32_t rate = cases[_i].config.rate_hz;
    float *x = calloc(rate, sizeof *x), out[DSP_MAX_BANDS];
    golden_signal(x, rate, cases[_i].scale);
    dsp_logmel *lm;
    ck_assert(!dsp_logmel_new(&lm, &cases[_i].config));
    ck_assert_uint_eq(cols, cases[_i].config.bank.n_bands);
    double worst = 0;
    for (size_t r = 0; r < rows; r++) {
        ck_assert(cases[_i].offset + r * cases[_i].hop +
                      cases[_i].config.window_frames <=
                  rate);
        dsp_logmel_frame(lm, x + cases[_i].offset + r * cases[_i].hop, out);
        for (size_t b = 0; b < cols; b++)
            worst = fmax(worst, fabs((double)(out[b] - gold[r * cols + b])));
    }
    ck_assert_msg(worst <= cases[_i].tolerance, "%s: off by %g, allowed %g",
                  cases[_i].golden, worst, cases[_i].tolerance);
    dsp_logmel_free(lm);
    free(gold);
    free(x);
}
END_TEST

START_TEST(the_generated_signal_is_the_golden_one_in_every_bit)
{
    size_t rows, cols;
    float *gold = golden_load("sig_16000", &rows, &cols), x[16000];
    golden_signal(x, 16000, 1);
    ck_assert_uint_eq(rows, 16000);
    for (size_t i = 0; i < rows; i++)
        ck_assert(x[i] == gold[i]);
    free(gold);
}
END_TEST

static const struct {
    const char *golden;
    uint32_t rate, window, fft, hop, offset;
} powers[] = {{"power_16000_f40", 16000, 400, 512, 160, 56},
              {"power_48000_f40", 48000, 1200, 2048, 480, 424}};

START_TEST(the_power_spectrum_equals_the_golden_one)
{
    size_t n, cols;
    float *gold = golden_load(powers[_i].golden, &n, &cols);
    const uint32_t rate = powers[_i].rate;
    float *x = calloc(rate, sizeof *x);
    golden_signal(x, rate, 1);
    const dsp_logmel_config c = {.rate_hz = rate,
                                 .window_frames = powers[_i].window,
                                 .fft_frames = powers[_i].fft,
                                 .power_gain = 1,
                                 .log_floor = 1e-10,
                                 .bank = {.n_bands = 1, .high_hz = rate / 2.0}};
    dsp_logmel *lm;
    ck_assert(!dsp_logmel_new(&lm, &c));
    const float *p = dsp_logmel_power(lm, x + powers[_i].offset + 40 * powers[_i].hop);
    float peak = 0;
    for (size_t k = 0; k < n; k++)
        peak = fmaxf(peak, gold[k]);
    for (size_t k = 0; k < n; k++)
        ck_assert_msg(fabsf(p[k] - gold[k]) < 1e-6F * peak, "bin %zu: %g, golden %g", k,
                      (double)p[k], (double)gold[k]);
    dsp_logmel_free(lm);
    free(gold);
    free(x);
}
END_TEST

static const uint32_t rates[] = {22050, 32000, 44100, 48000, 96000};

START_TEST(the_fft_path_is_the_sum_of_its_definition_within_100_dB)
{
    const dsp_logmel_config c = dsp_logmel_config_default(rates[_i]);
    const uint32_t n = c.fft_frames;
    float *x = calloc(n, sizeof *x);
    uint64_t seed = 7;
    for (uint32_t i = 0; i < n; i++)
        x[i] = (float)random_unit(&seed);
    dsp_logmel *lm;
    ck_assert(!dsp_logmel_new(&lm, &c));
    const float *p = dsp_logmel_power(lm, x);
    double signal = 0, error = 0, window = 0;
    for (uint32_t i = 0; i < n; i++)
        window += 0.5 - 0.5 * cos(6.283185307179586 * i / n);
    for (uint32_t k = 0; k <= n / 2; k++) {
        double re = 0, im = 0;
        for (uint32_t i = 0; i < n; i++) {
            const double w = 0.5 - 0.5 * cos(6.283185307179586 * i / n);
            const double angle = 6.283185307179586 * (double)((uint64_t)i * k % n) / n;
            re += w * (double)x[i] * cos(angle);
            im -= w * (double)x[i] * sin(angle);
        }
        const double want = (re * re + im * im) * 2 / (window * window);
        signal += want * want;
        error += ((double)p[k] - want) * ((double)p[k] - want);
    }
    ck_assert_msg(10 * log10(signal / error) > 100, "only %.1f dB",
                  10 * log10(signal / error));
    dsp_logmel_free(lm);
    free(x);
}
END_TEST

START_TEST(levels_are_dBFS_of_what_sounds)
{
    enum { N = 1536 };
    const dsp_logmel_config c = dsp_logmel_config_default(48000);
    dsp_logmel *lm;
    float sine[N], noise[N], silence[N] = {0}, out[DSP_BANDS];
    uint64_t seed = 3;
    for (int i = 0; i < N; i++) {
        sine[i] = (float)sin(6.283185307179586 * 1000 * i / 48000);
        noise[i] = (float)random_unit(&seed);
    }
    ck_assert(!dsp_logmel_new(&lm, &c));
    ck_assert_double_eq_tol(dsp_logmel_frame(lm, sine, out), -3.01, 0.01);
    /* white to 24 kHz: -4.77 dB in all, 14/24 of it inside the bank */
    ck_assert_double_eq_tol(dsp_logmel_frame(lm, noise, out),
                            -4.77 + 10 * log10(13.95 / 24), 0.7);
    ck_assert_float_eq(dsp_logmel_frame(lm, silence, out), -120);
    for (int b = 0; b < DSP_BANDS; b++)
        ck_assert_double_eq_tol(out[b], -110, 1e-3);
    dsp_logmel_free(lm);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
    const dsp_logmel_config good = dsp_logmel_config_default(48000);
    dsp_logmel_config bad[6];
    for (int i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].fft_frames = 1537;
    bad[1].window_frames = 1537;
    bad[2].rate_hz = 10;
    bad[3].log_floor = 0;
    bad[4].fft_frames = bad[4].window_frames = 16;
    bad[5].bank.n_bands = 0;
    for (int i = 0; i < 6; i++) {
        dsp_logmel *lm;
        ck_assert_msg(dsp_logmel_new(&lm, &bad[i]) == DSP_EARG, "case %d", i);
        ck_assert_ptr_null(lm);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("logmel");
    TCase *t = tcase_create("logmel");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, frames_equal_the_golden_ones, 0, N_CASES);
    tcase_add_test(t, the_generated_signal_is_the_golden_one_in_every_bit);
    tcase_add_loop_test(t, the_power_spectrum_equals_the_golden_one, 0, 2);
    tcase_add_loop_test(t, the_fft_path_is_the_sum_of_its_definition_within_100_dB, 0,
                        sizeof rates / sizeof *rates);
    tcase_add_test(t, levels_are_dBFS_of_what_sounds);
    tcase_add_test(t, settings_out_of_range_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
