/* rt/csv.c: fields with quotes and without, written and read again. What is malformed,
 * tests/check_split.c tries. */
#include "rt/csv.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {
    "plain",      "",         "a,b",  "\"",       "\"\"", "a\"b", "line\nend",
    "cr\rinside", "crlf\r\n", " sp ", "\xc3\xa4", "#",    ",",    "\n",
};
enum { N_TEXTS = sizeof texts / sizeof *texts };

START_TEST(every_text_is_read_as_it_was_written)
{
    static const char *const names[] = {"text", "n"};
    char why[200], *bytes = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&bytes, &n);
    fputs("n,text\n", to);
    for (int i = 0; i < N_TEXTS; i++) {
        fprintf(to, "%d,", i);
        rt_csv_write(to, texts[i]);
        fputc('\n', to);
    }
    ck_assert(!fclose(to));
    FILE *file = fmemopen(bytes, n, "r");
    rt_csv c;
    ck_assert_msg(rt_csv_read(&c, file, "t.csv", why, sizeof why), "%s", why);
    ck_assert_msg(rt_csv_header(&c, names, 2, "n,text"), "%s", why);
    for (int i = 0; i < N_TEXTS; i++) {
        const char *text[2] = {NULL, NULL};
        ck_assert(rt_csv_more(&c));
        ck_assert_msg(rt_csv_record(&c, text), "%s", why);
        ck_assert_str_eq(text[0], texts[i]);
        ck_assert_int_eq(atoi(text[1]), i);
    }
    ck_assert(!rt_csv_more(&c));
    fclose(file);
    free(c.text);
    free(bytes);
}
END_TEST

START_TEST(only_what_needs_quotes_gets_them)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"a b.wav", "a b.wav"},
                 {"", ""},
                 {"a,b", "\"a,b\""},
                 {"the \"a\"", "\"the \"\"a\"\"\""},
                 {"a\nb", "\"a\nb\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = NULL;
        size_t n = 0;
        FILE *to = open_memstream(&bytes, &n);
        rt_csv_write(to, cases[i].text);
        ck_assert(!fclose(to));
        ck_assert_str_eq(bytes, cases[i].want);
        free(bytes);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/csv");
    TCase *t = tcase_create("fields");
    tcase_add_test(t, every_text_is_read_as_it_was_written);
    tcase_add_test(t, only_what_needs_quotes_gets_them);
    suite_add_tcase(s, t);
    return run_suite(s);
}
