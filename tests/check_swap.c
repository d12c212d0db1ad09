/* rt/swap.c, rt/shelf.c: another index while it listens. */
#include "swap_support.h"

static void *
swap_on(void *arg)
{
    bench *b = arg;
    char why[400] = "";
    while (!atomic_load(&b->quiet)) {
        const uint32_t n = atomic_load(&b->n_swaps);
        ck_assert_msg(rt_swap_load(b->swap, 0, b->to[n % 2], why, sizeof why), "%s",
                      why);
        atomic_store(&b->n_swaps, n + 1);
        /* each index has its turn, whatever the machine does beside it */
        const uint64_t until = rt_counted(&b->counts, RT_N_hops) + 50;
        atomic_store(&b->hungry, true);
        while (rt_counted(&b->counts, RT_N_hops) < until && !atomic_load(&b->quiet))
            rt_sleep_ms(1);
        atomic_store(&b->hungry, false);
    }
    return NULL;
}

/* Feeds the sound again and again while a thread swaps; how often. HEARKEN_SWAPS=1000
 * tests more than there is time for each day. */
static uint32_t
feed_under_swaps(bench *b, const char *first, const char *second)
{
    const char *more = getenv("HEARKEN_SWAPS");
    const uint32_t wanted = more ? (uint32_t)atoi(more) : 12;
    uint32_t n = 0;
    b->to[0] = first;
    b->to[1] = second;
    ck_assert(!pthread_create(&b->swapper, NULL, swap_on, b));
    while (atomic_load(&b->n_swaps) < wanted) {
        /* all that is found is kept */
        while (n > atomic_load(&b->n_swaps) / 2 + 2 && !atomic_load(&b->hungry))
            rt_sleep_ms(1);
        feed(b, (uint64_t)n * LEN);
        n++;
        rt_swap_tick(b->swap);
    }
    atomic_store(&b->quiet, true);
    pthread_join(b->swapper, NULL);
    ck_assert_uint_ge(n, 1);
    return n;
}

/* Settings of a second index. */
static bool
parse_beside(const char *item, char *why, size_t len)
{
    rt_indexes in;
    options.listen.index.n = 1;
    snprintf(options.listen.index.item[0], RT_ITEM, "%s", item);
    return rt_indexes_parse(&in, &options, why, len);
}

/* ---- Cases ----------------------------------------------------------------------- */

START_TEST(the_same_index_over_and_over_changes_no_answer)
{
    options.match.confirm_ms = 200;
    options.match.min_gap_ms = 150;
    bench *b = new_bench(path[0]);
    const uint32_t n = feed_under_swaps(b, "", path[0]);
    end_bench(b);
    nothing_is_lost(b, n);
    only_the_current_book_is_left(b);
    bench *want = reference(path[0], n);
    ck_assert_uint_eq(b->n, want->n);
    for (uint32_t i = 0; i < 2; i++) {
        size_t at = 0, at_want = 0;
        for (const told *w; (w = next_of(want, i, &at_want));)
            same(next_of(b, i, &at), w);
    }
    free_bench(b);
    free_bench(want);
}
END_TEST

START_TEST(each_answer_is_that_of_the_index_that_it_is_told_with)
{
    bench *b = new_bench(path[0]);
    const uint32_t n = feed_under_swaps(b, path[1], path[0]);
    end_bench(b);
    nothing_is_lost(b, n);
    only_the_current_book_is_left(b);
    bench *of[2] = {reference(path[0], n), reference(path[1], n)};
    size_t n_told[2] = {0};
    ck_assert_uint_eq(b->n, of[0]->n);
    ck_assert_uint_eq(b->n, of[1]->n);
    for (uint32_t i = 0; i < 2; i++) {
        size_t at = 0, at_want[2] = {0};
        for (const told *t; (t = next_of(b, i, &at));) {
            const told *w[2] = {next_of(of[0], i, &at_want[0]),
                                next_of(of[1], i, &at_want[1])};
            same(t, w[t->second]);
            n_told[t->second]++;
        }
    }
    ck_assert_uint_gt(n_told[0], 20);
    ck_assert_uint_gt(n_told[1], 20);
    free_bench(b);
    free_bench(of[0]);
    free_bench(of[1]);
}
END_TEST

START_TEST(an_index_that_listens_otherwise_goes_on_with_the_stream)
{
    char why[400] = "", other[320];
    rt_options o = options;
    o.dsp.event_ms = 400;
    snprintf(other, sizeof other, "%s/other.hkn", folder);
    build_corpus(corpus[1], &o, 2, other);
    bench *b = new_bench(path[0]);
    feed(b, 0);
    ck_assert_msg(rt_swap_load(b->swap, 0, other, why, sizeof why), "%s", why);
    feed(b, LEN);
    end_bench(b);
    const rt_book *now_used = &b->shelf->book[b->shelf->current[0]];
    ck_assert_uint_eq(now_used->options.dsp.event_ms, 400);
    nothing_is_lost(b, 2);
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += b->told[i].m.frame > LEN + RATE && b->told[i].m.kind == RT_MATCH;
    ck_assert_uint_gt(n, 100);
    free_bench(b);
}
END_TEST

static const struct {
    const char *name, *why; /* holds */
} bad[] = {{"none.hkn", "none.hkn"},
           {"text.hkn", "text.hkn"},
           {"cut.hkn", "cut.hkn"},
           {"", "bytes"}};

static void
write_bad(void)
{
    char name[400];
    size_t n;
    char *all = read_file(path[0], &n);
    snprintf(name, sizeof name, "%s/text.hkn", folder);
    FILE *to = fopen(name, "wb");
    ck_assert(to && fputs("no index at all\n", to) >= 0 && !fclose(to));
    snprintf(name, sizeof name, "%s/cut.hkn", folder);
    to = fopen(name, "wb");
    ck_assert(to && fwrite(all, 1, n / 2, to) == n / 2 && !fclose(to));
    free(all);
}

START_TEST(one_that_cannot_be_used_leaves_the_last_good_one)
{
    static char too_long[RT_TEXT + 10];
    char why[400] = "", name[400];
    memset(too_long, 'x', sizeof too_long - 1);
    snprintf(name, sizeof name, "%s/%s", folder, bad[_i].name);
    write_bad();
    bench *b = new_bench(path[0]);
    feed(b, 0);
    ck_assert(
        !rt_swap_load(b->swap, 0, *bad[_i].name ? name : too_long, why, sizeof why));
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s", why);
    ck_assert_uint_eq(b->shelf->current[0], 0);
    ck_assert(!rt_swap_tick(b->swap)); /* says so, and there is no other */
    feed(b, LEN);
    end_bench(b);
    nothing_is_lost(b, 2);
    only_the_current_book_is_left(b);
    bench *want = reference(path[0], 2);
    ck_assert_uint_eq(b->n, want->n);
    free_bench(b);
    free_bench(want);
}
END_TEST

START_TEST(without_memory_the_last_good_one_stays_and_nothing_leaks)
{
    char why[400] = "";
    bench *b = new_bench(path[0]);
    bool swapped = false;
    for (uint64_t k = 1; !swapped && k < 2000; k = k * 5 / 4 + 1) {
        heap_fail_at = k;
        swapped = rt_swap_load(b->swap, 0, path[1], why, sizeof why);
        heap_fail_at = 0;
        ck_assert(swapped || b->shelf->current[0] == 0);
    }
    ck_assert(swapped);
    feed(b, 0);
    end_bench(b);
    only_the_current_book_is_left(b);
    free_bench(b);
}
END_TEST

/* Each match of an index is the next one that want has, of any index. */
static void
same_matches(const bench *b, uint32_t index, const bench *want)
{
    for (uint32_t input = 0; input < 2; input++) {
        size_t at = 0, n = 0;
        for (size_t i = 0; i < b->n; i++) {
            const told *t = &b->told[i], *w;
            if (t->m.input != input || t->m.kind != RT_MATCH ||
                rt_index_of(t->m.book) != index)
                continue;
            do
                w = next_of(want, input, &at);
            while (w && w->m.kind != RT_MATCH);
            same(t, w);
            n++;
        }
        ck_assert_uint_gt(n, 20);
        while (at < want->n)
            ck_assert(want->told[at++].m.kind != RT_MATCH ||
                      want->told[at - 1].m.input != input);
    }
}

static size_t
onsets_of(const bench *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += b->told[i].m.kind == RT_ONSET;
    return n;
}

START_TEST(indexes_side_by_side_find_what_each_finds_alone)
{
    char why[400];
    options.match.k = 1;
    ck_assert(parse_beside("beside=x,k=2,scales=event", why, sizeof why));
    beside = path[1];
    bench *b = new_bench(path[0]);
    feed(b, 0);
    end_bench(b);
    beside = NULL;
    nothing_is_lost(b, 1);
    only_the_current_book_is_left(b);
    bench *want = reference(path[0], 1);
    same_matches(b, 0, want);
    ck_assert_uint_eq(onsets_of(b), onsets_of(want));
    free_bench(want);
    rt_options_of(&options, 1);
    want = reference(path[1], 1);
    same_matches(b, 1, want);
    free_bench(want);
    free_bench(b);
}
END_TEST

START_TEST(another_file_of_one_index_leaves_the_others_alone)
{
    char why[400];
    beside = path[1];
    bench *b = new_bench(path[0]);
    feed(b, 0);
    ck_assert_msg(rt_swap_load(b->swap, 1, path[0], why, sizeof why), "%s", why);
    ck_assert_uint_eq(b->shelf->current[0], 0);
    ck_assert_uint_eq(b->shelf->current[1], RT_ROW + 1);
    feed(b, LEN);
    ck_assert(!rt_swap_load(b->swap, 1, "none.hkn", why, sizeof why));
    ck_assert_uint_eq(b->shelf->current[1], RT_ROW + 1);
    end_bench(b);
    beside = NULL;
    nothing_is_lost(b, 2);
    only_the_current_book_is_left(b);
    bench *want = reference(path[0], 2);
    same_matches(b, 0, want);
    size_t later = 0;
    for (size_t i = 0; i < b->n; i++)
        later += b->told[i].m.book == RT_ROW + 1 && b->told[i].m.kind == RT_MATCH;
    ck_assert_uint_gt(later, 20);
    free_bench(want);
    free_bench(b);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("swap");
    TCase *tc = tcase_create("swap");
    tcase_set_timeout(tc, 300);
    tcase_add_unchecked_fixture(tc, build_once, remove_once);
    tcase_add_checked_fixture(tc, set_options, NULL);
    tcase_add_test(tc, the_same_index_over_and_over_changes_no_answer);
    tcase_add_test(tc, each_answer_is_that_of_the_index_that_it_is_told_with);
    tcase_add_test(tc, an_index_that_listens_otherwise_goes_on_with_the_stream);
    tcase_add_loop_test(tc, one_that_cannot_be_used_leaves_the_last_good_one, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tc, indexes_side_by_side_find_what_each_finds_alone);
    tcase_add_test(tc, another_file_of_one_index_leaves_the_others_alone);
    tcase_add_test(tc, without_memory_the_last_good_one_stays_and_nothing_leaks);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
