/* rt/crc32c.c: the check values of the polynomial, and each kernel against its twin. */
#include "rt/crc32c.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const rt_crc32c *list[2];
static size_t n_list;

static const struct {
    const char *name;
    unsigned char data[32];
    size_t n;
    uint32_t crc, masked;
} values[] = {
    {"digits", "123456789", 9, 0xe3069283, 0xc78ab0e5},
    {"32 zeros", {0}, 32, 0x8a9136aa, 0x0},
    {"a length of 5", {5}, 8, 0x0, 0x3e04b2ea},
    {"nothing", {0}, 0, 0x0, 0xa282ead8},
};

START_TEST(check_values_of_the_polynomial_hold) /* 0: not published */
{
    for (size_t k = 0; k < n_list; k++) {
        if (values[_i].crc || !values[_i].n)
            ck_assert_msg(rt_crc32c_of(list[k], values[_i].data, values[_i].n) ==
                              values[_i].crc,
                          "%s: %s", list[k]->name, values[_i].name);
        if (values[_i].masked)
            ck_assert_msg(rt_crc32c_masked(list[k], values[_i].data, values[_i].n) ==
                              values[_i].masked,
                          "%s: %s", list[k]->name, values[_i].name);
    }
}
END_TEST

START_TEST(kernels_equal_their_twin_at_every_length_and_alignment)
{
    unsigned char data[160];
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)random_u64(&seed);
    for (size_t k = 1; k < n_list; k++)
        for (size_t at = 0; at < 9; at++)
            for (size_t n = 0; n + at <= sizeof data; n++)
                ck_assert_msg(list[0]->update(7, data + at, n) ==
                                  list[k]->update(7, data + at, n),
                              "%s: %zu bytes at %zu", list[k]->name, n, at);
}
END_TEST

START_TEST(a_crc_can_be_carried_on)
{
    for (size_t k = 0; k < n_list; k++)
        for (size_t cut = 0; cut <= 9; cut++) {
            const unsigned char *text = (const unsigned char *)"123456789";
            const uint32_t first = list[k]->update(UINT32_MAX, text, cut);
            ck_assert_uint_eq(~list[k]->update(first, text + cut, 9 - cut), 0xe3069283);
        }
}
END_TEST

START_TEST(the_environment_can_force_the_twin)
{
    ck_assert_ptr_eq(rt_crc32c_pick(), list[n_list - 1]);
    setenv("RT_CRC32C", "c", 1);
    ck_assert_ptr_eq(rt_crc32c_pick(), &rt_crc32c_c);
    unsetenv("RT_CRC32C");
}
END_TEST

int
main(void)
{
    n_list = rt_crc32c_list(list);
    Suite *s = suite_create("rt/crc32c");
    TCase *t = tcase_create("kernels");
    tcase_add_loop_test(t, check_values_of_the_polynomial_hold, 0, 4);
    tcase_add_test(t, kernels_equal_their_twin_at_every_length_and_alignment);
    tcase_add_test(t, a_crc_can_be_carried_on);
    tcase_add_test(t, the_environment_can_force_the_twin);
    suite_add_tcase(s, t);
    return run_suite(s);
}
