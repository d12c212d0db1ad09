/* The timbre codes of a corpus, and the frames of a stream that they are made of. */
#include "rt/analyse.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, HOP = RATE / DSP_HOPS_PER_S };

static char folder[256], index_path[300];
static rt_options options;
static idx_index *ix;

static void
setup(void)
{
    char why[300] = "";
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&options);
    options.build.timbre = 1;
    options.build.invariance = 0; /* learning by copies takes its time */
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
}

static void
teardown(void)
{
    idx_close(ix);
    remove_tree(folder);
}

START_TEST(codes_cover_every_sound_from_start_to_end)
{
    const idx_scale *sc = idx_scale_of(ix, IDX_TIMBRE);
    ck_assert_uint_eq(sc->dim, DSP_TIMBRE_BITS);
    ck_assert_uint_eq(sc->n_in, DSP_BFCC);
    for (uint32_t sound = 0; sound < idx_n_sounds(ix); sound++) {
        const double seconds = idx_sound_of(ix, sound).seconds;
        double end = 0;
        uint32_t n = 0;
        for (uint32_t e = 0; e < sc->n_entries; e++) {
            const idx_entry *x = &sc->entries[e];
            if (x->sound != sound)
                continue;
            ck_assert_double_le((double)x->start_s, end + 1e-3); /* no hole */
            end = (double)x->start_s + (double)x->length_s;
            ck_assert_double_le(end, seconds + 1e-3);
            ck_assert_double_le((double)x->length_s, 0.6 + 1e-6);
            n++;
        }
        ck_assert_double_ge(end, seconds - 0.22);
        ck_assert_msg(seconds > 0.6 || n == 1, "%u codes of %.2f s", n, seconds);
        ck_assert_uint_le(n, (unsigned)(seconds / 0.3) + 1);
    }
}
END_TEST

START_TEST(a_code_has_as_many_bits_as_frames_at_most)
{
    const idx_scale *sc = idx_scale_of(ix, IDX_TIMBRE);
    for (uint32_t e = 0; e < sc->n_entries; e++) {
        const int bits = __builtin_popcountll(sc->codes[2 * (size_t)e]) +
                         __builtin_popcountll(sc->codes[2 * (size_t)e + 1]);
        ck_assert_int_ge(bits, 1);
        ck_assert_int_le(bits, DSP_TIMBRE_FRAMES);
    }
    for (uint32_t i = 1; i < sc->n_knots; i++)
        ck_assert(sc->knots[i] >= sc->knots[i - 1] && sc->knots[i] <= 1);
    ck_assert(sc->knots[0] >= 0 && sc->hamming_knots[0] >= 0.5F);
}
END_TEST

/* Ends of the codes of n frames, as build has them: each 15, and the rest if it is
 * long.
 */
static uint32_t
ends_of(uint32_t n, uint32_t ends[])
{
    uint32_t k = 0;
    for (uint32_t end = DSP_TIMBRE_FRAMES; end <= n; end += DSP_TIMBRE_FRAMES / 2)
        ends[k++] = end;
    if (!k || n - ends[k - 1] >= 9)
        ends[k++] = n;
    return k;
}

START_TEST(stored_codes_are_their_definition)
{
    /* sound 3 as the file has it, then as much silence as lets it ring */
    enum { LENGTH = 5 * RATE / 2, WITH_END = LENGTH + 4 * HOP };
    const idx_scale *sc = idx_scale_of(ix, IDX_TIMBRE);
    static float x[WITH_END], frame[200][DSP_BFCC];
    static bool loud[200];
    dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *s;
    uint32_t n = 0, ends[20], e = 0;
    uint64_t bad = 0;
    dsp_hop hop;
    bool done;
    make_sound(x, LENGTH, RATE, 4);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] = (float)lrintf(x[i] * 32767) / 32768;
    c.timbre = true;
    ck_assert(!dsp_stream_new(&s, &c));
    for (size_t at = 0; at < WITH_END;) {
        at += dsp_stream_feed(s, x + at, WITH_END - at, &hop, &done, &bad);
        if (done && hop.index % 2 == 1) {
            loud[n] = dsp_stream_bfcc(s, frame[n]);
            n++;
        }
    }
    dsp_stream_free(s);
    const uint32_t n_codes = ends_of(n, ends);
    while (sc->entries[e].sound != 3)
        e++;
    for (uint32_t k = 0; k < n_codes; k++, e++) {
        const uint32_t begin =
            ends[k] > DSP_TIMBRE_FRAMES ? ends[k] - DSP_TIMBRE_FRAMES : 0;
        uint64_t bits[DSP_TIMBRE_WORDS] = {0};
        for (uint32_t f = begin; f < ends[k]; f++) {
            const uint32_t b = dsp_timbre_nearest(sc->matrix, frame[f]);
            bits[b / 64] |= (uint64_t)loud[f] << b % 64;
        }
        ck_assert_uint_eq(sc->entries[e].sound, 3);
        ck_assert_double_eq_tol((double)sc->entries[e].start_s, 0.02 * begin, 1e-6);
        ck_assert_msg(!memcmp(bits, sc->codes + 2 * (size_t)e, sizeof bits), "code %u",
                      k);
    }
    ck_assert_uint_ne(sc->entries[e].sound, 3);
}
END_TEST

static const dsp_front_kind fronts[] = {DSP_FRONT_MEL, DSP_FRONT_MEL + 1,
                                        DSP_FRONTS - 1};
static const uint32_t rates[] = {22000, 44100, 96000};

START_TEST(a_stream_gives_the_frame_of_its_newest_samples)
{
    const uint32_t rate = rates[_i];
    dsp_stream_config c = {.rate_hz = rate,
                           .gate_db = -70,
                           .event_hops = 100,
                           .front = fronts[_i],
                           .timbre = true};
    float *x = calloc(2 * rate, sizeof *x), got[DSP_BFCC], want[DSP_BFCC];
    dsp_stream *with, *without;
    dsp_bfcc *b;
    dsp_hop hop;
    bool done;
    uint64_t bad = 0;
    size_t compared = 0;
    make_sound(x + rate, rate, rate, 9); /* a second of silence first */
    ck_assert(!dsp_stream_new(&with, &c) && !dsp_bfcc_new(&b, rate));
    c.timbre = false;
    ck_assert(!dsp_stream_new(&without, &c));
    const size_t window = dsp_bfcc_window(b);
    for (size_t at = 0; at < 2 * (size_t)rate;) {
        const size_t n = 2 * (size_t)rate - at;
        dsp_stream_feed(without, x + at, n, &hop, &done, &bad);
        at += dsp_stream_feed(with, x + at, n, &hop, &done, &bad);
        if (!done)
            continue;
        const bool loud = dsp_stream_bfcc(with, got);
        ck_assert(!dsp_stream_bfcc(without, want));
        if (at >= window) {
            ck_assert(loud == (dsp_bfcc_frame(b, x + at - window, want) && hop.loud));
            ck_assert(!loud || !memcmp(got, want, sizeof got));
            compared += loud;
        }
    }
    ck_assert_uint_gt(compared, 50);
    dsp_bfcc_free(b);
    dsp_stream_free(with);
    dsp_stream_free(without);
    free(x);
}
END_TEST

static const uint32_t thread_counts[] = {1, 3};

START_TEST(any_number_of_threads_builds_the_same_bytes)
{
    char path[300];
    snprintf(path, sizeof path, "%s/y.hkn", folder);
    build_corpus(folder, &options, thread_counts[_i], path);
    same_file(index_path, path);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("build_timbre");
    TCase *t = tcase_create("build_timbre");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, setup, teardown); /* once for all tests */
    tcase_add_test(t, codes_cover_every_sound_from_start_to_end);
    tcase_add_test(t, a_code_has_as_many_bits_as_frames_at_most);
    tcase_add_test(t, stored_codes_are_their_definition);
    tcase_add_loop_test(t, a_stream_gives_the_frame_of_its_newest_samples, 0, 3);
    tcase_add_loop_test(t, any_number_of_threads_builds_the_same_bytes, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
