/* The 21 values of a frame against slow definitions in double. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 7, MAX_FFT = 4096 };
enum { CONTRAST = 0, VALLEY = 7, CENTROID = 14, SPREAD, ROLL_OFF, FLATNESS, CROSSINGS };
enum { H = 19, PITCH = 20 };

static const char *const value_name[DSP_DESCRIPTORS] = {
    "contrast 0", "contrast 1", "contrast 2", "contrast 3", "contrast 4", "contrast 5",
    "contrast 6", "valley 0",   "valley 1",   "valley 2",   "valley 3",   "valley 4",
    "valley 5",   "valley 6",   "centroid",   "spread",     "roll-off",   "flatness",
    "crossings",  "h",          "pitch"};

/* dB, octaves, crossings per sample, h, octaves times h. */
static const double tolerance[DSP_DESCRIPTORS] = {
    1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3,
    1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-3, 1e-7, 1e-4, 1e-3};

static const double pi = 3.14159265358979323846;

/* ---- Definition -------------------------------------------------------------------
 */

static double
decibels(double power)
{
    return 10 * log10(fmax(power, 1e-11));
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Bins of low_hz <= f < high_hz in double; first gets the number of the first. */
static size_t
cut(double bins[], const float power[], const dsp_logmel_config *c, double low_hz,
    double high_hz, size_t *first)
{
    size_t n = 0;
    for (uint32_t k = 0; k <= c->fft_frames / 2; k++) {
        const double hz = (double)k * c->rate_hz / c->fft_frames;
        if (hz < low_hz || hz >= high_hz)
            continue;
        if (n == 0)
            *first = k;
        bins[n++] = (double)power[k];
    }
    return n;
}

static void
plain_contrast(const float power[], const dsp_logmel_config *c, double level,
               double out[])
{
    static const double edge[] = {50, 200, 400, 800, 1600, 3200, 6400, 14000};
    for (int b = 0; b < BANDS; b++) {
        double bins[MAX_FFT], low = 0, high = 0;
        size_t first;
        const size_t n = cut(bins, power, c, edge[b], edge[b + 1], &first);
        const size_t fifth = (size_t)lround(0.2 * (double)n), k = fifth ? fifth : 1;
        qsort(bins, n, sizeof *bins, by_value);
        for (size_t i = 0; i < k; i++) {
            low += bins[i] / (double)k;
            high += bins[n - 1 - i] / (double)k;
        }
        out[CONTRAST + b] = decibels(high) - decibels(low);
        out[VALLEY + b] = decibels(low) - level;
    }
}

static void
plain_shape(const float power[], const dsp_logmel_config *c, double out[])
{
    double p[MAX_FFT], total = 0, centroid = 0, spread = 0, passed = 0;
    size_t first = 0, k = 0;
    const size_t n = cut(p, power, c, 50, 14000, &first);
    const double hz = (double)c->rate_hz / c->fft_frames;
    for (size_t i = 0; i < n; i++)
        total += p[i];
    for (size_t i = 0; i < n; i++)
        centroid += hz * (double)(first + i) * p[i] / total;
    for (size_t i = 0; i < n; i++)
        spread += pow(hz * (double)(first + i) - centroid, 2) * p[i] / total;
    for (passed = p[0]; passed < 0.85 * total; passed += p[k])
        k++;
    out[CENTROID] = log2(centroid + 20);
    out[SPREAD] = log2(sqrt(spread) + 20);
    out[ROLL_OFF] = log2(hz * (double)(first + k) + 20);
}

static double
plain_flatness(const float power[], const dsp_logmel_config *c)
{
    double p[MAX_FFT], mean = 0, mean_db = 0;
    size_t first;
    const size_t n = cut(p, power, c, 62, 14000, &first);
    for (size_t i = 0; i < n; i++) {
        mean += p[i] / (double)n;
        mean_db += decibels(p[i]) / (double)n;
    }
    return mean_db - decibels(mean);
}

static double
plain_crossings(const float x[], uint32_t n)
{
    double count = 0;
    for (uint32_t i = 1; i < n; i++)
        count += (x[i - 1] < 0 && x[i] >= 0) || (x[i - 1] >= 0 && x[i] < 0);
    return count / n;
}

/* Cosine sum of the power at a lag. */
static double
correlation(const float power[], uint32_t n, uint32_t lag)
{
    double r = (double)power[0] + (lag % 2 ? -1 : 1) * (double)power[n / 2];
    for (uint32_t k = 1; k < n / 2; k++)
        r += 2 * (double)power[k] * cos(2 * pi * (double)((uint64_t)k * lag % n) / n);
    return r;
}

/* Of the window, around the circle, sample by sample. */
static double
window_correlation(uint32_t n, uint32_t lag)
{
    double r = 0, r0 = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double w = 0.5 - 0.5 * cos(2 * pi * i / n);
        r += w * (0.5 - 0.5 * cos(2 * pi * ((i + lag) % n) / n));
        r0 += w * w;
    }
    return r / r0;
}

/* The first peak within 1 % of the highest, with a parabola through it. */
static void
plain_harmonicity(const float power[], const dsp_logmel_config *c, double out[])
{
    static double r[MAX_FFT];
    const uint32_t n = c->fft_frames, first = (uint32_t)ceil(1e-3 * c->rate_hz);
    const uint32_t last = (uint32_t)floor(15e-3 * c->rate_hz);
    const double zero = correlation(power, n, 0);
    double most = 0;
    for (uint32_t l = first - 1; l <= last + 1; l++)
        r[l] = correlation(power, n, l) / zero / window_correlation(n, l);
    for (uint32_t l = first; l <= last; l++)
        most = fmax(most, r[l]);
    uint32_t l = first;
    while (r[l] < 0.99 * most)
        l++;
    while (l < last && r[l + 1] > r[l])
        l++;
    const double bend = 2 * r[l] - r[l - 1] - r[l + 1];
    const bool peak = r[l] >= r[l - 1] && r[l] >= r[l + 1] && bend > 0;
    const double lag = l + (peak ? 0.5 * (r[l + 1] - r[l - 1]) / bend : 0);
    out[H] = fmin(most, 1);
    out[PITCH] = out[H] * log2(c->rate_hz / lag);
}

static void
plain_frame(const float x[], const float power[], const dsp_logmel_config *c,
            double level, double out[])
{
    plain_contrast(power, c, level, out);
    plain_shape(power, c, out);
    out[FLATNESS] = plain_flatness(power, c);
    out[CROSSINGS] = plain_crossings(x, c->window_frames);
    plain_harmonicity(power, c, out);
}

/* ---- Frames -----------------------------------------------------------------------
 */

/* What makes frames at one rate. */
typedef struct {
    dsp_logmel_config config;
    dsp_logmel *logmel;
    dsp_descriptors *descriptors;
    const float *power;
    float level;
} rig;

static rig
rig_new(uint32_t rate)
{
    rig r = {.config = dsp_logmel_config_default(rate)};
    dsp_thread_init();
    ck_assert(!dsp_logmel_new(&r.logmel, &r.config));
    ck_assert(!dsp_descriptors_new(&r.descriptors, rate));
    return r;
}

static void
rig_free(rig *r)
{
    dsp_logmel_free(r->logmel);
    dsp_descriptors_free(r->descriptors);
}

static void
rig_frame(rig *r, const float x[], float out[DSP_DESCRIPTORS])
{
    float mel[DSP_BANDS], e = 0;
    dsp_logmel_frame(r->logmel, x, mel);
    for (int b = 0; b < DSP_BANDS; b++)
        e += powf(10, mel[b] / 10);
    r->level = 10 * log10f(e);
    r->power = dsp_logmel_power(r->logmel, x);
    dsp_descriptors_frame(r->descriptors, x, r->power, r->level, out);
}

typedef enum { SOUND, NOISE, TONE, CHORD, IMPULSE, STEADY, KINDS } kind;
static const char *const kind_name[KINDS] = {"sound", "noise",   "tone",
                                             "chord", "impulse", "steady"};

static void
fill(float x[], size_t n, uint32_t rate, kind what, uint64_t seed)
{
    const double hz = 90 * pow(2, (double)(seed % 60) / 12);
    make_sound(x, n, rate, seed);
    for (size_t i = 0; what != SOUND && i < n; i++) {
        const double t = (double)i / rate, turn = 2 * pi * hz * t;
        const double u = random_unit(&seed);
        x[i] = (float)(what == NOISE    ? u
                       : what == TONE   ? 0.5 * sin(turn)
                       : what == CHORD  ? 0.2 * (sin(turn) + sin(2 * turn) + 0.1 * u)
                       : what == STEADY ? 0.25
                                        : i % 350 == 0);
    }
}

static const uint32_t rates[] = {48000, 44100, 22050, 32000, 96000};
enum { N_RATES = sizeof rates / sizeof *rates };

START_TEST(every_value_is_what_its_definition_says)
{
    enum { FRAMES = 4 };
    static float x[2 * MAX_FFT];
    const uint32_t rate = rates[_i / KINDS];
    rig r = rig_new(rate);
    for (uint64_t seed = 1; seed <= FRAMES; seed++) {
        float got[DSP_DESCRIPTORS];
        double want[DSP_DESCRIPTORS];
        fill(x, 2 * MAX_FFT, rate, (kind)(_i % KINDS), 11 * seed);
        rig_frame(&r, x + 500 * seed, got);
        plain_frame(x + 500 * seed, r.power, &r.config, (double)r.level, want);
        /* what is steady is as like itself at any lag */
        const int n_values = _i % KINDS == STEADY ? PITCH : DSP_DESCRIPTORS;
        for (int v = 0; v < n_values; v++)
            ck_assert_msg(fabs((double)got[v] - want[v]) <= tolerance[v],
                          "%s at %u Hz, seed %d, %s: %g, not %g", kind_name[_i % KINDS],
                          rate, (int)seed, value_name[v], (double)got[v], want[v]);
    }
    rig_free(&r);
}
END_TEST

/* Spectra whose bins are equal, few or many octaves apart: what selection may trip on.
 */
START_TEST(contrast_is_exact_for_odd_spectra)
{
    static float power[MAX_FFT], x[MAX_FFT];
    float got[DSP_DESCRIPTORS];
    double want[DSP_DESCRIPTORS];
    rig r = rig_new(rates[_i]);
    uint64_t seed = 9;
    for (int round = 0; round < 200; round++) {
        const uint64_t values = 1 + random_u64(&seed) % 6;
        for (uint32_t k = 0; k <= r.config.fft_frames / 2; k++) {
            const double octave = 12 * random_unit(&seed);
            const double step = (double)(random_u64(&seed) % values);
            power[k] = (float)(round % 2 ? pow(2, octave - 10) : 1e-3 * step);
        }
        power[3] = 1e-3F; /* silence is another test */
        dsp_descriptors_frame(r.descriptors, x, power, -20, got);
        plain_contrast(power, &r.config, -20, want);
        for (int v = 0; v < 2 * BANDS; v++)
            ck_assert_msg(fabs((double)got[v] - want[v]) <= tolerance[v],
                          "round %d, %s: %g, not %g", round, value_name[v],
                          (double)got[v], want[v]);
    }
    rig_free(&r);
}
END_TEST

START_TEST(a_tone_has_its_pitch)
{
    static const double hz[] = {110, 220, 440, 880};
    static float x[MAX_FFT];
    rig r = rig_new(rates[_i]);
    for (size_t t = 0; t < sizeof hz / sizeof *hz; t++) {
        float out[DSP_DESCRIPTORS];
        for (int i = 0; i < MAX_FFT; i++)
            x[i] = (float)(0.5 * sin(2 * pi * hz[t] * i / rates[_i] + 0.3));
        rig_frame(&r, x, out);
        const double cents = 1200 * ((double)(out[PITCH] / out[H]) - log2(hz[t]));
        /* lags go around the circle of 32 ms: long ones meet their other side */
        const double allowed = hz[t] < 300 ? 40 : 4;
        ck_assert_msg(out[H] > 0.95F && fabs(cents) < allowed,
                      "%g Hz at %u Hz: h %g, off by %g cents", hz[t], rates[_i],
                      (double)out[H], cents);
    }
    rig_free(&r);
}
END_TEST

START_TEST(noise_is_not_harmonic)
{
    static float x[MAX_FFT];
    double mean = 0;
    rig r = rig_new(rates[_i]);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        float out[DSP_DESCRIPTORS];
        fill(x, MAX_FFT, rates[_i], NOISE, seed);
        rig_frame(&r, x, out);
        ck_assert_float_lt(out[H], 0.6F);
        mean += (double)out[H] / 50;
    }
    ck_assert_double_lt(mean, 0.4);
    rig_free(&r);
}
END_TEST

START_TEST(silence_has_no_pitch)
{
    static const float x[MAX_FFT];
    float out[DSP_DESCRIPTORS];
    rig r = rig_new(rates[_i]);
    rig_frame(&r, x, out);
    for (int b = 0; b < BANDS; b++) {
        ck_assert_float_eq(out[CONTRAST + b], 0);
        ck_assert_float_eq_tol(out[VALLEY + b], -110 - r.level, 1e-3F);
    }
    for (int v = CENTROID; v <= ROLL_OFF; v++)
        ck_assert_float_eq_tol(out[v], log2f(20), 1e-6F);
    for (int v = FLATNESS; v <= PITCH; v++)
        ck_assert_float_eq(out[v], 0);
    rig_free(&r);
}
END_TEST

START_TEST(gain_changes_nothing)
{
    static float x[MAX_FFT], louder[MAX_FFT];
    float a[DSP_DESCRIPTORS], b[DSP_DESCRIPTORS];
    rig r = rig_new(rates[_i]);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fill(x, MAX_FFT, rates[_i], seed % 2 ? NOISE : CHORD, seed);
        for (int i = 0; i < MAX_FFT; i++)
            louder[i] = 3.7F * x[i];
        rig_frame(&r, x, a);
        rig_frame(&r, louder, b);
        for (int v = 0; v < DSP_DESCRIPTORS; v++)
            ck_assert_msg(fabsf(a[v] - b[v]) <= 2e-3F, "seed %d, %s: %g and %g",
                          (int)seed, value_name[v], (double)a[v], (double)b[v]);
    }
    rig_free(&r);
}
END_TEST

static const double gains[] = {0,    1e-45, 1e-40, 1e-30, 1e-20, 1e-15, 1e-12, 1e-10,
                               1e-9, 1e-8,  1e-6,  1e-3,  1,     1e3,   1e6,   1e12,
                               1e15, 1e18,  1e19,  1e20,  1e25,  1e30,  1e38};

START_TEST(all_is_finite_at_any_gain)
{
    static float x[MAX_FFT];
    rig r = rig_new(rates[_i / KINDS]);
    for (size_t g = 0; g < sizeof gains / sizeof *gains; g++) {
        float out[DSP_DESCRIPTORS];
        fill(x, MAX_FFT, rates[_i / KINDS], (kind)(_i % KINDS), 5);
        for (int i = 0; i < MAX_FFT; i++)
            x[i] = (float)((double)x[i] * gains[g]);
        rig_frame(&r, x, out);
        for (int v = 0; v < DSP_DESCRIPTORS; v++)
            ck_assert_msg(isfinite(out[v]) && fabsf(out[v]) < 1000,
                          "%s, gain %g, %s: %g", kind_name[_i % KINDS], gains[g],
                          value_name[v], (double)out[v]);
        ck_assert(out[H] >= 0 && out[H] <= 1);
    }
    rig_free(&r);
}
END_TEST

START_TEST(frames_do_not_depend_on_those_before)
{
    static float x[2][MAX_FFT];
    float first[DSP_DESCRIPTORS], again[DSP_DESCRIPTORS];
    rig r = rig_new(rates[_i]);
    fill(x[0], MAX_FFT, rates[_i], SOUND, 1);
    fill(x[1], MAX_FFT, rates[_i], NOISE, 2);
    rig_frame(&r, x[0], first);
    rig_frame(&r, x[1], again);
    rig_frame(&r, x[0], again);
    ck_assert_mem_eq(first, again, sizeof first);
    rig other = rig_new(rates[_i]);
    rig_frame(&other, x[0], again);
    ck_assert_mem_eq(first, again, sizeof first);
    rig_free(&other);
    rig_free(&r);
}
END_TEST

START_TEST(frames_leave_the_heap_alone)
{
    static float x[MAX_FFT];
    float out[DSP_DESCRIPTORS];
    rig r = rig_new(48000);
    fill(x, MAX_FFT, 48000, SOUND, 1);
    const uint64_t before = heap_calls;
    for (int i = 0; i < 100; i++)
        rig_frame(&r, x + i, out);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(before, after);
    rig_free(&r);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    dsp_descriptors *d = NULL;
    uint64_t k = 1;
    for (; !d; k++) {
        heap_fail_at = k;
        const dsp_status st = dsp_descriptors_new(&d, 48000);
        heap_fail_at = 0;
        ck_assert(st == (d ? DSP_OK : DSP_ENOMEM));
    }
    ck_assert_uint_gt(k, 5);
    dsp_descriptors_free(d);
    dsp_descriptors_free(NULL);
}
END_TEST

START_TEST(rates_out_of_range_are_refused)
{
    static const uint32_t bad[] = {0, 1000, DSP_MIN_RATE_HZ - 1, DSP_MAX_RATE_HZ + 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dsp_descriptors *d;
        ck_assert(dsp_descriptors_new(&d, bad[i]) == DSP_EARG);
        ck_assert_ptr_null(d);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("descriptors");
    TCase *t = tcase_create("descriptors");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_value_is_what_its_definition_says, 0, N_RATES * KINDS);
    tcase_add_loop_test(t, contrast_is_exact_for_odd_spectra, 0, N_RATES);
    tcase_add_loop_test(t, a_tone_has_its_pitch, 0, N_RATES);
    tcase_add_loop_test(t, noise_is_not_harmonic, 0, N_RATES);
    tcase_add_loop_test(t, silence_has_no_pitch, 0, N_RATES);
    tcase_add_loop_test(t, gain_changes_nothing, 0, N_RATES);
    tcase_add_loop_test(t, all_is_finite_at_any_gain, 0, N_RATES * KINDS);
    tcase_add_loop_test(t, frames_do_not_depend_on_those_before, 0, N_RATES);
    tcase_add_test(t, frames_leave_the_heap_alone);
    tcase_add_test(t, new_survives_every_allocation_failing);
    tcase_add_test(t, rates_out_of_range_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
