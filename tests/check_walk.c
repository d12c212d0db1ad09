/* rt/walk.c: which files of a folder are sounds. */
#include "rt/walk.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[200], before[1000];

/* Each test in a folder of its own, as the working folder. */
static void
enter_folder(void)
{
    char made[200];
    make_folder(made, sizeof made);
    ck_assert(getcwd(before, sizeof before) && !chdir(made));
    ck_assert(getcwd(folder, sizeof folder) != NULL); /* links on the way resolved */
}

static void
leave_folder(void)
{
    ck_assert(!chdir(before));
    remove_tree(folder);
}

/* Makes a file of n bytes, and the folders above it. */
static void
put(const char *path, size_t n)
{
    char part[300];
    for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0700);
    }
    FILE *f = fopen(path, "w");
    ck_assert_msg(f != NULL, "%s", path);
    for (; n > 0; n--)
        fputc('x', f);
    ck_assert(!fclose(f));
}

static void
walk_ok(rt_files *f, const char *path)
{
    char why[400] = "";
    ck_assert_msg(rt_walk(f, path, why, sizeof why), "%s", why);
}

/* Exactly these files, in this order; names are relative to the folder. */
static void
holds(const rt_files *f, const char *const names[])
{
    size_t n = 0;
    for (; names[n]; n++) {
        char want[500];
        snprintf(want, sizeof want, "%s/%s", folder, names[n]);
        ck_assert_msg(n < f->n, "%s is missing", names[n]);
        ck_assert_str_eq(f->files[n].path, want);
    }
    ck_assert_msg(f->n == n, "%zu files, one of them %s", f->n, f->files[n].path);
}

#define HOLDS(files, ...) holds(files, (const char *const[]){__VA_ARGS__, NULL})

static const struct {
    const char *name;
    bool sound;
} endings[] = {
    {"a.wav", true},        {"a.WAV", true},     {"a.Flac", true},  {"a.ogg", true},
    {"a.opus", true},       {"a.mp3", true},     {"a.aiff", true},  {"a.aif", true},
    {"a.w64", true},        {"a.b.c.wav", true}, {"a .wav", true},  {"a\nb.wav", true},
    {"\xff\xfe.wav", true}, {"-o.wav", true},    {"wav", false},    {"awav", false},
    {"a.wav.txt", false},   {"a.wavx", false},   {"a.wa", false},   {"a.", false},
    {"a.txt", false},       {"a.hkn", false},    {"README", false}, {"a.m4a", false},
};

START_TEST(a_sound_is_told_by_the_end_of_its_name_and_all_else_is_counted)
{
    rt_files f = {0};
    put("in/x.wav", 1);
    char path[300];
    snprintf(path, sizeof path, "in/%s", endings[_i].name);
    put(path, 1);
    walk_ok(&f, "in");
    ck_assert_msg(f.n == (endings[_i].sound ? 2 : 1), "case: %s", endings[_i].name);
    ck_assert_msg(f.n_other == !endings[_i].sound, "case: %s", endings[_i].name);
    rt_files_free(&f);
    ck_assert(f.n == 0 && f.files == NULL);
}
END_TEST

START_TEST(folders_are_entered_and_files_come_in_order_of_their_bytes)
{
    rt_files f = {0};
    put("b/2.wav", 2);
    put("b/10.wav", 10);
    put("a/z/deep/er/1.wav", 3);
    put("B/1.wav", 0);
    put("a-b/1.wav", 1);
    put("a/\xc3\xa4.wav", 1);
    put("a/z.wav", 1);
    put("1.wav", 1);
    put("a/note.txt", 1);
    mkdir("empty", 0700);
    mkdir("folder.wav", 0700);
    walk_ok(&f, ".");
    rt_files_sort(&f);
    HOLDS(&f, "1.wav", "B/1.wav", "a-b/1.wav", "a/z.wav", "a/z/deep/er/1.wav",
          "a/\xc3\xa4.wav", "b/10.wav", "b/2.wav");
    ck_assert_uint_eq(f.files[1].n_bytes, 0);
    ck_assert_uint_eq(f.files[6].n_bytes, 10);
    ck_assert_uint_eq(f.n_other, 1);
    rt_files_free(&f);
}
END_TEST

START_TEST(hidden_files_and_folders_are_left_out)
{
    rt_files f = {0};
    put("in/.hidden.wav", 1);
    put("in/.git/a.wav", 1);
    put("in/.notes", 1);
    put("in/a/..wav", 1);
    put("in/a/a.wav", 1);
    walk_ok(&f, "in");
    HOLDS(&f, "in/a/a.wav");
    ck_assert_uint_eq(f.n_other, 0);
    rt_files_free(&f);
}
END_TEST

START_TEST(a_hidden_folder_that_is_named_is_entered)
{
    rt_files f = {0};
    put(".samples/a.wav", 1);
    walk_ok(&f, ".samples");
    HOLDS(&f, ".samples/a.wav");
    rt_files_free(&f);
}
END_TEST

START_TEST(the_same_folder_twice_gives_its_files_once)
{
    static const char *const ways[] = {"in", "in/", "./in/../in", "in/a", "link"};
    rt_files f = {0};
    put("in/a/1.wav", 1);
    put("in/2.wav", 1);
    ck_assert(symlink("in", "link") == 0);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        walk_ok(&f, ways[i]);
    walk_ok(&f, folder);
    rt_files_sort(&f);
    /* A link below a corpus is a folder of its own, one to the corpus is the corpus. */
    HOLDS(&f, "in/2.wav", "in/a/1.wav", "link/2.wav", "link/a/1.wav");
    rt_files_free(&f);
}
END_TEST

START_TEST(links_are_followed_and_loops_end)
{
    rt_files f = {0};
    put("in/a/1.wav", 1);
    put("far/2.wav", 1);
    ck_assert(symlink("..", "in/a/up") == 0);
    ck_assert(symlink("self", "in/self") == 0);
    ck_assert(symlink("../far", "in/b") == 0);
    ck_assert(symlink("../far/2.wav", "in/3.wav") == 0);
    ck_assert(symlink("nowhere.wav", "in/4.wav") == 0);
    char said[1000] = "", want[500];
    FILE *err = tmpfile();
    const int stderr_before = dup(STDERR_FILENO);
    dup2(fileno(err), STDERR_FILENO);
    walk_ok(&f, "in");
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    rewind(err);
    ck_assert_uint_gt(fread(said, 1, sizeof said - 1, err), 0);
    fclose(err);
    snprintf(want, sizeof want,
             "hearken: passed over %s/in/a/up: it links to a folder above itself\n",
             folder);
    ck_assert_str_eq(said, want);
    rt_files_sort(&f);
    HOLDS(&f, "in/3.wav", "in/a/1.wav", "in/b/2.wav");
    rt_files_free(&f);
}
END_TEST

START_TEST(a_file_can_be_the_corpus_whatever_its_name)
{
    rt_files f = {0};
    put("in/take 1", 5);
    put("in/.b.txt", 5);
    walk_ok(&f, "in/take 1");
    walk_ok(&f, "in/.b.txt");
    rt_files_sort(&f);
    HOLDS(&f, "in/.b.txt", "in/take 1");
    ck_assert_uint_eq(f.n_other, 0);
    rt_files_free(&f);
}
END_TEST

START_TEST(what_is_no_regular_file_is_no_sound)
{
    rt_files f = {0};
    put("in/a.wav", 1);
    ck_assert(mkfifo("in/b.wav", 0600) == 0);
    walk_ok(&f, "in");
    walk_ok(&f, "in/b.wav");
    HOLDS(&f, "in/a.wav");
    rt_files_free(&f);
}
END_TEST

START_TEST(a_missing_folder_is_named)
{
    rt_files f = {0};
    char why[400] = "";
    put("a.wav", 1);
    ck_assert(!rt_walk(&f, "no/such", why, sizeof why));
    ck_assert_str_eq(why, "no/such: No such file or directory");
    ck_assert(!rt_walk(&f, "a.wav/b", why, sizeof why));
    ck_assert_str_eq(why, "a.wav/b: Not a directory");
    ck_assert_uint_eq(f.n, 0);
    rt_files_sort(&f);
    rt_files_free(&f);
}
END_TEST

START_TEST(many_files_are_held)
{
    enum { MANY = 1000 };
    rt_files f = {0};
    char path[40];
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "in/%03d.wav", i * 7 % MANY);
        put(path, 0);
    }
    walk_ok(&f, "in");
    rt_files_sort(&f);
    ck_assert_uint_eq(f.n, MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "/in/%03d.wav", i);
        ck_assert_str_eq(f.files[i].path + strlen(folder), path);
    }
    rt_files_free(&f);
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_sentence)
{
    uint64_t k = 1, left = 0;
    put("in/a.wav", 1);
    put("in/b.wav", 1);
    for (; left == 0; k++) {
        rt_files f = {0};
        char why[400] = "";
        heap_fail_at = k;
        const bool ok = rt_walk(&f, "in", why, sizeof why);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert(ok == (left > 0));
        ck_assert_str_eq(why, ok ? "" : "in: not enough memory to list it");
        rt_files_free(&f);
    }
    ck_assert_uint_eq(k, 5); /* the array and a path of each file failed */
}
END_TEST

static const struct {
    const char *path, *label;
} labels[] = {
    {"/sounds/drums/kick.wav", "drums"},
    {"/drums/kick.wav", "drums"},
    {"/kick.wav", ""},
    {"drums/kick.wav", "drums"},
    {"kick.wav", ""},
    {"/a//kick.wav", ""},
    {"/a/two words/x", "two words"},
    {"/a/\xc3\xa4/x", "\xc3\xa4"},
    {"/a/0123456789/x", "0123456789"},
    {"/a/0123456789abcdef/x", "0123456789abcde"},
    {"", ""},
};

START_TEST(the_label_is_the_name_of_the_folder)
{
    char label[17];
    memset(label, '#', sizeof label);
    rt_path_label(labels[_i].path, label, 16);
    ck_assert_str_eq(label, labels[_i].label);
    ck_assert_int_eq(label[16], '#');
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/walk");
    TCase *t = tcase_create("walk");
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_loop_test(t,
                        a_sound_is_told_by_the_end_of_its_name_and_all_else_is_counted,
                        0, N(endings));
    tcase_add_test(t, folders_are_entered_and_files_come_in_order_of_their_bytes);
    tcase_add_test(t, hidden_files_and_folders_are_left_out);
    tcase_add_test(t, a_hidden_folder_that_is_named_is_entered);
    tcase_add_test(t, the_same_folder_twice_gives_its_files_once);
    tcase_add_test(t, links_are_followed_and_loops_end);
    tcase_add_test(t, a_file_can_be_the_corpus_whatever_its_name);
    tcase_add_test(t, what_is_no_regular_file_is_no_sound);
    tcase_add_test(t, a_missing_folder_is_named);
    tcase_add_test(t, many_files_are_held);
    tcase_add_test(t, each_failing_allocation_ends_it_with_a_sentence);
    tcase_add_loop_test(t, the_label_is_the_name_of_the_folder, 0, N(labels));
    suite_add_tcase(s, t);
    return run_suite(s);
}
