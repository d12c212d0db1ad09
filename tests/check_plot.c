/* rt/plot.c and rt/plot_svg.c: pictures that are XML, complete and within their frame.
 */
#include "rt/plot.h"
#include "support.h"
#include "xml.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The reader ------------------------------------------------------------------ */

START_TEST(the_reader_of_these_tests_tells_right_from_wrong)
{
#define X "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    ck_assert(is_well_formed(X "<svg a=\"b\">text &#38;<g/><g c=\"d\">x</g></svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\"><g></svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\"><g></svg></g>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\">a & b</svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\">a < b</svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\">a\tb</svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=b></svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"<\"></svg>\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\">\n"));
    ck_assert(!is_well_formed(X "<svg a=\"b\"></svg></svg>\n"));
    ck_assert(!is_well_formed("<svg a=\"b\"></svg>\n"));
}
END_TEST

/* ---- Plots --------------------------------------------------------------------------
 */

static char folder[200], path[300];

static void
enter_folder(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/p.svg", folder);
}

static void
leave_folder(void)
{
    remove_tree(folder);
}

/* Files in the folder. */
static size_t
count_files(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

enum { POINTS = 11, MOST_TEXT = 200000 };

static double falling[POINTS];

/* As much as fits. */
static rt_plot
full_plot(void)
{
    static const char *const name[] = {
        "one",  "two", "three", "four", "five", "six", "seven", "eight",
        "nine", "ten", "11",    "12",   "13",   "14",  "15",    "sixteen"};
    rt_plot p = {.title = "the whole",
                 .curve_title = "left panel",
                 .bar_title = "right panel",
                 .bar_axis = "recall@1",
                 .n_curves = RT_PLOT_CURVES,
                 .set_name = {"event", "scene", "frame", "label"},
                 .n_sets = RT_PLOT_SETS,
                 .n_bars = RT_PLOT_BARS};
    for (int i = 0; i < POINTS; i++)
        falling[i] = 1 - 0.06 * i;
    for (size_t i = 0; i < RT_PLOT_CURVES; i++)
        p.curve[i] = (rt_plot_curve){name[i], NULL, falling, POINTS};
    for (size_t i = 0; i < RT_PLOT_BARS; i++)
        p.bar[i] =
            (rt_plot_bar){name[i], {(double)i / 15, 1 - (double)i / 15, 0.5, 0.25}};
    return p;
}

/* Writes the plot and reads it back, well-formed. */
static const char *
drawn(const rt_plot *p)
{
    static char text[MOST_TEXT];
    char why[400] = "";
    ck_assert_msg(rt_plot_write(path, p, why, sizeof why), "%s", why);
    ck_assert_str_eq(why, "");
    FILE *file = fopen(path, "r");
    ck_assert(file != NULL);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    ck_assert_uint_lt(n, sizeof text - 1);
    ck_assert_msg(is_well_formed(text), "%s", text);
    return text;
}

static size_t
count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

START_TEST(a_full_plot_is_drawn_whole)
{
    const rt_plot p = full_plot();
    const char *text = drawn(&p);
    ck_assert_uint_eq(count(text, "<polyline "), RT_PLOT_CURVES);
    ck_assert_uint_eq(count(text, "stroke=\"#ffffff\"/>"),
                      RT_PLOT_CURVES * (POINTS + 1));
    ck_assert_uint_eq(count(text, " %</title></rect>"), RT_PLOT_BARS * RT_PLOT_SETS);
    ck_assert_uint_eq(count(text, ">one</text>"), 2);     /* legend and bar */
    ck_assert_uint_eq(count(text, ">sixteen</text>"), 1); /* the last bar */
    ck_assert_uint_eq(count(text, ">frame</text>"), 1);
    ck_assert(strstr(text, "width=\"900\" height=\"420\""));
    ck_assert(strstr(text, "fill=\"#ffffff\"/>")); /* a ground of its own */
    ck_assert(strstr(text, ">recall@1</text>") && strstr(text, ">precision</text>"));
    ck_assert(strstr(text, ">left panel</text>") &&
              strstr(text, ">right panel</text>"));
    ck_assert(!strstr(text, "script") && !strstr(text, "href") &&
              !strstr(text, "url("));
    ck_assert(!strstr(text, "nan") && !strstr(text, "inf"));
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(the_same_plot_gives_the_same_bytes_and_replaces_the_file)
{
    static char first[MOST_TEXT];
    const rt_plot p = full_plot(), none = {.n_curves = 0};
    snprintf(first, sizeof first, "%s", drawn(&p));
    ck_assert_str_ne(drawn(&none), first);
    ck_assert_str_eq(drawn(&p), first);
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(points_stand_where_their_numbers_say)
{
    static const double recall[] = {0, 0.5, 1}, precision[] = {1, 0.25, 0};
    rt_plot p = {.n_curves = 1, .n_bars = 2, .n_sets = 1};
    p.curve[0] = (rt_plot_curve){"c", recall, precision, 3};
    p.bar[0] = (rt_plot_bar){"none", {0}};
    p.bar[1] = (rt_plot_bar){"all", {1}};
    const char *text = drawn(&p);
    ck_assert(strstr(text, "points=\"62.0,66.0 247.0,261.0 432.0,326.0\""));
    ck_assert(strstr(text, "width=\"0.0\"") && strstr(text, "width=\"252.0\""));
    ck_assert(strstr(text, "none: 0.0 %</title>") &&
              strstr(text, "all: 100.0 %</title>"));
    p.curve[0].recall = NULL; /* spread evenly */
    ck_assert(strstr(drawn(&p), "points=\"62.0,66.0 247.0,261.0 432.0,326.0\""));
}
END_TEST

START_TEST(little_is_drawn_too)
{
    static const double one[] = {1};
    rt_plot p = {.n_curves = 0};
    ck_assert_uint_eq(count(drawn(&p), ">nothing to show<"), 2);
    p.n_curves = 1;
    p.curve[0] = (rt_plot_curve){"", NULL, one, 1};
    ck_assert(strstr(drawn(&p), "points=\"62.0,66.0\""));
    p.n_bars = p.n_sets = 1;
    p.bar[0] = (rt_plot_bar){"", {0.125}};
    ck_assert_uint_eq(count(drawn(&p), ">nothing to show<"), 0);
    ck_assert(strstr(drawn(&p), ">12.5</text>"));
}
END_TEST

START_TEST(many_points_are_a_line_without_marks)
{
    enum { MANY = 1000 };
    static double recall[MANY], precision[MANY];
    rt_plot p = {.n_curves = 1};
    for (int i = 0; i < MANY; i++)
        recall[i] = precision[i] = (double)i / (MANY - 1);
    p.curve[0] = (rt_plot_curve){"c", recall, precision, MANY};
    ck_assert_uint_eq(count(drawn(&p), "stroke=\"#ffffff\""), 0);
}
END_TEST

START_TEST(a_mean_that_rounds_above_one_is_drawn)
{
    rt_plot p = full_plot();
    p.bar[0].value[0] = nextafter(1, 2);
    ck_assert(strstr(drawn(&p), "one, event: 100.0 %"));
}
END_TEST

/* ---- Names --------------------------------------------------------------------------
 */

#define BAD "&#65533;"

static const struct {
    const char *name, *text, *want;
} names[] = {
    {"plain", "noise 10 dB", "noise 10 dB"},
    {"what XML knows", "<a> & \"b\" 'c'", "&#60;a&#62; &#38; &#34;b&#34; 'c'"},
    {"what would end it", "</text>", "&#60;/text&#62;"},
    {"an entity", "&amp;", "&#38;amp;"},
    {"what CDATA ends with", "]]>", "]]&#62;"},
    {"UTF-8", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8a",
     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8a"},
    {"control characters", "a\x01\n\t\x1b\x7f", "a" BAD BAD BAD BAD BAD},
    {"C1 control characters", "\xc2\x85", BAD BAD},
    {"Latin-1", "Ger\xe4t", "Ger" BAD "t"},
    {"cut short", "\xe2\x82", BAD BAD},
    {"overlong", "\xc0\xbc", BAD BAD},
    {"a surrogate", "\xed\xa0\x80", BAD BAD BAD},
    {"no character of XML", "\xef\xbf\xbe", BAD BAD BAD},
    {"beyond Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD},
    {"percent signs", "%s %n 100 %", "%s %n 100 %"},
    {"19 letters", "abcdefghijklmnopqrs", "abcdefghijklmnopqrs"},
    {"20 letters", "abcdefghijklmnopqrst", "abcdefghijklmnopqr\xe2\x80\xa6"},
    {"19 letters of two bytes",
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"},
    {"10 wide ones",
     "\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d"
     "\xb1"
     "\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1",
     "\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d\xb1\xe6\x9d"
     "\xb1"
     "\xe6\x9d\xb1\xe6\x9d\xb1\xe2\x80\xa6"},
};

START_TEST(a_name_is_escaped_and_shortened)
{
    rt_plot p = {.n_bars = 1, .n_sets = 1};
    char want[300];
    p.bar[0] = (rt_plot_bar){names[_i].text, {1}};
    const char *text = drawn(&p);
    snprintf(want, sizeof want, "text-anchor=\"end\">%s</text>", names[_i].want);
    ck_assert_msg(strstr(text, want) != NULL, "case: %s: %s", names[_i].name, text);
}
END_TEST

START_TEST(every_text_is_escaped)
{
    static const char evil[] = "<&\">";
    rt_plot p = full_plot();
    p.title = p.curve_title = p.bar_title = p.bar_axis = evil;
    for (size_t i = 0; i < p.n_curves; i++)
        p.curve[i].name = evil;
    for (size_t i = 0; i < p.n_bars; i++)
        p.bar[i].name = evil;
    for (size_t i = 0; i < p.n_sets; i++)
        p.set_name[i] = evil;
    /* title twice, 3 more, a curve twice, a bar 1 + 2 x 4, a set once */
    ck_assert_uint_eq(count(drawn(&p), "&#60;&#38;&#34;&#62;"), 5 + 12 + 16 * 9 + 4);
}
END_TEST

/* ---- What is refused ----------------------------------------------------------------
 */

static const double wrong[] = {0.5, 0.5, -0.01}, no_number[] = {NAN, 1},
                    high[] = {1.01};

static void
bad_precision(rt_plot *p)
{
    p->curve[1] = (rt_plot_curve){"two", NULL, wrong, 3};
}

static void
bad_recall(rt_plot *p)
{
    p->curve[5] = (rt_plot_curve){"six", high, falling, 1};
}

static void
nan_precision(rt_plot *p)
{
    p->curve[0] = (rt_plot_curve){"one", NULL, no_number, 2};
}

static void
bad_value(rt_plot *p)
{
    p->bar[15].value[2] = INFINITY;
}

static void
nan_value(rt_plot *p)
{
    p->bar[0].value[0] = NAN;
}

static void
no_points(rt_plot *p)
{
    p->curve[2].n = 0;
}

static void
no_curve_name(rt_plot *p)
{
    p->curve[0].name = NULL;
}

static void
no_bar_name(rt_plot *p)
{
    p->bar[3].name = NULL;
}

static void
no_set_name(rt_plot *p)
{
    p->set_name[1] = NULL;
}

static void
many_curves(rt_plot *p)
{
    p->n_curves = RT_PLOT_CURVES + 1;
}

static void
many_bars(rt_plot *p)
{
    p->n_bars = RT_PLOT_BARS + 1;
}

static void
many_sets(rt_plot *p)
{
    p->n_sets = RT_PLOT_SETS + 1;
}

static void
no_sets(rt_plot *p)
{
    p->n_sets = 0;
}

static const struct {
    void (*spoil)(rt_plot *p);
    const char *why;
} refused[] = {
    {bad_precision, "curve \"two\", point 3: precision is -0.01, not 0 to 1"},
    {bad_recall, "curve \"six\", point 1: recall is 1.01, not 0 to 1"},
    {nan_precision, "curve \"one\", point 1: precision is nan, not 0 to 1"},
    {bad_value, "bar \"sixteen\", set 3: the value is inf, not 0 to 1"},
    {nan_value, "bar \"one\", set 1: the value is nan, not 0 to 1"},
    {no_points, "curve 3 has no name or no points"},
    {no_curve_name, "curve 1 has no name or no points"},
    {no_bar_name, "bar 4 has no name"},
    {no_set_name, "set 2 of the bars has no name"},
    {many_curves, "7 curves; 6 can be shown"},
    {many_bars, "17 bars; 16 can be shown"},
    {many_sets, "5 sets of bars; 1 to 4 can be shown"},
    {no_sets, "0 sets of bars; 1 to 4 can be shown"},
};

START_TEST(what_cannot_be_shown_is_refused_and_leaves_nothing)
{
    rt_plot p = full_plot();
    char why[400] = "", want[700];
    refused[_i].spoil(&p);
    ck_assert(!rt_plot_write(path, &p, why, sizeof why));
    snprintf(want, sizeof want, "%s: %s", path, refused[_i].why);
    ck_assert_str_eq(why, want);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

/* Writes to where it must fail; why without the path. */
static const char *
refusal(const char *where)
{
    static char why[6000];
    const rt_plot p = full_plot();
    ck_assert(!rt_plot_write(where, &p, why, sizeof why));
    ck_assert_msg(!strncmp(why, where, strlen(where)), "%s", why);
    ck_assert_int_eq(strncmp(why + strlen(where), ": ", 2), 0);
    return why + strlen(where) + 2;
}

START_TEST(a_path_that_cannot_be_written_is_named)
{
    char below[400], want[400], long_path[5000];
    snprintf(below, sizeof below, "%s/no/such.svg", folder);
    snprintf(want, sizeof want, "cannot create it: %s", strerror(ENOENT));
    ck_assert_str_eq(refusal(below), want);
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = 0;
    snprintf(want, sizeof want, "cannot create it: %s", strerror(ENAMETOOLONG));
    ck_assert_str_eq(refusal(long_path), want);
    ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_replaced)
{
    struct stat st;
    ck_assert(!mkfifo(path, 0600));
    ck_assert_str_eq(refusal(path), "not a regular file, and so not replaced");
    ck_assert_str_eq(refusal(folder), "not a regular file, and so not replaced");
    ck_assert(!stat(path, &st) && S_ISFIFO(st.st_mode));
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(a_disk_that_fills_up_leaves_the_old_file)
{
    struct rlimit before;
    FILE *file = fopen(path, "w");
    fputs("old", file);
    fclose(file);
    ck_assert(!getrlimit(RLIMIT_FSIZE, &before));
    const struct rlimit little = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    const rt_plot p = full_plot();
    char why[400] = "", want[400], text[10] = "";
    setrlimit(RLIMIT_FSIZE, &little);
    const bool ok = rt_plot_write(path, &p, why, sizeof why);
    setrlimit(RLIMIT_FSIZE, &before); /* before check writes anything */
    signal(SIGXFSZ, SIG_DFL);
    ck_assert(!ok);
    snprintf(want, sizeof want, "%s: cannot write it: %s", path, strerror(EFBIG));
    ck_assert_str_eq(why, want);
    file = fopen(path, "r");
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, file), 3);
    fclose(file);
    ck_assert_str_eq(text, "old");
    ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(a_name_left_from_a_crash_is_not_in_the_way)
{
    char left[400];
    const rt_plot p = full_plot();
    snprintf(left, sizeof left, "%s.tmp-%ld-0", path, (long)getpid());
    fclose(fopen(left, "w"));
    drawn(&p);
    ck_assert_uint_eq(count_files(), 2); /* it is not ours to remove */
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/plot");
    TCase *t = tcase_create("plot");
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_test(t, the_reader_of_these_tests_tells_right_from_wrong);
    tcase_add_test(t, a_full_plot_is_drawn_whole);
    tcase_add_test(t, the_same_plot_gives_the_same_bytes_and_replaces_the_file);
    tcase_add_test(t, points_stand_where_their_numbers_say);
    tcase_add_test(t, little_is_drawn_too);
    tcase_add_test(t, many_points_are_a_line_without_marks);
    tcase_add_test(t, a_mean_that_rounds_above_one_is_drawn);
    tcase_add_loop_test(t, a_name_is_escaped_and_shortened, 0, N(names));
    tcase_add_test(t, every_text_is_escaped);
    tcase_add_loop_test(t, what_cannot_be_shown_is_refused_and_leaves_nothing, 0,
                        N(refused));
    tcase_add_test(t, a_path_that_cannot_be_written_is_named);
    tcase_add_test(t, what_is_no_regular_file_is_not_replaced);
    tcase_add_test(t, a_disk_that_fills_up_leaves_the_old_file);
    tcase_add_test(t, a_name_left_from_a_crash_is_not_in_the_way);
    suite_add_tcase(s, t);
    return run_suite(s);
}
