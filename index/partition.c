#include "partition.h"

#include "lloyd.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_PER_CELL = 64,
    SAMPLE_PER_GROUP = 512,
    ROUNDS_GROUPS = 8,
    ROUNDS_CELLS = 6,
    ROUNDS_ALL = 3,
    NEAR_GROUPS = 8, /* whose cells a row is compared with */
    BLOCK_ROWS = 4096,
    MAX_GROUPS = 4096,
};

uint32_t
idx_groups_of(uint32_t n_cells)
{
    const uint32_t n = n_cells / IDX_GROUP_CELLS;
    return n < 16 ? 1 : n > MAX_GROUPS ? MAX_GROUPS : n;
}

void
idx_partition_free(idx_partition *p)
{
    idx_give(&p->store, p->group);
    idx_give(&p->store, p->groups);
    idx_give(&p->store, p->cells);
    idx_give(&p->store, p->half);
    idx_give(&p->store, p->live);
    *p = (idx_partition){0};
}

/* ---- Nearest cells -------------------------------------------------------------- */

typedef struct {
    const idx_partition *p;
    const idx_kern *kern;
    const float *rows;
    uint32_t n;
    uint32_t *cell;
} assigning;

/* The NEAR_GROUPS groups nearest to x, in no order; returns their number. */
static uint32_t
near_groups(const idx_partition *p, const idx_kern *kern, const float x[],
            uint32_t near[NEAR_GROUPS])
{
    float gap[MAX_GROUPS], best[NEAR_GROUPS];
    uint32_t n = 0;
    kern->gaps(gap, x, p->groups, p->dim, p->n_groups);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        if (n == NEAR_GROUPS && !(gap[g] < best[n - 1]))
            continue;
        uint32_t i = n < NEAR_GROUPS ? n++ : n - 1;
        for (; i > 0 && gap[g] < best[i - 1]; i--) {
            best[i] = best[i - 1];
            near[i] = near[i - 1];
        }
        best[i] = gap[g];
        near[i] = g;
    }
    return n;
}

static uint32_t
nearest_cell(const idx_partition *p, const idx_kern *kern, const float x[])
{
    uint32_t near[NEAR_GROUPS] = {0}, best = UINT32_MAX;
    float most = 0.0F, dot[256];
    const uint32_t n = p->n_groups > 1 ? near_groups(p, kern, x, near) : 1;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t end = p->group[near[i]] + p->live[near[i]];
        for (uint32_t at = p->group[near[i]]; at < end;) {
            const uint32_t left = end - at;
            const uint32_t some = left < 256 ? left : 256;
            kern->dots(dot, x, p->cells + (size_t)at * p->dim, p->dim, some);
            for (uint32_t c = 0; c < some; c++) {
                const float score = dot[c] - p->half[at + c];
                if (best == UINT32_MAX || score > most ||
                    (score == most && at + c < best)) {
                    most = score;
                    best = at + c;
                }
            }
            at += some;
        }
    }
    return best;
}

static void
assign_block(void *job, size_t block)
{
    const assigning *a = job;
    const size_t begin = block * BLOCK_ROWS;
    const size_t end = begin + BLOCK_ROWS < a->n ? begin + BLOCK_ROWS : a->n;
    for (size_t i = begin; i < end; i++)
        a->cell[i] = nearest_cell(a->p, a->kern, a->rows + i * a->p->dim);
}

idx_status
idx_partition_assign(const idx_partition *p, const float rows[], uint32_t n,
                     uint32_t cell[], const idx_making *how)
{
    /* in slices, so that a stop is soon obeyed */
    const uint32_t slice = 16 * BLOCK_ROWS;
    for (uint32_t at = 0; at < n; at += slice) {
        const uint32_t some = n - at < slice ? n - at : slice;
        assigning a = {p, how->kern, rows + (size_t)at * p->dim, some, cell + at};
        if (how->tick && !how->tick(how->ctx, 0.4 + 0.4 * at / n))
            return IDX_EIO;
        idx_each(how, (some + BLOCK_ROWS - 1) / BLOCK_ROWS, assign_block, &a);
    }
    return IDX_OK;
}

/* ---- Learning ------------------------------------------------------------------- */

typedef struct {
    idx_partition *p;
    const idx_making *how;
    float *rows; /* [n][dim] the sample */
    uint32_t n;
    uint32_t *of;    /* [n] group, then cell, of each */
    float *gap;      /* [n] squared distance to the centre of the group */
    uint32_t *first; /* [n_groups + 1] where a group begins in order */
    uint32_t *order; /* [n] rows by group */
    atomic_int failed;
} learning;

static bool
take_sample(learning *l, const idx_scale *scale)
{
    const uint64_t wanted = (uint64_t)l->p->n_cells * SAMPLE_PER_CELL;
    l->n = scale->n_entries < wanted ? scale->n_entries : (uint32_t)wanted;
    const idx_store *store = &l->how->store;
    l->rows = idx_regrow(store, NULL, (size_t)l->n * scale->dim, sizeof *l->rows);
    l->of = idx_regrow(store, NULL, l->n, sizeof *l->of);
    l->gap = idx_regrow(store, NULL, l->n, sizeof *l->gap);
    l->order = idx_regrow(store, NULL, l->n, sizeof *l->order);
    l->first = idx_take(store, (size_t)l->p->n_groups + 1, sizeof *l->first);
    if (!l->rows || !l->of || !l->gap || !l->order || !l->first)
        return false;
    for (uint32_t i = 0; i < l->n; i++) {
        const uint64_t from = (uint64_t)i * scale->n_entries / l->n;
        memcpy(l->rows + (size_t)i * scale->dim, scale->rows + from * scale->dim,
               scale->dim * sizeof *l->rows);
    }
    return true;
}

/* Centres of groups, from a part of the sample; then each row's own. */
static bool
learn_groups(learning *l)
{
    idx_partition *p = l->p;
    const uint32_t wanted = p->n_groups * SAMPLE_PER_GROUP;
    const uint32_t n = l->n < wanted ? l->n : wanted;
    const idx_store *store = &l->how->store;
    float *some = idx_regrow(store, NULL, (size_t)n * p->dim, sizeof *some);
    if (!some)
        return false;
    for (uint32_t i = 0; i < n; i++)
        memcpy(some + (size_t)i * p->dim, l->rows + (uint64_t)i * l->n / n * p->dim,
               p->dim * sizeof *some);
    const bool ok = idx_lloyd(p->groups, p->n_groups, some, n, p->dim, ROUNDS_GROUPS,
                              l->how->seed, l->how->kern);
    idx_give(store, some);
    return ok;
}

static void
group_block(void *job, size_t block)
{
    learning *l = job;
    const size_t begin = block * BLOCK_ROWS;
    const size_t end = begin + BLOCK_ROWS < l->n ? begin + BLOCK_ROWS : l->n;
    uint32_t near[NEAR_GROUPS];
    for (size_t i = begin; i < end; i++) {
        near_groups(l->p, l->how->kern, l->rows + i * l->p->dim, near);
        l->of[i] = near[0];
        l->how->kern->gaps(&l->gap[i], l->rows + i * l->p->dim,
                           l->p->groups + (size_t)near[0] * l->p->dim, l->p->dim, 1);
    }
}

/* Sorts the sample by group. */
static void
sort_sample(learning *l)
{
    idx_partition *p = l->p;
    for (uint32_t i = 0; i < l->n; i++)
        l->first[l->of[i] + 1]++;
    for (uint32_t g = 0; g < p->n_groups; g++)
        l->first[g + 1] += l->first[g];
    for (uint32_t i = 0; i < l->n; i++)
        l->order[l->first[l->of[i]]++] = i;
    memmove(l->first + 1, l->first, p->n_groups * sizeof *l->first);
    l->first[0] = 0;
}

/* Gives each group cells by its share of the rows, in eights. Rows that equal their
 * centre do not count: copies of one row, however many, need no more than a cell. */
static void
share_cells(learning *l)
{
    idx_partition *p = l->p;
    const uint64_t spare = p->n_cells / IDX_CELL_UNIT - p->n_groups;
    uint64_t all = 0, before = 0;
    for (uint32_t i = 0; i < l->n; i++)
        all += l->gap[i] > 0.0F;
    for (uint32_t g = 0; g < p->n_groups; g++) {
        p->group[g] = IDX_CELL_UNIT * (g + (uint32_t)(all ? spare * before / all
                                                          : spare * g / p->n_groups));
        for (uint32_t i = l->first[g]; i < l->first[g + 1]; i++)
            before += l->gap[l->order[i]] > 0.0F;
    }
    p->group[p->n_groups] = p->n_cells;
}

static void
learn_cells(void *job, size_t g)
{
    learning *l = job;
    idx_partition *p = l->p;
    const uint32_t n = l->first[g + 1] - l->first[g];
    const uint32_t k = p->group[g + 1] - p->group[g];
    float *cells = p->cells + (size_t)p->group[g] * p->dim;
    const idx_store *store = &l->how->store;
    float *rows = idx_regrow(store, NULL, ((size_t)n + 1) * p->dim, sizeof *rows);
    for (uint32_t i = 0; rows && i < n; i++)
        memcpy(rows + (size_t)i * p->dim,
               l->rows + (size_t)l->order[l->first[g] + i] * p->dim,
               p->dim * sizeof *rows);
    if (rows && n == 0) { /* nobody's group: its cells stay empty */
        memcpy(rows, p->groups + g * p->dim, p->dim * sizeof *rows);
        for (uint32_t c = 0; c < k; c++)
            memcpy(cells + (size_t)c * p->dim, rows, p->dim * sizeof *rows);
        p->live[g] = 1;
    } else if (rows) {
        p->live[g] = idx_lloyd(cells, k, rows, n, p->dim, ROUNDS_CELLS,
                               l->how->seed + g + 1, l->how->kern);
    }
    if (p->live[g] == 0)
        atomic_store(&l->failed, 1);
    idx_give(store, rows);
}

static void
measure_cells(idx_partition *p)
{
    for (size_t c = 0; c < p->n_cells; c++) {
        double sum = 0.0;
        for (uint32_t j = 0; j < p->dim; j++)
            sum += (double)p->cells[c * p->dim + j] * (double)p->cells[c * p->dim + j];
        p->half[c] = (float)(0.5 * sum);
    }
}

/* One round over all cells, and the groups as the means of their rows. */
static idx_status
refine(learning *l)
{
    idx_partition *p = l->p;
    idx_status st = idx_partition_assign(p, l->rows, l->n, l->of, l->how);
    if (!st && !idx_means(p->cells, p->n_cells, l->rows, l->of, l->n, p->dim))
        st = IDX_ENOMEM;
    measure_cells(p);
    if (st || p->n_groups == 1)
        return st;
    uint32_t *group_of = malloc(p->n_cells * sizeof *group_of);
    for (uint32_t g = 0; group_of && g < p->n_groups; g++)
        for (uint32_t c = p->group[g]; c < p->group[g + 1]; c++)
            group_of[c] = g;
    for (uint32_t i = 0; group_of && i < l->n; i++)
        l->of[i] = group_of[l->of[i]];
    if (!group_of || !idx_means(p->groups, p->n_groups, l->rows, l->of, l->n, p->dim))
        st = IDX_ENOMEM;
    free(group_of);
    return st;
}

static idx_status
learn(learning *l, const idx_scale *scale)
{
    idx_partition *p = l->p;
    const idx_making *how = l->how;
    if (!take_sample(l, scale) || !learn_groups(l))
        return IDX_ENOMEM;
    if (how->tick && !how->tick(how->ctx, 0.1))
        return IDX_EIO;
    idx_each(how, (l->n + BLOCK_ROWS - 1) / BLOCK_ROWS, group_block, l);
    sort_sample(l);
    share_cells(l);
    idx_each(how, p->n_groups, learn_cells, l);
    if (atomic_load(&l->failed))
        return IDX_ENOMEM;
    measure_cells(p);
    idx_status st = IDX_OK;
    for (int round = 0; !st && round < ROUNDS_ALL; round++)
        st = refine(l);
    return st;
}

idx_status
idx_partition_learn(idx_partition *out, const idx_scale *scale, uint32_t n_cells,
                    const idx_making *how)
{
    const uint32_t n_groups = idx_groups_of(n_cells), dim = scale->dim;
    const idx_store *store = &how->store;
    *out = (idx_partition){
        .n_groups = n_groups, .n_cells = n_cells, .dim = dim, .store = *store};
    out->group = idx_take(store, (size_t)n_groups + 1, sizeof *out->group);
    out->groups = idx_take(store, (size_t)n_groups * dim, sizeof *out->groups);
    out->cells = idx_take(store, (size_t)n_cells * dim, sizeof *out->cells);
    out->half = idx_take(store, n_cells, sizeof *out->half);
    out->live = idx_take(store, n_groups, sizeof *out->live);
    learning l = {.p = out, .how = how};
    idx_status st = out->group && out->groups && out->cells && out->half && out->live
                        ? IDX_OK
                        : IDX_ENOMEM;
    if (!st)
        st = learn(&l, scale);
    idx_give(store, l.rows);
    idx_give(store, l.of);
    idx_give(store, l.gap);
    idx_give(store, l.order);
    idx_give(store, l.first);
    if (st)
        idx_partition_free(out);
    return st;
}
