/* Codes of the rows of hash tables (sieve.h), in the order of their buckets. */
#ifndef HEARKEN_BUCKETS_H
#define HEARKEN_BUCKETS_H

#include "sieve.h"

/* Standard errors of a code by which a row of hash tables may miss the k-th best and is
 * still compared: at recall 0.95 of a million frames 0.8 and 2 took a fifth longer. */
#define IDX_TABLE_ERRORS 1.2F

/* Bits of a code worth its memory for rows of dim: 0, none, for short ones. */
static inline uint32_t
idx_table_bits(uint32_t dim)
{
    return dim > 32 ? (uint32_t)idx_code_bits(dim) : 0;
}

/* Blocks of codes of one table. */
static inline uint32_t
idx_table_blocks(uint32_t n_entries)
{
    return n_entries / IDX_CODE_ROWS + (n_entries % IDX_CODE_ROWS > 0);
}

/* A row that its code let through, whose number is on its way. */
typedef struct {
    const uint32_t *id;
    float upper;
} idx_waiting;

/* Working memory of one query, in idx_scratch.own behind that of the family. */
typedef struct {
    void *sieve;           /* [idx_sieve_bytes()] */
    idx_survivor *found;   /* [IDX_CHUNK_ROWS] of one scan */
    idx_waiting *waiting;  /* [IDX_CHUNK_ROWS] */
    idx_survivor *pending; /* [IDX_CHUNK_ROWS] */
    uint64_t *scored;      /* [n_scored] a bit for each block of each table */
    size_t n_scored;
} idx_buckets_scratch;

/* Lays out the memory at base (NULL: only counts); returns the bytes. */
size_t idx_buckets_lay(idx_buckets_scratch *s, void *base, const idx_scale *scale);

#endif
