/* Datagrams from the fuzzer as a session manager's: what is understood is as nsm.h
 * says.
 */
#include "rt/nsm.h"

#include <ctype.h>
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
check_plain(const char *text, size_t cap)
{
    must(memchr(text, 0, cap) != NULL);
    for (; *text; text++)
        must(!iscntrl((unsigned char)*text));
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    rt_nsm_order o;
    memset(&o, 'x', sizeof o);
    uint8_t *copy = malloc(n + !n); /* of exact size, so that a read beyond is seen */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    rt_nsm_parse(&o, copy, n);
    free(copy);
    must(o.kind <= RT_NSM_SAVE);
    check_plain(o.path, sizeof o.path);
    check_plain(o.client, sizeof o.client);
    check_plain(o.text, sizeof o.text);
    must((o.kind == RT_NSM_OPEN) == (*o.path == '/'));
    must((o.kind == RT_NSM_OPEN) == (*o.client && !strchr(o.client, ':')));
    must((o.kind != RT_NSM_BAD_OPEN) || *o.text);
    return 0;
}
