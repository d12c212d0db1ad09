/* Lines of listen.index from the fuzzer: refused with a sentence, or taken with names
 * and settings that hold what indexes.h says, and read again the same. */
#include "rt/indexes.h"

#include "rt/analyse.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* A line each. */
static void
fill(rt_list *list, const uint8_t data[], size_t n)
{
    const char *p = (const char *)data, *end = p + n;
    list->n = 0;
    while (p < end && list->n < RT_LIST) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        const size_t len = (size_t)((stop ? stop : end) - p);
        char *item = list->item[list->n++];
        const size_t kept = len < RT_ITEM - 1 ? len : RT_ITEM - 1;
        memcpy(item, p, kept);
        item[kept] = 0;
        p += len + 1;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static rt_options o, own, again;
    rt_indexes in, twice;
    char why[600] = "";
    rt_options_default(&o);
    fill(&o.listen.index, data, n);
    if (!rt_indexes_parse(&in, &o, why, sizeof why)) {
        must(*why && strlen(why) < sizeof why);
        return 0;
    }
    must(in.n >= 1 && in.n <= RT_INDEXES);
    for (uint32_t i = 1; i < in.n; i++) {
        must(*in.name[i] && *in.path[i] && !strchr(in.path[i], ','));
        must(o.own[i].n <= RT_OWN);
        own = o;
        rt_options_of(&own, i);
        must(rt_analyse_check(&own, why, sizeof why));
        if (!rt_own_set(&o, i, "k", "3", why, sizeof why))
            continue; /* too long */
        own = again = o;
        rt_options_of(&own, i);
        must(own.match.k == 3);
        must(rt_indexes_parse(&twice, &again, why, sizeof why));
        must(twice.n == in.n && !strcmp(twice.path[i], in.path[i]));
        rt_options_of(&again, i);
        must(!memcmp(&again.match, &own.match, sizeof own.match));
        must(!memcmp(&again.search, &own.search, sizeof own.search));
    }
    rt_indexes_absolute(&o);
    return 0;
}
