/* rt/split.c: CSV, good and bad, from memory and from files. */
#include "rt/split.h"
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "file,label,group,split\n"

/* Reads n bytes of text as "s.csv". */
static bool
read_bytes(rt_split *s, const char *text, size_t n, char *why, size_t why_len)
{
    FILE *file = tmpfile();
    ck_assert(file && fwrite(text, 1, n, file) == n);
    rewind(file);
    const bool ok = rt_split_read(s, file, "s.csv", why, why_len);
    fclose(file);
    return ok;
}

static bool
read_text(rt_split *s, const char *text, char *why, size_t why_len)
{
    return read_bytes(s, text, strlen(text), why, why_len);
}

/* ---- What is taken -----------------------------------------------------------------
 */

/* Rows as "file|label|group|q or d|line" and a semicolon each. */
static void
describe(const rt_split *s, char *out, size_t len)
{
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < s->n && n < len; i++) {
        const rt_row *r = &s->rows[i];
        n += (size_t)snprintf(out + n, len - n, "%s|%s|%s|%c|%zu;", r->file, r->label,
                              r->group, r->query ? 'q' : 'd', r->line);
    }
}

static const struct {
    const char *name, *text, *want;
} good[] = {
    {"plain", HEAD "a.wav,dog,g1,query\nb.wav,cat,g2,database\n",
     "a.wav|dog|g1|q|2;b.wav|cat|g2|d|3;"},
    {"all four splits", HEAD "a,x,g,query\nb,x,g,test\nc,x,g,database\nd,x,g,train\n",
     "a|x|g|q|2;b|x|g|q|3;c|x|g|d|4;d|x|g|d|5;"},
    {"no end of line at the end", HEAD "a,x,g,test", "a|x|g|q|2;"},
    {"CRLF", "file,label,group,split\r\na,x,g,test\r\nb,y,h,train\r\n",
     "a|x|g|q|2;b|y|h|d|3;"},
    {"CRLF but for the last line", "file,label,group,split\r\na,x,g,test",
     "a|x|g|q|2;"},
    {"a UTF-8 mark", "\xef\xbb\xbf" HEAD "a,x,g,test\n", "a|x|g|q|2;"},
    {"a mark before a quote",
     "\xef\xbb\xbf\"file\",label,group,split\n"
     "a,x,g,test\n",
     "a|x|g|q|2;"},
    {"quotes around all",
     "\"file\",\"label\",\"group\",\"split\"\n\"a\",\"x\",\"g\",\"test\"\n",
     "a|x|g|q|2;"},
    {"a comma in quotes", HEAD "\"a, b.wav\",\"x,y\",g,test\n", "a, b.wav|x,y|g|q|2;"},
    {"doubled quotes", HEAD "\"the \"\"a\"\".wav\",\"\"\"\",g,test\n",
     "the \"a\".wav|\"|g|q|2;"},
    {"quotes with nothing", HEAD "a,x,\"\",test\n", "a|x|a|q|2;"},
    {"quotes at the end of the text", HEAD "a,x,g,\"test\"", "a|x|g|q|2;"},
    {"quotes before CRLF", HEAD "a,x,g,\"test\"\r\nb,x,g,test\r\n",
     "a|x|g|q|2;b|x|g|q|3;"},
    {"a line end in quotes",
     HEAD "\"a\nb\",x,g,test\n\"c\r\nd\",x,g,test\ne,x,g,test\n",
     "a\nb|x|g|q|2;c\r\nd|x|g|q|4;e|x|g|q|6;"},
    {"blanks belong to a field", HEAD " a ,x y,\tg,test\n", " a |x y|\tg|q|2;"},
    {"UTF-8", HEAD "\xc3\xa4.wav,\xe6\x9d\xb1,g,test\n",
     "\xc3\xa4.wav|\xe6\x9d\xb1|g|q|2;"},
    {"Latin-1", HEAD "\xe4.wav,x,g,test\n", "\xe4.wav|x|g|q|2;"},
    {"no group column", "file,label,split\na,x,test\nb,y,train\n",
     "a|x|a|q|2;b|y|b|d|3;"},
    {"an empty group", HEAD "a,x,,test\nb,x,g,test\n", "a|x|a|q|2;b|x|g|q|3;"},
    {"another order", "split,group,label,file\ntest,g,x,a\n", "a|x|g|q|2;"},
    {"further columns",
     "take,file,fold,label,split,group,esc10\n7,a,1,x,test,g,\"t,\"\n", "a|x|g|q|2;"},
    {"a further column of each kind twice",
     "note,file,label,group,split,note\n,a,x,g,test,\n", "a|x|g|q|2;"},
    {"columns of other case are others", "File,file,label,group,split\nb,a,x,g,test\n",
     "a|x|g|q|2;"},
    {"empty lines", "\n\r\n" HEAD "\n\na,x,g,test\n\r\nb,x,g,test\n\n\n",
     "a|x|g|q|6;b|x|g|q|8;"},
    {"a header only", HEAD, ""},
    {"a header only, without a line end", "file,label,split", ""},
    {"the label of one is the file of another", HEAD "a,b,g,test\nb,a,g,test\n",
     "a|b|g|q|2;b|a|g|q|3;"},
    {"names that begin alike", HEAD "a,x,g,test\nab,x,g,test\nA,x,g,test\n",
     "a|x|g|q|2;ab|x|g|q|3;A|x|g|q|4;"},
};

START_TEST(what_is_well_formed_is_taken)
{
    rt_split s;
    char why[400] = "", got[1000];
    const bool ok = read_text(&s, good[_i].text, why, sizeof why);
    ck_assert_msg(ok, "case: %s: %s", good[_i].name, why);
    describe(&s, got, sizeof got);
    ck_assert_msg(!strcmp(got, good[_i].want), "case: %s: %s", good[_i].name, got);
    ck_assert_str_eq(why, "");
    rt_split_free(&s);
    ck_assert(!s.rows && !s.n && !s.text);
}
END_TEST

/* ---- What is refused ---------------------------------------------------------------
 */

static const struct {
    const char *name, *text, *why;
} bad[] = {
    {"an empty file", "",
     "s.csv:1: the file is empty; it begins with file,label,group,split"},
    {"only a mark", "\xef\xbb\xbf",
     "s.csv:1: the file is empty; it begins with file,label,group,split"},
    {"only line ends", "\n\r\n\n",
     "s.csv:1: the file is empty; it begins with file,label,group,split"},
    {"no header", "a.wav,dog,g1,query\n", "s.csv:1: the header has no column \"file\""},
    {"no label column", "file,group,split\na,g,test\n",
     "s.csv:1: the header has no column \"label\""},
    {"no split column, after an empty line", "\nfile,label,group\na,x,g\n",
     "s.csv:2: the header has no column \"split\""},
    {"another separator", "file;label;group;split\na;x;g;test\n",
     "s.csv:1: the header has no column \"file\""},
    {"blanks in the header", "file, label, group, split\na,x,g,test\n",
     "s.csv:1: the header has no column \"label\""},
    {"a column twice", "file,label,file,split\na,x,b,test\n",
     "s.csv:1: the column \"file\" is named twice"},
    {"too few columns", HEAD "a,x,g,test\nb,x,g\n",
     "s.csv:3: the header has 4 columns, this line has 3"},
    {"too many columns", HEAD "a,x,g,test,\n",
     "s.csv:2: the header has 4 columns, this line has 5"},
    {"a comma that wants quotes", HEAD "a,b.wav,x,g,test\n",
     "s.csv:2: the header has 4 columns, this line has 5"},
    {"a blank line that is not empty", HEAD " \n",
     "s.csv:2: the header has 4 columns, this line has 1"},
    {"no file", HEAD ",x,g,test\n", "s.csv:2: the file is empty"},
    {"no label", HEAD "a,x,g,test\nb,\"\",g,test\n", "s.csv:3: the label is empty"},
    {"an unknown split", HEAD "a,x,g,test\nb,x,g,valid\n",
     "s.csv:3: the split is \"valid\"; it is query or test, or database or train"},
    {"an empty split", HEAD "a,x,g,\n",
     "s.csv:2: the split is \"\"; it is query or test, or database or train"},
    {"a split with a blank", HEAD "a,x,g,test \n",
     "s.csv:2: the split is \"test \"; it is query or test, or database or train"},
    {"a split of another case", HEAD "a,x,g,Test\n",
     "s.csv:2: the split is \"Test\"; it is query or test, or database or train"},
    {"a file twice", HEAD "a,x,g,test\nb,x,g,test\na,x,g,train\n",
     "s.csv:4: \"a\" is in line 2 already"},
    {"a file twice, once in quotes", HEAD "a,x,g,test\n\"a\",x,g,test\n",
     "s.csv:3: \"a\" is in line 2 already"},
    {"a file three times", HEAD "b,x,g,test\na,x,g,test\na,x,g,test\na,x,g,test\n",
     "s.csv:4: \"a\" is in line 3 already"},
    {"two files twice, the first of them is said",
     HEAD "a,x,g,test\nz,x,g,test\nz,x,g,test\na,x,g,test\n",
     "s.csv:4: \"z\" is in line 3 already"},
    {"a quote never closed", HEAD "a,x,g,test\nb,\"x,g,test\nc,x,g,test\n",
     "s.csv:3: a quote begins here that is never closed"},
    {"a quote never closed after a line end in another",
     HEAD "\"a\nb\",\"x\n\n,g,test\n",
     "s.csv:3: a quote begins here that is never closed"},
    {"a quote never closed, doubled at the end", HEAD "a,x,g,\"test\"\"",
     "s.csv:2: a quote begins here that is never closed"},
    {"a quote at the very end", HEAD "a,x,g,\"",
     "s.csv:2: a quote begins here that is never closed"},
    {"a quote never closed in the header", "file,\"label\n",
     "s.csv:1: a quote begins here that is never closed"},
    {"text after a quote", HEAD "\"a\"b,x,g,test\n",
     "s.csv:2: text after a closing quote; double the quotes within a field"},
    {"a blank after a quote", HEAD "\"a\" ,x,g,test\n",
     "s.csv:2: text after a closing quote; double the quotes within a field"},
    {"text after a quote of two lines", HEAD "\"a\n\"b,x,g,test\n",
     "s.csv:3: text after a closing quote; double the quotes within a field"},
    {"a quote in a plain field", HEAD "a\"b,x,g,test\n",
     "s.csv:2: a quote within a field; put the field in quotes and double it"},
    {"a blank before a quote", HEAD "a, \"x\",g,test\n",
     "s.csv:2: a quote within a field; put the field in quotes and double it"},
    {"CR alone", "file,label,group,split\ra,x,g,test\r",
     "s.csv:1: a carriage return without a line feed"},
    {"CR in a field", HEAD "a\rb,x,g,test\n",
     "s.csv:2: a carriage return without a line feed"},
    {"CR after a quote", HEAD "a,x,g,\"test\"\r",
     "s.csv:2: a carriage return without a line feed"},
    {"CR at the end", HEAD "a,x,g,test\r",
     "s.csv:2: a carriage return without a line feed"},
    {"two CR", HEAD "a,x,g,test\r\r\n",
     "s.csv:2: a carriage return without a line feed"},
};

START_TEST(what_is_malformed_is_refused_with_its_line)
{
    rt_split s;
    char why[400] = "";
    const bool ok = read_text(&s, bad[_i].text, why, sizeof why);
    ck_assert_msg(!ok && !strcmp(why, bad[_i].why), "case: %s: %s", bad[_i].name, why);
    ck_assert(!s.rows && !s.n && !s.text);
    rt_split_free(&s);
}
END_TEST

START_TEST(a_zero_byte_is_refused)
{
    static const char text[] = HEAD "a,x,g,test\nb,x\0,g,test\n";
    static const char utf16[] = "\xff\xfe"
                                "f\0i\0l\0e\0";
    rt_split s;
    char why[400] = "";
    ck_assert(!read_bytes(&s, text, sizeof text - 1, why, sizeof why));
    ck_assert_str_eq(why, "s.csv:3: the line holds a zero byte");
    ck_assert(!read_bytes(&s, utf16, sizeof utf16 - 1, why, sizeof why));
    ck_assert_str_eq(why, "s.csv:1: the line holds a zero byte");
}
END_TEST

START_TEST(a_long_field_is_cut_in_the_sentence_and_not_in_the_row)
{
    enum { LONG = 5000 };
    static char text[2 * LONG + 100], name[LONG + 1];
    rt_split s;
    char why[80] = "";
    memset(name, 'n', LONG);
    snprintf(text, sizeof text, HEAD "%s,x,g,test\n", name);
    ck_assert(read_text(&s, text, why, sizeof why));
    ck_assert_str_eq(s.rows[0].file, name);
    rt_split_free(&s);
    snprintf(text, sizeof text, HEAD "%s,x,g,test\n%s,x,g,test\n", name, name);
    ck_assert(!read_text(&s, text, why, sizeof why));
    ck_assert_int_eq(strncmp(why, "s.csv:3: \"nnn", 13), 0);
    ck_assert_uint_eq(strlen(why), sizeof why - 1);
}
END_TEST

START_TEST(many_rows_are_held)
{
    enum { MANY = 20000 };
    rt_split s;
    char why[400] = "", name[40];
    FILE *file = tmpfile();
    fputs(HEAD, file);
    for (int i = 0; i < MANY; i++)
        fprintf(file, "%05d.wav,label %d,g%d,%s\n", i * 7 % MANY, i % 10, i % 100,
                i % 5 ? "train" : "test");
    rewind(file);
    ck_assert_msg(rt_split_read(&s, file, "s.csv", why, sizeof why), "%s", why);
    fclose(file);
    ck_assert_uint_eq(s.n, MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%05d.wav", i * 7 % MANY);
        ck_assert_str_eq(s.rows[i].file, name);
        ck_assert(s.rows[i].query == (i % 5 == 0));
        ck_assert_uint_eq(s.rows[i].line, (size_t)i + 2);
    }
    rt_split_free(&s);
}
END_TEST

/* ---- Files and memory --------------------------------------------------------------
 */

static char folder[200], path[300];

static void
enter_folder(void)
{
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/s.csv", folder);
}

static void
leave_folder(void)
{
    remove_tree(folder);
}

START_TEST(a_file_is_loaded)
{
    rt_split s;
    char why[400] = "", want[400];
    FILE *file = fopen(path, "w");
    fputs(HEAD "a,x,g,test\nb\n", file);
    fclose(file);
    ck_assert(!rt_split_load(&s, path, why, sizeof why));
    snprintf(want, sizeof want, "%s:3: the header has 4 columns, this line has 1",
             path);
    ck_assert_str_eq(why, want);
    file = fopen(path, "w");
    fputs(HEAD "a,x,g,test\n", file);
    fclose(file);
    ck_assert_msg(rt_split_load(&s, path, why, sizeof why), "%s", why);
    ck_assert_uint_eq(s.n, 1);
    rt_split_free(&s);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    rt_split s;
    char why[400] = "", want[400];
    ck_assert(!rt_split_load(&s, path, why, sizeof why));
    snprintf(want, sizeof want, "%s: %s", path, strerror(ENOENT));
    ck_assert_str_eq(why, want);
    ck_assert(!s.rows && !s.n && !s.text);
    ck_assert(!rt_split_load(&s, folder, why, sizeof why));
    snprintf(want, sizeof want, "%s: %s", folder, strerror(EISDIR));
    ck_assert_str_eq(why, want);
    ck_assert(!s.rows && !s.n && !s.text);
    rt_split_free(&s);
}
END_TEST

START_TEST(each_failing_allocation_ends_it_with_a_sentence)
{
    enum { MANY = 4000 }; /* 76 kB: the text grows once, the rows six times */
    uint64_t k = 1, left = 0;
    FILE *file = tmpfile();
    fputs(HEAD, file);
    for (int i = 0; i < MANY; i++)
        fprintf(file, "%05d.wav,x,g,test\n", i);
    for (; left == 0; k++) {
        rt_split s;
        char why[400] = "";
        rewind(file);
        heap_fail_at = k;
        const bool ok = rt_split_read(&s, file, "s.csv", why, sizeof why);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert(ok == (left > 0));
        ck_assert_str_eq(why, ok ? "" : "s.csv: not enough memory to read it");
        ck_assert(ok || (!s.rows && !s.n && !s.text));
        rt_split_free(&s);
    }
    fclose(file);
    ck_assert_uint_eq(k, 2 + 2 + 7 + 1); /* the text, the rows, their order failed */
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/split");
    TCase *t = tcase_create("text");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_is_well_formed_is_taken, 0, N(good));
    tcase_add_loop_test(t, what_is_malformed_is_refused_with_its_line, 0, N(bad));
    tcase_add_test(t, a_zero_byte_is_refused);
    tcase_add_test(t, a_long_field_is_cut_in_the_sentence_and_not_in_the_row);
    tcase_add_test(t, many_rows_are_held);
    suite_add_tcase(s, t);
    t = tcase_create("files");
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_test(t, a_file_is_loaded);
    tcase_add_test(t, what_cannot_be_read_is_named);
    tcase_add_test(t, each_failing_allocation_ends_it_with_a_sentence);
    suite_add_tcase(s, t);
    return run_suite(s);
}
