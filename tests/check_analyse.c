/* The whole path from samples to matches, over an index built of generated sounds. */
#include "rt/analyse.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, N = 30 * RATE, MAX_FOUND = 20000 };

static char folder[256], index_path[300];
static rt_options options, built_by;
static idx_index *ix;
static float *input; /* [N]: silence, sound 3, silence, sound 7 */

typedef struct {
    rt_match m[MAX_FOUND];
    size_t n;
} found;
static found *a_found, *b_found;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (f->n < MAX_FOUND)
        f->m[f->n++] = *m;
}

/* Once for all tests. */
static void
build(void)
{
    char why[300] = "";
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&built_by);
    built_by.match.scales = 7;
    built_by.match.score = 0;
    built_by.build.invariance = 0; /* learning by copies takes its time */
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &built_by, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
}

static void
remove_built(void)
{
    idx_close(ix);
    remove_tree(folder);
}

static void
setup(void)
{
    options = built_by;
    input = calloc(N, sizeof *input);
    make_sound(input + 2 * RATE, 5 * RATE / 2, RATE,
               4);                                    /* as 03.wav, but not 16 bits */
    make_sound(input + 17 * RATE, 2 * RATE, RATE, 8); /* as 07.wav */
    a_found = calloc(1, sizeof *a_found);
    b_found = calloc(1, sizeof *b_found);
}

static void
teardown(void)
{
    free(input);
    free(a_found);
    free(b_found);
}

static rt_analyse *
new_analyse(const rt_options *o, found *f, rt_counts *counts)
{
    char why[300];
    const rt_sink sink = {.ctx = f, .match = keep};
    rt_analyse *a;
    ck_assert_msg(rt_analyse_new(&a, RATE, o, ix, counts, &sink, why, sizeof why), "%s",
                  why);
    return a;
}

static void
run_blocks(const rt_options *o, const float x[], size_t n, size_t block, found *f,
           rt_counts *counts)
{
    rt_analyse *a = new_analyse(o, f, counts);
    for (size_t at = 0; at < n; at += block) {
        const size_t take = n - at < block ? n - at : block;
        rt_analyse_block(a, x + at, take, (int64_t)(at * 1000000 / RATE));
    }
    rt_analyse_free(a);
}

static bool
same_but_time(const rt_match *a, const rt_match *b)
{
    rt_match x = *a, y = *b;
    x.centre_us = y.centre_us = 0;
    return x.kind == y.kind && x.scale == y.scale && x.rank == y.rank &&
           x.sound == y.sound && x.score == y.score && x.cosine == y.cosine &&
           x.start_s == y.start_s && x.length_s == y.length_s &&
           x.level_db == y.level_db && x.frame == y.frame &&
           llabs(a->centre_us - b->centre_us) <= 1;
}

static const size_t blocks[] = {1, 64, 999, N};

START_TEST(blocks_of_any_size_give_the_same_matches)
{
    rt_counts counts[2] = {0};
    const size_t n = 8 * RATE;
    options.match.k = 3;
    run_blocks(&options, input, n, 4096, a_found, &counts[0]);
    run_blocks(&options, input, n, blocks[_i], b_found, &counts[1]);
    ck_assert_uint_gt(a_found->n, 200);
    ck_assert_uint_eq(a_found->n, b_found->n);
    for (size_t i = 0; i < a_found->n; i++)
        ck_assert_msg(same_but_time(&a_found->m[i], &b_found->m[i]), "match %zu", i);
    for (int i = 0; i < RT_COUNTS; i++)
        ck_assert_uint_eq(rt_counted(&counts[0], i), rt_counted(&counts[1], i));
}
END_TEST

/* Best rank-1 match of a scale up to a time. */
static const rt_match *
best(const found *f, dsp_scale scale, double from_s, double to_s)
{
    const rt_match *b = NULL;
    for (size_t i = 0; i < f->n; i++) {
        const rt_match *m = &f->m[i];
        const double t = (double)m->frame / RATE;
        if (m->kind == RT_MATCH && m->rank == 1 && m->scale == scale && t >= from_s &&
            t < to_s && (!b || m->cosine > b->cosine))
            b = m;
    }
    return b;
}

START_TEST(a_played_sound_is_found_at_every_scale_and_place)
{
    rt_counts counts = {0};
    run_blocks(&options, input, N, 480, a_found, &counts);
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++) {
        const rt_match *m = best(a_found, s, 2, 5);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(m->sound, 3);
        ck_assert_float_gt(m->cosine, 0.95F);
        if (s == DSP_FRAME) /* a tone is like itself a little later */
            continue;
        /* when it ended, minus where it is in the sound, is when the sound began */
        const double began =
            (double)m->frame / RATE - (double)m->start_s - (double)m->length_s;
        ck_assert_double_eq_tol(began, 2, 0.6); /* entries are half a window apart */
    }
    ck_assert_uint_eq(best(a_found, DSP_EVENT, 17, 19.5)->sound, 7);
}
END_TEST

START_TEST(silence_hiss_below_the_gate_and_empty_input_give_no_match)
{
    float *quiet = calloc(N, sizeof *quiet);
    uint64_t seed = 5;
    for (int round = 0; round < 2; round++) {
        rt_counts counts = {0};
        run_blocks(&options, quiet, N, 512, a_found, &counts);
        ck_assert_uint_eq(a_found->n, 0);
        ck_assert_uint_eq(rt_counted(&counts, RT_N_answers), 3000 + 300 + 30);
        ck_assert_uint_eq(rt_counted(&counts, RT_N_gated), 3000 + 300 + 30);
        for (int i = 0; i < N; i++) /* peak -62 dBFS, the gate opens at -60 */
            quiet[i] = (float)(0.0008 * random_unit(&seed));
    }
    free(quiet);
}
END_TEST

START_TEST(every_answer_has_one_counted_fate)
{
    static const int fates[] = {RT_N_gated,       RT_N_shed_scenes,  RT_N_shed_events,
                                RT_N_shed_frames, RT_N_silent,       RT_N_below_score,
                                RT_N_unconfirmed, RT_N_rate_limited, RT_N_matched,
                                RT_N_held,        RT_N_background};
    rt_counts counts = {0};
    options.match.score = 0.6F;
    options.match.confirm_ms = 200;
    options.match.better_by = 0.05F;
    options.match.min_gap_ms = 150;
    run_blocks(&options, input, N, 777, a_found, &counts);
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
        sum += rt_counted(&counts, fates[i]);
    ck_assert_uint_eq(sum, rt_counted(&counts, RT_N_answers));
    ck_assert_uint_gt(rt_counted(&counts, RT_N_matched), 0);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_rate_limited), 0);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_unconfirmed), 0);
    ck_assert_uint_ge(rt_counted(&counts, RT_N_onsets), 2);
    ck_assert_uint_eq(a_found->n, rt_counted(&counts, RT_N_matches) +
                                      rt_counted(&counts, RT_N_onsets));
}
END_TEST

START_TEST(the_same_sound_waits_for_its_gap)
{
    rt_counts counts = {0};
    options.match.min_gap_ms = 250;
    options.match.scales = 1U << DSP_EVENT;
    run_blocks(&options, input, N, 480, a_found, &counts);
    for (size_t i = 0; i < a_found->n; i++)
        for (size_t j = 0; j < i; j++) {
            const rt_match *x = &a_found->m[i], *y = &a_found->m[j];
            if (x->kind == RT_MATCH && y->kind == RT_MATCH && x->sound == y->sound)
                ck_assert_uint_ge(x->frame - y->frame, RATE / 4);
        }
    ck_assert_uint_gt(rt_counted(&counts, RT_N_rate_limited), 5);
}
END_TEST

START_TEST(ranks_count_up_over_different_sounds_with_falling_cosines)
{
    rt_counts counts = {0};
    options.match.k = 5;
    run_blocks(&options, input, 6 * RATE, 480, a_found, &counts);
    size_t seconds = 0;
    for (size_t i = 0; i < a_found->n; i++) {
        const rt_match *m = &a_found->m[i], *before = m - 1;
        if (m->kind != RT_MATCH || m->rank == 1)
            continue;
        seconds++;
        ck_assert_uint_eq(m->rank, before->rank + 1);
        ck_assert(m->cosine <= before->cosine && m->frame == before->frame);
        for (uint32_t r = 1; r < m->rank; r++)
            ck_assert_uint_ne(m->sound, m[-(int)r].sound);
    }
    ck_assert_uint_gt(seconds, 100);
}
END_TEST

START_TEST(an_onset_is_told_at_its_sample)
{
    rt_counts counts = {0};
    float *click = calloc(RATE, sizeof *click);
    click[12345] = 0.5F;
    run_blocks(&options, click, RATE, 64, a_found, &counts);
    ck_assert_uint_ge(a_found->n, 1);
    ck_assert_int_eq(a_found->m[0].kind, RT_ONSET);
    ck_assert_uint_eq(a_found->m[0].frame, 12345);
    ck_assert_int_eq(a_found->m[0].centre_us, 12345LL * 1000000 / RATE);
    ck_assert_float_eq_tol(a_found->m[0].level_db, -6.02F, 0.01F);
    free(click);
}
END_TEST

START_TEST(a_short_tick_gets_its_event_answer_wherever_it_falls)
{
    enum { TICK = RATE / 20, PHASES = 23 };
    float *x = calloc(2 * RATE, sizeof *x);
    options.match.scales = 1U << DSP_EVENT;
    for (int phase = 0; phase < PHASES; phase++) {
        rt_counts counts = {0};
        const size_t at = RATE / 2 + (size_t)phase * 211;
        memset(x, 0, 2 * RATE * sizeof *x);
        make_sound(x + at, TICK, RATE, 1); /* as 00.wav, 50 ms */
        a_found->n = 0;
        run_blocks(&options, x, 2 * RATE, 128, a_found, &counts);
        /* after 50 ms, if the gate is still open, and after 100 ms */
        ck_assert_uint_ge(rt_counted(&counts, RT_N_matched), 1);
        ck_assert_uint_le(rt_counted(&counts, RT_N_matched), 2);
        ck_assert_uint_eq(best(a_found, DSP_EVENT, 0, 2)->sound, 0);
    }
    free(x);
}
END_TEST

START_TEST(a_loss_is_a_cut_that_no_match_spans)
{
    /* What comes after a loss is matched as after silence, on the same grid of hops. */
    rt_counts counts[2] = {0};
    const size_t half = 3 * RATE, lost = 500;
    float *x = calloc(N, sizeof *x);
    rt_analyse *a = new_analyse(&options, a_found, &counts[0]);
    rt_analyse_block(a, input, half, 0);
    a_found->n = 0;
    rt_analyse_gap(a, lost);
    rt_analyse_block(a, input + half + lost, RATE,
                     (int64_t)(half + lost) * 1000000 / RATE);
    rt_analyse_free(a);
    memcpy(x + half + lost, input + half + lost, RATE * sizeof *x);
    run_blocks(&options, x, half + lost + RATE, RATE, b_found, &counts[1]);
    ck_assert_uint_gt(b_found->n, 10);
    ck_assert_uint_eq(a_found->n, b_found->n);
    for (size_t i = 0; i < a_found->n; i++) {
        rt_match *m = &b_found->m[i];
        if (m->scale == DSP_SCENE) /* of 10 s of silence and sound: older */
            m->centre_us = a_found->m[i].centre_us;
        ck_assert_msg(same_but_time(&a_found->m[i], m), "match %zu", i);
    }
    ck_assert_uint_eq(rt_counted(&counts[0], RT_N_lost_frames), lost);
    free(x);
}
END_TEST

START_TEST(a_nomatch_is_told_when_wanted_and_only_then)
{
    rt_counts counts[2] = {0};
    options.match.score = 1;
    options.match.scales = 1U << DSP_EVENT;
    options.osc.nomatch = 1;
    run_blocks(&options, input, 4 * RATE, 480, a_found, &counts[0]);
    options.osc.nomatch = 0;
    run_blocks(&options, input, 4 * RATE, 480, b_found, &counts[1]);
    size_t n[2] = {0, 0};
    for (size_t i = 0; i < a_found->n; i++)
        n[0] += a_found->m[i].kind == RT_NOMATCH;
    for (size_t i = 0; i < b_found->n; i++)
        n[1] += b_found->m[i].kind == RT_NOMATCH;
    ck_assert_uint_eq(n[0], rt_counted(&counts[0], RT_N_below_score));
    ck_assert_uint_gt(n[0], 0);
    ck_assert_uint_eq(n[1], 0);
}
END_TEST

START_TEST(a_hundred_hops_do_not_touch_the_heap)
{
    rt_counts counts = {0};
    options.match.k = 10;
    rt_analyse *a = new_analyse(&options, a_found, &counts);
    const uint64_t before = heap_calls;
    for (size_t at = 2 * RATE; at < 3 * RATE; at += 64)
        rt_analyse_block(a, input + at, 64, 0);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(a_found->n, 100);
    rt_analyse_free(a);
}
END_TEST

START_TEST(new_and_open_survive_every_allocation_failing)
{
    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = a_found, .match = keep};
    rt_analyse *a = NULL;
    idx_index *other = NULL;
    uint64_t k = 1;
    for (; !a; k++) {
        heap_fail_at = k;
        rt_analyse_new(&a, RATE, &options, ix, &counts, &sink, why, sizeof why);
        heap_fail_at = 0;
    }
    ck_assert_uint_gt(k, 10);
    rt_analyse_free(a);
    for (k = 1; !other; k++) {
        heap_fail_at = k;
        const idx_status st = idx_open(&other, index_path, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(st == (other ? IDX_OK : IDX_ENOMEM));
    }
    idx_close(other);
}
END_TEST

static const uint32_t thread_counts[] = {1, 3, 8};

START_TEST(any_number_of_threads_builds_the_same_bytes)
{
    char path[300];
    snprintf(path, sizeof path, "%s/y.hkn", folder);
    build_corpus(folder, &options, thread_counts[_i], path);
    same_file(index_path, path);
}
END_TEST

START_TEST(entries_cover_every_sound_from_start_to_end)
{
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(ix, s);
        for (uint32_t sound = 0; sound < idx_n_sounds(ix); sound++) {
            const double seconds = idx_sound_of(ix, sound).seconds;
            double end = 0;
            for (uint32_t e = 0; e < sc->n_entries; e++) {
                const idx_entry *x = &sc->entries[e];
                if (x->sound != sound || (double)x->start_s < end - 30)
                    continue;
                ck_assert_double_le((double)x->start_s, end + 1e-3); /* no hole */
                end = fmax(end, (double)x->start_s + (double)x->length_s);
                ck_assert_double_le(end, seconds + 1e-3);
            }
            static const double windows[DSP_SCALES] = {0.1, 1, 10};
            const double window = windows[s];
            ck_assert_msg(end > 0 && end >= seconds - 0.3 * window - 0.01,
                          "scale %u, sound %u: covered to %.2f of %.2f s", s, sound,
                          end, seconds);
        }
    }
}
END_TEST

static double
step_of_frames(const idx_index *index) /* of the first sound that has several */
{
    const idx_entry *e = idx_scale_of(index, DSP_FRAME)->entries;
    while (e[0].sound != e[1].sound)
        e++;
    return (double)(e[1].start_s - e[0].start_s);
}

START_TEST(frames_come_as_densely_and_as_wide_as_they_are_wanted)
{
    char path[300], why[400] = "";
    idx_index *dense;
    rt_options wanted = options, read;
    snprintf(path, sizeof path, "%s/dense.hkn", folder);
    wanted.dsp.frame_ms = 20;
    wanted.dsp.frame_dim = 24;
    build_corpus(folder, &wanted, 2, path);
    ck_assert_msg(!idx_open(&dense, path, why, sizeof why), "%s", why);
    ck_assert_double_eq_tol(step_of_frames(ix), 0.05, 1e-6);
    ck_assert_double_eq_tol(step_of_frames(dense), 0.02, 1e-6);
    ck_assert_uint_eq(idx_scale_of(ix, DSP_FRAME)->dim, 64);
    ck_assert_uint_eq(idx_scale_of(dense, DSP_FRAME)->dim, 24);
    rt_options_default(&read);
    ck_assert_msg(rt_analyse_settings(&read, dense, why, sizeof why), "%s", why);
    ck_assert_uint_eq(read.dsp.frame_ms, 20);
    ck_assert_uint_eq(read.dsp.frame_dim, 24);
    idx_close(dense);
}
END_TEST

START_TEST(an_index_of_other_features_is_refused)
{
    static const struct {
        const char *settings, *says;
    } cases[] = {{"features = something-else\n", "other features"},
                 {"", "other features"},
                 {"features = " RT_FEATURES "\ndsp.gate-db = 7\n", "settings:1:"},
                 {"features = " RT_FEATURES "\ndsp.nonsense = 7\n", "settings:1:"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[300], why[400] = "";
        idx_index *other;
        idx_contents c = {.settings = cases[i].settings, .report = ""};
        const float knots[2] = {-1, 1}, zero[1] = {0}, one[1] = {1};
        for (int s = 0; s < IDX_TIMBRE; s++)
            c.scales[s] = (idx_scale){.n_in = 1,
                                      .dim = 1,
                                      .n_knots = 2,
                                      .mean = zero,
                                      .spread = one,
                                      .knots = knots};
        snprintf(path, sizeof path, "%s/z.hkn", folder);
        ck_assert_msg(!idx_write(path, &c, NULL, why, sizeof why), "%s", why);
        ck_assert_msg(!idx_open(&other, path, why, sizeof why), "%s", why);
        ck_assert(!rt_analyse_settings(&options, other, why, sizeof why));
        ck_assert_msg(strstr(why, cases[i].says) != NULL, "\"%s\" lacks \"%s\"", why,
                      cases[i].says);
        idx_close(other);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("analyse");
    TCase *t = tcase_create("analyse");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, build, remove_built);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, blocks_of_any_size_give_the_same_matches, 0,
                        sizeof blocks / sizeof *blocks);
    tcase_add_test(t, a_played_sound_is_found_at_every_scale_and_place);
    tcase_add_test(t, silence_hiss_below_the_gate_and_empty_input_give_no_match);
    tcase_add_test(t, every_answer_has_one_counted_fate);
    tcase_add_test(t, the_same_sound_waits_for_its_gap);
    tcase_add_test(t, ranks_count_up_over_different_sounds_with_falling_cosines);
    tcase_add_test(t, an_onset_is_told_at_its_sample);
    tcase_add_test(t, a_short_tick_gets_its_event_answer_wherever_it_falls);
    tcase_add_test(t, a_loss_is_a_cut_that_no_match_spans);
    tcase_add_test(t, a_nomatch_is_told_when_wanted_and_only_then);
    tcase_add_test(t, a_hundred_hops_do_not_touch_the_heap);
    tcase_add_test(t, new_and_open_survive_every_allocation_failing);
    tcase_add_loop_test(t, any_number_of_threads_builds_the_same_bytes, 0, 3);
    tcase_add_test(t, entries_cover_every_sound_from_start_to_end);
    tcase_add_test(t, frames_come_as_densely_and_as_wide_as_they_are_wanted);
    tcase_add_test(t, an_index_of_other_features_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
