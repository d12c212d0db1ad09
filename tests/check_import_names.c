/* rt/import_names.c: tables of rows and of classes, good and bad. */
#include "rt/import.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static bool
read_text(rt_names *t, const char *text, char *why, size_t why_len)
{
    FILE *file = tmpfile();
    ck_assert(file && fputs(text, file) >= 0);
    rewind(file);
    const bool ok = rt_names_read(t, file, "n.csv", why, why_len);
    fclose(file);
    return ok;
}

/* Rows as "sound|label|start|length|line;". */
static const struct {
    const char *name, *text, *want;
} good[] = {
    {"as export writes it", "sound,start,length,label\na.wav,0.5,1,dog\n",
     "a.wav|dog|0.5|1|2;"},
    {"CRLF, a mark and quotes",
     "\xef\xbb\xbfsound,start,length,label\r\n\"a, b\",0,1,\"the \"\"x\"\"\"\r\n",
     "a, b|the \"x\"|0|1|2;"},
    {"another order, further columns", "label,note,sound\nx,7,a\n", "a|x|0|0|2;"},
    {"sounds alone", "sound\na\nb\na\n", "a||0|0|2;b||0|0|3;a||0|0|4;"},
    {"empty times", "sound,start,length,label\na,,,\n", "a||0|0|2;"},
    {"times below zero", "sound,start,length,label\na,-0.25,1e-3,\n",
     "a||-0.25|0.001|2;"},
    {"no rows", "sound,start,length,label\n", ""},
    {"a table of rows that also has an index", "index,display_name,sound\n0,x,a\n",
     "a||0|0|2;"},
};

START_TEST(tables_of_rows_are_taken)
{
    rt_names t;
    char why[400] = "", got[500] = "";
    ck_assert_msg(read_text(&t, good[_i].text, why, sizeof why), "case: %s: %s",
                  good[_i].name, why);
    ck_assert(t.is_rows && !t.is_classes);
    size_t n = 0;
    for (size_t i = 0; i < t.n; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s|%s|%g|%g|%zu;",
                              t.rows[i].sound, t.rows[i].label,
                              (double)t.rows[i].start_s, (double)t.rows[i].length_s,
                              t.rows[i].line);
    ck_assert_msg(!strcmp(got, good[_i].want), "case: %s: %s", good[_i].name, got);
    rt_names_free(&t);
    ck_assert(!t.rows && !t.text);
}
END_TEST

START_TEST(the_classes_of_audioset_are_taken)
{
    rt_names t;
    char why[400] = "";
    ck_assert_msg(read_text(&t,
                            "index,mid,display_name\n"
                            "0,/m/09x0r,\"Speech\"\n"
                            "1,/m/05zppz,\"Male speech, man speaking\"\n"
                            "526,/m/07hvw1,Field recording\n",
                            why, sizeof why),
                  "%s", why);
    ck_assert(t.is_classes && !t.is_rows && t.n == 0);
    ck_assert_str_eq(t.classes[0], "Speech");
    ck_assert_str_eq(t.classes[1], "Male speech, man speaking");
    ck_assert_str_eq(t.classes[526], "Field recording");
    ck_assert_ptr_null(t.classes[2]);
    rt_names_free(&t);
}
END_TEST

#define NO_TABLE                                                                       \
    "the header has no column \"sound\"; it is sound,start,length,label, or "          \
    "AudioSet's "                                                                      \
    "index,mid,display_name"

static const struct {
    const char *name, *text, *why;
} bad[] = {
    {"empty", "",
     "n.csv:1: the file is empty; it begins with sound,start,length,label"},
    {"of something else", "\nfile,label\na,x\n", "n.csv:2: " NO_TABLE},
    {"of classes without names", "index,mid\n0,/m/1\n", "n.csv:1: " NO_TABLE},
    {"of segments", "# Segments csv created Sun\n# num_ytids=1\n# YTID, start\n",
     "n.csv:1: a table of AudioSet's segments; the records name their classes "
     "themselves, so give class_labels_indices.csv for the names of these"},
    {"a column twice", "sound,label,sound\n",
     "n.csv:1: the column \"sound\" is named "
     "twice"},
    {"no sound", "sound,label\na,x\n,x\n", "n.csv:3: the sound is empty"},
    {"a start that is no number", "sound,start\na,soon\n",
     "n.csv:2: the start is \"soon\"; it is a number of seconds"},
    {"a start with something behind", "sound,start\na,1 s\n",
     "n.csv:2: the start is \"1 s\"; it is a number of seconds"},
    {"a start that is not finite", "sound,start\na,nan\n",
     "n.csv:2: the start is \"nan\"; it is a number of seconds"},
    {"a length beyond floats", "sound,length\na,1e99\n",
     "n.csv:2: the length is \"1e99\"; it is a number of seconds"},
    {"too few columns", "sound,label\na\n",
     "n.csv:2: the header has 2 columns, this line has 1"},
    {"a quote never closed", "sound,label\n\"a,x\n",
     "n.csv:2: a quote begins here that is never closed"},
    {"a class that is none", "index,display_name\n527,x\n",
     "n.csv:2: the index is \"527\"; it is 0 to 526"},
    {"a class below none", "index,display_name\n-1,x\n",
     "n.csv:2: the index is \"-1\"; it is 0 to 526"},
    {"a class without number", "index,display_name\n,x\n",
     "n.csv:2: the index is \"\"; it is 0 to 526"},
    {"a class that is no number", "index,display_name\n1a,x\n",
     "n.csv:2: the index is \"1a\"; it is 0 to 526"},
    {"a class twice", "index,display_name\n1,x\n1,x\n",
     "n.csv:3: the index 1 is there already"},
    {"a class with too few columns", "index,display_name\n1\n",
     "n.csv:2: the header has 2 columns, this line has 1"},
};

START_TEST(tables_that_are_wrong_are_refused_with_their_line)
{
    rt_names t;
    char why[400] = "";
    const bool ok = read_text(&t, bad[_i].text, why, sizeof why);
    ck_assert_msg(!ok && !strcmp(why, bad[_i].why), "case: %s: %s", bad[_i].name, why);
    rt_names_free(&t);
}
END_TEST

START_TEST(names_that_an_index_does_not_hold_are_refused)
{
    static const struct {
        const char *head, *what;
        size_t most;
    } cases[] = {{"sound,label\n%s,x\n", "sound", IDX_MAX_PATH},
                 {"sound,label\nx,%s\n", "label", IDX_MAX_LABEL},
                 {"index,display_name\n1,%s\n", "display_name", IDX_MAX_LABEL}};
    for (int i = 0; i < N(cases); i++)
        for (size_t more = 0; more < 2; more++) {
            char name[IDX_MAX_PATH + 2] = "", text[1200], why[400] = "", want[200];
            rt_names t;
            memset(name, 'n', cases[i].most + more);
            const char *at = strstr(cases[i].head, "%s");
            snprintf(text, sizeof text, "%.*s%s%s", (int)(at - cases[i].head),
                     cases[i].head, name, at + 2);
            ck_assert(read_text(&t, text, why, sizeof why) == !more);
            snprintf(want, sizeof want,
                     "n.csv:2: the %s has %zu bytes; %zu are the most", cases[i].what,
                     cases[i].most + 1, cases[i].most);
            ck_assert_str_eq(why, more ? want : "");
            rt_names_free(&t);
        }
}
END_TEST

START_TEST(a_table_that_is_not_there_is_named)
{
    rt_names t;
    char why[400];
    ck_assert(!rt_names_load(&t, "/nowhere/n.csv", NULL, why, sizeof why));
    ck_assert_str_eq(why, "/nowhere/n.csv: No such file or directory");
    rt_names_free(&t);
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_sentence)
{
    uint64_t k = 1, left = 0;
    FILE *file = tmpfile();
    fputs("sound\n", file);
    for (int i = 0; i < 100; i++) /* room for 64 rows, then for 128 */
        fputs("a\n", file);
    for (; left == 0; k++) {
        rt_names t;
        char why[400] = "";
        rewind(file);
        heap_fail_at = k;
        const bool ok = rt_names_read(&t, file, "n.csv", why, sizeof why);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert(ok == (left > 0));
        ck_assert_str_eq(why, ok ? "" : "n.csv: not enough memory to read it");
        rt_names_free(&t);
    }
    fclose(file);
    ck_assert_uint_eq(k, 1 + 2 + 1 + 1); /* the text and the rows, twice, failed */
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/import_names");
    TCase *t = tcase_create("tables");
    tcase_add_loop_test(t, tables_of_rows_are_taken, 0, N(good));
    tcase_add_test(t, the_classes_of_audioset_are_taken);
    tcase_add_loop_test(t, tables_that_are_wrong_are_refused_with_their_line, 0,
                        N(bad));
    tcase_add_test(t, names_that_an_index_does_not_hold_are_refused);
    tcase_add_test(t, a_table_that_is_not_there_is_named);
    tcase_add_test(t, each_failing_allocation_ends_it_with_a_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
