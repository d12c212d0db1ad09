/*
 * codes: exact search over binary codes. A part of index, whose rules hold here too.
 *
 *   uint64_t query[n_words] --idx_codes_hamming--> idx_code_hit hits[n]    nearest
 * first
 *                           --idx_codes_jaccard-->
 *
 * Bit b of a code is bit b & 63 of word b >> 6. A code of fewer bits than its words
 * have ends with zeros. The codes are the caller's, who may append to them between two
 * calls.
 */
#ifndef HEARKEN_CODES_H
#define HEARKEN_CODES_H

#include "index/index.h"

enum { IDX_CODE_WORDS = 16 }; /* in a code, at most: 1024 bits */

typedef struct {
    const uint64_t *words; /* [n][n_words] */
    uint32_t n;
    uint32_t n_words; /* 1..IDX_CODE_WORDS */
} idx_codes;

typedef struct {
    uint32_t id;    /* 0..n-1 */
    float distance; /* least first */
} idx_code_hit;

/* Working memory for searches by one thread: over so many codes, for so many hits. */
typedef struct idx_code_scratch idx_code_scratch;
idx_status idx_code_scratch_new(idx_code_scratch **out, uint32_t max_codes,
                                uint32_t max_hits);
void idx_code_scratch_free(idx_code_scratch *scratch);

/*
 * Finds the k codes with the fewest bits different from the query's (Hamming distance,
 * a whole number).
 *
 *   query   [n_words]
 *   hits    [min(k, n)] out, nearest first; equal distances in order of id
 *   n_hits  out, min(k, n)
 *
 * A counting sort, O(n) for any k: 1.4 ns per code of 128 bits. Real-time safe: does
 * not allocate, lock or block. IDX_EARG if k is 0, n_words out of range, or n or min(k,
 * n) above what the scratch was made for.
 */
idx_status idx_codes_hamming(const idx_codes *codes, idx_code_scratch *scratch,
                             const uint64_t query[], uint32_t k, idx_code_hit hits[],
                             uint32_t *n_hits);

/*
 * The same by Jaccard distance, 1 - |A and B| / |A or B|, in [0, 1]; that of two codes
 * without bits is 1. Hamming distance takes sparse codes for near: a code of one bit is
 * within 16 of any code of 15. Up to 1024 bits, floats order these fractions exactly.
 * O(n log k) at worst; 2.4 ns per code of 128 bits at k = 10.
 */
idx_status idx_codes_jaccard(const idx_codes *codes, idx_code_scratch *scratch,
                             const uint64_t query[], uint32_t k, idx_code_hit hits[],
                             uint32_t *n_hits);

/* Reads a code as NumPy's packbits writes it, whose bit 0 is 0x80 of byte 0:
 * packed[(n_bits + 7) / 8] to code[(n_bits + 63) / 64]. */
void idx_code_from_packbits(const uint8_t packed[], uint32_t n_bits, uint64_t code[]);

#endif
