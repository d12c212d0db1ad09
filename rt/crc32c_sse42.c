/* Compiled with -msse4.2; nothing here may run before the CPU was asked. */
#include "crc32c.h"

#ifdef __SSE4_2__

#include <nmmintrin.h>
#include <string.h>

static uint32_t
update(uint32_t crc, const unsigned char data[], size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; data += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        c = _mm_crc32_u64(c, word);
    }
    crc = (uint32_t)c;
    for (; n > 0; data++, n--)
        crc = _mm_crc32_u8(crc, *data);
    return crc;
}

const rt_crc32c rt_crc32c_sse42 = {"sse42", update};

#else

const rt_crc32c rt_crc32c_sse42 = {NULL, NULL};

#endif
