/* osc/read.c: what is taken from datagrams of others, and what is refused. */
#include "osc/control.h"
#include "support.h"

#include <lo/lo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char address[64];
    char types[OSC_MAX_ARGS + 1];
    osc_arg arg[OSC_MAX_ARGS];
} seen;

enum { MOST = OSC_MAX_MESSAGES + 4 };
static seen got[MOST];
static int n_got;

static void
keep(void *ctx, const osc_message *m)
{
    (void)ctx;
    ck_assert_int_lt(n_got, MOST);
    seen *s = &got[n_got++];
    memset(s, 0, sizeof *s);
    snprintf(s->address, sizeof s->address, "%s", m->address);
    for (uint32_t i = 0; i < m->n_args; i++) {
        s->types[i] = m->arg[i].type;
        s->arg[i] = m->arg[i];
    }
}

static osc_status
read_all(const void *data, size_t n, const char **why)
{
    /* on the heap, to the byte: a sanitizer sees every read beyond its end */
    uint8_t *copy = malloc(n + !n);
    if (n)
        memcpy(copy, data, n);
    n_got = 0;
    const osc_status st = osc_read(copy, n, keep, NULL, why);
    for (int i = 0; i < n_got; i++) /* strings go with the datagram */
        for (int j = 0; got[i].types[j]; j++)
            if (strchr("sS", got[i].types[j]))
                got[i].arg[j].s = !strcmp(got[i].arg[j].s, "kick") ? "kick" : "other";
    free(copy);
    return st;
}

START_TEST(every_type_that_liblo_writes_is_read)
{
    const char *why;
    char blob[5] = "abcd";
    uint8_t data[OSC_MAX_RECEIVED], midi[4] = {1, 2, 3, 4};
    size_t n = sizeof data;
    lo_message m = lo_message_new();
    lo_blob b = lo_blob_new(sizeof blob, blob);
    lo_message_add_int32(m, -7);
    lo_message_add_float(m, 0.75F);
    lo_message_add_string(m, "kick");
    lo_message_add_true(m);
    lo_message_add_false(m);
    lo_message_add_int64(m, INT64_MIN + 3);
    lo_message_add_double(m, 0.1);
    lo_message_add_symbol(m, "kick");
    lo_message_add_nil(m);
    lo_message_add_infinitum(m);
    lo_message_add_blob(m, b);
    lo_message_add_timetag(m, (lo_timetag){1, 2});
    lo_message_add_char(m, 'x');
    lo_message_add_midi(m, midi);
    ck_assert(lo_message_serialise(m, "/a/b", data, &n));
    ck_assert_int_eq(read_all(data, n, &why), OSC_OK);
    ck_assert_ptr_null(why);
    ck_assert_int_eq(n_got, 1);
    ck_assert_str_eq(got[0].address, "/a/b");
    ck_assert_str_eq(got[0].types, "ifsTFhdSNIbtcm");
    ck_assert_int_eq(got[0].arg[0].i, -7);
    ck_assert_float_eq(got[0].arg[1].f, 0.75F);
    ck_assert_str_eq(got[0].arg[2].s, "kick");
    ck_assert_int_eq(got[0].arg[5].h, INT64_MIN + 3);
    ck_assert_double_eq(got[0].arg[6].d, 0.1);
    ck_assert_str_eq(got[0].arg[7].s, "kick");
    ck_assert_int_eq(got[0].arg[10].i, sizeof blob);
    ck_assert_int_eq(got[0].arg[11].h, INT64_C(0x100000002));
    ck_assert_int_eq(got[0].arg[12].i, 'x');
    lo_blob_free(b);
    lo_message_free(m);
}
END_TEST

START_TEST(a_bundle_of_liblo_in_a_bundle_gives_its_messages_in_order)
{
    const char *why;
    uint8_t data[OSC_MAX_RECEIVED];
    size_t n = sizeof data;
    lo_bundle outer = lo_bundle_new(LO_TT_IMMEDIATE),
              inner = lo_bundle_new((lo_timetag){9, 9});
    lo_message m[3] = {lo_message_new(), lo_message_new(), lo_message_new()};
    lo_message_add_int32(m[1], 5);
    lo_bundle_add_message(outer, "/one", m[0]);
    lo_bundle_add_message(inner, "/two", m[1]);
    lo_bundle_add_bundle(outer, inner);
    lo_bundle_add_message(outer, "/three", m[2]);
    ck_assert(lo_bundle_serialise(outer, data, &n));
    ck_assert_int_eq(read_all(data, n, &why), OSC_OK);
    ck_assert_int_eq(n_got, 3);
    ck_assert_str_eq(got[0].address, "/one");
    ck_assert_str_eq(got[1].address, "/two");
    ck_assert_int_eq(got[1].arg[0].i, 5);
    ck_assert_str_eq(got[2].address, "/three");
    lo_bundle_free_recursive(outer);
}
END_TEST

/* Text with ^ for a zero byte and digits in <> for a byte. */
static size_t
spell(uint8_t out[], const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        if (*text == '<') {
            out[n++] = (uint8_t)strtoul(text + 1, NULL, 10);
            text = strchr(text, '>');
        } else {
            out[n++] = *text == '^' ? 0 : (uint8_t)*text;
        }
    return n;
}

#define TIME "^^^^^^^<1>"
static const struct {
    const char *name, *data;
    int n; /* messages, -1: refused */
} cases[] = {
    {"an address alone", "/a^^", 1},
    {"no arguments", "/a^^,^^^", 1},
    {"an address of a whole number of words", "/abc^^^^,^^^", 1},
    {"an int", "/a^^,i^^^^^<7>", 1},
    {"an empty string", "/a^^,s^^^^^^", 1},
    {"an empty bundle", "#bundle^" TIME, 0},
    {"two messages",
     "#bundle^" TIME "^^^<8>/a^^,^^^"
     "^^^<4>/b^^",
     2},
    {"an empty blob", "/a^^,b^^^^^^", 1},
    {"nothing", "", -1},
    {"three bytes", "/a^", -1},
    {"an address that does not end", "/abc", -1},
    {"no address", "abc^,^^^", -1},
    {"an empty address", "^^^^,^^^", -1},
    {"no comma", "/a^^i^^^^^^<7>", -1},
    {"types that do not end", "/a^^,iii", -1},
    {"an unknown type", "/a^^,x^^", -1},
    {"an array", "/a^^,[i]^^^^^^^^<7>", -1},
    {"an int too few", "/a^^,ii^^^^<7>", -1},
    {"half a double", "/a^^,d^^^^^<7>", -1},
    {"a string that does not end", "/a^^,s^^abcd", -1},
    {"no string", "/a^^,s^^", -1},
    {"a blob cut short", "/a^^,b^^^^^<9>abcdefgh", -1},
    {"a blob of no size", "/a^^,b^^", -1},
    {"a huge blob", "/a^^,b^^<255><255><255><255>", -1},
    {"a negative blob", "/a^^,b^^<128>^^^", -1},
    {"bytes behind", "/a^^,^^^abcd", -1},
    {"a bundle without a time", "#bundle^", -1},
    {"half a time", "#bundle^^^^^", -1},
    {"half a size", "#bundle^" TIME "^^^<8>", -1},
    {"a part of no size", "#bundle^" TIME "^^^^", -1},
    {"a part of six bytes", "#bundle^" TIME "^^^<6>/a^^,^^^", -1},
    {"a part beyond the end", "#bundle^" TIME "^^^<12>/a^^,^^^", -1},
    {"a huge part", "#bundle^" TIME "<255><255><255><252>/a^^,^^^", -1},
    {"a good message before a bad one",
     "#bundle^" TIME "^^^<4>/a^^"
     "^^^<4>bad^",
     -1},
};

START_TEST(a_datagram_is_read_whole_or_refused_whole_with_a_reason)
{
    const char *why = "";
    uint8_t data[256];
    const size_t n = spell(data, cases[_i].data);
    const osc_status st = read_all(data, n, &why);
    ck_assert_msg((st == OSC_OK) == (cases[_i].n >= 0), "case: %s", cases[_i].name);
    ck_assert_msg((why == NULL) == (st == OSC_OK), "case: %s", cases[_i].name);
    ck_assert_msg(n_got == (st ? 0 : cases[_i].n), "case: %s: %d", cases[_i].name,
                  n_got);
}
END_TEST

/* A bundle around data[n], in place. */
static size_t
wrap(uint8_t data[], size_t n)
{
    memmove(data + 20, data, n);
    memcpy(data, "#bundle\0\0\0\0\0\0\0\0\1", 16);
    data[16] = data[17] = 0;
    data[18] = (uint8_t)(n >> 8);
    data[19] = (uint8_t)n;
    return n + 20;
}

START_TEST(bundles_nest_four_deep_and_no_deeper)
{
    const char *why;
    uint8_t data[256] = "/a";
    size_t n = 4;
    for (int depth = 0; depth <= OSC_MAX_NESTING + 1; depth++) {
        const osc_status st = read_all(data, n, &why);
        ck_assert_int_eq(st, depth > OSC_MAX_NESTING ? OSC_EARG : OSC_OK);
        n = wrap(data, n);
    }
}
END_TEST

START_TEST(sixty_four_messages_and_thirty_two_arguments_are_the_most)
{
    const char *why;
    uint8_t data[1024] = "#bundle\0\0\0\0\0\0\0\0\1";
    size_t n = 16;
    for (int i = 1; i <= OSC_MAX_MESSAGES + 1; i++) {
        memcpy(data + n, "\0\0\0\4/a\0", 8);
        n += 8;
        ck_assert_int_eq(read_all(data, n, &why),
                         i > OSC_MAX_MESSAGES ? OSC_EARG : OSC_OK);
        ck_assert_int_eq(n_got, i > OSC_MAX_MESSAGES ? 0 : i);
    }
    for (int i = OSC_MAX_ARGS; i <= OSC_MAX_ARGS + 1; i++) {
        memset(data, 0, 64);
        memcpy(data, "/a\0\0,", 5);
        memset(data + 5, 'T', (size_t)i);
        ck_assert_int_eq(read_all(data, 4 + ((1 + (size_t)i) | 3) + 1, &why),
                         i > OSC_MAX_ARGS ? OSC_EARG : OSC_OK);
    }
}
END_TEST

START_TEST(what_is_encoded_is_read_back)
{
    const char *why;
    uint8_t data[OSC_MAX_DATAGRAM];
    const osc_arg args[] = {{.type = 's', .s = "kick"},
                            {.type = 'i', .i = -1},
                            {.type = 'f', .f = 2.5F},
                            {.type = 'T'},
                            {.type = 'F'}};
    const size_t n = osc_message_encode(data, sizeof data, "/hearken/value", args, 5);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(read_all(data, n, &why), OSC_OK);
    ck_assert_str_eq(got[0].types, "sifTF");
    ck_assert_str_eq(got[0].arg[0].s, "kick");
    ck_assert_int_eq(got[0].arg[1].i, -1);
    ck_assert_float_eq(got[0].arg[2].f, 2.5F);
    for (size_t cap = 0; cap < n; cap++)
        ck_assert_uint_eq(osc_message_encode(data, cap, "/hearken/value", args, 5), 0);
    const osc_arg blob = {.type = 'b'}, nan = {.type = 'f', .f = (float)NAN};
    ck_assert_uint_eq(osc_message_encode(data, sizeof data, "/a", &blob, 1), 0);
    ck_assert_uint_eq(osc_message_encode(data, sizeof data, "/a", &nan, 1), 0);
    ck_assert_uint_eq(
        osc_message_encode(data, sizeof data, "/a", args, OSC_MAX_ARGS + 1), 0);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("osc/read");
    TCase *t = tcase_create("all");
    tcase_add_test(t, every_type_that_liblo_writes_is_read);
    tcase_add_test(t, a_bundle_of_liblo_in_a_bundle_gives_its_messages_in_order);
    tcase_add_loop_test(t, a_datagram_is_read_whole_or_refused_whole_with_a_reason, 0,
                        sizeof cases / sizeof *cases);
    tcase_add_test(t, bundles_nest_four_deep_and_no_deeper);
    tcase_add_test(t, sixty_four_messages_and_thirty_two_arguments_are_the_most);
    tcase_add_test(t, what_is_encoded_is_read_back);
    suite_add_tcase(s, t);
    return run_suite(s);
}
