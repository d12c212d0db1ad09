/* The family of cells where rows are hardly rows: built and asked in bounded work. */
#include "tests/idx_cells.h"

#include <time.h>

enum { DIM = 16, MANY = 200000, SOME = 4000, K = 10 };

/* What row i of a corpus is; zeros at first. */
typedef void fill(float x[], uint32_t i, uint64_t *state);

static void
copies(float x[], uint32_t i, uint64_t *state)
{
    (void)i;
    (void)state;
    for (int j = 0; j < DIM; j++)
        x[j] = j % 2 ? 0.1F : -0.2F;
}

static void
two_places(float x[], uint32_t i, uint64_t *state)
{
    copies(x, i, state);
    x[0] += i % 3 ? 0.0F : 1.0F;
}

static void
tight_cluster(float x[], uint32_t i, uint64_t *state)
{
    copies(x, i, state);
    for (int j = 0; j < DIM; j++)
        x[j] += 1e-5F * rnd_normal(state);
}

static void
near_silence(float x[], uint32_t i, uint64_t *state)
{
    if (i % 3 == 0) /* nothing at all */
        return;
    for (int j = 0; j < DIM; j++)
        x[j] = (i % 3 == 1 ? 1e-30F : 1e-6F) * rnd_normal(state);
}

static void
one_axis(float x[], uint32_t i, uint64_t *state)
{
    (void)i;
    x[3] = rnd_normal(state);
}

static void
cluster_and_strays(float x[], uint32_t i, uint64_t *state)
{
    if (i % 1000)
        copies(x, i, state);
    else
        random_direction(x, DIM, state);
}

static const struct {
    const char *name;
    fill *fill;
    uint32_t n;
    idx_metric metric;
} hard[] = {
    {"copies of one row", copies, MANY, IDX_COSINE},
    {"copies of one row by Euclid", copies, SOME, IDX_EUCLID},
    {"two places", two_places, SOME, IDX_COSINE},
    {"tight cluster", tight_cluster, SOME, IDX_COSINE},
    {"tight cluster by Euclid", tight_cluster, 2000, IDX_EUCLID},
    {"near silence", near_silence, SOME, IDX_EUCLID},
    {"one axis", one_axis, SOME, IDX_EUCLID},
    {"one axis, two directions", one_axis, SOME, IDX_COSINE},
    {"cluster and strays", cluster_and_strays, SOME, IDX_COSINE},
    {"one row", copies, 1, IDX_COSINE},
    {"two rows", two_places, 2, IDX_EUCLID},
    {"thirty-three copies", copies, 33, IDX_COSINE},
};

static void
make(cells *c, int i, uint64_t *state)
{
    cells_room(c, hard[i].n, DIM);
    for (size_t r = 0; r < hard[i].n; r++) {
        hard[i].fill(c->rows + r * DIM, (uint32_t)r, state);
        if (hard[i].metric == IDX_COSINE)
            unit_length(c->rows + r * DIM, DIM);
    }
}

/* Of this process, however busy the machine is. */
static double
seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Answers of a row's own: as near as the exact ones, unless a cap cut them short. */
static void
ask_rows(cells *c, const char *name)
{
    const idx_params *p = &c->sc.params;
    for (uint32_t q = 0; q < 20; q++) {
        const float *x = c->rows + (size_t)(q * 977 % c->sc.n_entries) * DIM;
        idx_hit hits[K], all[K];
        idx_work work;
        const uint32_t n = cells_ask(c, x, K, hits, &work);
        const uint32_t n_all = cells_ask_exact(c, x, K, all);
        ck_assert_msg(work.n_candidates <= p->max_candidates, "case: %s: %u compared",
                      name, work.n_candidates);
        ck_assert_msg(work.n_scanned <= p->max_scanned, "case: %s: %u scored", name,
                      work.n_scanned);
        ck_assert_uint_le(work.n_probes, p->n_probes);
        ck_assert_msg(n >= 1 && n <= n_all, "case: %s: %u hits of %u", name, n, n_all);
        for (uint32_t h = 0; h < n; h++)
            ck_assert_msg(hits[h].cosine <= all[h].cosine, "case: %s: hit %u", name, h);
        ck_assert_msg(hits[0].cosine >= all[0].cosine - 1e-5F,
                      "case: %s: query %u finds %.9g, not %.9g", name, q,
                      (double)hits[0].cosine, (double)all[0].cosine);
    }
}

/* The tuner's way; sounds are single rows, so that all of them are strangers. */
START_TEST(hard_rows_are_tuned_and_answer_within_their_caps)
{
    uint64_t state = 1;
    cells c;
    idx_params p = {.family = IDX_CELLS, .metric = hard[_i].metric};
    const idx_tuning how = {.seed = 4, .target_recall = 0.95F};
    idx_built *built;
    if (hard[_i].n == MANY) { /* no search for them: of so many rows that takes long */
        p.n_probes = 8;
        p.width = 2.0F;
    }
    make(&c, _i, &state);
    const double begin = seconds();
    ck_assert_int_eq(idx_tune(&c.sc, &how, &p, &built), IDX_OK);
    const double took = seconds() - begin;
    ck_assert(built != NULL && p.family == IDX_CELLS);
    c.built = *built;
    free(built);
    c.sc.params = p;
    c.ix = idx_as_built(&c.sc, &c.built);
    ck_assert_int_eq(idx_scratch_new(&c.s, &c.ix), IDX_OK);
    ck_assert_msg(p.recall >= 0.95F, "case: %s: recall %g", hard[_i].name,
                  (double)p.recall);
    ask_rows(&c, hard[_i].name);
    ck_assert_msg(took < 30.0, "case: %s took %g s", hard[_i].name, took);
    if (getenv("CELLS_TELL"))
        printf("%s: %.2f s, recall %g, %u probes, width %g, caps %u %u, means %g %g\n",
               hard[_i].name, took, (double)p.recall, p.n_probes, (double)p.width,
               p.max_candidates, p.max_scanned, (double)p.candidates,
               (double)p.scanned);
    cells_free(&c);
}
END_TEST

/* Nothing is left out where every cell is looked into. */
START_TEST(hard_rows_answer_as_exactly_as_others)
{
    uint64_t state = 1;
    cells c;
    cells_room(&c, hard[_i].n < 3000 ? hard[_i].n : 3000, DIM);
    for (uint32_t r = 0; r < c.sc.n_entries; r++) {
        hard[_i].fill(c.rows + r * DIM, r, &state);
        if (hard[_i].metric == IDX_COSINE)
            unit_length(c.rows + r * DIM, DIM);
    }
    cells_build(&c, cells_all(64, hard[_i].metric, IDX_F32), 3);
    for (uint32_t q = 0; q < 40; q++) {
        idx_hit hits[100], all[100];
        const uint32_t k = q % 2 ? 3 : 100;
        const float *x = c.rows + (size_t)(q * 71 % c.sc.n_entries) * DIM;
        uint32_t n = 0, n_all = 0;
        const idx_status st = idx_query(&c.ix, 0, c.s, x, k, hits, &n, NULL);
        ck_assert_int_eq(st, idx_query_exact(&c.ix, 0, c.s, x, k, all, &n_all));
        ck_assert_msg(n == n_all && memcmp(hits, all, n * sizeof *hits) == 0,
                      "case: %s: query %u", hard[_i].name, q);
    }
    cells_free(&c);
}
END_TEST

int
main(void)
{
    const int n = (int)(sizeof hard / sizeof *hard);
    Suite *s = suite_create("cells_hard");
    TCase *tc = tcase_create("hard");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, hard_rows_are_tuned_and_answer_within_their_caps, 0, n);
    tcase_add_loop_test(tc, hard_rows_answer_as_exactly_as_others, 0, n);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
