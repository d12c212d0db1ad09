/* rt/onset.c: what begins within sound is told once, soon, and where it began. */
#include "rt/analyse.h"
#include "rt/onset.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>

enum { RATE = 48000, SECONDS = 60, N = SECONDS * RATE };

static float *x;
static uint64_t seed;

static void
setup(void)
{
    x = calloc(N, sizeof *x);
    seed = 11;
    dsp_thread_init();
}

static void
teardown(void)
{
    free(x);
}

/* A burst of decaying tones that begins at sample at. */
static void
hit(size_t at, double level)
{
    for (size_t i = at; i < N && i < at + RATE / 4; i++) {
        const double t = (double)(i - at) / RATE;
        double v = 0;
        for (int h = 1; h <= 12; h++)
            v += sin(6.283185307179586 * 180 * h * 1.37 * t);
        x[i] += (float)(level * exp(-t * 18) * v / 12);
    }
}

static void
noise(double level)
{
    for (size_t i = 0; i < N; i++)
        x[i] += (float)(level * (2 * random_unit(&seed) - 1));
}

typedef struct {
    double s, strength; /* where, how much */
    double late_s;      /* from where it is said to be to when that was known */
} found;

static size_t
listen_to(found out[], size_t cap)
{
    const dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *stream;
    rt_onset onset;
    size_t n_found = 0;
    ck_assert(!dsp_stream_new(&stream, &c));
    rt_onset_reset(&onset);
    for (size_t at = 0; at < N;) {
        dsp_hop hop;
        bool done;
        uint64_t bad = 0;
        at += dsp_stream_feed(stream, x + at, N - at, &hop, &done, &bad);
        if (!done)
            continue;
        const float strength = rt_onset_feed(&onset, dsp_stream_bands(stream), 3);
        size_t n;
        const float *newest = dsp_stream_samples(stream, &n);
        if (strength > 0 && n_found < cap) {
            const size_t back = rt_onset_refine(newest, n, RATE);
            out[n_found++] = (found){(double)(at - back) / RATE, (double)strength,
                                     (double)back / RATE};
        }
    }
    dsp_stream_free(stream);
    return n_found;
}

START_TEST(steady_sound_has_no_onsets)
{
    found f[10];
    if (_i == 0)
        noise(0.3);
    else
        for (size_t i = 0; i < N; i++)
            for (int h = 1; h <= 5; h++)
                x[i] +=
                    (float)(0.1 * sin(6.283185307179586 * 50 * h * (double)i / RATE));
    const size_t n = listen_to(f, 10);
    /* the beginning is one */
    ck_assert_msg(n <= 1 && (!n || f[0].s < 0.05), "%zu, the last at %f", n,
                  n ? f[n - 1].s : 0);
}
END_TEST

static const struct {
    const char *name;
    double noise, level;
} beds[] = {{"in silence", 0, 0.5}, {"in noise 20 dB below", 0.02, 0.5}};

START_TEST(each_hit_is_one_onset_within_30_ms_at_the_place_where_it_began)
{
    enum { HITS = 100 };
    found f[2 * HITS];
    size_t at[HITS], n_right = 0;
    noise(beds[_i].noise);
    for (size_t i = 0; i < HITS; i++)
        hit(at[i] = RATE / 2 + i * RATE * 59 / 100 + random_u64(&seed) % 4800,
            beds[_i].level);
    const size_t n = listen_to(f, 2 * HITS);
    for (size_t i = 0, j = 0; i < HITS; i++) {
        const double s = (double)at[i] / RATE;
        while (j < n && f[j].s < s - 0.01)
            j++;
        if (j < n && fabs(f[j].s - s) < 0.006 && f[j].late_s < 0.03 &&
            f[j].strength > 0) {
            n_right++;
            j++;
        }
    }
    ck_assert_msg(n_right >= 98 && n <= HITS + 3, "%s: %zu of %d right, of %zu",
                  beds[_i].name, n_right, HITS, n);
}
END_TEST

START_TEST(a_rise_is_told_once_and_only_above_the_threshold)
{
    rt_onset o;
    float quiet[DSP_BANDS], loud[DSP_BANDS];
    for (int b = 0; b < DSP_BANDS; b++) {
        quiet[b] = -60;
        loud[b] = b < DSP_BANDS / 2 ? -50 : -60; /* 5 dB on the mean */
    }
    rt_onset_reset(&o);
    for (int i = 0; i < 20; i++)
        rt_onset_feed(&o, quiet, 3);
    ck_assert_float_eq_tol(rt_onset_feed(&o, loud, 3), 2, 1e-4F);
    for (int i = 0; i < 20; i++)
        ck_assert_float_eq(rt_onset_feed(&o, loud, 3), 0);
    for (int i = 0; i < 20; i++) /* a fall is none */
        ck_assert_float_eq(rt_onset_feed(&o, quiet, 3), 0);
    ck_assert_float_eq(rt_onset_feed(&o, loud, 5.1F), 0);
}
END_TEST

START_TEST(what_is_too_short_to_place_begins_now)
{
    for (size_t n = 0; n < 8 * 48; n++)
        ck_assert_uint_eq(rt_onset_refine(x, n, RATE), 0);
    ck_assert_uint_le(rt_onset_refine(x, 1536, RATE), 1536);
    x[1000] = 1;
    const size_t back = rt_onset_refine(x, 1536, RATE);
    ck_assert(1536 - back <= 1000 && 1536 - back + 4 * 48 > 1000);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/onset");
    TCase *t = tcase_create("onset");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, steady_sound_has_no_onsets, 0, 2);
    tcase_add_loop_test(
        t, each_hit_is_one_onset_within_30_ms_at_the_place_where_it_began, 0, 2);
    tcase_add_test(t, a_rise_is_told_once_and_only_above_the_threshold);
    tcase_add_test(t, what_is_too_short_to_place_begins_now);
    suite_add_tcase(s, t);
    return run_suite(s);
}
