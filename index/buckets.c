/*
 * The walk through the buckets of a query, in the order of hash.h. Analysis thread.
 *
 * With codes, those of the rows of a table lie in the order of its buckets, in blocks
 * that run through from one bucket to the next. A bucket is all blocks that it reaches
 * into, and what these hold of its neighbours is scored with it. Each block is scored
 * once, and each row compared once.
 */
#include "buckets.h"
#include "hash.h"

#include <math.h>
#include <string.h>

enum {
    /* A bucket is taken, some buckets later its blocks are fetched, and then scored. */
    FETCH_AFTER = 4,
    SCORE_AFTER = 8,
    FETCH_BLOCKS = 2, /* of a bucket; the processor sees by itself how it goes on */
    TURN_AT = 24,     /* rows that wait for their numbers */
};
_Static_assert((int)IDX_FLIGHT - (int)SCORE_AFTER > 0, "room for buckets");

static const float ROUNDING_ERRORS = 2.0F;

/* The slot is id[start[0]] to id[start[1]]. */
typedef struct {
    const uint32_t *start;
    const uint32_t *id;    /* of its table */
    const uint32_t *check; /* of the same, or NULL */
    uint32_t table;
    uint32_t own; /* check value of the bucket */
} bucket;

static bucket
bucket_of(const idx_index *index, uint32_t scale, const idx_hash *h, uint32_t table,
          uint64_t key)
{
    const void *const *part = index->part[scale];
    const uint32_t *starts = part[FMT_STARTS], *ids = part[FMT_IDS],
                   *checks = part[FMT_CHECKS];
    const size_t first = (size_t)table * index->scales[scale].n_entries;
    bucket b = {
        .id = ids + first, .check = checks ? checks + first : NULL, .table = table};
    if (index->scales[scale].params.family == IDX_P_STABLE) {
        key = idx_hash_mix(key);
        b.own = (uint32_t)key;
        key >>= 64 - h->slot_bits;
    }
    b.start = starts + table * (((size_t)1 << h->slot_bits) + 1) + key;
    return b;
}

/* ---- Without codes: every row is compared --------------------------------------- */

/* A bucket is looked up in three rounds, so that each finds its memory fetched. */
static uint32_t
take_off(const idx_walk *w, const idx_hash *h, bucket flight[IDX_FLIGHT])
{
    const uint32_t n_probes = w->s->params[w->scale].n_probes;
    uint32_t n = 0;
    uint32_t table;
    uint64_t key;
    while (n < IDX_FLIGHT && w->work->n_probes < n_probes &&
           idx_hash_next(w->s, h, &table, &key)) {
        flight[n] = bucket_of(w->index, w->scale, h, table, key);
        __builtin_prefetch(flight[n].start);
        w->work->n_probes++;
        n++;
    }
    for (uint32_t i = 0; i < n; i++) {
        __builtin_prefetch(flight[i].id + *flight[i].start);
        if (flight[i].check)
            __builtin_prefetch(flight[i].check + *flight[i].start);
    }
    return n;
}

/* First place of lo..hi-1 whose check is own or more; checks rise within a slot. */
static uint32_t
first_of(const uint32_t check[], uint32_t lo, uint32_t hi, uint32_t own)
{
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (check[mid] < own)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* False when the cap is reached. */
static bool
land(idx_walk *w, const bucket *b)
{
    const uint32_t end = b->start[1];
    uint32_t i = b->start[0];
    if (b->check)
        i = first_of(b->check, i, end, b->own);
    for (; i < end && (!b->check || b->check[i] == b->own); i++)
        if (!idx_walk_add(w, b->id[i]))
            return false;
    return true;
}

static void
compare_all(const idx_index *index, uint32_t scale, idx_scratch *s, const idx_hash *h,
            idx_top *top, idx_work *work)
{
    idx_walk w = idx_walk_begin(index, scale, s, top, work);
    bucket flight[IDX_FLIGHT];
    uint32_t n;
    bool more = true;
    while (more && (n = take_off(&w, h, flight)) > 0)
        for (uint32_t b = 0; more && b < n; b++)
            more = land(&w, &flight[b]);
    idx_walk_end(&w);
}

/* ---- With codes ----------------------------------------------------------------- */

size_t
idx_buckets_lay(idx_buckets_scratch *s, void *base, const idx_scale *sc)
{
    const size_t n_blocks =
        (size_t)sc->params.n_tables * idx_table_blocks(sc->n_entries);
    unsigned char *at = base;
    size_t used = idx_sieve_bytes(sc->dim);
    s->sieve = base;
    s->found = base ? (void *)(at + used) : NULL;
    used += IDX_CHUNK_ROWS * sizeof *s->found;
    s->waiting = base ? (void *)(at + used) : NULL;
    used += IDX_CHUNK_ROWS * sizeof *s->waiting;
    s->pending = base ? (void *)(at + used) : NULL;
    used += IDX_CHUNK_ROWS * sizeof *s->pending;
    s->scored = base ? (void *)(at + used) : NULL;
    s->n_scored = (n_blocks + 63) / 64;
    return used + s->n_scored * sizeof *s->scored;
}

/* A search on its way. */
typedef struct {
    idx_sieve v;
    idx_scan scan;
    idx_buckets_scratch own;
    uint32_t n_waiting;
    idx_chunk pending;
    const uint8_t *blocks;
    size_t block_bytes;
    uint32_t table_blocks; /* of one table */
} hunt;

static hunt
begin(const idx_index *index, uint32_t scale, idx_scratch *s, const idx_hash *h,
      idx_top *top, idx_work *work)
{
    const idx_scale *sc = &index->scales[scale];
    const float *centre = index->part[scale][FMT_CENTRE];
    float dot, gap;
    hunt t = {.blocks = index->part[scale][FMT_BLOCKS],
              .block_bytes = idx_block_bytes(idx_code_bits(sc->dim)),
              .table_blocks = idx_table_blocks(sc->n_entries)};
    idx_buckets_lay(&t.own, (char *)s->own + h->own_bytes, sc);
    t.v = idx_sieve_begin(index, scale, s, top, work, h->unit, h->signs, t.own.sieve);
    s->kern->dots(&dot, s->unit, centre, sc->dim, 1);
    s->kern->gaps(&gap, s->unit, centre, sc->dim, 1);
    t.scan = idx_sieve_around(&t.v, dot, gap, IDX_TABLE_ERRORS);
    /* what rounding takes away is the same for all copies of a row: allow for it whole
     */
    t.scan.shift += ROUNDING_ERRORS * sqrtf(t.v.noise) / t.v.unit;
    t.pending.row = t.own.pending;
    memset(s->seen, 0, idx_seen_words(sc->n_entries) * sizeof *s->seen);
    memset(t.own.scored, 0, t.own.n_scored * sizeof *t.own.scored);
    return t;
}

static bool
take_bit(uint64_t set[], size_t at)
{
    const uint64_t bit = (uint64_t)1 << at % 64;
    const bool was = set[at / 64] & bit;
    set[at / 64] |= bit;
    return was;
}

/* Compares the rows that were fetched, and fetches those whose numbers are here. */
static void
turn(hunt *t)
{
    idx_sieve *v = &t->v;
    idx_sieve_settle(v, &t->pending);
    for (uint32_t i = 0; i < t->n_waiting; i++) {
        const idx_waiting w = t->own.waiting[i];
        if (w.upper >= v->least && !take_bit(v->s->seen, *w.id))
            t->pending.row[t->pending.n++] = (idx_survivor){*w.id, w.upper};
    }
    t->n_waiting = 0;
    idx_sieve_fetch(v, &t->pending);
}

/* Scores n blocks of a table that follow each other. */
static void
score(hunt *t, const bucket *b, uint32_t first, uint32_t n)
{
    idx_sieve *v = &t->v;
    const size_t at = (size_t)b->table * t->table_blocks + first;
    if (t->n_waiting + n * IDX_CODE_ROWS > IDX_CHUNK_ROWS)
        turn(t);
    t->scan.first = first * IDX_CODE_ROWS;
    t->scan.least = v->least;
    const uint32_t n_found = v->kern->scan(&t->scan, t->blocks + at * t->block_bytes,
                                           v->bits, n, t->own.found);
    for (uint32_t i = 0; i < n_found; i++) {
        const uint32_t *id = b->id + t->own.found[i].entry;
        __builtin_prefetch(id);
        t->own.waiting[t->n_waiting++] = (idx_waiting){id, t->own.found[i].upper};
    }
    v->work->n_scanned += n * IDX_CODE_ROWS;
    if (t->n_waiting >= TURN_AT)
        turn(t);
    if (v->top->n < v->top->k) /* there is no bound yet: before all get through */
        turn(t);
}

static void
visit(hunt *t, const bucket *b)
{
    idx_sieve *v = &t->v;
    const size_t table = (size_t)b->table * t->table_blocks;
    uint32_t i = b->start[0] / IDX_CODE_ROWS;
    const uint32_t end =
        b->start[1] > b->start[0] ? (b->start[1] - 1) / IDX_CODE_ROWS + 1 : i;
    while (i < end && !v->full && !v->spent) {
        const uint32_t most = idx_sieve_blocks(v, end - i);
        uint32_t n = 0;
        while (n < most && !take_bit(t->own.scored, table + i + n))
            n++;
        if (n > 0)
            score(t, b, i, n);
        i += n + (n < most); /* which was scored before */
    }
}

static void
fetch(const hunt *t, const bucket *b)
{
    const size_t first = (size_t)b->table * t->table_blocks + *b->start / IDX_CODE_ROWS;
    const uint8_t *at = t->blocks + first * t->block_bytes;
    for (size_t i = 0; b->start[1] > b->start[0] && i < FETCH_BLOCKS * t->block_bytes;
         i += FMT_ALIGN)
        __builtin_prefetch(at + i);
}

static void
score_all(const idx_index *index, uint32_t scale, idx_scratch *s, const idx_hash *h,
          idx_top *top, idx_work *work)
{
    hunt t = begin(index, scale, s, h, top, work);
    bucket flight[IDX_FLIGHT];
    uint32_t taken = 0, fetched = 0, scored = 0, table;
    uint64_t key;
    bool more = true;
    while ((more || scored < taken) && !t.v.full && !t.v.spent) {
        more =
            more && taken < t.v.params->n_probes && idx_hash_next(s, h, &table, &key);
        if (more) {
            flight[taken % IDX_FLIGHT] = bucket_of(index, scale, h, table, key);
            __builtin_prefetch(flight[taken++ % IDX_FLIGHT].start);
        }
        if (fetched < taken && (!more || taken > fetched + FETCH_AFTER))
            fetch(&t, &flight[fetched++ % IDX_FLIGHT]);
        if (scored < fetched && (!more || taken > scored + SCORE_AFTER))
            visit(&t, &flight[scored++ % IDX_FLIGHT]);
    }
    work->n_probes = scored;
    turn(&t);
    idx_sieve_settle(&t.v, &t.pending);
}

void
idx_hash_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                const idx_hash *h, idx_top *top, idx_work *work)
{
    idx_hash_start(s, h);
    if (index->part[scale][FMT_BLOCKS])
        score_all(index, scale, s, h, top, work);
    else
        compare_all(index, scale, s, h, top, work);
}
