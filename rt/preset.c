/* Presets: INI text to settings, strictly. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

enum {
    LINE_BYTES = 199
}; /* inih cuts longer lines (INI_MAX_LINE 200) without a word */

typedef struct {
    rt_options *options;
    FILE *file;
    const char *name;
    char *why;
    size_t why_len;
    int line; /* last one read */
    bool failed;
} reader;

static void
fail(reader *r, const char *text)
{
    if (!r->failed)
        snprintf(r->why, r->why_len, "%s:%d: %s", r->name, r->line, text);
    r->failed = true;
}

/* fgets() that counts lines and refuses what inih would misread. */
static char *
read_line(char *text, int size, void *arg)
{
    reader *r = arg;
    size_t n = 0;
    int c = 0;
    while (!r->failed && n + 1 < (size_t)size && c != '\n' &&
           (c = getc(r->file)) != EOF)
        text[n++] = (char)c;
    text[n] = 0;
    if (!n)
        return NULL;
    r->line++;
    const bool whole = c == '\n' || c == EOF;
    if (!whole || n > LINE_BYTES || memchr(text, 0, n))
        fail(r, "the line is longer than 198 characters, or holds a zero byte");
    else if (isspace((unsigned char)text[0]) && strspn(text, " \t\r\n\v\f") < n)
        fail(r, "the line begins with a blank; a setting begins at the margin");
    return r->failed ? NULL : text;
}

static int
take(void *arg, const char *section, const char *name, const char *value)
{
    reader *r = arg;
    char full[220], why[400];
    snprintf(full, sizeof full, "%s%s%s", section, *section ? "." : "", name);
    if (r->failed)
        return 0;
    if (rt_options_set(r->options, full, value ? value : "", 0, why, sizeof why))
        return 1;
    fail(r, why);
    return 0;
}

bool
rt_preset_read(rt_options *o, FILE *file, const char *name, char *why, size_t why_len)
{
    reader r = {
        .options = o, .file = file, .name = name, .why = why, .why_len = why_len};
    const int line = ini_parse_stream(read_line, &r, take, &r);
    if (line < 0) {
        snprintf(why, why_len, "%s: not enough memory to read it", name);
        return false;
    }
    if (line > 0 && (!r.failed || line < r.line)) { /* inih reads on after an error */
        r.failed = false;
        r.line = line;
        fail(&r,
             "neither a setting (section.key = value), a [section] nor a # comment");
    }
    if (!r.failed && ferror(file))
        fail(&r, "the rest cannot be read");
    return !r.failed;
}

bool
rt_preset_load(rt_options *o, const char *path, char *why, size_t why_len)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(why, why_len, "%s: %s", path, strerror(errno));
        return false;
    }
    const bool ok = rt_preset_read(o, file, path, why, why_len);
    fclose(file);
    return ok;
}
