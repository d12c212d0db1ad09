/* Makes and frees what codes.c runs on, and reads codes from elsewhere. */
#include "codes_private.h"

#include <stdlib.h>
#include <string.h>

idx_status
idx_code_scratch_new(idx_code_scratch **out, uint32_t max_codes, uint32_t max_hits)
{
    *out = NULL;
    idx_code_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return IDX_ENOMEM;
    s->kern = idx_code_kern_pick();
    s->max_codes = max_codes;
    s->max_hits = max_hits < max_codes ? max_hits : max_codes;
    const size_t n_codes = max_codes ? max_codes : 1;
    const size_t n_hits = s->max_hits ? s->max_hits : 1;
    s->distance = malloc(n_codes * sizeof *s->distance);
    s->heap = malloc(n_hits * sizeof *s->heap);
    if (!s->distance || !s->heap) {
        idx_code_scratch_free(s);
        return IDX_ENOMEM;
    }
    /* written, so that no page is missing in a search */
    memset(s->distance, 0xff, n_codes * sizeof *s->distance);
    memset(s->heap, 0xff, n_hits * sizeof *s->heap);
    *out = s;
    return IDX_OK;
}

void
idx_code_scratch_free(idx_code_scratch *s)
{
    if (!s)
        return;
    free(s->heap);
    free(s->distance);
    free(s);
}

void
idx_code_from_packbits(const uint8_t packed[], uint32_t n_bits, uint64_t code[])
{
    memset(code, 0, (n_bits + 63) / 64 * sizeof *code);
    for (uint32_t b = 0; b < n_bits; b++)
        if (packed[b >> 3] & 0x80U >> (b & 7))
            code[b >> 6] |= (uint64_t)1 << (b & 63);
}
