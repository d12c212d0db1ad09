/* Rows of floats from the fuzzer, with their dimension in front and without. */
#include "fuzz_support.h"

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    read_as("a.fvecs", data, n, (rt_vector_how){0});
    if (n > 2)
        read_as("a.raw", data + 2, n - 2,
                (rt_vector_how){.raw_dim = 1 + (data[0] | (uint32_t)data[1] << 8) %
                                                   IDX_MAX_DIM});
    return 0;
}
