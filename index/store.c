/* Room for what is built: see family.h. Cold. */
#include "family.h"

#include <stdlib.h>
#include <string.h>

void *
idx_regrow(const idx_store *s, void *block, size_t n, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, item_bytes, &bytes))
        return NULL;
    return s->grow ? s->grow(s->ctx, block, bytes) : realloc(block, bytes);
}

void *
idx_take(const idx_store *s, size_t n, size_t item_bytes)
{
    if (!s->grow)
        return calloc(n, item_bytes);
    void *block = idx_regrow(s, NULL, n, item_bytes);
    if (block)
        memset(block, 0, n * item_bytes);
    return block;
}

void
idx_give(const idx_store *s, void *block)
{
    if (s->grow)
        s->drop(s->ctx, block);
    else
        free(block);
}
