/* Kernels of codes: bits counted between one code and many. All versions agree. */
#ifndef HEARKEN_CODES_KERN_H
#define HEARKEN_CODES_KERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* "c", "avx2" */
    /* out[i] = bits of query ^ codes[i][n_words], i < n. n_words 1..16; no overlap. */
    void (*differ)(uint16_t *restrict out, const uint64_t *restrict query,
                   const uint64_t *restrict codes, size_t n_words, size_t n);
    /* both[i] = bits of query & codes[i], either[i] = bits of query | codes[i]. */
    void (*overlap)(uint16_t *restrict both, uint16_t *restrict either,
                    const uint64_t *restrict query, const uint64_t *restrict codes,
                    size_t n_words, size_t n);
} idx_code_kern;

extern const idx_code_kern idx_code_kern_c;
extern const idx_code_kern idx_code_kern_avx2; /* name NULL where not compiled */

/* Kernels that this CPU can run: list[0] is "c", the last one is the fastest. */
size_t idx_code_kern_list(const idx_code_kern *list[2]);

/* The fastest, or the twin in C when IDX_KERN=c is in the environment. Cold. */
const idx_code_kern *idx_code_kern_pick(void);

#endif
