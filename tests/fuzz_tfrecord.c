/* TFRecords from the fuzzer as they are; and what it gives as the inside of one, whose
 * checksums are right, so that it gets as far as the SequenceExample. */
#include "fuzz_support.h"

#include "rt/crc32c.h"

static void
put_number(uint8_t to[], uint64_t x, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        to[i] = (uint8_t)(x >> 8 * i);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    uint8_t *framed = malloc(n + 16);
    must(framed != NULL);
    put_number(framed, n, 8);
    put_number(framed + 8, rt_crc32c_masked(&rt_crc32c_c, framed, 8), 4);
    if (n)
        memcpy(framed + 12, data, n);
    put_number(framed + 12 + n, rt_crc32c_masked(&rt_crc32c_c, framed + 12, n), 4);
    for (int seconds = 0; seconds < 2; seconds++) {
        read_as("a.tfrecord", data, n, (rt_vector_how){.seconds = seconds});
        read_as("a.tfrecord", framed, n + 16, (rt_vector_how){.seconds = seconds});
    }
    free(framed);
    return 0;
}
