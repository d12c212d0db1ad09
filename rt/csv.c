#include "csv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool
rt_csv_fail(const rt_csv *c, size_t line, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(c->why, c->why_len, "%s:%zu: %s", c->name, line, text);
    return false;
}

bool
rt_csv_no_memory(const rt_csv *c)
{
    snprintf(c->why, c->why_len, "%s: not enough memory to read it", c->name);
    return false;
}

/* ---- Fields and records ---------------------------------------------------------- */

/* Steps behind the comma, line end or end of text after a field, and says which. */
static bool
step_over(rt_csv *c, bool *last)
{
    *last = *c->at != ',';
    if (c->at[0] == '\r' && c->at[1] == '\n')
        c->at++;
    else if (*c->at == '\r')
        return rt_csv_fail(c, c->line, "a carriage return without a line feed");
    c->line += *c->at == '\n';
    c->at += *c->at != 0;
    return true;
}

static bool
take_quoted(rt_csv *c, char **field, bool *last)
{
    const size_t line = c->line;
    char *to = *field = c->at++;
    for (; *c->at && (c->at[0] != '"' || c->at[1] == '"'); *to++ = *c->at++) {
        c->at += *c->at == '"';
        c->line += *c->at == '\n';
    }
    if (!*c->at)
        return rt_csv_fail(c, line, "a quote begins here that is never closed");
    if (!strchr(",\r\n", *++c->at)) /* it finds the zero at the end of text, too */
        return rt_csv_fail(
            c, c->line, "text after a closing quote; double the quotes within a field");
    const bool ok = step_over(c, last);
    *to = 0;
    return ok;
}

static bool
take_plain(rt_csv *c, char **field, bool *last)
{
    *field = c->at;
    c->at += strcspn(c->at, ",\"\r\n");
    if (*c->at == '"')
        return rt_csv_fail(
            c, c->line,
            "a quote within a field; put the field in quotes and double it");
    char *end = c->at;
    const bool ok = step_over(c, last);
    *end = 0;
    return ok;
}

static bool
take_field(rt_csv *c, char **field, bool *last)
{
    return *c->at == '"' ? take_quoted(c, field, last) : take_plain(c, field, last);
}

bool
rt_csv_more(rt_csv *c)
{
    while (*c->at == '\n' || (c->at[0] == '\r' && c->at[1] == '\n')) {
        c->at += *c->at == '\r' ? 2 : 1;
        c->line++;
    }
    return *c->at != 0;
}

static bool
take_column_name(rt_csv *c, const char *name, const char *const names[])
{
    c->n_columns++;
    for (size_t i = 0; i < c->n_wanted; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        if (c->column[i])
            return rt_csv_fail(c, c->header_line, "the column \"%s\" is named twice",
                               name);
        c->column[i] = c->n_columns;
    }
    return true;
}

bool
rt_csv_header(rt_csv *c, const char *const names[], size_t n, const char *begins)
{
    c->header_line = rt_csv_more(c) ? c->line : 1;
    char *name = NULL;
    if (!*c->at)
        return rt_csv_fail(c, c->header_line, "the file is empty; it begins with %s",
                           begins);
    c->n_wanted = n;
    for (bool last = false; !last;)
        if (!take_field(c, &name, &last) || !take_column_name(c, name, names))
            return false;
    return true;
}

bool
rt_csv_record(rt_csv *c, const char *text[])
{
    const size_t line = c->line;
    size_t n = 0;
    for (bool last = false; !last;) {
        char *field = NULL;
        if (!take_field(c, &field, &last))
            return false;
        n++;
        for (size_t i = 0; i < c->n_wanted; i++)
            if (c->column[i] == n)
                text[i] = field;
    }
    if (n != c->n_columns)
        return rt_csv_fail(c, line, "the header has %zu columns, this line has %zu",
                           c->n_columns, n);
    return true;
}

/* ---- Files ----------------------------------------------------------------------- */

/* Everything the file has, with a zero behind it. */
static char *
read_all(const rt_csv *c, FILE *file, size_t *n)
{
    size_t cap = 1 << 16;
    char *text = malloc(cap);
    for (*n = 0; text; cap *= 2) {
        *n += fread(text + *n, 1, cap - 1 - *n, file);
        if (*n < cap - 1)
            break;
        char *grown = cap <= SIZE_MAX / 2 ? realloc(text, 2 * cap) : NULL;
        if (!grown)
            free(text);
        text = grown;
    }
    if (text)
        text[*n] = 0;
    else
        rt_csv_no_memory(c);
    return text;
}

static bool
check_bytes(const rt_csv *c, size_t n)
{
    const char *zero = memchr(c->text, 0, n);
    size_t line = 1;
    for (const char *p = c->text; zero && p < zero; p++)
        line += *p == '\n';
    return !zero || rt_csv_fail(c, line, "the line holds a zero byte");
}

bool
rt_csv_read(rt_csv *c, FILE *file, const char *name, char *why, size_t why_len)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t n = 0;
    *c = (rt_csv){.line = 1, .name = name, .why = why, .why_len = why_len};
    errno = 0;
    c->text = read_all(c, file, &n);
    if (!c->text)
        return false;
    if (ferror(file)) {
        snprintf(why, why_len, "%s: %s", name, strerror(errno));
        return false;
    }
    c->at = c->text + (strncmp(c->text, mark, strlen(mark)) ? 0 : strlen(mark));
    return check_bytes(c, n);
}

bool
rt_csv_load(rt_csv *c, const char *path, char *why, size_t why_len)
{
    *c = (rt_csv){.name = path, .why = why, .why_len = why_len};
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(why, why_len, "%s: %s", path, strerror(errno));
        return false;
    }
    const bool ok = rt_csv_read(c, file, path, why, why_len);
    fclose(file);
    return ok;
}

void
rt_csv_write(FILE *to, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}
