#define _XOPEN_SOURCE 700 /* wcwidth() */
#include "canvas.h"

#include <stdarg.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Characters that take no column and turn the order of the others, or hide. */
static bool
is_trick(wchar_t c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

/* The character at p: its bytes, and in *width its columns; -1 where a terminal should
 * not get it. */
static size_t
next_character(const char *p, int *width)
{
    wchar_t c;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    const size_t n = mbrtowc(&c, p, strlen(p), &state);
    if (n == 0 || n > strlen(p)) { /* no character of this locale */
        *width = -1;
        return 1;
    }
    *width = iswprint((wint_t)c) && !is_trick(c) ? wcwidth(c) : -1;
    return n;
}

int
rt_columns(const char *text)
{
    int columns = 0, width;
    for (const char *p = text; *p;) {
        p += next_character(p, &width);
        columns += width < 0 ? 1 : width;
    }
    return columns;
}

static void
put_style(rt_canvas *c, rt_style style)
{
    static const char *const code[] = {"0", "1", "2", "32", "33", "1;31"};
    static const char *const mono[] = {"0", "1", "2", "0", "1", "7"};
    if (c->screen)
        fprintf(c->to, "\033[%sm", c->colour ? code[style] : mono[style]);
}

/* Below the last row nothing is written, so nothing scrolls. */
static bool
is_off(const rt_canvas *c)
{
    return c->screen && c->row >= c->rows;
}

static void
put_text(rt_canvas *c, const char *text)
{
    int width;
    for (const char *p = text; *p;) {
        const size_t n = next_character(p, &width);
        const int columns = width < 0 ? 1 : width;
        if (c->screen && c->at + columns > c->columns)
            break;
        if (width < 0)
            fputc('?', c->to);
        else
            fwrite(p, 1, n, c->to);
        c->at += columns;
        p += n;
    }
}

void
rt_canvas_begin(rt_canvas *c)
{
    c->at = c->row = 0;
    if (c->screen)
        fputs("\033[H\033[2K", c->to);
}

void
rt_put(rt_canvas *c, rt_style style, const char *format, ...)
{
    char text[2048];
    va_list args;
    if (is_off(c))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (style != RT_PLAIN)
        put_style(c, style);
    put_text(c, text);
    if (style != RT_PLAIN)
        put_style(c, RT_PLAIN);
}

void
rt_put_to(rt_canvas *c, int column)
{
    if (c->at < column)
        rt_put(c, RT_PLAIN, "%*s", column - c->at, "");
}

void
rt_put_bar(rt_canvas *c, rt_style style, double share, int columns)
{
    const char *full = c->utf8 ? "\xe2\x96\x88" : "#";
    const char *empty = c->utf8 ? "\xe2\x96\x91" : ".";
    char text[2][2048] = {"", ""};
    const int most = 500, n = columns < most ? columns : most;
    const double part = share > 0 ? (share < 1 ? share : 1) * n + 0.5 : 0;
    for (int i = 0; i < n; i++)
        strcat(text[i >= (int)part], i < (int)part ? full : empty);
    rt_put(c, style, "%s", text[0]);
    rt_put(c, RT_DIM, "%s", text[1]);
}

void
rt_put_line(rt_canvas *c)
{
    c->row++;
    c->at = 0;
    if (!c->screen)
        fputc('\n', c->to);
    else if (c->row < c->rows)
        fputs("\r\n\033[2K", c->to);
}

void
rt_canvas_end(rt_canvas *c)
{
    if (c->screen && c->row < c->rows)
        fputs("\033[J", c->to);
}
