/*
 * What a search works on, private to index/. query.c and hyperplane.c run on the
 * analysis thread: neither they nor what they call may allocate, lock or print.
 */
#ifndef HEARKEN_SEARCH_H
#define HEARKEN_SEARCH_H

#include "format.h"
#include "idxkern.h"
#include "index/codes.h"

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

/*
 * A bucket of one table that differs from the home bucket by the flips in mask: bit j
 * is the plane j-th nearest to the query. base is the score without the highest of
 * them.
 */
typedef struct {
    float score, base;
    uint32_t mask, table;
} idx_probe;

struct idx_scratch {
    const idx_index *index;
    const idx_kern *kern;
    float *unit;             /* [dim] the query at unit length */
    float *centred;          /* [dim] unit - centre */
    float *side;             /* [n_tables][n_planes] projections */
    uint32_t *rank;          /* [n_tables][n_planes] see rank_planes() */
    uint32_t *home;          /* [n_tables] key of the query */
    idx_probe *heap;         /* [n_probes] least score first */
    uint32_t *seen;          /* [n_entries] the query that last compared this row */
    uint32_t *found;         /* [IDX_BLOCK] rows about to be compared */
    float *cosine;           /* [IDX_SCAN] */
    idx_code_scratch *codes; /* these two NULL without codes */
    idx_code_hit *code_hit;  /* [IDX_MAX_K] */
    uint32_t n_seen;         /* most entries in a scale that has tables */
    uint32_t stamp;          /* number of the query, 1.. */
    uint32_t n_heap;
    uint32_t n_home; /* home buckets given out so far */
};

/* The best k so far: a heap with the worst on top, until idx_top_sort(). */
typedef struct {
    idx_hit *hit;
    uint32_t n, k;
} idx_top;

/* Offers n rows: id[i], or first + i where id is NULL. */
void idx_top_offer(idx_top *top, const uint32_t id[], uint32_t first,
                   const float cosine[], uint32_t n);

/* Best first; equal cosines in order of entry. */
void idx_top_sort(idx_top *top);

/* scratch->unit becomes x at unit length; false where x has no direction. */
bool idx_direction(float unit[], const float x[], uint32_t dim);

/*
 * Key of a vector from its projections on the planes of one table: bit b is the side of
 * plane b (Charikar, STOC 2002).
 */
static inline uint32_t
idx_key(const float side[], uint32_t n_planes)
{
    uint32_t key = 0;
    for (uint32_t b = 0; b < n_planes; b++)
        key |= (uint32_t)(side[b] >= -IDX_PLANE_EPS) << b;
    return key;
}

/* Starts the sequence of buckets for scratch->unit. */
void idx_probe_start(const idx_index *index, uint32_t scale, idx_scratch *s);

/*
 * The next bucket in order of promise: the home buckets of all tables, then by
 * ascending sum of squared distances to the planes that are crossed. False when all
 * buckets of all tables have been given. At most n_probes calls per start.
 */
bool idx_probe_next(idx_scratch *s, uint32_t n_tables, uint32_t n_planes,
                    uint32_t *table, uint32_t *key);

/*
 * Visits buckets for scratch->unit and offers the cosine of each row in them, once, to
 * top; within n_probes and max_candidates of the scale.
 */
void idx_hyperplane_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                           idx_top *top, idx_work *work);

#endif
