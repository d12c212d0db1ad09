/* Streams: the same in any blocks, hops on their grid, bad input contained. */
#include "dsp/dsp.h"
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 48000,
    HOP = RATE / DSP_HOPS_PER_S,
    WINDOW = 1536, /* samples that a hop looks at */
    SECONDS = 13,
    N = RATE * SECONDS,
    SCENE_STEP = 50, /* hops from event to event of a scene */
    SCENE_SLOTS = 8,
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static float sound[N]; /* with silence in the middle */

static void
setup(void)
{
    memset(sound, 0, sizeof sound);
    for (uint64_t i = 0; i < SECONDS; i++)
        if (i != 5)
            make_sound(sound + i * RATE, RATE, RATE, 100 + i);
}

static dsp_stream *
new_stream(uint32_t rate, uint32_t event_hops)
{
    dsp_stream_config c = dsp_stream_config_default();
    c.rate_hz = rate;
    c.event_hops = event_hops;
    dsp_stream *s;
    ck_assert_int_eq(dsp_stream_new(&s, &c), DSP_OK);
    return s;
}

/* ---- Blocks and resets ---- */

static uint64_t
fold(uint64_t h, const void *bytes, size_t n) /* FNV-1a */
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 1099511628211U;
    return h;
}

/* All that can be said at one hop: short and long windows, and at times a scene. */
static uint64_t
fold_hop(dsp_stream *s, dsp_scene *scene, const dsp_hop *hop, uint64_t h)
{
    static const uint32_t lengths[] = {5, DSP_FRAME_HOPS, 100, 150};
    float raw[2 * DSP_BLOCK_VALUES];
    uint32_t n_loud = 0;
    dsp_span span;
    h = fold(fold(h, &hop->index, 8), &hop->frames, 8);
    h = fold(fold(h, &hop->level_db, 4), &hop->loud, 1);
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++) {
            memset(raw, 0, sizeof raw);
            n_loud = dsp_stream_window(s, scale, lengths[i], raw, &span);
            h = fold(h, raw, sizeof raw);
            h = fold(h, &span, sizeof span);
        }
    if ((hop->index + 1) % SCENE_STEP)
        return h;
    const bool heard = n_loud >= DSP_MIN_LOUD; /* raw holds the longest event */
    dsp_scene_push(scene, heard ? raw : NULL, heard ? dsp_event_weight(raw) : 0);
    memset(raw, 0, sizeof raw);
    const uint32_t n = dsp_scene_window(scene, raw);
    return fold(fold(h, &n, sizeof n), raw, sizeof raw);
}

/* Folds everything that a stream says into one number. */
static uint64_t
digest(dsp_stream *s, const float x[], size_t n, size_t block, uint64_t *n_hops)
{
    uint64_t h = 14695981039346656037U, bad = 0;
    dsp_scene *scene;
    ck_assert_int_eq(dsp_scene_new(&scene, DSP_BLOCK_VALUES, SCENE_SLOTS), DSP_OK);
    for (size_t at = 0; at < n;) {
        dsp_hop hop;
        bool done;
        const size_t most = n - at < block ? n - at : block;
        size_t used = 0;
        while (used < most) {
            const size_t left = most - used;
            const size_t took =
                dsp_stream_feed(s, x + at + used, left, &hop, &done, &bad);
            ck_assert(took >= 1 && took <= left && (done || took == left));
            used += took;
            if (done)
                h = fold_hop(s, scene, &hop, h);
            *n_hops += done;
        }
        at += used;
    }
    ck_assert_uint_eq(bad, 0);
    dsp_scene_free(scene);
    return h;
}

static const size_t blocks[] = {2, 64, 479, 480, 481, 999, 4096, N};

START_TEST(blocks_of_any_size_give_the_same_bits)
{
    uint64_t hops[2] = {0, 0};
    dsp_stream *a = new_stream(RATE, 150), *b = new_stream(RATE, 150);
    const float *x = sound + 4 * RATE; /* silence after one second */
    ck_assert_uint_eq(digest(a, x, 4 * RATE, 1, &hops[0]),
                      digest(b, x, 4 * RATE, blocks[_i], &hops[1]));
    ck_assert_uint_eq(hops[0], 4 * DSP_HOPS_PER_S);
    ck_assert_uint_eq(hops[1], hops[0]);
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

/* Reset in the middle of a hop, the ring full. */
START_TEST(a_reset_stream_is_as_new)
{
    uint64_t hops = 0;
    dsp_stream *s = new_stream(RATE, 200);
    const uint64_t first = digest(s, sound, 4 * RATE, 512, &hops);
    digest(s, sound + 9 * RATE, 3 * RATE + 77, 512, &hops);
    dsp_stream_reset(s, 0);
    ck_assert_uint_eq(dsp_stream_hop(s), 0);
    ck_assert_uint_eq(digest(s, sound, 4 * RATE, 512, &hops), first);
    dsp_stream_free(s);
}
END_TEST

/* What was before a gap is not heard behind it, wherever in the ring that is. */
START_TEST(a_reset_forgets_all_at_any_hop)
{
    static float raw[2][DSP_BLOCK_VALUES];
    dsp_stream *a = new_stream(RATE, 200), *b = new_stream(RATE, 200);
    dsp_span span[2];
    uint64_t bad = 0;
    dsp_hop hop;
    bool done;
    for (uint64_t round = 0; round < 40; round++) {
        const uint64_t frame = round * 37 * HOP;
        for (size_t h = 0; h < 11 * round; h++)
            dsp_stream_feed(a, sound + h * HOP, HOP, &hop, &done, &bad);
        dsp_stream_reset(a, frame);
        dsp_stream_reset(b, frame);
        ck_assert_uint_eq(dsp_stream_window(a, DSP_EVENT, 200, raw[0], span), 0);
        for (size_t h = 0; h < 3 + round; h++) {
            dsp_stream_feed(a, sound + (600 + h) * HOP, HOP, &hop, &done, &bad);
            dsp_stream_feed(b, sound + (600 + h) * HOP, HOP, &hop, &done, &bad);
        }
        ck_assert_uint_eq(dsp_stream_window(a, DSP_EVENT, 200, raw[0], span),
                          3 + round);
        dsp_stream_window(b, DSP_EVENT, 200, raw[1], span + 1);
        ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
        ck_assert_mem_eq(span, span + 1, sizeof *span);
    }
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

/* ---- The grid of hops ---- */

static const uint32_t rates[] = {22050, 44100, 48000, 96000};

START_TEST(hops_end_100_times_a_second_at_every_rate)
{
    const uint32_t rate = rates[_i];
    const dsp_logmel_config c = dsp_logmel_config_default(rate);
    const size_t pad = c.window_frames, n = 3 * (size_t)rate;
    float *x = calloc(pad + n, sizeof *x), mel[DSP_BANDS];
    uint64_t fed = 0, bad = 0, n_hops = 0, seed = 3;
    dsp_logmel *lm;
    dsp_stream *s = new_stream(rate, 100);
    ck_assert(x && !dsp_logmel_new(&lm, &c));
    make_sound(x + pad, n / 2, rate, 4); /* then silence */
    while (fed < n) {
        const size_t block = 1 + (size_t)(random_u64(&seed) % 1500);
        dsp_hop hop;
        bool done;
        ck_assert_uint_eq(dsp_stream_hop(s), n_hops);
        fed += dsp_stream_feed(s, x + pad + fed, block < n - fed ? block : n - fed,
                               &hop, &done, &bad);
        const uint64_t end = (n_hops + 1) * rate / DSP_HOPS_PER_S;
        ck_assert(done == (fed == end) && fed <= end);
        if (!done)
            continue;
        ck_assert_uint_eq(hop.index, n_hops++);
        ck_assert_uint_eq(hop.frames, fed);
        const float level = dsp_logmel_frame(lm, x + fed, mel);
        ck_assert_float_eq_tol(hop.level_db, level, 1e-5F);
        ck_assert(hop.loud == (hop.level_db >= -70));
    }
    ck_assert_uint_eq(n_hops, 3 * DSP_HOPS_PER_S);
    dsp_logmel_free(lm);
    dsp_stream_free(s);
    free(x);
}
END_TEST

static const struct {
    const char *name;
    float gate;
    bool loud;
} gates[] = {{"0.1 dB below", -43.1F, true},
             {"0.1 dB above", -42.9F, false},
             {"lowest", -120, true},
             {"highest", 0, false}};

START_TEST(a_hop_is_loud_at_the_gate_and_above)
{
    const double pi = 3.14159265358979323846;
    dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *s;
    uint64_t bad = 0;
    dsp_hop hop = {0};
    bool done;
    float x[HOP];
    c.gate_db = gates[_i].gate;
    ck_assert_int_eq(dsp_stream_new(&s, &c), DSP_OK);
    for (int h = 0; h < 5; h++) {
        for (int i = 0; i < HOP; i++) /* 1 kHz */
            x[i] = (float)(0.01 * sin(pi * i / 24));
        dsp_stream_feed(s, x, HOP, &hop, &done, &bad);
    }
    ck_assert_float_eq_tol(hop.level_db, -43.01F, 0.01F);
    ck_assert_msg(hop.loud == gates[_i].loud, "case: %s", gates[_i].name);
    dsp_stream_free(s);
}
END_TEST

START_TEST(after_a_reset_hops_stay_where_they_are)
{
    const uint64_t rate = rates[_i], far = rate * 86400 * 365;
    dsp_stream *s = new_stream(rates[_i], 100);
    for (uint64_t at = 0; at < 3000; at += 7)
        for (uint64_t base = 0; base <= far; base += far) {
            uint64_t bad = 0, fed = base + at;
            dsp_hop hop;
            bool done = false;
            dsp_stream_reset(s, fed);
            const uint64_t first = dsp_stream_hop(s);
            ck_assert_uint_gt((first + 1) * rate / DSP_HOPS_PER_S, fed);
            ck_assert(!first || first * rate / DSP_HOPS_PER_S <= fed);
            while (!done)
                fed += dsp_stream_feed(s, sound, 100, &hop, &done, &bad);
            ck_assert_uint_eq(hop.index, first);
            ck_assert_uint_eq(hop.frames, fed);
            ck_assert_uint_eq(fed, (first + 1) * rate / DSP_HOPS_PER_S);
        }
    dsp_stream_free(s);
}
END_TEST

/* ---- What is contained ---- */

/* Two streams at the same hop: what they say of windows of n hops. */
typedef struct {
    float raw[2][DSP_BLOCK_VALUES];
    dsp_span span[2];
    bool equal, finite;
} pair;

static void
compare(pair *p, dsp_stream *a, dsp_stream *b, dsp_scale scale, uint32_t n)
{
    memset(p, 0, sizeof *p);
    dsp_stream_window(a, scale, n, p->raw[0], p->span);
    dsp_stream_window(b, scale, n, p->raw[1], p->span + 1);
    p->equal = !memcmp(p->raw[0], p->raw[1], sizeof p->raw[0]) &&
               !memcmp(p->span, p->span + 1, sizeof *p->span);
    p->finite = true;
    for (size_t i = 0; i < DSP_BLOCK_VALUES; i++)
        p->finite &= isfinite(p->raw[0][i]);
}

/* Streams that heard different things; the third hop looks back to them for 96 samples.
 */
START_TEST(a_window_forgets_what_left_it_in_every_bit)
{
    const uint32_t length = (uint32_t[]){25, 100, 200}[_i];
    dsp_stream *a = new_stream(RATE, length), *b = new_stream(RATE, length);
    uint64_t bad = 0;
    dsp_hop hop;
    bool done;
    pair p;
    for (int h = 0; h < 333; h++)
        dsp_stream_feed(a, sound + (600 + h) * HOP, HOP, &hop, &done, &bad);
    dsp_stream_reset(b, 333 * HOP);
    for (uint32_t h = 0; h < 300; h++) {
        dsp_stream_feed(a, sound + h * HOP, HOP, &hop, &done, &bad);
        dsp_stream_feed(b, sound + h * HOP, HOP, &hop, &done, &bad);
        compare(&p, a, b, DSP_EVENT, length);
        ck_assert_msg(p.equal == (h >= length + 2), "%u hops of %u", h + 1, length);
        compare(&p, a, b, DSP_FRAME, DSP_FRAME_HOPS);
        ck_assert(p.equal == (h >= DSP_FRAME_HOPS + 2));
    }
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
               {"the largest float", FLT_MAX, true},
               {"absurdly loud", -1e30F, true},
               {"a little above the limit", 1000000.0625F, true},
               {"the limit", 1e6F, false},
               {"minus the limit", -1e6F, false},
               {"twenty times full scale", 20, false},
               {"clipped at full scale", 1, false},
               {"clipped at minus full scale", -1, false},
               {"the smallest float", FLT_MIN, false},
               {"denormal", 1e-42F, false},
               {"minus denormal", -1e-45F, false},
               {"minus zero", -0.0F, false}};

enum { FIRST_STRANGE = 3 * RATE + 200, N_STRANGE = 100 };

/* Windows of n hops before hop h's end that no strange sample is in. */
static bool
clean(size_t h, uint32_t n)
{
    const size_t end = (h + 1) * HOP, begin = end - (n - 1) * HOP - WINDOW;
    return end <= FIRST_STRANGE || begin >= FIRST_STRANGE + N_STRANGE;
}

static void
compare_windows(dsp_stream *a, dsp_stream *b, size_t h, bool same, const char *name)
{
    static const uint32_t lengths[] = {5, DSP_FRAME_HOPS, 40, 150};
    pair p;
    for (size_t i = 0; i < COUNT(lengths); i++)
        for (dsp_scale scale = DSP_FRAME; h >= 200 && scale <= DSP_EVENT; scale++) {
            compare(&p, a, b, scale, lengths[i]);
            ck_assert_msg(p.finite, "case: %s, hop %zu", name, h);
            ck_assert_msg(p.equal || !(same || clean(h, lengths[i])),
                          "case: %s, hop %zu, %u hops, scale %s", name, h, lengths[i],
                          dsp_scale_name[scale]);
        }
}

/* Against a stream that heard the sound, or zeros where samples must not count. */
START_TEST(strange_samples_change_nothing_beyond_their_windows)
{
    static float x[6 * RATE], zeros[6 * RATE];
    dsp_stream *a = new_stream(RATE, 150), *b = new_stream(RATE, 150);
    dsp_stream *c = new_stream(RATE, 150);
    uint64_t bad = 0, none = 0;
    dsp_hop hop[3];
    bool done;
    memcpy(x, sound, sizeof x);
    memcpy(zeros, sound, sizeof zeros);
    for (size_t i = FIRST_STRANGE; i < FIRST_STRANGE + N_STRANGE; i++) {
        x[i] = strange[_i].value;
        zeros[i] = 0;
    }
    for (size_t h = 0; h < 600; h++) {
        dsp_stream_feed(a, x + h * HOP, HOP, hop, &done, &bad);
        dsp_stream_feed(b, sound + h * HOP, HOP, hop + 1, &done, &none);
        dsp_stream_feed(c, zeros + h * HOP, HOP, hop + 2, &done, &none);
        ck_assert_msg(isfinite(hop->level_db), "case: %s", strange[_i].name);
        ck_assert(hop[0].level_db == hop[1].level_db || !clean(h, 1));
        ck_assert(hop[0].level_db == hop[2].level_db || !strange[_i].counted);
        compare_windows(a, b, h, false, strange[_i].name);
        compare_windows(a, c, h, strange[_i].counted, strange[_i].name);
    }
    ck_assert_uint_eq(bad, strange[_i].counted ? N_STRANGE : 0);
    ck_assert_uint_eq(none, 0);
    dsp_stream_free(a);
    dsp_stream_free(b);
    dsp_stream_free(c);
}
END_TEST

START_TEST(any_bits_at_all_give_finite_features)
{
    dsp_stream *s = new_stream(RATE, 100);
    uint64_t bad = 0, expected = 0, seed = 17;
    dsp_hop hop;
    pair p;
    for (int h = 0; h < 300; h++) {
        float x[HOP];
        bool done;
        for (int i = 0; i < HOP; i++) {
            const uint32_t bits = (uint32_t)(random_u64(&seed) >> 32);
            memcpy(&x[i], &bits, sizeof bits);
            expected += !(fabsf(x[i]) <= 1e6F);
        }
        dsp_stream_feed(s, x, HOP, &hop, &done, &bad);
        for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++) {
            compare(&p, s, s, scale, 100);
            ck_assert(p.finite && p.equal && isfinite(hop.level_db));
        }
    }
    ck_assert_uint_eq(bad, expected);
    dsp_stream_free(s);
}
END_TEST

/* ---- Settings and memory ---- */

static const struct {
    const char *name;
    dsp_stream_config c;
    bool ok;
} settings[] = {{"lowest", {22000, -120, 25, 0, false}, true},
                {"highest", {96000, 0, 200, 0, false}, true},
                {"rate too low", {21999, -70, 100, 0, false}, false},
                {"rate too high", {96001, -70, 100, 0, false}, false},
                {"gate too low", {48000, -120.5F, 100, 0, false}, false},
                {"gate above full scale", {48000, 0.5F, 100, 0, false}, false},
                {"gate not a number", {48000, NAN, 100, 0, false}, false},
                {"event too short", {48000, -70, 24, 0, false}, false},
                {"event too long", {48000, -70, 201, 0, false}, false}};

START_TEST(new_accepts_documented_settings)
{
    dsp_stream *s;
    const dsp_status st = dsp_stream_new(&s, &settings[_i].c);
    ck_assert_msg(st == (settings[_i].ok ? DSP_OK : DSP_EARG), "case: %s",
                  settings[_i].name);
    ck_assert(!!s == settings[_i].ok);
    dsp_stream_free(s);
}
END_TEST

START_TEST(feeds_windows_and_resets_leave_the_heap_alone)
{
    static float raw[DSP_BLOCK_VALUES];
    uint64_t bad = 0, n_loud = 0;
    dsp_hop hop;
    dsp_span span;
    bool done;
    dsp_stream *s = new_stream(RATE, 100);
    const uint64_t before = heap_calls;
    for (size_t at = 0; at < 2 * RATE;
         at += dsp_stream_feed(s, sound + at, 333, &hop, &done, &bad))
        for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++)
            n_loud += dsp_stream_window(s, scale, (uint32_t)at % 101, raw, &span);
    dsp_stream_reset(s, 12345);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(n_loud, 1000);
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
    ck_assert_uint_gt(k, 20);
    dsp_stream_free(s);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("stream");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, blocks_of_any_size_give_the_same_bits, 0, COUNT(blocks));
    tcase_add_test(t, a_reset_stream_is_as_new);
    tcase_add_test(t, a_reset_forgets_all_at_any_hop);
    tcase_add_loop_test(t, hops_end_100_times_a_second_at_every_rate, 0, COUNT(rates));
    tcase_add_loop_test(t, a_hop_is_loud_at_the_gate_and_above, 0, COUNT(gates));
    tcase_add_loop_test(t, after_a_reset_hops_stay_where_they_are, 0, COUNT(rates));
    tcase_add_loop_test(t, a_window_forgets_what_left_it_in_every_bit, 0, 3);
    tcase_add_loop_test(t, strange_samples_change_nothing_beyond_their_windows, 0,
                        COUNT(strange));
    tcase_add_test(t, any_bits_at_all_give_finite_features);
    tcase_add_loop_test(t, new_accepts_documented_settings, 0, COUNT(settings));
    tcase_add_test(t, feeds_windows_and_resets_leave_the_heap_alone);
    tcase_add_test(t, new_survives_every_allocation_failing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
