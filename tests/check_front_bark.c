/* The Bark bands of zounds against zounds, and what methods.md says of the others. */
#include "../dsp/front_private.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    uint32_t rate, window, hop;
} golden[] = {{22050, 1024, 512}, {16000, 512, 256}};
enum { GOLDEN = sizeof golden / sizeof *golden };

static float *
load(const char *name, uint32_t rate, size_t *rows, size_t *cols)
{
    char full[64];
    snprintf(full, sizeof full, "%s_%u", name, rate);
    return golden_load(full, rows, cols);
}

static dsp_barks
barks_of(dsp_barks_kind kind, double rate, uint32_t frames, uint32_t factor)
{
    dsp_barks b = {0};
    ck_assert(!dsp_barks_init(&b, kind, rate, frames, factor));
    return b;
}

static float
weight(const dsp_barks *b, uint32_t band, uint32_t bin)
{
    const dsp_band *r = &b->rows.bands[band];
    if (bin < r->first_bin || bin - r->first_bin >= r->n_blocks * DSP_LANES)
        return 0;
    return b->rows.weights[r->offset + bin - r->first_bin];
}

START_TEST(weights_equal_the_golden_ones)
{
    size_t n, cols, rows, n_params;
    float *gold = load("bark100_fb", golden[_i].rate, &n, &cols);
    float *params = load("bark100_params", golden[_i].rate, &rows, &n_params);
    dsp_barks b = barks_of(DSP_BARKS_2018, golden[_i].rate, golden[_i].window, 1);
    float *dense = calloc((size_t)DSP_BARKS * b.n_bins, sizeof *dense);
    for (size_t i = 0; i < n; i++)
        dense[(size_t)gold[3 * i] * b.n_bins + (size_t)gold[3 * i + 1]] =
            gold[3 * i + 2];
    for (uint32_t band = 0; band < DSP_BARKS; band++) {
        double hz[3];
        dsp_barks_edges(DSP_BARKS_2018, golden[_i].rate, band, &hz[0], &hz[1], &hz[2]);
        for (size_t i = 0; i < 3; i++)
            ck_assert_msg(fabs(hz[i] / (double)params[3 * band + i] - 1) < 1e-6,
                          "band %u: %.9g Hz", band, hz[i]);
        for (uint32_t k = 0; k < b.n_bins; k++)
            ck_assert_msg(fabsf(weight(&b, band, k) - dense[band * b.n_bins + k]) <
                              1e-6F,
                          "band %u, bin %u", band, k);
    }
    dsp_barks_done(&b);
    free(dense);
    free(params);
    free(gold);
}
END_TEST

/* Largest difference of rows[n], over scale. */
static double
worst_of(const float got[], const float want[], size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)got[i] - (double)want[i]));
    return worst;
}

START_TEST(bands_and_cepstra_equal_the_golden_ones)
{
    enum { ROOM = 520 };
    size_t rows, cols, n;
    const uint32_t rate = golden[_i].rate;
    float *gold = load("bark100", rate, &rows, &cols), peak = 0;
    float *bfcc = load("bfcc13_bark", rate, &rows, &n);
    float *fft = load("bfcc13_fft", rate, &rows, &n);
    float *x = calloc(rate, sizeof *x), out[ROOM], c[13];
    golden_signal(x, rate, 1);
    for (size_t i = 0; i < rows * cols; i++)
        peak = fmaxf(peak, gold[i]);
    dsp_barks b = barks_of(DSP_BARKS_2018, rate, golden[_i].window, 1);
    dsp_dct of_bands = {0}, of_bins = {0};
    ck_assert(!dsp_dct_init(&of_bands, DSP_DCT_PLAIN, DSP_BARKS, 13));
    ck_assert(!dsp_dct_init(&of_bins, DSP_DCT_PLAIN, b.n_bins, 13));
    for (size_t r = 0; r < rows; r++) {
        dsp_barks_frame(&b, x + r * golden[_i].hop, out);
        ck_assert_double_le(worst_of(out, gold + r * cols, cols), 1e-5 * (double)peak);
        dsp_barks_log(b.kern, out, b.rows.n_padded);
        dsp_cepstra(&of_bands, out, c);
        ck_assert_double_le(worst_of(c, bfcc + 13 * r, 13), 5e-3);
        for (uint32_t k = 0; k < ROOM; k++)
            out[k] = k < b.n_bins ? b.magnitude[k] : 0;
        dsp_barks_log(b.kern, out, ROOM);
        dsp_cepstra(&of_bins, out, c);
        ck_assert_double_le(worst_of(c, fft + 13 * r, 13), 2e-2);
    }
    dsp_dct_done(&of_bins);
    dsp_dct_done(&of_bands);
    dsp_barks_done(&b);
    free(x);
    free(fft);
    free(bfcc);
    free(gold);
}
END_TEST

static const struct {
    const char *name;
    dsp_barks_kind kind;
    uint32_t n_empty;
} kinds[] = {{"2016", DSP_BARKS_2016, 2},
             {"2018", DSP_BARKS_2018, 6},
             {"fixed", DSP_BARKS_FIXED, 0}};

START_TEST(as_many_bands_are_empty_as_published)
{
    dsp_barks b = barks_of(kinds[_i].kind, 22050, 1024, 1);
    uint32_t n_empty = 0;
    for (uint32_t band = 0; band < DSP_BARKS; band++) {
        float sum = 0;
        for (uint32_t k = 0; k < b.n_bins; k++) {
            ck_assert(weight(&b, band, k) >= 0 && weight(&b, band, k) <= 1);
            sum += weight(&b, band, k);
        }
        n_empty += sum <= 0;
    }
    ck_assert_msg(n_empty == kinds[_i].n_empty, "%s: %u", kinds[_i].name, n_empty);
    dsp_barks_done(&b);
}
END_TEST

/* The band that a sine raises most. */
static uint32_t
loudest_at(dsp_barks *b, double rate, double hz)
{
    float x[4096], out[DSP_FRONT_MAX_BANDS];
    for (uint32_t i = 0; i < b->fft.n; i++)
        x[i] = (float)sin(6.283185307179586 * hz * i / rate);
    dsp_barks_frame(b, x, out);
    uint32_t best = 0;
    for (uint32_t i = 1; i < DSP_BARKS; i++)
        best = out[i] > out[best] ? i : best;
    return best;
}

START_TEST(the_article_hears_at_half_of_the_frequency)
{
    static const double off[] = {0.5, 1, 1};
    dsp_barks b = barks_of(kinds[_i].kind, 22050, 1024, 1);
    for (uint32_t band = 60; band < 95; band += 7) {
        double hz, low, high;
        dsp_barks_edges(kinds[_i].kind, 22050, band, &hz, &low, &high);
        const uint32_t best = loudest_at(&b, 22050, hz * off[_i]);
        /* neighbours overlap by more than half */
        ck_assert_msg(best + 2 >= band && best <= band + 2, "%s: %u for %u",
                      kinds[_i].name, best, band);
    }
    dsp_barks_done(&b);
}
END_TEST

START_TEST(the_devices_rate_gives_what_a_decimated_sound_would)
{
    enum { N = 1024 };
    float x[N], twice[2 * N], want[DSP_FRONT_MAX_BANDS], got[DSP_FRONT_MAX_BANDS];
    for (int i = 0; i < 2 * N; i++) { /* half a sample later, as windows' middles are */
        const double t = (i + 0.5) / 44100;
        twice[i] = (float)(sin(6911 * t) + 0.3 * sin(31000 * t) + 0.1 * sin(450 * t));
    }
    for (int i = 0; i < N; i++) {
        const double t = (i + 0.5) / 22050;
        x[i] = (float)(sin(6911 * t) + 0.3 * sin(31000 * t) + 0.1 * sin(450 * t));
    }
    dsp_barks one = barks_of(kinds[_i].kind, 22050, N, 1);
    dsp_barks two = barks_of(kinds[_i].kind, 22050, N, 2);
    dsp_barks_frame(&one, x, want);
    dsp_barks_frame(&two, twice, got);
    float peak = 0;
    for (int b = 0; b < DSP_BARKS; b++)
        peak = fmaxf(peak, want[b]);
    ck_assert_double_le(worst_of(got, want, DSP_BARKS), 1e-4 * (double)peak);
    dsp_barks_done(&two);
    dsp_barks_done(&one);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("front_bark");
    TCase *t = tcase_create("front_bark");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, weights_equal_the_golden_ones, 0, GOLDEN);
    tcase_add_loop_test(t, bands_and_cepstra_equal_the_golden_ones, 0, GOLDEN);
    tcase_add_loop_test(t, as_many_bands_are_empty_as_published, 0, 3);
    tcase_add_loop_test(t, the_article_hears_at_half_of_the_frequency, 0, 3);
    tcase_add_loop_test(t, the_devices_rate_gives_what_a_decimated_sound_would, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
