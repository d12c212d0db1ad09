/* rt/floor.c: what goes on as it is becomes the floor, what is played does not; and the
 * gate above it. */
#include "rt/analyse_private.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, HOP = RATE / DSP_HOPS_PER_S, MOST_S = 60 };

static float *x; /* [MOST_S * RATE] */
static dsp_stream *stream;
static rt_floor *hears;

static void
setup(void)
{
    dsp_stream_config c = dsp_stream_config_default();
    dsp_thread_init();
    x = calloc((size_t)MOST_S * RATE, sizeof *x);
    hears = calloc(1, sizeof *hears);
    ck_assert(!dsp_stream_new(&stream, &c));
}

static void
teardown(void)
{
    dsp_stream_free(stream);
    free(hears);
    free(x);
}

static float
db(float amplitude)
{
    return 20 * log10f(amplitude + 1e-9F);
}

/* From the next hop on; the floor after it. */
static float
hear(double from_s, double to_s)
{
    const size_t end = (size_t)(to_s * RATE);
    for (size_t at = (size_t)(from_s * RATE); at < end;) {
        dsp_hop hop;
        bool done;
        uint64_t n_bad;
        size_t n;
        at += dsp_stream_feed(stream, x + at, end - at, &hop, &done, &n_bad);
        const float *samples = dsp_stream_samples(stream, &n);
        if (done)
            rt_floor_feed(hears, hop.index, dsp_stream_bands(stream), samples + n - HOP,
                          HOP);
    }
    return hears->rms;
}

typedef enum { WHITE, RUMBLE, HUM, FAN } bed;
static const char *const bed_name[] = {"white", "rumble", "hum", "fan"};

/* Adds a bed of that root mean square. */
static void
add_bed(bed kind, double rms, double from_s, double to_s)
{
    uint64_t seed = 7;
    double slow = 0, slower = 0, sum = 0;
    const size_t first = (size_t)(from_s * RATE), end = (size_t)(to_s * RATE);
    float *y = calloc(end - first, sizeof *y);
    for (size_t i = 0; i < end - first; i++) {
        const double w = random_normal(&seed), t = (double)i / RATE;
        slow += 0.3 * (w - slow);
        slower += 0.01 * (w - slower);
        y[i] = (float)(kind == WHITE    ? w
                       : kind == RUMBLE ? slower
                       : kind == HUM ? sin(628.3 * t) + 0.5 * sin(1885 * t) + 0.001 * w
                                     : slow + 5 * slower + 0.5 * sin(1500 * t));
        sum += (double)y[i] * (double)y[i];
    }
    const double gain = rms / sqrt(sum / (double)(end - first));
    for (size_t i = 0; i < end - first; i++)
        x[first + i] += (float)(gain * (double)y[i]);
    free(y);
}

START_TEST(a_bed_is_the_floor_after_ten_seconds_and_not_before)
{
    add_bed((bed)_i, 0.01, 0, 20);
    ck_assert_float_eq(hear(0, 9.9), 0);
    for (double s = 9.9; s < 19.9; s += 0.1) {
        const float level = db(hear(s, s + 0.1));
        ck_assert_msg(level < -39 && level > -46, "%s at %.1f s: %.1f dB", bed_name[_i],
                      s, (double)level);
    }
}
END_TEST

/* Played over a bed, with pauses that take a third of the time. */
START_TEST(the_floor_is_what_remains_in_pauses)
{
    float *sound = calloc(RATE, sizeof *sound);
    add_bed((bed)_i, 0.003, 0, 40);
    for (size_t at = 0; at < 26; at++) {
        make_sound(sound, RATE, RATE, at + 1);
        for (size_t i = 0; i < RATE; i++)
            x[at * 3 * RATE / 2 + i] += sound[i];
    }
    for (double s = 0; s < 12; s += 1)
        hear(s, s + 1);
    for (double s = 12; s < 38; s += 1) {
        const float level = db(hear(s, s + 1));
        ck_assert_msg(level < -47 && level > -56, "%s at %.0f s: %.1f dB", bed_name[_i],
                      s, (double)level);
    }
    free(sound);
}
END_TEST

/* Chords without a pause: four partials each, another chord each second. */
START_TEST(music_without_a_pause_is_no_floor)
{
    uint64_t seed = 3;
    for (size_t s = 0; s < 30; s++)
        for (int partial = 0; partial < 4; partial++) {
            const double hz = 110 * pow(2, 4 + 4 * random_unit(&seed));
            for (size_t i = 0; i < RATE; i++)
                x[s * RATE + i] +=
                    (float)(0.003 * sin(6.2831853 * hz * (double)i / RATE));
        }
    hear(0, 10);
    for (double s = 10; s < 30; s += 0.1)
        ck_assert_float_eq(hear(s, s + 0.1), 0);
}
END_TEST

START_TEST(silence_has_a_floor_of_nothing)
{
    ck_assert_float_eq(hear(0, 12), 0);
}
END_TEST

START_TEST(it_depends_on_the_last_ten_seconds_alone)
{
    rt_floor *other = calloc(1, sizeof *other);
    add_bed(FAN, 0.01, 0, 40);
    make_sound(x + 18 * RATE, RATE, RATE, 5);
    hear(0, 25.5);
    const float all = hears->rms;
    memcpy(other, hears, sizeof *other);
    rt_floor_reset(hears);
    ck_assert_float_eq(hears->rms, 0);
    /* hop indexes go on, and so do blocks: nothing but its own past is forgotten */
    dsp_stream_reset(stream, (uint64_t)(15.34 * RATE));
    hear(15.34, 25.5);
    ck_assert_float_gt(all, 0);
    ck_assert_float_eq(hears->rms, all);
    ck_assert(!memcmp(hears->floor_db, other->floor_db, sizeof hears->floor_db));
    free(other);
}
END_TEST

/* ---- What is compared -------------------------------------------------------------
 */

static void
window_at(double from_s, double to_s, bool without_floor, float raw[DSP_FRAME_RAW])
{
    dsp_span span;
    hear(from_s, to_s);
    dsp_stream_set_floor(stream, without_floor ? hears->floor_db : NULL);
    ck_assert_uint_eq(dsp_stream_window(stream, DSP_FRAME, 10, raw, &span), 10);
}

static double
distance(const float a[], const float b[])
{
    double sum = 0;
    for (int i = 0; i < DSP_BANDS; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum / DSP_BANDS);
}

START_TEST(without_the_floor_a_sound_is_more_like_itself)
{
    float clean[DSP_FRAME_RAW], noisy[DSP_FRAME_RAW], less[DSP_FRAME_RAW];
    make_sound(x + 12 * RATE, RATE, RATE, 4);
    window_at(11.9, 12.2, false, clean);
    add_bed((bed)_i, 0.01, 0, 14);
    dsp_stream_reset(stream, 0);
    rt_floor_reset(hears);
    window_at(0, 12.2, false, noisy);
    ck_assert_float_gt(hears->rms, 0);
    window_at(12.2, 12.2, true, less);
    ck_assert_msg(distance(less, clean) < 0.95 * distance(noisy, clean),
                  "%s: %.1f dB off, before %.1f", bed_name[_i], distance(less, clean),
                  distance(noisy, clean));
}
END_TEST

START_TEST(a_floor_far_below_changes_no_bit_and_a_reset_forgets_it)
{
    float with[DSP_FRAME_RAW], none[DSP_FRAME_RAW];
    dsp_span span;
    golden_signal(x, RATE, 0.5);
    for (int b = 0; b < DSP_BANDS; b++)
        hears->floor_db[b] = -140;
    window_at(0, 0.5, false, none);
    window_at(0.5, 0.5, true, with);
    ck_assert(!memcmp(with, none, sizeof with));
    for (int b = 0; b < DSP_BANDS; b++)
        hears->floor_db[b] = -20;
    window_at(0.5, 0.5, true, with);
    ck_assert(memcmp(with, none, sizeof with) != 0);
    dsp_stream_reset(stream, 0);
    hear(0, 0.5);
    dsp_stream_window(stream, DSP_FRAME, 10, with, &span);
    ck_assert(!memcmp(with, none, sizeof with));
}
END_TEST

/* ---- The gate ---------------------------------------------------------------------
 */

static char folder[256];
static rt_options options;
static idx_index *ix;

static void
build(void)
{
    char why[300] = "", path[300];
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&options);
    options.build.invariance = 0;
    write_corpus(folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, path);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
}

static void
remove_built(void)
{
    idx_close(ix);
    remove_tree(folder);
}

typedef struct {
    uint32_t n_onsets, n_right;
} heard;

static void
keep(void *ctx, const rt_match *m)
{
    heard *h = ctx;
    if (m->kind == RT_ONSET && m->time_s >= 0)
        h->n_onsets += m->frame > 12 * (uint64_t)RATE;
    if (m->kind == RT_MATCH && m->scale == DSP_EVENT)
        h->n_right += m->sound == 3;
}

/* A bed, and from 15 s on number 3 of the corpus each 3 s; the open share from 12 s on.
 */
static double
play(heard *h, float floor_db, double rms)
{
    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = h, .match = keep};
    rt_options o = options;
    rt_analyse *a;
    uint32_t n_open = 0, n = 0;
    float *sound = calloc(RATE, sizeof *sound);
    make_sound(sound, RATE, RATE, 4);
    memset(x, 0, (size_t)MOST_S * RATE * sizeof *x);
    add_bed(FAN, rms, 0, 30);
    for (size_t at = 15; at < 30; at += 3)
        for (size_t i = 0; i < RATE; i++)
            x[at * RATE + i] += sound[i];
    free(sound);
    o.match.floor_db = floor_db;
    o.match.scales = 1U << DSP_EVENT;
    o.match.onset_db = 0; /* the gate's alone */
    *h = (heard){0};
    ck_assert(rt_analyse_new(&a, RATE, &o, ix, &counts, &sink, why, sizeof why));
    for (size_t at = 0; at < 30 * (size_t)RATE; at += 480) {
        rt_analyse_block(a, x + at, 480, 0);
        if (at >= 12 * (size_t)RATE) {
            n++;
            n_open += rt_analyse_is_open(a);
        }
    }
    rt_analyse_free(a);
    return (double)n_open / n;
}

START_TEST(beside_a_fan_the_gate_opens_for_what_is_played_and_closes_after_it)
{
    heard h;
    const double share = play(&h, -35, 0.01);
    ck_assert_uint_eq(h.n_onsets, 5);
    ck_assert_msg(share > 0.02 && share < 0.45, "open %.2f of the time", share);
    ck_assert_uint_gt(h.n_right, 5);
}
END_TEST

START_TEST(without_a_floor_it_stays_open)
{
    heard h;
    ck_assert_double_eq(play(&h, RT_NO_FLOOR, 0.01), 1);
    ck_assert_uint_eq(h.n_onsets, 0);
}
END_TEST

START_TEST(what_is_louder_than_a_floor_may_be_is_none)
{
    heard h;
    ck_assert_double_eq(play(&h, -43, 0.01), 1);
    ck_assert_uint_eq(h.n_onsets, 0);
}
END_TEST

START_TEST(after_a_gap_nothing_is_known_of_it)
{
    char why[300];
    heard h = {0};
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = &h, .match = keep};
    rt_analyse *a;
    add_bed(FAN, 0.01, 0, 16);
    ck_assert(rt_analyse_new(&a, RATE, &options, ix, &counts, &sink, why, sizeof why));
    rt_analyse_block(a, x, 12 * (size_t)RATE, 0);
    ck_assert(!rt_analyse_is_open(a));
    rt_analyse_gap(a, 100);
    rt_analyse_block(a, x, RATE, 0);
    ck_assert(rt_analyse_is_open(a));
    rt_analyse_free(a);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/floor");
    TCase *t = tcase_create("floor");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_bed_is_the_floor_after_ten_seconds_and_not_before, 0, 4);
    tcase_add_loop_test(t, the_floor_is_what_remains_in_pauses, 0, 4);
    tcase_add_test(t, music_without_a_pause_is_no_floor);
    tcase_add_test(t, silence_has_a_floor_of_nothing);
    tcase_add_test(t, it_depends_on_the_last_ten_seconds_alone);
    tcase_add_loop_test(t, without_the_floor_a_sound_is_more_like_itself, 0, 4);
    tcase_add_test(t, a_floor_far_below_changes_no_bit_and_a_reset_forgets_it);
    suite_add_tcase(s, t);
    t = tcase_create("gate");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, build, remove_built);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t,
                   beside_a_fan_the_gate_opens_for_what_is_played_and_closes_after_it);
    tcase_add_test(t, without_a_floor_it_stays_open);
    tcase_add_test(t, what_is_louder_than_a_floor_may_be_is_none);
    tcase_add_test(t, after_a_gap_nothing_is_known_of_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
