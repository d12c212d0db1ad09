/* rt/analyse_set.c: settings that change between two blocks. */
#include "rt/analyse.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RATE = 48000, N = 12 * RATE, AT = 6 * RATE, BLOCK = 960, MAX_FOUND = 30000 };
enum { KINDS = 4, TAKES = 4 };

static char folder[256], index_path[300];
static idx_index *ix;
static float *input; /* [N]: sounds of all kinds, one after the other */

typedef struct {
    rt_match m[MAX_FOUND];
    size_t n;
} found;
static found *got, *want;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (f->n < MAX_FOUND)
        f->m[f->n++] = *m;
}

static void
make_corpus(void)
{
    float *x = calloc(2 * RATE, sizeof *x);
    for (uint64_t kind = 0; kind < KINDS; kind++) {
        char path[400];
        snprintf(path, sizeof path, "%s/kind%d", folder, (int)kind);
        ck_assert(!mkdir(path, 0755));
        for (uint64_t take = 0; take < TAKES; take++) {
            uint64_t seed = 100 * kind + take + 1;
            make_sound(x, 2 * RATE, RATE, 20 + kind);
            for (size_t i = 0; i < 2 * RATE; i++)
                x[i] += (float)(0.01 * random_unit(&seed));
            snprintf(path, sizeof path, "%s/kind%d/%d.wav", folder, (int)kind,
                     (int)take);
            write_wav(path, x, 2 * RATE, RATE);
        }
    }
    free(x);
}

static void
setup(void)
{
    rt_options o;
    char why[300] = "";
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    make_corpus();
    rt_options_default(&o);
    o.build.invariance = 0;
    o.build.timbre = 1;
    snprintf(o.build.labels, sizeof o.build.labels, "folders");
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &o, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
    input = calloc(N, sizeof *input);
    for (size_t i = 0; i < 6; i++)
        make_sound(input + i * 2 * RATE + RATE / 4, 3 * RATE / 2, RATE, 20 + i % KINDS);
    got = calloc(1, sizeof *got);
    want = calloc(1, sizeof *want);
}

static void
teardown(void)
{
    idx_close(ix);
    free(input);
    free(got);
    free(want);
    remove_tree(folder);
}

/* Each sets o from what others have. */
static void
set_k(rt_options *o)
{
    o->match.k = 5;
}
static void
set_most_k(rt_options *o)
{
    o->match.k = RT_MAX_K;
    o->match.refine = RT_REFINE_YES;
}
static void
set_score(rt_options *o)
{
    o->match.score = 0.9F;
    o->osc.nomatch = 1;
}
static void
set_scales(rt_options *o)
{
    o->match.scales = 1U << DSP_FRAME | 1U << DSP_SCENE;
}
static void
set_timbre(rt_options *o)
{
    o->match.scales = 1U << RT_TIMBRE;
}
static void
set_hamming(rt_options *o)
{
    o->match.scales = 1U << RT_TIMBRE;
    o->search.codes = RT_CODES_HAMMING;
}
static void
set_labels(rt_options *o)
{
    o->search.space = 1;
}
static void
set_gate(rt_options *o)
{
    o->match.gate_db = -12;
}
static void
set_nothing(rt_options *o)
{
    (void)o;
}

static const struct {
    const char *name;
    void (*set)(rt_options *o);
} settings[] = {{"k", set_k},
                {"the most k", set_most_k},
                {"score", set_score},
                {"scales", set_scales},
                {"timbre", set_timbre},
                {"timbre by Hamming", set_hamming},
                {"labels", set_labels},
                {"gate", set_gate},
                {"nothing", set_nothing}};
enum { N_SETTINGS = sizeof settings / sizeof *settings };

static rt_options
options_of(int i)
{
    rt_options o;
    char why[300];
    rt_options_default(&o);
    o.match.score = 0;
    o.match.scales = 1U << DSP_EVENT | 1U << DSP_SCENE;
    settings[i].set(&o);
    ck_assert_msg(rt_analyse_settings(&o, ix, why, sizeof why), "%s", why);
    return o;
}

/* Analyses all of the input with a, and from AT on with b. */
static uint64_t
run(const rt_options *a, const rt_options *b, found *f)
{
    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = f, .match = keep};
    rt_analyse *an;
    f->n = 0;
    ck_assert_msg(rt_analyse_new(&an, RATE, a, ix, &counts, &sink, why, sizeof why),
                  "%s", why);
    const uint64_t before = heap_calls;
    for (size_t at = 0; at < N; at += BLOCK) {
        if (at == AT)
            rt_analyse_set(an, b);
        rt_analyse_block(an, input + at, BLOCK, 0);
    }
    const uint64_t heap = heap_calls - before;
    rt_analyse_free(an);
    return heap;
}

/* Where in f the findings from frame on begin. */
static size_t
from(const found *f, uint64_t frame)
{
    size_t i = 0;
    while (i < f->n && f->m[i].frame < frame)
        i++;
    return i;
}

static void
same(const rt_match *a, const rt_match *b, const char *what)
{
    ck_assert_msg(a->kind == b->kind && a->frame == b->frame && a->scale == b->scale &&
                      a->rank == b->rank && a->sound == b->sound,
                  "%s: frame %llu", what, (unsigned long long)a->frame);
    ck_assert_float_eq(a->score, b->score);
    ck_assert_float_eq(a->cosine, b->cosine);
}

/* From each setting to the three that follow. Sound begins anew after AT, so that
 * nothing of what was before is heard by a scale that was off. */
START_TEST(after_a_change_answers_are_as_if_it_had_been_set_from_the_start)
{
    const int to = (_i / 3 + 1 + _i % 3) % N_SETTINGS;
    const rt_options a = options_of(_i / 3), b = options_of(to);
    const char *name = settings[to].name;
    const uint64_t heap = run(&a, &b, got);
    run(&b, &b, want);
    ck_assert_uint_eq(heap, 0);
    const size_t n = from(want, AT), m = from(got, AT);
    ck_assert_msg(want->n - n > 3, "%s: nothing to compare", name);
    ck_assert_msg(got->n - m == want->n - n, "%s: %zu, not %zu", name, got->n - m,
                  want->n - n);
    for (size_t i = 0; n + i < want->n; i++)
        same(&got->m[m + i], &want->m[n + i], name);
    run(&a, &a, want);
    ck_assert_uint_eq(from(want, AT), m);
    for (size_t i = 0; i < m; i++)
        same(&got->m[i], &want->m[i], "before");
}
END_TEST

START_TEST(while_paused_nothing_is_told_and_each_answer_is_counted)
{
    rt_options a = options_of(N_SETTINGS - 1), b = a;
    b.listen.paused = 1;
    run(&a, &b, got);
    ck_assert_uint_gt(from(got, AT), 3);
    ck_assert_uint_eq(from(got, AT), got->n);

    char why[300];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = got, .match = keep};
    rt_analyse *an;
    ck_assert(rt_analyse_new(&an, RATE, &b, ix, &counts, &sink, why, sizeof why));
    rt_analyse_block(an, input, N, 0);
    rt_analyse_free(an);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_answers), 50);
    ck_assert_uint_eq(rt_counted(&counts, RT_N_answers),
                      rt_counted(&counts, RT_N_paused));
    ck_assert_uint_gt(rt_counted(&counts, RT_N_onsets), 3);
}
END_TEST

/* As destinations choose from what is found for all of them (target.h). */
START_TEST(what_is_found_at_onsets_is_a_part_of_what_is_found_for_all)
{
    rt_options o = options_of(N_SETTINGS - 1);
    o.match.at = RT_AT_ONSETS;
    run(&o, &o, want);
    o.match.asked = 1U << RT_AT_CONTINUOUS; /* one that wants all */
    run(&o, &o, got);
    ck_assert_uint_gt(want->n, 50);
    ck_assert_uint_gt(got->n, want->n);
    size_t n = 0;
    for (size_t i = 0; i < got->n; i++)
        if (got->m[i].kind == RT_ONSET || got->m[i].at_onset) {
            ck_assert_uint_lt(n, want->n);
            same(&got->m[i], &want->m[n++], "at onsets");
        }
    ck_assert_uint_eq(n, want->n);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/analyse_set");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_add_loop_test(t,
                        after_a_change_answers_are_as_if_it_had_been_set_from_the_start,
                        0, 3 * N_SETTINGS);
    tcase_add_test(t, while_paused_nothing_is_told_and_each_answer_is_counted);
    tcase_add_test(t, what_is_found_at_onsets_is_a_part_of_what_is_found_for_all);
    suite_add_tcase(s, t);
    return run_suite(s);
}
