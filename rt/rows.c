#include "rows.h"

#include <string.h>

static bool
grow(rt_rows *r, uint32_t values)
{
    if (r->n < r->cap)
        return true;
    const uint32_t cap = r->cap ? 2 * r->cap : 16;
    if (cap <= r->cap)
        return false;
    float *raw = rt_store_grow(r->store, r->raw, (size_t)cap * values * sizeof *raw);
    if (raw)
        r->raw = raw;
    rt_place *places = rt_store_grow(r->store, r->places, cap * sizeof *places);
    if (places)
        r->places = places;
    if (raw && places)
        r->cap = cap;
    else if (!r->cap) { /* half of the first block */
        rt_store_drop(r->store, r->raw);
        rt_store_drop(r->store, r->places);
        r->raw = NULL;
        r->places = NULL;
    }
    return raw && places;
}

bool
rt_rows_add(rt_rows *r, const rt_moment *m)
{
    const uint32_t values = m->n;
    if (!grow(r, values))
        return false;
    memcpy(r->raw + (size_t)r->n * values, m->raw, values * sizeof *m->raw);
    r->places[r->n++] = (rt_place){m->start_s, m->length_s, m->end};
    return true;
}

void
rt_rows_free(rt_rows *r)
{
    if (r->cap) {
        rt_store_drop(r->store, r->raw);
        rt_store_drop(r->store, r->places);
    }
    *r = (rt_rows){.store = r->store};
}
