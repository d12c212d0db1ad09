/* Building and checking the tables of p-stable LSH. Cold. */
#include "buckets.h"
#include "pstable.h"
#include "random.h"
#include "tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* All that differ from home by a choice or none in each function, below 2^32. */
static uint32_t
buckets(uint32_t n_functions, uint32_t n_tables)
{
    const double n = n_tables * pow(3.0, n_functions);
    return n < (double)UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static bool
fits(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (!(h->width >= 1e-30F && h->width <= 1e30F))
        return FAULT("width is not above 0");
    return idx_tables_fit(h, IDX_MAX_STABLE, buckets(h->n_planes, h->n_tables), fault,
                          fault_len);
}

/*
 * FMT_PLANES float [n_tables][n_planes][dim] of normal deviates, FMT_OFFSETS float
 * [n_tables][n_planes], FMT_STARTS and FMT_IDS as in tables.h for 2^idx_slot_bits()
 * slots. With codes FMT_OFFSETS ends with their unit, and a slot is a bucket; without,
 * there is FMT_CHECKS uint32 [n_tables][n_entries], of the key of each entry in
 * FMT_IDS, rising within a slot.
 */
static uint64_t
bytes(const fmt_scale *h, uint32_t kind)
{
    const uint64_t tables = h->n_tables, functions = tables * h->n_planes;
    const bool coded = idx_tables_coded(h->leaf, h->max_scanned);
    switch (kind) {
    case FMT_PLANES:
        return functions * h->dim * sizeof(float);
    case FMT_OFFSETS:
        return (functions + coded) * sizeof(float);
    case FMT_STARTS:
        return tables * (((uint64_t)1 << idx_slot_bits(h->n_entries)) + 1) *
               sizeof(uint32_t);
    case FMT_CENTRE:
        return h->leaf ? (uint64_t)h->dim * sizeof(float) : 0;
    case FMT_SIGNS:
        return h->leaf ? idx_rotate_words(h->dim) * sizeof(uint64_t) : 0;
    case FMT_BLOCKS:
    case FMT_CODES:
        return idx_tables_code_bytes(h, kind);
    case FMT_IDS:
        return tables * h->n_entries * sizeof(uint32_t);
    case FMT_CHECKS:
        return coded ? 0 : tables * h->n_entries * sizeof(uint32_t);
    default:
        return 0;
    }
}

static bool
checks_rise(const idx_tables *t, const uint32_t check[], uint32_t n_tables,
            uint32_t n_slots, uint32_t n_entries)
{
    for (size_t l = 0; l < n_tables; l++) {
        const uint32_t *start = t->start + l * ((size_t)n_slots + 1);
        for (uint32_t k = 0; k < n_slots; k++)
            for (uint32_t i = start[k] + 1; i < start[k + 1]; i++)
                if (check[l * n_entries + i] < check[l * n_entries + i - 1])
                    return false;
    }
    return true;
}

static bool
holds(const idx_index *index, uint32_t scale, char *fault, size_t fault_len)
{
    const idx_scale *s = &index->scales[scale];
    const void *const *part = index->part[scale];
    const size_t n = (size_t)s->params.n_tables * s->params.n_planes;
    const uint32_t n_slots = 1U << idx_slot_bits(s->n_entries);
    const idx_tables t = {part[FMT_STARTS], part[FMT_IDS]};
    if (fmt_first_outside(part[FMT_PLANES], n * s->dim, -100.0F, 100.0F) < n * s->dim)
        return FAULT("a direction is not of normal deviates");
    if (fmt_first_outside(part[FMT_OFFSETS], n, 0.0F, 1.0F) < n)
        return FAULT("an offset is outside of 0..1");
    if (!idx_tables_hold(&t, s->params.n_tables, n_slots, s->n_entries, fault,
                         fault_len))
        return false;
    const float most = 1e37F;
    const float *offset = part[FMT_OFFSETS];
    if (s->params.leaf &&
        fmt_first_outside(part[FMT_CENTRE], s->dim, -most, most) < s->dim)
        return FAULT("the centre of codes is not finite");
    if (part[FMT_BLOCKS] && !(offset[n] >= 1e-19F && offset[n] <= 1e19F))
        return FAULT("the unit of its codes is out of range");
    if (part[FMT_BLOCKS])
        return idx_tables_codes_hold(s, part[FMT_BLOCKS], fault, fault_len);
    return checks_rise(&t, part[FMT_CHECKS], s->params.n_tables, n_slots,
                       s->n_entries) ||
           FAULT("the checks of a slot do not rise");
}

/* Rows on their way to keys, which are mixed: a slot and a check. */
typedef struct {
    const idx_scale *sc;
    const idx_kern *kern;
    const float *planes, *offset;
    float per_width;
    uint64_t *key; /* [n_tables][n_entries] */
} hashing;

static void
hash_row(void *job, uint32_t i)
{
    const hashing *h = job;
    const idx_scale *sc = h->sc;
    const uint32_t n_functions = sc->params.n_planes, n_tables = sc->params.n_tables;
    float side[FMT_MAX_TABLES * IDX_MAX_STABLE];
    h->kern->dots(side, sc->rows + (size_t)i * sc->dim, h->planes, sc->dim,
                  (size_t)n_tables * n_functions);
    for (uint32_t l = 0, at = 0; l < n_tables; l++) {
        uint64_t key = 0;
        for (uint32_t f = 0; f < n_functions; f++, at++) {
            float above;
            const int32_t value =
                idx_stable_value(side[at], h->per_width, h->offset[at], &above);
            key += idx_stable_step(f) * (uint64_t)(int64_t)value;
        }
        h->key[(size_t)l * sc->n_entries + i] = idx_hash_mix(key);
    }
}

typedef struct {
    uint32_t check, id;
} checked;

static int
by_check(const void *a, const void *b)
{
    const checked *x = a, *y = b;
    return x->check != y->check ? (x->check > y->check) - (x->check < y->check)
                                : (x->id > y->id) - (x->id < y->id);
}

/* Sorts the entries of one table within their slots by check. */
static void
sort_checks(uint32_t id[], uint32_t check[], const uint32_t start[], uint32_t n_slots,
            const uint64_t key[], checked room[])
{
    for (uint32_t k = 0; k < n_slots; k++) {
        const uint32_t from = start[k], n = start[k + 1] - from;
        for (uint32_t i = 0; i < n; i++)
            room[i] = (checked){(uint32_t)key[id[from + i]], id[from + i]};
        if (n > 1)
            qsort(room, n, sizeof *room, by_check);
        for (uint32_t i = 0; i < n; i++) {
            id[from + i] = room[i].id;
            check[from + i] = room[i].check;
        }
    }
}

/* The tables from the mixed keys of all rows. */
static idx_status
sort_keys(idx_built *out, const uint64_t key[], uint32_t n_tables, uint32_t n_entries,
          bool coded)
{
    const uint32_t bits = idx_slot_bits(n_entries), n_slots = 1U << bits;
    const size_t n = (size_t)n_tables * n_entries;
    const idx_store *store = &out->store;
    uint32_t *slot = idx_regrow(store, NULL, n, sizeof *slot);
    uint32_t *check = coded ? NULL : idx_regrow(store, NULL, n, sizeof *check);
    checked *room = coded ? NULL : idx_regrow(store, NULL, n_entries, sizeof *room);
    bool ok = slot && (coded || (check && room));
    out->at[FMT_CHECKS] = check;
    for (size_t i = 0; ok && i < n; i++)
        slot[i] = (uint32_t)(key[i] >> (64 - bits));
    ok = ok && idx_tables_sort(out, slot, n_tables, n_slots, n_entries);
    for (size_t l = 0; ok && !coded && l < n_tables; l++)
        sort_checks((uint32_t *)out->at[FMT_IDS] + l * n_entries, check + l * n_entries,
                    (uint32_t *)out->at[FMT_STARTS] + l * ((size_t)n_slots + 1),
                    n_slots, key + l * n_entries, room);
    idx_give(store, slot);
    idx_give(store, room);
    return ok ? IDX_OK : IDX_ENOMEM;
}

static void
draw_functions(float planes[], float offset[], size_t n, uint32_t dim, uint64_t seed)
{
    idx_random r = idx_random_of(seed);
    for (size_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < dim; j++)
            planes[i * dim + j] = (float)idx_draw_normal(&r);
        offset[i] = (float)(idx_draw_unit(&r) - 0x1p-53);
    }
}

/* What the codes are around, and they. */
static idx_status
make_codes(idx_built *out, const idx_scale *scale, const idx_making *how, float *unit)
{
    float *centre = out->at[FMT_CENTRE] =
        idx_take(&out->store, scale->dim, sizeof *centre);
    if (!centre)
        return IDX_ENOMEM;
    idx_mean_of_rows(centre, scale);
    *unit = idx_code_unit(scale, how->kern);
    return idx_tables_code_own(out, scale, how, *unit);
}

static idx_status
build(idx_built *out, const idx_scale *scale, const idx_making *how)
{
    const idx_params *p = &scale->params;
    const size_t n = (size_t)p->n_tables * p->n_planes;
    const idx_store *store = &how->store;
    uint64_t *key =
        idx_regrow(store, NULL, (size_t)p->n_tables * scale->n_entries, sizeof *key);
    float *planes = out->at[FMT_PLANES] =
        idx_take(store, n * scale->dim, sizeof *planes);
    float *offset = out->at[FMT_OFFSETS] = idx_take(store, n + 1, sizeof *offset);
    idx_status st = key && planes && offset ? IDX_OK : IDX_ENOMEM;
    if (!st) {
        hashing job = {scale, how->kern, planes, offset, 1.0F / p->width, key};
        draw_functions(planes, offset, n, scale->dim, how->seed);
        st = idx_tables_each(scale->n_entries, how, hash_row, &job) ? IDX_OK : IDX_EIO;
    }
    if (!st)
        st = sort_keys(out, key, p->n_tables, scale->n_entries, p->leaf > 0);
    idx_give(store, key);
    if (!st && p->leaf)
        st = make_codes(out, scale, how, &offset[n]);
    return st;
}

static void
needs(const idx_scale *scale, idx_needs *n)
{
    const size_t functions = (size_t)scale->params.n_tables * scale->params.n_planes;
    n->sides = n->sides > functions ? n->sides : functions;
    idx_tables_needs(scale, functions, 2, 0, n);
}

static uint32_t
most_probes(const idx_params *p)
{
    return buckets(p->n_planes, p->n_tables);
}

const idx_family_ops idx_p_stable_ops = {
    .name = "p-stable",
    .euclid = true,
    .choose = idx_stable_choose,
    .fits = fits,
    .bytes = bytes,
    .holds = holds,
    .build = build,
    .needs = needs,
    .least_probes = idx_tables_least,
    .most_probes = most_probes,
    .search = idx_stable_search,
};
