/* All of listen but JACK, for tests of what changes while it listens. */
#ifndef HEARKEN_TESTS_SWAP_SUPPORT_H
#define HEARKEN_TESTS_SWAP_SUPPORT_H

#include "rt/honest.h"
#include "rt/indexes.h"
#include "rt/layer.h"
#include "rt/publish.h"
#include "rt/rt.h"
#include "rt/swap.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, LEN = 6 * RATE / 128 * 128, MAX_FOUND = 2000000 };

static char folder[256], corpus[2][256], path[2][300];
static const char *learn_file; /* of benches to come; NULL: none */
static const char *beside;     /* likewise: the file of a second index */
static rt_options options;
static float sound[LEN];

static idx_index *index_of[2];

/* A finding, and of which index. */
typedef struct {
    rt_match m;
    bool second;    /* of index 1, not 0 */
    char label[12]; /* of a learned sound */
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

static inline void
push(void *ctx, const rt_match *m)
{
    bench *b = ctx;
    const rt_book *book = &b->shelf->book[m->book];
    if (b->n < MAX_FOUND) { /* else the test fails, on its own thread */
        told *t = &b->told[b->n++];
        *t = (told){.m = *m, .second = strcmp(book->path, path[0]) != 0};
        if (m->kind == RT_MATCH && m->sound >= idx_n_sounds(book->index))
            snprintf(t->label, sizeof t->label, "%s",
                     rt_sound_in(book->index, book->layer, m->sound).label);
    }
    rt_publish_push(b->publish, m);
}

static inline void
asked(void *ctx, const rt_asked *q)
{
    bench *b = ctx;
    rt_truth_offer(b->shelf->book[q->book].truth, q);
}

static inline void
now(void *ctx, rt_options *out)
{
    (void)ctx;
    *out = options;
}

static inline int64_t
no_time(void)
{
    return 0;
}

static inline void *
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

static inline bench *
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
    b->shelf = rt_shelf_new();
    ck_assert(
        b->shelf &&
        rt_shelf_add(b->shelf, "main", ix, &options, index_path, why, sizeof why) &&
        b->printed && rt_inputs_parse(&b->in, "a,b", why, sizeof why) &&
        rt_inputs_new(&b->in, &b->counts, &sink, &b->wake) &&
        rt_inputs_remember(&b->in));
    if (beside) {
        rt_options own = options;
        rt_options_of(&own, 1);
        ck_assert_msg(!idx_load(&ix, beside, why, sizeof why), "%s", why);
        ck_assert(rt_shelf_add(b->shelf, "beside", ix, &own, beside, why, sizeof why));
        b->in.n_ears = 2;
    }
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
                              .learn_file = learn_file,
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

static inline void
feed(bench *b, uint64_t first)
{
    for (size_t at = 0; at < LEN; at += 128) {
        for (uint32_t i = 0; i < b->in.n; i++)
            rt_capture_feed(&b->in.input[i].capture, sound + at, 128, first + at, 0, 0);
    }
}

/* Each finding is printed with the name that its sound has in its own index. */
static inline void
lines_are_right(bench *b)
{
    char line[2000], want[600];
    rewind(b->printed);
    for (size_t i = 0; i < b->n; i++) {
        const told *t = &b->told[i];
        ck_assert(fgets(line, sizeof line, b->printed));
        if (t->m.kind != RT_MATCH)
            continue;
        const idx_index *of = index_of[t->second];
        if (t->m.sound < idx_n_sounds(of))
            snprintf(want, sizeof want, "\"path\":\"%s\"",
                     idx_sound_of(of, t->m.sound).path);
        else
            snprintf(want, sizeof want, "\"label\":\"%s\",\"path\":\"live:%s\"",
                     t->label, t->label);
        ck_assert_msg(strstr(line, want) != NULL, "%s is not in %s", want, line);
    }
    ck_assert(!fgets(line, sizeof line, b->printed));
}

/* Ends the threads, in the order of listen. */
static inline void
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

static inline void
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

/* What is told without swaps. */
static inline bench *
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
static inline const told *
next_of(const bench *b, uint32_t input, size_t *at)
{
    while (*at < b->n && b->told[*at].m.input != input)
        ++*at;
    return *at < b->n ? &b->told[(*at)++] : NULL;
}

static inline void
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

static inline void
nothing_is_lost(bench *b, uint32_t n_feeds)
{
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_hops),
                      2ULL * n_feeds * LEN / (RATE / 100));
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_blocks), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_lost_frames), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_dropped_matches), 0);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_unprinted), 0);
}

static inline void
only_the_current_book_is_left(bench *b)
{
    rt_shelf_sweep(b->shelf);
    for (uint32_t i = 0; i < RT_BOOKS; i++) {
        ck_assert_uint_eq(atomic_load(&b->shelf->n_users[i]), 0);
        ck_assert(b->shelf->filled[i] == (i == b->shelf->current[rt_index_of(i)] &&
                                          rt_index_of(i) < b->shelf->n));
    }
}

static inline void
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

static inline void
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
    for (int i = 0; i < 2; i++) {
        build_corpus(corpus[i], &options, 2, path[i]);
        store_noises(path[i], &options);
    }
    char why[300] = "";
    for (int i = 0; i < 2; i++)
        ck_assert_msg(!idx_load(&index_of[i], path[i], why, sizeof why), "%s", why);
    for (uint64_t i = 0; i < 5; i++)
        make_sound(sound + i * LEN / 5, LEN / 6, RATE, i % 2 ? 100 + i : 2 + i);
}

static inline void
remove_once(void)
{
    idx_close(index_of[0]);
    idx_close(index_of[1]);
    remove_tree(folder);
    remove_tree(corpus[0]);
    remove_tree(corpus[1]);
}

static inline void
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

#endif
