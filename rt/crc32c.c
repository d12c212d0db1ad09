#include "crc32c.h"

#include <stdlib.h>
#include <string.h>

/* By four bits at a time: entry i is what i becomes after four steps of the register.
 */
static const uint32_t nibble[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                    0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

static uint32_t
update(uint32_t crc, const unsigned char data[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return crc;
}

const rt_crc32c rt_crc32c_c = {"c", update};

size_t
rt_crc32c_list(const rt_crc32c *list[2])
{
    size_t n = 0;
    list[n++] = &rt_crc32c_c;
#if defined(__x86_64__)
    if (rt_crc32c_sse42.name && __builtin_cpu_supports("sse4.2"))
        list[n++] = &rt_crc32c_sse42;
#endif
    return n;
}

const rt_crc32c *
rt_crc32c_pick(void)
{
    const rt_crc32c *list[2];
    const size_t n = rt_crc32c_list(list);
    const char *wanted = getenv("RT_CRC32C");
    return list[wanted && !strcmp(wanted, "c") ? 0 : n - 1];
}

uint32_t
rt_crc32c_of(const rt_crc32c *kern, const unsigned char data[], size_t n)
{
    return ~kern->update(UINT32_MAX, data, n);
}

uint32_t
rt_crc32c_masked(const rt_crc32c *kern, const unsigned char data[], size_t n)
{
    const uint32_t crc = rt_crc32c_of(kern, data, n);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}
