/* CSV from the fuzzer: refused with name and line, or taken with rows that hold what
 * split.h says; and these, written again in quotes, are read back the same. */
#include "rt/split.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static bool
read_memory(rt_split *s, void *bytes, size_t n, char *why, size_t why_len)
{
    FILE *file = n ? fmemopen(bytes, n, "r") : tmpfile(); /* it may refuse 0 bytes */
    must(file != NULL);
    const bool ok = rt_split_read(s, file, "s.csv", why, why_len);
    fclose(file);
    return ok;
}

static void
check_text(const rt_split *s, const char *text, size_t n)
{
    must(text >= s->text && text + strlen(text) <= s->text + n && *text);
}

static void
check_rows(const rt_split *s, size_t n)
{
    for (size_t i = 0; i < s->n; i++) {
        const rt_row *r = &s->rows[i];
        check_text(s, r->file, n);
        check_text(s, r->label, n);
        check_text(s, r->group, n);
        must(r->line >= 2 && r->line <= n && (!i || r->line > r[-1].line));
        for (size_t j = 0; j < i && j < 50; j++)
            must(strcmp(s->rows[j].file, r->file) != 0);
    }
}

static void
write_quoted(FILE *to, const char *text, char end)
{
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fprintf(to, "\"%c", end);
}

static void
check_written(const rt_split *s)
{
    char *bytes = NULL, why[400];
    size_t n = 0;
    rt_split back;
    FILE *to = open_memstream(&bytes, &n);
    must(to != NULL);
    fputs("split,group,label,file\n", to);
    for (size_t i = 0; i < s->n; i++) {
        fputs(s->rows[i].query ? "test," : "train,", to);
        write_quoted(to, s->rows[i].group, ',');
        write_quoted(to, s->rows[i].label, ',');
        write_quoted(to, s->rows[i].file, '\n');
    }
    fclose(to);
    must(read_memory(&back, bytes, n, why, sizeof why) && back.n == s->n);
    for (size_t i = 0; i < s->n; i++) {
        must(!strcmp(back.rows[i].file, s->rows[i].file));
        must(!strcmp(back.rows[i].label, s->rows[i].label));
        must(!strcmp(back.rows[i].group, s->rows[i].group));
        must(back.rows[i].query == s->rows[i].query);
    }
    rt_split_free(&back);
    free(bytes);
}

static void
check_refusal(const rt_split *s, const char *why, size_t n)
{
    static const char name[] = "s.csv:";
    char *end;
    must(!s->rows && !s->text && !s->n);
    must(!strncmp(why, name, sizeof name - 1));
    const unsigned long line = strtoul(why + sizeof name - 1, &end, 10);
    must(line >= 1 && line <= n + 1 && !strncmp(end, ": ", 2) && end[2]);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    rt_split s;
    char why[400];
    uint8_t *copy = malloc(n + 1); /* fmemopen() wants bytes that it may write to */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    memset(why, 'x', sizeof why);
    if (read_memory(&s, copy, n, why, sizeof why)) {
        check_rows(&s, n);
        check_written(&s);
    } else {
        must(memchr(why, 0, sizeof why) != NULL);
        check_refusal(&s, why, n);
    }
    rt_split_free(&s);
    free(copy);
    return 0;
}
