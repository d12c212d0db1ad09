/* Tables of rows and of classes from the fuzzer: refused with name and line, or taken
 * with texts that an index holds and times that are finite. */
#include "rt/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
check_table(const rt_names *t, size_t n)
{
    must(t->is_rows != t->is_classes && (t->is_rows || !t->n));
    for (size_t i = 0; i < t->n; i++) {
        const rt_row_name *r = &t->rows[i];
        must(*r->sound && strlen(r->sound) <= IDX_MAX_PATH);
        must(strlen(r->label) <= IDX_MAX_LABEL);
        must(isfinite(r->start_s) && isfinite(r->length_s));
        must(r->line >= 2 && r->line <= n && (!i || r->line > r[-1].line));
    }
    for (int i = 0; i < RT_AUDIOSET_CLASSES; i++)
        must(!t->classes[i] ||
             (t->is_classes && strlen(t->classes[i]) <= IDX_MAX_LABEL));
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static const char name[] = "n.csv:";
    rt_names t;
    char why[500], *end;
    uint8_t *copy = malloc(n + 1); /* fmemopen() wants bytes that it may write to */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    FILE *file = n ? fmemopen(copy, n, "r") : tmpfile(); /* it may refuse 0 bytes */
    must(file != NULL);
    memset(why, 'x', sizeof why);
    if (rt_names_read(&t, file, "n.csv", why, sizeof why)) {
        check_table(&t, n);
    } else {
        must(memchr(why, 0, sizeof why) && !strncmp(why, name, sizeof name - 1));
        const unsigned long line = strtoul(why + sizeof name - 1, &end, 10);
        must(line >= 1 && line <= n + 1 && !strncmp(end, ": ", 2) && end[2]);
    }
    rt_names_free(&t);
    fclose(file);
    free(copy);
    return 0;
}
