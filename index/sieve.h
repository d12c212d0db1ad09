/*
 * Codes of a bit a dimension, which spare most rows their exact comparison (RaBitQ: Gao
 * and Long, SIGMOD 2024).
 *
 * A row x near a centre c has the residual e = R (x - c), R a random rotation, and as
 * its code s the signs of e. With y = R q, the product of residuals is estimated
 * without bias, and with an error that is known, by one sum of signs:
 *
 *   (q - c) . (x - c)  ~  f (s . y - s . R c),        f = |e|^2 / sum |e_i|
 *   standard error        f |q - c| IDX_CODE_ERROR
 *
 *   cosine   q . x             = q . c          + (c . (x - c) - f s . R c) + f s . y
 *   Euclid   -|q - x|^2 / 2    = -|q - c|^2 / 2 + (-|e|^2 / 2  - f s . R c) + f s . y
 *                                base of centre   offset of row               factor
 *
 * so a row needs two numbers beside its code, a query one table of sums for all
 * centres, and a row whose estimate plus some errors stays below the k-th best so far
 * is passed over unseen. What is left is compared exactly, the most promising first.
 */
#ifndef HEARKEN_SIEVE_H
#define HEARKEN_SIEVE_H

#include "rotate.h"
#include "scan_kern.h"
#include "search.h"

/* sqrt(1 - 2/pi): what signs do not tell of a direction, 2/pi being what they do. */
#define IDX_CODE_ERROR 0.60281F

/* Queries by Euclid whose values are all below this count as 0 where they are rounded
 * to bytes: their inverse is out of range. */
#define IDX_TOO_SMALL 1e-30F

enum {
    IDX_CHUNK_BLOCKS = 32,                             /* of codes, scanned at a time */
    IDX_CHUNK_ROWS = IDX_CHUNK_BLOCKS * IDX_CODE_ROWS, /* of them */
    IDX_MIN_BITS = 8,
    IDX_NO_ROW = 0xfc00, /* minus infinity as a half: nothing reaches it */
};

/* Bits in a code: those of the rotation, and whole bytes of pairs of nibbles. */
static inline size_t
idx_code_bits(size_t dim)
{
    const size_t bits = idx_rotate_dim(dim);
    return bits < IDX_MIN_BITS ? IDX_MIN_BITS : bits;
}

/* out[bits] = R x. */
void idx_code_rotate(float out[], const float x[], const uint64_t signs[], size_t dim);

/* Rows that may be among the nearest, until they are compared. */
typedef struct {
    idx_survivor *row;
    uint32_t n;
    uint32_t visit; /* the caller's: where they come from */
} idx_chunk;

/* A search by codes on its way. */
typedef struct idx_sieve idx_sieve;
struct idx_sieve {
    const idx_index *index;
    uint32_t scale_number;
    const idx_scale *sc;
    const idx_params *params;
    idx_scratch *s;
    const idx_scan_kern *kern;
    idx_top *top;
    idx_work *work;
    /* Exact likeness of rows of a visit. */
    void (*compare)(idx_sieve *v, uint32_t visit, const uint32_t id[], uint32_t n,
                    float out[]);
    bool euclid;
    size_t bits;
    uint8_t *table;     /* [bits / 4][16] */
    float unit;         /* lengths are divided by it in factors */
    float scale, shift; /* of the sums of the table, in units */
    float noise;        /* variance of these sums by the rounding of the table */
    float per_unit;     /* 1 over the squared unit, which likenesses are in here */
    float least;        /* k-th best so far */
    bool full, spent;   /* candidates, or codes, as many as allowed */
};

/* Working memory: y and the table, which are read as of idx_code_bits(). */
static inline size_t
idx_sieve_bytes(size_t dim)
{
    return idx_code_bits(dim) * (sizeof(float) + 4);
}

/* The query s->unit; room is idx_sieve_bytes(), aligned to 64. */
idx_sieve idx_sieve_begin(const idx_index *index, uint32_t scale, idx_scratch *s,
                          idx_top *top, idx_work *work, float unit,
                          const uint64_t signs[], void *room);

/* What rows around a centre are scanned with: q . c, |q - c|^2, and how many standard
 * errors are allowed for. least and first are the caller's. */
idx_scan idx_sieve_around(const idx_sieve *v, float dot, float gap, float errors);

/* How many of so many blocks to scan at once; 0 when the cap is reached, and counted.
 */
uint32_t idx_sieve_blocks(idx_sieve *v, uint32_t left);

/* Starts fetching rows that are compared one chunk later; many are cut down first. */
void idx_sieve_fetch(const idx_sieve *v, const idx_chunk *c);

/* Compares what is pending, as long as it can be among the nearest. */
void idx_sieve_settle(idx_sieve *v, idx_chunk *c);

/* ---- Making codes. Cold --------------------------------------------------------- */

/* Rows around one centre on their way to codes. */
typedef struct {
    size_t dim;
    bool euclid;
    float unit;
    const uint64_t *signs;
    const float *centre; /* [dim] */
    const float *turned; /* [bits] R centre */
} idx_coding;

/* A power of two that is no less than any length: factors then fit 16 bits. */
float idx_code_unit(const idx_scale *scale, const idx_kern *kern);

/* Slots from..IDX_CODE_ROWS-1 of a block, which is zeros, become without rows. */
void idx_code_end(uint8_t block[], size_t bits, uint32_t from);

/* Whether slots from there on are without rows: a search would find rows that are not
 * there. */
bool idx_code_ends(const uint8_t block[], size_t bits, uint32_t from);

/* The code of x in a slot of a block, which is zeros there. */
void idx_code_row(const idx_coding *c, const float x[], uint8_t block[], uint32_t slot);

#endif
