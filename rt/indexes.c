#define _XOPEN_SOURCE 700 /* realpath() */
#include "indexes.h"

#include "analyse.h"
#include "options_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_NAME = 31 };

/* ---- Settings of its own ----------------------------------------------------------
 */

static bool
is_in(const rt_field *f, const char *section)
{
    return !strcmp(f->section, section);
}

const rt_field *
rt_own_field(const char *key)
{
    static const char *const sections[] = {"match", "search"};
    char name[80];
    const rt_field *f = strchr(key, '.') ? rt_field_named(key) : NULL;
    for (size_t i = 0; i < sizeof sections / sizeof *sections && !f; i++) {
        snprintf(name, sizeof name, "%s.%.60s", sections[i], key);
        f = rt_field_named(name);
    }
    /* when answers come, is for destinations to choose */
    const bool own = f && f->commands & RT_LIVE &&
                     (is_in(f, "match") || is_in(f, "search")) &&
                     f->offset != offsetof(rt_options, match.at);
    return own ? f : NULL;
}

/* All kinds that such rows have are of four bytes. */
static void
keep_value(rt_own *own, const rt_field *f, const rt_options *from)
{
    uint32_t i = 0;
    while (i < own->n && own->set[i].offset != f->offset)
        i++;
    own->set[i].offset = (uint32_t)f->offset;
    memcpy(&own->set[i].value, (const char *)from + f->offset, sizeof(uint32_t));
    own->n += i == own->n;
}

/* Several words are written with + here, as , is between settings. */
static void
swap_signs(char *text, char from, char to)
{
    for (; *text; text++)
        *text = *text == from ? to : *text;
}

/* Without the item. */
static bool
set_own(rt_options *o, uint32_t index, const char *key, const char *value, char *why,
        size_t why_len)
{
    char name[80], text[RT_ITEM];
    const rt_field *f = rt_own_field(key);
    rt_options wanted = *o;
    if (!f) {
        snprintf(why, why_len,
                 "an index has no setting \"%.60s\" of its own; it may have those of "
                 "match (but match.at) and search, as in score=0.8 or "
                 "scales=frame+event",
                 key);
        return false;
    }
    snprintf(name, sizeof name, "%s.%s", f->section, f->key);
    snprintf(text, sizeof text, "%s", value);
    swap_signs(text, '+', ',');
    rt_options_of(&wanted, index);
    if (!rt_options_set(&wanted, name, text, RT_LIVE, why, why_len))
        return false;
    keep_value(&o->own[index], f, &wanted);
    return true;
}

/* As in listen.index; false when it does not fit. */
static bool
write_item(char out[RT_ITEM], const rt_options *o, uint32_t index)
{
    const char *item = o->listen.index.item[index - 1];
    const rt_own *own = &o->own[index];
    rt_options of = *o;
    size_t n_fields, n = strcspn(item, ",");
    const rt_field *f = rt_fields(&n_fields);
    memcpy(out, item, n);
    out[n] = 0;
    rt_options_of(&of, index);
    for (uint32_t i = 0; i < own->n; i++)
        for (size_t j = 0; j < n_fields; j++) {
            char text[RT_ITEM];
            if (f[j].offset != own->set[i].offset)
                continue;
            rt_options_text(&of, &f[j], 0, text, sizeof text);
            swap_signs(text, ',', '+');
            const int more = snprintf(out + n, RT_ITEM - n, ",%s=%s", f[j].key, text);
            n += (size_t)more;
            if (n >= RT_ITEM)
                return false;
        }
    return true;
}

static bool
goes_together(const rt_options *o, uint32_t index, char *why, size_t why_len)
{
    rt_options of = *o;
    rt_options_of(&of, index);
    return rt_analyse_check(&of, why, why_len);
}

bool
rt_own_set(rt_options *o, uint32_t index, const char *key, const char *value, char *why,
           size_t why_len)
{
    char item[RT_ITEM];
    rt_options wanted = *o;
    if (!set_own(&wanted, index, key, value, why, why_len) ||
        !goes_together(&wanted, index, why, why_len))
        return false;
    if (!write_item(item, &wanted, index)) {
        snprintf(why, why_len,
                 "an index with its settings may have %d bytes; its file needs a "
                 "shorter path",
                 RT_ITEM - 1);
        return false;
    }
    memcpy(wanted.listen.index.item[index - 1], item, sizeof item);
    *o = wanted;
    return true;
}

/* ---- Items ------------------------------------------------------------------------
 */

static bool
is_name(const char *text, size_t n)
{
    const size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return n > 0 && n <= MAX_NAME && good >= n;
}

/* In addresses such as /hearken/query/match and /hearken/osc/nomatch. */
static bool
is_taken(const char *name)
{
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++)
        if (is_in(&f[i], name))
            return true;
    return !strcmp(name, "query");
}

/* What comes before the =, as a name that no other has. */
static bool
take_name(rt_indexes *in, const char *item, char *why, size_t why_len)
{
    const size_t n = strcspn(item, "=");
    char *name = in->name[in->n];
    if (!item[n] || !is_name(item, n)) {
        snprintf(why, why_len,
                 "it wants NAME=FILE, the name of 1 to %d letters, digits, _ and -, as "
                 "in drums=drums.hkn",
                 MAX_NAME);
        return false;
    }
    memcpy(name, item, n);
    name[n] = 0;
    if (is_taken(name)) {
        snprintf(why, why_len, "no index can be called %s", name);
        return false;
    }
    for (uint32_t i = 0; i < in->n; i++)
        if (!strcmp(in->name[i], name)) {
            snprintf(why, why_len, "%s",
                     i ? "another index has that name already"
                       : "main is the name of the index on the command line");
            return false;
        }
    return true;
}

/* What follows the path. */
static bool
take_own(rt_options *o, uint32_t index, const char *settings, char *why, size_t why_len)
{
    char text[RT_ITEM];
    snprintf(text, sizeof text, "%s", settings);
    for (char *next, *key = text; key; key = next) {
        next = strchr(key, ',');
        if (next)
            *next++ = 0;
        char *equals = strchr(key, '=');
        if (equals)
            *equals = 0;
        if (!set_own(o, index, key, equals ? equals + 1 : "", why, why_len))
            return false;
    }
    return goes_together(o, index, why, why_len);
}

static bool
take_item(rt_indexes *in, rt_options *o, const char *item, char *why, size_t why_len)
{
    if (in->n == RT_INDEXES) {
        snprintf(why, why_len, "there may be %d beside that of the command line",
                 RT_INDEXES - 1);
        return false;
    }
    if (!take_name(in, item, why, why_len))
        return false;
    const char *file = strchr(item, '=') + 1;
    const size_t n = strcspn(file, ",");
    if (!n) {
        snprintf(why, why_len,
                 "the name of a file is missing after %s=", in->name[in->n]);
        return false;
    }
    memcpy(in->path[in->n], file, n);
    in->path[in->n][n] = 0;
    in->n++;
    return !file[n] || take_own(o, in->n - 1, file + n + 1, why, why_len);
}

bool
rt_indexes_parse(rt_indexes *out, rt_options *o, char *why, size_t why_len)
{
    const rt_list *list = &o->listen.index;
    char reason[400];
    memset(out, 0, sizeof *out);
    memset(o->own, 0, sizeof o->own);
    snprintf(out->name[0], sizeof out->name[0], "main");
    out->n = 1;
    if (list->n == 1 && !strcmp(list->item[0], "none"))
        return true;
    for (uint32_t i = 0; i < list->n; i++)
        if (!take_item(out, o, list->item[i], reason, sizeof reason)) {
            snprintf(why, why_len, "listen.index \"%.80s\": %s", list->item[i], reason);
            return false;
        }
    return true;
}

void
rt_indexes_absolute(rt_options *o)
{
    for (uint32_t i = 0; i < o->listen.index.n; i++) {
        char *item = o->listen.index.item[i], whole[PATH_MAX], text[RT_ITEM];
        const size_t name = strcspn(item, "="), file = name + (item[name] == '=');
        const size_t n = strcspn(item + file, ",");
        snprintf(text, sizeof text, "%.*s", (int)n, item + file);
        if (!item[name] || !realpath(text, whole))
            continue;
        const int fits = snprintf(text, sizeof text, "%.*s%s%s", (int)file, item, whole,
                                  item + file + n);
        if (fits < RT_ITEM)
            memcpy(item, text, sizeof text);
    }
}
