/* What the kernel gives to the hot threads; and that these find all their
 * memory there. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise() */
#include "rt/analyse.h"
#include "rt/honest.h"
#include "rt/rt.h"
#include "support.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 }; /* its shadow of memory has pages of its own */
#else
enum { SANITIZED = 0 };
#endif

static const struct {
    bool have[RT_HOT_THREADS];
    const char *text; /* NULL: nothing new */
} news[] = {
    {{true, true, true}, NULL},
    {{true, false, false},
     "no real-time scheduling for the analysis and the sending: "},
    {{true, false, false}, NULL},
    {{false, false, false}, "no real-time scheduling for JACK's callback: "},
    {{true, false, true},
     "real-time scheduling again for JACK's callback and the sending"},
    {{true, true, true}, "real-time scheduling again for the analysis"},
    {{false, false, false},
     "no real-time scheduling for JACK's callback, the analysis and the sending: "},
};

START_TEST(what_is_missing_is_said_once_and_when_it_is_there_again)
{
    rt_honest h = {0};
    for (size_t i = 0; i < sizeof news / sizeof *news; i++) {
        char text[300] = "";
        const bool any = rt_honest_text(&h, news[i].have, text, sizeof text);
        ck_assert_msg(any == !!news[i].text, "news %zu: %s", i, text);
        if (any)
            ck_assert_msg(!strncmp(text, news[i].text, strlen(news[i].text)),
                          "news %zu: %s", i, text);
        ck_assert(!rt_honest_text(&h, news[i].have, text, sizeof text));
    }
}
END_TEST

START_TEST(when_one_goes_and_another_comes_both_is_said)
{
    rt_honest h = {.missing = {true, false, false}};
    const bool have[RT_HOT_THREADS] = {true, false, true};
    char text[300];
    ck_assert(rt_honest_text(&h, have, text, sizeof text));
    ck_assert_ptr_nonnull(strstr(text, "no real-time scheduling for the analysis"));
    ck_assert(rt_honest_text(&h, have, text, sizeof text));
    ck_assert_ptr_nonnull(strstr(text, "again for JACK's callback"));
    ck_assert(!rt_honest_text(&h, have, text, sizeof text));
}
END_TEST

/* ---- A thread -------------------------------------------------------------------- */

typedef struct {
    rt_honest honest;
    rt_counts counts;
    sem_t ready, go;
    char name[16];
} threaded;

static void *
be_analysis(void *arg)
{
    enum { PAGES = 300, LOOKS = 600 };
    threaded *t = arg;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    rt_honest_enter(&t->honest, RT_ANALYSIS);
    prctl(PR_GET_NAME, t->name);
    sem_post(&t->ready);
    sem_wait(&t->go);
    char *fresh = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(fresh, PAGES * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; fresh != MAP_FAILED && i < PAGES; i++)
        fresh[i * page] = 1;
    for (int i = 0; i < LOOKS; i++)
        rt_honest_faults(&t->honest, &t->counts);
    munmap(fresh, PAGES * page);
    return NULL;
}

START_TEST(the_kernel_is_asked_and_page_faults_are_counted)
{
    threaded t = {0};
    pthread_t thread;
    const struct sched_param fifo = {.sched_priority = 1};
    sem_init(&t.ready, 0, 0);
    sem_init(&t.go, 0, 0);
    rt_honest_tick(&t.honest, 0,
                   false); /* of threads that are not there there is no news */
    for (int i = 0; i < RT_HOT_THREADS; i++)
        ck_assert(!t.honest.missing[i]);
    ck_assert(rt_thread_start(&thread, be_analysis, &t, 0, NULL));
    sem_wait(&t.ready);
    ck_assert_str_eq(t.name, "hearken-analyse");
    rt_honest_tick(&t.honest, 0, false);
    ck_assert(t.honest.missing[RT_ANALYSIS] && !t.honest.missing[RT_PUBLISH]);
    /* behind pthread's back, which would remember what it was told */
    if (!sched_setscheduler(atomic_load(&t.honest.tid[RT_ANALYSIS]), SCHED_FIFO,
                            &fifo)) {
        rt_honest_tick(&t.honest, 0, false);
        ck_assert(!t.honest.missing[RT_ANALYSIS]);
    }
    sem_post(&t.go);
    pthread_join(thread, NULL);
    ck_assert_uint_ge(rt_counted(&t.counts, RT_N_page_faults), 300);
    const bool missing = t.honest.missing[RT_ANALYSIS];
    rt_honest_tick(&t.honest, 0, false); /* it has ended, which is no news */
    ck_assert(t.honest.missing[RT_ANALYSIS] == missing);
}
END_TEST

START_TEST(in_freewheel_the_callback_may_be_ordinary)
{
    rt_honest h = {0};
    rt_honest_tick(&h, rt_thread_id(), true);
    ck_assert(!h.missing[RT_AUDIO]);
    rt_honest_tick(&h, rt_thread_id(), false);
    ck_assert(h.missing[RT_AUDIO]); /* tests are run without real-time scheduling */
}
END_TEST

static void *
halve_denormal(void *arg)
{
    float *x = arg; /* x[0]: 1 to have denormals flushed */
    if (x[0] > 0)
        dsp_thread_init();
    x[1] = x[2] * 0.5F;
    return NULL;
}

START_TEST(a_thread_that_calls_dsp_flushes_denormals)
{
    for (int flush = 0; flush < 2; flush++) {
        float x[3] = {(float)flush, 1, 1e-40F};
        pthread_t thread;
        ck_assert(!pthread_create(&thread, NULL, halve_denormal, x));
        pthread_join(thread, NULL);
        ck_assert((x[1] > 0) == !flush);
    }
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------- */

enum { RATE = 48000, N = 12 * RATE };

static void
ignore(void *ctx, const rt_match *m)
{
    (void)ctx;
    (void)m;
}

static rt_analyse *
new_analyse(const rt_options *o, const idx_index *ix, rt_counts *counts)
{
    char why[300];
    rt_analyse *a;
    const rt_sink sink = {.match = ignore};
    ck_assert_msg(rt_analyse_new(&a, RATE, o, ix, counts, &sink, why, sizeof why), "%s",
                  why);
    return a;
}

/* Page faults of an analysis of x[N]. */
static uint64_t
faults_of(rt_analyse *a, const float x[])
{
    enum { ENOUGH = 300 };
    rt_honest h = {0};
    rt_counts counts = {0};
    rt_honest_faults_begin(&h);
    for (size_t at = 0; at < N; at += 128)
        rt_analyse_block(a, x + at, 128, 0);
    for (int i = 0; i < ENOUGH; i++)
        rt_honest_faults(&h, &counts);
    return rt_counted(&counts, RT_N_page_faults);
}

static const rt_family families[] = {RT_FAMILY_CELLS, RT_FAMILY_FOREST};

START_TEST(an_analysis_finds_all_its_memory_there)
{
    char folder[256], path[300], why[300];
    idx_index *ix;
    rt_options o;
    rt_counts counts = {0};
    float *x = calloc(N, sizeof *x);
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    write_corpus(folder);
    rt_options_default(&o);
    o.build.timbre = 1;
    o.build.invariance = 0;
    o.index.family = families[_i];
    o.match.scales = 15;
    o.match.score = 0;
    o.match.k = 20;
    for (uint64_t i = 0; i < 5; i++)
        make_sound(x + (2 * i + 1) * RATE, 2 * RATE, RATE, i + 1);
    snprintf(path, sizeof path, "%s/x.hkn", folder);
    build_corpus(folder, &o, 2, path);
    ck_assert_msg(!idx_load(&ix, path, why, sizeof why), "%s", why);
    ck_assert_msg(rt_analyse_settings(&o, ix, why, sizeof why), "%s", why);
    rt_analyse *first = new_analyse(&o, ix, &counts); /* brings the code in */
    faults_of(first, x);
    malloc_trim(0); /* so that no page is there by luck */
    rt_analyse *second = new_analyse(&o, ix, &counts);
    const uint64_t faults = faults_of(second, x);
    ck_assert_uint_gt(rt_counted(&counts, RT_N_matches), 1000);
    /* the kernel takes one away now and then, when memory is short */
    ck_assert_msg(SANITIZED || faults <= 3, "%llu page faults",
                  (unsigned long long)faults);
    rt_analyse_free(first);
    rt_analyse_free(second);
    idx_close(ix);
    free(x);
    remove_tree(folder);
}
END_TEST

/* ---- stderr ---------------------------------------------------------------------- */

START_TEST(messages_that_stderr_has_no_room_for_are_lost_and_counted)
{
    static char room[70000];
    int ends[2];
    const int before = dup(STDERR_FILENO);
    ck_assert(!pipe(ends) && before >= 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    memset(room, 'x', sizeof room);
    while (write(ends[1], room, sizeof room) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    dup2(ends[1], STDERR_FILENO);
    rt_say_never_waits();
    rt_say("one");
    rt_say("two"); /* returns */
    while (read(ends[0], room, sizeof room) == sizeof room)
        ;
    rt_say("three");
    const ssize_t n = read(ends[0], room, sizeof room - 1);
    dup2(before, STDERR_FILENO);
    ck_assert_int_gt(n, 0);
    room[n] = 0;
    ck_assert_str_eq(room, "hearken: messages lost before this, as stderr was full: 2\n"
                           "hearken: three\n");
    close(ends[0]);
    close(ends[1]);
    close(before);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/honest");
    TCase *t = tcase_create("honest");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, what_is_missing_is_said_once_and_when_it_is_there_again);
    tcase_add_test(t, when_one_goes_and_another_comes_both_is_said);
    tcase_add_test(t, the_kernel_is_asked_and_page_faults_are_counted);
    tcase_add_test(t, in_freewheel_the_callback_may_be_ordinary);
    tcase_add_test(t, a_thread_that_calls_dsp_flushes_denormals);
    tcase_add_loop_test(t, an_analysis_finds_all_its_memory_there, 0,
                        sizeof families / sizeof *families);
    tcase_add_test(t, messages_that_stderr_has_no_room_for_are_lost_and_counted);
    suite_add_tcase(s, t);
    return run_suite(s);
}
