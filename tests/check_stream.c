/* Streams: the same in any blocks, exact rolling windows, bad input contained. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, SECONDS = 13, N = RATE * SECONDS };

static float *sound; /* [N], with silence in the middle */

static void
setup(void)
{
    sound = calloc(N, sizeof *sound);
    for (uint64_t i = 0; i < SECONDS; i++)
        if (i != 5)
            make_sound(sound + i * RATE, RATE, RATE, 100 + i);
}

static void
teardown(void)
{
    free(sound);
}

static dsp_stream *
new_stream(uint32_t rate)
{
    dsp_stream_config c = dsp_stream_config_default();
    c.rate_hz = rate;
    dsp_stream *s;
    ck_assert(!dsp_stream_new(&s, &c));
    return s;
}

/* Folds everything that a stream says into one number. */
static uint64_t
digest(dsp_stream *s, const float x[], size_t n, size_t block, uint64_t *n_hops)
{
    uint64_t h = 14695981039346656037U, bad = 0;
    float raw[DSP_RAW];
    for (size_t at = 0; at < n;) {
        dsp_hop hop;
        bool done;
        const size_t most = n - at < block ? n - at : block;
        size_t used = 0;
        while (used < most) {
            used += dsp_stream_feed(s, x + at + used, most - used, &hop, &done, &bad);
            if (!done)
                continue;
            ck_assert_uint_eq(hop.frames, (hop.index + 1) * RATE / DSP_HOPS_PER_S);
            ++*n_hops;
            for (dsp_scale scale = DSP_FRAME; scale < DSP_SCALES; scale++) {
                memset(raw, 0, sizeof raw);
                h = (h ^ dsp_stream_window(s, scale, raw)) * 1099511628211U;
                for (size_t i = 0; i < DSP_RAW; i++) {
                    uint32_t bits;
                    memcpy(&bits, &raw[i], sizeof bits);
                    h = (h ^ bits) * 1099511628211U;
                }
            }
        }
        at += used;
    }
    return h;
}

static const size_t blocks[] = {64, 480, 999, 4096, N};

START_TEST(blocks_of_any_size_give_the_same_bits)
{
    uint64_t hops[2] = {0, 0};
    dsp_stream *a = new_stream(RATE), *b = new_stream(RATE);
    const size_t n = 3 * RATE;
    ck_assert_uint_eq(digest(a, sound, n, 1, &hops[0]),
                      digest(b, sound, n, blocks[_i], &hops[1]));
    ck_assert_uint_eq(hops[0], 3 * DSP_HOPS_PER_S);
    ck_assert_uint_eq(hops[1], hops[0]);
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

START_TEST(a_reset_stream_is_as_new)
{
    uint64_t hops = 0;
    dsp_stream *s = new_stream(RATE);
    const uint64_t first = digest(s, sound, N, 512, &hops);
    dsp_stream_reset(s, 0);
    ck_assert_uint_eq(digest(s, sound, N, 512, &hops), first);
    dsp_stream_free(s);
}
END_TEST

START_TEST(after_a_reset_hops_stay_where_they_are)
{
    static const uint32_t rates[] = {22050, 44100, 48000};
    for (size_t r = 0; r < 3; r++)
        for (uint64_t at = 0; at < 3000; at += 7) {
            dsp_stream *s = new_stream(rates[r]);
            uint64_t bad = 0, fed = at;
            dsp_hop hop;
            bool done = false;
            dsp_stream_reset(s, at);
            const uint64_t first = dsp_stream_hop(s);
            ck_assert_uint_gt((first + 1) * rates[r] / DSP_HOPS_PER_S, at);
            ck_assert(!first || first * rates[r] / DSP_HOPS_PER_S <= at);
            while (!done)
                fed += dsp_stream_feed(s, sound, 100, &hop, &done, &bad);
            ck_assert_uint_eq(hop.index, first);
            ck_assert_uint_eq(hop.frames, fed);
            ck_assert_uint_eq(fed, (first + 1) * rates[r] / DSP_HOPS_PER_S);
            dsp_stream_free(s);
        }
}
END_TEST

/* Feeds x and keeps log-mel of every hop by a logmel of our own, for the definition. */
typedef struct {
    float mel[SECONDS * DSP_HOPS_PER_S][DSP_BANDS];
    bool loud[SECONDS * DSP_HOPS_PER_S];
} rows;

static void
floor_row(float row[DSP_BANDS])
{
    float peak = -200;
    for (int b = 0; b < DSP_BANDS; b++)
        peak = fmaxf(peak, row[b]);
    for (int b = 0; b < DSP_BANDS; b++)
        row[b] = fmaxf(row[b], fmaxf(peak - 80, -105));
}

static void
window_by_definition(const rows *r, size_t end, size_t length, double raw[DSP_RAW],
                     unsigned *n)
{
    const size_t begin = end > length ? end - length : 0;
    double level = 0;
    *n = 0;
    for (size_t h = begin; h < end; h++)
        *n += r->loud[h];
    for (size_t b = 0; b < DSP_BANDS; b++) {
        double sum = 0, square = 0;
        for (size_t h = begin; h < end; h++)
            if (r->loud[h])
                sum += (double)r->mel[h][b];
        raw[b] = sum / *n;
        for (size_t h = begin; h < end; h++)
            if (r->loud[h])
                square += pow((double)r->mel[h][b] - raw[b], 2);
        raw[DSP_BANDS + b] = sqrt(square / *n);
        level += raw[b] / DSP_BANDS;
    }
    for (size_t b = 0; b < DSP_BANDS; b++)
        raw[b] -= level;
}

START_TEST(windows_equal_mean_and_deviation_of_their_frames)
{
    rows *r = calloc(1, sizeof *r);
    float *padded = calloc(N + 1536, sizeof *padded), raw[DSP_RAW];
    memcpy(padded + 1536, sound, N * sizeof *sound);
    const dsp_logmel_config c = dsp_logmel_config_default(RATE);
    dsp_logmel *lm;
    ck_assert(!dsp_logmel_new(&lm, &c));
    dsp_stream *s = new_stream(RATE);
    uint64_t bad = 0;
    for (size_t h = 0; h < SECONDS * DSP_HOPS_PER_S; h++) {
        dsp_hop hop;
        bool done = false;
        ck_assert_uint_eq(dsp_stream_feed(s, sound + h * 480, 480, &hop, &done, &bad),
                          480);
        ck_assert(done);
        const float level = dsp_logmel_frame(lm, padded + (h + 1) * 480, r->mel[h]);
        ck_assert(level == hop.level_db);
        r->loud[h] = level >= -70;
        floor_row(r->mel[h]);
        for (dsp_scale scale = DSP_FRAME; h % 37 == 0 && scale < DSP_SCALES; scale++) {
            double want[DSP_RAW];
            unsigned n;
            window_by_definition(r, h + 1, dsp_scale_hops[scale], want, &n);
            ck_assert_uint_eq(dsp_stream_window(s, scale, raw), n);
            for (size_t i = 0; n >= DSP_MIN_LOUD && i < DSP_RAW; i++)
                ck_assert_msg(fabs((double)raw[i] - want[i]) < 5e-4,
                              "hop %zu, scale %d, value %zu: %g, by definition %g", h,
                              scale, i, (double)raw[i], want[i]);
        }
    }
    dsp_stream_free(s);
    dsp_logmel_free(lm);
    free(padded);
    free(r);
}
END_TEST

START_TEST(a_window_forgets_what_left_it_in_every_bit)
{
    /* Two streams hear different things, then the same for longer than any window. */
    dsp_stream *a = new_stream(RATE), *b = new_stream(RATE);
    float raw[2][DSP_RAW], other[RATE];
    uint64_t bad = 0;
    dsp_hop hop;
    bool done;
    make_sound(other, RATE, RATE, 999);
    for (int i = 0; i < 2000; i++)
        dsp_stream_feed(a, other + i % 90 * 480, 480, &hop, &done, &bad);
    for (int i = 0; i < 1010; i++) {
        dsp_stream_feed(a, sound + i * 480, 480, &hop, &done, &bad);
        dsp_stream_feed(b, sound + i * 480, 480, &hop, &done, &bad);
    }
    for (dsp_scale scale = DSP_FRAME; scale < DSP_SCALES; scale++) {
        ck_assert_uint_eq(dsp_stream_window(a, scale, raw[0]),
                          dsp_stream_window(b, scale, raw[1]));
        ck_assert(!memcmp(raw[0], raw[1], sizeof raw[0]));
    }
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

START_TEST(gain_cancels)
{
    dsp_stream *a = new_stream(RATE), *b = new_stream(RATE);
    float raw[2][DSP_RAW], loud[480], soft[480];
    uint64_t bad = 0, seed = 4;
    dsp_hop hop;
    bool done;
    for (int h = 0; h < 100; h++) {
        for (int i = 0; i < 480; i++) {
            loud[i] = (float)(0.5 * random_unit(&seed));
            soft[i] = 0.1F * loud[i];
        }
        dsp_stream_feed(a, loud, 480, &hop, &done, &bad);
        dsp_stream_feed(b, soft, 480, &hop, &done, &bad);
    }
    ck_assert_uint_eq(dsp_stream_window(a, DSP_EVENT, raw[0]), 100);
    ck_assert_uint_eq(dsp_stream_window(b, DSP_EVENT, raw[1]), 100);
    for (size_t i = 0; i < DSP_RAW; i++)
        ck_assert_msg(fabsf(raw[0][i] - raw[1][i]) < 0.01F,
                      "value %zu: %g, %g at -20 dB", i, (double)raw[0][i],
                      (double)raw[1][i]);
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

static const struct {
    const char *name;
    float value;
    bool counted;
} strange[] = {{"not a number", NAN, true},
               {"infinity", INFINITY, true},
               {"minus infinity", -INFINITY, true},
               {"denormal", 1e-42F, false},
               {"twenty times full scale", 20, false},
               {"absurdly loud", 1e30F, true}};

START_TEST(strange_samples_change_nothing_beyond_their_windows)
{
    dsp_stream *a = new_stream(RATE), *b = new_stream(RATE);
    float *x = calloc(N, sizeof *x), raw[2][DSP_RAW];
    uint64_t bad = 0, none = 0;
    dsp_hop hop;
    bool done;
    memcpy(x, sound, N * sizeof *x);
    for (size_t i = 1000; i < 1100; i++)
        x[i] = strange[_i].value;
    for (size_t at = 0; at < 12 * RATE; at += 480) {
        dsp_stream_feed(a, x + at, 480, &hop, &done, &bad);
        ck_assert_msg(isfinite(hop.level_db), "case: %s", strange[_i].name);
        dsp_stream_feed(b, sound + at, 480, &hop, &done, &none);
    }
    ck_assert_uint_eq(bad, strange[_i].counted ? 100 : 0);
    for (dsp_scale scale = DSP_FRAME; scale < DSP_SCALES; scale++) {
        dsp_stream_window(a, scale, raw[0]);
        dsp_stream_window(b, scale, raw[1]);
        ck_assert_msg(!memcmp(raw[0], raw[1], sizeof raw[0]), "case: %s, scale %d",
                      strange[_i].name, scale);
    }
    dsp_stream_free(a);
    dsp_stream_free(b);
    free(x);
}
END_TEST

static const struct {
    const char *name;
    uint32_t rate;
    float gate;
} refused[] = {{"rate too low", 21999, -70},
               {"rate too high", 96001, -70},
               {"gate above full scale", 48000, 1},
               {"gate not a number", 48000, NAN}};

START_TEST(settings_out_of_range_are_refused)
{
    const dsp_stream_config c = {.rate_hz = refused[_i].rate,
                                 .gate_db = refused[_i].gate};
    dsp_stream *s;
    ck_assert_msg(dsp_stream_new(&s, &c) == DSP_EARG, "case: %s", refused[_i].name);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(hops_do_not_touch_the_heap)
{
    uint64_t bad = 0;
    uint32_t n = 0;
    float raw[DSP_RAW];
    dsp_hop hop;
    bool done;
    dsp_stream *s = new_stream(RATE);
    const uint64_t before = heap_calls;
    for (size_t at = 0; at < RATE;
         at += dsp_stream_feed(s, sound + at, 333, &hop, &done, &bad))
        n += dsp_stream_window(s, DSP_SCENE, raw);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(n, 100);
    dsp_stream_free(s);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    const dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *s = NULL;
    uint64_t k = 1;
    for (; !s; k++) {
        heap_fail_at = k;
        const dsp_status st = dsp_stream_new(&s, &c);
        heap_fail_at = 0;
        ck_assert(st == (s ? DSP_OK : DSP_ENOMEM));
    }
    ck_assert_uint_gt(k, 8);
    dsp_stream_free(s);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("stream");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, blocks_of_any_size_give_the_same_bits, 0,
                        sizeof blocks / sizeof *blocks);
    tcase_add_test(t, a_reset_stream_is_as_new);
    tcase_add_test(t, after_a_reset_hops_stay_where_they_are);
    tcase_add_test(t, windows_equal_mean_and_deviation_of_their_frames);
    tcase_add_test(t, a_window_forgets_what_left_it_in_every_bit);
    tcase_add_test(t, gain_cancels);
    tcase_add_loop_test(t, strange_samples_change_nothing_beyond_their_windows, 0,
                        sizeof strange / sizeof *strange);
    tcase_add_loop_test(t, settings_out_of_range_are_refused, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(t, hops_do_not_touch_the_heap);
    tcase_add_test(t, new_survives_every_allocation_failing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
