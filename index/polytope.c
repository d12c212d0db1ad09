/*
 * Cross-polytope LSH. The choices of a function are all other signed coordinates, at
 * the square of how much shorter they are than the longest: (max|y| - y)^2. They are
 * made one at a time, since few are ever wanted. Runs on the analysis thread.
 */
#include "polytope.h"

#include <string.h>

idx_polytope
idx_polytope_of(uint32_t dim, uint32_t n_planes)
{
    idx_polytope p = {.dim = dim, .d = idx_rotate_dim(dim)};
    p.bits = (uint32_t)__builtin_ctzll(p.d) + 1;
    p.n_functions = (n_planes + p.bits - 1) / p.bits;
    p.last_bits = n_planes - (p.n_functions - 1) * p.bits;
    return p;
}

static uint32_t
bits_of(const idx_polytope *p, uint32_t function)
{
    return function + 1 == p->n_functions ? p->last_bits : p->bits;
}

/* The largest of n ranks that is below a bound. */
static int32_t
largest_below(const int32_t ranks[], size_t n, int32_t bound)
{
    int32_t best = -1;
    for (size_t i = 0; i < n; i++) {
        const int32_t r = ranks[i] < bound ? ranks[i] : -1;
        best = r > best ? r : best;
    }
    return best;
}

/* The low bits of a rank are those of a value, the other way round: of sizes that are
 * alike, which includes all that are rounding noise, the first comes first. */
static int32_t
rank_of(float y, uint32_t i, uint32_t low)
{
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    const uint32_t size = bits & 0x7fffffffU;
    const bool noise = y < IDX_PLANE_EPS && y > -IDX_PLANE_EPS;
    const uint32_t value = 2 * i + (noise ? 0 : bits >> 31);
    return (int32_t)(((noise ? 0 : size) & ~low) | (low - value));
}

static float
size_of(int32_t rank, uint32_t low)
{
    const uint32_t bits = (uint32_t)rank & ~low;
    float size;
    memcpy(&size, &bits, sizeof size);
    return size;
}

static uint32_t
value_of(int32_t rank, uint32_t low)
{
    return low - ((uint32_t)rank & low);
}

uint32_t
idx_polytope_value(int32_t ranks[], const float centred[], const uint64_t signs[],
                   const idx_polytope *p, uint32_t function)
{
    const uint32_t low = (1U << p->bits) - 1;
    const uint32_t n = 1U << (bits_of(p, function) - 1);
    float y[IDX_MAX_DIM];
    idx_rotate(y, centred, signs, p->dim);
    for (uint32_t i = 0; i < n; i++)
        ranks[i] = rank_of(y[i], i, low);
    return value_of(largest_below(ranks, n, INT32_MAX), low);
}

/* Of one function: all ranks, and those given out as choices, in order, home first. */
static int32_t *
ranks_of(const idx_scratch *s, const idx_hash *h, size_t at)
{
    return (int32_t *)s->own + at * ((size_t)h->n_choices + 1); /* 2 d */
}

/* The next choice: other coordinates by falling size, with the signs they have, and
 * then all by rising size, with the other sign. */
static void
more(idx_scratch *s, const idx_hash *h, size_t at)
{
    const uint32_t function = (uint32_t)(at % h->n_functions);
    const bool last = function + 1 == h->n_functions;
    const uint32_t n = ((last ? h->last_choices : h->n_choices) + 1) / 2;
    const uint32_t low = (1U << h->rank_bits) - 1;
    const uint32_t r = ++s->ready[at];
    int32_t *ranks = ranks_of(s, h, at), *sorted = ranks + (h->n_choices + 1) / 2;
    if (r < n)
        sorted[r] = largest_below(ranks, n, sorted[r - 1]);
    const int32_t rank = sorted[r < n ? r : 2 * n - 1 - r];
    const uint32_t value = value_of(rank, low) ^ (r < n ? 0 : 1);
    const float size = r < n ? size_of(rank, low) : -size_of(rank, low);
    const float gap = size_of(sorted[0], low) - size;
    idx_choice *choice = idx_choice_of(s, h, at, r);
    choice->change = ((uint64_t)value - value_of(sorted[0], low))
                     << function * h->rank_bits;
    choice->cost = gap * gap;
    if (r > 1 && choice->cost < choice[-1].cost) /* the first is rounded: probe.c */
        choice->cost = choice[-1].cost;
}

idx_hash
idx_polytope_hash(const idx_index *index, uint32_t scale, idx_scratch *s)
{
    const idx_scale *sc = &index->scales[scale];
    const idx_polytope p = idx_polytope_of(sc->dim, sc->params.n_planes);
    const size_t words = idx_rotate_words(sc->dim);
    const uint64_t *signs = index->part[scale][FMT_SIGNS];
    const idx_hash h = {.n_tables = sc->params.n_tables,
                        .n_functions = p.n_functions,
                        .n_choices = (1U << p.bits) - 1,
                        .last_choices = (1U << p.last_bits) - 1,
                        .rank_bits = p.bits,
                        .slot_bits = sc->params.n_planes,
                        .signs = signs + sc->params.n_tables * p.n_functions * words,
                        .unit = 1.0F,
                        .own_bytes = (size_t)sc->params.n_tables * p.n_functions * 2 *
                                     p.d * sizeof(int32_t),
                        .more = more};
    idx_hash_centre(index, scale, s);
    for (size_t l = 0; l < h.n_tables; l++) {
        s->home[l] = 0;
        for (uint32_t f = 0; f < p.n_functions; f++) {
            const size_t at = l * p.n_functions + f;
            int32_t *ranks = ranks_of(s, &h, at);
            const uint32_t value =
                idx_polytope_value(ranks, s->centred, signs + at * words, &p, f);
            s->home[l] |= (uint64_t)value << f * p.bits;
            ranks[p.d] = ranks[value >> 1];
            s->ready[at] = 0;
            more(s, &h, at);
        }
    }
    return h;
}

void
idx_polytope_search(const idx_index *index, uint32_t scale, idx_scratch *s,
                    idx_top *top, idx_work *work)
{
    const idx_hash h = idx_polytope_hash(index, scale, s);
    idx_hash_search(index, scale, s, &h, top, work);
}
