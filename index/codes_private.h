/* What the files of codes share. */
#ifndef HEARKEN_CODES_PRIVATE_H
#define HEARKEN_CODES_PRIVATE_H

#include "codes_kern.h"
#include "index/codes.h"

enum {
    IDX_CODE_BLOCK = 1024, /* codes compared at a time */
    IDX_CODE_DISTANCES = IDX_CODE_WORDS * 64 + 1,
    IDX_CODE_LANES = 4, /* counters per distance, so that none waits for the last one */
};

struct idx_code_scratch {
    const idx_code_kern *kern;
    uint32_t max_codes, max_hits;
    uint16_t *distance; /* [max_codes] */
    idx_hit *heap;      /* [max_hits] */
    uint32_t count[IDX_CODE_LANES][IDX_CODE_DISTANCES];
    uint16_t both[IDX_CODE_BLOCK], either[IDX_CODE_BLOCK];
    float alike[IDX_CODE_BLOCK];
};

#endif
