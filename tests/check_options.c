/* rt/options.c: every row of the table, and the parser that it drives. */
#include "rt/options.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const rt_field *
row(int i)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    ck_assert_uint_lt((size_t)i, n);
    return &f[i];
}

static void
name_of(const rt_field *f, char out[80])
{
    snprintf(out, 80, "%s.%s", f->section, f->key);
}

/* ---- The table itself --------------------------------------------------------------
 */

START_TEST(the_built_in_value_of_a_row_is_one_that_it_takes)
{
    const rt_field *f = row(_i);
    rt_options o, set;
    char name[80], why[400] = "";
    name_of(f, name);
    rt_options_default(&o);
    rt_options_default(&set);
    ck_assert_msg(rt_options_set(&set, name, f->preset, 0, why, sizeof why), "%s", why);
    set.list_set = 0; /* the trace that setting a list leaves */
    ck_assert_msg(!memcmp(&o, &set, sizeof o), "%s: setting %s changes something", name,
                  f->preset);
}
END_TEST

START_TEST(a_row_has_a_name_of_its_own_and_words)
{
    const rt_field *f = row(_i);
    ck_assert(*f->section && *f->key && *f->arg && *f->help && f->commands);
    ck_assert(!strchr(f->section, '-') && !strpbrk(f->key, "_. ="));
    ck_assert_msg(f->help[strlen(f->help) - 1] != '.', "%s", f->help);
    for (int i = 0; i < _i; i++) {
        const rt_field *g = row(i);
        ck_assert(strcmp(f->section, g->section) || strcmp(f->key, g->key));
        ck_assert_msg(!f->letter || f->letter != g->letter ||
                          !(f->commands & g->commands),
                      "two rows of a command have -%c", f->letter);
    }
}
END_TEST

/* Refused, with the setting as it was, in one sentence that names key, value, wish. */
static void
refused(const char *name, const char *value, const char *wish)
{
    rt_options before, o;
    char why[400] = "";
    rt_options_default(&before);
    rt_options_default(&o);
    ck_assert_msg(!rt_options_set(&o, name, value, 0, why, sizeof why),
                  "%s takes \"%s\"", name, value);
    ck_assert_msg(!memcmp(&o, &before, sizeof o), "%s: \"%s\" left a trace", name,
                  value);
    ck_assert_msg(strstr(why, name) == why && strstr(why, value) && strstr(why, wish),
                  "%s: \"%s\": %s", name, value, why);
}

static bool
is_float(const rt_field *f)
{
    static const char *const floats[] = {
        "gate-db",    "recall",   "score",
        "invariance", "width",    "release",
        "better-by",  "onset-db", "false-alarms-per-hour",
        "floor-db"};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (!strcmp(f->key, floats[i]))
            return true;
    return false;
}

static bool
is_list(const rt_field *f)
{
    return !strcmp(f->key, "to") || !strcmp(f->key, "connect");
}

static double
value_of(const rt_options *o, const rt_field *f)
{
    const char *at = (const char *)o + f->offset;
    float x;
    uint32_t n;
    memcpy(&x, at, sizeof x);
    memcpy(&n, at, sizeof n);
    return is_float(f) ? (double)x : n;
}

static void
takes_number(const rt_field *f, double x)
{
    rt_options o;
    char name[80], value[60], why[400] = "";
    name_of(f, name);
    snprintf(value, sizeof value, "%.17g", x);
    rt_options_default(&o);
    ck_assert_msg(rt_options_set(&o, name, value, 0, why, sizeof why), "%s", why);
    const double want = is_float(f) ? (double)(float)x : x;
    ck_assert_double_eq(value_of(&o, f), want);
}

START_TEST(a_number_is_taken_within_its_range_and_refused_just_outside)
{
    static const char *const odd[] = {"",    " ",    "abc",   "1x",        "1 2",
                                      "nan", "-nan", "inf",   "-infinity", "1e999",
                                      "--1", "1,5",  "1e-999"};
    const rt_field *f = row(_i);
    const double below = is_float(f) ? nextafter(f->min, -INFINITY) : f->min - 1;
    const double above = is_float(f) ? nextafter(f->max, INFINITY) : f->max + 1;
    char name[80], value[60], wish[80];
    if (f->min >= f->max)
        return;
    takes_number(f, f->min);
    takes_number(f, f->max);
    takes_number(f, is_float(f) ? f->min + 0.3 * (f->max - f->min) : f->max - 1);
    name_of(f, name);
    snprintf(wish, sizeof wish, "a %snumber from %g to %.10g",
             is_float(f) ? "" : "whole ", f->min, f->max);
    snprintf(value, sizeof value, "%.17g", below);
    refused(name, value, wish);
    snprintf(value, sizeof value, "%.17g", above);
    refused(name, value, wish);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        refused(name, odd[i], wish);
    if (!is_float(f)) {
        refused(name, "1.5", wish);
        refused(name, "-1", wish);
        refused(name, "4294967297", wish);
    }
}
END_TEST

START_TEST(a_choice_is_taken_by_its_whole_name_only)
{
    const rt_field *f = row(_i);
    char name[80];
    name_of(f, name);
    if (!f->choices)
        return;
    refused(name, "", f->choices[0]);
    refused(name, "nosuch", f->choices[0]);
    for (uint32_t i = 0; f->choices[i]; i++) {
        const char *choice = f->choices[i];
        rt_options o;
        uint32_t got;
        char other[40], why[400] = "";
        rt_options_default(&o);
        ck_assert_msg(rt_options_set(&o, name, choice, 0, why, sizeof why), "%s", why);
        memcpy(&got, (const char *)&o + f->offset, sizeof got);
        const bool is_set = !strcmp(f->arg, "LIST");
        ck_assert_uint_eq(got, is_set ? 1U << i : i);
        snprintf(other, sizeof other, "%.*s", (int)strlen(choice) - 1, choice);
        refused(name, other, choice); /* and it lists what there is */
        snprintf(other, sizeof other, "%sx", choice);
        refused(name, other, choice);
    }
}
END_TEST

/* ---- Names and values, by example --------------------------------------------------
 */

static const struct {
    const char *name;
    unsigned command;
    bool known;
} names[] = {
    {"match.min-gap-ms", 0, true},
    {"match-min-gap-ms", 0, true},
    {"match_min_gap_ms", 0, true},
    {"match.min_gap_ms", 0, true},
    {"match.min_gap-ms", RT_LISTEN, true},
    {"match.min-gap-ms", RT_QUERY, true},
    {"match.min-gap-ms", RT_BUILD, false},
    {"match.min-gap-ms", RT_INFO, false},
    {"match.min-gap-ms", RT_INFO | RT_QUERY, true},
    {"match.min.gap.ms", 0, false},
    {"matchmin-gap-ms", 0, false},
    {"match..min-gap-ms", 0, false},
    {"match.min-gap-m", 0, false},
    {"match.min-gap-mss", 0, false},
    {"match.min-gap-ms ", 0, false},
    {"MATCH.MIN-GAP-MS", 0, false},
    {"--match-min-gap-ms", 0, false},
    {"min-gap-ms", 0, false},
    {"match", 0, false},
    {"match.", 0, false},
    {".", 0, false},
    {"", 0, false},
};

START_TEST(a_name_is_known_in_each_spelling_and_for_its_commands_only)
{
    rt_options o;
    char why[400] = "", wish[200];
    rt_options_default(&o);
    const bool known =
        rt_options_set(&o, names[_i].name, "250", names[_i].command, why, sizeof why);
    ck_assert_msg(known == names[_i].known, "case: %s: %s", names[_i].name, why);
    ck_assert_uint_eq(o.match.min_gap_ms, known ? 250 : 0);
    snprintf(wish, sizeof wish, "there is no setting \"%s\" here", names[_i].name);
    ck_assert_str_eq(why, known ? "" : wish);
}
END_TEST

static const struct {
    const char *name, *value, *why;
} sentences[] = {
    {"match.k", "0", "match.k cannot be \"0\"; it wants a whole number from 1 to 100"},
    {"match-k", "2.5",
     "match.k cannot be \"2.5\"; it wants a whole number from 1 to 100"},
    {"index.recall", "2",
     "index.recall cannot be \"2\"; it wants a number from 0.5 to 1"},
    {"build.seed", "4294967296",
     "build.seed cannot be \"4294967296\"; it wants a whole number from 0 to "
     "4294967295"},
    {"index_family", "lsh",
     "index.family cannot be \"lsh\"; it wants one of auto, exact, hyperplane, "
     "cross-polytope, p-stable, forest, cells"},
    {"osc.onsets", "true", "osc.onsets cannot be \"true\"; it wants one of no, yes"},
    {"match.scales", "second",
     "match.scales cannot be \"second\"; it wants a list, with commas, of frame, "
     "event, scene, timbre"},
    {"jack.client-name", "",
     "jack.client-name cannot be \"\"; it wants 1 to 63 characters on one line"},
    {"osc.to", "", "osc.to cannot be \"\"; it wants 1 to 255 characters on one line"},
};

START_TEST(a_refusal_is_one_sentence)
{
    rt_options o;
    char why[400] = "", small[20] = "";
    rt_options_default(&o);
    ck_assert(!rt_options_set(&o, sentences[_i].name, sentences[_i].value, 0, why,
                              sizeof why));
    ck_assert_str_eq(why, sentences[_i].why);
    ck_assert(!rt_options_set(&o, sentences[_i].name, sentences[_i].value, 0, small,
                              sizeof small));
    ck_assert_uint_eq(strlen(small), sizeof small - 1); /* cut, and ended */
    ck_assert(!strncmp(small, why, sizeof small - 1));
}
END_TEST

static const struct {
    const char *text;
    uint32_t bits; /* 0: refused */
} sets[] = {
    {"frame", 1},       {"event", 2},
    {"scene", 4},       {"frame,scene", 5},
    {"scene,frame", 5}, {"frame, event ,scene", 7},
    {"frame event", 3}, {"event,event", 2},
    {"timbre", 8},      {"scene,timbre", 12},
    {",event,", 2},     {"", 0},
    {",", 0},           {" ", 0},
    {"event;scene", 0}, {"eventscene", 0},
    {"event,scen", 0},  {"Event", 0},
};

START_TEST(a_set_of_scales_is_a_list_in_any_order)
{
    rt_options o;
    char why[400];
    rt_options_default(&o);
    const uint32_t before = o.match.scales;
    const bool ok =
        rt_options_set(&o, "match.scales", sets[_i].text, 0, why, sizeof why);
    ck_assert_msg(ok == !!sets[_i].bits, "case: \"%s\"", sets[_i].text);
    ck_assert_uint_eq(o.match.scales, ok ? sets[_i].bits : before);
}
END_TEST

static const struct {
    const char *name;
    size_t cap; /* with the zero at its end */
} texts[] = {
    {"build.output", RT_TEXT}, {"jack.client-name", RT_NAME}, {"jack.inputs", RT_TEXT},
    {"osc.to", RT_ITEM},       {"jack.connect", RT_ITEM},
};

START_TEST(a_text_is_taken_up_to_its_length_and_without_control_characters)
{
    static const char *const odd[] = {"", "a\tb", "a\nb", "\x1b[2J", "a\x7f", "\r"};
    char value[RT_TEXT + 1], why[RT_TEXT * 2] = "";
    rt_options o;
    memset(value, 'x', sizeof value);
    rt_options_default(&o);
    value[texts[_i].cap - 1] = 0;
    ck_assert_msg(rt_options_set(&o, texts[_i].name, value, 0, why, sizeof why), "%s",
                  why);
    value[texts[_i].cap - 1] = 'x';
    value[texts[_i].cap] = 0;
    ck_assert(!rt_options_set(&o, texts[_i].name, value, 0, why, sizeof why));
    ck_assert_msg(strlen(why) < 200, "%s",
                  why); /* a long value is not repeated whole */
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        refused(texts[_i].name, odd[i], "characters on one line");
    ck_assert(
        rt_options_set(&o, texts[_i].name, "Gerät 2 ; # = \"x\"", 0, why, sizeof why));
}
END_TEST

/* ---- Lists -------------------------------------------------------------------------
 */

START_TEST(a_list_replaces_its_default_once_then_grows_to_sixteen)
{
    rt_options o, full;
    char why[400] = "", value[40];
    rt_options_default(&o);
    ck_assert_uint_eq(o.osc.to.n, 1);
    ck_assert_str_eq(o.osc.to.item[0], "127.0.0.1:9000");
    for (uint32_t i = 0; i < RT_LIST; i++) {
        snprintf(value, sizeof value, "host%u:9000", i);
        ck_assert_msg(rt_options_set(&o, "osc.to", value, 0, why, sizeof why), "%s",
                      why);
        ck_assert_uint_eq(o.osc.to.n, i + 1);
        ck_assert_str_eq(o.osc.to.item[0], "host0:9000");
        ck_assert_str_eq(o.osc.to.item[i], value);
    }
    full = o;
    ck_assert(!rt_options_set(&o, "osc.to", "host16:9000", 0, why, sizeof why));
    ck_assert_str_eq(why, "osc.to cannot be \"host16:9000\"; it wants 16 at most");
    ck_assert(!memcmp(&o, &full, sizeof o));
    ck_assert_str_eq(o.jack.connect.item[0], "auto"); /* the other list is as it was */
}
END_TEST

START_TEST(a_refused_item_does_not_take_the_default_away)
{
    rt_options o;
    char why[400];
    rt_options_default(&o);
    ck_assert(!rt_options_set(&o, "jack.connect", "", 0, why, sizeof why));
    ck_assert(o.jack.connect.n == 1 && !strcmp(o.jack.connect.item[0], "auto"));
    ck_assert(rt_options_set(&o, "jack.connect", "a", 0, why, sizeof why));
    ck_assert(o.jack.connect.n == 1 && !strcmp(o.jack.connect.item[0], "a"));
}
END_TEST

/* ---- Writing -----------------------------------------------------------------------
 */

/* Defaults, with values far from them in every row of a section (NULL: of all). */
static void
set_section(rt_options *o, const char *section)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    rt_options_default(o);
    for (size_t i = 0; i < n; i++) {
        char name[80], value[80], why[400] = "";
        name_of(&f[i], name);
        if (section && strcmp(section, f[i].section) != 0)
            continue;
        if (!strcmp(f[i].arg, "LIST"))
            snprintf(value, sizeof value, "frame,scene");
        else if (f[i].choices)
            snprintf(value, sizeof value, "%s", f[i].choices[1]);
        else if (f[i].max > f[i].min && is_float(&f[i]))
            snprintf(value, sizeof value, "%.17g",
                     f[i].min + (f[i].max - f[i].min) / 3);
        else if (f[i].max > f[i].min)
            snprintf(value, sizeof value, "%.0f", f[i].max);
        else
            snprintf(value, sizeof value, "%s number %zu: x=y", f[i].key, i);
        for (int times = is_list(&f[i]) ? 3 : 1; times > 0; times--)
            ck_assert_msg(rt_options_set(o, name, value, 0, why, sizeof why), "%s",
                          why);
    }
}

static const char *const sections[] = {"build", "dsp",  "index", "match",
                                       "osc",   "jack", "out",   "listen"};

START_TEST(what_is_written_of_a_section_is_read_back_as_it_was)
{
    enum { CAP = 20000 };
    static char text[CAP];
    rt_options all, back, expected;
    char why[400] = "";
    set_section(&all, NULL);
    const size_t length = rt_options_write(&all, sections[_i], text, CAP);
    ck_assert(length > 0 && length == strlen(text) && text[length - 1] == '\n');
    rt_options_default(&back);
    FILE *file = fmemopen(text, length, "r");
    ck_assert_msg(rt_preset_read(&back, file, "text", why, sizeof why), "%s\n%s", why,
                  text);
    fclose(file);
    set_section(&expected, sections[_i]); /* all of this section, and nothing else */
    ck_assert_msg(!memcmp(&back, &expected, sizeof back), "%s", text);
}
END_TEST

START_TEST(writing_into_too_little_room_cuts_and_tells_the_length)
{
    char whole[1000], part[1000];
    rt_options o;
    rt_options_default(&o);
    const size_t length = rt_options_write(&o, "index", whole, sizeof whole);
    ck_assert_uint_eq(rt_options_write(&o, "index", NULL, 0), length);
    for (size_t cap = 1; cap <= length + 1; cap++) {
        memset(part, '#', sizeof part);
        ck_assert_uint_eq(rt_options_write(&o, "index", part, cap), length);
        ck_assert_uint_lt(strlen(part), cap);
        ck_assert(part[cap] == '#' && !strncmp(part, whole, strlen(part)));
    }
    ck_assert_uint_eq(rt_options_write(&o, "nosuch", part, sizeof part), 0);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/options");
    TCase *t = tcase_create("options");
    size_t n;
    rt_fields(&n);
    tcase_add_loop_test(t, the_built_in_value_of_a_row_is_one_that_it_takes, 0, (int)n);
    tcase_add_loop_test(t, a_row_has_a_name_of_its_own_and_words, 0, (int)n);
    tcase_add_loop_test(t, a_number_is_taken_within_its_range_and_refused_just_outside,
                        0, (int)n);
    tcase_add_loop_test(t, a_choice_is_taken_by_its_whole_name_only, 0, (int)n);
    tcase_add_loop_test(t, a_name_is_known_in_each_spelling_and_for_its_commands_only,
                        0, N(names));
    tcase_add_loop_test(t, a_refusal_is_one_sentence, 0, N(sentences));
    tcase_add_loop_test(t, a_set_of_scales_is_a_list_in_any_order, 0, N(sets));
    tcase_add_loop_test(t,
                        a_text_is_taken_up_to_its_length_and_without_control_characters,
                        0, N(texts));
    tcase_add_test(t, a_list_replaces_its_default_once_then_grows_to_sixteen);
    tcase_add_test(t, a_refused_item_does_not_take_the_default_away);
    tcase_add_loop_test(t, what_is_written_of_a_section_is_read_back_as_it_was, 0,
                        N(sections));
    tcase_add_test(t, writing_into_too_little_room_cuts_and_tells_the_length);
    suite_add_tcase(s, t);
    return run_suite(s);
}
