#include "codes_kern.h"

/* Sums in fields of 2, 4, 8 bits, then of all bytes: without a popcnt instruction the
 * compiler would call a function. */
static uint64_t
count_bits(uint64_t v)
{
    v -= v >> 1 & 0x5555555555555555U;
    v = (v & 0x3333333333333333U) + (v >> 2 & 0x3333333333333333U);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fU;
    return v * 0x0101010101010101U >> 56;
}

static void
differ_c(uint16_t *restrict out, const uint64_t *restrict query,
         const uint64_t *restrict codes, size_t n_words, size_t n)
{
    for (size_t i = 0; i < n; i++, codes += n_words) {
        uint64_t bits = 0;
        for (size_t w = 0; w < n_words; w++)
            bits += count_bits(query[w] ^ codes[w]);
        out[i] = (uint16_t)bits;
    }
}

static void
overlap_c(uint16_t *restrict both, uint16_t *restrict either,
          const uint64_t *restrict query, const uint64_t *restrict codes,
          size_t n_words, size_t n)
{
    for (size_t i = 0; i < n; i++, codes += n_words) {
        uint64_t in_both = 0, in_either = 0;
        for (size_t w = 0; w < n_words; w++) {
            in_both += count_bits(query[w] & codes[w]);
            in_either += count_bits(query[w] | codes[w]);
        }
        both[i] = (uint16_t)in_both;
        either[i] = (uint16_t)in_either;
    }
}

const idx_code_kern idx_code_kern_c = {"c", differ_c, overlap_c};
