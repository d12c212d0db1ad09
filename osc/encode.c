/* Hot: the messages of the publish path, written without heap, locale or stdio. */
#include "control.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What is being written. After the first thing that cannot be, bad stays set and
 * nothing more is written, so that encoders check once, at the end. */
typedef struct {
    uint8_t *out;
    size_t cap, n; /* n <= cap */
    bool bad;
} writer;

static writer
start(uint8_t out[], size_t cap)
{
    return (writer){.out = out, .cap = cap < OSC_MAX_DATAGRAM ? cap : OSC_MAX_DATAGRAM};
}

static size_t
finish(const writer *w)
{
    return w->bad ? 0 : w->n;
}

static void
put_i(writer *w, int32_t value)
{
    if (w->bad || w->cap - w->n < 4) {
        w->bad = true;
        return;
    }
    const uint32_t u = (uint32_t)value;
    w->out[w->n++] = (uint8_t)(u >> 24);
    w->out[w->n++] = (uint8_t)(u >> 16);
    w->out[w->n++] = (uint8_t)(u >> 8);
    w->out[w->n++] = (uint8_t)u;
}

static void
put_f(writer *w, float value)
{
    int32_t bits;
    if (!isfinite(value))
        w->bad = true;
    memcpy(&bits, &value, sizeof bits);
    put_i(w, bits);
}

/* With its terminator, and more zeros up to a multiple of 4 bytes (OSC 1.0). */
static void
put_s(writer *w, const char *s)
{
    const size_t room = w->cap - w->n;
    const size_t len = s && !w->bad ? strnlen(s, room) : 0;
    const size_t padded = (len | 3) + 1;
    if (!s || w->bad || padded > room) {
        w->bad = true;
        return;
    }
    memcpy(w->out + w->n, s, len);
    memset(w->out + w->n + len, 0, padded - len);
    w->n += padded;
}

size_t
osc_match_encode(uint8_t out[], size_t cap, const osc_match *m)
{
    writer w = start(out, cap);
    put_s(&w, "/hearken/match");
    put_s(&w, ",issiffifffss");
    put_i(&w, m->seq);
    put_s(&w, m->input);
    put_s(&w, m->scale);
    put_i(&w, m->rank);
    put_f(&w, m->score);
    put_f(&w, m->cosine);
    put_i(&w, m->sound);
    put_f(&w, m->start_s);
    put_f(&w, m->length_s);
    put_f(&w, m->age_ms);
    put_s(&w, m->label);
    put_s(&w, m->path);
    return finish(&w);
}

size_t
osc_onset_encode(uint8_t out[], size_t cap, const osc_onset *m)
{
    writer w = start(out, cap);
    put_s(&w, "/hearken/onset");
    put_s(&w, ",isfff");
    put_i(&w, m->seq);
    put_s(&w, m->input);
    put_f(&w, m->level_db);
    put_f(&w, m->age_ms);
    put_f(&w, m->strength_db);
    return finish(&w);
}

size_t
osc_nomatch_encode(uint8_t out[], size_t cap, const osc_nomatch *m)
{
    writer w = start(out, cap);
    put_s(&w, "/hearken/nomatch");
    put_s(&w, ",issff");
    put_i(&w, m->seq);
    put_s(&w, m->input);
    put_s(&w, m->scale);
    put_f(&w, m->score);
    put_f(&w, m->age_ms);
    return finish(&w);
}

size_t
osc_label_encode(uint8_t out[], size_t cap, const osc_label *m)
{
    writer w = start(out, cap);
    put_s(&w, "/hearken/label");
    put_s(&w, ",isssfif");
    put_i(&w, m->seq);
    put_s(&w, m->input);
    put_s(&w, m->scale);
    put_s(&w, m->label);
    put_f(&w, m->share);
    put_i(&w, m->voters);
    put_f(&w, m->age_ms);
    return finish(&w);
}

size_t
osc_reject_encode(uint8_t out[], size_t cap, const osc_reject *m)
{
    writer w = start(out, cap);
    put_s(&w, "/hearken/reject");
    put_s(&w, ",isssffss");
    put_i(&w, m->seq);
    put_s(&w, m->input);
    put_s(&w, m->scale);
    put_s(&w, m->reason);
    put_f(&w, m->score);
    put_f(&w, m->age_ms);
    put_s(&w, m->label);
    put_s(&w, m->path);
    return finish(&w);
}

static void
put_arg(writer *w, const osc_arg *a)
{
    if (a->type == 'i')
        put_i(w, a->i);
    else if (a->type == 'f')
        put_f(w, a->f);
    else if (a->type == 's')
        put_s(w, a->s);
    else if (a->type != 'T' && a->type != 'F')
        w->bad = true;
}

size_t
osc_message_encode(uint8_t out[], size_t cap, const char *address, const osc_arg args[],
                   uint32_t n_args)
{
    char types[OSC_MAX_ARGS + 2] = ",";
    if (n_args > OSC_MAX_ARGS)
        return 0;
    for (uint32_t i = 0; i < n_args; i++)
        types[1 + i] = args[i].type;
    writer w = start(out, cap);
    put_s(&w, address);
    put_s(&w, types);
    for (uint32_t i = 0; i < n_args; i++)
        put_arg(&w, &args[i]);
    return finish(&w);
}

size_t
osc_index_put(uint8_t data[], size_t n, const char *name)
{
    static const char head[] = "/hearken/";
    const size_t at = sizeof head - 1, len = strnlen(name, OSC_INDEX_NAME + 1);
    if (n <= at || !len || len > OSC_INDEX_NAME || memcmp(data, head, at) != 0)
        return 0;
    const size_t before = strnlen((const char *)data, n), after = before + len + 1;
    const size_t rest = n - ((before | 3) + 1), begin = (after | 3) + 1;
    if (before == n || begin + rest > OSC_MAX_DATAGRAM)
        return 0;
    memmove(data + begin, data + n - rest, rest);
    memmove(data + at + len + 1, data + at, before - at);
    memcpy(data + at, name, len);
    data[at + len] = '/';
    memset(data + after, 0, begin - after);
    return begin + rest;
}

size_t
osc_bundle_wrap(uint8_t data[], size_t n, int64_t unix_ns)
{
    static const int64_t second = 1000000000, epoch_s = 2208988800; /* 1900 to 1970 */
    if (n == 0 || n > OSC_MAX_DATAGRAM - OSC_BUNDLE)
        return 0;
    memmove(data + OSC_BUNDLE, data, n);
    writer w = start(data, OSC_BUNDLE);
    const uint64_t fraction = ((uint64_t)(unix_ns % second) << 32) / (uint64_t)second;
    put_s(&w, "#bundle");
    put_i(&w, (int32_t)(uint32_t)(unix_ns / second + epoch_s));
    put_i(&w, (int32_t)(uint32_t)fraction);
    put_i(&w, (int32_t)n);
    return n + OSC_BUNDLE;
}
