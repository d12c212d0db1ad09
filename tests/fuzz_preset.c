/* Presets from the fuzzer: refused with name and line, or taken with every value in its
 * range; and what is then written of the sections that an index stores is read back. */
#include "rt/options.h"

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
check_list(const rt_list *list)
{
    must(list->n >= 1 && list->n <= RT_LIST);
    for (uint32_t i = 0; i < list->n; i++)
        must(list->item[i][0] && memchr(list->item[i], 0, RT_ITEM));
}

static void
check_row(const rt_options *o, const rt_field *f)
{
    const char *at = (const char *)o + f->offset;
    uint32_t n_choices = 0, number;
    memcpy(&number, at, sizeof number);
    while (f->choices && f->choices[n_choices])
        n_choices++;
    if (!strcmp(f->arg, "LIST"))
        must(number > 0 && number < 1U << n_choices);
    else if (f->choices)
        must(number < n_choices);
}

static void
check_values(const rt_options *o)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++)
        check_row(o, &f[i]);
    must(o->build.threads <= 256 && o->match.k >= 1 && o->match.k <= 100);
    must(o->match.confirm_ms <= 64000 && o->match.within_ms <= 64000);
    must(o->index.planes <= 22 && o->index.tables <= 64);
    must(o->index.recall >= 0.5F && o->index.recall <= 1);
    must(o->match.score >= 0 && o->match.score <= 1);
    must(o->match.gate_db >= -120 && o->match.gate_db <= 0);
    must(o->dsp.gate_db >= -120 && o->dsp.gate_db <= 0);
    must(o->build.output[0] && memchr(o->build.output, 0, RT_TEXT));
    must(o->jack.client_name[0] && memchr(o->jack.client_name, 0, RT_ITEM));
    must(o->jack.inputs[0] && memchr(o->jack.inputs, 0, RT_TEXT));
    check_list(&o->osc.to);
    check_list(&o->jack.connect);
}

static void
check_written(const rt_options *o)
{
    static const char *const sections[] = {"dsp", "index", "match", "out", "listen"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        char text[1000], again[1000], why[400];
        rt_options back;
        const size_t n = rt_options_write(o, sections[i], text, sizeof text);
        must(n > 0 && n < sizeof text && n == strlen(text));
        FILE *file = fmemopen(text, n, "r");
        rt_options_default(&back);
        must(file && rt_preset_read(&back, file, "text", why, sizeof why));
        fclose(file);
        must(rt_options_write(&back, sections[i], again, sizeof again) == n);
        must(!strcmp(text, again));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static rt_options o;
    static const char name[] = "p.conf:";
    char why[400], *end;
    uint8_t *copy = malloc(n + 1); /* fmemopen() wants bytes that it may write to */
    must(copy != NULL);
    memcpy(copy, data, n);
    FILE *file = fmemopen(copy, n, "r");
    if (!file) { /* some C libraries refuse 0 bytes */
        free(copy);
        return 0;
    }
    memset(why, 'x', sizeof why);
    rt_options_default(&o);
    if (rt_preset_read(&o, file, "p.conf", why, sizeof why)) {
        check_values(&o);
        check_written(&o);
    } else {
        must(memchr(why, 0, sizeof why) && !strncmp(why, name, sizeof name - 1));
        const long line = strtol(why + sizeof name - 1, &end, 10);
        must(line >= 1 && line <= (long)n && !strncmp(end, ": ", 2) && end[2]);
    }
    fclose(file);
    free(copy);
    return 0;
}
