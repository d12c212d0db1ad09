/* Features of windows: the batch over the same hops, definitions in double, silence. */
#include "dsp/dsp.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 48000,
    HOP = RATE / DSP_HOPS_PER_S,
    SECONDS = 8,
    HOPS = SECONDS * DSP_HOPS_PER_S,
    MOST_RATE = 96000,
    ALL_HOPS = DSP_MAX_EVENT_HOPS,
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static float sound[SECONDS * MOST_RATE];
static float raw[2][DSP_BLOCK_VALUES];
static const float gate_db = -70;

static uint64_t
end_of(uint64_t hop, uint32_t rate)
{
    return (hop + 1) * rate / DSP_HOPS_PER_S;
}

static dsp_stream *
new_stream(uint32_t rate, uint32_t event_hops)
{
    const dsp_stream_config c = {
        .rate_hz = rate, .gate_db = gate_db, .event_hops = event_hops};
    dsp_stream *s;
    ck_assert_int_eq(dsp_stream_new(&s, &c), DSP_OK);
    return s;
}

/* Feeds the samples of one hop, of a sound that begins at hop 0. */
static void
feed_hop(dsp_stream *s, const float x[], uint32_t rate)
{
    const uint64_t h = dsp_stream_hop(s), first = h ? end_of(h - 1, rate) : 0;
    const size_t n = (size_t)(end_of(h, rate) - first);
    uint64_t bad = 0;
    dsp_hop hop;
    bool done;
    ck_assert_uint_eq(dsp_stream_feed(s, x + first, n, &hop, &done, &bad), n);
    ck_assert(done && hop.index == h && !bad);
}

/* A sound a second, number i from hop 100 i on: short ones with silence behind them, a
 * whole second of silence, one 46 dB and one 80 dB quieter. */
static void
make_seconds(uint32_t rate)
{
    memset(sound, 0, sizeof sound);
    for (uint32_t i = 0; i < SECONDS; i++) {
        float *x = sound + (size_t)i * rate;
        const size_t n = i % 2 ? rate : rate * 3 / 10;
        const float gain = i == 3 ? 0 : i == 5 ? 5e-3F : i == 7 ? 1e-4F : 1;
        make_sound(x, n, rate, 100 + i);
        for (size_t k = 0; k < n; k++)
            x[k] *= gain;
    }
}

static void
setup(void)
{
    make_seconds(RATE);
}

/* ---- What a window is made of, hop by hop ---- */

static float mel[HOPS][DSP_BANDS], desc[HOPS][DSP_DESCRIPTORS], level[HOPS];
static double energy[HOPS];

/* Of each hop the last 32 ms, by objects that know no stream. A second logmel without
 * floor gives the linear bands. */
static void
analyse_hops(uint32_t rate, size_t n)
{
    dsp_logmel_config c = dsp_logmel_config_default(rate);
    dsp_logmel *lm, *linear;
    dsp_descriptors *d;
    float window[DSP_MAX_FFT], db[DSP_BANDS];
    ck_assert(!dsp_logmel_new(&lm, &c) && !dsp_descriptors_new(&d, rate));
    c.log_floor = 1e-28;
    ck_assert(!dsp_logmel_new(&linear, &c));
    const double silence = DSP_BANDS * 1e-11; /* which has a level, too */
    for (size_t h = 0; h < n; h++) {
        const size_t end = (size_t)end_of(h, rate), back = c.window_frames;
        for (size_t i = 0; i < back; i++)
            window[i] = end + i < back ? 0 : sound[end + i - back];
        level[h] = dsp_logmel_frame(lm, window, mel[h]);
        dsp_logmel_frame(linear, window, db);
        energy[h] = 1e-20;
        for (int b = 0; b < DSP_BANDS; b++)
            energy[h] += pow(10, (double)db[b] / 10);
        dsp_descriptors_frame(d, window, dsp_logmel_power(lm, window),
                              (float)(10 * log10(energy[h] + silence)), desc[h]);
    }
    dsp_descriptors_free(d);
    dsp_logmel_free(linear);
    dsp_logmel_free(lm);
}

/* Loud hops of the n before hop number now; first and end are those of the sound. A
 * window is doubtful if rounding may decide about a hop. */
typedef struct {
    size_t first, end;
    uint32_t n_loud;
    bool loud[HOPS], doubtful;
} part;

static void
find_part(part *p, size_t now, size_t n)
{
    double most = 0;
    *p = (part){.first = now, .end = now};
    for (size_t h = now > n ? now - n : 0; h < now; h++)
        if (level[h] >= gate_db)
            most = fmax(most, energy[h]);
    for (size_t h = now > n ? now - n : 0; h < now; h++) {
        const double below_db = 10 * log10(most / energy[h]);
        p->loud[h] = level[h] >= gate_db && below_db <= 40;
        p->doubtful |= fabs(below_db - 40) < 1e-4 || fabsf(level[h] - gate_db) < 1e-4F;
        p->n_loud += p->loud[h];
        p->first = p->loud[h] && p->first == now ? h : p->first;
        p->end = p->loud[h] ? h + 1 : p->end;
    }
}

static void
same_span(const part *p, size_t now, uint32_t n_loud, dsp_span span)
{
    ck_assert_uint_eq(n_loud, p->n_loud);
    ck_assert_uint_eq(span.n_loud, p->n_loud);
    ck_assert_uint_eq(span.n_hops, p->end - p->first);
    ck_assert_uint_eq(span.ago, now - p->end);
}

/* ---- Events: the five blocks ---- */

/* Of 1 + |value|. Log-mel is the same in every bit; the level that descriptors are
 * relative to is made up from decibels here. */
static const double block_tolerance[DSP_BLOCKS] = {5e-6, 0, 0, 0, 0};

/* Block b of the window of n hops that ends now. Returns whether there was one. */
static bool
compare_block(dsp_stream *s, dsp_blocks *batch, uint32_t block, size_t now, uint32_t n)
{
    uint32_t at = 0;
    dsp_span span;
    part p;
    const uint32_t n_loud = dsp_stream_window(s, DSP_EVENT, n, raw[0], &span);
    find_part(&p, now, n);
    if (p.doubtful)
        return false;
    same_span(&p, now, n_loud, span);
    if (n_loud < DSP_MIN_LOUD)
        return false;
    dsp_blocks_window(batch, mel[p.first], desc[p.first], p.end - p.first, raw[1]);
    for (uint32_t b = 0; b < block; b++)
        at += dsp_block_size[b];
    for (uint32_t i = at; i < at + dsp_block_size[block]; i++) {
        const double want = (double)raw[1][i], error = fabs((double)raw[0][i] - want);
        ck_assert_msg(error <= block_tolerance[block] * (1 + fabs(want)),
                      "%u hops before %zu, block %u, %u: %.9g, of the batch %.9g", n,
                      now, block, i - at, (double)raw[0][i], want);
    }
    return true;
}

static const uint32_t lengths[] = {25, 26, 50, 95, 96, 97, 99, 100, 143, 144, 199, 200};

static void
compare_length(uint32_t rate, size_t n_hops, uint32_t block, uint32_t length)
{
    dsp_stream *s = new_stream(rate, length);
    dsp_blocks *batch;
    size_t n_compared = 0;
    ck_assert_int_eq(dsp_blocks_new(&batch, DSP_MAX_WINDOW), DSP_OK);
    for (size_t now = 1; now <= n_hops; now++) {
        feed_hop(s, sound, rate);
        if (now % 3 == 0)
            n_compared += compare_block(s, batch, block, now, length);
    }
    ck_assert_uint_gt(n_compared, n_hops / 8);
    dsp_blocks_free(batch);
    dsp_stream_free(s);
}

START_TEST(events_of_every_length_equal_the_batch_over_their_hops)
{
    analyse_hops(RATE, HOPS);
    for (size_t i = 0; i < COUNT(lengths); i++)
        compare_length(RATE, HOPS, (uint32_t)_i, lengths[i]);
}
END_TEST

START_TEST(beginnings_of_events_equal_the_batch_over_their_hops)
{
    static const uint32_t hops[] = {4, 5, 10, 20, 40};
    size_t n_compared = 0;
    dsp_stream *s = new_stream(RATE, 100);
    dsp_blocks *batch;
    ck_assert_int_eq(dsp_blocks_new(&batch, 100), DSP_OK);
    analyse_hops(RATE, HOPS);
    for (size_t now = 1; now <= HOPS; now++) {
        feed_hop(s, sound, RATE);
        for (size_t i = 0; i < COUNT(hops); i++)
            if (now % 100 == hops[i])
                n_compared += compare_block(s, batch, (uint32_t)_i, now, hops[i]);
    }
    ck_assert_uint_ge(n_compared, 5 * (SECONDS - 2)); /* one is silent, one too quiet */
    dsp_blocks_free(batch);
    dsp_stream_free(s);
}
END_TEST

static const uint32_t rates[] = {22050, 44100, 48000, 96000};

START_TEST(events_equal_the_batch_at_every_rate)
{
    make_seconds(rates[_i]);
    analyse_hops(rates[_i], HOPS);
    for (uint32_t block = 0; block < DSP_BLOCKS; block++)
        compare_length(rates[_i], HOPS, block, 100);
}
END_TEST

START_TEST(no_window_is_longer_than_an_event)
{
    static const uint32_t longer[] = {60, 61, 80, 119, 200, 1000, UINT32_MAX};
    dsp_stream *s = new_stream(RATE, 60);
    dsp_span span[2];
    for (size_t h = 0; h < 190; h++)
        feed_hop(s, sound, RATE);
    dsp_stream_window(s, DSP_EVENT, 60, raw[0], span);
    ck_assert(span->n_hops == 60); /* it sounded before that, too */
    for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++)
        for (size_t i = 0; i < COUNT(longer); i++) {
            memset(raw, 0, sizeof raw);
            ck_assert_uint_eq(dsp_stream_window(s, scale, longer[0], raw[0], span),
                              dsp_stream_window(s, scale, longer[i], raw[1], span + 1));
            ck_assert_mem_eq(raw[0], raw[1], sizeof *raw);
            ck_assert_mem_eq(span, span + 1, sizeof *span);
        }
    dsp_stream_free(s);
}
END_TEST

/* ---- Frames ---- */

static void
define_frame(const part *p, double want[DSP_FRAME_RAW])
{
    double peak = -105, all = 0, n = p->n_loud;
    memset(want, 0, DSP_FRAME_RAW * sizeof *want);
    for (size_t h = p->first; h < p->end; h++)
        for (int b = 0; p->loud[h] && b < DSP_BANDS; b++)
            peak = fmax(peak, (double)mel[h][b]);
    const double floor = fmax(peak - 80, -105);
    for (size_t h = p->first; h < p->end; h++) {
        for (int b = 0; p->loud[h] && b < DSP_BANDS; b++)
            want[b] += fmax((double)mel[h][b], floor) / n;
        for (int d = 0; p->loud[h] && d < DSP_DESCRIPTORS; d++)
            want[2 * DSP_BANDS + d] += (double)desc[h][d] / n;
    }
    for (int b = 0; b < DSP_BANDS; b++) {
        for (size_t h = p->first; h < p->end; h++)
            if (p->loud[h])
                want[DSP_BANDS + b] +=
                    pow(fmax((double)mel[h][b], floor) - want[b], 2) / n;
        want[DSP_BANDS + b] = sqrt(want[DSP_BANDS + b]);
        all += want[b] / DSP_BANDS;
    }
    for (int b = 0; b < DSP_BANDS; b++)
        want[b] -= all;
}

static const uint32_t frame_hops[] = {3, 5, DSP_FRAME_HOPS, 37, 100, 200};

START_TEST(frames_equal_their_definition)
{
    const uint32_t n = frame_hops[_i];
    double want[DSP_FRAME_RAW];
    size_t n_compared = 0;
    dsp_stream *s = new_stream(RATE, ALL_HOPS);
    analyse_hops(RATE, HOPS);
    for (size_t now = 1; now <= HOPS; now++) {
        part p;
        dsp_span span;
        feed_hop(s, sound, RATE);
        const uint32_t n_loud = dsp_stream_window(s, DSP_FRAME, n, raw[0], &span);
        find_part(&p, now, n);
        if (p.doubtful)
            continue;
        same_span(&p, now, n_loud, span);
        if (n_loud < DSP_MIN_LOUD)
            continue;
        define_frame(&p, want);
        for (int i = 0; i < DSP_FRAME_RAW; i++)
            ck_assert_msg(fabs((double)raw[0][i] - want[i]) < 2e-4,
                          "%u hops before %zu, %d: %.9g, by definition %.9g", n, now, i,
                          (double)raw[0][i], want[i]);
        n_compared++;
    }
    ck_assert_uint_gt(n_compared, HOPS / 4);
    dsp_stream_free(s);
}
END_TEST

START_TEST(gain_cancels_in_the_shape_of_a_frame)
{
    static const float gains[] = {0.25F, 0.1F, 0.037F, 30}; /* a power of two first */
    static float loud[40 * HOP], other[40 * HOP];
    uint64_t seed = 4;
    dsp_stream *a = new_stream(RATE, 100), *b = new_stream(RATE, 100);
    dsp_span span;
    for (size_t i = 0; i < 40 * HOP; i++) {
        loud[i] = (float)(0.5 * random_unit(&seed));
        other[i] = gains[_i] * loud[i];
    }
    for (size_t h = 0; h < 40; h++) {
        feed_hop(a, loud, RATE);
        feed_hop(b, other, RATE);
        if (h + 1 < DSP_MIN_LOUD)
            continue;
        ck_assert_uint_eq(
            dsp_stream_window(a, DSP_FRAME, DSP_FRAME_HOPS, raw[0], &span),
            dsp_stream_window(b, DSP_FRAME, DSP_FRAME_HOPS, raw[1], &span));
        for (int i = 0; i < 2 * DSP_BANDS; i++)
            ck_assert_msg(fabsf(raw[0][i] - raw[1][i]) < 1e-4F,
                          "hop %zu, %d: %g, times %g: %g", h, i, (double)raw[0][i],
                          (double)gains[_i], (double)raw[1][i]);
    }
    dsp_stream_free(a);
    dsp_stream_free(b);
}
END_TEST

/* ---- Silence, and where a sound lies ---- */

/* Noise over hops first..end-1, but for its last millisecond, so that it is heard in
 * the hops end and end + 1, but 58 dB below itself in the next. */
static void
make_burst(size_t first, size_t end, float amplitude, uint64_t seed)
{
    for (size_t i = first * HOP; i + RATE / 1000 < end * HOP; i++)
        sound[i] = amplitude * (float)random_unit(&seed);
}

static const struct {
    const char *name;
    struct {
        size_t first, end;
        float amplitude;
    } bursts[2];
    size_t now;
    uint32_t n_hops;
    dsp_span span;
} spans[] = {
    {"nothing ever", {{0, 0, 0}}, 40, 100, {0, 0, 0}},
    {"nothing yet", {{0, 0, 0}}, 0, 100, {0, 0, 0}},
    {"no window", {{0, 30, 1}}, 20, 0, {0, 0, 0}},
    {"sounding since the first hop", {{0, 30, 1}}, 20, 100, {20, 20, 0}},
    {"sounding, all of the window", {{0, 30, 1}}, 20, 5, {5, 5, 0}},
    {"sounding since hop 20", {{20, 30, 1}}, 25, 100, {5, 5, 0}},
    {"long over", {{20, 30, 1}}, 60, 100, {12, 12, 28}},
    {"its end in the window", {{20, 30, 1}}, 60, 33, {5, 5, 28}},
    {"left the window", {{20, 30, 1}}, 60, 20, {0, 0, 0}},
    {"the ring has gone round", {{520, 530, 1}}, 560, 100, {12, 12, 28}},
    {"across the ring's end", {{390, 410, 1}}, 420, 100, {22, 22, 8}},
    {"two sounds", {{20, 30, 1}, {50, 55, 1}}, 60, 100, {19, 37, 3}},
    {"the later one", {{20, 30, 1}, {50, 55, 1}}, 60, 20, {7, 7, 3}},
    {"30 dB quieter counts", {{20, 30, 1}, {50, 55, 0.06F}}, 60, 100, {19, 37, 3}},
    {"50 dB quieter does not", {{20, 30, 1}, {50, 55, 5e-3F}}, 60, 100, {12, 12, 28}},
    {"nor before", {{20, 25, 5e-3F}, {45, 55, 1}}, 60, 100, {12, 12, 3}},
    {"but alone it does", {{20, 30, 1}, {50, 55, 5e-3F}}, 60, 20, {7, 7, 3}},
    {"below the gate", {{20, 30, 1e-4F}}, 40, 100, {0, 0, 0}},
    {"two hops", {{20, 30, 1}}, 22, 100, {2, 2, 0}},
    {"three hops", {{20, 30, 1}}, 23, 100, {3, 3, 0}},
};

START_TEST(a_span_says_where_the_sound_lies)
{
    dsp_stream *s = new_stream(RATE, 100);
    dsp_span span = {99, 99, 99};
    memset(sound, 0, sizeof sound);
    for (size_t i = 0; i < 2; i++)
        make_burst(spans[_i].bursts[i].first, spans[_i].bursts[i].end,
                   spans[_i].bursts[i].amplitude, 7 + i);
    for (size_t h = 0; h < spans[_i].now; h++)
        feed_hop(s, sound, RATE);
    for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++) {
        const size_t n_raw = scale == DSP_FRAME ? DSP_FRAME_RAW : DSP_BLOCK_VALUES;
        memset(raw, 0x55, sizeof raw);
        const uint32_t n_loud =
            dsp_stream_window(s, scale, spans[_i].n_hops, raw[0], &span);
        ck_assert_uint_eq(n_loud, spans[_i].span.n_loud);
        ck_assert_msg(!memcmp(&span, &spans[_i].span, sizeof span),
                      "case: %s: %u loud of %u, %u ago", spans[_i].name, span.n_loud,
                      span.n_hops, span.ago);
        if (n_loud < DSP_MIN_LOUD)
            ck_assert_msg(!memcmp(raw[0], raw[1], sizeof *raw), "case: %s: written",
                          spans[_i].name);
        else /* no two bytes alike in a float's worth of them */
            for (size_t i = 0; i < DSP_BLOCK_VALUES; i++)
                ck_assert_msg((i < n_raw) == !!memcmp(&raw[0][i], &raw[1][i], 4),
                              "case: %s: value %zu", spans[_i].name, i);
    }
    dsp_stream_free(s);
}
END_TEST

enum { LEAD_GAP = 4, SOUND_HOPS = 40 }; /* a hop looks back over less than LEAD_GAP */

/* Features of a sound of 36 hops after some hops of noise, and hops of silence. */
static dsp_span
features_after(size_t before, float lead, size_t after, dsp_scale scale, uint32_t n,
               float out[DSP_BLOCK_VALUES])
{
    dsp_stream *s = new_stream(RATE, ALL_HOPS);
    dsp_span span;
    uint64_t seed = 11;
    memset(sound, 0, sizeof sound);
    for (size_t i = 0; i + LEAD_GAP * HOP < before * HOP; i++)
        sound[i] = lead * (float)random_unit(&seed);
    make_sound(sound + before * HOP, (SOUND_HOPS - 4) * HOP - 100, RATE, 12);
    for (size_t h = 0; h < before + SOUND_HOPS + after; h++)
        feed_hop(s, sound, RATE);
    memset(out, 0, sizeof *raw);
    ck_assert_uint_ge(dsp_stream_window(s, scale, n, out, &span), 20);
    dsp_stream_free(s);
    return span;
}

static const struct {
    const char *name;
    size_t before, after;
    float lead;
    uint32_t n_hops;
} surroundings[] = {
    {"0.3 s of silence", 30, 0, 0, 100},
    {"0.7 s of silence", 70, 0, 0, 100},
    {"silence on both sides", 33, 27, 0, 100},
    {"silence after it", 0, 60, 0, 100},
    {"a longer window", 71, 0, 0, 199},
    {"the longest window", 150, 159, 0, 200},
    {"a window as long as the sound", 170, 0, 0, SOUND_HOPS},
    {"noise below the gate", 60, 10, 2e-4F, 200},
    {"noise 45 dB quieter", 60, 10, 1.5e-3F, 200},
};

START_TEST(silence_around_a_sound_does_not_matter)
{
    for (dsp_scale scale = DSP_FRAME; scale <= DSP_EVENT; scale++) {
        const dsp_span bare = features_after(0, 0, 0, scale, 100, raw[0]);
        const dsp_span span = features_after(
            surroundings[_i].before, surroundings[_i].lead, surroundings[_i].after,
            scale, surroundings[_i].n_hops, raw[1]);
        ck_assert_msg(span.n_loud == bare.n_loud && span.n_hops == bare.n_hops &&
                          span.ago == bare.ago + surroundings[_i].after,
                      "case: %s: %u loud of %u, %u ago", surroundings[_i].name,
                      span.n_loud, span.n_hops, span.ago);
        ck_assert_msg(!memcmp(raw[0], raw[1], sizeof *raw), "case: %s, scale %s",
                      surroundings[_i].name, dsp_scale_name[scale]);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("windows");
    TCase *t = tcase_create("windows");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, events_of_every_length_equal_the_batch_over_their_hops, 0,
                        DSP_BLOCKS);
    tcase_add_loop_test(t, beginnings_of_events_equal_the_batch_over_their_hops, 0,
                        DSP_BLOCKS);
    tcase_add_loop_test(t, events_equal_the_batch_at_every_rate, 0, COUNT(rates));
    tcase_add_test(t, no_window_is_longer_than_an_event);
    tcase_add_loop_test(t, frames_equal_their_definition, 0, COUNT(frame_hops));
    tcase_add_loop_test(t, gain_cancels_in_the_shape_of_a_frame, 0, 4);
    tcase_add_loop_test(t, a_span_says_where_the_sound_lies, 0, COUNT(spans));
    tcase_add_loop_test(t, silence_around_a_sound_does_not_matter, 0,
                        COUNT(surroundings));
    suite_add_tcase(s, t);
    return run_suite(s);
}
