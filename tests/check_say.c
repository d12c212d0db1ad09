/* rt/say.c: what a message looks like, at a terminal and in the journal. */
#include "rt/rt.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *log_file;
static int before;

/* stderr is a file meanwhile, as it is a socket of the journal in a service. */
static void
enter(void)
{
    log_file = tmpfile();
    ck_assert(log_file != NULL);
    fflush(stderr);
    before = dup(STDERR_FILENO);
    dup2(fileno(log_file), STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
}

static void
restore(void)
{
    if (before >= 0) {
        dup2(before, STDERR_FILENO);
        close(before);
    }
    before = -1;
}

static void
leave(void)
{
    restore();
    fclose(log_file);
}

/* What was said so far; stderr is itself again, so that a failure is seen. */
static const char *
said(void)
{
    static char text[4096];
    restore();
    rewind(log_file);
    text[fread(text, 1, sizeof text - 1, log_file)] = '\0';
    return text;
}

/* What systemd sets where stderr is the journal, between two texts. */
static void
set_stream(const char *first, const char *last)
{
    struct stat st;
    char stream[100];
    ck_assert(!fstat(STDERR_FILENO, &st));
    snprintf(stream, sizeof stream, "%s%ju:%ju%s", first, (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino, last);
    setenv("JOURNAL_STREAM", stream, 1);
}

static void
say_all(void)
{
    rt_say("%d hops", 3);
    rt_warn("late");
    rt_fail("gone");
}

START_TEST(messages_carry_levels_when_stderr_is_the_journal)
{
    set_stream("", "");
    say_all();
    ck_assert_str_eq(said(),
                     "<6>hearken: 3 hops\n<4>hearken: late\n<3>hearken: gone\n");
}
END_TEST

/* The journal was there, but stderr is elsewhere now. */
static const char *const others[][2] = {{"1", ""}, {"", "1"}, {"", " "}, {":", ""}};

START_TEST(messages_are_plain_when_it_is_not)
{
    set_stream(others[_i][0], others[_i][1]);
    say_all();
    ck_assert_str_eq(said(), "hearken: 3 hops\nhearken: late\nhearken: gone\n");
}
END_TEST

START_TEST(messages_are_plain_outside_of_a_service)
{
    say_all();
    ck_assert_str_eq(said(), "hearken: 3 hops\nhearken: late\nhearken: gone\n");
}
END_TEST

START_TEST(a_message_is_one_line_whatever_a_file_is_called)
{
    char name[3000], want[2100];
    rt_say("%s: none", "a\n<3>b\x1b[2J\x7f");
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    rt_say("%s", name);
    snprintf(want, sizeof want, "hearken: a?<3>b?[2J?: none\nhearken: %.2047s\n", name);
    ck_assert_str_eq(said(), want);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/say");
    TCase *t = tcase_create("say");
    tcase_add_checked_fixture(t, enter, leave);
    tcase_add_test(t, messages_carry_levels_when_stderr_is_the_journal);
    tcase_add_loop_test(t, messages_are_plain_when_it_is_not, 0,
                        sizeof others / sizeof *others);
    tcase_add_test(t, messages_are_plain_outside_of_a_service);
    tcase_add_test(t, a_message_is_one_line_whatever_a_file_is_called);
    suite_add_tcase(s, t);
    return run_suite(s);
}
