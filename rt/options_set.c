/* Settings from text and to text, by the table. */
#include "options_private.h"
#include "rt.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool
refuse(const rt_field *f, const char *value, const char *wanted, char *why, size_t len)
{
    snprintf(why, len, "%s.%s cannot be \"%.60s\"; it wants %s", f->section, f->key,
             value, wanted);
    return false;
}

static bool
set_number(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char *end, wanted[80];
    errno = 0;
    const double x = strtod(value, &end);
    const bool whole = f->type != T_U32 || x == floor(x);
    if (end == value || *end || errno || !(x >= f->min && x <= f->max) || !whole ||
        !isfinite(x)) {
        snprintf(wanted, sizeof wanted, "a %snumber from %g to %.10g",
                 f->type == T_U32 ? "whole " : "", f->min, f->max);
        return refuse(f, value, wanted, why, len);
    }
    if (f->type == T_U32)
        *(uint32_t *)at = (uint32_t)x;
    else
        *(float *)at = (float)x;
    return true;
}

static void
list_choices(const rt_field *f, char *out, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; f->choices[i] && n < len; i++)
        n += (size_t)snprintf(out + n, len - n, "%s%s", i ? ", " : "", f->choices[i]);
}

/* Index of the choice that the n characters at text name, or -1. */
static int
find_choice(const rt_field *f, const char *text, size_t n)
{
    for (int i = 0; f->choices[i]; i++)
        if (strlen(f->choices[i]) == n && !strncmp(f->choices[i], text, n))
            return i;
    return -1;
}

static bool
set_choice(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char wanted[200] = "one of ", *list = wanted + strlen(wanted);
    const int i = find_choice(f, value, strlen(value));
    if (i >= 0) {
        *(uint32_t *)at = (uint32_t)i;
        return true;
    }
    list_choices(f, list, sizeof wanted - (size_t)(list - wanted));
    return refuse(f, value, wanted, why, len);
}

static bool
set_bits(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char wanted[200] = "a list, with commas, of ", *list = wanted + strlen(wanted);
    uint32_t bits = 0;
    for (const char *p = value; bits != UINT32_MAX;) {
        p += strspn(p, " ,");
        const size_t n = strcspn(p, " ,");
        if (!n)
            break;
        const int i = find_choice(f, p, n);
        bits = i < 0 ? UINT32_MAX : bits | 1U << i;
        p += n;
    }
    if (bits && bits != UINT32_MAX) {
        *(uint32_t *)at = bits;
        return true;
    }
    list_choices(f, list, sizeof wanted - (size_t)(list - wanted));
    return refuse(f, value, wanted, why, len);
}

static bool
set_text(const rt_field *f, char *at, const char *value, size_t cap, char *why,
         size_t len)
{
    char wanted[60];
    const size_t n = strlen(value);
    bool plain = n > 0 && n < cap;
    for (size_t i = 0; i < n; i++)
        plain = plain && !iscntrl((unsigned char)value[i]);
    if (!plain) {
        snprintf(wanted, sizeof wanted, "1 to %zu characters on one line", cap - 1);
        return refuse(f, value, wanted, why, len);
    }
    memcpy(at, value, n + 1);
    return true;
}

static uint64_t
list_bit(const rt_field *f)
{
    size_t n;
    unsigned bit = 0;
    for (const rt_field *before = rt_fields(&n); before < f; before++)
        bit += before->type == T_LIST;
    return UINT64_C(1) << bit;
}

/* Appends to a list; the first value that is set takes the place of the built-in ones.
 */
static bool
add_item(rt_options *o, const rt_field *f, rt_list *list, const char *value, char *why,
         size_t len)
{
    const uint64_t bit = list_bit(f);
    const uint32_t n = o->list_set & bit ? list->n : 0;
    if (n >= RT_LIST)
        return refuse(f, value, "16 at most", why, len);
    if (!set_text(f, list->item[n], value, RT_ITEM, why, len))
        return false;
    list->n = n + 1;
    o->list_set |= bit;
    return true;
}

static bool
set_field(rt_options *o, const rt_field *f, const char *value, char *why, size_t len)
{
    void *at = (char *)o + f->offset;
    switch (f->type) {
    case T_U32:
    case T_FLOAT:
        return set_number(f, at, value, why, len);
    case T_CHOICE:
        return set_choice(f, at, value, why, len);
    case T_SET:
        return set_bits(f, at, value, why, len);
    case T_LIST:
        return add_item(o, f, at, value, why, len);
    case T_NAME:
        return set_text(f, at, value, RT_NAME, why, len);
    default:
        return set_text(f, at, value, RT_TEXT, why, len);
    }
}

/* "section.key" against "section-key" with - and _ alike. */
static bool
same_name(const rt_field *f, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "%s-%s", f->section, f->key);
    size_t i = 0;
    for (; full[i] && name[i]; i++) {
        const bool joint =
            name[i] == '_' || (name[i] == '.' && i == strlen(f->section));
        if ((joint ? '-' : name[i]) != full[i])
            return false;
    }
    return full[i] == name[i];
}

const rt_field *
rt_field_named(const char *name)
{
    size_t n;
    const rt_field *fields = rt_fields(&n);
    for (size_t i = 0; i < n; i++)
        if (same_name(&fields[i], name))
            return &fields[i];
    return NULL;
}

bool
rt_options_set(rt_options *o, const char *name, const char *value, unsigned command,
               char *why, size_t len)
{
    const rt_field *f = rt_field_named(name);
    if (f && (!command || f->commands & command))
        return set_field(o, f, value, why, len);
    snprintf(why, len, "there is no setting \"%.60s\" here", name);
    return false;
}

void
rt_options_default(rt_options *o)
{
    char why[200];
    size_t n;
    const rt_field *fields = rt_fields(&n);
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i < n; i++)
        if (!set_field(o, &fields[i], fields[i].preset, why, sizeof why))
            rt_say("built-in value: %s", why); /* caught by check_options */
    o->list_set = 0;
}

void
rt_options_text(const rt_options *o, const rt_field *f, uint32_t item, char *out,
                size_t cap)
{
    const void *at = (const char *)o + f->offset;
    const uint32_t *number = at;
    size_t n = 0;
    switch (f->type) {
    case T_U32:
        snprintf(out, cap, "%u", *number);
        break;
    case T_FLOAT:
        snprintf(out, cap, "%.9g", (double)*(const float *)at);
        break;
    case T_CHOICE:
        snprintf(out, cap, "%s", f->choices[*number]);
        break;
    case T_SET:
        for (uint32_t i = 0; f->choices[i] && n < cap; i++)
            if (*number >> i & 1U)
                n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "",
                                      f->choices[i]);
        break;
    case T_LIST:
        snprintf(out, cap, "%s", ((const rt_list *)at)->item[item]);
        break;
    default:
        snprintf(out, cap, "%s", (const char *)at);
    }
}

size_t
rt_options_write(const rt_options *o, const char *section, char *out, size_t cap)
{
    size_t n_fields, n = 0;
    const rt_field *fields = rt_fields(&n_fields);
    for (size_t i = 0; i < n_fields; i++) {
        const rt_field *f = &fields[i];
        const rt_list *list = (const void *)((const char *)o + f->offset);
        const uint32_t n_lines = f->type == T_LIST ? list->n : 1;
        for (uint32_t j = 0; j < n_lines && !strcmp(f->section, section); j++) {
            char value[RT_TEXT];
            rt_options_text(o, f, j, value, sizeof value);
            n +=
                (size_t)snprintf(out && n < cap ? out + n : NULL, n < cap ? cap - n : 0,
                                 "%s.%s = %s\n", section, f->key, value);
        }
    }
    return n;
}
