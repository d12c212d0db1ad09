/* rt/session.c: what a session keeps, and that it is whole or as it was. */
#define _DEFAULT_SOURCE /* realpath */
#include "rt/session.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256], project[300], preset[340], link_path[340], index_path[300];
static rt_options options;

static void
setup(void)
{
    char why[300];
    make_folder(folder, sizeof folder);
    snprintf(project, sizeof project, "%s/h.nABC", folder);
    snprintf(preset, sizeof preset, "%s/hearken.conf", project);
    snprintf(link_path, sizeof link_path, "%s/corpus.hkn", project);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    write_wav(index_path, (float[]){0}, 1, 48000); /* any file */
    rt_options_default(&options);
    ck_assert(rt_options_set(&options, "match.score", "0.625", 0, why, sizeof why));
    ck_assert(rt_options_set(&options, "osc.to", "a:1", 0, why, sizeof why));
    ck_assert(rt_options_set(&options, "osc.to", "b:2", 0, why, sizeof why));
    ck_assert(rt_options_set(&options, "jack.connect", "a port.*", 0, why, sizeof why));
}

static void
teardown(void)
{
    remove_tree(folder);
}

static void
save(const char *index)
{
    char why[1500] = "";
    ck_assert_msg(rt_session_save(project, index, &options, why, sizeof why), "%s",
                  why);
}

/* Refused with those words. */
static void
refuses(const char *index, const char *words)
{
    char why[1500] = "";
    ck_assert(!rt_session_save(project, index, &options, why, sizeof why));
    ck_assert_msg(strstr(why, words) != NULL, "\"%s\" lacks \"%s\"", why, words);
}

static char *
text_of(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

static void
links_to(const char *target)
{
    char at[600] = "", real[4096];
    ck_assert_int_gt((int)readlink(link_path, at, sizeof at - 1), 0);
    ck_assert_ptr_nonnull(realpath(target, real));
    ck_assert_str_eq(at, real);
}

START_TEST(what_was_saved_is_read_as_it_was)
{
    char why[500] = "";
    rt_options read;
    save(index_path);
    rt_options_default(&read);
    ck_assert_msg(rt_preset_load(&read, preset, why, sizeof why), "%s", why);
    ck_assert(read.match.score == 0.625F && read.osc.to.n == 2);
    ck_assert_str_eq(read.osc.to.item[1], "b:2");
    ck_assert_str_eq(read.jack.connect.item[0], "a port.*");
    ck_assert(!memcmp(&read.match, &options.match, sizeof read.match));
    links_to(index_path);
}
END_TEST

START_TEST(saving_again_replaces_and_leaves_nothing_beside)
{
    char other[340], command[700];
    save(index_path);
    snprintf(other, sizeof other, "%s/y.hkn", folder);
    write_wav(other, (float[]){0}, 1, 48000);
    options.match.score = 0.75F;
    save(other);
    links_to(other);
    ck_assert_ptr_nonnull(strstr(text_of(preset), "match.score = 0.75\n"));
    snprintf(command, sizeof command, "test \"$(ls -A '%s' | wc -l)\" -eq 2", project);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(a_link_in_the_session_may_be_what_is_in_use)
{
    save(index_path);
    save(link_path);
    links_to(index_path);
}
END_TEST

START_TEST(an_index_in_the_folder_is_kept)
{
    char command[700];
    save("");
    ck_assert(access(link_path, F_OK) != 0);
    snprintf(command, sizeof command, "cp '%s' '%s'", index_path, link_path);
    ck_assert_int_eq(system(command), 0);
    save(link_path);
    refuses(index_path, "move it away");
    struct stat st;
    ck_assert(!lstat(link_path, &st) && S_ISREG(st.st_mode));
}
END_TEST

/* A preset has comments, and lines of 198 characters. */
static const struct {
    const char *name, *value, *words;
} unwritable[] = {
    {"a comment", "port ; left", "cannot be written"},
    {"a long line", NULL, "longer than 198 characters"},
};

START_TEST(what_a_preset_cannot_say_is_refused_and_the_old_one_stays)
{
    char value[RT_ITEM];
    save(index_path);
    char *before = strdup(text_of(preset));
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = 0;
    snprintf(options.jack.connect.item[0], RT_ITEM, "%s",
             unwritable[_i].value ? unwritable[_i].value : value);
    refuses(index_path, unwritable[_i].words);
    ck_assert_str_eq(text_of(preset), before);
    free(before);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    snprintf(project, sizeof project, "%s/none/h.nABC", folder);
    refuses(index_path, "none/h.nABC: No such file");
    snprintf(project, sizeof project, "%s", index_path); /* a file */
    refuses(index_path, "x.hkn/hearken.conf.new: Not a directory");
}
END_TEST

START_TEST(without_a_manager_there_is_no_session)
{
    char *argv[] = {(char[]){"listen"}, NULL};
    const char *rest[2] = {NULL, NULL};
    rt_command_line line = {1, argv, &options, rest, 0};
    rt_session *s = (rt_session *)1;
    unsetenv("NSM_URL");
    ck_assert_int_eq(rt_session_join(&s, &line), 0);
    ck_assert(!s);
    setenv("NSM_URL", "nonsense", 1);
    ck_assert_int_eq(rt_session_join(&s, &line), 0); /* said, and on alone */
    ck_assert(!s && !line.n_rest);
    ck_assert(!rt_session_tick(NULL, "running"));
    rt_session_leave(NULL);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_was_saved_is_read_as_it_was);
    tcase_add_test(t, saving_again_replaces_and_leaves_nothing_beside);
    tcase_add_test(t, a_link_in_the_session_may_be_what_is_in_use);
    tcase_add_test(t, an_index_in_the_folder_is_kept);
    tcase_add_loop_test(t, what_a_preset_cannot_say_is_refused_and_the_old_one_stays, 0,
                        sizeof unwritable / sizeof *unwritable);
    tcase_add_test(t, a_folder_that_cannot_be_made_is_named);
    tcase_add_test(t, without_a_manager_there_is_no_session);
    suite_add_tcase(s, t);
    return run_suite(s);
}
