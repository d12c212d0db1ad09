/* Files of vectors in memory, and a sink that keeps what a reader gives. */
#ifndef HEARKEN_TESTS_VECTORS_SUPPORT_H
#define HEARKEN_TESTS_VECTORS_SUPPORT_H

#include "rt/crc32c.h"
#include "rt/vectors.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that grow at their end. */
typedef struct {
    unsigned char b[1 << 18];
    size_t n;
} bytes;

static inline void
put(bytes *to, const void *data, size_t n)
{
    ck_assert(to->n + n <= sizeof to->b);
    memcpy(to->b + to->n, data, n);
    to->n += n;
}

static inline void
put_number(bytes *to, uint64_t x, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        put(to, &(unsigned char){(unsigned char)(x >> 8 * i)}, 1);
}

static inline void
put_float(bytes *to, float x)
{
    put(to, &x, sizeof x);
}

/* An .npy header of version 1 around a dictionary; the values follow. */
static inline void
put_npy_head(bytes *to, const char *dictionary)
{
    put(to, "\x93NUMPY\1\0", 8);
    put_number(to, strlen(dictionary) + 1, 2);
    put(to, dictionary, strlen(dictionary));
    put(to, "\n", 1);
}

/* ---- Protocol buffers ------------------------------------------------------------ */

static inline void
put_varint(bytes *to, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        put_number(to, (x & 0x7f) | 0x80, 1);
    put_number(to, x, 1);
}

static inline void
put_tag(bytes *to, uint32_t field, uint32_t wire)
{
    put_varint(to, (uint64_t)field << 3 | wire);
}

static inline void
put_bytes(bytes *to, uint32_t field, const void *data, size_t n)
{
    put_tag(to, field, 2);
    put_varint(to, n);
    put(to, data, n);
}

/* What a record of the tests is made of; zeros leave a part out. */
typedef struct {
    const char *video;
    float start_s, end_s;
    bool no_start, no_end;
    int labels[4];
    size_t n_labels, n_seconds;
    uint8_t seed; /* byte i of second s is seed + 3 s + i */
    bool packed, reversed, values_first, unknown;
} record;

/* An entry of a map, field 1: key 1 and value 2, in either order. */
static inline void
put_entry(bytes *to, const record *r, const char *key, const bytes *value)
{
    static bytes entry;
    entry.n = 0;
    if (r->values_first)
        put_bytes(&entry, 2, value->b, value->n);
    put_bytes(&entry, 1, key, strlen(key));
    if (!r->values_first)
        put_bytes(&entry, 2, value->b, value->n);
    put_bytes(to, 1, entry.b, entry.n);
}

/* A Feature around a list of that kind. */
static inline void
put_feature(bytes *to, const record *r, uint32_t kind, const bytes *list)
{
    if (r->unknown) {
        put_tag(to, 9, 0);
        put_varint(to, 77);
    }
    put_bytes(to, kind, list->b, list->n);
}

static inline void
put_time(bytes *map, const record *r, const char *key, float seconds)
{
    static bytes list, feature;
    list.n = feature.n = 0;
    if (r->packed) {
        put_bytes(&list, 1, &seconds, sizeof seconds);
    } else {
        put_tag(&list, 1, 5);
        put_float(&list, seconds);
    }
    put_feature(&feature, r, 2, &list);
    put_entry(map, r, key, &feature);
}

static inline void
put_labels(bytes *map, const record *r)
{
    static bytes list, packed, feature;
    list.n = packed.n = feature.n = 0;
    for (size_t i = 0; i < r->n_labels; i++) {
        if (!r->packed)
            put_tag(&list, 1, 0);
        put_varint(r->packed ? &packed : &list, (uint64_t)(int64_t)r->labels[i]);
    }
    if (r->packed)
        put_bytes(&list, 1, packed.b, packed.n);
    put_feature(&feature, r, 3, &list);
    put_entry(map, r, "labels", &feature);
}

static inline void
put_video(bytes *map, const record *r)
{
    static bytes list, feature;
    list.n = feature.n = 0;
    put_bytes(&list, 1, r->video, strlen(r->video));
    put_feature(&feature, r, 1, &list);
    put_entry(map, r, "video_id", &feature);
}

static inline void
put_context_part(bytes *map, const record *r, int part)
{
    if (part == 0 && r->video)
        put_video(map, r);
    if (part == 1 && !r->no_start)
        put_time(map, r, "start_time_seconds", r->start_s);
    if (part == 2 && !r->no_end)
        put_time(map, r, "end_time_seconds", r->end_s);
    if (part == 3 && r->n_labels)
        put_labels(map, r);
}

static inline uint8_t
second_byte(const record *r, size_t s, size_t i)
{
    return (uint8_t)(r->seed + 3 * s + i);
}

static inline void
put_seconds(bytes *map, const record *r)
{
    static bytes seconds, list, feature;
    seconds.n = 0;
    for (size_t s = 0; s < r->n_seconds; s++) {
        unsigned char q[RT_AUDIOSET_DIM];
        for (size_t i = 0; i < sizeof q; i++)
            q[i] = second_byte(r, s, i);
        list.n = feature.n = 0;
        put_bytes(&list, 1, q, sizeof q);
        put_feature(&feature, r, 1, &list);
        put_bytes(&seconds, 1, feature.b, feature.n);
    }
    put_entry(map, r, "audio_embedding", &seconds);
}

/* The SequenceExample of a record. */
static inline void
put_example(bytes *to, const record *r)
{
    static bytes context, lists;
    context.n = lists.n = 0;
    for (int i = 0; i < 4; i++)
        put_context_part(&context, r, r->reversed ? 3 - i : i);
    put_seconds(&lists, r);
    if (r->unknown) {
        put_tag(to, 15, 1);
        put_number(to, 5, 8);
    }
    if (r->reversed)
        put_bytes(to, 2, lists.b, lists.n);
    put_bytes(to, 1, context.b, context.n);
    if (!r->reversed)
        put_bytes(to, 2, lists.b, lists.n);
}

/* Bytes in the framing of a TFRecord. */
static inline void
put_framed(bytes *to, const unsigned char data[], size_t n)
{
    const size_t at = to->n;
    put_number(to, n, 8);
    put_number(to, rt_crc32c_masked(&rt_crc32c_c, to->b + at, 8), 4);
    put(to, data, n);
    put_number(to, rt_crc32c_masked(&rt_crc32c_c, data, n), 4);
}

static inline void
put_record(bytes *to, const record *r)
{
    static bytes example;
    example.n = 0;
    put_example(&example, r);
    put_framed(to, example.b, example.n);
}

/* ---- Reading --------------------------------------------------------------------- */

enum { KEPT_ROWS = 64 };

/* The rows of a file, and all that was said. */
typedef struct {
    float x[KEPT_ROWS][IDX_MAX_DIM];
    rt_vector v[KEPT_ROWS]; /* x and sound are dead by now */
    char sound[KEPT_ROWS][40];
    size_t n, refuse_at; /* refuse_at: above 0, the row that the sink refuses */
    char left_out[4][700];
    size_t n_left_out;
    rt_vector_fates fates;
    char why[1000];
    bool ok;
} kept;

static inline bool
keep_row(void *ctx, const rt_vector *v, char *why, size_t why_len)
{
    kept *k = ctx;
    if (k->refuse_at && k->n + 1 == k->refuse_at) {
        snprintf(why, why_len, "refused");
        return false;
    }
    ck_assert(k->n < KEPT_ROWS && v->dim >= 1 && v->dim <= IDX_MAX_DIM);
    memcpy(k->x[k->n], v->x, v->dim * sizeof *v->x);
    snprintf(k->sound[k->n], sizeof k->sound[0], "%s", v->sound ? v->sound : "");
    k->v[k->n++] = *v;
    return true;
}

static inline void
keep_left_out(void *ctx, const char *sentence)
{
    kept *k = ctx;
    ck_assert(k->n_left_out < 4);
    snprintf(k->left_out[k->n_left_out++], sizeof k->left_out[0], "%s", sentence);
}

/* Reads n bytes as a file of that name. */
static inline void
read_bytes_as(kept *k, const char *name, const void *data, size_t n, rt_vector_how how)
{
    const rt_vector_sink sink = {k, keep_row, keep_left_out};
    FILE *file = tmpfile();
    ck_assert(file && fwrite(data, 1, n, file) == n);
    rewind(file);
    k->n = k->n_left_out = 0;
    k->fates = (rt_vector_fates){0};
    *k->why = 0;
    k->ok = rt_vectors_read(file, name, &how, &sink, &k->fates, k->why, sizeof k->why);
    fclose(file);
    ck_assert_msg(k->ok == !*k->why, "%d: %s", k->ok, k->why);
}

#endif
