#include "protobuf.h"

static const unsigned char nothing[1];
const rt_pb rt_pb_empty = {nothing, nothing};

bool
rt_pb_varint(rt_pb *m, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 70 && m->at < m->end; shift += 7) {
        const unsigned char byte = *m->at++;
        *value |= (uint64_t)(byte & 0x7fU) << shift; /* the tenth byte keeps one bit */
        if (byte < 0x80)
            return true;
    }
    return false;
}

bool
rt_pb_fixed(rt_pb *m, size_t n_bytes, uint64_t *value)
{
    *value = 0;
    if (rt_pb_left(m) < n_bytes)
        return false;
    for (size_t i = 0; i < n_bytes; i++)
        *value |= (uint64_t)*m->at++ << 8 * i;
    return true;
}

static bool
take_bytes(rt_pb *m, rt_pb *bytes)
{
    uint64_t n;
    if (!rt_pb_varint(m, &n) || n > rt_pb_left(m))
        return false;
    *bytes = (rt_pb){m->at, m->at + n};
    m->at += n;
    return true;
}

static bool
take_value(rt_pb *m, rt_pb_field *f)
{
    switch (f->wire) {
    case RT_PB_VARINT:
        return rt_pb_varint(m, &f->value);
    case RT_PB_FIXED64:
        return rt_pb_fixed(m, 8, &f->value);
    case RT_PB_BYTES:
        return take_bytes(m, &f->bytes);
    case RT_PB_FIXED32:
        return rt_pb_fixed(m, 4, &f->value);
    default:
        return false;
    }
}

rt_pb_step
rt_pb_next(rt_pb *m, rt_pb_field *f)
{
    uint64_t tag;
    *f = (rt_pb_field){0};
    if (m->at == m->end)
        return RT_PB_END;
    if (!rt_pb_varint(m, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return RT_PB_BAD;
    f->number = (uint32_t)(tag >> 3);
    f->wire = tag & 7;
    return take_value(m, f) ? RT_PB_FIELD : RT_PB_BAD;
}
