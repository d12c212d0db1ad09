/* Early answers, refined lists and the space of labels, over generated sounds. */
#include "rt/analyse.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RATE = 48000, N = 6 * RATE, MAX_FOUND = 4000, KINDS = 4, TAKES = 4 };

static char folder[256], index_path[300];
static rt_options options, built_by;
static idx_index *ix;
static float *input; /* [N]: silence, then kind 2 from 1.5 s on */

typedef struct {
    rt_match m[MAX_FOUND];
    size_t n;
} found;
static found *answers;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (f->n < MAX_FOUND)
        f->m[f->n++] = *m;
}

/* Takes of a kind are the same sound in other noise. */
static void
make_take(float x[], size_t n, uint64_t kind, uint64_t take)
{
    uint64_t seed = 100 * kind + take + 1;
    make_sound(x, n, RATE, 20 + kind);
    for (size_t i = 0; i < n; i++)
        x[i] += (float)(0.01 * random_unit(&seed));
}

/* Once for all tests. */
static void
build(void)
{
    char path[400], why[300] = "";
    float *x = calloc(2 * RATE, sizeof *x);
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&built_by);
    built_by.build.invariance = 0;
    built_by.match.score = 0;
    built_by.match.scales = 1U << DSP_EVENT;
    snprintf(built_by.build.labels, sizeof built_by.build.labels, "folders");
    for (uint64_t kind = 0; kind < KINDS; kind++) {
        snprintf(path, sizeof path, "%s/kind%d", folder, (int)kind);
        ck_assert(!mkdir(path, 0755));
        for (uint64_t take = 0; take < TAKES; take++) {
            make_take(x, 2 * RATE, kind, take);
            snprintf(path, sizeof path, "%s/kind%d/%d.wav", folder, (int)kind,
                     (int)take);
            write_wav(path, x, 2 * RATE, RATE);
        }
    }
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &built_by, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
    free(x);
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
    make_take(input + 3 * RATE / 2, 2 * RATE, 2, 77);
    answers = calloc(1, sizeof *answers);
}

static void
teardown(void)
{
    free(input);
    free(answers);
}

static void
run(const float x[], size_t n)
{
    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = answers, .match = keep};
    rt_analyse *a;
    answers->n = 0;
    ck_assert_msg(
        rt_analyse_new(&a, RATE, &options, ix, &counts, &sink, why, sizeof why), "%s",
        why);
    rt_analyse_block(a, x, n, 0);
    rt_analyse_free(a);
}

START_TEST(an_onset_is_answered_after_50_100_200_and_400_ms)
{
    static const unsigned hops[] = {5, 10, 20, 40, 100};
    run(input, N);
    ck_assert_int_eq(answers->m[0].kind, RT_ONSET);
    const uint64_t hop = RATE / DSP_HOPS_PER_S, first = answers->m[0].frame / hop * hop;
    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++) {
        const rt_match *m = NULL;
        for (size_t k = 0; k < answers->n; k++)
            if (answers->m[k].kind == RT_MATCH &&
                answers->m[k].frame == first + hops[i] * hop)
                m = &answers->m[k];
        ck_assert_msg(m != NULL, "no answer after %u hops", hops[i]);
        /* it says by itself how much it has heard, and when that was */
        ck_assert_double_eq_tol((double)m->heard_s, hops[i] / 100.0, 0.021);
        ck_assert_double_eq_tol((double)m->centre_us / 1e6,
                                (double)m->frame / RATE - (double)m->heard_s / 2,
                                0.021);
        ck_assert_uint_eq(m->sound / TAKES, 2);
    }
}
END_TEST

START_TEST(early_answers_are_about_what_the_index_has_of_beginnings)
{
    run(input, N);
    for (size_t k = 0; k < answers->n; k++) {
        const rt_match *m = &answers->m[k];
        if (m->kind != RT_MATCH || m->heard_s > 0.055F)
            continue;
        ck_assert_float_lt(m->length_s, 0.25F);
        ck_assert_float_eq(m->start_s, 0);
    }
}
END_TEST

START_TEST(the_pause_before_an_onset_does_not_matter)
{
    /* what was just heard, and ended 150 ms before, is not in an early answer */
    float *x = calloc(N, sizeof *x);
    make_take(x, 21 * RATE / 20, 0, 9);
    memcpy(x + 3 * RATE / 2, input + 3 * RATE / 2, 2 * RATE * sizeof *x);
    run(input, N);
    found *alone = calloc(1, sizeof *alone);
    memcpy(alone, answers, sizeof *alone);
    run(x, N);
    size_t from = 0, same = 0;
    while (answers->m[from].kind != RT_ONSET || answers->m[from].frame < 3 * RATE / 2)
        from++;
    for (size_t i = 0; i < alone->n && from + i < answers->n; i++) {
        ck_assert_uint_eq(alone->m[i].frame, answers->m[from + i].frame);
        ck_assert_uint_eq(alone->m[i].sound, answers->m[from + i].sound);
        ck_assert_float_eq(alone->m[i].cosine, answers->m[from + i].cosine);
        same++;
    }
    ck_assert_uint_gt(same, 15);
    free(alone);
    free(x);
}
END_TEST

START_TEST(a_refined_list_keeps_its_first_and_its_cosines)
{
    options.match.k = 8;
    options.match.refine = RT_REFINE_NO;
    run(input, N);
    found *plain = calloc(1, sizeof *plain);
    memcpy(plain, answers, sizeof *plain);
    options.match.refine = RT_REFINE_YES;
    run(input, N);
    ck_assert_uint_eq(plain->n, answers->n);
    size_t moved = 0;
    for (size_t i = 0; i < plain->n; i++) {
        const rt_match *p = &plain->m[i], *r = &answers->m[i];
        ck_assert_uint_eq(p->rank, r->rank);
        if (p->kind != RT_MATCH)
            continue;
        if (p->rank == 1) {
            ck_assert_uint_eq(p->sound, r->sound);
            ck_assert_float_eq(p->cosine, r->cosine);
        } else {
            ck_assert_float_le(r->cosine, r[1 - (int)r->rank].cosine + 1e-6F);
            moved += p->sound != r->sound;
        }
    }
    ck_assert_uint_gt(moved, 0);
    free(plain);
}
END_TEST

START_TEST(the_space_of_labels_answers_with_the_label)
{
    options.search.space = 1;
    options.match.k = TAKES;
    run(input, N);
    size_t n = 0, right = 0;
    for (size_t i = 0; i < answers->n; i++)
        if (answers->m[i].kind == RT_MATCH && answers->m[i].heard_s > 0.9F) {
            n++;
            right += answers->m[i].sound / TAKES == 2;
        }
    ck_assert_uint_ge(n, TAKES * 10);
    ck_assert_uint_ge(right, n * 9 / 10);
}
END_TEST

START_TEST(a_space_that_the_index_lacks_is_refused)
{
    char why[300] = "", path[300];
    idx_index *plain;
    snprintf(options.build.labels, sizeof options.build.labels, "none");
    snprintf(path, sizeof path, "%s/plain.hkn", folder);
    build_corpus(folder, &options, 1, path);
    ck_assert(!idx_open(&plain, path, why, sizeof why));
    options.search.space = 1;
    ck_assert(!rt_analyse_settings(&options, plain, why, sizeof why));
    ck_assert_msg(strstr(why, "--build-labels") != NULL, "%s", why);
    idx_close(plain);
}
END_TEST

typedef struct {
    idx_scratch *scratch;
    uint64_t n, wrong;
} checker;

static void
check_asked(void *ctx, const rt_asked *q)
{
    checker *c = ctx;
    idx_hit hits[IDX_MAX_K];
    uint32_t n;
    c->n++;
    c->wrong += idx_query(ix, q->set, c->scratch, q->x, q->k, hits, &n, NULL) ||
                n != q->n_hits || memcmp(hits, q->hits, n * sizeof *hits) != 0 ||
                q->set != rt_set_of(&options, q->scale);
}

static void
ignore(void *ctx, const rt_match *m)
{
    (void)ctx;
    (void)m;
}

START_TEST(each_search_is_told_with_what_it_found)
{
    char why[300];
    rt_counts counts = {0};
    checker c = {0};
    rt_analyse *a;
    const rt_sink sink = {.ctx = &c, .match = ignore, .asked = check_asked};
    options.match.scales = 7;
    options.match.k = 3;
    options.match.refine = RT_REFINE_YES; /* which searches again */
    options.search.space = (uint32_t)_i;
    ck_assert(!idx_scratch_new(&c.scratch, ix));
    ck_assert(rt_analyse_new(&a, RATE, &options, ix, &counts, &sink, why, sizeof why));
    rt_analyse_block(a, input, N, 0);
    rt_analyse_free(a);
    idx_scratch_free(c.scratch);
    ck_assert_uint_gt(c.n, 200);
    ck_assert_uint_eq(c.wrong, 0);
    ck_assert_uint_eq(c.n, rt_counted(&counts, RT_N_answers) -
                               rt_counted(&counts, RT_N_gated) -
                               rt_counted(&counts, RT_N_silent));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("answers");
    TCase *t = tcase_create("answers");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, build, remove_built);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_onset_is_answered_after_50_100_200_and_400_ms);
    tcase_add_test(t, early_answers_are_about_what_the_index_has_of_beginnings);
    tcase_add_test(t, the_pause_before_an_onset_does_not_matter);
    tcase_add_test(t, a_refined_list_keeps_its_first_and_its_cosines);
    tcase_add_test(t, the_space_of_labels_answers_with_the_label);
    tcase_add_test(t, a_space_that_the_index_lacks_is_refused);
    tcase_add_loop_test(t, each_search_is_told_with_what_it_found, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
