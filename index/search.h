/*
 * What a search works on, private to index/. Searches run on the analysis thread:
 * neither they nor what they call may allocate, lock or print.
 */
#ifndef HEARKEN_SEARCH_H
#define HEARKEN_SEARCH_H

#include "format.h"
#include "idxkern.h"
#include "index/codes.h"
#include "scan_kern.h"

enum {
    IDX_BLOCK = 128, /* rows compared between two looks at the best k, by hash search */
    IDX_SCAN = 1024, /* the same of an exact scan, whose rows follow each other */
    IDX_FLIGHT = 16, /* buckets on their way from memory at a time */
    IDX_MAX_KEY = 32, /* room for the bits of one key: FMT_MAX_PLANES, rounded */
};

/*
 * Rounding noise on unit vectors. A projection above its negative counts as 0 or more,
 * so that a row which equals the centre (a corpus of one silence repeated) and a query
 * equal to it up to rounding share their key.
 */
#define IDX_PLANE_EPS 1e-6F

/* A bucket of one table on its way, as hash.h and probe.c make it; or a node of a
 * forest. */
typedef struct {
    float score, base; /* what it costs; without its last place */
    uint32_t mask;     /* ranks of all places */
    uint16_t rank;     /* of the last place that is not home */
    uint8_t table, place;
} idx_probe;

/* Another value of a function of a key: hash.h. */
typedef struct {
    uint64_t change; /* to the key */
    float cost;
} idx_choice;

struct idx_scratch {
    const idx_index *index;
    const idx_kern *kern;
    const idx_scan_kern *scan_kern;
    idx_params params[IDX_SCALES]; /* those of the file, or as set */
    uint32_t skip;                 /* sound that is left out; UINT32_MAX: none */
    float *unit;                   /* [dim] the query; by cosine at unit length */
    float *centred;                /* [dim] unit - centre */
    float *side;                   /* [n_tables][n_planes] projections */
    idx_choice *choice;            /* [n_tables][n_functions][n_choices] */
    uint32_t *ready;               /* [n_tables][n_functions] choices made so far */
    uint32_t *order;               /* [n_tables][n_functions] cheapest first */
    uint64_t *home;                /* [n_tables] key of the query */
    idx_probe *heap;               /* [n_probes] least score first */
    uint64_t *seen;                /* [seen_words] a bit for each row that was met */
    uint32_t *found;               /* [IDX_SCAN] rows about to be compared */
    float *cosine;                 /* [IDX_SCAN] */
    float *wide;                   /* [IDX_BLOCK][dim] rows as floats of 32 bits */
    idx_code_scratch *codes;       /* these two NULL without codes */
    idx_code_hit *code_hit;        /* [IDX_MAX_K] */
    void *own;                     /* [own_bytes] of the family, aligned to 64 */
    uint32_t n_heap;
    uint32_t n_home; /* home buckets given out so far */
};

/* The best k so far: a heap with the worst on top, until idx_top_sort(). */
typedef struct {
    idx_hit *hit;
    uint32_t n, k;
    bool cosines; /* whether likenesses end at -1 and 1 */
} idx_top;

/* Offers n rows: id[i], or first + i where id is NULL. */
void idx_top_offer(idx_top *top, const uint32_t id[], uint32_t first,
                   const float cosine[], uint32_t n);

/* Best first; equal cosines in order of entry. */
void idx_top_sort(idx_top *top);

/* scratch->unit becomes x at unit length; false where x has no direction. */
bool idx_direction(float unit[], const float x[], uint32_t dim);

/*
 * Rows on their way from a family to the best k. Each is compared once, in blocks, by
 * the metric of the scale.
 */
typedef struct {
    const idx_index *index;
    uint32_t scale;
    idx_scratch *s;
    idx_top *top;
    idx_work *work;
    uint32_t max_candidates;
    uint32_t n_found;
} idx_walk;

/* Words of seen[]. */
static inline size_t
idx_seen_words(size_t n_entries)
{
    return (n_entries + 63) / 64;
}

/* Begins; a family whose candidates may repeat needs seen[] and says so. */
idx_walk idx_walk_begin(const idx_index *index, uint32_t scale, idx_scratch *s,
                        idx_top *top, idx_work *work);

/* One candidate; false when the cap is reached, and counted. */
bool idx_walk_add(idx_walk *w, uint32_t entry);

/* Compares what is left. */
void idx_walk_end(idx_walk *w);

/* out[i] of n <= IDX_BLOCK: how near s->unit is to entry id[i], or to first + i where
 * id is NULL, as in idx_hit. */
void idx_compare(const idx_index *index, uint32_t scale, idx_scratch *s,
                 const uint32_t id[], uint32_t first, uint32_t n, float out[]);

/* Compares every row; the second of rows stored as IDX_I8. */
void idx_exact_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                      idx_top *top, idx_work *work);
void idx_cells_exact(const idx_index *index, uint32_t scale, idx_scratch *s,
                     idx_top *top, idx_work *work);

#endif
