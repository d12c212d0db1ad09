/* Exact search over binary codes. Analysis thread. */
#include "codes_private.h"
#include "search.h" /* idx_top */

#include <string.h>

/* Checks the arguments and turns k into the number of hits, *n_hits. */
static idx_status
begin(const idx_codes *codes, const idx_code_scratch *s, uint32_t k, uint32_t *n_hits)
{
    *n_hits = 0;
    const uint32_t n = k < codes->n ? k : codes->n;
    if (k == 0 || codes->n_words == 0 || codes->n_words > IDX_CODE_WORDS ||
        codes->n > s->max_codes || n > s->max_hits)
        return IDX_EARG;
    *n_hits = n;
    return IDX_OK;
}

static uint32_t
block_length(uint32_t at, uint32_t n)
{
    return n - at < IDX_CODE_BLOCK ? n - at : IDX_CODE_BLOCK;
}

/* ---- Hamming -------------------------------------------------------------------- */

/* The distances of all codes, and in count[0] how many there are of each. */
static void
measure(const idx_codes *codes, idx_code_scratch *s, const uint64_t query[])
{
    const size_t n_words = codes->n_words, n_distances = n_words * 64 + 1;
    for (size_t l = 0; l < IDX_CODE_LANES; l++)
        memset(s->count[l], 0, n_distances * sizeof s->count[l][0]);
    for (uint32_t at = 0, n; at < codes->n; at += n) {
        n = block_length(at, codes->n);
        uint16_t *d = s->distance + at;
        s->kern->differ(d, query, codes->words + at * n_words, n_words, n);
        for (uint32_t i = 0; i < n; i++)
            s->count[i % IDX_CODE_LANES][d[i]]++;
    }
    for (size_t l = 1; l < IDX_CODE_LANES; l++)
        for (size_t d = 0; d < n_distances; d++)
            s->count[0][d] += s->count[l][d];
}

/* Turns the counts in place[] into where the hits of each distance begin, and returns
 * the greatest distance of the n_hits nearest. n_hits is 1..n. */
static uint32_t
find_places(uint32_t place[], uint32_t n_hits)
{
    uint32_t d = 0, begin_at = 0;
    for (;; d++) {
        const uint32_t n = place[d];
        place[d] = begin_at;
        begin_at += n;
        if (begin_at >= n_hits)
            return d;
    }
}

static bool
any_within(const uint16_t d[], uint32_t n, uint32_t most)
{
    const uint16_t limit = (uint16_t)most;
    uint16_t found = 0;
    for (uint32_t i = 0; i < n; i++)
        found |= d[i] <= limit;
    return found != 0;
}

/* Puts each code of distance `most` or less to its place, as long as that is free. */
static void
take(const uint16_t d[], uint32_t from, uint32_t n, uint32_t most, uint32_t place[],
     idx_code_hit hits[], uint32_t n_hits)
{
    for (uint32_t i = 0; i < n; i++)
        if (d[i] <= most && place[d[i]] < n_hits)
            hits[place[d[i]]++] =
                (idx_code_hit){.id = from + i, .distance = (float)d[i]};
}

idx_status
idx_codes_hamming(const idx_codes *codes, idx_code_scratch *s, const uint64_t query[],
                  uint32_t k, idx_code_hit hits[], uint32_t *n_hits)
{
    enum { CHUNK = 64 }; /* looked through without a branch first: few have a hit */
    const idx_status st = begin(codes, s, k, n_hits);
    if (st || codes->n == 0)
        return st;
    measure(codes, s, query);
    uint32_t *place = s->count[0];
    const uint32_t most = find_places(place, *n_hits);
    for (uint32_t at = 0, n; at < codes->n; at += n) {
        n = codes->n - at < CHUNK ? codes->n - at : CHUNK;
        if (any_within(s->distance + at, n, most))
            take(s->distance + at, at, n, most, place, hits, *n_hits);
    }
    return IDX_OK;
}

/* ---- Jaccard -------------------------------------------------------------------- */

/* The share of common bits, 0 where there are no bits. Correctly rounded, so equal
 * fractions are equal; others with denominators up to 1024 differ by 9e-7 or more, of
 * which neither this nor 1 minus it loses the order. */
static void
shares(float *restrict alike, const uint16_t *restrict both,
       const uint16_t *restrict either, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        alike[i] = (float)both[i] / (float)(either[i] ? either[i] : 1);
}

idx_status
idx_codes_jaccard(const idx_codes *codes, idx_code_scratch *s, const uint64_t query[],
                  uint32_t k, idx_code_hit hits[], uint32_t *n_hits)
{
    const size_t n_words = codes->n_words;
    const idx_status st = begin(codes, s, k, n_hits);
    if (st || codes->n == 0)
        return st;
    idx_top top = {.hit = s->heap, .n = 0, .k = *n_hits};
    for (uint32_t at = 0, n; at < codes->n; at += n) {
        n = block_length(at, codes->n);
        s->kern->overlap(s->both, s->either, query, codes->words + at * n_words,
                         n_words, n);
        shares(s->alike, s->both, s->either, n);
        idx_top_offer(&top, NULL, at, s->alike, n);
    }
    idx_top_sort(&top);
    for (uint32_t i = 0; i < top.n; i++)
        hits[i] = (idx_code_hit){s->heap[i].entry, 1.0F - s->heap[i].cosine};
    return IDX_OK;
}
