/* rt/swap_learn.c: sounds learned and forgotten while it listens. */
#include "swap_support.h"

enum { SECOND = RATE / 128 * 128 };

static float strange[2][SECOND],
    silence[SECOND]; /* strange: of no sound in the corpora */
static char file[300];
static uint64_t fed; /* frames of the stream */

/* Feeds both inputs, and waits until all of it is analysed. */
static void
play(bench *b, const float x[])
{
    for (size_t at = 0; at < SECOND; at += 128, fed += 128)
        for (uint32_t i = 0; i < b->in.n; i++)
            rt_capture_feed(&b->in.input[i].capture, x + at, 128, fed, 0, 0);
    for (uint32_t i = 0; i < b->in.n; i++)
        while (rt_ring_count(b->in.input[i].capture.ring))
            rt_sleep_ms(1);
}

/* Plays after silence; how often a label was told. */
static uint32_t
told_of(bench *b, const float x[], const char *label)
{
    uint32_t n = 0;
    play(b, silence);
    const size_t before = b->n;
    play(b, x);
    for (size_t i = before; i < b->n; i++)
        n += b->told[i].m.kind == RT_MATCH && !strcmp(b->told[i].label, label);
    return n;
}

/* Learns what was played last; must go well. what is said of the file, or "". */
static const char *
learn(bench *b, const char *label)
{
    static char why[600];
    rt_learning got;
    ck_assert_msg(rt_swap_learn(b->swap, label, 0, "a", &got, why, sizeof why), "%s",
                  why);
    ck_assert_uint_gt(got.n_entries, 10);
    ck_assert(got.seconds > 0.1 && got.seconds < 1.1);
    return why;
}

static bench *
begin(void)
{
    fed = 0;
    return new_bench(path[0]);
}

/* No hop, block or finding is missing, and books are given back. */
static void
finish(bench *b)
{
    end_bench(b);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_hops), 2 * (fed / (RATE / 100)));
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_matches), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_unprinted), 0);
    only_the_current_book_is_left(b);
    free_bench(b);
}

START_TEST(what_sounds_is_learned_found_at_once_and_forgotten)
{
    char why[400] = "";
    uint32_t n_left = 9;
    if (_i) /* the books then share what noise looks like, too */
        options.match.false_alarms = 6;
    bench *b = begin();
    ck_assert_uint_eq(told_of(b, strange[0], "one"), 0);
    ck_assert_str_eq(learn(b, "one"), "");
    ck_assert(rt_swap_tick(b->swap));
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100); /* of 220 answers */
    told_of(b, strange[1], "two");
    learn(b, "two");
    ck_assert_uint_gt(told_of(b, strange[1], "two"), 100);
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100);
    ck_assert(rt_swap_forget(b->swap, "one", &n_left, why, sizeof why));
    ck_assert_uint_eq(n_left, 1);
    ck_assert_uint_eq(told_of(b, strange[0], "one"), 0);
    ck_assert_uint_gt(told_of(b, strange[1], "two"), 100);
    ck_assert(!rt_swap_forget(b->swap, "one", &n_left, why, sizeof why));
    ck_assert_msg(strstr(why, "nothing was learned as \"one\"") != NULL, "%s", why);
    ck_assert(rt_swap_forget(b->swap, "*", &n_left, why, sizeof why));
    ck_assert_uint_eq(n_left, 0);
    ck_assert_uint_eq(told_of(b, strange[1], "two"), 0);
    finish(b);
}
END_TEST

START_TEST(it_stays_with_an_index_of_its_space_and_comes_back_from_its_file)
{
    char why[400] = "";
    learn_file = file;
    bench *b = begin();
    told_of(b, strange[0], "one");
    ck_assert_str_eq(learn(b, "one"), "");
    ck_assert(rt_swap_load(b->swap, 0, "", why, sizeof why));
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100);
    ck_assert(rt_swap_load(b->swap, 0, path[1], why, sizeof why));
    ck_assert_uint_eq(told_of(b, strange[0], "one"), 0);
    ck_assert(strstr(learn(b, "two"), "left alone"));
    ck_assert_uint_gt(told_of(b, strange[0], "two"), 100);
    ck_assert(rt_swap_load(b->swap, 0, path[0], why, sizeof why));
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100);
    finish(b);
    b = begin(); /* and after a restart */
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100);
    told_of(b, strange[1], "two");
    ck_assert_str_eq(learn(b, "two"), "");
    finish(b);
    b = begin();
    ck_assert_uint_gt(told_of(b, strange[1], "two"), 100);
    uint32_t n_left;
    ck_assert(rt_swap_forget(b->swap, "*", &n_left, why, sizeof why) && !*why);
    finish(b);
    ck_assert(!fopen(file, "r"));
}
END_TEST

START_TEST(a_file_that_is_no_layer_is_left_alone)
{
    char copy[320];
    size_t n;
    char *bytes = read_file(path[1], &n);
    snprintf(copy, sizeof copy, "%s/copy.hkn", folder);
    FILE *f = fopen(copy, "wb");
    ck_assert(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
    free(bytes);
    learn_file = copy;
    bench *b = begin();
    told_of(b, strange[0], "one");
    ck_assert(strstr(learn(b, "one"), "left alone"));
    ck_assert_uint_gt(told_of(b, strange[0], "one"), 100);
    finish(b);
    same_file(copy, path[1]);
}
END_TEST

START_TEST(what_cannot_be_learned_changes_nothing)
{
    char why[400] = "";
    rt_learning got;
    bench *b = begin();
    ck_assert(!rt_swap_learn(b->swap, "x", 1, "a", &got, why, sizeof why));
    ck_assert_msg(strstr(why, "nothing has been heard") != NULL, "%s", why);
    play(b, strange[0]);
    ck_assert(!rt_swap_learn(b->swap, "x", 1, "c", &got, why, sizeof why));
    ck_assert_str_eq(why, "there is no input \"c\"");
    ck_assert(!rt_swap_learn(b->swap, "*", 1, "b", &got, why, sizeof why));
    ck_assert_msg(strstr(why, "a label has") != NULL, "%s", why);
    play(b, silence);
    ck_assert(!rt_swap_learn(b->swap, "x", 0.5, "", &got, why, sizeof why));
    ck_assert_msg(strstr(why, "match.gate-db") != NULL, "%s", why);
    ck_assert_uint_eq(b->shelf->current[0], 0);
    ck_assert(rt_swap_learn(b->swap, "x", 1.9, "", &got, why, sizeof why));
    finish(b);
}
END_TEST

START_TEST(without_memory_nothing_is_learned_and_nothing_leaks)
{
    char why[400] = "";
    rt_learning got;
    bool ok = false;
    bench *b = begin();
    play(b, strange[0]);
    for (uint64_t k = 1; !ok && k < 5000; k = k * 5 / 4 + 1) {
        heap_fail_at = k;
        ok = rt_swap_learn(b->swap, "x", 0.5, "a", &got, why, sizeof why);
        heap_fail_at = 0;
        ck_assert(ok || b->shelf->current[0] == 0);
    }
    ck_assert(ok);
    finish(b);
}
END_TEST

static void *
teach(void *arg)
{
    bench *b = arg;
    char why[400] = "";
    uint32_t n_left;
    rt_learning got;
    while (!atomic_load(&b->quiet)) {
        ck_assert_msg(rt_swap_learn(b->swap, "x", 0.3, "b", &got, why, sizeof why),
                      "%s", why);
        ck_assert(rt_swap_forget(b->swap, "x", &n_left, why, sizeof why));
        atomic_fetch_add(&b->n_swaps, 1);
    }
    return NULL;
}

START_TEST(to_learn_and_forget_under_load_loses_nothing_and_changes_no_other_answer)
{
    bench *b = begin(), *want;
    play(b, strange[1]);
    ck_assert(!pthread_create(&b->swapper, NULL, teach, b));
    for (int i = 0; i < 4 || atomic_load(&b->n_swaps) < 10; i++)
        play(b, strange[1]);
    atomic_store(&b->quiet, true);
    pthread_join(b->swapper, NULL);
    const uint64_t n = fed / SECOND;
    end_bench(b);
    want = begin();
    for (uint64_t i = 0; i < n; i++)
        play(want, strange[1]);
    end_bench(want);
    ck_assert_uint_eq(b->n, want->n);
    size_t n_live = 0;
    for (uint32_t i = 0; i < 2; i++) {
        size_t at = 0, at_want = 0;
        for (const told *t; (t = next_of(b, i, &at));) {
            const told *w = next_of(want, i, &at_want);
            if (!*t->label)
                same(t, w);
            n_live += *t->label != 0;
        }
    }
    ck_assert_uint_gt(n_live, 10);
    only_the_current_book_is_left(b);
    free_bench(b);
    free_bench(want);
}
END_TEST

static void
set_up(void)
{
    set_options();
    learn_file = NULL;
}

static void
make_once(void)
{
    build_once();
    snprintf(file, sizeof file, "%s/learned.hkn", folder);
    for (uint64_t i = 0; i < 2; i++)
        make_sound(strange[i], SECOND, RATE, 201 + i);
}

int
main(void)
{
    Suite *suite = suite_create("swap_learn");
    TCase *tc = tcase_create("swap_learn");
    tcase_set_timeout(tc, 300);
    tcase_add_unchecked_fixture(tc, make_once, remove_once);
    tcase_add_checked_fixture(tc, set_up, NULL);
    tcase_add_loop_test(tc, what_sounds_is_learned_found_at_once_and_forgotten, 0, 2);
    tcase_add_test(tc,
                   it_stays_with_an_index_of_its_space_and_comes_back_from_its_file);
    tcase_add_test(tc, a_file_that_is_no_layer_is_left_alone);
    tcase_add_test(tc, what_cannot_be_learned_changes_nothing);
    tcase_add_test(tc, without_memory_nothing_is_learned_and_nothing_leaks);
    tcase_add_test(
        tc, to_learn_and_forget_under_load_loses_nothing_and_changes_no_other_answer);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
