#include "handover.h"

#include "analyse.h"
#include "anew.h"
#include "rt.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "hearken left this";
static const double max_s = 1e10; /* some 300 years */

/* ---- Writing -------------------------------------------------------------------- */

typedef struct {
    char *out;
    size_t cap, n; /* n > cap: it did not fit */
} writer;

__attribute__((format(printf, 2, 3))) static void
put(writer *w, const char *format, ...)
{
    const size_t room = w->n < w->cap ? w->cap - w->n : 0;
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(room ? w->out + w->n : NULL, room, format, args);
    va_end(args);
    w->n += n < 0 ? w->cap + 1 : (size_t)n + 1;
}

static void
put_settings(writer *w, const rt_options *o)
{
    char text[RT_TEXT];
    size_t n;
    const rt_field *f = rt_fields(&n);
    for (size_t i = 0; i < n; i++) {
        if (!(f[i].commands & RT_LIVE))
            continue;
        rt_options_text(o, &f[i], 0, text, sizeof text);
        put(w, "set %s.%s %s", f[i].section, f[i].key, text);
    }
}

size_t
rt_handover_write(const rt_handover *h, const rt_options *o, char *out, size_t cap)
{
    writer w = {.out = out, .cap = cap};
    put(&w, "%s", first_line);
    for (int i = 0; i < RT_COUNTS; i++)
        put(&w, "count %s %" PRIu64, rt_count_name[i], h->counts[i]);
    put(&w, "stream %" PRIu64 " %" PRId64 " %.17g", h->stream.frame, h->stream.us,
        h->stream.s);
    for (uint32_t i = 0; i < RT_INDEXES; i++)
        if (*h->index[i])
            put(&w, "index %u %s", i, h->index[i]);
    for (uint32_t i = 0; i < o->listen.index.n; i++)
        if (strcmp(o->listen.index.item[i], "none") != 0)
            put(&w, "listen %s", o->listen.index.item[i]);
    put_settings(&w, o);
    for (uint32_t i = 0; i < h->connect.n; i++)
        put(&w, "connect %s", h->connect.item[i]);
    for (uint32_t i = 0; i < RT_SUBSCRIBERS; i++)
        if (h->subscribed[i].left_s > 0)
            put(&w, "subscriber %u %.17g %s %s", i, h->subscribed[i].left_s,
                h->subscribed[i].who, h->subscribed[i].settings);
    for (uint32_t i = 0; i < RT_DESTS; i++)
        if (h->sequence[i])
            put(&w, "sequence %u %" PRIu32, i, (uint32_t)h->sequence[i]);
    return w.n <= cap ? w.n : 0;
}

/* ---- Reading -------------------------------------------------------------------- */

typedef struct {
    rt_handover h;
    rt_options o;
    char why[300]; /* of a setting */
} reader;

/* A whole number up to most at *text, which moves behind it and one blank. */
static bool
take_number(const char **text, uint64_t most, uint64_t *out)
{
    const size_t digits = strspn(*text, "0123456789");
    const char *end = *text + digits;
    if (!digits || digits > 20 || (*end && *end != ' '))
        return false;
    *out = 0;
    for (const char *p = *text; p < end; p++) {
        const uint64_t digit = (uint64_t)(*p - '0');
        if (*out > (most - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    *text = *end ? end + 1 : end;
    return *out <= most;
}

/* Seconds from 0 to most, likewise. */
static bool
take_seconds(const char **text, double most, double *out)
{
    char *end;
    if (!strchr("0123456789", **text) || !**text)
        return false;
    *out = strtod(*text, &end);
    if ((*end && *end != ' ') || !isfinite(*out) || *out > most)
        return false;
    *text = *end ? end + 1 : end;
    return true;
}

static bool
read_count(reader *r, const char *text)
{
    const size_t len = strcspn(text, " ");
    const char *number = text + len + (text[len] != 0);
    for (int i = 0; i < RT_COUNTS; i++)
        if (strlen(rt_count_name[i]) == len && !memcmp(rt_count_name[i], text, len))
            return take_number(&number, UINT64_MAX / 2, &r->h.counts[i]) && !*number;
    return false;
}

static bool
read_stream(reader *r, const char *text)
{
    uint64_t us;
    if (!take_number(&text, UINT64_MAX / 4, &r->h.stream.frame) ||
        !take_number(&text, INT64_MAX / 4, &us) ||
        !take_seconds(&text, max_s, &r->h.stream.s))
        return false;
    r->h.stream.us = (int64_t)us;
    return !*text;
}

static bool
read_index(reader *r, const char *text)
{
    uint64_t i;
    return take_number(&text, RT_INDEXES - 1, &i) && *text &&
           snprintf(r->h.index[i], RT_TEXT, "%s", text) < RT_TEXT;
}

static bool
read_setting(reader *r, const char *text)
{
    char name[RT_ITEM];
    const size_t len = strcspn(text, " ");
    if (len >= sizeof name || !text[len])
        return false;
    memcpy(name, text, len);
    name[len] = 0;
    return rt_options_set(&r->o, name, text + len + 1, RT_LIVE, r->why, sizeof r->why);
}

static bool
read_item(rt_list *list, const char *text)
{
    return *text && list->n < RT_LIST &&
           snprintf(list->item[list->n++], RT_ITEM, "%s", text) < RT_ITEM;
}

static bool
read_connect(reader *r, const char *text)
{
    return read_item(&r->h.connect, text);
}

static bool
read_listen(reader *r, const char *text)
{
    return read_item(&r->h.indexes, text);
}

static bool
read_subscriber(reader *r, const char *text)
{
    uint64_t place;
    double left_s;
    if (!take_number(&text, RT_SUBSCRIBERS - 1, &place) ||
        !take_seconds(&text, RT_SUBSCRIBED_S, &left_s))
        return false;
    rt_subscription *s = &r->h.subscribed[place];
    const size_t len = strcspn(text, " ");
    s->left_s = left_s;
    if (!len || len >= sizeof s->who)
        return false;
    memcpy(s->who, text, len);
    s->who[len] = 0;
    text += len + (text[len] == ' ');
    return snprintf(s->settings, sizeof s->settings, "%s", text) <
           (int)sizeof s->settings;
}

static bool
read_sequence(reader *r, const char *text)
{
    uint64_t place, next;
    if (!take_number(&text, RT_DESTS - 1, &place) ||
        !take_number(&text, UINT32_MAX, &next))
        return false;
    r->h.sequence[place] = (int32_t)next;
    return !*text;
}

static bool
read_line(reader *r, const char *line)
{
    static const struct {
        const char *word;
        bool (*read)(reader *r, const char *text);
    } words[] = {
        {"count ", read_count},       {"stream ", read_stream},
        {"index ", read_index},       {"set ", read_setting},
        {"connect ", read_connect},   {"subscriber ", read_subscriber},
        {"sequence ", read_sequence}, {"listen ", read_listen},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t len = strlen(words[i].word);
        if (!strncmp(line, words[i].word, len))
            return words[i].read(r, line + len);
    }
    return false;
}

static bool
read_lines(reader *r, const char text[], size_t n, char *why, size_t why_len)
{
    const char *end = text + n;
    unsigned number = 1;
    for (const char *p = text; p < end; p += strlen(p) + 1, number++) {
        const bool whole = memchr(p, 0, (size_t)(end - p)) != NULL;
        if (whole && (number == 1 ? !strcmp(p, first_line) : read_line(r, p)))
            continue;
        snprintf(why, why_len, "line %u of it is damaged%s%s", number,
                 *r->why ? ": " : "", r->why);
        return false;
    }
    snprintf(why, why_len, "it is empty");
    return n > 0;
}

bool
rt_handover_read(rt_handover *h, rt_options *o, const char text[], size_t n, char *why,
                 size_t why_len)
{
    reader *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, why_len, "there is not enough memory to read it");
        return false;
    }
    r->o = *o;
    const bool ok =
        read_lines(r, text, n, why, why_len) && rt_analyse_check(&r->o, why, why_len);
    if (ok) {
        *h = r->h;
        *o = r->o;
    }
    free(r);
    return ok;
}

/* ---- With anew.h ------------------------------------------------------------------
 */

void
rt_handover_take(rt_handover *h, rt_options *o, rt_counts *counts)
{
    char why[400];
    char *text = malloc(RT_HANDOVER);
    const size_t n = text ? rt_left(text, RT_HANDOVER) : 0;
    if (n && !rt_handover_read(h, o, text, n, why, sizeof why))
        rt_warn("what hearken left when it started anew is of no use, so counters and "
                "settings are as at the start: %s",
                why);
    free(text);
    for (int i = 0; i < RT_COUNTS; i++)
        atomic_store(&counts->n[i], h->counts[i]);
    if (h->connect.n)
        o->jack.connect = h->connect;
    if (h->indexes.n)
        o->listen.index = h->indexes;
}

void
rt_handover_leave(rt_handover *h, const rt_counts *counts, const rt_inputs *inputs,
                  const rt_shelf *shelf)
{
    for (int i = 0; i < RT_COUNTS; i++)
        h->counts[i] = rt_counted(counts, i);
    h->stream = rt_inputs_stream(inputs);
    for (uint32_t i = 0; i < shelf->n; i++)
        snprintf(h->index[i], RT_TEXT, "%s", shelf->book[shelf->current[i]].path);
}

int
rt_handover_anew(const rt_handover *h, const rt_options *o, int argc, char **argv)
{
    char *text = malloc(RT_HANDOVER);
    const size_t n = text ? rt_handover_write(h, o, text, RT_HANDOVER) : 0;
    const int status = rt_start_anew(argc, argv, text, n);
    free(text);
    return status;
}
