/* Forests: their planes, their searches, and how they grow. */
#include "built_support.h"

#include "index/forest.h"

#include <stdatomic.h>

extern _Atomic uint64_t heap_fail_at; /* tests/support.c */

enum { DIM = 24 };

/* A forest of the first n_built of n rows, whose parameters are p where they are not 0.
 */
static void
make_forest(built_scale *t, uint32_t n, uint32_t n_built, uint32_t dim, idx_params p)
{
    const idx_making how = making();
    make_scale(t, n, dim, CORPUS_SOUNDS, 1.0F);
    p.family = IDX_FOREST;
    p.n_probes = p.n_probes ? p.n_probes : IDX_MAX_PROBES;
    p.max_candidates = p.max_candidates ? p.max_candidates : n;
    t->scale.params = p;
    idx_family_of(IDX_FOREST)->choose(&t->scale.params, &t->scale, &how);
    t->scale.n_entries = n_built;
}

static void
must_hold(const built_scale *t)
{
    char fault[200] = "";
    ck_assert_msg(idx_family_of(IDX_FOREST)->holds(&t->ix, 0, fault, sizeof fault),
                  "%s", fault);
}

/* Every entry once in each tree; leaves within their limit but for copies of one row.
 */
static void
must_be_whole(const built_scale *t, bool leaves_in_limit)
{
    const idx_forest f = idx_forest_of(&t->scale, (const void *const *)t->built.at);
    must_hold(t);
    unsigned char *seen = calloc(f.n_entries, 1);
    for (uint32_t tree = 0; tree < f.n_trees; tree++) {
        for (uint32_t i = 0; i < f.n_entries; i++)
            ck_assert_uint_eq(seen[f.id[(size_t)tree * f.n_entries + i]]++, tree);
    }
    for (uint32_t l = 0; l < f.n_nodes + f.n_trees; l++) {
        ck_assert_uint_gt(f.start[l + 1], f.start[l]);
        ck_assert(!leaves_in_limit ||
                  f.start[l + 1] - f.start[l] <= t->scale.params.leaf);
        for (uint32_t i = f.start[l] + 1; i < f.start[l + 1]; i++)
            ck_assert_uint_gt(f.id[i], f.id[i - 1]);
    }
    free(seen);
}

/* With all leaves visited, the answers of the exact twin. */
static void
must_answer_like_exact(const built_scale *t)
{
    uint64_t state = 8;
    const idx_params all = {.n_probes = IDX_MAX_PROBES,
                            .max_candidates = t->scale.n_entries};
    ck_assert(!idx_scratch_set(t->s, 0, &all) ||
              t->scale.params.n_cells < IDX_MAX_PROBES);
    for (int q = 0; q < 20; q++) {
        float x[DIM];
        idx_hit got[50], exact[50];
        uint32_t n_got, n_exact;
        idx_work work;
        random_direction(x, t->scale.dim, &state);
        ck_assert(!idx_query(&t->ix, 0, t->s, x, 50, got, &n_got, &work));
        ck_assert(!idx_query_exact(&t->ix, 0, t->s, x, 50, exact, &n_exact));
        ck_assert_uint_eq(n_got, n_exact);
        ck_assert_uint_eq(work.n_candidates, t->scale.n_entries);
        ck_assert_uint_eq(work.cut, 0);
        ck_assert(!memcmp(got, exact, n_got * sizeof *got));
    }
}

static const struct {
    uint32_t kind, metric, n_trees, leaf;
} kinds[] = {
    {IDX_TWO_MEANS, IDX_COSINE, 3, 20},     {IDX_TWO_MEANS, IDX_EUCLID, 3, 20},
    {IDX_RANDOM_PLANES, IDX_COSINE, 2, 50}, {IDX_RANDOM_PLANES, IDX_EUCLID, 2, 50},
    {IDX_TWO_MEANS, IDX_COSINE, 1, 1},      {IDX_TWO_MEANS, IDX_EUCLID, 64, 1000},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static idx_params
params_of(int i)
{
    return (idx_params){.n_planes = kinds[i].kind,
                        .metric = kinds[i].metric,
                        .n_tables = kinds[i].n_trees,
                        .leaf = kinds[i].leaf};
}

START_TEST(a_forest_without_limits_answers_like_the_exact_twin)
{
    built_scale t;
    make_forest(&t, 1000, 1000, DIM, params_of(_i));
    build_scale(&t);
    must_be_whole(&t, true);
    must_answer_like_exact(&t);
    free_scale(&t);
}
END_TEST

static const char *
shape_rows(float rows[], uint32_t n, int shape)
{
    static const char *const names[] = {"all equal", "two rows", "one giant cluster",
                                        "all alike in all but one dimension"};
    for (uint32_t i = 1; i < n; i++) {
        float *row = rows + (size_t)i * DIM;
        if (shape == 0 || (shape == 1 && i > 1) || (shape == 2 && i % 100))
            memcpy(row, rows + (shape == 1 ? i % 2 * DIM : 0), DIM * sizeof *row);
        if (shape == 3) {
            memcpy(row, rows, DIM * sizeof *row);
            row[0] += 0.01F * (float)(i % 7);
            unit_length(row, DIM);
        }
    }
    return names[shape];
}

START_TEST(copies_of_rows_end_in_leaves_of_any_size)
{
    enum { N = 3000 };
    for (int shape = 0; shape < 4; shape++) {
        built_scale t;
        make_forest(&t, N, N, DIM, params_of(_i));
        const char *name = shape_rows(t.c.array[0][4], N, shape);
        build_scale(&t);
        must_be_whole(&t, false);
        must_answer_like_exact(&t);
        ck_assert_msg(shape != 0 || t.scale.params.n_cells == 0, "%s: %u nodes", name,
                      t.scale.params.n_cells);
        free_scale(&t);
    }
}
END_TEST

START_TEST(few_rows_are_trees_of_one_leaf)
{
    for (uint32_t n = 1; n < 5; n++) {
        built_scale t;
        make_forest(&t, n, n, 3, (idx_params){.n_tables = 2});
        build_scale(&t);
        ck_assert_uint_eq(t.scale.params.n_cells, 0);
        must_be_whole(&t, true);
        must_answer_like_exact(&t);
        free_scale(&t);
    }
}
END_TEST

/* The node or leaf of a tree that x comes to after so many levels. */
static uint32_t
follow(const idx_forest *f, uint32_t tree, const float x[], uint32_t levels)
{
    uint32_t ref = f->root[tree];
    for (; levels > 0 && ref < f->n_nodes; levels--) {
        float side;
        idx_kern_pick()->dots(&side, x, f->plane + (size_t)ref * f->dim, f->dim, 1);
        ref = f->node[ref].child[!(side > f->node[ref].offset)];
    }
    ck_assert_uint_eq(levels, 0);
    return ref;
}

START_TEST(random_planes_keep_a_pair_together_as_its_angle_says)
{
    enum { N = 6000, LEVELS = 6, PAIRS = 400, TREES = 64 };
    const double theta = 30 * 3.14159265358979323846 / 180;
    const double p = pow(1 - 30 / 180.0, LEVELS);
    built_scale t;
    uint64_t state = 3;
    uint32_t together = 0;
    make_forest(
        &t, N, N, DIM,
        (idx_params){.n_planes = IDX_RANDOM_PLANES, .n_tables = TREES, .leaf = 8});
    for (uint32_t i = 0; i < N; i++)
        random_direction(t.c.array[0][4] + (size_t)i * DIM, DIM, &state);
    build_scale(&t);
    const idx_forest f = idx_forest_of(&t.scale, (const void *const *)t.built.at);
    for (uint32_t i = 0; i < PAIRS * TREES; i++) {
        float x[DIM], y[DIM];
        double along = 0, power = 0;
        random_direction(x, DIM, &state);
        random_direction(y, DIM, &state);
        for (int j = 0; j < DIM; j++)
            along += (double)x[j] * (double)y[j];
        for (int j = 0; j < DIM; j++) {
            y[j] -= (float)along * x[j];
            power += (double)y[j] * (double)y[j];
        }
        for (int j = 0; j < DIM; j++)
            y[j] = (float)(cos(theta) * (double)x[j] +
                           sin(theta) * (double)y[j] / sqrt(power));
        together +=
            follow(&f, i % TREES, x, LEVELS) == follow(&f, i % TREES, y, LEVELS);
    }
    ck_assert_msg(fabs((double)together / (PAIRS * TREES) - p) <=
                      4 * sqrt(p * (1 - p) / (PAIRS * TREES)),
                  "%g, not %g", (double)together / (PAIRS * TREES), p);
    free_scale(&t);
}
END_TEST

/* Share of the exact 10 over queries near rows. */
static double
recall_of(const built_scale *t)
{
    uint64_t state = 31;
    uint32_t found = 0;
    for (uint32_t q = 0; q < 60; q++) {
        float x[DIM];
        idx_hit got[10], exact[10];
        uint32_t n_got, n_exact;
        for (int j = 0; j < DIM; j++)
            x[j] = t->scale.rows[(size_t)q * 50 * DIM + (size_t)j] +
                   0.1F * rnd_normal(&state);
        ck_assert(!idx_query(&t->ix, 0, t->s, x, 10, got, &n_got, NULL));
        ck_assert(!idx_query_exact(&t->ix, 0, t->s, x, 10, exact, &n_exact));
        for (uint32_t i = 0; i < n_got; i++)
            found += got[i].cosine >= exact[9].cosine;
    }
    return found / 600.0;
}

START_TEST(recall_rises_with_leaves_and_with_trees)
{
    double last = 0, by_trees = 0;
    built_scale t;
    make_forest(&t, 3000, 3000, DIM, (idx_params){.n_tables = 4, .leaf = 16});
    build_scale(&t);
    for (uint32_t n = 1; n <= 1024; n *= 4) {
        const idx_params p = {.n_probes = n, .max_candidates = 3000};
        ck_assert(!idx_scratch_set(t.s, 0, &p));
        const double r = recall_of(&t);
        ck_assert_msg(r >= last, "%u leaves: %g after %g", n, r, last);
        last = r;
    }
    ck_assert_double_eq(last, 1.0);
    free_scale(&t);
    for (uint32_t trees = 1; trees <= 64; trees *= 8) { /* two leaves of each */
        make_forest(&t, 3000, 3000, DIM,
                    (idx_params){.n_tables = trees, .n_probes = 2 * trees, .leaf = 16});
        build_scale(&t);
        const double r = recall_of(&t);
        ck_assert_msg(r > by_trees, "%u trees: %g after %g", trees, r, by_trees);
        by_trees = r;
        free_scale(&t);
    }
}
END_TEST

START_TEST(a_cap_on_candidates_is_kept_and_told)
{
    built_scale t;
    make_forest(&t, 1000, 1000, DIM, (idx_params){.max_candidates = 100});
    build_scale(&t);
    idx_hit got[10];
    uint32_t n_got;
    idx_work work;
    ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows, 10, got, &n_got, &work));
    ck_assert_uint_eq(work.n_candidates, 100);
    ck_assert_uint_eq(work.cut, 1);
    ck_assert_uint_eq(n_got, 10);
    ck_assert_uint_eq(got[0].entry, 0);
    free_scale(&t);
}
END_TEST

/* ---- Growing -------------------------------------------------------------------- */

START_TEST(rows_that_are_appended_are_found_and_leaves_stay_in_their_limit)
{
    enum { N = 1200 };
    static const uint32_t before[] = {1, 30, 600, 1199, 1200};
    const idx_making how = making();
    for (size_t b = 0; b < sizeof before / sizeof *before; b++) {
        built_scale t;
        make_forest(&t, N, before[b], DIM, params_of(_i));
        build_scale(&t);
        t.scale.n_entries = N;
        ck_assert_int_eq(idx_forest_append(&t.built, &t.scale, before[b], &how),
                         IDX_OK);
        open_scale(&t);
        must_be_whole(&t, true);
        must_answer_like_exact(&t);
        for (uint32_t i = 0; i < N; i += 61) { /* each in the first leaf of all */
            const idx_params p = {.n_probes = kinds[_i].n_trees, .max_candidates = N};
            idx_hit hit;
            uint32_t n;
            ck_assert(!idx_scratch_set(t.s, 0, &p));
            ck_assert(!idx_query(&t.ix, 0, t.s, t.scale.rows + (size_t)i * DIM, 1, &hit,
                                 &n, NULL));
            ck_assert_uint_eq(hit.entry, i);
        }
        free_scale(&t);
    }
}
END_TEST

static bool
same_sections(const idx_built *a, const idx_built *b, const built_scale *t)
{
    const idx_params *p = &a->params;
    const fmt_scale h = {.family = IDX_FOREST,
                         .n_tables = p->n_tables,
                         .n_cells = p->n_cells,
                         .n_entries = t->scale.n_entries,
                         .dim = DIM};
    bool same = p->n_cells == b->params.n_cells;
    for (uint32_t kind = FMT_CENTRE; kind < FMT_KINDS; kind++)
        same = same &&
               (!a->at[kind] || !memcmp(a->at[kind], b->at[kind], fmt_bytes(&h, kind)));
    return same;
}

START_TEST(appending_nothing_changes_nothing_and_a_failure_neither)
{
    built_scale t;
    idx_built again;
    const idx_making how = making();
    make_forest(&t, 600, 400, DIM, (idx_params){.n_tables = 3, .leaf = 10});
    build_scale(&t);
    ck_assert(!idx_build(&again, &t.scale, &how));
    ck_assert(!idx_forest_append(&t.built, &t.scale, 400, &how));
    ck_assert(same_sections(&again, &t.built, &t));
    idx_scale more = t.scale;
    more.n_entries = 600;
    uint64_t left = 0, k = 1;
    for (; left == 0; k++) {
        heap_fail_at = k;
        const idx_status st = idx_forest_append(&t.built, &more, 400, &how);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert_int_eq(st, left ? IDX_OK : IDX_ENOMEM);
        if (st)
            ck_assert(same_sections(&again, &t.built, &t));
    }
    ck_assert_uint_gt(k, 30);
    idx_built_clear(&again);
    free_scale(&t);
}
END_TEST

/* Runs jobs last one first, as threads may. */
static void
backwards(void *ctx, size_t n, void (*run)(void *job, size_t i), void *job)
{
    (void)ctx;
    while (n-- > 0)
        run(job, n);
}

START_TEST(trees_are_the_same_in_whatever_order_they_grow)
{
    built_scale t;
    idx_built other;
    idx_making how = making();
    how.parallel = backwards;
    make_forest(&t, 700, 700, DIM, (idx_params){.n_tables = 19, .leaf = 10});
    build_scale(&t);
    ck_assert(!idx_build(&other, &t.scale, &how));
    ck_assert(same_sections(&t.built, &other, &t));
    idx_built_clear(&other);
    how.seed++;
    ck_assert(!idx_build(&other, &t.scale, &how));
    ck_assert(!same_sections(&t.built, &other, &t));
    idx_built_clear(&other);
    free_scale(&t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("forest");
    TCase *tc = tcase_create("forest");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_forest_without_limits_answers_like_the_exact_twin, 0,
                        N_KINDS);
    tcase_add_loop_test(tc, copies_of_rows_end_in_leaves_of_any_size, 0, N_KINDS);
    tcase_add_test(tc, few_rows_are_trees_of_one_leaf);
    tcase_add_test(tc, random_planes_keep_a_pair_together_as_its_angle_says);
    tcase_add_test(tc, recall_rises_with_leaves_and_with_trees);
    tcase_add_test(tc, a_cap_on_candidates_is_kept_and_told);
    tcase_add_loop_test(tc,
                        rows_that_are_appended_are_found_and_leaves_stay_in_their_limit,
                        0, N_KINDS);
    tcase_add_test(tc, appending_nothing_changes_nothing_and_a_failure_neither);
    tcase_add_test(tc, trees_are_the_same_in_whatever_order_they_grow);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
