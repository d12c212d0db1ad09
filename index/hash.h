/*
 * Hash with margins -> sequence of buckets: what the LSH families share. Private to
 * index/.
 *
 * A key is made of the values of n_functions functions. Each function has its home
 * value, that of the query, and choices: other values, by rising cost, which is how far
 * the query is from where it would have them. A bucket takes at most one choice of each
 * function and costs their sum; buckets come cheapest first, over all tables together
 * (Lv et al., VLDB 2007). Choices change a key by sums modulo 2^64.
 */
#ifndef HEARKEN_HASH_H
#define HEARKEN_HASH_H

#include "search.h"

typedef struct idx_hash idx_hash;
struct idx_hash {
    uint32_t n_tables;
    uint32_t n_functions;  /* of a key: up to IDX_MAX_KEY */
    uint32_t n_choices;    /* of a function at most */
    uint32_t last_choices; /* of the last function */
    uint32_t rank_bits;    /* for 0..n_choices; all functions of a key in 32 bits */
    uint32_t slot_bits;    /* of a key, or of a key mixed where there are checks */
    size_t own_bytes;      /* of s->own, that choices are made from */
    const uint64_t *signs; /* these two of the codes, where there are any: rotation */
    float unit;            /* and unit of sieve.h, 1 by cosine */
    /* The next choice of function number at / n_functions of table at % n_functions;
     * NULL where all are there from the beginning. */
    void (*more)(idx_scratch *s, const idx_hash *h, size_t at);
};

/* Choice number rank (1..) of a function of a table, at = table * n_functions + it. */
static inline idx_choice *
idx_choice_of(const idx_scratch *s, const idx_hash *h, size_t at, uint32_t rank)
{
    return s->choice + at * h->n_choices + (rank - 1);
}

/* s->centred becomes the query less the centre of the hashes. */
void idx_hash_centre(const idx_index *index, uint32_t scale, idx_scratch *s);

/*
 * Starts the sequence: s->home[n_tables] and the choices are those of the query, one at
 * least for each function, and s->ready[] how many of each there are where there will
 * be more.
 */
void idx_hash_start(idx_scratch *s, const idx_hash *h);

/*
 * The next bucket: the home buckets of all tables, then by rising cost. False when all
 * buckets have been given. At most IDX_MAX_PROBES calls per start.
 */
bool idx_hash_next(idx_scratch *s, const idx_hash *h, uint32_t *table, uint64_t *key);

/* Searches the buckets in this order: FMT_STARTS, FMT_IDS and, where there are any,
 * FMT_CHECKS or FMT_BLOCKS of the scale. */
void idx_hash_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                     const idx_hash *h, idx_top *top, idx_work *work);

/* A key of many bits as a slot in its high bits and a check value in its low 32. */
static inline uint64_t
idx_hash_mix(uint64_t key)
{
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U; /* of splitmix64 */
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
    return key ^ (key >> 31);
}

#endif
