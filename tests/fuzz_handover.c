/* Bytes from the fuzzer as what a process left: refused with a reason, nothing changed,
 * or read into what is written and read again as the same. */
#include "rt/handover.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* All numbers within their ranges, all texts with their ends. */
static void
check(const rt_handover *h, const rt_options *o)
{
    char why[400];
    must(memchr(h->index[0], 0, sizeof h->index[0]) != NULL);
    must(h->connect.n <= RT_LIST && h->stream.us >= 0 && h->stream.s >= 0);
    for (uint32_t i = 0; i < h->connect.n; i++)
        must(memchr(h->connect.item[i], 0, RT_ITEM) != NULL);
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++) {
        const rt_subscription *s = &h->subscribed[i];
        must(s->left_s >= 0 && s->left_s <= RT_SUBSCRIBED_S);
        must(memchr(s->who, 0, sizeof s->who) != NULL);
        must(memchr(s->settings, 0, sizeof s->settings) != NULL);
    }
    must(rt_analyse_check(o, why, sizeof why));
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static rt_handover h, again, none;
    static rt_options o, o_again, at_start;
    static char text[RT_HANDOVER], text_again[RT_HANDOVER];
    char why[400] = "";
    char *copy = malloc(n + !n); /* of exact size, so that a read beyond is seen */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    memset(&h, 0, sizeof h);
    rt_options_default(&at_start);
    o = at_start;
    if (!rt_handover_read(&h, &o, copy, n, why, sizeof why)) {
        must(*why && !memcmp(&h, &none, sizeof h) && !memcmp(&o, &at_start, sizeof o));
        free(copy);
        return 0;
    }
    free(copy);
    check(&h, &o);
    const size_t len = rt_handover_write(&h, &o, text, sizeof text);
    must(len > 0);
    memset(&again, 0, sizeof again);
    o_again = at_start;
    must(rt_handover_read(&again, &o_again, text, len, why, sizeof why));
    must(rt_handover_write(&again, &o_again, text_again, sizeof text_again) == len);
    must(!memcmp(text, text_again, len));
    return 0;
}
