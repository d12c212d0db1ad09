/* Datagrams of strangers to messages. No heap; nothing is believed before its size. */
#include "control.h"

#include <string.h>

/* What is still to be read. */
typedef struct {
    const uint8_t *p;
    size_t n;
} span;

typedef struct {
    void (*on)(void *ctx, const osc_message *m);
    void *ctx;
    uint32_t n_messages;
    const char *why;
} walk;

static bool
fault(walk *w, const char *why)
{
    w->why = why;
    return false;
}

static uint32_t
take_u32(span *s)
{
    const uint8_t *p = s->p;
    s->p += 4;
    s->n -= 4;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t
take_u64(span *s)
{
    const uint64_t high = take_u32(s);
    return high << 32 | take_u32(s);
}

/* A string with its zeros up to a multiple of four bytes; NULL when it does not end. */
static const char *
take_string(span *s)
{
    const uint8_t *zero = s->n ? memchr(s->p, 0, s->n) : NULL;
    if (!zero)
        return NULL;
    const char *text = (const char *)s->p;
    const size_t padded = ((size_t)(zero - s->p) | 3) + 1;
    if (padded > s->n)
        return NULL;
    s->p += padded;
    s->n -= padded;
    return text;
}

/* Bytes of an argument of fixed size, or -1. */
static int
size_of(char type)
{
    if (strchr("TFNI", type))
        return 0;
    if (strchr("ifcrm", type))
        return 4;
    return strchr("hdt", type) ? 8 : -1;
}

static bool
take_blob(walk *w, span *s, osc_arg *a)
{
    if (s->n < 4)
        return fault(w, "a blob is cut short");
    const uint32_t n = take_u32(s);
    const size_t padded = ((size_t)n + 3) & ~(size_t)3;
    if (n > OSC_MAX_RECEIVED || padded > s->n)
        return fault(w, "a blob is cut short");
    a->i = (int32_t)n;
    s->p += padded;
    s->n -= padded;
    return true;
}

static void
take_fixed(span *s, osc_arg *a, int bytes)
{
    if (bytes == 4) {
        const uint32_t u = take_u32(s);
        memcpy(&a->i, &u, sizeof u); /* of f the same four bytes */
    } else if (bytes == 8) {
        const uint64_t u = take_u64(s);
        memcpy(&a->h, &u, sizeof u); /* of d the same eight */
    }
}

static bool
take_arg(walk *w, span *s, osc_arg *a, char type)
{
    a->type = type;
    if (type == 'b')
        return take_blob(w, s, a);
    if (type == 's' || type == 'S') {
        a->s = take_string(s);
        return a->s || fault(w, "a string does not end");
    }
    const int bytes = size_of(type);
    if (bytes < 0)
        return fault(w, "there is a type of argument that is not known");
    if (s->n < (size_t)bytes)
        return fault(w, "an argument is cut short");
    take_fixed(s, a, bytes);
    return true;
}

static bool
walk_message(walk *w, span s)
{
    osc_message m = {.address = take_string(&s)};
    if (!m.address || m.address[0] != '/')
        return fault(w, "it begins with no address");
    const char *types = s.n ? take_string(&s) : ",";
    if (!types || types[0] != ',')
        return fault(w, "it has no list of types");
    for (types++; *types; types++) {
        if (m.n_args == OSC_MAX_ARGS)
            return fault(w, "it has more than 32 arguments");
        if (!take_arg(w, &s, &m.arg[m.n_args++], *types))
            return false;
    }
    if (s.n)
        return fault(w, "it is longer than its arguments");
    if (++w->n_messages > OSC_MAX_MESSAGES)
        return fault(w, "it has more than 64 messages");
    if (w->on)
        w->on(w->ctx, &m);
    return true;
}

static const uint8_t bundle_head[8] = "#bundle"; /* with its zero */

static bool
is_bundle(span s)
{
    return s.n >= sizeof bundle_head && !memcmp(s.p, bundle_head, sizeof bundle_head);
}

static bool
walk_any(walk *w, span s, int depth)
{
    if (!is_bundle(s))
        return walk_message(w, s);
    if (depth == OSC_MAX_NESTING)
        return fault(w, "its bundles are nested too deep");
    if (s.n < 16)
        return fault(w, "a bundle is cut short");
    s.p += 16;
    s.n -= 16;
    while (s.n) {
        const uint32_t n = s.n >= 4 ? take_u32(&s) : 0;
        if (!n || n % 4 || n > s.n)
            return fault(w, "a part of a bundle has a size that cannot be");
        if (!walk_any(w, (span){s.p, n}, depth + 1))
            return false;
        s.p += n;
        s.n -= n;
    }
    return true;
}

osc_status
osc_read(const uint8_t data[], size_t n, void (*on)(void *ctx, const osc_message *m),
         void *ctx, const char **why)
{
    walk check = {.why = NULL}, tell = {.on = on, .ctx = ctx};
    if (!n || n % 4 || n > OSC_MAX_RECEIVED)
        fault(&check, "its length is no multiple of 4, or none");
    else if (walk_any(&check, (span){data, n}, 0) && on)
        walk_any(&tell, (span){data, n}, 0);
    *why = check.why;
    return check.why ? OSC_EARG : OSC_OK;
}
