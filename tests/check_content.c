/* rt/content.c: what tells the bytes of a file, and whether they stay. */
#define _DEFAULT_SOURCE /* usleep */
#include "rt/content.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static void
setup(void)
{
    make_folder(folder, sizeof folder);
}

static void
teardown(void)
{
    remove_tree(folder);
}

static const char *
in_folder(const char *name)
{
    static char path[2][400];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

/* A file of n bytes of which the one at odd (if below n) is another. */
static void
write_file(const char *name, size_t n, size_t odd)
{
    FILE *f = fopen(in_folder(name), "wb");
    for (size_t i = 0; i < n; i++)
        fputc((int)(i * 31 % 251) ^ (i == odd), f);
    ck_assert(!fclose(f));
}

static rt_key
key_of(const char *name)
{
    rt_content c;
    ck_assert(rt_content_read(&c, in_folder(name)));
    return c.key;
}

enum { LONG = 1000000, NEVER = 1 << 30 };

static const struct {
    const char *what, *name;
    size_t n, odd;
    bool same; /* as a.wav of LONG bytes */
} others[] = {
    {"a copy", "b.wav", LONG, NEVER, true},
    {"a copy in capitals", "a.WAV", LONG, NEVER, true},
    {"another ending", "a.au", LONG, NEVER, false},
    {"no ending", "a", LONG, NEVER, false},
    {"no ending in a name with a point before", ".wav.d", LONG, NEVER, false},
    {"the first byte", "b.wav", LONG, 0, false},
    {"a byte in the middle", "b.wav", LONG, LONG / 2, false},
    {"the last byte", "b.wav", LONG, LONG - 1, false},
    {"a byte less", "b.wav", LONG - 1, NEVER, false},
    {"a byte more", "b.wav", LONG + 1, NEVER, false},
    {"nothing", "b.wav", 0, NEVER, false},
};

START_TEST(a_key_tells_bytes_and_ending_and_nothing_else)
{
    write_file("a.wav", LONG, NEVER);
    const rt_key a = key_of("a.wav");
    write_file(others[_i].name, others[_i].n, others[_i].odd);
    const rt_key b = key_of(others[_i].name);
    ck_assert_uint_eq(b.n_bytes, others[_i].n);
    ck_assert_msg(!rt_key_compare(&a, &b) == others[_i].same, "%s", others[_i].what);
    ck_assert_int_eq(rt_key_compare(&a, &b), -rt_key_compare(&b, &a));
}
END_TEST

START_TEST(a_file_that_was_written_to_replaced_or_removed_does_not_stay)
{
    rt_content c;
    write_file("a.wav", 100, NEVER);
    ck_assert(rt_content_read(&c, in_folder("a.wav")));
    ck_assert(rt_content_stays(&c, in_folder("a.wav")));
    usleep(20000);
    write_file("a.wav", 100, 5);
    ck_assert(!rt_content_stays(&c, in_folder("a.wav")));
    ck_assert(rt_content_read(&c, in_folder("a.wav")));
    write_file("b.wav", 100, 5);
    ck_assert(!rename(in_folder("b.wav"), in_folder("a.wav")));
    ck_assert(!rt_content_stays(&c, in_folder("a.wav")));
    ck_assert(!unlink(in_folder("a.wav")));
    ck_assert(!rt_content_stays(&c, in_folder("a.wav")));
}
END_TEST

START_TEST(what_is_no_file_is_refused_at_once)
{
    rt_content c;
    ck_assert(!mkfifo(in_folder("pipe.wav"), 0600));
    ck_assert(!rt_content_read(&c, in_folder("pipe.wav")));
    ck_assert(!rt_content_read(&c, folder));
    ck_assert(!rt_content_read(&c, in_folder("none.wav")));
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/content");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_key_tells_bytes_and_ending_and_nothing_else, 0,
                        (int)(sizeof others / sizeof *others));
    tcase_add_test(t, a_file_that_was_written_to_replaced_or_removed_does_not_stay);
    tcase_add_test(t, what_is_no_file_is_refused_at_once);
    suite_add_tcase(s, t);
    return run_suite(s);
}
