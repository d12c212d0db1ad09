/*
 * The sequence of buckets of a query. Analysis thread.
 *
 * The functions of a table are ordered by their cheapest choice. A bucket is a rank for
 * each, 0 being home. Each comes once, and never before a cheaper one, from three moves
 * at its last place that is not home: shift (there home again, the next place to rank
 * 1; from rank 1 only), expand (the next place to rank 1 as well) and raise (one rank
 * more).
 */
#include "hash.h"

#include <string.h>

/* The rank of a function has its number in the low bits, the cost above. */
enum { LOW_BITS = IDX_MAX_KEY - 1 };

/*
 * Orders the functions of a table by their first choice. Costs are not negative, so
 * their bit patterns sort as integers, and with the function's number in the low bits
 * (4e-6 of the cost: below what matters) no two are alike. Counting who is smaller
 * takes K^2 steps without a branch: 80 ns for 14 functions.
 */
static void
order_functions(idx_scratch *s, const idx_hash *h, size_t first)
{
    int32_t v[IDX_MAX_KEY];
    for (uint32_t f = 0; f < h->n_functions; f++) {
        float *cost = &idx_choice_of(s, h, first + f, 1)->cost;
        uint32_t bits;
        memcpy(&bits, cost, sizeof bits);
        bits = (bits & ~(uint32_t)LOW_BITS) | f;
        v[f] = (int32_t)bits;
        memcpy(cost, &bits, sizeof bits);
    }
    for (uint32_t f = 0; f < h->n_functions; f++) {
        int32_t place = 0;
        for (uint32_t g = 0; g < h->n_functions; g++)
            place += v[g] < v[f];
        s->order[first + (uint32_t)place] = f;
    }
}

/* Moves probe down from the top of a heap of n. */
static void
sift_down(idx_probe heap[], uint32_t n, idx_probe probe)
{
    uint32_t i = 0;
    for (uint32_t below = 1; below < n; below = 2 * i + 1) {
        if (below + 1 < n && heap[below + 1].score < heap[below].score)
            below++;
        if (!(heap[below].score < probe.score))
            break;
        heap[i] = heap[below];
        i = below;
    }
    heap[i] = probe;
}

static void
push(idx_scratch *s, idx_probe probe)
{
    uint32_t i = s->n_heap++;
    while (i > 0 && probe.score < s->heap[(i - 1) / 2].score) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = probe;
}

void
idx_hash_centre(const idx_index *index, uint32_t scale, idx_scratch *s)
{
    const float *centre = index->part[scale][FMT_CENTRE];
    for (uint32_t i = 0; i < index->scales[scale].dim; i++)
        s->centred[i] = s->unit[i] - centre[i];
}

void
idx_hash_start(idx_scratch *s, const idx_hash *h)
{
    s->n_heap = 0;
    s->n_home = 0;
    for (uint32_t l = 0; l < h->n_tables; l++)
        order_functions(s, h, (size_t)l * h->n_functions);
}

/* What rank costs at a place of a table. */
static float
cost_at(idx_scratch *s, const idx_hash *h, uint32_t table, uint32_t place,
        uint32_t rank)
{
    const size_t first = (size_t)table * h->n_functions;
    const size_t at = first + s->order[first + place];
    if (h->more && rank > s->ready[at])
        h->more(s, h, at);
    return idx_choice_of(s, h, at, rank)->cost;
}

/* The probes that leave home at the cheapest place of each table. */
static void
push_first(idx_scratch *s, const idx_hash *h)
{
    for (uint32_t l = 0; l < h->n_tables; l++)
        push(s, (idx_probe){.score = cost_at(s, h, l, 0, 1),
                            .mask = 1,
                            .table = (uint8_t)l,
                            .rank = 1});
}

static bool
can_raise(const idx_scratch *s, const idx_hash *h, idx_probe p)
{
    const uint32_t f = s->order[(size_t)p.table * h->n_functions + p.place];
    return p.rank < (f + 1 == h->n_functions ? h->last_choices : h->n_choices);
}

static idx_probe
raised(idx_scratch *s, const idx_hash *h, idx_probe p)
{
    p.rank++;
    p.score = p.base + cost_at(s, h, p.table, p.place, p.rank);
    p.mask += 1U << p.place * h->rank_bits;
    return p;
}

/* One that follows from the best probe: the first takes its place. */
static void
put(idx_scratch *s, bool *replaced, idx_probe q)
{
    if (*replaced)
        push(s, q);
    else
        sift_down(s->heap, s->n_heap, q);
    *replaced = true;
}

/* Replaces the best probe by those that follow from it. */
static void
advance(idx_scratch *s, const idx_hash *h)
{
    const idx_probe p = s->heap[0];
    bool replaced = false;
    if (p.place + 1U < h->n_functions) {
        const float cost = cost_at(s, h, p.table, p.place + 1U, 1);
        const uint32_t bit = 1U << p.place * h->rank_bits, next = bit << h->rank_bits;
        idx_probe q = {.table = p.table, .place = (uint8_t)(p.place + 1), .rank = 1};
        if (p.rank == 1) {
            q.score = p.base + cost;
            q.base = p.base;
            q.mask = (p.mask ^ bit) | next;
            put(s, &replaced, q);
        }
        q.score = p.score + cost;
        q.base = p.score;
        q.mask = p.mask | next;
        put(s, &replaced, q);
    }
    if (can_raise(s, h, p))
        put(s, &replaced, raised(s, h, p));
    if (!replaced) {
        const idx_probe last = s->heap[--s->n_heap];
        if (s->n_heap > 0)
            sift_down(s->heap, s->n_heap, last);
    }
}

bool
idx_hash_next(idx_scratch *s, const idx_hash *h, uint32_t *table, uint64_t *key)
{
    if (s->n_home < h->n_tables) {
        *table = s->n_home;
        *key = s->home[s->n_home++];
        if (s->n_home == h->n_tables)
            push_first(s, h);
        return true;
    }
    if (s->n_heap == 0)
        return false;
    const idx_probe p = s->heap[0];
    const size_t first = (size_t)p.table * h->n_functions;
    const uint32_t all = (1U << h->rank_bits) - 1;
    *table = p.table;
    *key = s->home[p.table];
    for (uint32_t left = p.mask; left;) {
        const uint32_t place = (uint32_t)__builtin_ctz(left) / h->rank_bits;
        const uint32_t rank = left >> place * h->rank_bits & all;
        *key += idx_choice_of(s, h, first + s->order[first + place], rank)->change;
        left ^= rank << place * h->rank_bits;
    }
    advance(s, h);
    return true;
}
