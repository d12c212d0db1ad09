/* Templates from the fuzzer, the first byte for the kind: refused with a sentence and a
 * place within the text, or they make messages that osc_read() takes. */
#include "osc/template.h"

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
encode(const osc_template *t, float real, int32_t whole, const char *text)
{
    osc_arg value[OSC_VALUES];
    uint8_t out[OSC_MAX_DATAGRAM];
    const char *why;
    for (unsigned v = 0; v < OSC_VALUES; v++) {
        value[v] = (osc_arg){.type = osc_value_type((osc_value)v), .s = text};
        if (value[v].type == 'i')
            value[v].i = whole;
        else if (value[v].type == 'f')
            value[v].f = real;
    }
    const size_t n = osc_template_encode(out, sizeof out, t, value);
    must(n <= sizeof out && n % 4 == 0);
    must(!n || osc_read(out, n, NULL, NULL, &why) == OSC_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static char long_text[1500];
    osc_template *t = malloc(sizeof *t); /* so that a read beyond it is seen */
    char why[200], *text = malloc(n + 1);
    size_t column;
    must(t && text);
    memset(long_text, '/', sizeof long_text - 1);
    memset(why, 'x', sizeof why);
    if (n)
        memcpy(text, data + 1, n - 1);
    text[n ? n - 1 : 0] = 0;
    const osc_kind kind = (osc_kind)(n ? data[0] % OSC_KINDS : 0);
    if (osc_template_parse(t, kind, text, &column, why, sizeof why)) {
        must(column >= 1 && column <= strlen(text) + 1);
        must(memchr(why, 0, sizeof why) != NULL && *why);
    } else {
        encode(t, 0.5F, -7, "a b");
        encode(t, 1e38F, INT32_MIN, "");
        encode(t, -0.0F, INT32_MAX, long_text);
    }
    free(text);
    free(t);
    return 0;
}
