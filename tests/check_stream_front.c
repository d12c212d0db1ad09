/* Streams with another front end than log-mel: statistics of its bands and cepstra. */
#include "dsp/front.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 44100,
    HOP = RATE / DSP_HOPS_PER_S,
    HOPS = 300,
    N = HOPS * HOP,
    MOST = 2 * (DSP_FRONT_MAX_BANDS + DSP_FRONT_CEPSTRA), /* raw values */
};

static float sound[N], x[DSP_FRONT_MAX_WINDOW + N];
static float raw[2][MOST];
static float bands[HOPS][DSP_FRONT_MAX_BANDS], cepstra[HOPS][DSP_FRONT_CEPSTRA];
static double energy[HOPS]; /* mean square of 32 ms, 0 below the gate */

/* A sound of 0.6 s in each second, and silence. */
static void
setup(void)
{
    memset(sound, 0, sizeof sound);
    for (uint32_t i = 0; i < N / RATE; i++)
        make_sound(sound + i * RATE, RATE * 6 / 10, RATE, 30 + i);
    memcpy(x + DSP_FRONT_MAX_WINDOW, sound, sizeof sound);
}

static dsp_stream *
new_stream(int kind)
{
    const dsp_stream_config c = {
        .rate_hz = RATE, .gate_db = -60, .event_hops = 100, .front = (uint32_t)kind};
    dsp_stream *s;
    ck_assert_int_eq(dsp_stream_new(&s, &c), DSP_OK);
    return s;
}

static void
analyse_hops(int kind)
{
    const size_t level_frames = dsp_logmel_config_default(RATE).window_frames;
    dsp_front *front;
    ck_assert_int_eq(dsp_front_new(&front, (dsp_front_kind)kind, RATE), DSP_OK);
    for (size_t h = 0; h < HOPS; h++) {
        const float *end = x + DSP_FRONT_MAX_WINDOW + (h + 1) * HOP;
        dsp_front_frame(front, end - dsp_front_window(front), bands[h], cepstra[h]);
        energy[h] = 0;
        for (size_t i = 1; i <= level_frames; i++)
            energy[h] += pow((double)end[-(long)i], 2) / (double)level_frames;
        energy[h] = energy[h] >= 1e-6 ? energy[h] : 0;
    }
    dsp_front_free(front);
}

/* Mean and deviation of column i over the loud hops of the n before hop now. */
static uint32_t
define(const float *values, size_t width, size_t i, size_t now, size_t n, double out[2])
{
    double most = 0, mean = 0, square = 0;
    uint32_t n_loud = 0;
    const size_t first = now > n ? now - n : 0;
    for (size_t h = first; h < now; h++)
        most = fmax(most, energy[h]);
    for (size_t h = first; h < now; h++)
        if (energy[h] > 0 && energy[h] >= 1e-4 * most) {
            mean += (double)values[h * width + i];
            n_loud++;
        }
    mean /= n_loud;
    for (size_t h = first; h < now; h++)
        if (energy[h] > 0 && energy[h] >= 1e-4 * most)
            square += pow((double)values[h * width + i] - mean, 2);
    out[0] = mean;
    out[1] = sqrt(square / n_loud);
    return n_loud;
}

/* Values behind one another: means and deviations of the bands, then of the cepstra. */
static uint32_t
define_all(size_t n_bands, size_t now, size_t n, double want[MOST])
{
    double both[2], all = 0, *more = want + 2 * n_bands;
    uint32_t n_loud = 0;
    for (size_t b = 0; b < n_bands; b++) {
        n_loud = define(bands[0], DSP_FRONT_MAX_BANDS, b, now, n, both);
        want[b] = both[0];
        want[n_bands + b] = both[1];
        all += both[0] / (double)n_bands;
    }
    for (size_t b = 0; b < n_bands; b++)
        want[b] -= all;
    for (size_t c = 0; c < DSP_FRONT_CEPSTRA; c++) {
        define(cepstra[0], DSP_FRONT_CEPSTRA, c, now, n, both);
        more[c] = both[0];
        more[DSP_FRONT_CEPSTRA + c] = both[1];
    }
    return n_loud;
}

START_TEST(features_equal_mean_and_deviation_of_frames)
{
    dsp_stream *s = new_stream(_i);
    const dsp_layout layout = dsp_front_layout((dsp_front_kind)_i, DSP_EVENT);
    const size_t n_bands = layout.block_size[0];
    double want[MOST];
    uint64_t bad = 0;
    size_t n_compared = 0;
    dsp_hop hop;
    dsp_span span;
    bool done;
    analyse_hops(_i);
    for (size_t now = 1; now <= HOPS; now++) {
        dsp_stream_feed(s, sound + (now - 1) * HOP, HOP, &hop, &done, &bad);
        ck_assert(hop.loud == (energy[now - 1] > 0));
        const uint32_t n = now % 2 ? DSP_FRAME_HOPS : 100;
        const uint32_t n_loud =
            dsp_stream_window(s, now % 2 ? DSP_FRAME : DSP_EVENT, n, raw[0], &span);
        if (n_loud < DSP_MIN_LOUD)
            continue;
        ck_assert_uint_eq(define_all(n_bands, now, n, want), n_loud);
        for (size_t i = 0; i < layout.n_in; i++)
            ck_assert_msg(fabs((double)raw[0][i] - want[i]) <
                              3e-5 * (20 + fabs(want[i])),
                          "%s, hop %zu, %zu: %.9g, by definition %.9g",
                          dsp_front_name[_i], now, i, (double)raw[0][i], want[i]);
        n_compared++;
    }
    ck_assert_uint_gt(n_compared, HOPS / 3);
    dsp_stream_free(s);
}
END_TEST

START_TEST(blocks_of_any_size_give_the_same_bits)
{
    static const size_t blocks[2] = {1, 999};
    dsp_stream *s[2] = {new_stream(_i), new_stream(_i)};
    uint64_t bad = 0;
    dsp_hop hop[2];
    dsp_span span;
    memset(raw, 0, sizeof raw);
    for (size_t h = 0, fed[2] = {0, 0}; h < HOPS; h++) {
        for (size_t i = 0; i < 2; i++) {
            for (bool done = false; !done;) {
                const size_t n = N - fed[i] < blocks[i] ? N - fed[i] : blocks[i];
                fed[i] +=
                    dsp_stream_feed(s[i], sound + fed[i], n, &hop[i], &done, &bad);
            }
            dsp_stream_window(s[i], DSP_EVENT, 60, raw[i], &span);
        }
        ck_assert(fed[0] == fed[1] && hop[0].level_db == hop[1].level_db);
        ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
    }
    dsp_stream_free(s[0]);
    dsp_stream_free(s[1]);
}
END_TEST

/* All of what a front end looks at, which for some is three hops more than log-mel. */
START_TEST(a_reset_and_bad_samples_leave_nothing_behind)
{
    dsp_stream *a = new_stream(_i), *b = new_stream(_i);
    uint64_t bad = 0;
    dsp_hop hop;
    dsp_span span;
    bool done;
    float broken[HOP];
    for (int i = 0; i < HOP; i++)
        broken[i] = i % 3 ? NAN : 1e5F;
    for (size_t h = 0; h < 30; h++)
        dsp_stream_feed(a, sound + h * HOP, HOP, &hop, &done, &bad);
    dsp_stream_reset(a, 0);
    for (size_t h = 0; h < 100; h++) {
        const float *y = sound + h * HOP;
        dsp_stream_feed(a, h == 70 ? broken : y, HOP, &hop, &done, &bad);
        dsp_stream_feed(b, y, HOP, &hop, &done, &bad);
        memset(raw, 0, sizeof raw);
        dsp_stream_window(a, DSP_EVENT, 10, raw[0], &span);
        dsp_stream_window(b, DSP_EVENT, 10, raw[1], &span);
        for (size_t i = 0; i < MOST; i++)
            ck_assert(isfinite(raw[0][i]));
        ck_assert_msg(!memcmp(raw[0], raw[1], sizeof *raw) || (h >= 70 && h < 92),
                      "%s, hop %zu", dsp_front_name[_i], h);
    }
    ck_assert_uint_eq(bad, HOP - HOP / 3);
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    const dsp_stream_config c = {
        .rate_hz = RATE, .gate_db = -60, .event_hops = 100, .front = (uint32_t)_i};
    dsp_stream *s = NULL;
    for (uint64_t k = 1; !s; k++) {
        heap_fail_at = k;
        const dsp_status st = dsp_stream_new(&s, &c);
        heap_fail_at = 0;
        ck_assert(st == (s ? DSP_OK : DSP_ENOMEM));
    }
    dsp_stream_free(s);
}
END_TEST

START_TEST(no_other_front_end_is_accepted)
{
    dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *s;
    c.front = DSP_FRONTS;
    ck_assert_int_eq(dsp_stream_new(&s, &c), DSP_EARG);
    ck_assert_ptr_null(s);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("stream_front");
    TCase *t = tcase_create("stream_front");
    const int first = DSP_FRONT_MEL + 1;
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, features_equal_mean_and_deviation_of_frames, first,
                        DSP_FRONTS);
    tcase_add_loop_test(t, blocks_of_any_size_give_the_same_bits, first, DSP_FRONTS);
    tcase_add_loop_test(t, a_reset_and_bad_samples_leave_nothing_behind, first,
                        DSP_FRONTS);
    tcase_add_loop_test(t, new_survives_every_allocation_failing, first, DSP_FRONTS);
    tcase_add_test(t, no_other_front_end_is_accepted);
    suite_add_tcase(s, t);
    return run_suite(s);
}
