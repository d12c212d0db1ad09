/* rt/parts_file.c, parts_write.c: who may write a parts file, and what a disk can do.
 */
#include "parts_case.h"
#include "rt/parallel.h"
#include "rt/parts.h"
#include "rt/rt.h"
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
has_sound(uint64_t i)
{
    const rt_key key = key_number(i);
    return rt_parts_find(p, RT_PART_SOUND, &key, 0) != 0;
}

START_TEST(a_folder_or_a_place_that_is_not_there_is_refused)
{
    rt_options made;
    ck_assert_int_eq(rt_parts_read(&p, path, &made, why, sizeof why), RT_NOINPUT);
    ck_assert(!p && strstr(why, path) == why);
    ck_assert(!mkdir(path, 0700));
    ck_assert_int_ne(open_parts(true), RT_OK);
    ck_assert(!p && strstr(why, path) == why);
}
END_TEST

/* What a child process gets, that has nothing of ours. */
static int
status_of_another(bool reads)
{
    const pid_t child = fork();
    if (!child) {
        rt_parts *q;
        rt_options made;
        _exit(reads ? rt_parts_read(&q, path, &made, why, sizeof why)
                    : rt_parts_open(&q, path, &options, true, why, sizeof why));
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(one_program_has_it_at_a_time)
{
    must_open();
    ck_assert_int_eq(status_of_another(false), RT_IO);
    ck_assert_int_eq(status_of_another(true), RT_IO);
    close_parts();
    ck_assert_int_eq(status_of_another(false), RT_OK);
    ck_assert_int_eq(status_of_another(true), RT_OK);
}
END_TEST

START_TEST(on_a_full_disk_the_file_stays_whole_and_takes_no_more)
{
    struct rlimit before, limit;
    must_open();
    ck_assert(add_part(p, &options, RT_PART_SOUND, 1, 0));
    const uint64_t whole = rt_parts_bytes(p);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = whole + 500;
    setrlimit(RLIMIT_FSIZE, &limit);
    const uint64_t at = add_part(p, &options, RT_PART_SOUND, 2, 3);
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_uint_eq(at, 0);
    ck_assert_int_eq(rt_parts_error(p), EFBIG);
    ck_assert_uint_eq(rt_parts_bytes(p), whole);
    ck_assert(!add_part(p, &options, RT_PART_SOUND, 3, 0));
    must_open();
    ck_assert_uint_eq(rt_parts_cut(p), 0);
    ck_assert(has_sound(1) && !has_sound(2) && !has_sound(3));
}
END_TEST

enum { MANY = 200 };

static void
add_one(void *ctx, size_t i)
{
    (void)ctx;
    add_part(p, &options, RT_PART_SOUND, 1 + i, (uint32_t)(i % 4));
}

static void
idle(void *ctx)
{
    (void)ctx;
}

START_TEST(several_threads_append_whole_records)
{
    must_open();
    ck_assert(rt_parallel(MANY, 4, add_one, idle, NULL));
    must_open();
    for (uint32_t i = 0; i < MANY; i++)
        ck_assert_msg(has_sound(1 + i), "sound %u", i);
    ck_assert_uint_eq(rt_parts_cut(p), 0);
}
END_TEST

START_TEST(a_record_that_was_just_written_can_be_mapped)
{
    must_open();
    const uint64_t at = add_part(p, &options, RT_PART_SOUND, 3, 2);
    ck_assert(rt_parts_map(p));
    ck_assert_uint_eq(rt_parts_at(p, at)->kind, RT_PART_SOUND);
    ck_assert_uint_eq(rt_parts_at(p, at)->key.n_bytes, 1003);
}
END_TEST

START_TEST(each_failing_allocation_ends_the_opening_with_a_sentence)
{
    uint64_t k = 1, left = 0;
    rt_options made;
    must_open();
    add_part(p, &options, RT_PART_SOUND, 1, 0);
    close_parts();
    for (; left == 0; k++) {
        *why = 0;
        heap_fail_at = k;
        const int status =
            _i ? rt_parts_read(&p, path, &made, why, sizeof why) : open_parts(false);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_int_eq(status, left ? RT_OK : RT_SOFTWARE);
        ck_assert_msg(left || (!p && strstr(why, "not enough memory")), "%s", why);
        close_parts();
    }
    ck_assert_uint_ge(k, 4); /* itself, its path, its list failed */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/parts_file");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_folder_or_a_place_that_is_not_there_is_refused);
    tcase_add_test(t, one_program_has_it_at_a_time);
    tcase_add_test(t, on_a_full_disk_the_file_stays_whole_and_takes_no_more);
    tcase_add_test(t, several_threads_append_whole_records);
    tcase_add_test(t, a_record_that_was_just_written_can_be_mapped);
    tcase_add_loop_test(t, each_failing_allocation_ends_the_opening_with_a_sentence, 0,
                        2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
