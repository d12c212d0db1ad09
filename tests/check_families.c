/* What holds of every family that does not compare all: whatever the rows are. */
#include "tests/idx_support.h"

#include "index/family.h"

#include <check.h>

enum { DIM = 40, SOUNDS = 40 };

/* Small tables for few rows; what is 0 is chosen. */
static const struct {
    const char *name;
    idx_params p;
} families[] = {
    {"hyperplane", {.family = IDX_HYPERPLANE}},
    {"cross-polytope", {.family = IDX_CROSS_POLYTOPE}},
    {"p-stable", {.family = IDX_P_STABLE}},
    {"p-stable by Euclid", {.family = IDX_P_STABLE, .metric = IDX_EUCLID}},
    {"forest", {.family = IDX_FOREST}},
    {"forest by Euclid", {.family = IDX_FOREST, .metric = IDX_EUCLID}},
    {"random forest by Euclid",
     {.family = IDX_FOREST, .n_planes = 1, .n_tables = 3, .metric = IDX_EUCLID}},
    {"p-stable of halves", {.family = IDX_P_STABLE, .stored = IDX_F16}},
    {"forest of halves", {.family = IDX_FOREST, .stored = IDX_F16}},
};
enum { N_FAMILIES = sizeof families / sizeof *families };

/* Tunes scale 0 for a target, writes it and opens what was written. */
static idx_index *
open_tuned(corpus *c, int family, float target, const char *case_name)
{
    char why[300] = "";
    idx_index *ix = NULL;
    idx_built *built = NULL;
    idx_scale *sc = &c->contents.scales[0];
    const char *path = temp_path("families.hkn");
    const idx_tuning how = {.seed = c->contents.seed, .target_recall = target};
    sc->params = families[family].p;
    ck_assert_msg(!idx_tune(sc, &how, &sc->params, &built), "%s, %s: not tuned",
                  families[family].name, case_name);
    sc->built = built;
    if (!idx_write(path, &c->contents, NULL, why, sizeof why))
        idx_open(&ix, path, why, sizeof why);
    ck_assert_msg(ix != NULL, "%s, %s: %s", families[family].name, case_name, why);
    unlink(path);
    idx_built_free(built);
    sc->built = NULL;
    return ix;
}

static void
make_rows(corpus *c, uint32_t n, uint32_t dim)
{
    corpus_make(c, (const uint32_t[]){n, 0, 0, 0}, (const uint32_t[]){dim, 0, 0, 0},
                SOUNDS, 42);
}

START_TEST(tuning_reaches_its_target_and_says_what_it_takes)
{
    static const float targets[] = {0.5F, 0.7F, 0.9F};
    corpus c;
    make_rows(&c, 6000, DIM);
    float last = 0.0F;
    for (int i = 0; i < 3; i++) {
        idx_index *ix = open_tuned(&c, _i, targets[i], "a corpus");
        const idx_params *p = &idx_scale_of(ix, 0)->params;
        ck_assert_msg(p->recall >= targets[i], "%s: recall %g below %g",
                      families[_i].name, (double)p->recall, (double)targets[i]);
        ck_assert_msg(p->candidates >= last && p->candidates < 4800.0F,
                      "%s: %g candidates", families[_i].name, (double)p->candidates);
        ck_assert(p->family == families[_i].p.family && p->n_probes > 0);
        last = p->candidates;
        idx_close(ix);
    }
    corpus_free(&c);
}
END_TEST

START_TEST(the_bytes_are_the_same_whatever_the_kernel)
{
    unsigned char *data[2];
    size_t n[2];
    corpus c;
    char why[300] = "";
    make_rows(&c, 1500, DIM);
    for (int twin = 0; twin < 2; twin++) {
        const char *path = temp_path("twin.hkn");
        idx_params p = families[_i].p;
        const idx_tuning how = {.seed = 5, .target_recall = 0.8F};
        idx_built *built;
        if (twin)
            setenv("IDX_KERN", "c", 1);
        ck_assert(!idx_tune(&c.contents.scales[0], &how, &p, &built));
        idx_built_free(built);
        c.contents.scales[0].params = p;
        c.contents.seed = 5;
        ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
        unsetenv("IDX_KERN");
        data[twin] = read_aligned(path, &n[twin]);
        unlink(path);
    }
    ck_assert_uint_eq(n[0], n[1]);
    ck_assert_msg(!memcmp(data[0], data[1], n[0]), "%s: they differ",
                  families[_i].name);
    free(data[0]);
    free(data[1]);
    corpus_free(&c);
}
END_TEST

/* What was built while tuning is what idx_write() builds by the same parameters. */
START_TEST(what_the_tuner_built_is_what_would_be_written_without_it)
{
    corpus c;
    idx_built *built, again;
    make_rows(&c, 700, DIM);
    idx_scale sc = c.contents.scales[0];
    const idx_tuning how = {.seed = 5, .target_recall = 0.8F};
    const idx_making making = {.seed = 5, .kern = idx_kern_pick()};
    sc.params = families[_i].p;
    ck_assert(!idx_tune(&sc, &how, &sc.params, &built));
    ck_assert(!idx_build(&again, &sc, &making));
    const fmt_scale h = {.dim = DIM,
                         .n_entries = 700,
                         .family = sc.params.family,
                         .n_planes = sc.params.n_planes,
                         .n_tables = sc.params.n_tables,
                         .n_cells = sc.params.n_cells,
                         .leaf = sc.params.leaf,
                         .max_scanned = sc.params.max_scanned};
    for (uint32_t kind = FMT_CENTRE; kind < FMT_KINDS; kind++)
        if (fmt_bytes(&h, kind))
            ck_assert_msg(!memcmp(built->at[kind], again.at[kind], fmt_bytes(&h, kind)),
                          "%s: section %s differs", families[_i].name,
                          fmt_kind_name(kind));
    idx_built_free(built);
    idx_built_clear(&again);
    corpus_free(&c);
}
END_TEST

/* ---- Rows that are no corpus ---------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t n, dim, n_different; /* rows: 0 all */
    float target;                 /* 1, but where that takes minutes */
} shapes[] = {
    {"one row", 1, DIM, 1, 1},
    {"two rows", 2, DIM, 2, 1},
    {"fewer rows than dim", 7, DIM, 7, 1},
    {"one dimension", 300, 1, 0, 1},
    {"copies of one row", 1500, DIM, 1, 1},
    {"copies of two rows", 1500, DIM, 2, 1},
    {"a giant cluster", 1500, DIM, 40, 0.9F},
};

/* All but n_different rows are copies of the first. */
static void
make_shape(corpus *c, int i)
{
    const uint32_t dim = shapes[i].dim, n = shapes[i].n;
    make_rows(c, n, dim);
    for (uint32_t r = shapes[i].n_different; shapes[i].n_different && r < n; r++)
        memcpy(c->array[0][4] + (size_t)r * dim, c->array[0][4], dim * sizeof(float));
}

START_TEST(rows_of_any_shape_are_built_searched_and_found)
{
    for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); i++) {
        corpus c;
        idx_scratch *s;
        idx_hit hits[IDX_MAX_K], exact[IDX_MAX_K];
        uint32_t n_hits, n_exact;
        idx_work work;
        make_shape(&c, i);
        idx_index *ix = open_tuned(&c, _i, shapes[i].target, shapes[i].name);
        const idx_scale *sc = idx_scale_of(ix, 0);
        /* halves of one row are not as near to it as the row itself */
        ck_assert_msg(sc->params.recall >= shapes[i].target ||
                          sc->params.stored == IDX_F16,
                      "%s, %s: recall %g", families[_i].name, shapes[i].name,
                      (double)sc->params.recall);
        ck_assert(!idx_scratch_new(&s, ix));
        const idx_params all = {.n_probes = sc->params.n_probes,
                                .max_candidates = shapes[i].n,
                                .max_scanned = UINT32_MAX};
        ck_assert(!idx_scratch_set(s, 0, &all));
        const float *x = c.contents.scales[0].rows;
        ck_assert(!idx_query(ix, 0, s, x, 1, hits, &n_hits, &work));
        ck_assert_uint_eq(n_hits, 1);
        ck_assert_uint_eq(hits[0].entry, 0); /* of equal ones the first */
        ck_assert_uint_le(work.n_candidates, shapes[i].n);
        /* as many as there are where more are wanted */
        ck_assert(!idx_query(ix, 0, s, x, IDX_MAX_K, hits, &n_hits, &work));
        ck_assert(!idx_query_exact(ix, 0, s, x, IDX_MAX_K, exact, &n_exact));
        ck_assert_uint_le(n_hits, n_exact);
        if (shapes[i].n_different == 1)
            ck_assert_msg(n_hits == n_exact &&
                              !memcmp(hits, exact, n_hits * sizeof *hits),
                          "%s, %s: %u copies of %u", families[_i].name, shapes[i].name,
                          n_hits, n_exact);
        /* the sound of the row left out */
        idx_scratch_skip(s, sc->entries[0].sound);
        ck_assert(!idx_query(ix, 0, s, x, IDX_MAX_K, hits, &n_hits, NULL));
        for (uint32_t h = 0; h < n_hits; h++)
            ck_assert_uint_ne(sc->entries[hits[h].entry].sound, sc->entries[0].sound);
        idx_scratch_free(s);
        idx_close(ix);
        corpus_free(&c);
    }
}
END_TEST

START_TEST(what_has_no_place_is_refused_and_what_is_far_away_is_not)
{
    corpus c;
    idx_scratch *s;
    idx_hit hits[10];
    uint32_t n_hits;
    float x[DIM] = {0};
    const bool euclid = families[_i].p.metric == IDX_EUCLID;
    make_rows(&c, 500, DIM);
    idx_index *ix = open_tuned(&c, _i, 0.9F, "a corpus");
    ck_assert(!idx_scratch_new(&s, ix));
    ck_assert_int_eq(idx_query(ix, 0, s, x, 10, hits, &n_hits, NULL),
                     euclid ? IDX_OK : IDX_ESILENT);
    x[3] = NAN;
    ck_assert_int_eq(idx_query(ix, 0, s, x, 10, hits, &n_hits, NULL), IDX_ESILENT);
    x[3] = INFINITY;
    ck_assert_int_eq(idx_query(ix, 0, s, x, 10, hits, &n_hits, NULL), IDX_ESILENT);
    for (int sign = -1; sign < 2; sign += 2) {
        for (int j = 0; j < DIM; j++)
            x[j] = (float)sign * (j % 2 ? -3e37F : 3e37F);
        ck_assert_int_eq(idx_query(ix, 0, s, x, 10, hits, &n_hits, NULL), IDX_OK);
    }
    ck_assert_int_eq(idx_query(ix, 0, s, x, 0, hits, &n_hits, NULL), IDX_EARG);
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

/* ---- Metrics -------------------------------------------------------------------- */

START_TEST(unit_rows_have_the_same_neighbours_by_both_metrics)
{
    static const int pairs[2][2] = {{2, 3}, {4, 5}}; /* of families[] */
    corpus c;
    idx_scratch *s[2];
    idx_index *ix[2];
    make_rows(&c, 2000, DIM);
    for (int m = 0; m < 2; m++) {
        ix[m] = open_tuned(&c, pairs[_i][m], 1.0F, "a corpus");
        ck_assert(!idx_scratch_new(&s[m], ix[m]));
    }
    uint64_t state = 6;
    uint32_t same = 0;
    for (int q = 0; q < 100; q++) {
        float x[DIM];
        idx_hit hits[2][10];
        uint32_t n[2];
        for (int j = 0; j < DIM; j++)
            x[j] = c.array[0][4][q * 20 * DIM + j] + 0.02F * rnd_normal(&state);
        unit_length(x, DIM);
        for (int m = 0; m < 2; m++)
            ck_assert(!idx_query(ix[m], 0, s[m], x, 10, hits[m], &n[m], NULL));
        for (uint32_t i = 0; i < 10 && i < n[0] && i < n[1]; i++) {
            same += hits[0][i].entry == hits[1][i].entry;
            ck_assert_float_eq_tol(hits[0][i].cosine, hits[1][i].cosine + 1.0F, 2e-3F);
        }
    }
    ck_assert_msg(same > 950, "%u of 1000", same);
    for (int m = 0; m < 2; m++) {
        idx_scratch_free(s[m]);
        idx_close(ix[m]);
    }
    corpus_free(&c);
}
END_TEST

static const struct {
    const char *name;
    idx_params p;
} wrong[] = {
    {"17 functions", {.family = IDX_P_STABLE, .n_planes = 17}},
    {"a width that is NaN", {.family = IDX_P_STABLE, .width = (float)NAN}},
    {"an endless width", {.family = IDX_P_STABLE, .width = INFINITY}},
    {"a third kind of plane", {.family = IDX_FOREST, .n_planes = 3}},
    {"cross-polytopes by Euclid", {.family = IDX_CROSS_POLYTOPE, .metric = IDX_EUCLID}},
    {"hyperplanes by Euclid", {.family = IDX_HYPERPLANE, .metric = IDX_EUCLID}},
    {"fewer probes than tables",
     {.family = IDX_CROSS_POLYTOPE, .n_tables = 9, .n_probes = 8}},
    {"23 bits", {.family = IDX_CROSS_POLYTOPE, .n_planes = 23}},
};

START_TEST(wrong_wishes_are_refused)
{
    corpus c;
    make_rows(&c, 100, DIM);
    idx_params p = wrong[_i].p;
    idx_built *built;
    const idx_tuning how = {.seed = 5, .target_recall = 0.8F};
    ck_assert_msg(idx_tune(&c.contents.scales[0], &how, &p, &built) == IDX_EARG,
                  "case: %s", wrong[_i].name);
    ck_assert(!built && !memcmp(&p, &wrong[_i].p, sizeof p));
    corpus_free(&c);
}
END_TEST

/* ---- Where what is built lies --------------------------------------------------- */

/* A store that counts its blocks, and has room for so many more. */
typedef struct {
    long held, left;
} counted;

static void *
grow(void *ctx, void *block, size_t n_bytes)
{
    counted *c = ctx;
    if (c->left == 0)
        return NULL;
    c->left--;
    c->held += block == NULL;
    void *grown = realloc(block, n_bytes);
    ck_assert(grown != NULL);
    if (!block)
        memset(grown, 0x5a, n_bytes); /* new bytes are undefined */
    return grown;
}

static void
drop(void *ctx, void *block)
{
    counted *c = ctx;
    c->held -= block != NULL;
    free(block);
}

static const struct {
    const char *name;
    idx_params p;
} stored[] = {
    {"hyperplane", {.family = IDX_HYPERPLANE}},
    {"cross-polytope", {.family = IDX_CROSS_POLYTOPE}},
    {"p-stable", {.family = IDX_P_STABLE}},
    {"forest of halves", {.family = IDX_FOREST, .stored = IDX_F16}},
    {"cells", {.family = IDX_CELLS}},
    {"cells of halves", {.family = IDX_CELLS, .stored = IDX_F16}},
    {"cells of bytes", {.family = IDX_CELLS, .stored = IDX_I8}},
};

/* Whether two that were built by p are the same; returns the number of sections. */
static long
count_same(const idx_built *a, const idx_built *b, const idx_params *p, uint32_t n)
{
    const fmt_scale h = {.dim = DIM,
                         .n_entries = n,
                         .family = p->family,
                         .stored = p->stored,
                         .n_planes = p->n_planes,
                         .n_tables = p->n_tables,
                         .n_cells = p->n_cells,
                         .leaf = p->leaf,
                         .max_scanned = p->max_scanned};
    long n_sections = 0;
    for (uint32_t kind = 0; kind < FMT_KINDS; kind++) {
        const char *name = fmt_kind_name(kind);
        ck_assert_msg(!a->at[kind] == !b->at[kind], "one has no %s", name);
        if (!a->at[kind])
            continue;
        n_sections++;
        ck_assert_msg(!memcmp(a->at[kind], b->at[kind], fmt_bytes(&h, kind)),
                      "section %s differs", name);
    }
    return n_sections;
}

START_TEST(what_is_built_lies_in_the_store_and_leaves_when_there_is_no_room)
{
    enum { N = 300 };
    static const uint32_t n_sounds[] = {SOUNDS,
                                        1}; /* one: entries of the tuning's own */
    for (int i = 0; i < 2; i++) {
        corpus c;
        counted room = {.left = -1};
        idx_built *plain, *kept;
        corpus_make(&c, (const uint32_t[]){N, 0, 0, 0},
                    (const uint32_t[]){DIM, 0, 0, 0}, n_sounds[i], 42);
        const idx_scale *sc = &c.contents.scales[0];
        idx_tuning how = {.seed = 5, .target_recall = 0.8F};
        idx_params p = stored[_i].p, q = p;
        ck_assert(!idx_tune(sc, &how, &p, &plain));
        how.store = (idx_store){grow, drop, &room};
        ck_assert(!idx_tune(sc, &how, &q, &kept));
        ck_assert(!memcmp(&p, &q, sizeof p));
        const long n_sections = count_same(plain, kept, &p, N);
        ck_assert_int_eq(room.held, n_sections);
        idx_built_free(plain);
        idx_built_free(kept);
        ck_assert_int_eq(room.held, 0);
        idx_status st = IDX_ENOMEM;
        long k = 0;
        for (; st; k++) {
            room.left = k;
            q = stored[_i].p;
            st = idx_tune(sc, &how, &q, &kept);
            ck_assert_msg(!st || (st == IDX_ENOMEM && !kept),
                          "%s: %d with room for %ld", stored[_i].name, st, k);
            ck_assert_int_eq(room.held, st ? 0 : n_sections);
        }
        ck_assert_int_gt(k, n_sections);
        idx_built_free(kept);
        corpus_free(&c);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("families");
    TCase *tc = tcase_create("families");
    tcase_set_timeout(tc, 240);
    tcase_add_loop_test(tc, tuning_reaches_its_target_and_says_what_it_takes, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, the_bytes_are_the_same_whatever_the_kernel, 0, N_FAMILIES);
    tcase_add_loop_test(tc, what_the_tuner_built_is_what_would_be_written_without_it, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, rows_of_any_shape_are_built_searched_and_found, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, what_has_no_place_is_refused_and_what_is_far_away_is_not, 0,
                        N_FAMILIES);
    tcase_add_loop_test(tc, unit_rows_have_the_same_neighbours_by_both_metrics, 0, 2);
    tcase_add_loop_test(
        tc, what_is_built_lies_in_the_store_and_leaves_when_there_is_no_room, 0,
        (int)(sizeof stored / sizeof *stored));
    tcase_add_loop_test(tc, wrong_wishes_are_refused, 0,
                        (int)(sizeof wrong / sizeof *wrong));
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
