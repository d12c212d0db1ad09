/* Once a second, of any length: worth the heap that liblo takes, so that only the
 * messages of encode.c have a writer of our own. */
#include "osc/osc.h"

#include <lo/lo.h>
#include <stdbool.h>

static const char path[] = "/hearken/status";

static bool
add_pair(lo_message m, const osc_count *c)
{
    const int32_t count = c->count < INT32_MAX ? (int32_t)c->count : INT32_MAX;
    return c->name && !lo_message_add_string(m, c->name) &&
           !lo_message_add_int32(m, count);
}

static bool
add_all(lo_message m, int32_t seq, const char *state, const osc_count counts[],
        size_t n_counts)
{
    bool ok = !lo_message_add_int32(m, seq) && !lo_message_add_string(m, state);
    for (size_t i = 0; ok && i < n_counts; i++)
        ok = add_pair(m, &counts[i]);
    return ok;
}

size_t
osc_status_encode(uint8_t out[], size_t cap, int32_t seq, const char *state,
                  const osc_count counts[], size_t n_counts)
{
    if (cap > OSC_MAX_DATAGRAM)
        cap = OSC_MAX_DATAGRAM;
    /* A pair takes 8 bytes at least: more of them need no heap to be refused. */
    if (!state || n_counts > OSC_MAX_DATAGRAM / 8)
        return 0;
    lo_message m = lo_message_new();
    if (!m)
        return 0;
    size_t n = 0;
    if (add_all(m, seq, state, counts, n_counts) && lo_message_length(m, path) <= cap &&
        !lo_message_serialise(m, path, out, &n))
        n = 0;
    lo_message_free(m);
    return n;
}
