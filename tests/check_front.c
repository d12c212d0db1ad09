/* Every front end: cepstra against tests/golden, floors, gains, sines, heap. */
#include "../dsp/front_private.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double floors[DSP_FRONTS] = {-110, -110,        0,
                                          -110, -27.6310211, -27.6310211};
static const uint32_t rates[] = {22000, 22050, 24000, 32000,
                                 44100, 48000, 88200, 96000};
enum { RATES = sizeof rates / sizeof *rates, CASES = DSP_FRONTS * RATES };

typedef struct {
    dsp_front *front;
    dsp_front_kind kind;
    uint32_t rate, n, window;
    float *x; /* [window] */
    float bands[DSP_FRONT_MAX_BANDS], cepstra[DSP_FRONT_CEPSTRA];
} rig;

static rig
rig_of(dsp_front_kind kind, uint32_t rate)
{
    rig r = {.kind = kind, .rate = rate};
    ck_assert(!dsp_front_new(&r.front, kind, rate));
    r.n = dsp_front_bands(r.front);
    r.window = dsp_front_window(r.front);
    ck_assert(r.n >= DSP_FRONT_CEPSTRA && r.n <= DSP_FRONT_MAX_BANDS);
    ck_assert(r.window > 0 && r.window <= DSP_FRONT_MAX_WINDOW);
    r.x = calloc(r.window, sizeof *r.x);
    return r;
}

/* Loop tests run over all kinds at all rates. */
static rig
rig_case(int i)
{
    return rig_of((dsp_front_kind)(i % DSP_FRONTS), rates[i / DSP_FRONTS]);
}

static void
rig_noise(rig *r, double scale, uint64_t seed)
{
    for (uint32_t i = 0; i < r->window; i++)
        r->x[i] = (float)(scale * random_unit(&seed));
}

static void
rig_frame(rig *r)
{
    dsp_front_frame(r->front, r->x, r->bands, r->cepstra);
}

static void
rig_free(rig *r)
{
    dsp_front_free(r->front);
    free(r->x);
}

static const struct {
    const char *rows, *golden;
    uint32_t rate, n_bands, n_out; /* rows as check_logmel.c's */
    dsp_warp warp;
} cepstra[] = {
    {"logmel64_16000", "mfcc20_16000", 16000, 64, 20, DSP_MEL_SLANEY},
    {"logmel64_48000", "mfcc20_48000", 48000, 64, 20, DSP_MEL_SLANEY},
    {"barktri40_logbark_16000", "barktri40_bfcc13_16000", 16000, 40, 13, DSP_BARK},
};

static dsp_logmel *
logmel_of(int i)
{
    const uint32_t rate = cepstra[i].rate;
    dsp_logmel_config c = {.rate_hz = rate,
                           .window_frames = rate / 40,
                           .fft_frames = rate == 16000 ? 512 : 2048,
                           .power_gain = 1,
                           .log_floor = 1e-10,
                           .bank = {.n_bands = cepstra[i].n_bands,
                                    .high_hz = rate / 2.0,
                                    .warp = cepstra[i].warp,
                                    .norm = DSP_AREA_1}};
    if (c.bank.warp == DSP_BARK) {
        c.bank.low_hz = 20;
        c.bank.triangle = DSP_TRIANGLE_WARPED;
        c.bank.norm = DSP_PEAK_1;
        c.bank.skip_dc = true;
    }
    dsp_logmel *lm;
    ck_assert(!dsp_logmel_new(&lm, &c));
    return lm;
}

/* Both of the rows that librosa made and of those that we make of the sound. */
START_TEST(cepstra_equal_the_golden_ones)
{
    size_t rows, n, cols;
    float *db = golden_load(cepstra[_i].rows, &rows, &n), own[DSP_MAX_BANDS];
    float *gold = golden_load(cepstra[_i].golden, &rows, &cols), out[DSP_DCT_MAX_OUT];
    const uint32_t rate = cepstra[_i].rate, offset = rate == 16000 ? 56 : 424;
    float *x = calloc(rate, sizeof *x);
    golden_signal(x, rate, 1);
    dsp_dct d = {0};
    ck_assert(!dsp_dct_init(&d, DSP_DCT_ORTHONORMAL, (uint32_t)n, (uint32_t)cols));
    dsp_logmel *lm = logmel_of(_i);
    for (size_t r = 0; r < rows; r++) {
        dsp_logmel_frame(lm, x + offset + r * (rate / 100), own);
        for (int o = 0; o < 2; o++) {
            dsp_cepstra(&d, o ? own : db + r * n, out);
            for (size_t c = 0; c < cols; c++)
                ck_assert_msg(fabsf(out[c] - gold[r * cols + c]) < 2e-3F,
                              "%s, row %zu, c%zu: %g", cepstra[_i].golden, r, c,
                              (double)(out[c] - gold[r * cols + c]));
        }
    }
    dsp_logmel_free(lm);
    dsp_dct_done(&d);
    free(x);
    free(gold);
    free(db);
}
END_TEST

START_TEST(cepstra_are_the_cosine_transform_of_the_bands)
{
    rig r = rig_of((dsp_front_kind)_i, 48000);
    rig_noise(&r, 0.1, 3);
    rig_frame(&r);
    const bool plain = _i >= DSP_FRONT_BARK_ZOUNDS_2016;
    for (int c = 0; c < DSP_FRONT_CEPSTRA; c++) {
        const int k = plain ? c + 1 : c;
        double sum = 0;
        for (uint32_t b = 0; b < r.n; b++)
            sum += (double)r.bands[b] * cos(pi * k * (2 * b + 1) / (2.0 * r.n));
        sum *= plain ? 2 : sqrt((k ? 2.0 : 1.0) / r.n);
        ck_assert_double_eq_tol(r.cepstra[c], sum, 2e-3);
    }
    rig_free(&r);
}
END_TEST

START_TEST(mel_is_the_stream_s_own_frame)
{
    rig r = rig_of(DSP_FRONT_MEL, 44100);
    const dsp_logmel_config c = dsp_logmel_config_default(44100);
    dsp_logmel *lm;
    float out[DSP_BANDS];
    ck_assert(!dsp_logmel_new(&lm, &c));
    ck_assert_uint_eq(r.window, c.window_frames);
    rig_noise(&r, 0.5, 9);
    rig_frame(&r);
    dsp_logmel_frame(lm, r.x, out);
    ck_assert_mem_eq(out, r.bands, sizeof out);
    dsp_logmel_free(lm);
    rig_free(&r);
}
END_TEST

START_TEST(silence_is_the_documented_floor)
{
    rig r = rig_case(_i);
    rig_frame(&r);
    for (uint32_t b = 0; b < r.n; b++)
        ck_assert_double_eq_tol(r.bands[b], floors[r.kind], 1e-4);
    for (int c = r.kind < DSP_FRONT_BARK_ZOUNDS_2016; c < DSP_FRONT_CEPSTRA; c++)
        ck_assert_double_eq_tol(r.cepstra[c], 0, 1e-3);
    rig_free(&r);
}
END_TEST

START_TEST(twice_the_amplitude_is_6_dB_in_every_band)
{
    static const double per_doubling[DSP_FRONTS] = {6.0206, 6.0206,   0,
                                                    6.0206, 0.693147, 0.693147};
    rig r = rig_case(_i);
    float before[DSP_FRONT_MAX_BANDS];
    rig_noise(&r, 0.25, 4);
    rig_frame(&r);
    memcpy(before, r.bands, sizeof before);
    rig_noise(&r, 0.5, 4);
    rig_frame(&r);
    uint32_t n_above = 0;
    double sum = 0;
    for (uint32_t b = 0; b < r.n; b++) {
        const double rise = (double)(r.bands[b] - before[b]);
        if ((double)before[b] < floors[r.kind] + 1) /* a band without weight */
            continue;
        n_above++;
        sum += rise;
        if (r.kind == DSP_FRONT_MORLET_ZOUNDS) /* of what is positive, 0 to all */
            ck_assert_msg(rise > -1e-3 && rise < 6.022, "band %u: %g", b, rise);
        else
            ck_assert_msg(fabs(rise - per_doubling[r.kind]) < 1e-3, "band %u: %g", b,
                          rise);
    }
    ck_assert_uint_ge(n_above, r.n * 85 / 100);
    if (r.kind == DSP_FRONT_MORLET_ZOUNDS)
        ck_assert_double_eq_tol(sum / n_above, 3.01, 0.25);
    rig_free(&r);
}
END_TEST

START_TEST(the_same_samples_give_the_same_bits)
{
    rig r = rig_case(_i), other = rig_case(_i);
    rig_noise(&r, 0.5, 5);
    rig_frame(&r);
    rig_noise(&other, 0.9, 6);
    rig_frame(&other); /* leaves something behind */
    rig_noise(&other, 0.5, 5);
    rig_frame(&other);
    ck_assert_mem_eq(r.bands, other.bands, r.n * sizeof *r.bands);
    ck_assert_mem_eq(r.cepstra, other.cepstra, sizeof r.cepstra);
    rig_free(&other);
    rig_free(&r);
}
END_TEST

START_TEST(any_finite_sound_gives_finite_values)
{
    static const double scales[] = {1e6, 1, 1e-6, 1e-20, 1e-38, 1e-44};
    rig r = rig_case(_i);
    for (size_t s = 0; s < 3 * sizeof scales / sizeof *scales; s++) {
        const double scale = scales[s / 3];
        rig_noise(&r, scale, 8);
        for (uint32_t i = 0; i < r.window && s % 3; i++)
            r.x[i] = s % 3 == 1 ? (float)scale : i == r.window / 2 ? -(float)scale : 0;
        rig_frame(&r);
        for (uint32_t b = 0; b < r.n; b++)
            ck_assert(isfinite(r.bands[b]) &&
                      (double)r.bands[b] > floors[r.kind] - 1e-4);
        for (int c = 0; c < DSP_FRONT_CEPSTRA; c++)
            ck_assert(isfinite(r.cepstra[c]));
    }
    rig_free(&r);
}
END_TEST

static const struct {
    dsp_front_kind kind;
    double centre_hz; /* of the loudest band, for a sine at 1 kHz */
    uint32_t band_48k;
} sines[] = {
    {DSP_FRONT_MORLET, 1000, 33},
    {DSP_FRONT_BARK, 1000, 12},
};

START_TEST(a_sine_of_1_kHz_is_loudest_in_its_band_at_every_rate)
{
    for (size_t i = 0; i < RATES; i++) {
        rig r = rig_of(sines[_i].kind, rates[i]);
        for (uint32_t n = 0; n < r.window; n++)
            r.x[n] = (float)sin(2 * pi * sines[_i].centre_hz * n / r.rate);
        rig_frame(&r);
        uint32_t best = 0;
        for (uint32_t b = 0; b < r.n; b++)
            best = r.bands[b] > r.bands[best] ? b : best;
        ck_assert_msg(best == sines[_i].band_48k, "%s at %u: band %u, not %u",
                      dsp_front_name[r.kind], rates[i], best, sines[_i].band_48k);
        rig_free(&r);
    }
}
END_TEST

/* A sine at that frequency, far below 0 dB of one in the pass band at 1 kHz. */
START_TEST(the_decimator_keeps_what_folds_back_70_dB_down)
{
    enum { N_OUT = 300, MAX = 8 * (N_OUT + 40) };
    const uint32_t factor = 2 + (uint32_t)_i;
    dsp_decimator d = {0};
    ck_assert(!dsp_decimator_init(&d, factor, N_OUT, 1));
    static float x[MAX], out[N_OUT + DSP_LANES];
    ck_assert_uint_le(d.n_in, MAX);
    for (int step = 0; step < 40; step++) {
        const double f = 0.01 + 0.0245 * step * factor / 2; /* of the lower rate */
        double square = 0;
        for (uint32_t i = 0; i < d.n_in; i++)
            x[i] = (float)sin(2 * pi * f * i / factor);
        dsp_decimate(&d, dsp_kern_best(), x, out);
        for (int i = 0; i < N_OUT; i++)
            square += 2 * (double)out[i] * (double)out[i] / N_OUT;
        const double db = 10 * log10(square + 1e-20);
        if (f < 0.41)
            ck_assert_msg(fabs(db) < 0.15, "%g: %g dB", f, db);
        else if (f > 0.53)
            ck_assert_msg(db < -68, "%g: %g dB", f, db);
    }
    dsp_decimator_done(&d);
}
END_TEST

START_TEST(a_click_anywhere_in_a_hop_is_heard_by_every_short_wavelet)
{
    enum { RATE = 48000, MIDDLE = 768, HALF_HOP = 240, FIRST = 17 /* 244 Hz */ };
    rig r = rig_of(DSP_FRONT_MORLET, RATE);
    float middle[DSP_FRONT_MAX_BANDS];
    for (int at = 0; at <= HALF_HOP; at += 60) {
        r.x[r.window - MIDDLE + (uint32_t)at] = 1;
        rig_frame(&r);
        r.x[r.window - MIDDLE + (uint32_t)at] = 0;
        if (at == 0)
            memcpy(middle, r.bands, sizeof middle);
        for (uint32_t b = FIRST; b < r.n; b++)
            ck_assert_msg(r.bands[b] > -80 && fabsf(r.bands[b] - middle[b]) < 6,
                          "%d, band %u: %g, %g in the middle", at, b,
                          (double)r.bands[b], (double)middle[b]);
    }
    rig_free(&r);
}
END_TEST

static double
chord(double t)
{
    return 0.2 *
           (sin(2 * pi * 130 * t) + sin(2 * pi * 880 * t) + cos(2 * pi * 3000 * t));
}

START_TEST(zounds_hears_a_decimated_sound)
{
    enum { LOW = 11025, FACTOR = 4 };
    rig r = rig_of(DSP_FRONT_MORLET_ZOUNDS, LOW * FACTOR);
    for (uint32_t i = 0; i < r.window; i++)
        r.x[i] = (float)chord((double)i / (LOW * FACTOR));
    rig_frame(&r);
    dsp_zounds z = {0};
    float want[DSP_ZOUNDS_BANDS];
    ck_assert(!dsp_zounds_init(&z, LOW));
    const double delay = (40 * FACTOR - 1) / 2.0; /* of the filter's middle */
    for (uint32_t i = 0; i < DSP_ZOUNDS_FFT; i++)
        z.samples[i] = 32768 * (float)chord((i * FACTOR + delay) / (LOW * FACTOR));
    dsp_zounds_frame(&z, 0, DSP_ZOUNDS_POOL, want);
    for (uint32_t b = 0; b < DSP_ZOUNDS_BANDS; b++)
        ck_assert_msg(fabsf(r.bands[b] - want[b]) < 0.3F, "band %u: %g, not %g", b,
                      (double)r.bands[b], (double)want[b]);
    dsp_zounds_done(&z);
    rig_free(&r);
}
END_TEST

START_TEST(frames_leave_the_heap_alone)
{
    rig r = rig_case(_i);
    rig_noise(&r, 0.5, 5);
    const uint64_t before = heap_calls;
    for (int i = 0; i < 20; i++)
        rig_frame(&r);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(before, after);
    rig_free(&r);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    dsp_front *f = NULL;
    uint64_t k = 1;
    for (; !f; k++) {
        heap_fail_at = k;
        const dsp_status st = dsp_front_new(&f, (dsp_front_kind)_i, 44100);
        heap_fail_at = 0;
        ck_assert(st == (f ? DSP_OK : DSP_ENOMEM));
    }
    ck_assert_uint_gt(k, 8);
    dsp_front_free(f);
    dsp_front_free(NULL);
}
END_TEST

START_TEST(what_does_not_exist_is_refused)
{
    static const uint32_t bad[] = {0, DSP_MIN_RATE_HZ - 1, DSP_MAX_RATE_HZ + 1};
    dsp_front *f;
    for (int kind = 0; kind < DSP_FRONTS; kind++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            ck_assert(dsp_front_new(&f, (dsp_front_kind)kind, bad[i]) == DSP_EARG);
            ck_assert_ptr_null(f);
        }
    ck_assert(dsp_front_new(&f, DSP_FRONTS, 48000) == DSP_EARG);
    ck_assert_ptr_null(f);
    ck_assert_str_eq(dsp_front_name[DSP_FRONT_BARK_ZOUNDS_2018], "bark-zounds");
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("front");
    TCase *t = tcase_create("front");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, cepstra_equal_the_golden_ones, 0,
                        sizeof cepstra / sizeof *cepstra);
    tcase_add_loop_test(t, cepstra_are_the_cosine_transform_of_the_bands, 0,
                        DSP_FRONTS);
    tcase_add_test(t, mel_is_the_stream_s_own_frame);
    tcase_add_loop_test(t, silence_is_the_documented_floor, 0, CASES);
    tcase_add_loop_test(t, twice_the_amplitude_is_6_dB_in_every_band, 0, CASES);
    tcase_add_loop_test(t, the_same_samples_give_the_same_bits, 0, CASES);
    tcase_add_loop_test(t, any_finite_sound_gives_finite_values, 0, CASES);
    tcase_add_loop_test(t, a_sine_of_1_kHz_is_loudest_in_its_band_at_every_rate, 0,
                        sizeof sines / sizeof *sines);
    tcase_add_loop_test(t, the_decimator_keeps_what_folds_back_70_dB_down, 0, 7);
    tcase_add_test(t, a_click_anywhere_in_a_hop_is_heard_by_every_short_wavelet);
    tcase_add_test(t, zounds_hears_a_decimated_sound);
    tcase_add_loop_test(t, frames_leave_the_heap_alone, 0, CASES);
    tcase_add_loop_test(t, new_survives_every_allocation_failing, 0, DSP_FRONTS);
    tcase_add_test(t, what_does_not_exist_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
