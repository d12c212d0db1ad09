/* rt/inputs.c, rt/inputs_setup.c: several inputs, one analysis thread, any rate. */
#include "rt/inputs.h"
#include "rt/rt.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum { RATE = 48000, MAX_FOUND = 20000 };

/* ---- Names ----------------------------------------------------------------------- */

#define SIXTEEN "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"
#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *text;
    uint32_t n;      /* 0: refused */
    const char *why; /* holds */
} names[] = {
    {"in", 1, ""},
    {"drums,voice", 2, ""},
    {"Gerät 2,in", 2, ""},
    {SIXTEEN, 16, ""},
    {X63, 1, ""},
    {SIXTEEN ",q", 0, "more than 16"},
    {X63 "x", 0, "1 to 63 characters"},
    {"", 0, "1 to 63 characters"},
    {"in,", 0, "1 to 63 characters"},
    {",in", 0, "1 to 63 characters"},
    {"a:b", 0, "without : and ="},
    {"a=b", 0, "without : and ="},
    {"in,x,in", 0, "has the name in twice"},
};

START_TEST(names_are_a_list_without_doubles)
{
    rt_inputs in;
    char why[300] = "";
    const bool ok = rt_inputs_parse(&in, names[_i].text, why, sizeof why);
    ck_assert_msg(ok == !!names[_i].n, "case: %s: %s", names[_i].text, why);
    ck_assert_msg(strstr(why, names[_i].why) != NULL, "case: %s: %s", names[_i].text,
                  why);
    for (uint32_t i = 0; ok && i < in.n; i++)
        ck_assert_uint_eq(in.input[i].number, i);
    ck_assert(!ok || in.n == names[_i].n);
}
END_TEST

/* ---- Analysis -------------------------------------------------------------------- */

static char folder[256];
static rt_options options;
static idx_index *ix;

typedef struct {
    rt_match m[MAX_FOUND];
    size_t n;
} found;

/* Inputs with their analysis thread, as listen has them. */
typedef struct {
    rt_inputs in;
    rt_counts counts;
    sem_t wake;
    atomic_bool stop;
    pthread_t thread;
    found *found;
} bench;

static void
keep(void *ctx, const rt_match *m)
{
    found *f = ctx;
    if (f->n < MAX_FOUND)
        f->m[f->n++] = *m;
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
new_bench(const char *inputs)
{
    char why[300];
    bench *b = calloc(1, sizeof *b);
    b->found = calloc(1, sizeof *b->found);
    const rt_sink sink = {.ctx = b->found, .match = keep};
    sem_init(&b->wake, 0, 0);
    ck_assert(rt_inputs_parse(&b->in, inputs, why, sizeof why));
    ck_assert(rt_inputs_new(&b->in, &b->counts, &sink, &b->wake));
    ck_assert(!pthread_create(&b->thread, NULL, analyse, b));
    return b;
}

static void
set_rate(bench *b, uint32_t rate_hz)
{
    const rt_searched from = {&options, ix, NULL, 0};
    char why[300];
    ck_assert_msg(rt_inputs_set_rate(&b->in, rate_hz, &from, why, sizeof why), "%s",
                  why);
}

/* Ends the thread when it has done all. */
static void
end_bench(bench *b)
{
    atomic_store(&b->stop, true);
    sem_post(&b->wake);
    pthread_join(b->thread, NULL);
}

static void
free_bench(bench *b)
{
    rt_inputs_free(&b->in);
    sem_destroy(&b->wake);
    free(b->found);
    free(b);
}

static void
setup(void)
{
    char why[300] = "", path[300];
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&options);
    options.match.scales = 3;
    options.match.score = 0;
    options.build.invariance = 0; /* learning by copies takes its time */
    write_corpus(folder);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, path);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
}

static void
teardown(void)
{
    idx_close(ix);
    remove_tree(folder);
}

/* Feeds n samples in cycles of 128 to all inputs, input i those of x + i * n. */
static void
feed(bench *b, const float x[], size_t n, uint64_t first)
{
    rt_inputs_patient(&b->in, true); /* the test is faster than sound */
    for (size_t at = 0; at + 128 <= n; at += 128)
        for (uint32_t i = 0; i < b->in.n; i++)
            rt_capture_feed(&b->in.input[i].capture, x + i * n + at, 128, first + at, 0,
                            0);
}

START_TEST(inputs_side_by_side_find_what_each_finds_alone)
{
    enum { LEN = 4 * RATE / 128 * 128 };
    float *x = calloc(3 * LEN, sizeof *x);
    for (size_t i = 0; i < 3; i++)
        make_sound(x + i * LEN + i * RATE / 2, 2 * RATE, RATE, 3 + i);
    bench *all = new_bench("a,b,c");
    set_rate(all, RATE);
    feed(all, x, LEN, 0);
    end_bench(all);
    size_t n = 0;
    for (uint32_t i = 0; i < 3; i++) {
        bench *one = new_bench("one");
        set_rate(one, RATE);
        feed(one, x + i * LEN, LEN, 0);
        end_bench(one);
        ck_assert_uint_gt(one->found->n, 50);
        size_t at = 0;
        for (size_t k = 0; k < all->found->n; k++) {
            rt_match m = all->found->m[k];
            if (m.input != i)
                continue;
            m.input = 0;
            const rt_match *w = &one->found->m[at++];
            ck_assert(m.frame == w->frame && m.sound == w->sound &&
                      m.cosine == w->cosine && m.kind == w->kind);
            ck_assert(m.time_s == (double)m.frame / RATE);
        }
        ck_assert_uint_eq(at, one->found->n);
        n += at;
        free_bench(one);
    }
    ck_assert_uint_eq(n, all->found->n);
    free_bench(all);
    free(x);
}
END_TEST

START_TEST(another_rate_goes_on_with_the_stream)
{
    enum { LEN = 3 * RATE / 128 * 128, AWAY = 1000, OTHER = 44100 };
    float *x = calloc(LEN, sizeof *x), *y = calloc(LEN, sizeof *y);
    make_sound(x + RATE / 2, 2 * RATE, RATE, 4);
    make_sound(y + RATE / 2, 2 * RATE, OTHER, 4);
    bench *b = new_bench("in");
    set_rate(b, RATE);
    feed(b, x, LEN, 0);
    set_rate(b, OTHER);
    feed(b, y, LEN, LEN + AWAY);
    end_bench(b);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_lost_frames), AWAY);
    uint64_t frame = 0;
    size_t before = 0, after = 0, right = 0;
    for (size_t i = 0; i < b->found->n; i++) {
        const rt_match *m = &b->found->m[i];
        const bool later = m->frame > LEN;
        ck_assert(m->frame >= frame || m->kind == RT_ONSET);
        frame = m->frame;
        ck_assert_double_eq_tol(m->time_s,
                                later ? (double)LEN / RATE +
                                            (double)(m->frame - LEN) / OTHER
                                      : (double)m->frame / RATE,
                                1e-9);
        before += !later;
        after += later;
        right += later && m->kind == RT_MATCH && m->scale == DSP_EVENT && m->sound == 3;
    }
    ck_assert_uint_gt(before, 50);
    ck_assert_uint_gt(after, 50);
    ck_assert_uint_gt(right, 10); /* it is 03.wav at that rate, too */
    free_bench(b);
    free(x);
    free(y);
}
END_TEST

START_TEST(a_stream_goes_on_where_another_process_left_it)
{
    enum { LEN = 3 * RATE / 128 * 128, AWAY = 1000 };
    float *x = calloc(LEN, sizeof *x);
    make_sound(x + RATE / 2, 2 * RATE, RATE, 4);
    bench *first = new_bench("a,b");
    ck_assert_uint_eq(rt_inputs_stream(&first->in).frame, 0);
    set_rate(first, RATE);
    rt_inputs_patient(&first->in, true);
    for (uint32_t i = 0; i < 2; i++) /* sounded at 5 s of the server's clock */
        rt_capture_feed(&first->in.input[i].capture, x, 480, 0, 5000000, 1e6 / RATE);
    end_bench(first);
    const rt_stream left = rt_inputs_stream(&first->in);
    ck_assert_uint_eq(left.frame, 480);
    ck_assert(left.us >= 5009998 && left.us <= 5010000); /* blocks are rounded */
    ck_assert_double_eq_tol(left.s, 0.01, 1e-12);
    free_bench(first);

    bench *b = new_bench("in");
    rt_inputs_go_on(&b->in, &left);
    ck_assert_uint_eq(rt_inputs_stream(&b->in).frame, 480);
    set_rate(b, RATE);
    feed(b, x, LEN, left.frame + AWAY);
    end_bench(b);
    ck_assert_uint_eq(rt_counted(&b->counts, RT_N_lost_frames), AWAY);
    ck_assert_uint_gt(b->found->n, 50);
    for (size_t i = 0; i < b->found->n; i++) {
        const rt_match *m = &b->found->m[i];
        ck_assert_uint_gt(m->frame, left.frame + AWAY);
        ck_assert_double_eq_tol(m->time_s, (double)m->frame / RATE, 1e-9);
    }
    free_bench(b);
    free(x);
}
END_TEST

START_TEST(the_same_rate_keeps_the_analysis_and_a_bad_one_too)
{
    const rt_searched from = {&options, ix, NULL, 0};
    char why[300] = "";
    bench *b = new_bench("in,out");
    set_rate(b, RATE);
    const rt_analyse *before = b->in.input[1].ear[0].given;
    const uint64_t heap = heap_calls;
    const bool same = rt_inputs_set_rate(&b->in, RATE, &from, why, sizeof why);
    const uint64_t heap_after = heap_calls;
    ck_assert(same);
    ck_assert_uint_eq(heap, heap_after);
    ck_assert(b->in.input[1].ear[0].given == before);
    ck_assert(!rt_inputs_set_rate(&b->in, 1000, &from, why, sizeof why));
    ck_assert_msg(strstr(why, "a sample rate of 1000 Hz cannot be analysed") != NULL,
                  "%s", why);
    ck_assert(b->in.input[1].ear[0].given == before);
    end_bench(b);
    free_bench(b);
}
END_TEST

/* Has the settings taken, before the next block. */
static void
change(bench *b, const rt_options *o)
{
    while (rt_ring_count(b->in.input[0].capture.ring))
        rt_sleep_ms(1);
    ck_assert(rt_ring_push(b->in.settings, o));
    sem_post(&b->wake);
    while (rt_ring_count(b->in.settings))
        rt_sleep_ms(1);
}

START_TEST(changed_settings_are_for_all_inputs_and_for_those_taken_up_later)
{
    enum { LEN = 2 * RATE / 128 * 128 };
    float *x = calloc(2 * LEN, sizeof *x);
    make_sound(x, LEN, RATE, 4);
    make_sound(x + LEN, LEN, RATE, 5);
    rt_options o = options;
    bench *b = new_bench("a,b");
    o.listen.paused = 1;
    change(b, &o); /* there is no analysis yet */
    set_rate(b, RATE);
    feed(b, x, LEN, 0);
    o.listen.paused = 0;
    change(b, &o);
    ck_assert_uint_eq(b->found->n, 0);
    const uint64_t paused = rt_counted(&b->counts, RT_N_paused);
    ck_assert_uint_gt(paused, 100);
    ck_assert_uint_eq(paused, rt_counted(&b->counts, RT_N_answers));
    feed(b, x, LEN, LEN);
    end_bench(b);
    uint32_t n[2] = {0};
    for (size_t i = 0; i < b->found->n; i++)
        n[b->found->m[i].input]++;
    ck_assert(n[0] > 50 && n[1] > 50);
    ck_assert_uint_eq(paused, rt_counted(&b->counts, RT_N_paused));
    free_bench(b);
    free(x);
}
END_TEST

START_TEST(without_memory_there_are_no_inputs_and_no_leaks)
{
    rt_counts counts = {0};
    const rt_sink sink = {.match = keep};
    sem_t wake;
    bool made = false;
    sem_init(&wake, 0, 0);
    for (uint64_t k = 1; !made && k < 100; k++) {
        rt_inputs in;
        char why[300];
        ck_assert(rt_inputs_parse(&in, "a,b", why, sizeof why));
        heap_fail_at = k;
        made = rt_inputs_new(&in, &counts, &sink, &wake);
        heap_fail_at = 0;
        rt_inputs_free(&in);
        ck_assert(k > 1 || !made);
    }
    ck_assert(made);
    sem_destroy(&wake);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/inputs");
    TCase *t = tcase_create("inputs");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, names_are_a_list_without_doubles, 0,
                        sizeof names / sizeof *names);
    tcase_add_test(t, inputs_side_by_side_find_what_each_finds_alone);
    tcase_add_test(t, another_rate_goes_on_with_the_stream);
    tcase_add_test(t, a_stream_goes_on_where_another_process_left_it);
    tcase_add_test(t, the_same_rate_keeps_the_analysis_and_a_bad_one_too);
    tcase_add_test(t, changed_settings_are_for_all_inputs_and_for_those_taken_up_later);
    tcase_add_test(t, without_memory_there_are_no_inputs_and_no_leaks);
    suite_add_tcase(s, t);
    return run_suite(s);
}
