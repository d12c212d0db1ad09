/* rt/live.c, rt/live_setup.c: what listen writes into its live page. */
#include "live_writer.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
    rt_live_block(l, 1, x, n, false, 0, rt_ns());
    x[0] = 0;
    attach("rig");
    ck_assert_float_eq(view.page.input[1].peak, 0.5F);
    ck_assert_float_eq(view.page.input[0].peak, 0);
    uint32_t fed = 0;
    for (; fed < 24000; fed += n)
        rt_live_block(l, 1, x, n, false, 0, rt_ns());
    refresh();
    const double wanted = 0.5 * pow(10, -20.0 / 20 * fed / 48000);
    ck_assert_msg(fabs((double)view.page.input[1].peak / wanted - 1) < 2e-3,
                  "%g, not %g", (double)view.page.input[1].peak, wanted);
    x[0] = NAN;
    rt_live_block(l, 1, x, n, false, 0, rt_ns());
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
    rt_live_block(l, 0, x, 64, true, 12345, rt_ns() - 1000000);
    rt_live_block(l, RT_LIVE_INPUTS, x, 64, false, 0, rt_ns()); /* there is no such */
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
        rt_live_block(l, 0, x, 64, false, 0, rt_ns());
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
    rt_live_block(NULL, 0, x, 64, false, 0, 0);
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
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
