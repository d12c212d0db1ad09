/* Degradations: each does what dsp.h says, measured from outside. */
#include "degrade_support.h"

#include <fftw3.h>

enum { MOST = 96000 * 3 };
static float x[MOST];

static size_t
expected_length(dsp_degradation kind, size_t n, uint32_t rate)
{
    const double exact = (double)n;
    switch (kind) {
    case DSP_FASTER:
        return (size_t)lround(exact / 1.1);
    case DSP_SLOWER:
        return (size_t)lround(exact / 0.9);
    case DSP_LATE:
        return n - (n / 4 < rate / 2 ? n / 4 : rate / 2);
    case DSP_REVERB:
    case DSP_ROOM:
        return n ? n + (size_t)lround(0.8 * rate) : 0;
    default:
        return n;
    }
}

static const uint32_t rates[] = {22050, 48000, 96000};
enum { RATES = sizeof rates / sizeof *rates };

START_TEST(noise_is_10_db_below_the_sound_and_white)
{
    const uint32_t rate = rates[_i];
    const size_t n = rate;
    size_t m;
    make_sound(x, n, rate, 3);
    float *y = copy_of(DSP_NOISE_10_DB, x, n, rate, SEED, &m);
    ck_assert_uint_eq(m, n);
    for (size_t i = 0; i < n; i++)
        y[i] -= x[i];
    const double noise = energy(y, n), snr = to_db(energy(x, n) / noise);
    ck_assert_msg(fabs(snr - 10) < 0.1, "%g dB", snr);
    for (size_t lag = 1; lag <= 40; lag++) {
        double sum = 0;
        for (size_t i = lag; i < n; i++)
            sum += (double)y[i] * (double)y[i - lag];
        ck_assert_msg(fabs(sum / noise) < 4.5 / sqrt((double)n), "lag %zu: %g", lag,
                      sum / noise);
    }
    free(y);
}
END_TEST

static const struct {
    const char *name;
    uint64_t a, b;
} seeds[] = {{"neighbours", 1, 2},
             {"one step of splitmix64 apart", 5, 5 + 0x9e3779b97f4a7c15U},
             {"zero and all ones", 0, UINT64_MAX}};

START_TEST(other_seeds_draw_other_noise)
{
    const size_t n = 48000;
    size_t m;
    make_sound(x, n, 48000, 3);
    float *a = copy_of(DSP_NOISE_10_DB, x, n, 48000, seeds[_i].a, &m);
    float *b = copy_of(DSP_NOISE_10_DB, x, n, 48000, seeds[_i].b, &m);
    for (size_t i = 0; i < n; i++) {
        a[i] -= x[i];
        b[i] -= x[i];
    }
    for (int lag = -3; lag <= 3; lag++) {
        double sum = 0;
        for (size_t i = 3; i + 3 < n; i++)
            sum += (double)a[i] * (double)b[(size_t)((int)i + lag)];
        ck_assert_msg(fabs(sum) / energy(a, n) < 4.5 / sqrt((double)n),
                      "case: %s, lag %d", seeds[_i].name, lag);
    }
    free(a);
    free(b);
}
END_TEST

START_TEST(kinds_draw_other_numbers)
{
    const size_t n = 4800;
    size_t m;
    memset(x, 0, sizeof x);
    x[0] = 1;
    float *noise = copy_of(DSP_NOISE_10_DB, x, n, 48000, SEED, &m);
    float *tail = copy_of(DSP_REVERB, x, n, 48000, SEED, &m);
    noise[0] -= 1;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)noise[i] * (double)tail[i + 1];
    sum /= sqrt(energy(noise, n) * energy(tail + 1, n));
    ck_assert_msg(fabs(sum) < 4.5 / sqrt((double)n), "correlation %g", sum);
    free(noise);
    free(tail);
}
END_TEST

START_TEST(quieter_is_12_db_and_nothing_else)
{
    size_t m;
    make_sound(x, 48000, 48000, 1);
    float *y = copy_of(DSP_QUIETER, x, 48000, 48000, SEED, &m);
    ck_assert_uint_eq(m, 48000);
    for (size_t i = 0; i < m; i++) {
        const double want = (double)x[i] * 0.251188643150958;
        ck_assert(fabs((double)y[i] - want) <= 1e-7 * fabs(want));
    }
    free(y);
}
END_TEST

static const struct {
    dsp_degradation kind;
    double hz, least_db, most_db;
} filters[] = {{DSP_LOW_PASS, 100, -0.01, 0.01}, {DSP_LOW_PASS, 1000, -0.5, 0.01},
               {DSP_LOW_PASS, 4000, -3.1, -2.9}, {DSP_LOW_PASS, 8000, -140, -40},
               {DSP_TELEPHONE, 100, -90, -40},   {DSP_TELEPHONE, 300, -3.1, -2.9},
               {DSP_TELEPHONE, 1000, -0.5, 0.1}, {DSP_TELEPHONE, 3400, -3.1, -2.9},
               {DSP_TELEPHONE, 6000, -140, -40}};

START_TEST(filters_pass_and_stop_what_they_say)
{
    for (size_t r = 0; r < RATES; r++) {
        const size_t n = rates[r], skip = n / 2;
        size_t m;
        make_sine(x, n, rates[r], filters[_i].hz);
        float *y = copy_of(filters[_i].kind, x, n, rates[r], SEED, &m);
        ck_assert_uint_eq(m, n);
        const double db =
            to_db(energy(y + skip, n - skip) / energy(x + skip, n - skip));
        ck_assert_msg(db >= filters[_i].least_db && db <= filters[_i].most_db,
                      "%s at %g Hz, rate %u: %g dB",
                      dsp_degradation_name[filters[_i].kind], filters[_i].hz, rates[r],
                      db);
        free(y);
    }
}
END_TEST

/* One biquad after the other, as the books have them (Bristow-Johnson's cookbook). */
static void
filter_slowly(double y[], size_t n, bool high, unsigned order, double hz, uint32_t rate)
{
    for (unsigned i = 0; i < order / 2; i++) {
        const double w = tau * hz / rate, c = cos(w);
        const double q = 1 / (2 * cos(tau * (2 * i + 1) / (4 * order)));
        const double alpha = sin(w) / (2 * q), a0 = 1 + alpha, s = high ? -1 : 1;
        const double b0 = (1 - s * c) / 2 / a0, b1 = s * (1 - s * c) / a0;
        double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
        for (size_t k = 0; k < n; k++) {
            const double in = y[k], out = b0 * (in + x2) + b1 * x1 + 2 * c / a0 * y1 -
                                          (1 - alpha) / a0 * y2;
            x2 = x1;
            x1 = in;
            y2 = y1;
            y1 = y[k] = out;
        }
    }
}

static const size_t filter_lengths[] = {1, 5, 6, 7, 12, 13, 250, 256, 257, 1000, 20000};

START_TEST(filters_are_cascaded_biquads)
{
    const size_t n = filter_lengths[_i];
    static double want[20000];
    for (size_t r = 0; r < RATES; r++)
        for (int kind = DSP_LOW_PASS; kind <= DSP_TELEPHONE; kind++) {
            size_t m;
            make_sound(x, n, rates[r], 5);
            for (size_t i = 0; i < n; i++)
                want[i] = (double)x[i];
            if (kind == DSP_TELEPHONE)
                filter_slowly(want, n, true, 6, 300, rates[r]);
            filter_slowly(want, n, false, kind == DSP_TELEPHONE ? 10 : 8,
                          kind == DSP_TELEPHONE ? 3400 : 4000, rates[r]);
            float *y = copy_of((dsp_degradation)kind, x, n, rates[r], SEED, &m);
            for (size_t i = 0; i < n; i++)
                ck_assert_msg(
                    fabs((double)y[i] - want[i]) <= 1e-7 * fabs(want[i]) + 1e-12,
                    "%s at %u Hz, sample %zu of %zu: %g, not %g",
                    dsp_degradation_name[kind], rates[r], i, n, (double)y[i], want[i]);
            free(y);
        }
}
END_TEST

static const size_t late_lengths[] = {1, 3, 4, 100, 47999, 95999, 96000, 96001, 144000};

START_TEST(late_lacks_the_beginning_and_nothing_else)
{
    const size_t n = late_lengths[_i], missing = n / 4 < 24000 ? n / 4 : 24000;
    size_t m;
    make_sound(x, n, 48000, 4);
    float *y = copy_of(DSP_LATE, x, n, 48000, SEED, &m);
    ck_assert_uint_eq(m, n - missing);
    ck_assert(!memcmp(y, x + missing, m * sizeof *y));
    free(y);
}
END_TEST

static const size_t lengths[] = {1, 2, 3, 100, 999, 1025, 48000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(silence_stays_silence)
{
    memset(x, 0, sizeof x);
    for (size_t l = 0; l < LENGTHS; l++) {
        size_t m;
        float *y = copy_of((dsp_degradation)_i, x, lengths[l], 48000, SEED, &m);
        ck_assert_uint_eq(m, expected_length((dsp_degradation)_i, lengths[l], 48000));
        for (size_t i = 0; i < m; i++)
            ck_assert_msg(y[i] == 0, "%s: sample %zu of %zu is %g",
                          dsp_degradation_name[_i], i, m, (double)y[i]);
        free(y);
    }
}
END_TEST

START_TEST(short_sounds_keep_something_of_themselves)
{
    for (size_t r = 0; r < RATES; r++)
        for (size_t l = 0; l < LENGTHS; l++) {
            size_t m;
            make_sine(x, lengths[l], rates[r], 1000);
            x[0] = 1;
            const double in = energy(x, lengths[l]);
            float *y = copy_of((dsp_degradation)_i, x, lengths[l], rates[r], SEED, &m);
            const double db = to_db(energy(y, m) / in);
            ck_assert_uint_eq(
                m, expected_length((dsp_degradation)_i, lengths[l], rates[r]));
            /* A filter leaves 1e-9 of one sample; a tail may meet a sine in phase. */
            ck_assert_msg(db > -200 && db < 12, "%s of %zu at %u Hz: %g dB",
                          dsp_degradation_name[_i], lengths[l], rates[r], db);
            for (int k = DSP_PITCH_UP; k <= DSP_SLOWER; k++)
                ck_assert_msg(k != _i || db > -9, "%s of %zu at %u Hz: %g dB",
                              dsp_degradation_name[_i], lengths[l], rates[r], db);
            free(y);
        }
}
END_TEST

START_TEST(nothing_of_a_sound_of_no_samples_is_something_to_free)
{
    float *y = x;
    size_t m = 9;
    ck_assert_int_eq(dsp_degrade((dsp_degradation)_i, NULL, 0, 48000, SEED, &y, &m),
                     DSP_OK);
    ck_assert_uint_eq(m, 0);
    ck_assert_ptr_nonnull(y);
    ck_assert_ptr_ne(y, x);
    free(y);
}
END_TEST

START_TEST(copies_scale_with_the_sound_and_never_clip)
{
    const size_t n = 30000;
    size_t m, m8;
    make_sound(x, n, 44100, 6);
    float *y = copy_of((dsp_degradation)_i, x, n, 44100, SEED, &m);
    for (size_t i = 0; i < n; i++)
        x[i] *= 64; /* peak 32: far beyond full scale, and exact in every bit */
    float *loud = copy_of((dsp_degradation)_i, x, n, 44100, SEED, &m8), peak = 0;
    ck_assert_uint_eq(m, m8);
    for (size_t i = 0; i < m; i++) {
        peak = fmaxf(peak, fabsf(loud[i]));
        /* Underflow is not exact: the start of a filter, the end of an FFT. */
        ck_assert_msg(fabsf(loud[i] - 64 * y[i]) <= 1e-30F, "%s: sample %zu",
                      dsp_degradation_name[_i], i);
    }
    ck_assert_msg(peak > 4, "peak %g", (double)peak);
    free(y);
    free(loud);
}
END_TEST

static bool
draws(int kind)
{
    return kind == DSP_NOISE_10_DB || kind == DSP_REVERB || kind == DSP_ROOM;
}

/* Wisdom that prefers other plans than an estimate does. */
static void
measure_plan(int n)
{
    fftwf_complex *in = fftwf_alloc_complex((size_t)n),
                  *out = fftwf_alloc_complex((size_t)n);
    fftwf_destroy_plan(fftwf_plan_dft_1d(n, in, out, FFTW_FORWARD, FFTW_MEASURE));
    fftwf_free(in);
    fftwf_free(out);
}

START_TEST(copies_repeat_whatever_came_before)
{
    const size_t n = 40000;
    size_t m[3];
    make_sound(x, n, 48000, 8);
    float *a = copy_of((dsp_degradation)_i, x, n, 48000, SEED, &m[0]);
    for (size_t r = 0; r < RATES; r++) { /* plans and wisdom of all kinds */
        dsp_stream_config c = dsp_stream_config_default();
        dsp_stream *s;
        c.rate_hz = rates[r];
        ck_assert(!dsp_stream_new(&s, &c));
        dsp_stream_free(s);
        free(copy_of(DSP_ROOM, x, 10, rates[r], 1, &m[1]));
        free(copy_of(DSP_PITCH_UP, x, 10, rates[r], 1, &m[1]));
    }
    measure_plan(draws(_i) ? 65536 : 2048);
    float *b = copy_of((dsp_degradation)_i, x, n, 48000, SEED, &m[1]);
    float *c = copy_of((dsp_degradation)_i, x, n, 48000, SEED + 1, &m[2]);
    ck_assert(m[0] == m[1] && m[0] == m[2]);
    ck_assert(!memcmp(a, b, m[0] * sizeof *a));
    ck_assert(!memcmp(a, c, m[0] * sizeof *a) == !draws(_i));
    free(a);
    free(b);
    free(c);
}
END_TEST

/* Allocations of each kind, which all fail in turn: fewer than these were counted. */
static const uint64_t least_calls[DSP_DEGRADATIONS] = {
    [DSP_NOISE_10_DB] = 1, [DSP_QUIETER] = 1,  [DSP_LOW_PASS] = 1,
    [DSP_TELEPHONE] = 1,   [DSP_PITCH_UP] = 7, [DSP_PITCH_DOWN] = 7,
    [DSP_FASTER] = 5,      [DSP_SLOWER] = 5,   [DSP_LATE] = 1,
    [DSP_REVERB] = 4,      [DSP_ROOM] = 5};

START_TEST(every_allocation_may_fail)
{
    float *y = NULL;
    size_t m;
    uint64_t k = 1;
    make_sound(x, 5000, 48000, 9);
    for (; !y; k++) {
        m = 77;
        heap_fail_at = k;
        const dsp_status st =
            dsp_degrade((dsp_degradation)_i, x, 5000, 48000, SEED, &y, &m);
        heap_fail_at = 0;
        ck_assert(st == (y ? DSP_OK : DSP_ENOMEM));
        ck_assert(y || m == 0);
    }
    ck_assert_msg(k - 2 >= least_calls[_i], "%s: only %lu", dsp_degradation_name[_i],
                  (unsigned long)(k - 2));
    free(y);
}
END_TEST

static const struct {
    const char *name;
    int kind;
    uint32_t rate;
    dsp_status want;
} settings[] = {{"rate too low", DSP_REVERB, 21999, DSP_EARG},
                {"lowest rate", DSP_REVERB, 22000, DSP_OK},
                {"highest rate", DSP_FASTER, 96000, DSP_OK},
                {"rate too high", DSP_FASTER, 96001, DSP_EARG},
                {"no such kind", DSP_DEGRADATIONS, 48000, DSP_EARG},
                {"less than a kind", -1, 48000, DSP_EARG}};

START_TEST(settings_out_of_range_are_refused)
{
    float *y = x;
    size_t m = 9;
    ck_assert_msg(dsp_degrade((dsp_degradation)settings[_i].kind, x, 100,
                              settings[_i].rate, SEED, &y, &m) == settings[_i].want,
                  "case: %s", settings[_i].name);
    ck_assert(settings[_i].want ? !y && !m : y && m);
    free(y);
}
END_TEST

START_TEST(names_are_those_of_the_reports)
{
    static const char *const names[] = {
        "noise-10db", "quieter", "low-pass", "telephone", "pitch-up", "pitch-down",
        "faster",     "slower",  "late",     "reverb",    "room"};
    ck_assert_uint_eq(sizeof names / sizeof *names, DSP_DEGRADATIONS);
    for (int k = 0; k < DSP_DEGRADATIONS; k++)
        ck_assert_str_eq(dsp_degradation_name[k], names[k]);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("degrade");
    TCase *t = tcase_create("degrade"), *each = tcase_create("each");
    tcase_set_timeout(t, 120);
    tcase_set_timeout(each, 120);
    tcase_add_loop_test(t, noise_is_10_db_below_the_sound_and_white, 0, RATES);
    tcase_add_loop_test(t, other_seeds_draw_other_noise, 0,
                        sizeof seeds / sizeof *seeds);
    tcase_add_test(t, kinds_draw_other_numbers);
    tcase_add_test(t, quieter_is_12_db_and_nothing_else);
    tcase_add_loop_test(t, filters_pass_and_stop_what_they_say, 0,
                        sizeof filters / sizeof *filters);
    tcase_add_loop_test(t, filters_are_cascaded_biquads, 0,
                        sizeof filter_lengths / sizeof *filter_lengths);
    tcase_add_loop_test(t, late_lacks_the_beginning_and_nothing_else, 0,
                        sizeof late_lengths / sizeof *late_lengths);
    tcase_add_loop_test(t, settings_out_of_range_are_refused, 0,
                        sizeof settings / sizeof *settings);
    tcase_add_test(t, names_are_those_of_the_reports);
    tcase_add_loop_test(each, silence_stays_silence, 0, DSP_DEGRADATIONS);
    tcase_add_loop_test(each, short_sounds_keep_something_of_themselves, 0,
                        DSP_DEGRADATIONS);
    tcase_add_loop_test(each, nothing_of_a_sound_of_no_samples_is_something_to_free, 0,
                        DSP_DEGRADATIONS);
    tcase_add_loop_test(each, copies_scale_with_the_sound_and_never_clip, 0,
                        DSP_DEGRADATIONS);
    tcase_add_loop_test(each, copies_repeat_whatever_came_before, 0, DSP_DEGRADATIONS);
    tcase_add_loop_test(each, every_allocation_may_fail, 0, DSP_DEGRADATIONS);
    suite_add_tcase(s, t);
    suite_add_tcase(s, each);
    return run_suite(s);
}
