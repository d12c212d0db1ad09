/* rt/live*.c: what listen writes into its live page, others find and read. */
#include "live_support.h"
#include "rt/analyse_private.h"
#include "rt/rt.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static char folder[200], why[1000];
static rt_counts counts;
static rt_analyse analyse; /* its gate and clock are all that is asked for */
static rt_live_view view;

static void
setup(void)
{
    make_folder(folder, sizeof folder);
    memset(&counts, 0, sizeof counts);
    memset(&analyse, 0, sizeof analyse);
}

static void
teardown(void)
{
    remove_tree(folder);
}

static rt_live *
open_as(const char *client)
{
    rt_live *l;
    const rt_live_config config = {.folder = folder,
                                   .client = client,
                                   .index = "/",
                                   .input = {"drums", "voice"},
                                   .n_inputs = 2,
                                   .counts = &counts};
    ck_assert_msg(rt_live_open(&l, &config, why, sizeof why), "%s", why);
    return l;
}

static const rt_live_now running = {.state = "running",
                                    .since_s = 5,
                                    .rate_hz = 48000,
                                    .period = 64,
                                    .scales = 3,
                                    .k = 1};

static void
attach(const char *name)
{
    int status;
    ck_assert_msg(rt_live_attach(&view, folder, name, &status, why, sizeof why), "%s",
                  why);
}

static void
refresh(void)
{
    ck_assert_msg(rt_live_refresh(&view, why, sizeof why), "%s", why);
}

/* Whether there is no page of that name, with that status and those words. */
static bool
is_refused(const char *name, int status, const char *words)
{
    int got = 0;
    const bool found = rt_live_attach(&view, folder, name, &got, why, sizeof why);
    if (found)
        rt_live_detach(&view);
    return !found && got == status && strstr(why, words);
}

static void
shell(const char *format, ...)
{
    char command[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    ck_assert_int_eq(system(command), 0);
}

static int
files(void)
{
    char command[300];
    snprintf(command, sizeof command, "ls '%s' | wc -l", folder);
    FILE *ls = popen(command, "r");
    int n = -1;
    ck_assert(ls && fscanf(ls, "%d", &n) == 1);
    pclose(ls);
    return n;
}

/* ---- Writing ---------------------------------------------------------------------
 */

START_TEST(a_page_tells_who_writes_it)
{
    char pid[20];
    const char *const names[] = {NULL, "rig", pid};
    struct stat st;
    rt_live *l = open_as("rig");
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    attach(names[_i]);
    ck_assert(!fstat(view.fd, &st) && (st.st_mode & 07777) == 0600);
    ck_assert(view.alive && view.page.who.pid == (uint32_t)getpid());
    ck_assert_str_eq(view.page.who.client, "rig");
    ck_assert_str_eq(view.page.who.index, "/");
    ck_assert_uint_eq(view.page.who.n_inputs, 2);
    ck_assert_str_eq(view.page.who.input[1], "voice");
    ck_assert_uint_eq(view.page.who.n_counts, RT_COUNTS);
    for (int i = 0; i < RT_COUNTS; i++)
        ck_assert_str_eq(view.page.who.count[i], rt_count_name[i]);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(counts_change_ten_times_a_second_and_the_state_at_once)
{
    rt_live *l = open_as("rig");
    rt_live_now now = running;
    attach("rig");
    ck_assert_str_eq(view.page.status.state, "");
    rt_live_tick(l, &now);
    const double began = rt_seconds();
    rt_count(&counts, RT_N_hops, 7);
    rt_live_tick(l, &now);
    refresh();
    if (rt_seconds() - began < 0.09) /* else the machine was away */
        ck_assert_uint_eq(rt_live_count(&view.page, "hops"), 0);
    now.state = "waiting";
    now.since_s = 6;
    rt_live_tick(l, &now);
    refresh();
    ck_assert_uint_eq(rt_live_count(&view.page, "hops"), 7);
    ck_assert_uint_eq(rt_live_count(&view.page, "no such count"), 0);
    ck_assert_str_eq(view.page.status.state, "waiting");
    ck_assert(view.page.status.state_since_s == 6 && view.page.status.period == 64);
    rt_count(&counts, RT_N_hops, 1);
    rt_sleep_ms(110);
    rt_live_tick(l, &now);
    refresh();
    ck_assert_uint_eq(rt_live_count(&view.page, "hops"), 8);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

static const uint32_t lengths[] = {1, 64, 256, 999};

START_TEST(a_level_is_the_peak_and_falls_by_20_db_a_second_in_blocks_of_any_size)
{
    static float x[1000];
    const uint32_t n = lengths[_i];
    rt_live *l = open_as("rig");
    rt_live_tick(l, &running);
    x[0] = -0.5F;
    rt_live_block(l, 1, x, n, &analyse, rt_ns());
    x[0] = 0;
    attach("rig");
    ck_assert_float_eq(view.page.input[1].peak, 0.5F);
    ck_assert_float_eq(view.page.input[0].peak, 0);
    uint32_t fed = 0;
    for (; fed < 24000; fed += n)
        rt_live_block(l, 1, x, n, &analyse, rt_ns());
    refresh();
    const double wanted = 0.5 * pow(10, -20.0 / 20 * fed / 48000);
    ck_assert_msg(fabs((double)view.page.input[1].peak / wanted - 1) < 2e-3,
                  "%g, not %g", (double)view.page.input[1].peak, wanted);
    x[0] = NAN;
    rt_live_block(l, 1, x, n, &analyse, rt_ns());
    refresh();
    ck_assert(view.page.input[1].peak > 0 && view.page.input[1].peak < 0.5F);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(gate_and_times_are_those_of_the_analysis)
{
    static const float x[64];
    rt_live *l = open_as("rig");
    analyse.gate.open = true;
    analyse.query_ns = 12345;
    rt_live_block(l, 0, x, 64, &analyse, rt_ns() - 1000000);
    rt_live_block(l, RT_LIVE_INPUTS, x, 64, &analyse, rt_ns()); /* there is no such */
    rt_live_published(l, rt_ns() - 2000000);
    attach("rig");
    ck_assert(view.page.input[0].open == 1 && view.page.input[1].open == 0);
    ck_assert_uint_eq(view.page.input[0].query_ns, 12345);
    ck_assert_uint_ge(view.page.input[0].busy_ns, 1000000);
    ck_assert_uint_ge(view.page.publish_ns, 2000000);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

static void
push(rt_live *l, uint32_t sound, uint32_t rank, int64_t centre_us, const char *label,
     const char *path)
{
    const rt_match m = {.kind = RT_MATCH,
                        .scale = DSP_EVENT,
                        .rank = rank,
                        .sound = sound,
                        .score = (float)sound / 1000,
                        .centre_us = centre_us};
    rt_live_push(l, &m, (idx_sound){.path = path, .label = label}, 3);
}

START_TEST(the_newest_matches_come_first_each_sound_once)
{
    const rt_live_match *m[RT_LIVE_MATCHES];
    rt_live *l = open_as("rig");
    for (uint32_t answer = 0; answer < 50; answer++)
        for (uint32_t rank = 1; rank <= 3; rank++)
            push(l, 10 * (answer / 5) + rank, rank, answer, "kick", "/kick/1.wav");
    push(l, 93, 1, 50, "kick", "/kick/1.wav"); /* again, and now the best */
    attach("rig");
    const size_t n =
        rt_live_newest(&view.page, DSP_EVENT, RT_MATCH, m, RT_LIVE_MATCHES);
    static const uint32_t wanted[] = {93, 91, 92, 81, 82, 83, 71};
    ck_assert_uint_ge(n, 12);
    for (int i = 0; i < N(wanted); i++)
        ck_assert_uint_eq(m[i]->sound, wanted[i]);
    ck_assert(m[0]->rank == 1 && m[0]->age_ms == 3 && m[0]->score == 0.093F);
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_EVENT, RT_MATCH, m, 2), 2);
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_SCENE, RT_MATCH, m, 9), 0);
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_EVENT, RT_LABEL, m, 9), 0);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(only_matches_and_votes_are_on_the_page)
{
    const rt_live_match *m[9];
    rt_live *l = open_as("rig");
    for (rt_kind kind = RT_MATCH; kind <= RT_LABEL; kind++) {
        const rt_match one = {.kind = kind, .scale = DSP_SCENE, .sound = 1};
        rt_live_push(l, &one, (idx_sound){.path = "/a", .label = "b"}, 0);
    }
    attach("rig");
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_SCENE, RT_MATCH, m, 9), 1);
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_SCENE, RT_LABEL, m, 9), 1);
    ck_assert_uint_eq(m[0]->number, 2);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(long_names_are_cut_between_two_characters)
{
    char label[300] = "", path[700] = "/";
    const rt_live_match *m;
    for (int i = 0; i < 90; i++)
        strcat(label, "\xe9\x9f\xb3"); /* three bytes each */
    for (int i = 0; i < 200; i++)
        strcat(path, "\xe9\x9f\xb3");
    strcat(path, ".wav");
    rt_live *l = open_as("rig");
    push(l, 1, 1, 0, label, path);
    attach("rig");
    ck_assert_uint_eq(rt_live_newest(&view.page, DSP_EVENT, RT_MATCH, &m, 1), 1);
    ck_assert_uint_eq(strlen(m->label), 63);
    ck_assert(!strncmp(m->label, label, 63));
    const size_t n = strlen(m->path);
    ck_assert(n > RT_LIVE_PATH - 4 && n < RT_LIVE_PATH && (n - 4) % 3 == 0);
    ck_assert_str_eq(m->path, path + strlen(path) - n);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(writing_leaves_the_heap_alone)
{
    static const float x[64] = {0.1F};
    rt_live *l = open_as("rig");
    const uint64_t before = heap_calls;
    for (int i = 0; i < 200; i++) {
        rt_live_block(l, 0, x, 64, &analyse, rt_ns());
        push(l, 1, 1, i, "kick", "/kick/1.wav");
        rt_live_published(l, rt_ns());
        rt_live_tick(l, &running);
    }
    const uint64_t after = heap_calls;
    ck_assert_uint_eq(after, before);
    rt_live_close(l);
}
END_TEST

START_TEST(without_a_page_nothing_is_written)
{
    static const float x[64];
    rt_live_block(NULL, 0, x, 64, &analyse, 0);
    push(NULL, 1, 1, 0, "kick", "/kick/1.wav");
    rt_live_published(NULL, 0);
    rt_live_tick(NULL, &running);
    rt_live_close(NULL);
}
END_TEST

static rt_live *
open_in(const char *where)
{
    rt_live *l = NULL;
    const rt_live_config config = {.folder = where,
                                   .client = "rig",
                                   .index = "x",
                                   .input = {"in"},
                                   .n_inputs = 1,
                                   .counts = &counts};
    memset(why, 'x', sizeof why);
    rt_live_open(&l, &config, why, sizeof why);
    return l;
}

START_TEST(where_there_is_no_room_listen_goes_on_without)
{
    struct rlimit before, little;
    char missing[300], deep[5000] = "/";
    snprintf(missing, sizeof missing, "%s/none", folder);
    ck_assert(!open_in(missing) && strstr(why, "takes no live page (No such file"));
    memset(deep + 1, 'a', sizeof deep - 2);
    ck_assert(!open_in(deep) && memchr(why, 0, sizeof why));
    signal(SIGXFSZ, SIG_IGN);
    ck_assert(!getrlimit(RLIMIT_FSIZE, &before));
    little = before;
    little.rlim_cur = 5000;
    ck_assert(!setrlimit(RLIMIT_FSIZE, &little));
    rt_live *l = open_in(folder);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert(!l && strstr(why, "takes no live page (File too large)"));
    ck_assert_int_eq(files(), 0);
    heap_fail_at = 1;
    l = open_in(folder);
    ck_assert(!l && strstr(why, "not enough memory"));
}
END_TEST

/* ---- Finding ---------------------------------------------------------------------
 */

START_TEST(what_a_killed_one_left_is_no_hindrance_and_goes)
{
    rt_live *stays = open_as("stays");
    const pid_t child = fork();
    if (!child) {
        open_as("rig");
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    ck_assert_int_eq(files(), 2);
    ck_assert(is_refused("rig", RT_UNAVAILABLE, "no hearken listen runs as rig"));
    rt_live *l = open_as("rig"); /* it may have been about to be locked: it stays */
    ck_assert_int_eq(files(), 3);
    rt_live_close(l);
    shell("touch -d '1 minute ago' '%s'/*", folder);
    l = open_as("rig");
    ck_assert_int_eq(files(), 2);
    attach("stays");
    rt_live_detach(&view);
    attach("rig");
    rt_live_detach(&view);
    rt_live_close(l);
    rt_live_close(stays);
    ck_assert_int_eq(files(), 0);
}
END_TEST

START_TEST(of_several_one_must_be_named)
{
    rt_live_entry e[4];
    char words[100];
    ck_assert(is_refused(NULL, RT_UNAVAILABLE, "start one: hearken listen"));
    rt_live *a = open_as("rig-b"), *b = open_as("rig-a"), *c = open_as("rig-a");
    ck_assert_uint_eq(rt_live_list(folder, e, 4), 3);
    ck_assert_str_eq(e[0].client, "rig-a");
    ck_assert_str_eq(e[2].client, "rig-b");
    ck_assert_uint_eq(rt_live_list(folder, e, 2), 2);
    snprintf(words, sizeof words, ": rig-a (%d), rig-a (%d), rig-b (%d)", getpid(),
             getpid(), getpid());
    ck_assert(is_refused(NULL, RT_USAGE, words));
    ck_assert(is_refused("rig-a", RT_USAGE, "several listens run as rig-a"));
    ck_assert(is_refused("rig", RT_UNAVAILABLE, words));
    attach("rig-b");
    rt_live_detach(&view);
    rt_live_close(a);
    rt_live_close(b);
    rt_live_close(c);
}
END_TEST

START_TEST(what_is_no_file_of_this_user_is_passed_by)
{
    char path[300];
    rt_live *l = open_as("rig");
    snprintf(path, sizeof path, "%s/hearken-live-fifo", folder);
    ck_assert(!mkfifo(path, 0600));
    snprintf(path, sizeof path, "%s/hearken-live-a-folder", folder);
    ck_assert(!mkdir(path, 0700));
    shell("ln '%s'/hearken-live-?????? '%s/other'", folder, folder);
    shell("ln -s other '%s/hearken-live-link'", folder);
    attach(NULL);
    ck_assert_str_eq(view.page.who.client, "rig");
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

START_TEST(the_end_of_a_listen_is_seen)
{
    rt_live *l = open_as("rig");
    rt_live_tick(l, &running);
    attach("rig");
    rt_live_close(l);
    refresh();
    ck_assert(!view.alive);
    ck_assert_str_eq(view.page.status.state, "ended");
    ck_assert_int_eq(files(), 0);
    rt_live_detach(&view);
    rt_live_detach(&view);
}
END_TEST

START_TEST(the_death_of_a_listen_is_seen)
{
    int ready[2];
    char byte;
    ck_assert(!pipe(ready));
    const pid_t child = fork();
    if (!child) {
        rt_live_tick(open_as("rig"), &running);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    attach("rig");
    refresh();
    ck_assert(view.alive && view.page.who.pid == (uint32_t)child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    refresh();
    ck_assert(!view.alive);
    ck_assert_str_eq(view.page.status.state, "running");
    rt_live_detach(&view);
}
END_TEST

START_TEST(a_page_that_is_cut_short_while_it_is_looked_at_ends_nobody)
{
    rt_live *l = open_as("rig");
    attach("rig");
    shell("truncate -s 100 '%s'/hearken-live-*", folder);
    ck_assert(!rt_live_refresh(&view, why, sizeof why) && strstr(why, "damaged"));
    ck_assert_str_eq(view.page.who.client, "rig"); /* of the copy before */
    rt_live_detach(&view);
    shell("truncate -s %zu '%s'/hearken-live-*", sizeof(rt_live_page), folder);
    rt_live_close(l);
}
END_TEST

/* ---- Two at a time ---------------------------------------------------------------
 */

static atomic_bool done;

static void *
push_many(void *arg)
{
    char text[RT_LIVE_PATH];
    for (uint32_t i = 1; !atomic_load(&done); i++) {
        memset(text, 'a' + (int)(i % 26), sizeof text - 1);
        text[RT_LIVE_PATH - 1] = 0;
        push(arg, i, 1, i, "kick", text);
    }
    return NULL;
}

static bool
is_whole(const rt_live_match *m)
{
    bool whole = m->score == (float)m->sound / 1000 &&
                 m->centre_us == (int64_t)m->number && m->sound == m->number;
    for (size_t i = 0; i < RT_LIVE_PATH - 1; i++)
        whole = whole && m->path[i] == (char)('a' + (int)(m->number % 26));
    return whole;
}

START_TEST(no_reader_sees_half_a_match)
{
    enum { READS = 300 };
    const rt_live_match *m[RT_LIVE_MATCHES];
    pthread_t thread;
    uint64_t seen = 0, torn = 0;
    rt_live *l = open_as("rig");
    attach("rig");
    ck_assert(!pthread_create(&thread, NULL, push_many, l));
    for (int i = 0; i < READS || !seen; i++) {
        refresh();
        const size_t n =
            rt_live_newest(&view.page, DSP_EVENT, RT_MATCH, m, RT_LIVE_MATCHES);
        for (size_t j = 0; j < n; j++, seen++)
            torn += !is_whole(m[j]);
    }
    atomic_store(&done, true);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(torn, 0);
    rt_live_detach(&view);
    rt_live_close(l);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rt/live");
    TCase *t = tcase_create("live");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_page_tells_who_writes_it, 0, 3);
    tcase_add_test(t, counts_change_ten_times_a_second_and_the_state_at_once);
    tcase_add_loop_test(
        t, a_level_is_the_peak_and_falls_by_20_db_a_second_in_blocks_of_any_size, 0,
        N(lengths));
    tcase_add_test(t, gate_and_times_are_those_of_the_analysis);
    tcase_add_test(t, the_newest_matches_come_first_each_sound_once);
    tcase_add_test(t, only_matches_and_votes_are_on_the_page);
    tcase_add_test(t, long_names_are_cut_between_two_characters);
    tcase_add_test(t, writing_leaves_the_heap_alone);
    tcase_add_test(t, without_a_page_nothing_is_written);
    tcase_add_test(t, where_there_is_no_room_listen_goes_on_without);
    tcase_add_test(t, what_a_killed_one_left_is_no_hindrance_and_goes);
    tcase_add_test(t, of_several_one_must_be_named);
    tcase_add_test(t, what_is_no_file_of_this_user_is_passed_by);
    tcase_add_test(t, the_end_of_a_listen_is_seen);
    tcase_add_test(t, the_death_of_a_listen_is_seen);
    tcase_add_test(t, a_page_that_is_cut_short_while_it_is_looked_at_ends_nobody);
    tcase_add_test(t, no_reader_sees_half_a_match);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
