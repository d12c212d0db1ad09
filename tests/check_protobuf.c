/* rt/protobuf.c: fields of each wire type, and what is no message. */
#include "rt/protobuf.h"
#include "support.h"

#include <string.h>

#define N(table) (int)(sizeof(table) / sizeof *(table))

static const struct {
    const char *name;
    const char *data;
    size_t n;
    rt_pb_step step;
    uint32_t number, wire;
    uint64_t value; /* of bytes: how many */
} fields[] = {
    {"nothing", "", 0, RT_PB_END, 0, 0, 0},
    {"a varint of one byte", "\x08\x05", 2, RT_PB_FIELD, 1, 0, 5},
    {"a varint of two bytes", "\x08\xac\x02", 3, RT_PB_FIELD, 1, 0, 300},
    {"minus one", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, RT_PB_FIELD, 1, 0,
     UINT64_MAX},
    {"a varint with needless bytes", "\x08\x85\x80\x00", 4, RT_PB_FIELD, 1, 0, 5},
    {"a fixed64", "\x11\x01\x02\x00\x00\x00\x00\x00\x80", 9, RT_PB_FIELD, 2, 1,
     0x8000000000000201},
    {"bytes", "\x1a\x03xyz", 5, RT_PB_FIELD, 3, 2, 3},
    {"no bytes", "\x1a\x00", 2, RT_PB_FIELD, 3, 2, 0},
    {"a fixed32", "\x25\x00\x00\x80\x3f", 5, RT_PB_FIELD, 4, 5, 0x3f800000},
    {"a large field number", "\xf8\xff\xff\xff\x0f\x01", 6, RT_PB_FIELD, 536870911, 0,
     1},
    {"field number 0", "\x00\x05", 2, RT_PB_BAD, 0, 0, 0},
    {"a field number too large", "\x80\x80\x80\x80\x10\x01", 6, RT_PB_BAD, 0, 0, 0},
    {"a group", "\x0b\x0c", 2, RT_PB_BAD, 0, 0, 0},
    {"the end of a group", "\x0c", 1, RT_PB_BAD, 0, 0, 0},
    {"wire type 6", "\x0e\x01", 2, RT_PB_BAD, 0, 0, 0},
    {"wire type 7", "\x0f\x01", 2, RT_PB_BAD, 0, 0, 0},
    {"a tag cut short", "\x88", 1, RT_PB_BAD, 0, 0, 0},
    {"a varint cut short", "\x08\xac", 2, RT_PB_BAD, 0, 0, 0},
    {"a varint of eleven bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
     RT_PB_BAD, 0, 0, 0},
    {"a fixed64 cut short", "\x11\x01\x02\x00\x00\x00\x00\x00", 8, RT_PB_BAD, 0, 0, 0},
    {"a fixed32 cut short", "\x25\x00\x00\x80", 4, RT_PB_BAD, 0, 0, 0},
    {"bytes cut short", "\x1a\x03xy", 4, RT_PB_BAD, 0, 0, 0},
    {"bytes without end", "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01xy", 13,
     RT_PB_BAD, 0, 0, 0},
};

START_TEST(a_field_is_taken_or_refused)
{
    const unsigned char *data = (const unsigned char *)fields[_i].data;
    rt_pb m = {data, data + fields[_i].n};
    rt_pb_field f;
    ck_assert_msg(rt_pb_next(&m, &f) == fields[_i].step, "case: %s", fields[_i].name);
    if (fields[_i].step != RT_PB_FIELD)
        return;
    ck_assert_msg(f.number == fields[_i].number && f.wire == fields[_i].wire,
                  "case: %s", fields[_i].name);
    if (f.wire == RT_PB_BYTES)
        f.value = rt_pb_left(&f.bytes);
    ck_assert_msg(f.value == fields[_i].value, "case: %s", fields[_i].name);
    ck_assert(rt_pb_next(&m, &f) == RT_PB_END);
}
END_TEST

START_TEST(fields_follow_each_other)
{
    const unsigned char data[] = {0x08, 5, 0x1a, 2, 'x', 'y', 0x10, 7};
    rt_pb m = {data, data + sizeof data};
    rt_pb_field f;
    ck_assert(rt_pb_next(&m, &f) == RT_PB_FIELD && f.number == 1 && f.value == 5);
    ck_assert(rt_pb_next(&m, &f) == RT_PB_FIELD && f.number == 3);
    ck_assert(!memcmp(f.bytes.at, "xy", 2) && rt_pb_left(&f.bytes) == 2);
    ck_assert(rt_pb_next(&m, &f) == RT_PB_FIELD && f.number == 2 && f.value == 7);
    ck_assert(rt_pb_next(&m, &f) == RT_PB_END);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("rt/protobuf");
    TCase *t = tcase_create("fields");
    tcase_add_loop_test(t, a_field_is_taken_or_refused, 0, N(fields));
    tcase_add_test(t, fields_follow_each_other);
    suite_add_tcase(s, t);
    return run_suite(s);
}
