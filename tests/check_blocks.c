/* The five blocks of a window against slow definitions in double. */
#include "dsp/dsp.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 500,
    GROUPS = 16,
    CEPSTRA = 16,
    FFT = 96,
    BINS = 9,
    AT_MEL_MOD = 105,
    AT_TEMPLATE = AT_MEL_MOD + GROUPS * BINS,
    AT_MFCC = AT_TEMPLATE + 256,
    AT_MFCC_MOD = AT_MFCC + 26,
};

static const double pi = 3.14159265358979323846;
static const size_t lengths[] = {1, 2, 3, 50, 95, 96, 97, 100, 143, 144, 500};
enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

static float mel[MOST][DSP_BANDS], desc[MOST][DSP_DESCRIPTORS];
static float out[DSP_BLOCK_VALUES], other[DSP_BLOCK_VALUES];
static double want[DSP_BLOCK_VALUES];
static dsp_blocks *blocks;

static void
setup(void)
{
    ck_assert_int_eq(dsp_blocks_new(&blocks, MOST), DSP_OK);
}

static void
teardown(void)
{
    dsp_blocks_free(blocks);
}

/* ---- Windows ---- */

/* Some frames far below the others, some bands below any floor. */
static void
make_random(size_t n, uint64_t seed)
{
    for (size_t t = 0; t < n; t++) {
        const double level = -40 + 35 * random_unit(&seed);
        for (int i = 0; i < DSP_BANDS; i++)
            mel[t][i] = (float)(level + 15 * random_normal(&seed));
        for (int d = 0; d < DSP_DESCRIPTORS; d++)
            desc[t][d] = (float)(d - 10 + (1 + d) * random_normal(&seed));
    }
}

static void
make_frames(size_t n, uint64_t seed)
{
    enum { RATE = 48000, HOP = RATE / DSP_HOPS_PER_S };
    const dsp_logmel_config c = dsp_logmel_config_default(RATE);
    const size_t n_samples = n * HOP + c.window_frames;
    float *x = malloc(n_samples * sizeof *x);
    dsp_logmel *lm;
    make_random(n, seed); /* for the descriptors */
    ck_assert(x && dsp_logmel_new(&lm, &c) == DSP_OK);
    make_sound(x, n_samples, RATE, seed);
    for (size_t t = 0; t < n; t++)
        dsp_logmel_frame(lm, x + t * HOP, mel[t]);
    dsp_logmel_free(lm);
    free(x);
}

/* ---- Definitions ---- */

static double floored[MOST][DSP_BANDS], group[MOST][GROUPS], mfcc[MOST][CEPSTRA];
static double level[MOST], loudest;

static void
define_frames(size_t n)
{
    double peak = -INFINITY;
    for (size_t t = 0; t < n; t++)
        for (int i = 0; i < DSP_BANDS; i++)
            peak = fmax(peak, (double)mel[t][i]);
    loudest = -INFINITY;
    memset(group, 0, sizeof group);
    memset(mfcc, 0, sizeof mfcc);
    for (size_t t = 0; t < n; t++) {
        double power = 0;
        for (int i = 0; i < DSP_BANDS; i++) {
            const double v = fmax((double)mel[t][i], fmax(peak - 80, -105));
            floored[t][i] = v;
            power += pow(10, v / 10);
            group[t][i / 4] += v / 4;
            for (int c = 0; c < CEPSTRA; c++)
                mfcc[t][c] +=
                    sqrt((c ? 2. : 1.) / 64) * v * cos(pi * c * (i + .5) / 64);
        }
        level[t] = 10 * log10(power);
        loudest = fmax(loudest, level[t]);
    }
}

static double
mean_of(const double x[], size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double
sd_of(const double x[], size_t n)
{
    const double m = mean_of(x, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - m) * (x[i] - m);
    return sqrt(sum / (double)n);
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
percentile_of(const double sorted[], size_t n, double share)
{
    const double at = share * (double)(n - 1);
    const size_t i = (size_t)at, next = i + 1 < n ? i + 1 : i;
    return sorted[i] + (at - (double)i) * (sorted[next] - sorted[i]);
}

static double
slope_of(int d, size_t t, size_t n)
{
    double sum = 0, squares = 0;
    for (long k = -4; k <= 4; k++) {
        const long at = (long)t + k, last = (long)n - 1;
        sum += (double)k * (double)desc[at < 0 ? 0 : at > last ? last : at][d];
        squares += (double)(k * k);
    }
    return sum / squares;
}

static void
define_statistics(size_t n)
{
    for (int d = 0; d < DSP_DESCRIPTORS; d++) {
        double x[MOST], slope[MOST];
        size_t m = 0;
        for (size_t t = 0; t < n; t++)
            if (level[t] >= loudest - 40) {
                x[m] = (double)desc[t][d];
                slope[m++] = slope_of(d, t, n);
            }
        want[d] = mean_of(x, m);
        want[21 + d] = sd_of(x, m);
        want[42 + d] = sd_of(slope, m);
        qsort(x, m, sizeof *x, by_value);
        want[63 + d] = percentile_of(x, m, 0.1);
        want[84 + d] = percentile_of(x, m, 0.9);
    }
}

static double
power_at(const double x[], size_t n, double mean, int k)
{
    double re = 0, im = 0;
    for (size_t t = 0; t < FFT && t < n; t++) {
        const double w = 0.5 - 0.5 * cos(2 * pi * (double)t / FFT);
        re += w * (x[t] - mean) * cos(2 * pi * k * (double)t / FFT);
        im -= w * (x[t] - mean) * sin(2 * pi * k * (double)t / FFT);
    }
    return (re * re + im * im) / 36; /* sum of w^2 */
}

static void
define_modulation(const double x[], size_t n, double result[BINS])
{
    static const int edge[BINS + 1] = {0, 1, 2, 3, 5, 8, 12, 19, 30, 49};
    const double mean = mean_of(x, n);
    const size_t n_ffts = n < FFT ? 1 : (n - FFT) / 48 + 1;
    for (int m = 0; m < BINS; m++) {
        double sum = 0;
        for (size_t f = 0; f < n_ffts; f++)
            for (int k = edge[m]; k < edge[m + 1]; k++)
                sum += power_at(x + 48 * f, n - 48 * f, mean, k);
        result[m] = log(sum / (double)n_ffts + 0.1);
    }
}

static void
define_template(size_t n)
{
    static const size_t edge[] = {0,  1,  2,  3,  4,  6,  8,   11, 15,
                                  20, 27, 36, 48, 64, 85, 110, 140};
    double peak = -INFINITY;
    size_t onset = 0;
    for (size_t t = 0; t < n; t++)
        for (int g = 0; g < GROUPS; g++)
            peak = fmax(peak, group[t][g]);
    while (level[onset] < loudest - 20)
        onset++;
    for (size_t i = 0; i < 256; i++) {
        const size_t g = i / 16, c = i % 16;
        double x[MOST] = {0};
        size_t m = 0;
        for (size_t t = onset + edge[c]; t < onset + edge[c + 1] && t < n; t++)
            x[m++] = group[t][g] - peak;
        want[AT_TEMPLATE + i] = m ? fmax(-60, mean_of(x, m)) : -60;
    }
}

static void
define(size_t n)
{
    double x[MOST];
    define_frames(n);
    define_statistics(n);
    define_template(n);
    for (size_t s = 0; s < GROUPS; s++) {
        for (size_t t = 0; t < n; t++)
            x[t] = group[t][s];
        define_modulation(x, n, want + AT_MEL_MOD + s * BINS);
        for (size_t t = 0; t < n; t++)
            x[t] = mfcc[t][s];
        define_modulation(x, n, want + AT_MFCC_MOD + s * BINS);
        if (s < 13) {
            want[AT_MFCC + s] = mean_of(x, n);
            want[AT_MFCC + 13 + s] = sd_of(x, n);
        }
    }
}

/* ---- Tests ---- */

/* Of 1 + |value|. A modulation bin with next to nothing in it carries the rounding of
 * the largest. */
static const double tolerance[DSP_BLOCKS] = {5e-6, 3e-4, 5e-6, 3e-5, 3e-4};

static void
compare(const char *name, size_t n)
{
    define(n);
    dsp_blocks_window(blocks, mel[0], desc[0], n, out);
    for (size_t b = 0, i = 0; b < DSP_BLOCKS; b++)
        for (uint32_t j = 0; j < dsp_block_size[b]; j++, i++) {
            const double error = fabs((double)out[i] - want[i]) / (1 + fabs(want[i]));
            ck_assert_msg(error < tolerance[b],
                          "%s, %zu frames, block %zu, %u: %g not %g", name, n, b, j,
                          (double)out[i], want[i]);
        }
}

START_TEST(random_windows_equal_the_definition)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        make_random(lengths[_i], seed);
        compare("random", lengths[_i]);
    }
}
END_TEST

START_TEST(windows_of_sound_equal_the_definition)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        make_frames(lengths[_i], seed);
        compare("sound", lengths[_i]);
    }
}
END_TEST

START_TEST(every_count_of_loud_frames_is_sorted)
{
    make_random(MOST, 5);
    for (size_t n = 1; n < 140; n++) {
        for (size_t t = 0; t < n; t++)
            for (int i = 0; i < DSP_BANDS; i++)
                mel[t][i] = -30; /* all of them loud */
        compare("loud", n);
    }
}
END_TEST

START_TEST(the_blocks_fill_the_values)
{
    uint32_t sum = 0;
    for (int b = 0; b < DSP_BLOCKS; b++)
        sum += dsp_block_size[b];
    ck_assert_uint_eq(sum, DSP_BLOCK_VALUES);
    ck_assert_uint_eq(dsp_block_size[0], AT_MEL_MOD);
    ck_assert_uint_eq(dsp_block_size[3], AT_MFCC_MOD - AT_MFCC);
}
END_TEST

START_TEST(gain_moves_the_mean_of_c0_alone)
{
    const float gain_db = 12;
    make_frames(100, 4);
    for (size_t t = 0; t < 100; t++)
        for (int i = 0; i < DSP_BANDS; i++) /* clear of -105 dB, before and after */
            mel[t][i] = 20 + (mel[t][i] > -90 ? mel[t][i] : -90);
    dsp_blocks_window(blocks, mel[0], desc[0], 100, out);
    for (size_t t = 0; t < 100; t++)
        for (int i = 0; i < DSP_BANDS; i++)
            mel[t][i] += gain_db;
    dsp_blocks_window(blocks, mel[0], desc[0], 100, other);
    for (int i = 0; i < DSP_BLOCK_VALUES; i++) {
        const float shift = i == AT_MFCC ? 8 * gain_db : 0;
        ck_assert_msg(fabsf(other[i] - out[i] - shift) < 1e-3F, "%d: %g, then %g", i,
                      (double)out[i], (double)other[i]);
    }
}
END_TEST

START_TEST(one_loud_frame_is_the_whole_of_it)
{
    enum { LOUD = 40, N = 100 };
    make_random(N, 6);
    for (size_t t = 0; t < N; t++)
        for (int i = 0; i < DSP_BANDS; i++)
            mel[t][i] = t == LOUD ? (float)(-10 - i) : -77 - (float)(i % 3);
    compare("one loud frame", N);
    for (int d = 0; d < DSP_DESCRIPTORS; d++) {
        ck_assert_float_eq(out[d], desc[LOUD][d]);
        ck_assert_float_eq(out[21 + d], 0);
        ck_assert_float_eq(out[42 + d], 0);
        ck_assert_float_eq(out[63 + d], desc[LOUD][d]);
        ck_assert_float_eq(out[84 + d], desc[LOUD][d]);
    }
    ck_assert_float_eq(out[AT_TEMPLATE], 0);
    for (int c = 1; c < 16; c++)
        ck_assert_float_eq(out[AT_TEMPLATE + c], -60);
}
END_TEST

START_TEST(silence_is_flat)
{
    make_random(100, 7);
    for (size_t t = 0; t < 100; t++)
        for (int i = 0; i < DSP_BANDS; i++)
            mel[t][i] = t % 2 ? -110 : -300;
    compare("silence", 100);
    for (int i = 0; i < GROUPS * BINS; i++) {
        ck_assert_float_eq(out[AT_MEL_MOD + i], logf(0.1F));
        ck_assert_float_eq(out[AT_MFCC_MOD + i], logf(0.1F));
    }
    for (int i = 0; i < 256; i++) /* frame 100 lies in the 15th cell: 85 to 109 */
        ck_assert_float_eq(out[AT_TEMPLATE + i], i % 16 < 15 ? 0 : -60);
    for (int i = 13; i < 26; i++)
        ck_assert_float_eq(out[AT_MFCC + i], 0);
}
END_TEST

/* Numbers of every size and sign, and those that are none. */
START_TEST(whatever_comes_in_what_goes_out_is_finite)
{
    static const float extremes[] = {
        FLT_MAX, -FLT_MAX, 0,   -0.0F, FLT_MIN,  1e-42F,    1e30F,
        -1e30F,  -105,     -80, 1000,  2000,     1e6F,      -1e6F,
        20000,   -1e-9F,   1,   -50,   INFINITY, -INFINITY, NAN};
    enum { N_EXTREMES = sizeof extremes / sizeof *extremes };
    uint64_t seed = 8;
    for (int round = 0; round < 210; round++) {
        const size_t n = lengths[(size_t)round % N_LENGTHS];
        const uint64_t kinds = 1 + (uint64_t)round % N_EXTREMES;
        for (size_t t = 0; t < n; t++) {
            for (int i = 0; i < DSP_BANDS; i++)
                mel[t][i] = extremes[random_u64(&seed) % kinds];
            for (int d = 0; d < DSP_DESCRIPTORS; d++)
                desc[t][d] = extremes[random_u64(&seed) % kinds];
        }
        dsp_blocks_window(blocks, mel[0], desc[0], n, out);
        for (int i = 0; i < DSP_BLOCK_VALUES; i++)
            ck_assert_msg(isfinite(out[i]), "round %d, %d: %g", round, i,
                          (double)out[i]);
    }
}
END_TEST

START_TEST(the_same_window_gives_the_same_bits_in_any_object)
{
    dsp_blocks *small;
    make_frames(100, 9); /* and FFTW has planned other things by now */
    ck_assert_int_eq(dsp_blocks_new(&small, 100), DSP_OK);
    dsp_blocks_window(small, mel[0], desc[0], 100, out);
    dsp_blocks_window(blocks, mel[0], desc[0], 100, other);
    ck_assert_mem_eq(out, other, sizeof out);
    make_random(MOST, 10);
    dsp_blocks_window(blocks, mel[0], desc[0], MOST, other);
    make_frames(100, 9);
    dsp_blocks_window(blocks, mel[0], desc[0], 100, other);
    ck_assert_mem_eq(out, other, sizeof out);
    dsp_blocks_free(small);
}
END_TEST

START_TEST(a_window_leaves_the_heap_alone)
{
    make_random(MOST, 11);
    const uint64_t before = heap_calls;
    for (size_t i = 0; i < 100; i++)
        dsp_blocks_window(blocks, mel[0], desc[0], lengths[i % N_LENGTHS], out);
    const uint64_t after = heap_calls;
    ck_assert_uint_eq(after, before);
}
END_TEST

START_TEST(new_survives_each_allocation_failing)
{
    dsp_status st = DSP_ENOMEM;
    uint64_t k = 1;
    for (; k < 50; k++) {
        dsp_blocks *b = blocks;
        heap_fail_at = k;
        st = dsp_blocks_new(&b, 100);
        const bool failed = !heap_fail_at;
        heap_fail_at = 0;
        ck_assert(failed == (st == DSP_ENOMEM) && failed == !b);
        dsp_blocks_free(b);
        if (!failed)
            break;
    }
    ck_assert_int_eq(st, DSP_OK);
    ck_assert_uint_gt(k, 1);
}
END_TEST

START_TEST(new_accepts_documented_sizes)
{
    static const struct {
        uint32_t max_frames;
        dsp_status st;
    } sizes[] = {{0, DSP_EARG},
                 {1, DSP_OK},
                 {DSP_MAX_WINDOW, DSP_OK},
                 {DSP_MAX_WINDOW + 1, DSP_EARG}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dsp_blocks *b;
        ck_assert_int_eq(dsp_blocks_new(&b, sizes[i].max_frames), sizes[i].st);
        ck_assert(!!b == (sizes[i].st == DSP_OK));
        dsp_blocks_free(b);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("blocks");
    TCase *t = tcase_create("blocks");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, random_windows_equal_the_definition, 0, N_LENGTHS);
    tcase_add_loop_test(t, windows_of_sound_equal_the_definition, 0, N_LENGTHS);
    tcase_add_test(t, every_count_of_loud_frames_is_sorted);
    tcase_add_test(t, the_blocks_fill_the_values);
    tcase_add_test(t, gain_moves_the_mean_of_c0_alone);
    tcase_add_test(t, one_loud_frame_is_the_whole_of_it);
    tcase_add_test(t, silence_is_flat);
    tcase_add_test(t, whatever_comes_in_what_goes_out_is_finite);
    tcase_add_test(t, the_same_window_gives_the_same_bits_in_any_object);
    tcase_add_test(t, a_window_leaves_the_heap_alone);
    tcase_add_test(t, new_survives_each_allocation_failing);
    tcase_add_test(t, new_accepts_documented_sizes);
    suite_add_tcase(s, t);
    return run_suite(s);
}
