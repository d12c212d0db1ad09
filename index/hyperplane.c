/*
 * Hyperplane LSH (Charikar, STOC 2002) with multi-probing (Lv et al., VLDB 2007): one
 * sequence of buckets over all tables, by the sum of squared distances between the
 * query and the planes that a bucket lies beyond (FALCONN). Runs on the analysis
 * thread.
 *
 * Subsets of planes are generated once each from two moves on a set whose farthest
 * plane is j-th nearest: shift (j + 1 instead of j) and expand (j + 1 as well).
 */
#include "hyperplane.h"

#include <string.h>

/* The rank of a plane has its number in the low bits, the cost of crossing it above. */
enum { RANK_PLANE = 31 };

static float
cost_of(uint32_t rank)
{
    float cost;
    memcpy(&cost, &rank,
           sizeof cost); /* the low bits are 4e-6 of it: below what matters */
    return cost;
}

/*
 * Sorts the planes of a table by how near the query is to them. Squares are not
 * negative, so their bit patterns sort as integers, and with the plane's number in the
 * low bits no two are alike. Counting who is smaller takes K^2 steps without a branch:
 * 80 ns for 14 planes.
 */
static void
rank_planes(uint32_t rank[], const float side[], uint32_t n_planes)
{
    int32_t v[IDX_MAX_KEY];
    for (uint32_t b = 0; b < n_planes; b++) {
        const float cost = side[b] * side[b];
        uint32_t bits;
        memcpy(&bits, &cost, sizeof bits);
        v[b] = (int32_t)((bits & ~(uint32_t)RANK_PLANE) | b);
    }
    for (uint32_t b = 0; b < n_planes; b++) {
        int32_t place = 0;
        for (uint32_t c = 0; c < n_planes; c++)
            place += v[c] < v[b];
        rank[place] = (uint32_t)v[b];
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
idx_probe_start(const idx_index *index, uint32_t scale, idx_scratch *s)
{
    const idx_scale *sc = &index->scales[scale];
    const float *centre = index->part[scale][FMT_CENTRE];
    const uint32_t n_planes = sc->params.n_planes;
    for (uint32_t i = 0; i < sc->dim; i++)
        s->centred[i] = s->unit[i] - centre[i];
    s->kern->dots(s->side, s->centred, index->part[scale][FMT_PLANES], sc->dim,
                  (size_t)sc->params.n_tables * n_planes);
    s->n_heap = 0;
    s->n_home = 0;
    for (uint32_t l = 0; l < sc->params.n_tables; l++) {
        const float *side = s->side + (size_t)l * n_planes;
        s->home[l] = idx_key(side, n_planes);
        rank_planes(s->rank + (size_t)l * n_planes, side, n_planes);
    }
}

/* The probes that cross only the nearest plane of each table. */
static void
push_first(idx_scratch *s, uint32_t n_tables, uint32_t n_planes)
{
    for (uint32_t l = 0; l < n_tables; l++)
        push(s, (idx_probe){.score = cost_of(s->rank[(size_t)l * n_planes]),
                            .base = 0.0F,
                            .mask = 1,
                            .table = l});
}

/* Replaces the best probe by the two that follow from it. */
static void
advance(idx_scratch *s, uint32_t n_planes)
{
    const idx_probe p = s->heap[0];
    const uint32_t next =
        32U - (uint32_t)__builtin_clz(p.mask); /* after the highest flip */
    if (next == n_planes) {
        const idx_probe last = s->heap[--s->n_heap];
        if (s->n_heap > 0)
            sift_down(s->heap, s->n_heap, last);
        return;
    }
    const float cost = cost_of(s->rank[(size_t)p.table * n_planes + next]);
    const uint32_t bit = 1U << next;
    const idx_probe shift = {p.base + cost, p.base, (p.mask ^ (bit >> 1)) | bit,
                             p.table};
    const idx_probe expand = {p.score + cost, p.score, p.mask | bit, p.table};
    sift_down(s->heap, s->n_heap, shift);
    push(s, expand);
}

bool
idx_probe_next(idx_scratch *s, uint32_t n_tables, uint32_t n_planes, uint32_t *table,
               uint32_t *key)
{
    if (s->n_home < n_tables) {
        *table = s->n_home;
        *key = s->home[s->n_home++];
        if (s->n_home == n_tables)
            push_first(s, n_tables, n_planes);
        return true;
    }
    if (s->n_heap == 0)
        return false;
    const idx_probe p = s->heap[0];
    const uint32_t *rank = s->rank + (size_t)p.table * n_planes;
    *table = p.table;
    *key = s->home[p.table];
    for (uint32_t left = p.mask; left; left &= left - 1)
        *key ^= 1U << (rank[__builtin_ctz(left)] & RANK_PLANE);
    advance(s, n_planes);
    return true;
}

/* Buckets are looked up in three rounds, so that each finds its memory fetched. */
typedef struct {
    const uint32_t *start; /* the bucket is id[start[0]] to id[start[1]] */
    const uint32_t *id;    /* of its table */
} bucket;

static uint32_t
take_off(const idx_walk *w, bucket flight[IDX_FLIGHT])
{
    const idx_scale *sc = &w->index->scales[w->scale];
    const void *const *part = w->index->part[w->scale];
    const uint32_t *starts = part[FMT_STARTS];
    const uint32_t *ids = part[FMT_IDS];
    const uint32_t n_planes = sc->params.n_planes;
    const uint32_t n_probes = w->s->params[w->scale].n_probes;
    const size_t table_starts = ((size_t)1 << n_planes) + 1;
    uint32_t n = 0;
    uint32_t table;
    uint32_t key;
    while (n < IDX_FLIGHT && w->work->n_probes < n_probes &&
           idx_probe_next(w->s, sc->params.n_tables, n_planes, &table, &key)) {
        flight[n].start = starts + table * table_starts + key;
        flight[n].id = ids + (size_t)table * sc->n_entries;
        __builtin_prefetch(flight[n].start);
        w->work->n_probes++;
        n++;
    }
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(flight[i].id + *flight[i].start);
    return n;
}

void
idx_hyperplane_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                      idx_top *top, idx_work *work)
{
    idx_walk w = idx_walk_begin(index, scale, s, top, work);
    bucket flight[IDX_FLIGHT];
    uint32_t n;
    bool more = true;
    idx_probe_start(index, scale, s);
    while (more && (n = take_off(&w, flight)) > 0)
        for (uint32_t b = 0; more && b < n; b++)
            for (uint32_t i = flight[b].start[0]; more && i < flight[b].start[1]; i++)
                more = idx_walk_add(&w, flight[b].id[i]);
    idx_walk_end(&w);
}
