/* What rows are: a line of a CSV for each, or the names of AudioSet's classes. */
#include "csv.h"
#include "import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SOUND, START, LENGTH, LABEL, INDEX, DISPLAY_NAME, N_COLUMNS };

static const char *const column_name[N_COLUMNS] = {"sound", "start", "length",
                                                   "label", "index", "display_name"};

static bool
check_length(const rt_csv *c, size_t line, const char *text, const char *what,
             size_t most)
{
    const size_t n = strlen(text);
    return n <= most || rt_csv_fail(c, line, "the %s has %zu bytes; %zu are the most",
                                    what, n, most);
}

/* A time; nothing at all is 0. */
static bool
read_seconds(const rt_csv *c, size_t line, const char *text, const char *what,
             float *seconds)
{
    char *end;
    *seconds = strtof(text, &end);
    return (!*end && isfinite(*seconds)) ||
           rt_csv_fail(c, line, "the %s is \"%.40s\"; it is a number of seconds", what,
                       text);
}

static bool
take_row(rt_csv *c, rt_row_name *row)
{
    const char *text[N_COLUMNS] = {"", "", "", "", "", ""};
    *row = (rt_row_name){.line = c->line};
    if (!rt_csv_record(c, text))
        return false;
    row->sound = text[SOUND];
    row->label = text[LABEL];
    if (!*row->sound)
        return rt_csv_fail(c, row->line, "the sound is empty");
    return check_length(c, row->line, row->sound, "sound", IDX_MAX_PATH) &&
           check_length(c, row->line, row->label, "label", IDX_MAX_LABEL) &&
           read_seconds(c, row->line, text[START], "start", &row->start_s) &&
           read_seconds(c, row->line, text[LENGTH], "length", &row->length_s);
}

static bool
take_rows(rt_csv *c, rt_names *t)
{
    size_t cap = 0;
    while (rt_csv_more(c)) {
        if (t->n == cap) {
            cap = cap ? 2 * cap : 64; /* each takes bytes of text, which is in memory */
            rt_row_name *grown = rt_store_grow(t->store, t->rows, cap * sizeof *grown);
            if (!grown)
                return rt_csv_no_memory(c);
            t->rows = grown;
        }
        if (!take_row(c, &t->rows[t->n]))
            return false;
        t->n++;
    }
    return true;
}

static bool
take_classes(rt_csv *c, rt_names *t)
{
    while (rt_csv_more(c)) {
        const char *text[N_COLUMNS] = {"", "", "", "", "", ""};
        const size_t line = c->line;
        if (!rt_csv_record(c, text))
            return false;
        char *end;
        const unsigned long i = strtoul(text[INDEX], &end, 10);
        if (*end || end == text[INDEX] || i >= RT_AUDIOSET_CLASSES ||
            *text[INDEX] == '-')
            return rt_csv_fail(c, line, "the index is \"%.40s\"; it is 0 to 526",
                               text[INDEX]);
        if (t->classes[i])
            return rt_csv_fail(c, line, "the index %lu is there already", i);
        if (!check_length(c, line, text[DISPLAY_NAME], "display_name", IDX_MAX_LABEL))
            return false;
        t->classes[i] = text[DISPLAY_NAME];
    }
    return true;
}

static bool
take_table(rt_csv *c, rt_names *t)
{
    if (*c->at == '#')
        return rt_csv_fail(c, 1,
                           "a table of AudioSet's segments; the records name their "
                           "classes themselves, "
                           "so give class_labels_indices.csv for the names of these");
    if (!rt_csv_header(c, column_name, N_COLUMNS, "sound,start,length,label"))
        return false;
    t->is_rows = c->column[SOUND];
    t->is_classes = !t->is_rows && c->column[INDEX] && c->column[DISPLAY_NAME];
    if (!t->is_rows && !t->is_classes)
        return rt_csv_fail(c, c->header_line,
                           "the header has no column \"sound\"; it is "
                           "sound,start,length,label, or AudioSet's "
                           "index,mid,display_name");
    return t->is_rows ? take_rows(c, t) : take_classes(c, t);
}

bool
rt_names_read(rt_names *t, FILE *file, const char *name, char *why, size_t why_len)
{
    rt_csv c;
    const bool read = rt_csv_read(&c, file, name, why, why_len);
    *t = (rt_names){.text = c.text};
    return read && take_table(&c, t);
}

bool
rt_names_load(rt_names *t, const char *path, rt_store *store, char *why, size_t why_len)
{
    rt_csv c;
    const bool read = rt_csv_load(&c, path, why, why_len);
    *t = (rt_names){.store = store, .text = c.text};
    return read && take_table(&c, t);
}

void
rt_names_free(rt_names *t)
{
    rt_store_drop(t->store, t->rows);
    free(t->text);
    *t = (rt_names){0};
}
