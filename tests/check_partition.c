/* k-means in two levels, as partition.h and lloyd.h promise. */
#include "tests/idx_support.h"

#include "index/lloyd.h"
#include "index/partition.h"
#include "rt/parallel.h"

#include <check.h>
#include <float.h>

extern _Atomic uint64_t heap_fail_at; /* see support.h */

enum { ROWS = 3000, DIM = 12, CELLS = 1024 + 8 };

static float *rows; /* [ROWS][DIM] around sixty places; read only */

static void
make_rows(void)
{
    idx_entry *entries = malloc(ROWS * sizeof *entries);
    uint64_t state = 5;
    rows = malloc((size_t)ROWS * DIM * sizeof *rows);
    walk_rows(rows, entries, ROWS, DIM, 60, &state);
    free(entries);
}

static idx_scale
scale_of(const float x[], uint32_t n, uint32_t dim)
{
    return (idx_scale){.rows = x, .n_entries = n, .dim = dim};
}

static idx_making
making(void)
{
    return (idx_making){.seed = 9, .kern = idx_kern_pick()};
}

static double
gap_of(const float a[], const float b[], uint32_t dim)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < dim; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

static double
distortion(const float centres[], uint32_t k, const float x[], uint32_t n, uint32_t dim)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double least = DBL_MAX;
        for (size_t c = 0; c < k; c++)
            least = fmin(least, gap_of(x + i * dim, centres + c * dim, dim));
        sum += least;
    }
    return sum;
}

/* ---- Lloyd's rounds ------------------------------------------------------------- */

START_TEST(distortion_never_rises_from_round_to_round)
{
    enum { K = 40 };
    float centres[K * DIM];
    double last = DBL_MAX, first = 0.0;
    for (int round = 0; round <= 12; round++) {
        ck_assert(idx_lloyd(centres, K, rows, ROWS, DIM, round, (uint64_t)_i,
                            idx_kern_pick()));
        const double now = distortion(centres, K, rows, ROWS, DIM);
        ck_assert_msg(now <= last * (1.0 + 1e-6), "round %d: %g after %g", round, now,
                      last);
        first = round ? first : now;
        last = now;
    }
    ck_assert_msg(last < 0.9 * first, "no round improved anything: %g", last / first);
}
END_TEST

START_TEST(fewer_places_than_centres_are_all_found_and_told)
{
    static const float x[] = {0, 0, 0, 10, 10, 10, 20, 20, 20, 30};
    float centres[6];
    for (uint64_t seed = 0; seed < 20; seed++) {
        ck_assert_uint_eq(idx_lloyd(centres, 6, x, 10, 1, 6, seed, idx_kern_pick()), 4);
        ck_assert(centres[4] == centres[0] && centres[5] == centres[0]);
        ck_assert_double_eq(distortion(centres, 6, x, 10, 1), 0.0);
    }
}
END_TEST

START_TEST(means_are_of_their_rows_and_others_stay)
{
    static const float x[] = {1, 2, 3, 4, 5, 6};
    static const uint32_t of[] = {2, 0, 2};
    float centres[] = {0, 0, 7, 8, 0, 0};
    ck_assert(idx_means(centres, 3, x, of, 3, 2));
    static const float want[] = {3, 4, 7, 8, 3, 4};
    ck_assert(memcmp(centres, want, sizeof want) == 0);
}
END_TEST

/* ---- Partition ------------------------------------------------------------------ */

static void
is_whole(const idx_partition *p, uint32_t n_cells, uint32_t dim)
{
    ck_assert_uint_eq(p->n_cells, n_cells);
    ck_assert_uint_eq(p->n_groups, idx_groups_of(n_cells));
    ck_assert_uint_eq(p->group[0], 0);
    ck_assert_uint_eq(p->group[p->n_groups], n_cells);
    for (uint32_t g = 0; g < p->n_groups; g++) {
        ck_assert_uint_lt(p->group[g], p->group[g + 1]);
        ck_assert_uint_ge(p->live[g], 1);
        ck_assert_uint_le(p->live[g], p->group[g + 1] - p->group[g]);
        ck_assert_uint_eq(p->group[g] % IDX_CELL_UNIT, 0);
    }
    for (size_t i = 0; i < (size_t)n_cells * dim; i++)
        ck_assert(isfinite(p->cells[i]));
    for (size_t c = 0; c < n_cells; c++) {
        double sum = 0.0;
        for (uint32_t i = 0; i < dim; i++)
            sum += (double)p->cells[c * dim + i] * (double)p->cells[c * dim + i];
        ck_assert_double_eq_tol((double)p->half[c], 0.5 * sum, 1e-5 * (1.0 + sum));
    }
}

static void
learn(idx_partition *p, const idx_scale *sc, uint32_t n_cells, const idx_making *how)
{
    ck_assert_int_eq(idx_partition_learn(p, sc, n_cells, how), IDX_OK);
    is_whole(p, n_cells, sc->dim);
}

START_TEST(cells_come_in_eights_by_group_and_serve_the_rows)
{
    static const uint32_t counts[] = {8, 64, 256, CELLS};
    const idx_scale sc = scale_of(rows, ROWS, DIM);
    const idx_making how = making();
    double last = DBL_MAX;
    uint32_t cell[ROWS];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        idx_partition p;
        double sum = 0.0, best = 0.0;
        learn(&p, &sc, counts[i], &how);
        ck_assert(!idx_partition_assign(&p, rows, ROWS, cell, &how));
        for (size_t r = 0; r < ROWS; r++) {
            ck_assert_uint_lt(cell[r], counts[i]);
            sum += gap_of(rows + r * DIM, p.cells + (size_t)cell[r] * DIM, DIM);
        }
        best = distortion(p.cells, counts[i], rows, ROWS, DIM);
        ck_assert_msg(sum <= best * 1.05 + 1e-9, "%u cells: %g of %g", counts[i], sum,
                      best);
        ck_assert_msg(sum < 0.8 * last, "%u cells: %g after %g", counts[i], sum, last);
        last = sum;
        idx_partition_free(&p);
        ck_assert_ptr_null(p.cells);
    }
    ck_assert_uint_eq(idx_groups_of(1016), 1);
    ck_assert_uint_eq(idx_groups_of(CELLS), 16);
    ck_assert_uint_eq(idx_groups_of(1U << 20), 4096);
}
END_TEST

START_TEST(equally_near_cells_and_groups_go_to_the_lower)
{
    /* one group; cells 1, 3 and 5 are one place, the rest far away */
    float cells[8] = {9, 1, 9, 1, 9, 1, 9, 9}, half[8], group_at = 0.0F;
    uint32_t group[] = {0, 8}, cell[3];
    static const float x[] = {1.0F, 0.5F, 9.5F};
    for (int c = 0; c < 8; c++)
        half[c] = 0.5F * cells[c] * cells[c];
    uint32_t live[] = {8, 8};
    const idx_partition p = {1, 8, 1, group, &group_at, cells, half, live, {0}};
    const idx_making how = making();
    ck_assert(!idx_partition_assign(&p, x, 3, cell, &how));
    ck_assert(cell[0] == 1 && cell[1] == 1 && cell[2] == 0);
    /* two groups at one place, whose cells are the same */
    float centres[2] = {2, 2}, twice[16], halves[16];
    uint32_t starts[] = {0, 8, 16};
    for (int c = 0; c < 16; c++) {
        twice[c] = cells[c % 8];
        halves[c] = half[c % 8];
    }
    const idx_partition q = {2, 16, 1, starts, centres, twice, halves, live, {0}};
    ck_assert(!idx_partition_assign(&q, x, 3, cell, &how));
    ck_assert(cell[0] == 1 && cell[1] == 1 && cell[2] == 0);
}
END_TEST

static const struct {
    const char *name;
    uint32_t n, distinct; /* row i is row i % distinct of the others */
} few[] = {
    {"one row", 1, 1},
    {"two rows", 2, 2},
    {"fewer rows than cells", 7, 7},
    {"all rows equal", 500, 1},
    {"two places", 501, 2},
    {"nine places", 600, 9},
    {"three rows of one", 3, 1},
};

START_TEST(few_and_equal_rows_have_a_cell_that_is_their_place)
{
    static const uint32_t counts[] = {8, CELLS};
    const uint32_t n = few[_i].n;
    float *x = malloc((size_t)n * DIM * sizeof *x);
    uint32_t *cell = malloc(n * sizeof *cell);
    const idx_making how = making();
    for (uint32_t i = 0; i < n; i++)
        memcpy(x + (size_t)i * DIM, rows + (size_t)(i % few[_i].distinct) * 50 * DIM,
               DIM * sizeof *x);
    for (int c = 0; c < 2; c++) {
        const idx_scale sc = scale_of(x, n, DIM);
        idx_partition p;
        learn(&p, &sc, counts[c], &how);
        ck_assert(!idx_partition_assign(&p, x, n, cell, &how));
        for (uint32_t i = 0; i < n; i++) {
            const double gap =
                gap_of(x + (size_t)i * DIM, p.cells + (size_t)cell[i] * DIM, DIM);
            ck_assert_msg(few[_i].distinct > counts[c] || gap < 1e-12,
                          "case: %s: row %u is %g away", few[_i].name, i, gap);
            ck_assert_uint_eq(cell[i], cell[i % few[_i].distinct]);
        }
        idx_partition_free(&p);
    }
    free(x);
    free(cell);
}
END_TEST

START_TEST(rows_of_nothing_but_zeros_are_a_place_too)
{
    static const float zeros[100 * DIM];
    const idx_scale sc = scale_of(zeros, 100, DIM);
    const idx_making how = making();
    idx_partition p;
    learn(&p, &sc, CELLS, &how);
    for (size_t i = 0; i < (size_t)CELLS * DIM; i++)
        ck_assert(p.cells[i] == 0.0F);
    idx_partition_free(&p);
}
END_TEST

/* ---- The same on every machine -------------------------------------------------- */

static atomic_int lent;

static void
idle(void *ctx)
{
    (void)ctx;
}

static void
lend(void *ctx, size_t n, void (*run)(void *job, size_t i), void *job)
{
    atomic_fetch_add(&lent, 1);
    ck_assert(rt_parallel(n, *(const uint32_t *)ctx, run, idle, job));
}

static void
same_partition(const idx_partition *a, const idx_partition *b)
{
    const size_t dim = a->dim;
    ck_assert(!memcmp(a->group, b->group, (a->n_groups + 1) * sizeof *a->group));
    ck_assert(!memcmp(a->groups, b->groups, a->n_groups * dim * sizeof *a->groups));
    ck_assert(!memcmp(a->cells, b->cells, a->n_cells * dim * sizeof *a->cells));
    ck_assert(!memcmp(a->half, b->half, a->n_cells * sizeof *a->half));
}

START_TEST(threads_and_kernels_change_nothing)
{
    const idx_scale sc = scale_of(rows, ROWS, DIM);
    const idx_making how = making();
    uint32_t one = 1, three = 3;
    const idx_making alone = {
        .seed = how.seed, .kern = &idx_kern_c, .ctx = &one, .parallel = lend};
    const idx_making company = {
        .seed = how.seed, .kern = how.kern, .ctx = &three, .parallel = lend};
    idx_partition p, q;
    uint32_t of[2][ROWS];
    learn(&p, &sc, CELLS, &how);
    ck_assert(!idx_partition_assign(&p, rows, ROWS, of[0], &how));
    for (int i = 0; i < 2; i++) {
        learn(&q, &sc, CELLS, i ? &company : &alone);
        same_partition(&p, &q);
        ck_assert(!idx_partition_assign(&q, rows, ROWS, of[1], i ? &company : &alone));
        ck_assert(!memcmp(of[0], of[1], sizeof of[0]));
        idx_partition_free(&q);
    }
    ck_assert_int_gt(atomic_load(&lent), 4);
    const idx_making other = {.seed = how.seed + 1, .kern = how.kern};
    learn(&q, &sc, CELLS, &other);
    ck_assert_msg(memcmp(p.cells, q.cells, (size_t)CELLS * DIM * sizeof *p.cells),
                  "the seed changes nothing");
    idx_partition_free(&q);
    idx_partition_free(&p);
}
END_TEST

/* ---- What can fail -------------------------------------------------------------- */

static bool
tick_until(void *ctx, double share)
{
    int *left = ctx;
    ck_assert(share >= 0.0 && share <= 1.0);
    return (*left)-- > 0;
}

START_TEST(a_stop_is_obeyed_at_every_tick)
{
    const idx_scale sc = scale_of(rows, ROWS, DIM);
    uint32_t stopped = 0;
    for (int n = 0;; n++) {
        int left = n;
        idx_making how = making();
        idx_partition p;
        how.tick = tick_until;
        how.ctx = &left;
        const idx_status st = idx_partition_learn(&p, &sc, CELLS, &how);
        if (!st) {
            idx_partition_free(&p);
            break;
        }
        ck_assert_int_eq(st, IDX_EIO);
        ck_assert(!p.group && !p.groups && !p.cells && !p.half && !p.live);
        stopped++;
    }
    ck_assert_uint_ge(stopped, 3);
}
END_TEST

START_TEST(every_allocation_that_fails_is_told)
{
    const idx_scale sc = scale_of(rows, 200, DIM);
    const idx_making how = making();
    uint32_t failed = 0;
    for (uint64_t k = 1;; k++) {
        idx_partition p;
        atomic_store(&heap_fail_at, k);
        const idx_status st = idx_partition_learn(&p, &sc, CELLS, &how);
        const bool reached = atomic_exchange(&heap_fail_at, 0) == 0;
        if (!st) {
            idx_partition_free(&p);
            ck_assert_msg(!reached, "allocation %d failed unseen", (int)k);
            break;
        }
        ck_assert_int_eq(st, IDX_ENOMEM);
        ck_assert(!p.group && !p.groups && !p.cells && !p.half && !p.live);
        failed++;
    }
    ck_assert_uint_gt(failed, 100);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("partition");
    TCase *tc = tcase_create("partition");
    make_rows();
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, distortion_never_rises_from_round_to_round, 0, 4);
    tcase_add_test(tc, fewer_places_than_centres_are_all_found_and_told);
    tcase_add_test(tc, means_are_of_their_rows_and_others_stay);
    tcase_add_test(tc, cells_come_in_eights_by_group_and_serve_the_rows);
    tcase_add_test(tc, equally_near_cells_and_groups_go_to_the_lower);
    tcase_add_loop_test(tc, few_and_equal_rows_have_a_cell_that_is_their_place, 0,
                        (int)(sizeof few / sizeof *few));
    tcase_add_test(tc, rows_of_nothing_but_zeros_are_a_place_too);
    tcase_add_test(tc, threads_and_kernels_change_nothing);
    tcase_add_test(tc, a_stop_is_obeyed_at_every_tick);
    tcase_add_test(tc, every_allocation_that_fails_is_told);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    free(rows);
    return failed != 0;
}
