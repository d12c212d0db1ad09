/* rt/swap.c, rt/shelf.c: another index while it listens. */
#include "rt/honest.h"
#include "rt/publish.h"
#include "rt/rt.h"
#include "rt/swap.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, LEN = 6 * RATE / 128 * 128, MAX_FOUND = 1000000 };

static char folder[256], corpus[2][256], path[2][300];
static rt_options options;
static float sound[LEN];

static idx_index *index_of[2];

/* A finding, and of which index. */
typedef struct {
    rt_match m;
    bool second; /* of index 1, not 0 */
} told;

/* All of listen but JACK. */
typedef struct {
    rt_shelf *shelf;
    rt_inputs in;
    rt_publish *publish;
    rt_swap *swap;
    rt_counts counts;
    rt_honest honest;
    sem_t wake, main_wake;
    atomic_bool stop, quiet, hungry; /* no more swaps; waits for hops */
    pthread_t thread, swapper;
    rt_print *print;
    FILE *printed;
    _Atomic uint32_t n_swaps;
    const char *to[2]; /* what the swapper loads in turn */
    told *told;
    size_t n;
} bench;

static void
push(void *ctx, const rt_match *m)
{
    bench *b = ctx;
    const rt_book *book = &b->shelf->book[m->book];
    if (b->n < MAX_FOUND) /* else the test fails, on its own thread */
        b->told[b->n++] = (told){*m, strcmp(book->path, path[0]) != 0};
    rt_publish_push(b->publish, m);
}

static void
asked(void *ctx, const rt_asked *q)
{
    bench *b = ctx;
    rt_truth_offer(b->shelf->book[q->book].truth, q);
}

static void
now(void *ctx, rt_options *out)
{
    (void)ctx;
    *out = options;
}

static int64_t
no_time(void)
{
    return 0;
}

static void *
analyse(void *arg)
{
    bench *b = arg;
    dsp_thread_init();
    while (!atomic_load(&b->stop)) {
        while (sem_wait(&b->wake))
            ;
        rt_inputs_analyse(&b->in);
    }
    rt_inputs_analyse(&b->in);
    return NULL;
}

static bench *
new_bench(const char *index_path)
{
    char why[400] = "";
    idx_index *ix;
    bench *b = calloc(1, sizeof *b);
    b->told = calloc(MAX_FOUND, sizeof *b->told);
    b->printed = tmpfile();
    sem_init(&b->wake, 0, 0);
    sem_init(&b->main_wake, 0, 0);
    const rt_sink sink = {.ctx = b, .match = push, .asked = asked};
    ck_assert_msg(!idx_load(&ix, index_path, why, sizeof why), "%s", why);
    b->shelf = rt_shelf_new(ix, &options, index_path);
    ck_assert(b->shelf && b->printed &&
              rt_inputs_parse(&b->in, "a,b", why, sizeof why) &&
              rt_inputs_new(&b->in, &b->counts, &sink, &b->wake));
    const rt_print_config lines = {.how = {.format = RT_FORMAT_JSON},
                                   .shelf = b->shelf,
                                   .fd = fileno(b->printed),
                                   .inputs = &b->in,
                                   .counts = &b->counts};
    ck_assert(rt_print_new(&b->print, &lines, why, sizeof why) &&
              rt_print_start(b->print, why, sizeof why));
    const rt_publish_config p = {.options = &options,
                                 .shelf = b->shelf,
                                 .inputs = &b->in,
                                 .counts = &b->counts,
                                 .print = b->print,
                                 .honest = &b->honest,
                                 .now_us = no_time};
    const rt_swap_config s = {.shelf = b->shelf,
                              .inputs = &b->in,
                              .counts = &b->counts,
                              .main_wake = &b->main_wake,
                              .now = now};
    ck_assert(!rt_publish_open(&b->publish, &p, why, sizeof why) &&
              rt_publish_start(b->publish, why, sizeof why));
    ck_assert_msg(rt_swap_new(&b->swap, &s, why, sizeof why), "%s", why);
    ck_assert(!pthread_create(&b->thread, NULL, analyse, b));
    rt_inputs_patient(&b->in, true); /* the test is faster than sound */
    ck_assert_msg(rt_swap_set_rate(b->swap, RATE, why, sizeof why), "%s", why);
    return b;
}

static void
feed(bench *b, uint64_t first)
{
    for (size_t at = 0; at < LEN; at += 128)
        for (uint32_t i = 0; i < b->in.n; i++)
            rt_capture_feed(&b->in.input[i].capture, sound + at, 128, first + at, 0, 0);
}

/* Each finding is printed with the name that its sound has in its own index. */
static void
lines_are_right(bench *b)
{
    char line[2000], want[600];
    rewind(b->printed);
    for (size_t i = 0; i < b->n; i++) {
        const told *t = &b->told[i];
        ck_assert(fgets(line, sizeof line, b->printed));
        if (t->m.kind != RT_MATCH)
            continue;
        snprintf(want, sizeof want, "\"path\":\"%s\"",
                 idx_sound_of(index_of[t->second], t->m.sound).path);
        ck_assert_msg(strstr(line, want) != NULL, "%s is not in %s", want, line);
    }
    ck_assert(!fgets(line, sizeof line, b->printed));
}

/* Ends the threads, in the order of listen. */
static void
end_bench(bench *b)
{
    rt_swap_stop(b->swap);
    atomic_store(&b->stop, true);
    sem_post(&b->wake);
    pthread_join(b->thread, NULL);
    ck_assert_uint_lt(b->n, MAX_FOUND);
    rt_publish_close(b->publish);
    rt_print_close(b->print);
    lines_are_right(b);
}

static void
free_bench(bench *b)
{
    rt_swap_free(b->swap);
    rt_inputs_free(&b->in);
    fclose(b->printed);
    rt_shelf_free(b->shelf);
    sem_destroy(&b->wake);
    sem_destroy(&b->main_wake);
    free(b->told);
    free(b);
}

static void *
swap_on(void *arg)
{
    bench *b = arg;
    char why[400] = "";
    while (!atomic_load(&b->quiet)) {
        const uint32_t n = atomic_load(&b->n_swaps);
        ck_assert_msg(rt_swap_load(b->swap, b->to[n % 2], why, sizeof why), "%s", why);
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

/* What is told without swaps. */
static bench *
reference(const char *index_path, uint32_t n_feeds)
{
    bench *b = new_bench(index_path);
    for (uint32_t i = 0; i < n_feeds; i++)
        feed(b, (uint64_t)i * LEN);
    end_bench(b);
    ck_assert_uint_gt(b->n, 100);
    return b;
}

/* The next finding of an input from place *at on. */
static const told *
next_of(const bench *b, uint32_t input, size_t *at)
{
    while (*at < b->n && b->told[*at].m.input != input)
        ++*at;
    return *at < b->n ? &b->told[(*at)++] : NULL;
}

static void
same(const told *got, const told *want)
{
    ck_assert(got && want);
    const rt_match *a = &got->m, *b = &want->m;
    ck_assert_msg(a->frame == b->frame && a->kind == b->kind && a->scale == b->scale &&
                      a->rank == b->rank && a->sound == b->sound &&
                      !(a->cosine < b->cosine) && !(a->cosine > b->cosine),
                  "at %llu scale %u sound %u cosine %.9f, not at %llu scale %u sound "
                  "%u cosine %.9f",
                  (unsigned long long)a->frame, a->scale, a->sound, (double)a->cosine,
                  (unsigned long long)b->frame, b->scale, b->sound, (double)b->cosine);
}

static void
nothing_is_lost(bench *b, uint32_t n_feeds)
{
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_hops),
                      2ULL * n_feeds * LEN / (RATE / 100));
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_lost_frames), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_matches), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_unprinted), 0);
}

static void
only_the_current_book_is_left(bench *b)
{
    rt_shelf_sweep(b->shelf);
    for (uint32_t i = 0; i < RT_BOOKS; i++) {
        ck_assert_uint_eq(atomic_load(&b->shelf->n_users[i]), 0);
        ck_assert(b->shelf->filled[i] == (i == b->shelf->current));
    }
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
    ck_assert_msg(rt_swap_load(b->swap, other, why, sizeof why), "%s", why);
    feed(b, LEN);
    end_bench(b);
    const rt_book *now_used = &b->shelf->book[b->shelf->current];
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
    ck_assert(!rt_swap_load(b->swap, *bad[_i].name ? name : too_long, why, sizeof why));
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s", why);
    ck_assert_uint_eq(b->shelf->current, 0);
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
        swapped = rt_swap_load(b->swap, path[1], why, sizeof why);
        heap_fail_at = 0;
        ck_assert(swapped || b->shelf->current == 0);
    }
    ck_assert(swapped);
    feed(b, 0);
    end_bench(b);
    only_the_current_book_is_left(b);
    free_bench(b);
}
END_TEST

/* ---- What they share --------------------------------------------------------------
 */

static void
write_other_corpus(void)
{
    float *x = calloc(RATE, sizeof *x);
    char name[400];
    for (uint64_t i = 0; i < 6; i++) {
        make_sound(x, RATE, RATE, 100 + i);
        snprintf(name, sizeof name, "%s/%llu.wav", corpus[1], (unsigned long long)i);
        write_wav(name, x, RATE, RATE);
    }
    free(x);
}

static void
build_once(void)
{
    dsp_thread_init();
    rt_options_default(&options);
    options.build.invariance = 0; /* learning by copies takes its time */
    make_folder(folder, sizeof folder);
    for (int i = 0; i < 2; i++) {
        make_folder(corpus[i], sizeof corpus[i]);
        snprintf(path[i], sizeof path[i], "%s/%d.hkn", folder, i);
    }
    write_corpus(corpus[0]);
    write_other_corpus();
    for (int i = 0; i < 2; i++)
        build_corpus(corpus[i], &options, 2, path[i]);
    char why[300] = "";
    for (int i = 0; i < 2; i++)
        ck_assert_msg(!idx_load(&index_of[i], path[i], why, sizeof why), "%s", why);
    for (uint64_t i = 0; i < 5; i++)
        make_sound(sound + i * LEN / 5, LEN / 6, RATE, i % 2 ? 100 + i : 2 + i);
}

static void
remove_once(void)
{
    idx_close(index_of[0]);
    idx_close(index_of[1]);
    remove_tree(folder);
    remove_tree(corpus[0]);
    remove_tree(corpus[1]);
}

static void
set_options(void)
{
    rt_options_default(&options);
    options.match.false_alarms = 1e6F; /* or a swap takes its time */
    options.match.score = options.build.invariance = 0;
    options.match.scales = 3;
    options.match.k = 1;
    options.match.confirm_ms = 0;
    options.match.min_gap_ms = 0;
    options.osc.to.n = 1;
    snprintf(options.osc.to.item[0], RT_ITEM, "none");
}

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
    tcase_add_test(tc, without_memory_the_last_good_one_stays_and_nothing_leaks);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
