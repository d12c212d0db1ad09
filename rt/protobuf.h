/* Walks the fields of a protocol buffer message in memory; nothing is copied. */
#ifndef HEARKEN_RT_PROTOBUF_H
#define HEARKEN_RT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left of a message, or the bytes of a field. */
typedef struct {
    const unsigned char *at, *end;
} rt_pb;

extern const rt_pb rt_pb_empty;

/* Wire types; groups (3 and 4) are no longer written by anyone and are refused. */
enum { RT_PB_VARINT = 0, RT_PB_FIXED64 = 1, RT_PB_BYTES = 2, RT_PB_FIXED32 = 5 };

typedef struct {
    uint32_t number, wire;
    uint64_t value; /* of wire types 0, 1 and 5 */
    rt_pb bytes;    /* of wire type 2 */
} rt_pb_field;

typedef enum { RT_PB_END, RT_PB_FIELD, RT_PB_BAD } rt_pb_step;

/* Takes the next field. RT_PB_BAD where the bytes are cut short or no message. */
rt_pb_step rt_pb_next(rt_pb *m, rt_pb_field *f);

/* These take one bare value of a packed list; false where none is left or it is bad. */
bool rt_pb_varint(rt_pb *m, uint64_t *value);
bool rt_pb_fixed(rt_pb *m, size_t n_bytes, uint64_t *value);

static inline size_t
rt_pb_left(const rt_pb *m)
{
    return (size_t)(m->end - m->at);
}

#endif
