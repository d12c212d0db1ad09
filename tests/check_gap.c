/* Losses and sheddings in the whole path: nothing spans the one, nothing outlives the
 * other. */
#include "rt/analyse.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, N = 16 * RATE, MAX_FOUND = 40000, HOP = RATE / DSP_HOPS_PER_S };

static char folder[256];
static rt_options options;
static idx_index *ix;
static float *input; /* [N] sounds of the corpus, one after and over the other */

typedef struct {
    rt_match m[MAX_FOUND];
    size_t n;
} found;
static found *a_found, *b_found;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    ck_assert_uint_lt(f->n, MAX_FOUND);
    f->m[f->n++] = *m;
}

static void
setup(void)
{
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    write_corpus(folder);
    rt_options_default(&options);
    options.build.timbre = 1;
    options.build.invariance = 0; /* learning by copies takes its time */
    options.match.scales = 15;
    options.match.score = 0;
    options.match.k = 2;
    options.match.confirm_ms = 200; /* so that agreement before a loss would show */
    input = calloc(N, sizeof *input);
    a_found = calloc(1, sizeof *a_found);
    b_found = calloc(1, sizeof *b_found);
    for (uint64_t i = 0; i < 7; i++)
        make_sound(input + (1 + 2 * i) * RATE, (1 + i % 3) * RATE, RATE, i + 1);
}

static void
teardown(void)
{
    idx_close(ix);
    ix = NULL;
    free(input);
    free(a_found);
    free(b_found);
    remove_tree(folder);
}

static void
open_index(uint32_t front)
{
    char path[300], why[300] = "";
    options.dsp.frontend = front;
    options.build.timbre = front == 0;
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, path);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    ck_assert_msg(rt_analyse_settings(&options, ix, why, sizeof why), "%s", why);
}

static rt_analyse *
new_analyse(found *f, rt_counts *counts)
{
    char why[300];
    const rt_sink sink = {.ctx = f, .match = keep};
    rt_analyse *a;
    memset(counts, 0, sizeof *counts);
    f->n = 0;
    ck_assert_msg(
        rt_analyse_new(&a, RATE, &options, ix, counts, &sink, why, sizeof why), "%s",
        why);
    return a;
}

static void
feed(rt_analyse *a, uint64_t from, uint64_t to, uint64_t *seed)
{
    while (from < to) {
        const uint64_t left = to - from, most = 1 + random_u64(seed) % 1500;
        const uint64_t n = left < most ? left : most;
        rt_analyse_block(a, input + from, n, (int64_t)(from * 1000000 / RATE));
        from += n;
    }
}

static void
check_same(const rt_match *x, const rt_match *y)
{
    ck_assert_int_eq(x->kind, y->kind);
    ck_assert_uint_eq(x->scale, y->scale);
    ck_assert_uint_eq(x->rank, y->rank);
    ck_assert_uint_eq(x->frame, y->frame);
    ck_assert_uint_eq(x->sound, y->sound);
    ck_assert(x->score == y->score && x->cosine == y->cosine);
    ck_assert(x->start_s == y->start_s && x->length_s == y->length_s);
    ck_assert(x->heard_s == y->heard_s && x->level_db == y->level_db);
    ck_assert_int_le(llabs(x->centre_us - y->centre_us), 2); /* blocks are others */
}

/* What is heard from `from` on, by an analysis that has never heard anything. */
static void
hear_alone(uint64_t from, uint64_t to, uint64_t *seed)
{
    rt_counts counts;
    rt_analyse *b = new_analyse(b_found, &counts);
    rt_analyse_gap(b, from);
    feed(b, from, to, seed);
    rt_analyse_free(b);
}

/* No window reaches back before the loss: the hop that it ends in may begin there. */
static void
check_span(const rt_match *m, uint64_t from)
{
    const double begins =
        (double)m->centre_us * 1e-6 - (double)m->heard_s / 2; /* at the latest */
    ck_assert_uint_ge(m->frame, from);
    ck_assert_msg(begins >= (double)(from / HOP * HOP) / RATE - 1e-4,
                  "kind %d, scale %u at %g s begins at %g s, before %g s", m->kind,
                  m->scale, (double)m->frame / RATE, begins, (double)from / RATE);
}

static uint64_t
random_below(uint64_t n, uint64_t *seed)
{
    return random_u64(seed) % n;
}

static uint64_t
random_loss(uint64_t *seed)
{
    static const uint64_t most[] = {1, 2, 64, HOP, 2 * HOP, RATE, 3 * RATE};
    return 1 + random_below(most[random_below(7, seed)], seed);
}

/* Cuts the input at random, and compares what follows each loss with what is heard
 * alone. Returns how many matches of scenes followed one. */
static size_t
cut_once(uint64_t *seed)
{
    rt_counts counts;
    rt_analyse *a = new_analyse(a_found, &counts);
    size_t scenes = 0;
    uint64_t from = 0, lost = 0;
    while (from < N) {
        uint64_t to = from + 1 + random_below(9 * RATE, seed);
        to = to < N ? to : N;
        a_found->n = 0;
        feed(a, from, to, seed);
        hear_alone(from, to, seed);
        ck_assert_uint_eq(a_found->n, b_found->n);
        for (size_t i = 0; i < a_found->n; i++) {
            check_same(&a_found->m[i], &b_found->m[i]);
            check_span(&a_found->m[i], from);
            scenes += from > 0 && a_found->m[i].scale == DSP_SCENE &&
                      a_found->m[i].kind == RT_MATCH;
        }
        from = to + random_loss(seed);
        rt_analyse_gap(a, from - to);
        lost += from - to;
    }
    ck_assert_uint_eq(rt_counted(&counts, RT_N_lost_frames), lost);
    rt_analyse_free(a);
    return scenes;
}

static const uint32_t fronts[] = {DSP_FRONT_MEL, DSP_FRONT_MORLET, DSP_FRONT_BARK};

START_TEST(after_a_loss_all_is_as_if_nothing_had_been_heard_before)
{
    uint64_t seed = 77 + (uint64_t)_i;
    size_t scenes = 0;
    open_index(fronts[_i]);
    for (int round = 0; round < 4; round++)
        scenes += cut_once(&seed);
    ck_assert_uint_gt(scenes, 0);
}
END_TEST

/* ---- Shedding -------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t level, scales; /* that still answer */
    bool onsets;
} levels[] = {
    {"nothing", RT_SHED_NOTHING, 15, true},
    {"scenes", RT_SHED_SCENES, 11, true},
    {"events", RT_SHED_EVENTS, 1, true},
    {"frames", RT_SHED_FRAMES, 0, false},
};

static bool
is_let_through(const rt_match *m, int level)
{
    return m->kind == RT_ONSET ? levels[level].onsets
                               : levels[level].scales >> m->scale & 1U;
}

static uint64_t
fates(const rt_counts *c)
{
    static const int all[] = {RT_N_gated,       RT_N_shed_scenes,  RT_N_shed_events,
                              RT_N_shed_frames, RT_N_silent,       RT_N_below_score,
                              RT_N_unconfirmed, RT_N_rate_limited, RT_N_matched,
                              RT_N_paused,      RT_N_held};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sum += rt_counted(c, all[i]);
    return sum;
}

/* All of the input; at a level from one frame to another. */
static void
hear_at(int level, uint64_t from, uint64_t to, found *f, rt_counts *counts)
{
    uint64_t seed = 5;
    rt_analyse *a = new_analyse(f, counts);
    feed(a, 0, from, &seed);
    rt_analyse_shed(a, levels[level].level);
    feed(a, from, to, &seed);
    rt_analyse_shed(a, RT_SHED_NOTHING);
    feed(a, to, N, &seed);
    rt_analyse_free(a);
}

static void
check_level(int level)
{
    const uint64_t from = 4 * RATE + 123, to = 10 * RATE + 77;
    size_t j = 0;
    rt_counts a_counts, b_counts;
    hear_at(level, from, to, a_found, &a_counts);
    hear_at(0, from, to, b_found, &b_counts);
    for (size_t i = 0; i < b_found->n; i++) {
        const rt_match *m = &b_found->m[i];
        const bool within = m->frame > from && m->frame <= to;
        if (within && !is_let_through(m, level))
            continue;
        ck_assert_msg(j < a_found->n, "%s: fewer than without", levels[level].name);
        check_same(&a_found->m[j++], m);
    }
    ck_assert_uint_eq(j, a_found->n);
    ck_assert_uint_eq(fates(&a_counts), rt_counted(&a_counts, RT_N_answers));
    ck_assert_uint_eq(rt_counted(&a_counts, RT_N_answers),
                      rt_counted(&b_counts, RT_N_answers));
    ck_assert_uint_eq(rt_counted(&a_counts, RT_N_onsets),
                      rt_counted(&b_counts, RT_N_onsets));
    ck_assert(!rt_counted(&a_counts, RT_N_shed_scenes) == (level < 1));
    ck_assert(!rt_counted(&a_counts, RT_N_shed_events) == (level < 2));
    ck_assert(!rt_counted(&a_counts, RT_N_shed_frames) == (level < 3));
    ck_assert(!rt_counted(&a_counts, RT_N_shed_onsets) == (level < 3));
}

START_TEST(a_level_sheds_just_its_scales_and_leaves_no_trace)
{
    open_index(DSP_FRONT_MEL);
    options.match.confirm_ms = 0; /* answers in a row: those that are shed break it */
    for (int level = 0; level < 4; level++)
        check_level(level);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("gap");
    TCase *t = tcase_create("gap");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, after_a_loss_all_is_as_if_nothing_had_been_heard_before, 0,
                        3);
    tcase_add_test(t, a_level_sheds_just_its_scales_and_leaves_no_trace);
    suite_add_tcase(s, t);
    return run_suite(s);
}
