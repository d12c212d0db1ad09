/* rt/preset.c: INI text, taken strictly, and the presets that come with hearken. */
#include "rt/options.h"
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define X49 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X185 X49 X49 X49 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NOT_A_LINE                                                                     \
    "neither a setting (section.key = value), a [section] nor a # comment"
#define TOO_LONG "the line is longer than 198 characters, or holds a zero byte"
#define BLANK "the line begins with a blank; a setting begins at the margin"
#define ZERO(text) text, sizeof(text) - 1 /* with zero bytes inside */

static const struct {
    const char *name, *text;
    size_t n_bytes; /* 0: up to the zero byte */
    int k;          /* what match.k then is; 1 is built in */
} good[] = {
    {"nothing", "", 0, 1},
    {"a line", "match.k = 3\n", 0, 3},
    {"no newline at the end", "match.k = 3", 0, 3},
    {"no blanks", "match.k=3\n", 0, 3},
    {"many blanks", "match.k \t =   3  \t\n", 0, 3},
    {"a colon", "match.k: 3\n", 0, 3},
    {"underscores", "match_k = 3\n", 0, 3},
    {"comments", "# match.k = 2\n; match.k = 4\nmatch.k = 3\n#", 0, 3},
    {"a comment behind", "match.k = 3 ; of four\n", 0, 3},
    {"blank lines", "\n  \n\t\n\nmatch.k = 3\n\n  ", 0, 3},
    {"a section", "[match]\nk = 3\n", 0, 3},
    {"sections", "[match]\nk = 3\n[osc]\nonsets = no\n[match]\nscore = 0\n", 0, 3},
    {"a section without lines", "[nosuch]\n[match]\nk = 3\n", 0, 3},
    {"a comment behind a section", "[match] # of it\nk = 3\n", 0, 3},
    {"the last one wins", "match.k = 2\nmatch.k = 3\n", 0, 3},
    {"CRLF", "# a\r\nmatch.k = 3\r\n\r\n[match]\r\nconfirm-ms = 2\r\n", 0, 3},
    {"a byte order mark", "\xef\xbb\xbfmatch.k = 3\n", 0, 3},
    {"a byte order mark and a comment", "\xef\xbb\xbf# a\nmatch.k = 3\n", 0, 3},
    {"a comment of 198", "#" X185 "xxxxxxxxxxxx\nmatch.k = 3\n", 0, 3},
    {"a line of 198", "jack.connect=" X185 "\nmatch.k = 3\n", 0, 3},
    {"a last line of 198", "match.k = 3\njack.connect=" X185, 0, 3},
    {"an equals sign in a value", "jack.connect = a=b\nmatch.k = 3\n", 0, 3},
    {"a hash in a value", "jack.connect = a#b # c\nmatch.k = 3\n", 0, 3},
    {"settings of every command", "build.seed = 2\nmatch.k = 3\nout.format = json\n", 0,
     3},
};

static const struct {
    const char *name, *text;
    size_t n_bytes;
    const char *why; /* after "p.conf:" */
} bad[] = {
    {"an unknown key", "match.k = 3\nmatch.q = 4\n", 0,
     "2: there is no setting \"match.q\" here"},
    {"an unknown section", "\n\n[matches]\nk = 4\n", 0,
     "4: there is no setting \"matches.k\" here"},
    {"no section", "k = 4\n", 0, "1: there is no setting \"k\" here"},
    {"the section twice", "[match]\nmatch.k = 4\n", 0,
     "2: there is no setting \"match.match.k\" here"},
    {"a value out of its range", "#\nmatch.k = 101\n", 0,
     "2: match.k cannot be \"101\"; it wants a whole number from 1 to 100"},
    {"no value", "match.k =\n", 0,
     "1: match.k cannot be \"\"; it wants a whole number from 1 to 100"},
    {"a comment as a value", "match.k = ; 3\n", 0,
     "1: match.k cannot be \"\"; it wants a whole number from 1 to 100"},
    {"a hash behind a number", "match.k = 3 # of four\n", 0,
     "1: match.k cannot be \"3 # of four\"; it wants a whole number from 1 to 100"},
    {"no equals sign", "match.k = 3\n\nmatch.k 4\nmatch.k = 5\n", 0, "3: " NOT_A_LINE},
    {"no equals sign at the end", "match.k = 3\nmatch.k", 0, "2: " NOT_A_LINE},
    {"an open section", "[match\nk = 3\n", 0, "1: " NOT_A_LINE},
    {"a line of dashes", "match.k = 3\n-----\n", 0, "2: " NOT_A_LINE},
    {"two errors: the first is told", "match.k\nmatch.q = 3\n", 0, "1: " NOT_A_LINE},
    {"two errors of other kinds", "match.k\n#\n match.k = 3\n", 0, "1: " NOT_A_LINE},
    {"two errors the other way", "match.q = 3\nmatch.k\n", 0,
     "1: there is no setting \"match.q\" here"},
    {"a leading blank", "match.k = 3\n  match.confirm-ms = 2\n", 0, "2: " BLANK},
    {"a leading tab", "\tmatch.k = 3\n", 0, "1: " BLANK},
    {"a leading form feed", "jack.connect = a\n\fmatch.k = 3\n", 0, "2: " BLANK},
    {"a leading carriage return", "jack.connect = a\n\rmatch.k = 3\n", 0, "2: " BLANK},
    {"a blank before a comment", "match.k = 3\n # a\n", 0, "2: " BLANK},
    {"a line of 199", "#\njack.connect=" X185 "y\n", 0, "2: " TOO_LONG},
    {"a last line of 199", "#\njack.connect=" X185 "y", 0, "2: " TOO_LONG},
    {"a comment of 300", "match.k = 3\n#" X185 X185 "\nmatch.k = 4\n", 0,
     "2: " TOO_LONG},
    {"a long line that looks good where it is cut",
     "jack.connect=" X185 "match.k = 3\n", 0, "1: " TOO_LONG},
    {"a zero byte", ZERO("match.k = 3\nmatch.k = 4\0\nmatch.k = 5\n"), "2: " TOO_LONG},
    {"a zero byte in a comment", ZERO("# a\0b\nmatch.k = 3\n"), "1: " TOO_LONG},
    {"a zero byte in the last line", ZERO("match.k = 3\nmatch.k = 4\0nonsense"),
     "2: " TOO_LONG},
    {"a last line of one zero byte", ZERO("match.k = 3\n\0"), "2: " TOO_LONG},
    {"UTF-16", ZERO("\xff\xfem\0a\0t\0c\0h\0"), "1: " TOO_LONG},
    {"a byte order mark in the middle", "match.k = 3\n\xef\xbb\xbfmatch.k = 4\n", 0,
     "2: there is no setting \"\xef\xbb\xbfmatch.k\" here"},
    {"a control character", "jack.connect = a\x1b[2J\n", 0,
     "1: jack.connect cannot be \"a\x1b[2J\"; it wants 1 to 255 characters on one "
     "line"},
    {"an old Mac's line ends", "match.k = 3\rmatch.k = 4\r", 0,
     "1: match.k cannot be \"3\rmatch.k = 4\"; it wants a whole number from 1 to 100"},
    {"a seventeenth item",
     "[osc]\nto=a\nto=b\nto=c\nto=d\nto=e\nto=f\nto=g\nto=h\nto=i\nto=j\nto=k\nto=l\n"
     "to=m\nto=n\nto=o\nto=p\nto=q\n",
     0, "18: osc.to cannot be \"q\"; it wants 16 at most"},
};

static bool
read_text(rt_options *o, const char *text, size_t n_bytes, char *why, size_t why_len)
{
    FILE *file = tmpfile();
    const size_t n = n_bytes ? n_bytes : strlen(text);
    ck_assert(file && fwrite(text, 1, n, file) == n);
    rewind(file);
    rt_options_default(o);
    const bool ok = rt_preset_read(o, file, "p.conf", why, why_len);
    fclose(file);
    return ok;
}

START_TEST(a_good_preset_is_taken)
{
    rt_options o;
    char why[400] = "";
    ck_assert_msg(read_text(&o, good[_i].text, good[_i].n_bytes, why, sizeof why),
                  "case: %s: %s", good[_i].name, why);
    ck_assert_msg((int)o.match.k == good[_i].k, "case: %s: %u", good[_i].name,
                  o.match.k);
    ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(a_bad_preset_is_refused_with_file_and_line)
{
    rt_options o;
    char why[400] = "", want[400], small[8] = "";
    ck_assert_msg(!read_text(&o, bad[_i].text, bad[_i].n_bytes, why, sizeof why),
                  "case: %s", bad[_i].name);
    snprintf(want, sizeof want, "p.conf:%s", bad[_i].why);
    ck_assert_msg(!strcmp(why, want), "case: %s: %s", bad[_i].name, why);
    ck_assert(!read_text(&o, bad[_i].text, bad[_i].n_bytes, small, sizeof small));
    ck_assert(strlen(small) < sizeof small && !strncmp(small, want, strlen(small)));
}
END_TEST

START_TEST(values_and_lists_arrive_whole)
{
    rt_options o;
    char why[400] = "";
    ck_assert_msg(read_text(&o,
                            "[osc]\nto = a:1\nto = [::1]:2\nonsets = no\n[jack]\n"
                            "client-name = My Mixer: left = 1\nconnect = ^x\\.y.*$\n"
                            "[match]\nscales = frame, scene\nscore = 0.25 ; comment\n",
                            0, why, sizeof why),
                  "%s", why);
    ck_assert_uint_eq(o.osc.to.n, 2);
    ck_assert_str_eq(o.osc.to.item[0], "a:1");
    ck_assert_str_eq(o.osc.to.item[1], "[::1]:2");
    ck_assert_uint_eq(o.osc.onsets, 0);
    ck_assert_str_eq(o.jack.client_name, "My Mixer: left = 1");
    ck_assert_str_eq(o.jack.connect.item[0], "^x\\.y.*$");
    ck_assert_uint_eq(o.match.scales, 5);
    ck_assert_float_eq(o.match.score, 0.25F);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    char folder[200], path[256], why[400] = "", want[400];
    rt_options o;
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/none.conf", folder);
    rt_options_default(&o);
    ck_assert(!rt_preset_load(&o, path, why, sizeof why));
    snprintf(want, sizeof want, "%s: No such file or directory", path);
    ck_assert_str_eq(why, want);
    ck_assert(!rt_preset_load(&o, folder, why, sizeof why)); /* opens, is no file */
    ck_assert_msg(strstr(why, folder) == why && why[strlen(folder)] == ':', "%s", why);
    remove_tree(folder);
}
END_TEST

START_TEST(all_presets_that_come_with_it_load)
{
    DIR *dir = opendir("presets");
    int n = 0;
    ck_assert_msg(dir, "no folder presets (run from the top folder)");
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        char path[300], why[400] = "";
        rt_options o;
        if (!dot || strcmp(dot, ".conf") != 0)
            continue;
        snprintf(path, sizeof path, "presets/%s", e->d_name);
        rt_options_default(&o);
        ck_assert_msg(rt_preset_load(&o, path, why, sizeof why), "%s", why);
        n++;
    }
    closedir(dir);
    if (!n)
        puts("skipped: presets/ holds no *.conf");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/preset");
    TCase *t = tcase_create("preset");
    tcase_add_loop_test(t, a_good_preset_is_taken, 0, N(good));
    tcase_add_loop_test(t, a_bad_preset_is_refused_with_file_and_line, 0, N(bad));
    tcase_add_test(t, values_and_lists_arrive_whole);
    tcase_add_test(t, what_cannot_be_read_is_named);
    tcase_add_test(t, all_presets_that_come_with_it_load);
    suite_add_tcase(s, t);
    return run_suite(s);
}
