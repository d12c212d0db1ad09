/* Scale timbre, from samples to matches, over an index built of generated sounds. */
#include "rt/analyse.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, N = 12 * RATE, MAX_FOUND = 4000, HOP = RATE / DSP_HOPS_PER_S };

static char folder[256], index_path[300];
static rt_options options, built_by;
static idx_index *ix;
static float
    *input; /* [N]: silence, sound 3 from 2 s on, silence, sound 7 from 7 s on */

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
    built_by.build.timbre = 1;
    built_by.build.invariance = 0; /* learning by copies takes its time */
    built_by.match.scales = 1U << RT_TIMBRE;
    built_by.match.score = 0;
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &built_by, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
    ck_assert_msg(rt_analyse_settings(&built_by, ix, why, sizeof why), "%s", why);
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
    make_sound(input + 2 * RATE, 5 * RATE / 2, RATE, 4); /* as 03.wav */
    make_sound(input + 7 * RATE, 2 * RATE, RATE, 8);     /* as 07.wav */
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
new_analyse(const idx_index *index, found *f, rt_counts *counts)
{
    char why[300];
    const rt_sink sink = {.ctx = f, .match = keep};
    rt_analyse *a;
    f->n = 0;
    ck_assert_msg(
        rt_analyse_new(&a, RATE, &options, index, counts, &sink, why, sizeof why), "%s",
        why);
    return a;
}

static void
run(const float x[], size_t n, size_t block, found *f, rt_counts *counts)
{
    rt_analyse *a = new_analyse(ix, f, counts);
    for (size_t at = 0; at < n; at += block)
        rt_analyse_block(a, x + at, n - at < block ? n - at : block,
                         (int64_t)(at * 1000000 / RATE));
    rt_analyse_free(a);
}

static bool
same_but_time(const rt_match *a, const rt_match *b)
{
    return a->kind == b->kind && a->scale == b->scale && a->rank == b->rank &&
           a->sound == b->sound && a->score == b->score && a->cosine == b->cosine &&
           a->start_s == b->start_s && a->length_s == b->length_s &&
           a->heard_s == b->heard_s && a->frame == b->frame &&
           llabs(a->centre_us - b->centre_us) <= 1;
}

static const rt_codes distances[] = {RT_CODES_JACCARD, RT_CODES_HAMMING};

START_TEST(a_played_sound_is_found_by_either_distance)
{
    static const struct {
        double from_s, to_s;
        uint32_t sound;
    } played[] = {{2.6, 4.4, 3}, {7.6, 8.9, 7}};
    rt_counts counts = {0};
    options.search.codes = distances[_i];
    run(input, N, 480, a_found, &counts);
    for (size_t p = 0; p < 2; p++) {
        size_t n = 0, right = 0;
        for (size_t i = 0; i < a_found->n; i++) {
            const rt_match *m = &a_found->m[i];
            const double t = (double)m->frame / RATE;
            if (m->kind != RT_MATCH || t < played[p].from_s || t > played[p].to_s)
                continue;
            ck_assert_uint_eq(m->scale, RT_TIMBRE);
            n++;
            right += m->sound == played[p].sound;
        }
        ck_assert_uint_ge(n, 12);
        ck_assert_msg(right * 10 >= n * 9, "%zu of %zu answers are sound %u", right, n,
                      played[p].sound);
    }
}
END_TEST

START_TEST(answers_come_each_100_ms_from_the_onset_and_say_what_they_heard)
{
    rt_counts counts = {0};
    run(input, 5 * RATE, 480, a_found, &counts);
    ck_assert_int_eq(a_found->m[0].kind, RT_ONSET);
    const uint64_t first = a_found->m[0].frame / HOP;
    for (size_t i = 1; i < 20; i++) {
        const rt_match *m = &a_found->m[i];
        const uint64_t hops = 10 * i;
        ck_assert_int_eq(m->kind, RT_MATCH);
        ck_assert_uint_eq(m->frame, (first + hops) * HOP);
        const double heard = (hops < 60 ? (double)hops : 60) / 100;
        ck_assert_double_eq_tol((double)m->heard_s, heard, 1e-3);
        ck_assert_double_eq_tol((double)m->centre_us / 1e6,
                                (double)m->frame / RATE - heard / 2, 1e-3);
        ck_assert(m->cosine >= 0 && m->cosine <= 1 && m->score >= 0 && m->score <= 1);
    }
}
END_TEST

START_TEST(what_was_before_an_onset_is_not_in_an_answer)
{
    rt_counts counts = {0};
    float *alone = calloc(N, sizeof *alone);
    memcpy(alone + 7 * RATE, input + 7 * RATE, 2 * RATE * sizeof *alone);
    /* what ends 150 ms before */
    make_sound(input + 6 * RATE, 17 * RATE / 20, RATE, 11);
    run(alone, N, 480, a_found, &counts);
    run(input, N, 480, b_found, &counts);
    size_t from = 0;
    while (b_found->m[from].frame < 7 * (uint64_t)RATE)
        from++;
    ck_assert_uint_eq(b_found->n - from, a_found->n);
    ck_assert_uint_gt(a_found->n, 15);
    for (size_t i = 0; i < a_found->n; i++)
        ck_assert_msg(same_but_time(&a_found->m[i], &b_found->m[from + i]), "match %zu",
                      i);
    free(alone);
}
END_TEST

static const size_t blocks[] = {1, 64, 999, N};

START_TEST(blocks_of_any_size_give_the_same_matches)
{
    rt_counts counts[2] = {0};
    options.match.k = 3;
    input[3 * RATE] = NAN; /* counted, and taken as 0 */
    input[3 * RATE + 5000] = INFINITY;
    run(input, N, 4096, a_found, &counts[0]);
    run(input, N, blocks[_i], b_found, &counts[1]);
    ck_assert_uint_gt(a_found->n, 100);
    ck_assert_uint_eq(a_found->n, b_found->n);
    for (size_t i = 0; i < a_found->n; i++)
        ck_assert_msg(same_but_time(&a_found->m[i], &b_found->m[i]), "match %zu", i);
    for (int i = 0; i < RT_COUNTS; i++)
        ck_assert_uint_eq(rt_counted(&counts[0], i), rt_counted(&counts[1], i));
    ck_assert_uint_eq(rt_counted(&counts[0], RT_N_bad_samples), 2);
}
END_TEST

START_TEST(a_loss_is_a_cut_that_no_code_spans)
{
    rt_counts counts = {0};
    const size_t half = 3 * RATE, lost = 500, rest = RATE;
    float *x = calloc(N, sizeof *x);
    rt_analyse *a = new_analyse(ix, a_found, &counts);
    rt_analyse_block(a, input, half, 0);
    a_found->n = 0;
    rt_analyse_gap(a, lost);
    rt_analyse_block(a, input + half + lost, rest,
                     (int64_t)(half + lost) * 1000000 / RATE);
    rt_analyse_free(a);
    memcpy(x + half + lost, input + half + lost, rest * sizeof *x);
    run(x, half + lost + rest, 4096, b_found, &counts);
    ck_assert_uint_gt(b_found->n, 8);
    ck_assert_uint_eq(a_found->n, b_found->n);
    for (size_t i = 0; i < a_found->n; i++)
        ck_assert_msg(same_but_time(&a_found->m[i], &b_found->m[i]), "match %zu", i);
    free(x);
}
END_TEST

START_TEST(silence_is_gated_and_matches_nothing)
{
    rt_counts counts = {0};
    float *silence = calloc(N, sizeof *silence);
    run(silence, N, 512, a_found, &counts);
    ck_assert_uint_eq(a_found->n, 0);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_answers), N / HOP / 10);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_gated), N / HOP / 10);
    free(silence);
}
END_TEST

START_TEST(every_answer_has_one_counted_fate)
{
    static const int fates[] = {RT_N_gated,       RT_N_silent,       RT_N_below_score,
                                RT_N_unconfirmed, RT_N_rate_limited, RT_N_matched};
    rt_counts counts = {0};
    uint64_t sum = 0, nomatches = 0;
    options.match.scales = 15;
    options.match.score = 0.7F;
    options.match.confirm_ms = 200;
    options.match.min_gap_ms = 250;
    options.osc.nomatch = 1;
    run(input, N, 777, a_found, &counts);
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
        sum += rt_counted(&counts, fates[i]);
    ck_assert_uint_eq(sum, rt_counted(&counts, RT_N_answers));
    for (size_t i = 0; i < a_found->n; i++)
        nomatches += a_found->m[i].kind == RT_NOMATCH;
    ck_assert_uint_eq(nomatches, rt_counted(&counts, RT_N_below_score));
    ck_assert_uint_gt(rt_counted(&counts, RT_N_rate_limited), 0);
    ck_assert_uint_eq(a_found->n, rt_counted(&counts, RT_N_matches) + nomatches +
                                      rt_counted(&counts, RT_N_onsets));
}
END_TEST

START_TEST(neither_refinement_nor_the_space_of_labels_applies)
{
    rt_counts counts = {0};
    options.match.k = 4;
    options.match.refine = RT_REFINE_NO;
    run(input, N, 480, a_found, &counts);
    options.match.refine = RT_REFINE_YES;
    options.search.space = 1;
    run(input, N, 480, b_found, &counts);
    ck_assert_uint_eq(a_found->n, b_found->n);
    for (size_t i = 0; i < a_found->n; i++) {
        ck_assert_int_ne(b_found->m[i].kind, RT_LABEL);
        ck_assert_uint_eq(a_found->m[i].rank, b_found->m[i].rank);
        ck_assert_float_eq(a_found->m[i].cosine, b_found->m[i].cosine);
    }
}
END_TEST

START_TEST(a_hundred_hops_do_not_touch_the_heap)
{
    rt_counts counts = {0};
    options.match.k = 10;
    options.search.codes = distances[_i];
    rt_analyse *a = new_analyse(ix, a_found, &counts);
    const uint64_t before = heap_calls;
    for (size_t at = 2 * RATE; at < 3 * RATE; at += 64)
        rt_analyse_block(a, input + at, 64, 0);
    const uint64_t after = heap_calls; /* before any ck_assert, which allocates */
    ck_assert_uint_eq(after, before);
    ck_assert_uint_gt(a_found->n, 30);
    rt_analyse_free(a);
}
END_TEST

START_TEST(new_survives_every_allocation_failing)
{
    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = a_found, .match = keep};
    rt_analyse *a = NULL;
    uint64_t k = 1;
    for (; !a; k++) {
        heap_fail_at = k;
        rt_analyse_new(&a, RATE, &options, ix, &counts, &sink, why, sizeof why);
        heap_fail_at = 0;
    }
    ck_assert_uint_gt(k, 30);
    rt_analyse_free(a);
}
END_TEST

START_TEST(the_other_scales_are_what_they_are_without_codes)
{
    char path[300], why[300] = "";
    idx_index *plain;
    rt_counts counts[2] = {0};
    options.build.timbre = 0;
    snprintf(path, sizeof path, "%s/plain.hkn", folder);
    build_corpus(folder, &options, 2, path);
    ck_assert_msg(!idx_open(&plain, path, why, sizeof why), "%s", why);
    ck_assert(rt_analyse_settings(&options, plain, why, sizeof why));
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        const idx_scale *x = idx_scale_of(ix, s), *y = idx_scale_of(plain, s);
        ck_assert_uint_eq(x->n_entries, y->n_entries);
        ck_assert(
            !memcmp(x->rows, y->rows, (size_t)x->n_entries * x->dim * sizeof *x->rows));
    }
    ck_assert_uint_eq(idx_scale_of(plain, IDX_TIMBRE)->n_entries, 0);
    /* asked for all the same, it answers as an empty scale does */
    rt_analyse *a = new_analyse(plain, a_found, &counts[0]);
    rt_analyse_block(a, input, N, 0);
    rt_analyse_free(a);
    ck_assert_uint_eq(rt_counted(&counts[0], RT_N_matches), 0);
    ck_assert_uint_gt(rt_counted(&counts[0], RT_N_below_score), 30);
    ck_assert_uint_eq(rt_counted(&counts[0], RT_N_below_score) +
                          rt_counted(&counts[0], RT_N_gated),
                      rt_counted(&counts[0], RT_N_answers));
    idx_close(plain);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("timbre_scale");
    TCase *t = tcase_create("timbre_scale");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, build, remove_built);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_played_sound_is_found_by_either_distance, 0, 2);
    tcase_add_test(t, answers_come_each_100_ms_from_the_onset_and_say_what_they_heard);
    tcase_add_test(t, what_was_before_an_onset_is_not_in_an_answer);
    tcase_add_loop_test(t, blocks_of_any_size_give_the_same_matches, 0,
                        sizeof blocks / sizeof *blocks);
    tcase_add_test(t, a_loss_is_a_cut_that_no_code_spans);
    tcase_add_test(t, silence_is_gated_and_matches_nothing);
    tcase_add_test(t, every_answer_has_one_counted_fate);
    tcase_add_test(t, neither_refinement_nor_the_space_of_labels_applies);
    tcase_add_loop_test(t, a_hundred_hops_do_not_touch_the_heap, 0, 2);
    tcase_add_test(t, new_survives_every_allocation_failing);
    tcase_add_test(t, the_other_scales_are_what_they_are_without_codes);
    suite_add_tcase(s, t);
    return run_suite(s);
}
