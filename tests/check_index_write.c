/* Writing an index: rules, disks, interruptions. */
#include "tests/idx_support.h"

#include <check.h>
#include <glob.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char why[300];

static const idx_params hashed = {.family = IDX_HYPERPLANE,
                                  .n_planes = 5,
                                  .n_tables = 3,
                                  .n_probes = 40,
                                  .max_candidates = 400,
                                  .recall = 0.97F,
                                  .candidates = 123.5F};

static void
usual(corpus *c)
{
    corpus_usual(c, &hashed);
}

/* Files that begin with path. */
static size_t
n_files(const char *path)
{
    char pattern[600];
    glob_t g;
    snprintf(pattern, sizeof pattern, "%s*", path);
    const size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
    globfree(&g);
    return n;
}

static const char *const unwritable[] = {"/nowhere/x.hkn", "/proc/x.hkn", "/tmp"};

START_TEST(a_path_that_cannot_be_written_is_named)
{
    corpus c;
    usual(&c);
    why[0] = '\0';
    ck_assert_int_eq(idx_write(unwritable[_i], &c.contents, NULL, why, sizeof why),
                     IDX_EIO);
    ck_assert_msg(strstr(why, unwritable[_i]) && strstr(why, "cannot"), "%s", why);
    ck_assert_uint_eq(n_files("/tmp.tmp-"), 0);
    corpus_free(&c);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file_and_nothing_else)
{
    corpus c;
    struct rlimit old;
    size_t n1 = 0, n2 = 0;
    usual(&c);
    const char *path = temp_path("full.hkn");
    ck_assert(!idx_write(path, &c.contents, NULL, why, sizeof why));
    unsigned char *before = read_aligned(path, &n1);
    getrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){20000, old.rlim_max});
    const idx_status st = idx_write(path, &c.contents, NULL, why, sizeof why);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
    ck_assert_int_eq(st, IDX_EIO);
    ck_assert_msg(strstr(why, "cannot write"), "%s", why);
    ck_assert_uint_eq(n_files(path), 1);
    unsigned char *after = read_aligned(path, &n2);
    ck_assert(n1 == n2 && memcmp(before, after, n1) == 0);
    free(before);
    free(after);
    unlink(path);
    corpus_free(&c);
}
END_TEST

START_TEST(a_set_stop_flag_leaves_nothing)
{
    const atomic_int stop = 1;
    corpus c;
    usual(&c);
    const char *path = temp_path("stop.hkn");
    for (int family = 0; family < 2; family++) {
        c.contents.scales[0].params.family = (uint32_t)family;
        ck_assert_int_eq(idx_write(path, &c.contents, &stop, why, sizeof why), IDX_EIO);
        ck_assert_msg(strstr(why, "stopped"), "%s", why);
        ck_assert_uint_eq(n_files(path), 0);
    }
    corpus_free(&c);
}
END_TEST

START_TEST(a_name_left_by_a_crash_and_a_relative_path_do_not_hinder)
{
    corpus c;
    char left[600], here[300];
    usual(&c);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir("/tmp"), 0);
    const char *path = strrchr(temp_path("left.hkn"), '/') + 1;
    snprintf(left, sizeof left, "%s.tmp-%ld-0", path, (long)getpid());
    fclose(fopen(left, "wb"));
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_uint_eq(n_files(path), 2);
    struct stat sb;
    ck_assert(stat(path, &sb) == 0 && (sb.st_mode & 0777) == (0666 & ~umask(022)));
    unlink(left);
    unlink(path);
    ck_assert_int_eq(chdir(here), 0);
    corpus_free(&c);
}
END_TEST

/* ---- Contents that break a rule ------------------------------------------------- */

static char long_text[IDX_MAX_PATH + 2];

/* What is overwritten: a field of the contents, or of an array that they point to. */
enum { CONTENTS, SOUND, ROW_0, ROW_1, SPREAD_1, KNOT_0 };
enum { NAN_BITS = 0x7fc00000, TWO_BITS = 0x40000000, LONG = 0x7001 /* &long_text */ };

#define IN_CONTENTS(field)                                                             \
    CONTENTS, offsetof(idx_contents, field), sizeof((idx_contents *)0)->field
#define IN_SOUND(i, field)                                                             \
    SOUND, (i) * sizeof(idx_sound) + offsetof(idx_sound, field), sizeof(void *)

static const struct {
    const char *name;
    int where;
    size_t at, n_bytes;
    uint64_t value;
    const char *says;
} rules[] = {
    {"no settings", IN_CONTENTS(settings), 0, "settings, report or sounds are missing"},
    {"no report", IN_CONTENTS(report), 0, "settings, report or sounds are missing"},
    {"no sounds", IN_CONTENTS(sounds), 0, "settings, report or sounds are missing"},
    {"no path", IN_SOUND(1, path), 0, "sound 1"},
    {"path of 1001 bytes", IN_SOUND(1, path), LONG, "longer than 1000 bytes"},
    {"label of 1025 bytes", IN_SOUND(2, label), LONG, "longer than 255 bytes"},
    {"length that is NaN", IN_SOUND(0, seconds), 0x7ff8000000000000, "not a time"},
    {"length below 0", IN_SOUND(0, seconds), 0xbff0000000000000, "not a time"},
    {"entry of a sound beyond", IN_CONTENTS(n_sounds), 3,
     "of sound 3, and there are 3"},
    {"no rows", IN_CONTENTS(scales[0].rows), 0, "an array is missing"},
    {"no entries", IN_CONTENTS(scales[0].entries), 0, "an array is missing"},
    {"no mean", IN_CONTENTS(scales[0].mean), 0, "an array is missing"},
    {"no knots", IN_CONTENTS(scales[0].knots), 0, "an array is missing"},
    {"dim above its limit", IN_CONTENTS(scales[0].dim), 1025, "dim 1025 is above"},
    {"n_in above its limit", IN_CONTENTS(scales[0].n_in), 65537, "n_in 65537 is above"},
    {"identity of another size", IN_CONTENTS(scales[0].matrix), 0, "without a matrix"},
    {"one knot", IN_CONTENTS(scales[0].n_knots), 1, "n_knots 1"},
    {"knots that fall", KNOT_0, 4, 4, 0x3f800000, "knots[2] is below the one before"},
    {"knot that is NaN", KNOT_0, 4, 4, NAN_BITS, "knots[1] is not a cosine"},
    {"row of another length", ROW_0, 24 * 4, 4, TWO_BITS,
     "row[1] is not of unit length"},
    {"row with NaN", ROW_1, 9 * 4, 4, NAN_BITS, "scale 1 cannot be written: row[0]"},
    {"spread of 0", SPREAD_1, 3 * 4, 4, 0, "spread[3] is not above 0"},
    {"no codes", IN_CONTENTS(scales[6].codes), 0, "an array is missing"},
    {"no knots of Hamming", IN_CONTENTS(scales[6].hamming_knots), 0,
     "an array is missing"},
    {"codes with a bit too many", IN_CONTENTS(scales[6].dim), 69,
     "has a bit beyond its 69"},
    {"codes as exact rows", IN_CONTENTS(scales[6].params.family), 0,
     "an array is missing"},
    {"codes where rows belong", IN_CONTENTS(scales[1].params.family), 2,
     "an array is missing"},
    {"unknown family", IN_CONTENTS(scales[0].params.family), 9, "family 9"},
    {"no planes", IN_CONTENTS(scales[0].params.n_planes), 0, "n_planes 0"},
    {"23 planes", IN_CONTENTS(scales[0].params.n_planes), 23, "n_planes 23"},
    {"no tables", IN_CONTENTS(scales[0].params.n_tables), 0, "n_tables 0"},
    {"65 tables", IN_CONTENTS(scales[0].params.n_tables), 65, "n_tables 65"},
    {"fewer probes than tables", IN_CONTENTS(scales[0].params.n_probes), 2,
     "n_probes 2"},
    {"more probes than buckets", IN_CONTENTS(scales[0].params.n_probes), 97,
     "n_probes 97"},
    {"no candidates", IN_CONTENTS(scales[0].params.max_candidates), 0,
     "max_candidates"},
    {"recall of 2", IN_CONTENTS(scales[0].params.recall), TWO_BITS, "recall"},
    {"tables over nothing", IN_CONTENTS(scales[0].n_entries), 0,
     "tables but no entries"},
};

START_TEST(contents_that_break_a_rule_are_refused_and_nothing_is_written)
{
    corpus c;
    usual(&c);
    void *const places[] = {&c.contents,   c.sounds,      c.array[0][4],
                            c.array[1][4], c.array[1][1], c.array[0][3]};
    const char *text = memset(long_text, 'x', sizeof long_text - 1);
    const void *value =
        rules[_i].value == LONG ? (const void *)&text : &rules[_i].value;
    const char *path = temp_path("rule.hkn");
    memcpy((char *)places[rules[_i].where] + rules[_i].at, value, rules[_i].n_bytes);
    ck_assert_msg(idx_write(path, &c.contents, NULL, why, sizeof why) == IDX_EARG,
                  "case: %s", rules[_i].name);
    ck_assert_msg(strstr(why, rules[_i].says) && strstr(why, path), "case: %s: %s",
                  rules[_i].name, why);
    ck_assert_uint_eq(n_files(path), 0);
    corpus_free(&c);
}
END_TEST

START_TEST(the_longest_path_and_label_fit)
{
    corpus c;
    usual(&c);
    memset(long_text, 'x', IDX_MAX_PATH);
    long_text[IDX_MAX_PATH] = '\0';
    c.sounds[0].path = long_text;
    c.sounds[CORPUS_SOUNDS - 1].label = long_text + IDX_MAX_PATH - IDX_MAX_LABEL;
    c.sounds[1].label = "";
    idx_index *ix = NULL;
    const char *path = temp_path("long.hkn");
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    unlink(path);
    ck_assert_uint_eq(strlen(idx_sound_of(ix, 0).path), IDX_MAX_PATH);
    ck_assert_uint_eq(strlen(idx_sound_of(ix, CORPUS_SOUNDS - 1).label), IDX_MAX_LABEL);
    ck_assert_str_eq(idx_sound_of(ix, 1).label, "");
    ck_assert_str_eq(idx_sound_of(ix, 2).label, c.sounds[2].label);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("index_write");
    TCase *tc = tcase_create("index_write");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_path_that_cannot_be_written_is_named, 0,
                        (int)(sizeof unwritable / sizeof *unwritable));
    tcase_add_test(tc, a_full_disk_leaves_the_old_file_and_nothing_else);
    tcase_add_test(tc, a_set_stop_flag_leaves_nothing);
    tcase_add_test(tc, a_name_left_by_a_crash_and_a_relative_path_do_not_hinder);
    tcase_add_loop_test(tc,
                        contents_that_break_a_rule_are_refused_and_nothing_is_written,
                        0, (int)(sizeof rules / sizeof *rules));
    tcase_add_test(tc, the_longest_path_and_label_fit);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
