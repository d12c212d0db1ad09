/* BFCC frames and timbre codes against their definitions. */
#include "support.h"

#include "dsp/timbre.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WINDOW = 4458 };

static const double pi = 3.14159265358979323846;

static const struct {
    uint32_t rate_hz, window, fft;
} rates[] = {
    {22000, 1022, 1024}, {22050, 1024, 1024}, {24000, 1115, 1120}, {32000, 1486, 1500},
    {44100, 2048, 2048}, {48000, 2229, 2240}, {88200, 4096, 4096}, {96000, 4458, 4480},
};
enum { N_RATES = sizeof rates / sizeof *rates };

static float x[MAX_WINDOW];

static dsp_bfcc *
bfcc_new(uint32_t rate_hz)
{
    dsp_bfcc *b;
    dsp_thread_init();
    ck_assert(dsp_bfcc_new(&b, rate_hz) == DSP_OK);
    ck_assert_uint_le(dsp_bfcc_window(b), MAX_WINDOW);
    return b;
}

/* partials of hz, falling as 1/h. */
static void
fill_tone(uint32_t rate_hz, double hz, int partials, double gain)
{
    for (uint32_t i = 0; i < MAX_WINDOW; i++) {
        double v = 0;
        for (int h = 1; h <= partials && h * hz < 10000; h++)
            v += sin(2 * pi * hz * h * i / rate_hz + h) / h;
        x[i] = (float)(gain * v);
    }
}

static double
product(const float a[DSP_BFCC], const float b[DSP_BFCC])
{
    double sum = 0;
    for (int k = 0; k < DSP_BFCC; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

/* ---- Definitions, in double ------------------------------------------------------ */

static double
band_hz(int band)
{
    const double low = 6 * asinh(20.0 / 600), high = 6 * asinh(11025.0 / 600);
    return 600 * sinh((low + (high - low) * band / 99) / 6);
}

static double
weight_by_definition(int band, double hz)
{
    const double f = band_hz(band), w = 1 - fabs(hz - f) / ((24.7 + 0.108 * f) / 2);
    return w > 0 ? w : 0;
}

/* |X[k]| 1024 / n of the windowed frame without its mean. */
static void
spectrum_by_definition(uint32_t n, uint32_t fft, uint32_t n_bins, double magnitude[])
{
    static double v[MAX_WINDOW], w[MAX_WINDOW];
    double sum = 0, sum_w = 0;
    for (uint32_t i = 0; i < n; i++) {
        w[i] = sin(pi / 2 * pow(sin(pi * (i + 0.5) / n), 2));
        sum += w[i] * (double)x[i];
        sum_w += w[i];
    }
    for (uint32_t i = 0; i < n; i++)
        v[i] = w[i] * ((double)x[i] - sum / sum_w);
    for (uint32_t k = 0; k < n_bins; k++) {
        double re = 0, im = 0;
        for (uint32_t i = 0; i < n; i++) {
            const double turn = 2 * pi * (double)((uint64_t)i * k % fft) / fft;
            re += v[i] * cos(turn);
            im -= v[i] * sin(turn);
        }
        magnitude[k] = hypot(re, im) * 1024 / n;
    }
}

static void
bfcc_by_definition(uint32_t row, double y[DSP_BFCC])
{
    static double magnitude[MAX_WINDOW], band[DSP_BARK_BANDS];
    const uint32_t fft = rates[row].fft, n_bins = fft / 2 + 1;
    double norm = 0;
    spectrum_by_definition(rates[row].window, fft, n_bins, magnitude);
    for (int b = 0; b < DSP_BARK_BANDS; b++) {
        band[b] = 1e-12;
        for (uint32_t k = 0; k < n_bins; k++)
            band[b] += magnitude[k] *
                       weight_by_definition(b, (double)k * rates[row].rate_hz / fft);
    }
    for (int k = 1; k <= DSP_BFCC; k++) {
        y[k - 1] = 0;
        for (int b = 0; b < DSP_BARK_BANDS; b++)
            y[k - 1] += 2 * log(band[b]) * cos(pi * k * (2 * b + 1) / 200);
        norm += y[k - 1] * y[k - 1];
    }
    for (int k = 0; k < DSP_BFCC; k++)
        y[k] /= sqrt(norm);
}

/* ---- Frames ---------------------------------------------------------------------- */

START_TEST(windows_and_transforms_have_the_documented_lengths)
{
    dsp_bfcc *b = bfcc_new(rates[_i].rate_hz);
    ck_assert_uint_eq(dsp_bfcc_window(b), rates[_i].window);
    ck_assert_uint_eq(dsp_bfcc_fft(b), rates[_i].fft);
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(bands_are_triangles_at_true_frequencies_and_none_is_empty)
{
    dsp_bfcc *b = bfcc_new(rates[_i].rate_hz);
    for (uint32_t band = 0; band < DSP_BARK_BANDS; band++) {
        double sum = 0;
        for (uint32_t k = 0; k <= rates[_i].fft / 2; k++) {
            const double hz = (double)k * rates[_i].rate_hz / rates[_i].fft;
            const double w = (double)dsp_bfcc_weight(b, band, k);
            ck_assert_double_eq_tol(w, weight_by_definition((int)band, hz), 1e-6);
            sum += w;
        }
        ck_assert_msg(sum > 0.1, "band %u weighs %g", band, sum);
    }
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(no_rate_has_bins_too_far_apart_for_the_narrowest_band)
{
    for (uint32_t rate = DSP_MIN_RATE_HZ; rate <= DSP_MAX_RATE_HZ; rate += 997) {
        dsp_bfcc *b = bfcc_new(rate);
        const double spacing = (double)rate / dsp_bfcc_fft(b);
        ck_assert_msg(spacing < 21.6 && spacing > 20.9, "%u Hz: %g", rate, spacing);
        dsp_bfcc_free(b);
    }
}
END_TEST

START_TEST(coefficients_equal_their_definition)
{
    dsp_bfcc *b = bfcc_new(rates[_i].rate_hz);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        float out[DSP_BFCC];
        double want[DSP_BFCC];
        make_sound(x, MAX_WINDOW, rates[_i].rate_hz, seed);
        bfcc_by_definition((uint32_t)_i, want);
        ck_assert(dsp_bfcc_frame(b, x, out));
        for (int k = 0; k < DSP_BFCC; k++)
            ck_assert_msg(fabs((double)out[k] - want[k]) < 2e-5,
                          "sound %d, coefficient %d: %g, not %g", (int)seed, k + 1,
                          (double)out[k], want[k]);
    }
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(frames_have_unit_length_and_gain_changes_nothing)
{
    static const float gains[] = {1e-3F, 0.03F, 0.7F, 30};
    dsp_bfcc *b = bfcc_new(rates[_i].rate_hz);
    float want[DSP_BFCC], got[DSP_BFCC];
    make_sound(x, MAX_WINDOW, rates[_i].rate_hz, 3);
    ck_assert(dsp_bfcc_frame(b, x, want));
    ck_assert_double_eq_tol(product(want, want), 1, 1e-6);
    for (size_t g = 0; g < sizeof gains / sizeof *gains; g++) {
        make_sound(x, MAX_WINDOW, rates[_i].rate_hz, 3);
        for (uint32_t i = 0; i < MAX_WINDOW; i++)
            x[i] *= gains[g];
        ck_assert(dsp_bfcc_frame(b, x, got));
        for (int k = 0; k < DSP_BFCC; k++)
            ck_assert_double_eq_tol(got[k], want[k], 1e-5);
    }
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(an_offset_changes_nothing_and_alone_is_silence)
{
    dsp_bfcc *b = bfcc_new(rates[_i].rate_hz);
    float want[DSP_BFCC], got[DSP_BFCC];
    make_sound(x, MAX_WINDOW, rates[_i].rate_hz, 4);
    ck_assert(dsp_bfcc_frame(b, x, want));
    for (uint32_t i = 0; i < MAX_WINDOW; i++)
        x[i] += 0.1F;
    ck_assert(dsp_bfcc_frame(b, x, got));
    for (int k = 0; k < DSP_BFCC; k++)
        ck_assert_double_eq_tol(got[k], want[k], 1e-4);
    for (uint32_t i = 0; i < MAX_WINDOW; i++)
        x[i] = 0.1F;
    ck_assert(!dsp_bfcc_frame(b, x, got));
    dsp_bfcc_free(b);
}
END_TEST

static const struct {
    const char *name;
    double hz, floor;
    int partials;
} tones[] = {
    {"a sine, whose empty bands hold rounding", 440, 0.98, 1},
    {"a low tone", 61, 0.999, 100},
    {"a full tone", 220, 0.999, 30},
};

START_TEST(the_same_tone_at_44100_and_48000_hz_has_the_same_frame)
{
    float a[DSP_BFCC], c[DSP_BFCC];
    dsp_bfcc *b = bfcc_new(44100);
    fill_tone(44100, tones[_i].hz, tones[_i].partials, 0.2);
    ck_assert(dsp_bfcc_frame(b, x, a));
    dsp_bfcc_free(b);
    b = bfcc_new(48000);
    fill_tone(48000, tones[_i].hz, tones[_i].partials, 0.2);
    ck_assert(dsp_bfcc_frame(b, x, c));
    dsp_bfcc_free(b);
    ck_assert_msg(product(a, c) > tones[_i].floor, "%s: cosine %g", tones[_i].name,
                  product(a, c));
}
END_TEST

static const struct {
    const char *name;
    double hz, gain;
    float bad; /* put into the middle, where not 0 */
    bool loud;
} levels[] = {
    {"zeros", 1000, 0, 0, false},
    {"sine at -91 dBFS", 1000, 3.98e-5, 0, false},
    {"sine at -89 dBFS", 1000, 5.02e-5, 0, true},
    {"denormals", 1000, 1e-40, 0, false},
    {"sine beyond the bands", 17000, 0.5, 0, false},
    {"no number", 1000, 0.5, NAN, false},
    {"infinite", 1000, 0.5, INFINITY, false},
    {"huge", 1000, 1e30, 0, false},
};

START_TEST(frames_without_direction_say_so)
{
    static const float zeros[DSP_BFCC];
    dsp_bfcc *b = bfcc_new(48000);
    float out[DSP_BFCC], again[DSP_BFCC];
    fill_tone(48000, 300, 3, 0.1);
    ck_assert(dsp_bfcc_frame(b, x, again));
    for (uint32_t i = 0; i < MAX_WINDOW; i++)
        x[i] = (float)(levels[_i].gain * sin(2 * pi * levels[_i].hz * i / 48000));
    if (!(levels[_i].bad == 0.0F))
        x[1000] = levels[_i].bad;
    const bool loud = dsp_bfcc_frame(b, x, out);
    ck_assert_msg(loud == levels[_i].loud, "%s", levels[_i].name);
    ck_assert_msg(loud || !memcmp(out, zeros, sizeof out), "%s", levels[_i].name);
    fill_tone(48000, 300, 3, 0.1); /* and leave nothing behind */
    ck_assert(dsp_bfcc_frame(b, x, out));
    ck_assert_mem_eq(out, again, sizeof out);
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(rates_out_of_range_are_refused)
{
    static const uint32_t bad[] = {0, 1000, DSP_MIN_RATE_HZ - 1, DSP_MAX_RATE_HZ + 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dsp_bfcc *b;
        ck_assert(dsp_bfcc_new(&b, bad[i]) == DSP_EARG);
        ck_assert_ptr_null(b);
    }
}
END_TEST

START_TEST(frames_and_codes_leave_the_heap_alone)
{
    static const float centroids[DSP_TIMBRE_BITS * DSP_BFCC];
    float out[DSP_BFCC];
    dsp_timbre_code code = {0};
    dsp_bfcc *b = bfcc_new(48000);
    make_sound(x, MAX_WINDOW, 48000, 1);
    const uint64_t before = heap_calls;
    for (int i = 0; i < 100; i++) {
        dsp_bfcc_frame(b, x + i, out);
        dsp_timbre_push(&code, dsp_timbre_nearest(centroids, out));
    }
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(before, after);
    dsp_bfcc_free(b);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    dsp_bfcc *b = NULL;
    uint64_t k = 1;
    for (; !b; k++) {
        heap_fail_at = k;
        const dsp_status st = dsp_bfcc_new(&b, 48000);
        heap_fail_at = 0;
        ck_assert(st == (b ? DSP_OK : DSP_ENOMEM));
    }
    ck_assert_uint_gt(k, 9);
    dsp_bfcc_free(b);
    dsp_bfcc_free(NULL);
}
END_TEST

/* ---- Codes ----------------------------------------------------------------------- */

START_TEST(nearest_is_the_nearest_and_ties_go_to_the_lower_number)
{
    static float c[DSP_TIMBRE_BITS * DSP_BFCC];
    uint64_t seed = 5;
    for (int i = 0; i < DSP_TIMBRE_BITS * DSP_BFCC; i++)
        c[i] = (float)floor(2 * random_unit(&seed)); /* coarse: many ties */
    for (int run = 0; run < 500; run++) {
        float q[DSP_BFCC];
        double least = INFINITY;
        uint32_t want = 0;
        for (int k = 0; k < DSP_BFCC; k++)
            q[k] = (float)floor(2 * random_unit(&seed));
        for (uint32_t i = 0; i < DSP_TIMBRE_BITS; i++) {
            double d = 0;
            for (uint32_t k = 0; k < DSP_BFCC; k++)
                d += pow((double)q[k] - (double)c[i * DSP_BFCC + k], 2);
            if (d < least) {
                least = d;
                want = i;
            }
        }
        ck_assert_uint_eq(dsp_timbre_nearest(c, q), want);
    }
}
END_TEST

static int
popcount(const dsp_timbre_code *code)
{
    return __builtin_popcountll(code->bits[0]) + __builtin_popcountll(code->bits[1]);
}

/* OR over the last frames of stream[0..n). */
static void
or_by_definition(const uint32_t stream[], int n, uint64_t bits[DSP_TIMBRE_WORDS])
{
    bits[0] = bits[1] = 0;
    for (int i = n > DSP_TIMBRE_FRAMES ? n - DSP_TIMBRE_FRAMES : 0; i < n; i++)
        if (stream[i] < DSP_TIMBRE_BITS)
            bits[stream[i] / 64] |= (uint64_t)1 << stream[i] % 64;
}

START_TEST(or_by_counts_is_or_by_definition)
{
    enum { N = 5000 };
    static uint32_t stream[N];
    /* of few centroids or of many, silence among them */
    const uint32_t n_kinds = _i == 0 ? 5 : _i == 1 ? 40 : DSP_TIMBRE_BITS + 1;
    uint64_t seed = 9, bits[DSP_TIMBRE_WORDS];
    dsp_timbre_code code = {0};
    for (int i = 0; i < N; i++) {
        const uint64_t u = random_u64(&seed) >> 32;
        stream[i] = u % 7 == 0 ? DSP_TIMBRE_BITS : (uint32_t)(u % n_kinds);
        dsp_timbre_push(&code, stream[i]);
        or_by_definition(stream, i + 1, bits);
        ck_assert_mem_eq(code.bits, bits, sizeof bits);
        ck_assert_int_le(popcount(&code), DSP_TIMBRE_FRAMES);
        ck_assert_int_le(popcount(&code), (int)code.n_loud);
    }
}
END_TEST

START_TEST(thirty_different_frames_fill_thirty_bits_and_no_more)
{
    dsp_timbre_code code = {0};
    for (uint32_t i = 0; i < 3 * DSP_TIMBRE_BITS; i++) {
        dsp_timbre_push(&code, i % DSP_TIMBRE_BITS);
        const int want = i < DSP_TIMBRE_FRAMES ? (int)i + 1 : DSP_TIMBRE_FRAMES;
        ck_assert_int_eq(popcount(&code), want);
        ck_assert_uint_eq(code.n_loud, (uint32_t)want);
    }
}
END_TEST

START_TEST(one_frame_repeated_gives_one_bit_until_silence_takes_it)
{
    dsp_timbre_code code = {0};
    for (int i = 0; i < 1000; i++)
        dsp_timbre_push(&code, 77);
    ck_assert(code.bits[0] == 0 && code.bits[1] == (uint64_t)1 << 13);
    for (int i = 1; i <= DSP_TIMBRE_FRAMES; i++) {
        ck_assert_int_eq(popcount(&code), 1);
        dsp_timbre_push(&code, DSP_TIMBRE_BITS);
        ck_assert_uint_eq(code.n_loud, (uint32_t)(DSP_TIMBRE_FRAMES - i));
    }
    ck_assert_int_eq(popcount(&code), 0);
}
END_TEST

START_TEST(order_inside_the_window_does_not_matter)
{
    uint64_t seed = 3;
    uint32_t frame[DSP_TIMBRE_FRAMES];
    dsp_timbre_code want = {0}, got = {0};
    for (int i = 0; i < DSP_TIMBRE_FRAMES; i++)
        frame[i] = (uint32_t)(random_u64(&seed) >> 32) % (DSP_TIMBRE_BITS + 1);
    for (int i = 0; i < DSP_TIMBRE_FRAMES; i++)
        dsp_timbre_push(&want, frame[i]);
    for (int step = 1; step < DSP_TIMBRE_FRAMES; step++) {
        if (step % 2 == 0 || step % 3 == 0 || step % 5 == 0)
            continue; /* the others visit every frame once */
        for (int i = 0; i < DSP_TIMBRE_FRAMES; i++)
            dsp_timbre_push(&got, frame[i * step % DSP_TIMBRE_FRAMES]);
        ck_assert_mem_eq(got.bits, want.bits, sizeof want.bits);
    }
}
END_TEST

START_TEST(reset_forgets_all)
{
    static const dsp_timbre_code empty;
    dsp_timbre_code code = {0};
    for (uint32_t i = 0; i < 47; i++)
        dsp_timbre_push(&code, i);
    dsp_timbre_reset(&code);
    ck_assert_mem_eq(&code, &empty, sizeof code);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("timbre");
    TCase *t = tcase_create("frames"), *c = tcase_create("codes");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, windows_and_transforms_have_the_documented_lengths, 0,
                        N_RATES);
    tcase_add_loop_test(t, bands_are_triangles_at_true_frequencies_and_none_is_empty, 0,
                        N_RATES);
    tcase_add_test(t, no_rate_has_bins_too_far_apart_for_the_narrowest_band);
    tcase_add_loop_test(t, coefficients_equal_their_definition, 0, N_RATES);
    tcase_add_loop_test(t, frames_have_unit_length_and_gain_changes_nothing, 0,
                        N_RATES);
    tcase_add_loop_test(t, an_offset_changes_nothing_and_alone_is_silence, 0, N_RATES);
    tcase_add_loop_test(t, the_same_tone_at_44100_and_48000_hz_has_the_same_frame, 0,
                        sizeof tones / sizeof *tones);
    tcase_add_loop_test(t, frames_without_direction_say_so, 0,
                        sizeof levels / sizeof *levels);
    tcase_add_test(t, rates_out_of_range_are_refused);
    tcase_add_test(t, frames_and_codes_leave_the_heap_alone);
    tcase_add_test(t, new_survives_every_allocation_failing);
    suite_add_tcase(s, t);
    tcase_add_test(c, nearest_is_the_nearest_and_ties_go_to_the_lower_number);
    tcase_add_loop_test(c, or_by_counts_is_or_by_definition, 0, 3);
    tcase_add_test(c, thirty_different_frames_fill_thirty_bits_and_no_more);
    tcase_add_test(c, one_frame_repeated_gives_one_bit_until_silence_takes_it);
    tcase_add_test(c, order_inside_the_window_does_not_matter);
    tcase_add_test(c, reset_forgets_all);
    suite_add_tcase(s, c);
    return run_suite(s);
}
