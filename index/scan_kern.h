/*
 * Kernels of the search in cells: the nearest cells by bytes, the rows of a cell by
 * codes of a bit a dimension, and rows stored as bytes. The sums of bytes are whole
 * numbers and the rest is rounded in one fixed order, so all kernels agree bit for bit.
 */
#ifndef HEARKEN_SCAN_KERN_H
#define HEARKEN_SCAN_KERN_H

#include <stddef.h>
#include <stdint.h>

enum {
    IDX_COARSE_CELLS = 8, /* cells in a block of centres */
    IDX_CODE_ROWS = 32,   /* rows in a block of codes */
    IDX_TABLE_MAX = 63, /* largest entry of a look-up table: four of them fit a byte */
};

/*
 * A block of 8 centres, rounded to bytes, dim4 = (dim + 3) / 4:
 *
 *   int8 value[dim4][8][4]   coordinate 4 i + j of centre k is value[i][k][j] * step[k]
 *   float step[8], half[8]   half the squared length of the centre itself
 */
static inline size_t
idx_coarse_bytes(size_t dim)
{
    return (dim + 3) / 4 * 32 + 64;
}

/*
 * A block of codes of 32 rows, bits a multiple of 8:
 *
 *   uint8 code[bits / 8][32]  low nibble: bits 8 i to 8 i + 3 of row j; high: the next
 *   half factor[32]           see cells.h; negative infinity as
 *   half offset[32]           offset where there is no row
 */
static inline size_t
idx_block_bytes(size_t bits)
{
    return bits * 4 + 128;
}

/* A row that may be among the nearest: at most as near as upper says. */
typedef struct {
    uint32_t entry;
    float upper;
} idx_survivor;

/* What the codes are scored with. */
typedef struct {
    const uint8_t *table; /* [bits / 4][16], each up to IDX_TABLE_MAX, aligned to 16 */
    float scale, shift;   /* of the sum of entries, error allowed for in the shift */
    float base;           /* of the cell */
    float least;          /* what upper must reach */
    uint32_t first;       /* entry of the first row */
} idx_scan;

typedef struct {
    const char *name; /* "c", "avx2" */
    /*
     * out[k] = scale * step[k] * (q . value[k]) - half[k] for each of n blocks of 8.
     * q [dim4][4] int8, -127 to 127. No value is -128.
     */
    void (*coarse)(float *restrict out, const int8_t *restrict q, float scale,
                   const uint8_t *restrict blocks, size_t dim, size_t n);
    /*
     * Scores n blocks of codes; appends the rows that may reach least to out[32 n] and
     * returns their number. upper = (factor * (scale * sum + shift) + offset) + base.
     */
    uint32_t (*scan)(const idx_scan *s, const uint8_t *restrict blocks, size_t bits,
                     size_t n, idx_survivor out[]);
    /* out[i] = step[id] * (x . rows[id]) and the sum of (x - step[id] * row[id])^2. */
    void (*picks8)(float *restrict out, const float *restrict x,
                   const int8_t *restrict rows, const float *restrict step, size_t dim,
                   const uint32_t *restrict id, size_t n);
    void (*gap_picks8)(float *restrict out, const float *restrict x,
                       const int8_t *restrict rows, const float *restrict step,
                       size_t dim, const uint32_t *restrict id, size_t n);
} idx_scan_kern;

extern const idx_scan_kern idx_scan_kern_c;
extern const idx_scan_kern idx_scan_kern_avx2; /* name is NULL where not compiled */

/* Kernels that this CPU can run: list[0] is "c", the last one is the fastest. */
size_t idx_scan_kern_list(const idx_scan_kern *list[2]);

/* The fastest, or the twin in C when IDX_KERN=c is in the environment. Cold. */
const idx_scan_kern *idx_scan_kern_pick(void);

#endif
