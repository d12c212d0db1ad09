/* rt/canvas.c: text that no terminal obeys, in columns. */
#include "live_support.h"
#include "support.h"

#include <locale.h>
#include <math.h>

static char *text;
static size_t n_text;

static rt_canvas
canvas_of(int columns, int rows, bool screen)
{
    rt_canvas c = {.columns = columns, .rows = rows, .screen = screen, .utf8 = true};
    c.to = open_memstream(&text, &n_text);
    ck_assert(c.to && setlocale(LC_CTYPE, "C.UTF-8"));
    return c;
}

/* What was written without its escapes. */
static const char *
written(rt_canvas *c)
{
    fclose(c->to);
    size_t n = 0;
    for (const char *p = text; *p;) {
        const size_t skip = *p == 033 ? escape_length(p) : 0;
        if (skip)
            p += skip;
        else
            text[n++] = *p++;
    }
    text[n] = 0;
    return text;
}

static const struct {
    const char *name, *in, *out;
    int columns;
} texts[] = {
    {"plain", "kick", "kick", 4},
    {"umlauts and kana", "Gr\xc3\xbc\xc3\x9f\x65 \xe9\x9f\xb3",
     "Gr\xc3\xbc\xc3\x9f\x65 \xe9\x9f\xb3", 8},
    {"an escape sequence", "a\033[2Jb", "a?[2Jb", 6},
    {"control characters", "a\a\b\t\n\r\177z", "a??????z", 8},
    {"a control character of Latin-1 as UTF-8",
     "a\xc2\x9b"
     "31mb",
     "a?31mb", 6},
    {"the same as a byte",
     "a\x9b"
     "31mb",
     "a?31mb", 6},
    {"overlong", "\xc0\xaf\xe0\x80\xaf", "?????", 5},
    {"cut short", "a\xe9\x9f", "a??", 3},
    {"text that runs backwards", "abc\xe2\x80\xaegpj", "abc?gpj", 7},
    {"text that hides",
     "a\xe2\x80\x8b"
     "b",
     "a?b", 3},
    {"an accent of its own", "e\xcc\x81t", "e\xcc\x81t", 2},
};

START_TEST(only_what_prints_gets_to_a_terminal)
{
    rt_canvas c = canvas_of(80, 1, true);
    rt_canvas_begin(&c);
    rt_put(&c, RT_BAD, "%s", texts[_i].in);
    ck_assert_msg(c.at == texts[_i].columns, "case: %s: %d", texts[_i].name, c.at);
    ck_assert_int_eq(rt_columns(texts[_i].in), texts[_i].columns);
    ck_assert_msg(!strcmp(written(&c), texts[_i].out), "case: %s: %s", texts[_i].name,
                  text);
    free(text);
}
END_TEST

START_TEST(rows_end_at_the_edge_between_two_characters)
{
    static const char *const parts[] = {"a", "\xe9\x9f\xb3", "\xe9\x9f\xb3", "b"};
    static const char *const cut[] = {"", "a", "a", "a\xe9\x9f\xb3"};
    rt_canvas c = canvas_of(_i, 1, true);
    rt_canvas_begin(&c);
    if (_i)
        rt_put(&c, RT_PLAIN, "%s%s%s%s", parts[0], parts[1], parts[2], parts[3]);
    ck_assert_str_eq(written(&c), cut[_i]);
    free(text);
}
END_TEST

START_TEST(nothing_is_written_below_the_last_row)
{
    rt_canvas c = canvas_of(10, 2, true);
    rt_canvas_begin(&c);
    for (int i = 0; i < 4; i++) {
        rt_put(&c, RT_STRONG, "row %d", i);
        rt_put_to(&c, 8);
        rt_put_line(&c);
    }
    rt_canvas_end(&c);
    ck_assert_str_eq(written(&c), "row 0   \r\nrow 1   ");
    free(text);
}
END_TEST

START_TEST(lines_are_as_long_as_they_are_and_without_styles)
{
    rt_canvas c = canvas_of(4, 1, false);
    c.colour = true;
    rt_canvas_begin(&c);
    rt_put(&c, RT_BAD, "longer than four");
    rt_put_line(&c);
    rt_put(&c, RT_GOOD, "two");
    rt_put_line(&c);
    rt_canvas_end(&c);
    fclose(c.to);
    ck_assert_str_eq(text, "longer than four\ntwo\n");
    free(text);
}
END_TEST

static const struct {
    double share;
    const char *bar;
} bars[] = {{0, "...."},   {0.01, "...."},        {0.2, "#..."},
            {0.5, "##.."}, {1, "####"},           {7, "####"},
            {-1, "...."},  {(double)NAN, "...."}, {1e300, "####"}};

START_TEST(a_bar_shows_a_share)
{
    rt_canvas c = canvas_of(80, 1, false);
    c.utf8 = false;
    rt_put_bar(&c, RT_GOOD, bars[_i].share, 4);
    rt_put_bar(&c, RT_GOOD, bars[_i].share, -3); /* no room: nothing */
    ck_assert_str_eq(written(&c), bars[_i].bar);
    free(text);
}
END_TEST

START_TEST(styles_are_colours_only_where_these_are_wanted)
{
    rt_canvas c = canvas_of(80, 1, true);
    c.colour = _i;
    for (rt_style s = RT_STRONG; s <= RT_BAD; s++)
        rt_put(&c, s, "x");
    fclose(c.to);
    ck_assert_int_eq(!!strstr(text, "\033[32m"), _i);
    ck_assert_int_eq(!!strstr(text, "\033[33m"), _i);
    ck_assert(strstr(text, _i ? "\033[1;31m" : "\033[7m"));
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("canvas");
    TCase *tc = tcase_create("canvas");
    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, only_what_prints_gets_to_a_terminal, 0,
                        sizeof texts / sizeof *texts);
    tcase_add_loop_test(tc, rows_end_at_the_edge_between_two_characters, 0, 4);
    tcase_add_test(tc, nothing_is_written_below_the_last_row);
    tcase_add_test(tc, lines_are_as_long_as_they_are_and_without_styles);
    tcase_add_loop_test(tc, a_bar_shows_a_share, 0, sizeof bars / sizeof *bars);
    tcase_add_loop_test(tc, styles_are_colours_only_where_these_are_wanted, 0, 2);
    return run_suite(suite);
}
