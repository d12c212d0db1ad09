/* From text to a destination; target_send.c sends. */
#include "target.h"

#include "rt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = OSC_TEMPLATE_TEXT + 64, LINES = 1000 };

typedef struct {
    rt_target *t;
    bool tcp, stranger;
    const char *file; /* NULL: a command line */
    size_t line;
    const char *start; /* of the line, for columns */
    char *why;
    size_t why_len;
} reader;

/* What is said begins with the place: FILE:LINE:COLUMN, or of a command line only the
 * column. */
static bool
fail(const reader *r, const char *at, const char *what)
{
    const size_t column = (size_t)(at - r->start) + 1;
    if (r->file)
        snprintf(r->why, r->why_len, "%s:%zu:%zu: %s", r->file, r->line, column, what);
    else
        snprintf(r->why, r->why_len, "column %zu: %s", column, what);
    return false;
}

/* Names with + or blanks between them, to bits. */
static bool
read_bits(const reader *r, const char *value, const char *const names[], size_t n_names,
          uint32_t *bits)
{
    char what[120] = "here is to be one or more, with + between, of";
    *bits = 0;
    for (const char *p = value; *p; p += strspn(p, "+ ")) {
        const size_t n = strcspn(p, "+ ");
        size_t i = 0;
        while (i < n_names && (strlen(names[i]) != n || strncmp(names[i], p, n) != 0))
            i++;
        for (size_t j = 0, used = strlen(what); i == n_names && j < n_names; j++)
            used += (size_t)snprintf(what + used, sizeof what - used, " %s", names[j]);
        if (i == n_names)
            return fail(r, p, what);
        *bits |= 1U << i;
        p += n;
    }
    return *bits || fail(r, value, "here a name is missing");
}

static bool
read_number(const reader *r, const char *value, double least, double most, double *out)
{
    char what[80], *end;
    *out = strtod(value, &end);
    if (end != value && !*end && *out >= least && *out <= most)
        return true;
    snprintf(what, sizeof what, "here is to be a number from %g to %g", least, most);
    return fail(r, value, what);
}

static bool
read_yes(const reader *r, const char *value, bool *out)
{
    *out = !strcmp(value, "yes");
    return *out || !strcmp(value, "no") || fail(r, value, "here is to be yes or no");
}

static bool
read_template(const reader *r, size_t kind, const char *value)
{
    char what[300];
    size_t column;
    r->t->has[kind] = r->t->templated = true;
    if (!osc_template_parse(&r->t->message[kind], (osc_kind)kind, value, &column, what,
                            sizeof what))
        return true;
    return fail(r, value + column - 1, what);
}

/* One address for each label, scale and input; no strings. */
static const char *const numeric[OSC_KINDS] = {
    ("/hearken/match/{input}/{scale}/{label} {rank} {score} {sound} {start} {length} "
     "{age}"),
    "/hearken/onset/{input} {level} {age}",
    "/hearken/nomatch/{input}/{scale} {score} {age}",
    "/hearken/label/{input}/{scale}/{label} {share} {voters} {age}",
    "/hearken/status/{state} {seq}",
};

static bool read_file(reader *r, const char *name);

static bool
read_as(reader *r, const char *value)
{
    if (r->file)
        return fail(r, value, "a file cannot name a further one");
    for (size_t kind = 0; kind < OSC_KINDS; kind++)
        r->t->has[kind] = false;
    r->t->templated = false;
    if (r->stranger && strchr(value, '/'))
        return fail(r, value, "a file of hearken's machine is for osc.to alone");
    if (!strcmp(value, "plain"))
        return true;
    if (strcmp(value, "numeric") != 0)
        return read_file(r, value);
    for (size_t kind = 0; kind < OSC_KINDS; kind++)
        read_template(r, kind, numeric[kind]);
    return true;
}

static bool
read_transport(reader *r, const char *value)
{
    r->tcp = !strcmp(value, "tcp");
    if (r->tcp && r->stranger)
        return fail(r, value, "TCP is for osc.to alone");
    return r->tcp || !strcmp(value, "udp") ||
           fail(r, value, "here is to be udp or tcp");
}

static bool
read_scales(const reader *r, const char *value)
{
    const char *names[RT_SCALES];
    for (uint32_t s = 0; s < RT_SCALES; s++)
        names[s] = rt_scale_name(s);
    return read_bits(r, value, names, RT_SCALES, &r->t->scales);
}

static bool
read_k(const reader *r, const char *value)
{
    double k;
    if (!read_number(r, value, 1, RT_MAX_K, &k))
        return false;
    r->t->k = (uint32_t)k;
    return true;
}

static bool
read_at(const reader *r, const char *value)
{
    const char *const *names = rt_field_named("match.at")->choices;
    for (uint32_t i = 0; names[i]; i++)
        if (!strcmp(value, names[i])) {
            r->t->at = i;
            return true;
        }
    return fail(r, value, "here is to be onsets, continuous or both");
}

static bool
read_indexes(const reader *r, const char *value)
{
    if (!*value || strlen(value) >= sizeof r->t->chosen)
        return fail(r, value, "here is to be one or more names of indexes");
    snprintf(r->t->chosen, sizeof r->t->chosen, "%s", value);
    return true;
}

static bool
set(reader *r, const char *key, const char *value)
{
    for (size_t kind = 0; kind < OSC_KINDS; kind++)
        if (!strcmp(key, osc_kind_name[kind]))
            return read_template(r, kind, value);
    if (!strcmp(key, "as"))
        return read_as(r, value);
    if (!strcmp(key, "transport"))
        return read_transport(r, value);
    if (!strcmp(key, "bundle"))
        return read_yes(r, value, &r->t->bundle);
    if (!strcmp(key, "indexes"))
        return read_indexes(r, value);
    if (!strcmp(key, "scales"))
        return read_scales(r, value);
    if (!strcmp(key, "messages"))
        return read_bits(r, value, osc_kind_name, OSC_KINDS, &r->t->kinds);
    if (!strcmp(key, "rate"))
        return read_number(r, value, 0.001, 1e6, &r->t->rate);
    if (!strcmp(key, "k"))
        return read_k(r, value);
    if (!strcmp(key, "at"))
        return read_at(r, value);
    return fail(r, key,
                "there is no such setting of a destination; there are as, transport, "
                "bundle, indexes, scales, messages, k, at, rate, match, onset, "
                "nomatch, label and "
                "status");
}

/* Without the blanks at either end; ends the text. */
static char *
trim(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        text[--n] = 0;
    return text;
}

/* "key = value"; of a command line also tcp, udp and bundle alone. */
static bool
read_setting(reader *r, char *text)
{
    char *equals = strchr(text, '=');
    char *key = text;
    if (equals)
        *equals = 0;
    key = trim(key);
    if (equals)
        return set(r, key, trim(equals + 1));
    if (!strcmp(key, "tcp") || !strcmp(key, "udp"))
        return read_transport(r, key);
    if (!strcmp(key, "bundle"))
        return r->t->bundle = true;
    return fail(r, key,
                "here is to be tcp, udp, bundle or key=value, as in as=superdirt");
}

/* ---- Files --------------------------------------------------------------------- */

/* "superdirt": beside the program, installed or where it was built. */
static FILE *
open_named(const char *name)
{
    static const char *const places[] = {"../share/hearken/presets", "../presets"};
    char self[600], path[900];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    FILE *file = NULL;
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places && !file; i++) {
        snprintf(path, sizeof path, "%s/%s/destinations/%s.conf", self, places[i],
                 name);
        file = fopen(path, "r");
    }
    return file;
}

static bool
read_lines(reader *r, FILE *file)
{
    char text[LINE];
    r->start = text;
    for (r->line = 1; fgets(text, sizeof text, file); r->line++) {
        if (!strchr(text, '\n') && !feof(file))
            return fail(r, text, "the line is too long, or holds a zero byte");
        if (r->line > LINES)
            return fail(r, text, "a destination has no more than 1000 lines");
        char *setting = trim(text);
        if (*setting && *setting != '#' && !read_setting(r, setting))
            return false;
    }
    return !ferror(file) || fail(r, text, "the rest cannot be read");
}

static bool
read_file(reader *r, const char *name)
{
    const reader outer = *r;
    const bool is_path = strchr(name, '/') != NULL;
    FILE *file = is_path ? fopen(name, "r") : open_named(name);
    char what[400];
    if (!file && is_path)
        snprintf(what, sizeof what, "\"%.200s\" cannot be read: %s", name,
                 strerror(errno));
    else if (!file)
        snprintf(what, sizeof what,
                 "there is no presets/destinations/%.200s.conf; a file of your own is "
                 "written with a /, as in as=./mine.conf",
                 name);
    if (!file)
        return fail(r, name, what);
    r->file = name;
    const bool ok = read_lines(r, file);
    fclose(file);
    r->file = NULL;
    r->line = 0;
    r->start = outer.start;
    return ok;
}

/* ---- Command line -------------------------------------------------------------- */

static bool
read_settings(reader *r, char *text)
{
    for (char *next; text; text = next) {
        next = strchr(text, ',');
        if (next)
            *next++ = 0;
        if (!read_setting(r, text))
            return false;
    }
    return true;
}

void
rt_target_plain(rt_target *t, osc_dest *dest)
{
    memset(t, 0, sizeof *t);
    t->dest = dest;
    t->scales = t->kinds = t->k = t->indexes = UINT32_MAX;
    t->at = RT_AT_ANY;
}

bool
rt_target_read(rt_target *t, const char *settings, bool stranger, char *why,
               size_t why_len)
{
    char text[RT_ITEM];
    reader r = {
        .t = t, .stranger = stranger, .start = text, .why = why, .why_len = why_len};
    rt_target_plain(t, NULL);
    if (snprintf(text, sizeof text, "%s", settings) < RT_ITEM)
        return !*text || read_settings(&r, text);
    snprintf(why, why_len, "they may have %d bytes at most", RT_ITEM - 1);
    return false;
}

static int
status_of(osc_status st)
{
    switch (st) { /* what is written wrong stays wrong, but a network may come up yet */
    case OSC_OK:
        return RT_OK;
    case OSC_EARG:
        return RT_CONFIG;
    case OSC_ERESOLVE:
        return RT_NOHOST;
    case OSC_EIO:
        return RT_IO;
    default:
        return RT_SOFTWARE;
    }
}

int
rt_target_open(rt_target *t, const char *text, char *why, size_t why_len)
{
    char copy[RT_ITEM], what[700];
    reader r = {.t = t, .start = copy, .why = what, .why_len = sizeof what};
    rt_target_plain(t, NULL);
    snprintf(copy, sizeof copy, "%s", text);
    char *comma = strchr(copy, ',');
    if (comma)
        *comma = 0;
    if (comma && !read_settings(&r, comma + 1)) {
        snprintf(why, why_len, "destination \"%.80s\": %s", text, what);
        return RT_CONFIG;
    }
    return status_of(
        (r.tcp ? osc_dest_open_tcp : osc_dest_open)(&t->dest, copy, why, why_len));
}

bool
rt_target_choose(rt_target *t, const char names[][RT_NAME], uint32_t n, char *why,
                 size_t why_len)
{
    for (const char *p = t->chosen; *p; p += strspn(p, "+ ")) {
        const size_t len = strcspn(p, "+ ");
        uint32_t i = 0;
        while (i < n && (strlen(names[i]) != len || strncmp(names[i], p, len) != 0))
            i++;
        if (i == n) {
            snprintf(
                why, why_len,
                "there is no index \"%.*s\"; main is that of the command line, and "
                "listen.index names others",
                (int)(len < 40 ? len : 40), p);
            return false;
        }
        t->indexes = (p == t->chosen ? 0 : t->indexes) | 1U << i;
        p += len;
    }
    return true;
}

void
rt_target_close(rt_target *t)
{
    osc_dest_close(t->dest);
    t->dest = NULL;
}
