#include "audioset.h"

#include "protobuf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the messages, and the kinds of a Feature, which hold field 1 many times. */
enum { CONTEXT = 1, LISTS = 2, MAP = 1, KEY = 1, VALUE = 2, ITEM = 1 };
enum { NO_LIST = 0, BYTES_LIST = 1, FLOAT_LIST = 2, INT64_LIST = 3 };

enum { HAS_VIDEO = 1, HAS_START = 2, HAS_END = 4 };

typedef struct {
    rt_audioset *to;
    unsigned has;
    char *why;
    size_t why_len;
} record;

static bool
fail(const record *r, const char *what)
{
    snprintf(r->why, r->why_len, "%s", what);
    return false;
}

static bool
malformed(const record *r)
{
    return fail(r, "it is cut short or no SequenceExample");
}

/* ---- Features -------------------------------------------------------------------- */

/* The list that a Feature holds, of the kind; empty where nothing was set. */
static bool
open_feature(const record *r, rt_pb feature, uint32_t kind, const char *key,
             rt_pb *list)
{
    rt_pb_field f;
    rt_pb_step step;
    uint32_t n = 0, found = NO_LIST;
    *list = rt_pb_empty;
    while ((step = rt_pb_next(&feature, &f)) == RT_PB_FIELD)
        if (f.number >= BYTES_LIST && f.number <= INT64_LIST && f.wire == RT_PB_BYTES) {
            found = f.number;
            *list = f.bytes;
            n++;
        }
    if (step == RT_PB_BAD)
        return malformed(r);
    if (n <= 1 && (found == kind || found == NO_LIST))
        return true;
    snprintf(r->why, r->why_len, "its %s is of another kind", key);
    return false;
}

/* The next value of a list into f; a packed one goes on in *packed. */
static rt_pb_step
next_value(rt_pb *list, rt_pb *packed, uint32_t kind, rt_pb_field *f)
{
    static const uint32_t bare[] = {[BYTES_LIST] = RT_PB_BYTES,
                                    [FLOAT_LIST] = RT_PB_FIXED32,
                                    [INT64_LIST] = RT_PB_VARINT};
    while (packed->at == packed->end) {
        const rt_pb_step step = rt_pb_next(list, f);
        if (step == RT_PB_FIELD && f->number != ITEM)
            continue;
        if (step != RT_PB_FIELD || f->wire == bare[kind])
            return step;
        if (f->wire != RT_PB_BYTES)
            return RT_PB_BAD;
        *packed = f->bytes;
    }
    const bool ok = kind == FLOAT_LIST ? rt_pb_fixed(packed, 4, &f->value)
                                       : rt_pb_varint(packed, &f->value);
    return ok ? RT_PB_FIELD : RT_PB_BAD;
}

/* The one value of a Feature. */
static bool
take_one(const record *r, rt_pb feature, uint32_t kind, const char *key, rt_pb_field *f)
{
    rt_pb list, packed = rt_pb_empty;
    rt_pb_field more;
    if (!open_feature(r, feature, kind, key, &list))
        return false;
    const rt_pb_step first = next_value(&list, &packed, kind, f);
    const rt_pb_step second =
        first == RT_PB_FIELD ? next_value(&list, &packed, kind, &more) : first;
    if (first == RT_PB_BAD || second == RT_PB_BAD)
        return malformed(r);
    if (first == RT_PB_FIELD && second == RT_PB_END)
        return true;
    snprintf(r->why, r->why_len, "its %s has %s", key,
             first == RT_PB_END ? "no value" : "more than one value");
    return false;
}

/* ---- Context --------------------------------------------------------------------- */

static bool
take_video(record *r, rt_pb feature)
{
    rt_pb_field f;
    if (!take_one(r, feature, BYTES_LIST, "video_id", &f))
        return false;
    const size_t n = rt_pb_left(&f.bytes);
    if (!n || n > IDX_MAX_PATH || memchr(f.bytes.at, 0, n))
        return fail(r, "its video_id is no text of 1 to 1000 bytes");
    memcpy(r->to->video, f.bytes.at, n);
    r->to->video[n] = 0;
    r->has |= HAS_VIDEO;
    return true;
}

static bool
take_time(record *r, rt_pb feature, const char *key, unsigned has, float *seconds)
{
    rt_pb_field f;
    if (!take_one(r, feature, FLOAT_LIST, key, &f))
        return false;
    const uint32_t bits = (uint32_t)f.value;
    memcpy(seconds, &bits, sizeof bits);
    r->has |= has;
    if (isfinite(*seconds) && *seconds >= 0)
        return true;
    snprintf(r->why, r->why_len, "its %s is no time", key);
    return false;
}

static bool
take_labels(record *r, rt_pb feature)
{
    rt_pb list, packed = rt_pb_empty;
    rt_pb_field f;
    rt_pb_step step;
    r->to->first_class = RT_NO_CLASS;
    if (!open_feature(r, feature, INT64_LIST, "labels", &list))
        return false;
    while ((step = next_value(&list, &packed, INT64_LIST, &f)) == RT_PB_FIELD) {
        if (f.value >= RT_AUDIOSET_CLASSES)
            return fail(r, "one of its labels is outside of 0 to 526");
        if (r->to->first_class == RT_NO_CLASS)
            r->to->first_class = (int)f.value;
    }
    return step == RT_PB_END || malformed(r);
}

static bool
same(rt_pb key, const char *name)
{
    return rt_pb_left(&key) == strlen(name) && !memcmp(key.at, name, strlen(name));
}

static bool
take_context(record *r, rt_pb key, rt_pb value)
{
    if (same(key, "video_id"))
        return take_video(r, value);
    if (same(key, "start_time_seconds"))
        return take_time(r, value, "start_time_seconds", HAS_START, &r->to->start_s);
    if (same(key, "end_time_seconds"))
        return take_time(r, value, "end_time_seconds", HAS_END, &r->to->end_s);
    if (same(key, "labels"))
        return take_labels(r, value);
    return true;
}

/* ---- Seconds --------------------------------------------------------------------- */

static bool
add_second(record *r, rt_pb bytes)
{
    rt_audioset *a = r->to;
    if (rt_pb_left(&bytes) != RT_AUDIOSET_DIM) {
        snprintf(r->why, r->why_len, "second %zu has %zu bytes instead of 128", a->n,
                 rt_pb_left(&bytes));
        return false;
    }
    if (a->n == a->cap) {
        const size_t cap = a->cap ? 2 * a->cap : 16; /* of records of 64 MiB at most */
        const unsigned char **grown = realloc(a->seconds, cap * sizeof *a->seconds);
        if (!grown)
            return fail(r, "there is not enough memory for it");
        a->seconds = grown;
        a->cap = cap;
    }
    a->seconds[a->n++] = bytes.at;
    return true;
}

static bool
take_list(record *r, rt_pb key, rt_pb value)
{
    rt_pb_field f, one;
    rt_pb_step step;
    if (!same(key, "audio_embedding"))
        return true;
    r->to->n = 0;
    while ((step = rt_pb_next(&value, &f)) == RT_PB_FIELD) {
        if (f.number != ITEM)
            continue;
        if (f.wire != RT_PB_BYTES)
            return malformed(r);
        if (!take_one(r, f.bytes, BYTES_LIST, "audio_embedding", &one) ||
            !add_second(r, one.bytes))
            return false;
    }
    return step == RT_PB_END || malformed(r);
}

/* ---- The whole ------------------------------------------------------------------- */

typedef bool take_entry(record *r, rt_pb key, rt_pb value);

/* One entry of a map: its key may come behind its value. */
static bool
open_entry(record *r, rt_pb entry, take_entry *take)
{
    rt_pb_field f;
    rt_pb_step step;
    rt_pb key = rt_pb_empty, value = rt_pb_empty;
    while ((step = rt_pb_next(&entry, &f)) == RT_PB_FIELD) {
        if (f.number > VALUE)
            continue;
        if (f.wire != RT_PB_BYTES)
            return malformed(r);
        *(f.number == KEY ? &key : &value) = f.bytes;
    }
    return step == RT_PB_BAD ? malformed(r) : take(r, key, value);
}

static bool
open_map(record *r, rt_pb map, take_entry *take)
{
    rt_pb_field f;
    rt_pb_step step;
    while ((step = rt_pb_next(&map, &f)) == RT_PB_FIELD) {
        if (f.number != MAP)
            continue;
        if (f.wire != RT_PB_BYTES)
            return malformed(r);
        if (!open_entry(r, f.bytes, take))
            return false;
    }
    return step == RT_PB_END || malformed(r);
}

static bool
whole(const record *r)
{
    if (!(r->has & HAS_VIDEO))
        return fail(r, "it has no video_id");
    if (!(r->has & HAS_START) || !(r->has & HAS_END))
        return fail(r, "it has no start_time_seconds or no end_time_seconds");
    if (r->to->end_s <= r->to->start_s)
        return fail(r, "its end_time_seconds is not behind its start_time_seconds");
    return r->to->n || fail(r, "it has no audio_embedding");
}

bool
rt_audioset_take(rt_audioset *a, const unsigned char data[], size_t n, char *why,
                 size_t why_len)
{
    record r = {.to = a, .why = why, .why_len = why_len};
    rt_pb m = {data, data + n};
    rt_pb_field f;
    rt_pb_step step;
    a->n = 0;
    a->first_class = RT_NO_CLASS;
    while ((step = rt_pb_next(&m, &f)) == RT_PB_FIELD) {
        if (f.number != CONTEXT && f.number != LISTS)
            continue;
        if (f.wire != RT_PB_BYTES)
            return malformed(&r);
        if (!open_map(&r, f.bytes, f.number == CONTEXT ? take_context : take_list))
            return false;
    }
    return step == RT_PB_BAD ? malformed(&r) : whole(&r);
}

void
rt_audioset_free(rt_audioset *a)
{
    free(a->seconds);
    *a = (rt_audioset){0};
}

void
rt_audioset_second(const unsigned char q[], float v[RT_AUDIOSET_DIM])
{
    for (size_t i = 0; i < RT_AUDIOSET_DIM; i++)
        v[i] = (float)(q[i] * (4.0 / 255.0) + 4.0 / 512.0 - 2.0);
}

void
rt_audioset_mean(const rt_audioset *a, float v[RT_AUDIOSET_DIM])
{
    uint64_t sum[RT_AUDIOSET_DIM] = {0};
    for (size_t s = 0; s < a->n; s++)
        for (size_t i = 0; i < RT_AUDIOSET_DIM; i++)
            sum[i] += a->seconds[s][i];
    for (size_t i = 0; i < RT_AUDIOSET_DIM; i++)
        v[i] =
            (float)((double)sum[i] / (double)a->n * (4.0 / 255.0) + 4.0 / 512.0 - 2.0);
}
