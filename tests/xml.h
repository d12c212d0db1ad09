/* A reader of so much XML as rt/plot_svg.c writes: no comments, no CDATA, references by
 * number. */
#ifndef HEARKEN_TESTS_XML_H
#define HEARKEN_TESTS_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool
is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == ':';
}

/* Behind the attributes of a tag: each NAME="text" after one blank; NULL where not. */
static const char *
skip_attributes(const char *p)
{
    while (*p == ' ') {
        const size_t name = strcspn(++p, "=\"<>/ ");
        if (!name || strncmp(p + name, "=\"", 2) != 0)
            return NULL;
        p += name + 2;
        p += strcspn(p, "\"<&");
        if (*p++ != '"')
            return NULL;
    }
    return p;
}

/* Behind "&#65533;"; NULL where it is none. */
static const char *
skip_reference(const char *p)
{
    char *end;
    if (strncmp(p, "&#", 2) != 0)
        return NULL;
    const unsigned long code = strtoul(p + 2, &end, 10);
    return code > 0 && *end == ';' ? end + 1 : NULL;
}

typedef struct {
    const char *open[32]; /* names of the tags that are open */
    size_t depth;
} tags;

/* Behind one tag, which p begins; NULL where it does not fit. */
static const char *
skip_tag(tags *t, const char *p)
{
    const bool closes = p[1] == '/';
    const char *name = p + 1 + closes;
    size_t n = 0;
    while (is_name(name[n]))
        n++;
    if (closes) {
        const char *open = t->depth ? t->open[--t->depth] : "";
        return n && !strncmp(open, name, n) && !is_name(open[n]) && name[n] == '>'
                   ? name + n + 1
                   : NULL;
    }
    const char *end = skip_attributes(name + n);
    if (!n || !end || t->depth == sizeof t->open / sizeof *t->open)
        return NULL;
    if (!strncmp(end, "/>", 2))
        return end + 2;
    t->open[t->depth++] = name;
    return *end == '>' ? end + 1 : NULL;
}

/* True for text in which all tags match and nothing stands that must be escaped. */
static bool
is_well_formed(const char *text)
{
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg ";
    tags t = {.depth = 0};
    if (strncmp(text, head, sizeof head - 1) != 0)
        return false;
    for (const char *p = strchr(text, '\n') + 1; p && *p;) {
        if (*p == '<')
            p = skip_tag(&t, p);
        else if (*p == '&')
            p = skip_reference(p);
        else if (*p != '\n' && (!t.depth || (unsigned char)*p < 0x20))
            return false;
        else
            p++;
        if (!p || (!t.depth && strcmp(p, "\n") != 0 && *p && *p != '<'))
            return false;
    }
    return t.depth == 0;
}

#endif
