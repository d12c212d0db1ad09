#include "split.h"

#include "csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAME, LABEL, GROUP, SPLIT, N_COLUMNS };

static const char *const column_name[N_COLUMNS] = {"file", "label", "group", "split"};

typedef struct {
    rt_csv csv;
    size_t cap;       /* rows that there is room for */
    bool labels_only; /* no column split is asked for or looked at */
} parser;

/* ---- Header and rows ------------------------------------------------------------- */

static bool
take_header(parser *p)
{
    if (!rt_csv_header(&p->csv, column_name, N_COLUMNS, "file,label,group,split"))
        return false;
    for (int i = 0; i < N_COLUMNS; i++)
        if (!p->csv.column[i] && i != GROUP && !(i == SPLIT && p->labels_only))
            return rt_csv_fail(&p->csv, p->csv.header_line,
                               "the header has no column \"%s\"", column_name[i]);
    return true;
}

static bool
read_split(const parser *p, rt_row *row, const char *text)
{
    row->query = !strcmp(text, "query") || !strcmp(text, "test");
    if (row->query || !strcmp(text, "database") || !strcmp(text, "train"))
        return true;
    return rt_csv_fail(
        &p->csv, row->line,
        "the split is \"%.40s\"; it is query or test, or database or train", text);
}

static bool
take_row(parser *p, rt_row *row)
{
    const char *text[N_COLUMNS] = {"", "", "", ""};
    *row = (rt_row){.line = p->csv.line};
    if (!rt_csv_record(&p->csv, text))
        return false;
    for (int i = FILE_NAME; i <= LABEL; i++)
        if (!*text[i])
            return rt_csv_fail(&p->csv, row->line, "the %s is empty", column_name[i]);
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
        return rt_csv_no_memory(&p->csv);
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
    return !again ||
           rt_csv_fail(&p->csv, again->line, "\"%.160s\" is in line %zu already",
                       again->file, first->line);
}

static bool
each_file_once(const parser *p, const rt_split *s)
{
    const rt_row **sorted = malloc((s->n + 1) * sizeof *sorted);
    if (!sorted)
        return rt_csv_no_memory(&p->csv);
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = &s->rows[i];
    qsort(sorted, s->n, sizeof *sorted, by_file);
    const bool ok = check_files(p, sorted, s->n);
    free(sorted);
    return ok;
}

/* ---- The whole ------------------------------------------------------------------- */

static bool
parse(parser *p, rt_split *s)
{
    if (!take_header(p))
        return false;
    while (rt_csv_more(&p->csv)) {
        if (!grow(p, s) || !take_row(p, &s->rows[s->n]))
            return false;
        s->n++;
    }
    return each_file_once(p, s);
}

/* read says whether the text is there at all. */
static bool
take_apart(parser *p, rt_split *s, bool read)
{
    *s = (rt_split){.text = p->csv.text};
    if (read && parse(p, s))
        return true;
    rt_split_free(s);
    return false;
}

bool
rt_split_read(rt_split *s, FILE *file, const char *name, char *why, size_t why_len)
{
    parser p = {0};
    return take_apart(&p, s, rt_csv_read(&p.csv, file, name, why, why_len));
}

bool
rt_split_load(rt_split *s, const char *path, char *why, size_t why_len)
{
    parser p = {0};
    return take_apart(&p, s, rt_csv_load(&p.csv, path, why, why_len));
}

bool
rt_split_load_labels(rt_split *s, const char *path, char *why, size_t why_len)
{
    parser p = {.labels_only = true};
    return take_apart(&p, s, rt_csv_load(&p.csv, path, why, why_len));
}

void
rt_split_free(rt_split *s)
{
    free(s->rows);
    free(s->text);
    *s = (rt_split){0};
}
