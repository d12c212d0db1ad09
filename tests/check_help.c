/* rt/help.c: --help, the man page and the command line. */
#include "rt/counts.h"
#include "rt/options.h"
#include "rt/rt.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned bit;
} commands[] = {{"build", RT_BUILD},   {"listen", RT_LISTEN}, {"query", RT_QUERY},
                {"info", RT_INFO},     {"check", RT_CHECK},   {"eval", RT_EVAL},
                {"import", RT_IMPORT}, {"export", RT_EXPORT}, {"tune", RT_TUNE},
                {"merge", RT_MERGE},   {"top", RT_TOP}};

/* What a writer gives, as text that stays until the next call. */
static char *
help_text(unsigned bit, bool man)
{
    static char text[65536];
    memset(text, 0, sizeof text);
    FILE *file = fmemopen(text, sizeof text - 1, "w");
    if (man)
        rt_man(file);
    else
        rt_help(file, bit);
    ck_assert(!ferror(file) && !fclose(file));
    return text;
}

START_TEST(help_of_a_command_names_each_of_its_options_and_no_other)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    char *text = help_text(commands[_i].bit, false), usage[80];
    snprintf(usage, sizeof usage, "usage: hearken %s ", commands[_i].name);
    ck_assert_msg(strstr(text, usage) == text, "%s", text);
    ck_assert(strstr(text, "  --preset FILE") && strstr(text, "  --help"));
    for (size_t i = 0; i < n; i++) {
        const bool mine = f[i].commands & commands[_i].bit;
        char option[120] = "  ";
        if (f[i].letter)
            snprintf(option, sizeof option, "  -%c, ", f[i].letter);
        const size_t at = strlen(option);
        snprintf(option + at, sizeof option - at, "--%s-%s %s", f[i].section, f[i].key,
                 f[i].arg);
        ck_assert_msg(!!strstr(text, option) == mine, "%s", option);
    }
}
END_TEST

START_TEST(help_fits_eighty_columns)
{
    char *text = help_text(
        _i < (int)(sizeof commands / sizeof *commands) ? commands[_i].bit : 0, false);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 80, "%s", line);
}
END_TEST

START_TEST(help_tells_the_built_in_value_and_the_range)
{
    static const char *const parts[] = {
        "(event,scene; of: frame event scene timbre)", "(0.5; 0 to 1)",
        "(-60; -120 to 0)", "(auto; of: auto json table none)", "(0; 0 to 600000)"};
    char *text = help_text(RT_QUERY, false), *to = text;
    for (const char *from = text; *from; from++) /* undo the line breaks */
        if (*from != '\n' && (*from != ' ' || (to > text && to[-1] != ' ')))
            *to++ = *from;
    *to = 0;
    ck_assert_msg(strstr(text, parts[_i]), "%s in:\n%s", parts[_i], text);
}
END_TEST

START_TEST(the_man_page_names_each_option_under_each_of_its_commands)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    char *text = help_text(0, true), heading[80];
    snprintf(heading, sizeof heading, "\n.SS hearken %s ", commands[_i].name);
    char *part = strstr(text, heading);
    ck_assert_msg(part, "no %s", heading);
    char *end = strstr(part + 1, "\n.S");
    ck_assert(end);
    *end = 0;
    ck_assert(strstr(part, "\n.B \\-\\-preset FILE\n"));
    for (size_t i = 0; i < n; i++) {
        char option[160] = "\\-\\-";
        size_t at = strlen(option);
        char plain[80];
        snprintf(plain, sizeof plain, "%s-%s", f[i].section, f[i].key);
        for (const char *c = plain; *c; c++)
            at += (size_t)snprintf(option + at, sizeof option - at, "%s%c",
                                   *c == '-' ? "\\" : "", *c);
        snprintf(option + at, sizeof option - at, " %s\n", f[i].arg);
        ck_assert_msg(!!strstr(part, option) == !!(f[i].commands & commands[_i].bit),
                      "%s", option);
    }
}
END_TEST

/* ---- Command line ------------------------------------------------------------------
 */

enum { MOST_ARGS = 12, MOST_TEXT = 8192 };

/* What a parse gave, with all that it printed. */
typedef struct {
    rt_options o;
    char words[MOST_ARGS][256], *argv[MOST_ARGS + 1];
    const char *rest[MOST_ARGS + 1];
    int n, status;
    char out[MOST_TEXT], err[MOST_TEXT];
} parsed;

static void
read_back(FILE *file, char out[MOST_TEXT])
{
    rewind(file);
    out[fread(out, 1, MOST_TEXT - 1, file)] = 0;
    fclose(file);
}

static void
parse(parsed *p, unsigned bit, const char *const args[])
{
    int argc = 0;
    memset(p, 0, sizeof *p);
    for (; args[argc]; argc++) {
        snprintf(p->words[argc], sizeof p->words[argc], "%s", args[argc]);
        p->argv[argc] = p->words[argc];
    }
    FILE *const file[] = {tmpfile(), tmpfile()};
    fflush(stdout);
    const int before[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    for (int fd = 1; fd <= 2; fd++)
        dup2(fileno(file[fd - 1]), fd);
    p->n = rt_options_parse(&p->o, bit, argc, p->argv, p->rest, &p->status);
    fflush(stdout);
    for (int fd = 1; fd <= 2; fd++) {
        dup2(before[fd - 1], fd);
        close(before[fd - 1]);
    }
    read_back(file[0], p->out);
    read_back(file[1], p->err);
}

static const struct {
    const char *name;
    const char *args[MOST_ARGS];
    int n; /* -2: help, -1: refused */
    uint32_t k;
    const char *rest[4];
    const char *err; /* the whole line */
} lines[] = {
    {"nothing", {"query"}, 0, 1, {NULL}, ""},
    {"words", {"query", "a", "b"}, 2, 1, {"a", "b"}, ""},
    {"an option before", {"query", "--match-k", "3", "a", "b"}, 2, 3, {"a", "b"}, ""},
    {"an option between", {"query", "a", "--match-k", "3", "b"}, 2, 3, {"a", "b"}, ""},
    {"an option after", {"query", "a", "b", "--match-k", "3"}, 2, 3, {"a", "b"}, ""},
    {"an equals sign", {"query", "--match-k=3", "a"}, 1, 3, {"a"}, ""},
    {"a letter", {"query", "-k", "3", "a"}, 1, 3, {"a"}, ""},
    {"a letter and its value", {"query", "-k3", "a"}, 1, 3, {"a"}, ""},
    {"the last one wins", {"query", "-k", "3", "--match-k=4"}, 0, 4, {NULL}, ""},
    {"two dashes end options", {"query", "--", "-k", "3"}, 2, 1, {"-k", "3"}, ""},
    {"one dash is a word", {"query", "-", "a"}, 2, 1, {"-", "a"}, ""},
    {"a beginning that only one has", {"query", "--match-conf", "2"}, 0, 1, {NULL}, ""},
    {"an empty word", {"query", "", "a"}, 2, 1, {"", "a"}, ""},
    {"an unknown option",
     {"query", "a", "--nosuch", "b"},
     -1,
     1,
     {NULL},
     "hearken: there is no option --nosuch; see hearken query --help\n"},
    {"an unknown letter",
     {"query", "a", "-x", "b"},
     -1,
     1,
     {NULL},
     "hearken: there is no option -x; see hearken query --help\n"},
    {"an unknown letter before others",
     {"query", "a", "-xyz"},
     -1,
     1,
     {NULL},
     "hearken: there is no option -x; see hearken query --help\n"},
    {"an unknown letter in front",
     {"query", "-xk", "3"},
     -1,
     1,
     {NULL},
     "hearken: there is no option -x; see hearken query --help\n"},
    {"an option of another command",
     {"query", "--build-threads", "2"},
     -1,
     1,
     {NULL},
     "hearken: there is no option --build-threads; see hearken query --help\n"},
    {"a beginning that two have",
     {"query", "--match-s", "2"},
     -1,
     1,
     {NULL},
     "hearken: there is no option --match-s; see hearken query --help\n"},
    {"a value too few",
     {"query", "a", "--match-k"},
     -1,
     1,
     {NULL},
     "hearken: --match-k needs a value; see hearken query --help\n"},
    {"a letter's value too few",
     {"query", "a", "-k"},
     -1,
     1,
     {NULL},
     "hearken: -k needs a value; see hearken query --help\n"},
    {"a preset too few",
     {"query", "--preset"},
     -1,
     1,
     {NULL},
     "hearken: --preset needs a value; see hearken query --help\n"},
    {"a bad value",
     {"query", "--match-k", "0"},
     -1,
     1,
     {NULL},
     "hearken: match.k cannot be \"0\"; it wants a whole number from 1 to 100; see "
     "hearken query --help\n"},
    {"an empty value",
     {"query", "--match-k="},
     -1,
     1,
     {NULL},
     "hearken: match.k cannot be \"\"; it wants a whole number from 1 to 100; see "
     "hearken query --help\n"},
    {"help", {"query", "--help"}, -2, 1, {NULL}, ""},
    {"help by letter, after words", {"query", "a", "-h"}, -2, 1, {NULL}, ""},
    {"help beside a bad value", {"query", "-k", "0", "--help"}, -2, 1, {NULL}, ""},
};

START_TEST(a_command_line_is_taken_apart_or_refused_in_one_sentence)
{
    static parsed p;
    parse(&p, RT_QUERY, lines[_i].args);
    ck_assert_msg(p.n == lines[_i].n, "case: %s: %d", lines[_i].name, p.n);
    ck_assert_msg(p.status == (p.n == -1 ? RT_USAGE : RT_OK), "case: %s: status %d",
                  lines[_i].name, p.status);
    ck_assert_str_eq(p.err, lines[_i].err);
    ck_assert_uint_eq(p.o.match.k, lines[_i].k);
    for (int i = 0; i < p.n; i++)
        ck_assert_str_eq(p.rest[i], lines[_i].rest[i]);
    ck_assert_str_eq(p.out, p.n == -2 ? help_text(RT_QUERY, false) : "");
}
END_TEST

/* Whether a row of the command has the letter; rows of other commands may have it too.
 */
static bool
has_letter(char letter, unsigned bit)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++)
        if (f[i].letter == letter && f[i].commands & bit)
            return true;
    return false;
}

START_TEST(each_option_of_each_command_is_taken_by_the_command_line)
{
    static parsed p;
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++) {
        char option[80], letter[4];
        snprintf(option, sizeof option, "--%s-%s", f[i].section, f[i].key);
        snprintf(letter, sizeof letter, "-%c", f[i].letter);
        const int want = f[i].commands & commands[_i].bit ? 1 : -1;
        parse(&p, commands[_i].bit, (const char *[]){"x", option, f[i].preset, "y", 0});
        ck_assert_msg(p.n == want, "%s: %s", option, p.err);
        if (!f[i].letter || (want < 0 && has_letter(f[i].letter, commands[_i].bit)))
            continue;
        parse(&p, commands[_i].bit, (const char *[]){"x", letter, f[i].preset, "y", 0});
        ck_assert_msg(p.n == want, "%s: %s", letter, p.err);
    }
}
END_TEST

START_TEST(one_letter_sets_what_its_command_means)
{
    static parsed p;
    parse(&p, RT_BUILD, (const char *[]){"build", "-o", "a", 0});
    ck_assert_str_eq(p.o.build.output, "a");
    ck_assert_str_eq(p.o.import.output, "vectors.hkn");
    parse(&p, RT_IMPORT, (const char *[]){"import", "-o", "b", 0});
    ck_assert_str_eq(p.o.import.output, "b");
    parse(&p, RT_EXPORT, (const char *[]){"export", "-o", "c", 0});
    ck_assert_str_eq(p.o.export.output, "c");
    ck_assert_str_eq(p.o.build.output, "corpus.hkn");
}
END_TEST

/* ---- Presets on the command line ---------------------------------------------------
 */

static char folder[200];

static void
enter_folder(void)
{
    make_folder(folder, sizeof folder);
}

static void
leave_folder(void)
{
    remove_tree(folder);
}

/* A preset in a folder of its own; returns its path. */
static const char *
write_preset(const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/p.conf", folder);
    FILE *f = fopen(path, "w");
    ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

START_TEST(options_win_over_the_preset_wherever_they_stand)
{
    static parsed p;
    const char *path = write_preset("match.k = 7\nmatch.score = 0.875\nosc.to = a:1\n"
                                    "osc.to = b:2\njack.connect = c\njack.connect = d\n"
                                    "build.threads = 3\n");
    const char *const before[] = {"listen",   "--preset", path,    "-k", "9",
                                  "--osc-to", "x:3",      "i.hkn", NULL};
    const char *const after[] = {"listen", "-k",       "9",  "--osc-to", "x:3",
                                 "i.hkn",  "--preset", path, NULL};
    parse(&p, RT_LISTEN, _i ? after : before);
    ck_assert_str_eq(p.err, "");
    ck_assert_int_eq(p.n, 1);
    ck_assert_str_eq(p.rest[0], "i.hkn");
    ck_assert_uint_eq(p.o.match.k, 9);             /* option */
    ck_assert_float_eq(p.o.match.score, 0.875F);   /* preset */
    ck_assert_float_eq(p.o.match.gate_db, -60.0F); /* built in */
    ck_assert_uint_eq(p.o.build.threads, 3);       /* for another command: kept */
    ck_assert_uint_eq(p.o.osc.to.n, 1);            /* a list is replaced as a whole */
    ck_assert_str_eq(p.o.osc.to.item[0], "x:3");
    ck_assert_uint_eq(p.o.jack.connect.n, 2);
    ck_assert_str_eq(p.o.jack.connect.item[1], "d");
}
END_TEST

static const struct {
    const char *text, *err; /* err: after "hearken: PATH" */
} bad_presets[] = {
    {"match.k = 3\n\nmatch.q = 4\n", ":3: there is no setting \"match.q\" here\n"},
    {"# k\nmatch.k = many\n",
     ":2: match.k cannot be \"many\"; it wants a whole number from 1 to 100\n"},
    {"build.threads = -1\n",
     ":1: build.threads cannot be \"-1\"; it wants a whole number from 0 to 256\n"},
    {"match.k\n", ":1: neither a setting (section.key = value), a [section] nor a # "
                  "comment\n"},
    {NULL, ": No such file or directory\n"},
};

START_TEST(a_bad_preset_is_named_with_its_line_and_gives_78)
{
    static parsed p;
    char want[400];
    const char *path = write_preset(bad_presets[_i].text ? bad_presets[_i].text : "");
    if (!bad_presets[_i].text)
        remove(path);
    parse(&p, RT_QUERY, (const char *[]){"query", "a", "--preset", path, "-k", "2", 0});
    snprintf(want, sizeof want, "hearken: %s%s", path, bad_presets[_i].err);
    ck_assert_str_eq(p.err, want);
    ck_assert_str_eq(p.out, "");
    ck_assert(p.n == -1 && p.status == RT_CONFIG);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

static char *
osc_reference(void)
{
    static char text[65536];
    FILE *file = fopen("docs/osc.md", "r");
    ck_assert_msg(file != NULL, "run from the top folder");
    ck_assert(fread(text, 1, sizeof text - 1, file) > 1000 && !fclose(file));
    return text;
}

/* Each heading "## /hearken/..." is a term of the page, and the other way round. */
START_TEST(the_man_page_names_the_messages_of_the_osc_reference)
{
    char *man = strstr(help_text(0, true), "\n.SH OSC MESSAGES\n");
    const char *osc = osc_reference(), *at;
    char name[64], row[80];
    ck_assert(man);
    *strstr(man + 1, "\n.SH ") = 0;
    int n = 0, terms = 0;
    for (at = strstr(osc, "\n## /"); at; at = strstr(at + 1, "\n## /"), n++) {
        ck_assert_int_eq(sscanf(at + 4, "%60s", name), 1);
        snprintf(row, sizeof row, "\n.B %s\n", name);
        ck_assert_msg(strstr(man, row), "the man page lacks %s", name);
    }
    for (at = strstr(man, "\n.B /hearken/"); at; at = strstr(at + 1, "\n.B /hearken/"))
        terms++;
    ck_assert_int_ge(n, 5);
    ck_assert_int_eq(terms, n);
}
END_TEST

START_TEST(the_man_page_has_all_that_a_page_has)
{
    static const char *const sections[] = {
        "NAME",  "SYNOPSIS", "DESCRIPTION", "COMMANDS",    "PRESETS",  "OSC MESSAGES",
        "FILES", "SIGNALS",  "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO"};
    const char *at = help_text(0, true);
    char heading[40];
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        snprintf(heading, sizeof heading, "\n.SH %s\n", sections[i]);
        at = strstr(at, heading);
        ck_assert_msg(at, "no %s, or not in its place", sections[i]);
    }
}
END_TEST

START_TEST(the_osc_reference_lists_every_counter)
{
    const char *text = osc_reference();
    for (int i = 0; i < RT_COUNTS; i++) {
        char row[64];
        snprintf(row, sizeof row, "| `%s` |", rt_count_name[i]);
        ck_assert_msg(strstr(text, row) != NULL, "docs/osc.md lacks %s", row);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/help");
    TCase *t = tcase_create("help");
    tcase_add_loop_test(t, help_of_a_command_names_each_of_its_options_and_no_other, 0,
                        N(commands));
    tcase_add_loop_test(t, help_fits_eighty_columns, 0, N(commands) + 1);
    tcase_add_loop_test(t, help_tells_the_built_in_value_and_the_range, 0, 5);
    tcase_add_loop_test(t, the_man_page_names_each_option_under_each_of_its_commands, 0,
                        N(commands));
    tcase_add_loop_test(t, a_command_line_is_taken_apart_or_refused_in_one_sentence, 0,
                        N(lines));
    tcase_add_loop_test(t, each_option_of_each_command_is_taken_by_the_command_line, 0,
                        N(commands));
    tcase_add_test(t, one_letter_sets_what_its_command_means);
    tcase_add_test(t, the_osc_reference_lists_every_counter);
    tcase_add_test(t, the_man_page_names_the_messages_of_the_osc_reference);
    tcase_add_test(t, the_man_page_has_all_that_a_page_has);
    suite_add_tcase(s, t);
    t = tcase_create("presets");
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_loop_test(t, options_win_over_the_preset_wherever_they_stand, 0, 2);
    tcase_add_loop_test(t, a_bad_preset_is_named_with_its_line_and_gives_78, 0,
                        N(bad_presets));
    suite_add_tcase(s, t);
    return run_suite(s);
}
