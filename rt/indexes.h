/*
 * The indexes of listen: that of the command line, called main, and those of
 * listen.index, each with a name, a file and perhaps settings of its own.
 *
 *   "drums=drums.hkn,score=0.8" --rt_indexes_parse--> rt_indexes, rt_options.own
 *   rt_options --rt_options_of(1)--> those that drums goes by
 *
 * Where an index has no setting of its own it goes by that of all.
 */
#ifndef HEARKEN_RT_INDEXES_H
#define HEARKEN_RT_INDEXES_H

#include "options.h"

#include <string.h>

typedef struct {
    uint32_t n; /* with main, which is number 0 */
    char name[RT_INDEXES][RT_NAME];
    char path[RT_INDEXES][RT_ITEM]; /* that of main is not known here */
} rt_indexes;

/* Reads o->listen.index, settings into o->own. False, with why, when one is not of that
 * form, a name comes twice, or settings do not go together. */
bool rt_indexes_parse(rt_indexes *out, rt_options *o, char *why, size_t why_len);

/*
 * Gives an index, not main, a setting of match or search ("score", "match.score" or
 * "space") of its own, and notes it in its item of o->listen.index. False, with why,
 * and nothing changes, where it is none, cannot have that value, does not go with the
 * others, or the item becomes too long.
 */
bool rt_own_set(rt_options *o, uint32_t index, const char *key, const char *value,
                char *why, size_t why_len);

/* The row that an index may have of its own by that key, or NULL. */
const rt_field *rt_own_field(const char *key);

/* Lays the settings that an index has of its own over those of all. Any thread. */
static inline void
rt_options_of(rt_options *o, uint32_t index)
{
    const rt_own *own = &o->own[index];
    for (uint32_t i = 0; i < own->n; i++)
        memcpy((char *)o + own->set[i].offset, &own->set[i].value, sizeof(uint32_t));
}

/* Makes the paths in o->listen.index absolute, as far as the files are there and there
 * is room: for presets that are read elsewhere. */
void rt_indexes_absolute(rt_options *o);

#endif
