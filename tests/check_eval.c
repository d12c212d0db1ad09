/* The evaluation on sounds and rows whose result is known. */
#include "rt/eval.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, MANY = 24 };

static rt_options options;

static void
setup(void)
{
    dsp_thread_init();
    rt_options_default(&options);
}

/* Stands for what an index would make of a sound: a unit vector that is nearly the same
 * for nearly the same sound only. */
static void
embed(const eval_rows *from, eval_rows *to)
{
    for (uint32_t i = 0; i < from->n; i++) {
        const float *x = from->x + (size_t)i * from->dim;
        float *row = eval_add_row(to, from->dim), norm = 0;
        ck_assert_ptr_nonnull(row);
        for (uint32_t d = 0; d < from->dim; d++)
            norm += powf(sinf(10 * x[d]), 2);
        for (uint32_t d = 0; d < from->dim; d++)
            row[d] = sinf(10 * x[d]) / sqrtf(norm);
    }
}

static void
describe(eval_sound *s, const float x[], size_t n, bool degraded)
{
    eval_rows *clip[EVAL_SERIES], *windows[EVAL_SERIES];
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        clip[e] = degraded ? &s->degraded[e][0] : &s->rows[e][EVAL_CLIP];
        windows[e] = &s->rows[e][EVAL_WINDOW];
    }
    ck_assert(eval_baselines(x, n, RATE, clip, degraded ? NULL : windows));
    for (size_t e = EVAL_HEARKEN; e < EVAL_SERIES; e++) {
        if (e == EVAL_REFINED)
            continue;
        embed(clip[EVAL_LOGMEL], clip[e]);
        if (!degraded)
            embed(windows[EVAL_LOGMEL], windows[e]);
    }
}

static const eval_result all = {.there = {true, true, true, true, true, true}};

START_TEST(a_sound_gives_one_row_a_clip_and_two_a_second)
{
    static const struct {
        double seconds;
        uint32_t windows;
    } cases[] = {{0.02, 1}, {0.5, 1}, {1.1, 1}, {2.1, 3}, {5.05, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t n = (size_t)(cases[i].seconds * RATE);
        float *x = calloc(n, sizeof *x);
        eval_sound s = {0};
        make_sound(x, n, RATE, i + 1);
        describe(&s, x, n, false);
        for (size_t e = 0; e < EVAL_BASELINES; e++) {
            ck_assert_uint_eq(s.rows[e][EVAL_CLIP].n, 1);
            ck_assert_msg(s.rows[e][EVAL_WINDOW].n == cases[i].windows,
                          "%s, %.2f s: %u windows", eval_series_name[e],
                          cases[i].seconds, s.rows[e][EVAL_WINDOW].n);
            for (uint32_t d = 0; d < s.rows[e][EVAL_CLIP].dim; d++)
                ck_assert(isfinite(s.rows[e][EVAL_CLIP].x[d]));
        }
        eval_sound_free(&s);
        free(x);
    }
}
END_TEST

START_TEST(the_baselines_are_what_their_names_say)
{
    /* Of a stationary tone all frames are alike: no deviation, and the mean is the
     * frame. */
    float *x = calloc(RATE, sizeof *x), mel[DSP_BANDS];
    eval_sound s = {0};
    dsp_logmel *lm;
    const dsp_logmel_config c = dsp_logmel_config_default(RATE);
    for (int i = 0; i < RATE; i++)
        x[i] = (float)(0.5 * sin(6.283185307179586 * 1000 * i / RATE));
    describe(&s, x, RATE, false);
    ck_assert(!dsp_logmel_new(&lm, &c));
    dsp_logmel_frame(lm, x, mel);
    float peak = -200;
    double c0 = 0, c1 = 0;
    for (int b = 0; b < DSP_BANDS; b++)
        peak = fmaxf(peak, mel[b]);
    for (int b = 0; b < DSP_BANDS; b++) {
        mel[b] = fmaxf(mel[b], fmaxf(peak - 80, -105));
        ck_assert_double_eq_tol(s.rows[EVAL_LOGMEL][EVAL_CLIP].x[b], mel[b], 0.05);
        ck_assert_double_eq_tol(s.rows[EVAL_LOGMEL][EVAL_CLIP].x[DSP_BANDS + b], 0,
                                0.1);
        c0 += (double)mel[b] / 8; /* sqrt(1/64) */
        c1 +=
            (double)mel[b] * cos(3.14159265358979 * (2 * b + 1) / 128) * sqrt(2.0 / 64);
    }
    ck_assert_double_eq_tol(s.rows[EVAL_MFCC][EVAL_CLIP].x[0], c0, 0.1);
    ck_assert_double_eq_tol(s.rows[EVAL_MFCC][EVAL_CLIP].x[1], c1, 0.1);
    dsp_logmel_free(lm);
    eval_sound_free(&s);
    free(x);
}
END_TEST

/* MANY sounds of four labels; those of a label are one sound with other noise. */
static eval_sound *
collection(rt_row rows[], const char *const groups[])
{
    static const char *const labels[] = {"a", "b", "c", "d"};
    eval_sound *sounds = calloc(MANY, sizeof *sounds);
    float *x = calloc(RATE, sizeof *x);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t seed = 77 + i;
        rows[i] = (rt_row){.file = "f",
                           .label = labels[i % 4],
                           .group = groups[i],
                           .query = i >= MANY - 4};
        sounds[i].row = &rows[i];
        make_sound(x, RATE, RATE, 1 + i % 4);
        for (int k = 0; k < RATE; k++)
            x[k] += (float)(0.0003 * random_unit(&seed));
        describe(&sounds[i], x, RATE, false);
        if (!rows[i].query)
            for (size_t d = 0; d < 1; d++)
                describe(&sounds[i], x, RATE, true);
    }
    free(x);
    return sounds;
}

static const char *const own_groups[MANY] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11",
    "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23"};

START_TEST(sounds_that_are_alike_are_ranked_perfectly)
{
    rt_row rows[MANY];
    eval_sound *sounds = collection(rows, own_groups);
    eval_result r = all;
    r.degraded = true;
    ck_assert(eval_measure(&r, sounds, MANY));
    for (size_t e = 0; e < EVAL_SERIES; e++)
        for (size_t l = 0; l < EVAL_LEVELS; l++) {
            const eval_ranking *g = &r.ranking[e][l];
            ck_assert_uint_eq(g->n_queries, 4);
            ck_assert_uint_eq(g->n_stored, MANY - 4);
            ck_assert_uint_eq(g->n_unanswerable, 0);
            ck_assert_double_eq_tol(g->map_10, 1, 1e-9);
            ck_assert_double_eq_tol(g->map_all, 1, 1e-9);
            ck_assert_double_eq_tol(g->p_1, 1, 1e-9);
            ck_assert_double_eq_tol(g->p_10, 0.5, 1e-9); /* five of ten are relevant */
            ck_assert_double_eq_tol(g->precision[10], 1, 1e-9);
        }
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        /* the copy is the sound itself here; the other kinds have no copies at all */
        ck_assert_double_eq_tol(r.recall_1[e][0], 1, 1e-9);
        ck_assert_double_eq_tol(r.recall_1[e][1], 0, 1e-9);
    }
    for (size_t i = 0; i < MANY; i++)
        eval_sound_free(&sounds[i]);
    free(sounds);
}
END_TEST

START_TEST(the_own_group_is_left_out_and_a_query_without_answers_is_counted)
{
    rt_row rows[MANY];
    const char *groups[MANY];
    for (size_t i = 0; i < MANY; i++)
        groups[i] =
            i % 4 == 0 ? "same" : own_groups[i]; /* all of label a are one group */
    eval_sound *sounds = collection(rows, groups);
    eval_result r = all;
    ck_assert(eval_measure(&r, sounds, MANY));
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        ck_assert_uint_eq(r.ranking[e][EVAL_CLIP].n_unanswerable, 1);
        ck_assert_double_eq_tol(r.ranking[e][EVAL_CLIP].map_10, 1, 1e-9);
    }
    for (size_t i = 0; i < MANY; i++)
        eval_sound_free(&sounds[i]);
    free(sounds);
}
END_TEST

START_TEST(what_a_series_cannot_hear_counts_as_not_found)
{
    rt_row rows[MANY];
    eval_sound *sounds = collection(rows, own_groups);
    eval_result r = all;
    r.degraded = true;
    /* one query of four and one stored sound of twenty are silent to one series */
    sounds[MANY - 1].rows[EVAL_HEARKEN][EVAL_CLIP].n = 0;
    sounds[0].rows[EVAL_HEARKEN][EVAL_CLIP].n = 0;
    ck_assert(eval_measure(&r, sounds, MANY));
    const eval_ranking *g = &r.ranking[EVAL_HEARKEN][EVAL_CLIP];
    ck_assert_uint_eq(g->n_stored, MANY - 4);
    ck_assert_double_eq_tol(g->p_1, 0.75, 1e-9);
    /* of label a, four of five are found first and the fifth last of 20 */
    ck_assert_double_eq_tol(g->map_all, (2 + (4 + 5 / 20.0) / 5) / 4, 1e-9);
    ck_assert_double_eq_tol(r.ranking[EVAL_MFCC][EVAL_CLIP].map_all, 1, 1e-9);
    ck_assert_double_eq_tol(r.recall_1[EVAL_HEARKEN][0], 0.95, 1e-9);
    for (size_t i = 0; i < MANY; i++)
        eval_sound_free(&sounds[i]);
    free(sounds);
}
END_TEST

START_TEST(nothing_at_all_is_measured_as_nothing)
{
    eval_result r = all;
    r.degraded = true;
    ck_assert(eval_measure(&r, NULL, 0));
    ck_assert_uint_eq(r.ranking[0][0].n_queries, 0);
    ck_assert_double_eq(r.ranking[0][0].map_10, 0);
}
END_TEST

START_TEST(a_series_that_is_not_there_is_not_measured)
{
    rt_row rows[MANY];
    eval_sound *sounds = collection(rows, own_groups);
    eval_result r = all;
    r.there[EVAL_LABELS] = false;
    ck_assert(eval_measure(&r, sounds, MANY));
    ck_assert_uint_eq(r.ranking[EVAL_LABELS][EVAL_CLIP].n_queries, 0);
    ck_assert_uint_eq(r.ranking[EVAL_HEARKEN][EVAL_CLIP].n_queries, 4);
    for (size_t i = 0; i < MANY; i++)
        eval_sound_free(&sounds[i]);
    free(sounds);
}
END_TEST

/* Plane vectors at these angles: the nearest stays the first, the mean of the query and
 * its three nearest ranks the rest. */
START_TEST(refined_lists_are_ranked_by_the_mean_with_three_neighbours)
{
    static const double degrees[] = {20, -25, -30, 46, -60};
    static const bool relevant[] = {true, false, false, false, true};
    rt_row rows[6];
    eval_sound sounds[6] = {0};
    eval_result r = {.there = {[EVAL_HEARKEN] = true, [EVAL_REFINED] = true}};
    for (int i = 0; i < 6; i++) {
        const double angle = i < 5 ? degrees[i] / 57.29577951308232 : 0;
        rows[i] = (rt_row){.file = "f",
                           .label = i == 5 || relevant[i] ? "yes" : "no",
                           .group = own_groups[i],
                           .query = i == 5};
        sounds[i].row = &rows[i];
        float *x = eval_add_row(&sounds[i].rows[EVAL_HEARKEN][EVAL_CLIP], 2);
        x[0] = (float)cos(angle);
        x[1] = (float)sin(angle);
    }
    ck_assert(eval_measure(&r, sounds, 6));
    /* by the query 20 -25 -30 46 -60; with 20 -25 -30, the mean is at -8.9 degrees: 20,
     * then -25 -30 -60 46 */
    ck_assert_double_eq_tol(r.ranking[EVAL_HEARKEN][EVAL_CLIP].map_all,
                            (1 + 2 / 5.0) / 2, 1e-9);
    ck_assert_double_eq_tol(r.ranking[EVAL_REFINED][EVAL_CLIP].map_all,
                            (1 + 2 / 4.0) / 2, 1e-9);
    for (int i = 0; i < 6; i++)
        eval_sound_free(&sounds[i]);
}
END_TEST

START_TEST(baselines_survive_every_allocation_failing)
{
    float *x = calloc(RATE, sizeof *x);
    bool ok = false;
    uint64_t k = 1;
    make_sound(x, RATE, RATE, 1);
    for (; !ok; k++) {
        eval_sound s = {0};
        eval_rows *clip[EVAL_SERIES], *windows[EVAL_SERIES];
        for (size_t e = 0; e < EVAL_SERIES; e++) {
            clip[e] = &s.rows[e][EVAL_CLIP];
            windows[e] = &s.rows[e][EVAL_WINDOW];
        }
        heap_fail_at = k;
        ok = eval_baselines(x, RATE, RATE, clip, windows);
        heap_fail_at = 0;
        eval_sound_free(&s);
    }
    ck_assert_uint_gt(k, 20);
    free(x);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("eval");
    TCase *t = tcase_create("eval");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_sound_gives_one_row_a_clip_and_two_a_second);
    tcase_add_test(t, the_baselines_are_what_their_names_say);
    tcase_add_test(t, sounds_that_are_alike_are_ranked_perfectly);
    tcase_add_test(t, the_own_group_is_left_out_and_a_query_without_answers_is_counted);
    tcase_add_test(t, what_a_series_cannot_hear_counts_as_not_found);
    tcase_add_test(t, nothing_at_all_is_measured_as_nothing);
    tcase_add_test(t, a_series_that_is_not_there_is_not_measured);
    tcase_add_test(t, refined_lists_are_ranked_by_the_mean_with_three_neighbours);
    tcase_add_test(t, baselines_survive_every_allocation_failing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
