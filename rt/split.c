#include "split.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAME, LABEL, GROUP, SPLIT, N_COLUMNS };

static const char *const column_name[N_COLUMNS] = {"file", "label", "group", "split"};

/*
 * The text is taken apart where it stands: what a field loses (quotes, the comma behind
 * it) makes room for the zero at its end. A zero ends the text as well, so that no step
 * asks how much is left.
 */
typedef struct {
    char *at;    /* what is not yet read */
    size_t line; /* of at */
    const char *name;
    char *why;
    size_t why_len;
    size_t n_columns;         /* of the header */
    size_t column[N_COLUMNS]; /* where each stands there, from 1; 0 if missing */
    size_t cap;               /* rows that there is room for */
    bool labels_only;         /* no column split is asked for or looked at */
} parser;

static bool fail(const parser *p, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool
fail(const parser *p, size_t line, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(p->why, p->why_len, "%s:%zu: %s", p->name, line, text);
    return false;
}

static bool
say_no_memory(const parser *p)
{
    snprintf(p->why, p->why_len, "%s: not enough memory to read it", p->name);
    return false;
}

/* ---- Fields and records ---------------------------------------------------------- */

/* Steps behind the comma, line end or end of text after a field, and says which. */
static bool
step_over(parser *p, bool *last)
{
    *last = *p->at != ',';
    if (p->at[0] == '\r' && p->at[1] == '\n')
        p->at++;
    else if (*p->at == '\r')
        return fail(p, p->line, "a carriage return without a line feed");
    p->line += *p->at == '\n';
    p->at += *p->at != 0;
    return true;
}

static bool
take_quoted(parser *p, char **field, bool *last)
{
    const size_t line = p->line;
    char *to = *field = p->at++;
    for (; *p->at && (p->at[0] != '"' || p->at[1] == '"'); *to++ = *p->at++) {
        p->at += *p->at == '"';
        p->line += *p->at == '\n';
    }
    if (!*p->at)
        return fail(p, line, "a quote begins here that is never closed");
    if (!strchr(",\r\n", *++p->at)) /* it finds the zero at the end of text, too */
        return fail(p, p->line,
                    "text after a closing quote; double the quotes within a field");
    const bool ok = step_over(p, last);
    *to = 0;
    return ok;
}

static bool
take_plain(parser *p, char **field, bool *last)
{
    *field = p->at;
    p->at += strcspn(p->at, ",\"\r\n");
    if (*p->at == '"')
        return fail(p, p->line,
                    "a quote within a field; put the field in quotes and double it");
    char *end = p->at;
    const bool ok = step_over(p, last);
    *end = 0;
    return ok;
}

static bool
take_field(parser *p, char **field, bool *last)
{
    return *p->at == '"' ? take_quoted(p, field, last) : take_plain(p, field, last);
}

/* To the next line that has something; false at the end of the text. */
static bool
next_record(parser *p)
{
    while (*p->at == '\n' || (p->at[0] == '\r' && p->at[1] == '\n')) {
        p->at += *p->at == '\r' ? 2 : 1;
        p->line++;
    }
    return *p->at != 0;
}

/* ---- Header and rows ------------------------------------------------------------- */

static bool
take_column_name(parser *p, size_t line, const char *name)
{
    p->n_columns++;
    for (int i = 0; i < N_COLUMNS; i++) {
        if (strcmp(name, column_name[i]) != 0)
            continue;
        if (p->column[i])
            return fail(p, line, "the column \"%s\" is named twice", name);
        p->column[i] = p->n_columns;
    }
    return true;
}

static bool
take_header(parser *p)
{
    const size_t line = next_record(p) ? p->line : 1;
    char *name = NULL;
    if (!*p->at)
        return fail(p, line,
                    "the file is empty; it begins with file,label,group,split");
    for (bool last = false; !last;)
        if (!take_field(p, &name, &last) || !take_column_name(p, line, name))
            return false;
    for (int i = 0; i < N_COLUMNS; i++)
        if (!p->column[i] && i != GROUP && !(i == SPLIT && p->labels_only))
            return fail(p, line, "the header has no column \"%s\"", column_name[i]);
    return true;
}

/* One record into the texts of its four columns; "" for one that is missing. */
static bool
take_record(parser *p, const char *text[N_COLUMNS])
{
    const size_t line = p->line;
    size_t n = 0;
    for (bool last = false; !last;) {
        char *field = NULL;
        if (!take_field(p, &field, &last))
            return false;
        n++;
        for (int i = 0; i < N_COLUMNS; i++)
            if (p->column[i] == n)
                text[i] = field;
    }
    if (n != p->n_columns)
        return fail(p, line, "the header has %zu columns, this line has %zu",
                    p->n_columns, n);
    return true;
}

static bool
read_split(const parser *p, rt_row *row, const char *text)
{
    row->query = !strcmp(text, "query") || !strcmp(text, "test");
    if (row->query || !strcmp(text, "database") || !strcmp(text, "train"))
        return true;
    return fail(p, row->line,
                "the split is \"%.40s\"; it is query or test, or database or train",
                text);
}

static bool
take_row(parser *p, rt_row *row)
{
    const char *text[N_COLUMNS] = {"", "", "", ""};
    *row = (rt_row){.line = p->line};
    if (!take_record(p, text))
        return false;
    for (int i = FILE_NAME; i <= LABEL; i++)
        if (!*text[i])
            return fail(p, row->line, "the %s is empty", column_name[i]);
    row->file = text[FILE_NAME];
    row->label = text[LABEL];
    row->group = *text[GROUP] ? text[GROUP] : text[FILE_NAME];
    return p->labels_only || read_split(p, row, text[SPLIT]);
}

static bool
grow(parser *p, rt_split *s)
{
    if (s->n < p->cap)
        return true;
    const size_t cap = p->cap ? 2 * p->cap : 64;
    rt_row *grown =
        cap <= SIZE_MAX / sizeof *grown ? realloc(s->rows, cap * sizeof *grown) : NULL;
    if (!grown)
        return say_no_memory(p);
    s->rows = grown;
    p->cap = cap;
    return true;
}

/* ---- No file twice --------------------------------------------------------------- */

static int
by_file(const void *a, const void *b)
{
    const rt_row *x = *(const rt_row *const *)a, *y = *(const rt_row *const *)b;
    const int order = strcmp(x->file, y->file);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* The first line that names a file again, if any. */
static bool
check_files(const parser *p, const rt_row *const sorted[], size_t n)
{
    const rt_row *first = NULL, *again = NULL;
    for (size_t i = 1; i < n; i++) {
        if (strcmp(sorted[i - 1]->file, sorted[i]->file) != 0)
            continue;
        if (again && again->line < sorted[i]->line)
            continue;
        first = sorted[i - 1];
        again = sorted[i];
    }
    return !again || fail(p, again->line, "\"%.160s\" is in line %zu already",
                          again->file, first->line);
}

static bool
each_file_once(const parser *p, const rt_split *s)
{
    const rt_row **sorted = malloc((s->n + 1) * sizeof *sorted);
    if (!sorted)
        return say_no_memory(p);
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = &s->rows[i];
    qsort(sorted, s->n, sizeof *sorted, by_file);
    const bool ok = check_files(p, sorted, s->n);
    free(sorted);
    return ok;
}

/* ---- The whole ------------------------------------------------------------------- */

/* Everything the file has, with a zero behind it. */
static char *
read_all(const parser *p, FILE *file, size_t *n)
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
        say_no_memory(p);
    return text;
}

static bool
check_bytes(const parser *p, size_t n)
{
    const char *zero = memchr(p->at, 0, n);
    size_t line = 1;
    for (const char *c = p->at; zero && c < zero; c++)
        line += *c == '\n';
    return !zero || fail(p, line, "the line holds a zero byte");
}

static bool
parse(parser *p, rt_split *s, size_t n)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (!check_bytes(p, n))
        return false;
    p->at += strncmp(p->at, mark, strlen(mark)) ? 0 : strlen(mark);
    if (!take_header(p))
        return false;
    while (next_record(p)) {
        if (!grow(p, s) || !take_row(p, &s->rows[s->n]))
            return false;
        s->n++;
    }
    return each_file_once(p, s);
}

static bool
read_table(parser *p, rt_split *s, FILE *file)
{
    size_t n = 0;
    *s = (rt_split){0};
    errno = 0;
    p->at = s->text = read_all(p, file, &n);
    bool ok = s->text;
    if (ok && ferror(file)) {
        snprintf(p->why, p->why_len, "%s: %s", p->name, strerror(errno));
        ok = false;
    }
    ok = ok && parse(p, s, n);
    if (!ok)
        rt_split_free(s);
    return ok;
}

bool
rt_split_read(rt_split *s, FILE *file, const char *name, char *why, size_t why_len)
{
    parser p = {.line = 1, .name = name, .why = why, .why_len = why_len};
    return read_table(&p, s, file);
}

static bool
load_table(rt_split *s, const char *path, bool labels_only, char *why, size_t why_len)
{
    parser p = {.line = 1,
                .name = path,
                .why = why,
                .why_len = why_len,
                .labels_only = labels_only};
    *s = (rt_split){0};
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(why, why_len, "%s: %s", path, strerror(errno));
        return false;
    }
    const bool ok = read_table(&p, s, file);
    fclose(file);
    return ok;
}

bool
rt_split_load(rt_split *s, const char *path, char *why, size_t why_len)
{
    return load_table(s, path, false, why, why_len);
}

bool
rt_split_load_labels(rt_split *s, const char *path, char *why, size_t why_len)
{
    return load_table(s, path, true, why, why_len);
}

void
rt_split_free(rt_split *s)
{
    free(s->rows);
    free(s->text);
    *s = (rt_split){0};
}
