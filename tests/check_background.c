/* rt/background.c: noise that it never heard finds nothing, played sounds still do. */
#include "rt/background.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, N = 60 * RATE };

static char folder[256], index_path[300];
static rt_options options, built_by;
static idx_index *ix;
static rt_background *background;
static float *x;

static void
build(void)
{
    char why[300] = "";
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&built_by);
    built_by.build.invariance = 0;
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &built_by, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
    ck_assert_msg(rt_background_new(&background, ix, &built_by, why, sizeof why), "%s",
                  why);
}

static void
remove_built(void)
{
    rt_background_free(background);
    rt_background_free(NULL);
    idx_close(ix);
    remove_tree(folder);
}

static void
setup(void)
{
    options = built_by;
    options.match.scales = 1U << DSP_EVENT;
    options.background = background;
    x = calloc(N, sizeof *x);
}

static void
teardown(void)
{
    free(x);
}

typedef struct {
    uint32_t n, best;
    float cosine;
} found;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (m->kind != RT_MATCH || m->rank != 1)
        return;
    f->n++;
    if (m->cosine > f->cosine) {
        f->cosine = m->cosine;
        f->best = m->sound;
    }
}

static found
listen_to(rt_counts *counts)
{
    char why[300];
    found f = {.cosine = -1};
    const rt_sink sink = {.ctx = &f, .match = keep};
    rt_analyse *a;
    ck_assert_msg(
        rt_analyse_new(&a, RATE, &options, ix, counts, &sink, why, sizeof why), "%s",
        why);
    rt_analyse_block(a, x, N, 0);
    rt_analyse_free(a);
    return f;
}

/* Not those of the background: other noise, levels, and a hum of other harmonics. */
static void
make_stranger(int kind)
{
    uint64_t seed = 99;
    double slow = 0;
    for (size_t i = 0; i < N; i++) {
        const double w = 2 * random_unit(&seed) - 1, t = (double)i / RATE;
        slow += 0.1 * (w - slow);
        x[i] = (float)(kind == 0   ? 0.05 * w
                       : kind == 1 ? 0.5 * slow
                                   : 0.2 * sin(314.159265 * t) +
                                         0.1 * sin(2 * 314.159265 * t + 1) +
                                         0.07 * sin(5 * 314.159265 * t) + 0.0005 * w);
    }
}

START_TEST(a_minute_of_noise_or_hum_finds_no_event_and_is_counted)
{
    static const char *const name[] = {"white", "dull", "hum"};
    rt_counts counts = {0};
    make_stranger(_i);
    const found f = listen_to(&counts);
    ck_assert_msg(f.n == 0, "%s: %u matches", name[_i], f.n);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_background) +
                          rt_counted(&counts, RT_N_below_score),
                      500);
}
END_TEST

START_TEST(without_it_such_noise_would_find_something)
{
    uint32_t n = 0;
    options.background = NULL;
    for (int kind = 0; kind < 3; kind++) {
        rt_counts counts = {0};
        make_stranger(kind);
        n += listen_to(&counts).n;
        ck_assert_uint_eq(rt_counted(&counts, RT_N_background), 0);
    }
    ck_assert_uint_gt(n, 0);
}
END_TEST

START_TEST(a_played_sound_is_found_as_before)
{
    rt_counts counts = {0};
    make_sound(x + 2 * RATE, 2 * RATE, RATE, (uint64_t)_i + 1);
    const found f = listen_to(&counts);
    ck_assert_uint_gt(f.n, 5);
    ck_assert_uint_eq(f.best, (uint32_t)_i);
}
END_TEST

START_TEST(score_zero_and_a_foreign_index_leave_it_out)
{
    rt_counts counts[2] = {0};
    char why[300];
    idx_index *other;
    make_stranger(0);
    options.match.score = 0;
    ck_assert_uint_gt(listen_to(&counts[0]).n, 500);
    ck_assert(!idx_open(&other, index_path, why, sizeof why));
    ck_assert(rt_background_fits(background, ix));
    ck_assert(!rt_background_fits(background, other));
    ck_assert(!rt_background_fits(NULL, ix));
    idx_close(other);
}
END_TEST

/* Where one answer in 1 / p may be a false alarm. */
static float
margin(const rt_background *b, uint32_t set, double p)
{
    const uint32_t scale = set < DSP_SCALES ? set : DSP_EVENT;
    return rt_background_margin(&rt_background_noises(b)[set], scale,
                                p * 3.6e6 / rt_answer_ms[scale], 1);
}

START_TEST(the_margin_falls_as_more_false_alarms_are_taken)
{
    for (uint32_t s = DSP_FRAME; s < DSP_SCALES; s++) {
        float last = 2.1F;
        for (double p = 1e-6; p < 0.1; p *= 3) {
            const float m = margin(background, s, p);
            ck_assert_msg(m < last, "scale %u, share %g: %f after %f", s, p, (double)m,
                          (double)last);
            last = m;
        }
        ck_assert_float_eq(margin(background, s, 0.1), -2);
    }
    ck_assert_float_eq(margin(background, DSP_SCALES, 1e-3), -2);
}
END_TEST

static void
same_noises(const idx_noises *a, const idx_noises *b, uint32_t dim)
{
    ck_assert(a->n > 100 && a->n == b->n && a->n_tails == b->n_tails);
    ck_assert(!memcmp(a->rows, b->rows, (size_t)a->n * dim * sizeof *a->rows));
    ck_assert(!memcmp(a->tails, b->tails, (size_t)a->n_tails * 2 * sizeof *a->tails));
}

START_TEST(the_same_index_gives_the_same_background_with_every_kernel)
{
    char why[300];
    rt_background *again;
    setenv("IDX_KERN", "c", 1);
    ck_assert(rt_background_new(&again, ix, &built_by, why, sizeof why));
    unsetenv("IDX_KERN");
    for (uint32_t s = DSP_FRAME; s < DSP_SCALES; s++)
        same_noises(&rt_background_noises(again)[s],
                    &rt_background_noises(background)[s], idx_scale_of(ix, s)->dim);
    rt_background_free(again);
}
END_TEST

START_TEST(likeness_is_that_of_the_nearest_noise)
{
    idx_scratch *scratch;
    ck_assert(!idx_scratch_new(&scratch, ix));
    for (uint32_t s = DSP_FRAME; s < DSP_SCALES; s++) {
        const idx_noises *n = &rt_background_noises(background)[s];
        const uint32_t dim = idx_scale_of(ix, s)->dim;
        for (uint32_t i = 0; i < n->n; i += 7) {
            const float *row = n->rows + (size_t)i * dim;
            ck_assert_float_eq_tol(rt_background_likeness(background, s, scratch, row),
                                   1, 1e-5F);
        }
    }
    ck_assert_float_eq(
        rt_background_likeness(background, DSP_SCALES, scratch, (float[1]){1}), -1);
    idx_scratch_free(scratch);
}
END_TEST

START_TEST(one_that_is_stored_is_the_one_that_was_found)
{
    char why[300] = "", path[320];
    idx_index *with;
    rt_background *taken;
    snprintf(path, sizeof path, "%s/with.hkn", folder);
    ck_assert(!rt_background_stored(ix));
    ck_assert_msg(!idx_rewrite(path, ix, NULL, rt_background_noises(background), NULL,
                               why, sizeof why),
                  "%s", why);
    ck_assert(!idx_open(&with, path, why, sizeof why));
    ck_assert(rt_background_stored(with));
    ck_assert(rt_background_new(&taken, with, &built_by, why, sizeof why));
    for (uint32_t s = DSP_FRAME; s < DSP_SCALES; s++) {
        const idx_noises *b = &rt_background_noises(taken)[s];
        ck_assert(b->rows ==
                  idx_scale_of(with, s)->noises.rows); /* nothing was asked */
        same_noises(&rt_background_noises(background)[s], b, idx_scale_of(ix, s)->dim);
    }
    rt_background_free(taken);
    idx_close(with);
}
END_TEST

/* A tenth is above 0.2, and that by 0.0999 on the mean, beside what is always added. */
START_TEST(the_tail_of_events_is_normal_and_others_are_exponential)
{
    static const float tail[] = {0.2F, 0.0999F};
    const idx_noises noises = {.n_tails = 1, .tails = tail};
    const double tenth_of_a_percent = 3.6e6 / 1000;
    for (uint32_t s = DSP_FRAME; s <= DSP_SCENE; s++) {
        const float m =
            rt_background_margin(&noises, s, tenth_of_a_percent / rt_answer_ms[s], 1);
        /* 3.0902 deviations above the mean; log(100) */
        const float want =
            s == DSP_EVENT ? 0.2F + 0.1F * (3.0902F - 1.28155F) / 0.47344F : 0.66052F;
        ck_assert_float_eq_tol(m, want, 1e-4F);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/background");
    TCase *t = tcase_create("background");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, build, remove_built);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_minute_of_noise_or_hum_finds_no_event_and_is_counted, 0,
                        3);
    tcase_add_test(t, without_it_such_noise_would_find_something);
    tcase_add_loop_test(t, a_played_sound_is_found_as_before, 0, 6);
    tcase_add_test(t, score_zero_and_a_foreign_index_leave_it_out);
    tcase_add_test(t, the_margin_falls_as_more_false_alarms_are_taken);
    tcase_add_test(t, the_tail_of_events_is_normal_and_others_are_exponential);
    tcase_add_test(t, the_same_index_gives_the_same_background_with_every_kernel);
    tcase_add_test(t, likeness_is_that_of_the_nearest_noise);
    tcase_add_test(t, one_that_is_stored_is_the_one_that_was_found);
    suite_add_tcase(s, t);
    return run_suite(s);
}
