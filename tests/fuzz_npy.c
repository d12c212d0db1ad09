/* Arrays from the fuzzer: refused in a sentence, or rows that are finite. */
#include "fuzz_support.h"

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static const char magic[] = "\x93NUMPY";
    read_as("a.npy", data, n, (rt_vector_how){0});
    uint8_t *led = malloc(n + 6); /* so that no time goes into finding the magic */
    must(led != NULL);
    memcpy(led, magic, 6);
    if (n)
        memcpy(led + 6, data, n);
    read_as("a.npy", led, n + 6, (rt_vector_how){0});
    free(led);
    return 0;
}
