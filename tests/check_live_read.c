/* rt/live_read.c: live pages are found, and read while they are written. */
#include "live_writer.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    Suite *suite = suite_create("rt/live_read");
    TCase *t = tcase_create("live");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
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
