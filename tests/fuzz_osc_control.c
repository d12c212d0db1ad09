/* Datagrams from the fuzzer: refused with a reason before any message is passed on, or
 * read into messages that stay within what they came in. */
#include "osc/control.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

typedef struct {
    const char *from, *to; /* the datagram */
    size_t n;
} seen;

static void
check_text(const seen *s, const char *text)
{
    must(text >= s->from && text < s->to);
    must(memchr(text, 0, (size_t)(s->to - text)) != NULL);
}

/* A pattern fits itself where it is none, and a * what has no part more. */
static void
check_pattern(const char *address)
{
    const bool fits = osc_pattern_fits(address, "/hearken/match/score");
    if (!osc_is_pattern(address)) {
        must(fits == !strcmp(address, "/hearken/match/score"));
        must(osc_pattern_fits(address, address) ==
             (strlen(address) <= OSC_MAX_PATTERN));
    }
    must(osc_pattern_fits("/*", address) == !strchr(address + 1, '/'));
}

static void
check(void *ctx, const osc_message *m)
{
    seen *s = ctx;
    s->n++;
    check_text(s, m->address);
    check_pattern(m->address);
    must(m->address[0] == '/' && m->n_args <= OSC_MAX_ARGS);
    for (uint32_t i = 0; i < m->n_args; i++)
        if (m->arg[i].type == 's' || m->arg[i].type == 'S')
            check_text(s, m->arg[i].s);
        else if (m->arg[i].type == 'b')
            must(m->arg[i].i >= 0 && m->arg[i].i <= OSC_MAX_RECEIVED);
        else
            must(strchr("ifTFNIhdtcrm", m->arg[i].type) != NULL);

    /* What may be sent is read back as it was. */
    uint8_t again[OSC_MAX_DATAGRAM];
    const char *why;
    const size_t n =
        osc_message_encode(again, sizeof again, m->address, m->arg, m->n_args);
    if (n)
        must(osc_read(again, n, NULL, NULL, &why) == OSC_OK && n % 4 == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    uint8_t *copy = malloc(n + 1); /* to the byte, for the sanitizer */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    seen s = {.from = (char *)copy, .to = (char *)copy + n};
    const char *why = NULL;
    const osc_status st = osc_read(copy, n, check, &s, &why);
    must(st == OSC_OK ? !why && s.n <= OSC_MAX_MESSAGES : why && *why && !s.n);
    free(copy);

    char text[80] = "", range_why[200] = "";
    osc_range r;
    memcpy(text, data, n < sizeof text - 1 ? n : sizeof text - 1);
    if (osc_range_parse(&r, text, range_why, sizeof range_why))
        must(*range_why != 0);
    else
        must(r.bits <= (r.is_ipv6 ? 128U : 32U));
    return 0;
}
