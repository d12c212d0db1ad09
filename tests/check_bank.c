/* Filter banks against tests/golden and against their definition. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    const char *golden;
    dsp_bank_config config;
    double hz_per_bin;
    uint32_t n_bins;
} banks[] = {
    {"melfb_slaney_64_16000_512",
     {.n_bands = 64, .high_hz = 8000, .warp = DSP_MEL_SLANEY, .norm = DSP_AREA_1},
     31.25,
     257},
    {"melfb_slaney_64_48000_2048",
     {.n_bands = 64, .high_hz = 24000, .warp = DSP_MEL_SLANEY, .norm = DSP_AREA_1},
     48000 / 2048.0,
     1025},
    {"melfb_slaney_128_48000_2048",
     {.n_bands = 128, .high_hz = 24000, .warp = DSP_MEL_SLANEY, .norm = DSP_AREA_1},
     48000 / 2048.0,
     1025},
    {"melfb_htk_64_16000_512", {.n_bands = 64, .high_hz = 8000}, 31.25, 257},
    {"melfb_htk_128_16000_512", {.n_bands = 128, .high_hz = 8000}, 31.25, 257},
    {"vggish_melfb_64",
     {.n_bands = 64,
      .low_hz = 125,
      .high_hz = 7500,
      .triangle = DSP_TRIANGLE_WARPED,
      .skip_dc = true},
     31.25,
     257},
    {"barktri40_fb_16000_512",
     {.n_bands = 40,
      .low_hz = 20,
      .high_hz = 8000,
      .warp = DSP_BARK,
      .triangle = DSP_TRIANGLE_WARPED,
      .skip_dc = true},
     31.25,
     257},
};
enum { N_BANKS = sizeof banks / sizeof *banks };

START_TEST(every_weight_equals_the_golden_bank_and_all_others_are_zero)
{
    size_t n, cols;
    float *gold = golden_load(banks[_i].golden, &n, &cols);
    ck_assert_uint_eq(cols, 3);
    dsp_bank *bank;
    ck_assert(!dsp_bank_new(&bank, &banks[_i].config, banks[_i].hz_per_bin,
                            banks[_i].n_bins));
    for (uint32_t b = 0; b < banks[_i].config.n_bands; b++) {
        float peak = 0;
        for (size_t i = 0; i < n; i++)
            if ((uint32_t)gold[3 * i] == b)
                peak = fmaxf(peak, gold[3 * i + 2]);
        for (uint32_t k = 0; k < banks[_i].n_bins; k++) {
            float want = 0;
            for (size_t i = 0; i < n; i++)
                if ((uint32_t)gold[3 * i] == b && (uint32_t)gold[3 * i + 1] == k)
                    want = gold[3 * i + 2];
            const float got = dsp_bank_weight(bank, b, k);
            ck_assert_msg(fabsf(got - want) <= 1e-6F * fmaxf(peak, 1e-3F),
                          "%s band %u bin %u: %g, golden %g", banks[_i].golden, b, k,
                          (double)got, (double)want);
        }
    }
    dsp_bank_free(bank);
    free(gold);
}
END_TEST

static const uint32_t rates[] = {22050, 32000, 44100, 48000, 88200, 96000};

START_TEST(bands_of_our_frames_sum_to_one_or_lie_beyond_nyquist)
{
    const dsp_logmel_config c = dsp_logmel_config_default(rates[_i]);
    const double spacing = (double)rates[_i] / c.fft_frames;
    const uint32_t n_bins = c.fft_frames / 2 + 1;
    dsp_bank *bank;
    ck_assert(!dsp_bank_new(&bank, &c.bank, spacing, n_bins));
    for (uint32_t b = 0; b < DSP_BANDS; b++) {
        double sum = 0;
        for (uint32_t k = 0; k < n_bins; k++)
            sum += (double)dsp_bank_weight(bank, b, k);
        const double low = 700 * (pow(10, (2595 * log10(1 + 50 / 700.0) +
                                           b * (2595 * log10(14700.0 / 750) / 65)) /
                                              2595) -
                                  1);
        if (low + 2 * spacing < rates[_i] / 2.0)
            ck_assert_msg(fabs(sum - 1) < 1e-5, "%u Hz band %u sums to %g", rates[_i],
                          b, sum);
        else
            ck_assert_msg(sum < 1.00001, "%u Hz band %u sums to %g", rates[_i], b, sum);
    }
    dsp_bank_free(bank);
}
END_TEST

START_TEST(bin_spacing_is_the_same_at_every_rate)
{
    const dsp_logmel_config c = dsp_logmel_config_default(rates[_i]);
    ck_assert_double_eq_tol((double)rates[_i] / c.fft_frames, 31.25, 0.08);
    ck_assert_uint_eq(c.fft_frames % 64, 0);
}
END_TEST

static const struct {
    const char *name;
    dsp_bank_config config;
    double hz_per_bin;
    uint32_t n_bins;
} refused[] = {
    {"no band", {.n_bands = 0, .high_hz = 100}, 1, 100},
    {"too many bands", {.n_bands = DSP_MAX_BANDS + 1, .high_hz = 100}, 1, 100},
    {"upside down", {.n_bands = 4, .low_hz = 200, .high_hz = 100}, 1, 100},
    {"infinite", {.n_bands = 4, .high_hz = INFINITY}, 1, 100},
    {"not a number", {.n_bands = 4, .low_hz = NAN, .high_hz = 100}, 1, 100},
    {"no spacing", {.n_bands = 4, .high_hz = 100}, 0, 100},
    {"one bin", {.n_bands = 4, .high_hz = 100}, 1, 1},
    {"too many bins", {.n_bands = 4, .high_hz = 100}, 1, DSP_MAX_FFT},
};

START_TEST(impossible_banks_are_refused)
{
    dsp_bank *bank;
    ck_assert_msg(dsp_bank_new(&bank, &refused[_i].config, refused[_i].hz_per_bin,
                               refused[_i].n_bins) == DSP_EARG,
                  "case: %s", refused[_i].name);
    ck_assert_ptr_null(bank);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("bank");
    TCase *t = tcase_create("bank");
    tcase_add_loop_test(t, every_weight_equals_the_golden_bank_and_all_others_are_zero,
                        0, N_BANKS);
    tcase_add_loop_test(t, bands_of_our_frames_sum_to_one_or_lie_beyond_nyquist, 0,
                        sizeof rates / sizeof *rates);
    tcase_add_loop_test(t, bin_spacing_is_the_same_at_every_rate, 0,
                        sizeof rates / sizeof *rates);
    tcase_add_loop_test(t, impossible_banks_are_refused, 0,
                        sizeof refused / sizeof *refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
