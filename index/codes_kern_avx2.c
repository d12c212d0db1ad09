/* By the popcnt instruction, which every CPU with AVX2 has and -mavx2 allows. */
#include "codes_kern.h"

#if defined(__AVX2__) && defined(__POPCNT__)

static inline __attribute__((always_inline)) void
differ(uint16_t *restrict out, const uint64_t *restrict query,
       const uint64_t *restrict codes, size_t n_words, size_t n)
{
    for (size_t i = 0; i < n; i++, codes += n_words) {
        int bits = 0;
        for (size_t w = 0; w < n_words; w++)
            bits += __builtin_popcountll(query[w] ^ codes[w]);
        out[i] = (uint16_t)bits;
    }
}

static inline __attribute__((always_inline)) void
overlap(uint16_t *restrict both, uint16_t *restrict either,
        const uint64_t *restrict query, const uint64_t *restrict codes, size_t n_words,
        size_t n)
{
    for (size_t i = 0; i < n; i++, codes += n_words) {
        int in_both = 0, in_either = 0;
        for (size_t w = 0; w < n_words; w++) {
            in_both += __builtin_popcountll(query[w] & codes[w]);
            in_either += __builtin_popcountll(query[w] | codes[w]);
        }
        both[i] = (uint16_t)in_both;
        either[i] = (uint16_t)in_either;
    }
}

/* With a constant number of words the query stays in registers. */
static void
differ_avx2(uint16_t *restrict out, const uint64_t *restrict query,
            const uint64_t *restrict codes, size_t n_words, size_t n)
{
    if (n_words == 1)
        differ(out, query, codes, 1, n);
    else if (n_words == 2)
        differ(out, query, codes, 2, n);
    else
        differ(out, query, codes, n_words, n);
}

static void
overlap_avx2(uint16_t *restrict both, uint16_t *restrict either,
             const uint64_t *restrict query, const uint64_t *restrict codes,
             size_t n_words, size_t n)
{
    if (n_words == 1)
        overlap(both, either, query, codes, 1, n);
    else if (n_words == 2)
        overlap(both, either, query, codes, 2, n);
    else
        overlap(both, either, query, codes, n_words, n);
}

const idx_code_kern idx_code_kern_avx2 = {"avx2", differ_avx2, overlap_avx2};

#else

const idx_code_kern idx_code_kern_avx2 = {0};

#endif
