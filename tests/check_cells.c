/* The family of cells: answers, whatever the rows. */
#include "tests/idx_cells.h"

#include "index/cells_code.h"
#include "index/half.h"

#include <float.h>

extern _Atomic uint64_t heap_calls; /* see support.h */

enum { MOST_K = 1000, QUERIES = 60 };
static const uint32_t ks[] = {10, 1, 3, MOST_K};

/* ---- The exact twin ------------------------------------------------------------- */

static const uint32_t dims[] = {1, 2, 3, 7, 8, 19, 64, 128};
enum { N_DIMS = sizeof dims / sizeof *dims };

static const struct {
    const char *name;
    idx_metric metric;
    idx_stored stored;
    double low, high; /* powers of ten that lengths lie between; 0, 0: unit */
    float mean;       /* of every coordinate */
} kinds[] = {
    {"cosine f32", IDX_COSINE, IDX_F32, 0, 0, 0},
    {"cosine f16", IDX_COSINE, IDX_F16, 0, 0, 0},
    {"cosine i8", IDX_COSINE, IDX_I8, 0, 0, 0},
    {"Euclid f32", IDX_EUCLID, IDX_F32, 0, 0, 0},
    {"Euclid f16", IDX_EUCLID, IDX_F16, 0, 0, 0},
    {"Euclid i8", IDX_EUCLID, IDX_I8, 0, 0, 0},
    {"Euclid f32 of many lengths", IDX_EUCLID, IDX_F32, -3, 4, 0},
    {"Euclid f16 of many lengths", IDX_EUCLID, IDX_F16, -3, 4, 0},
    {"Euclid i8 of many lengths", IDX_EUCLID, IDX_I8, -3, 4, 0},
    {"Euclid f32 far from the origin", IDX_EUCLID, IDX_F32, 0, 0, 300},
    {"Euclid f32 of tiny lengths", IDX_EUCLID, IDX_F32, -20, -18, 0},
    {"Euclid f32 of great lengths", IDX_EUCLID, IDX_F32, 14, 15, 0},
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static void
of_kind(cells *c, uint32_t n, uint32_t dim, int kind, uint64_t *state)
{
    cells_walk(c, n, dim, dim + 1);
    for (uint32_t i = 0; i < n; i++) {
        const double u = rnd_unit(state);
        const double length =
            pow(10, kinds[kind].low + u * (kinds[kind].high - kinds[kind].low));
        for (uint32_t j = 0; j < dim; j++)
            c->rows[(size_t)i * dim + j] =
                (float)((double)c->rows[(size_t)i * dim + j] * length) +
                kinds[kind].mean;
    }
    for (uint32_t i = 0; i < 30; i++) /* and some twice */
        memcpy(c->rows + (size_t)(n - 1 - i) * dim, c->rows + (size_t)i * dim,
               dim * sizeof *c->rows);
}

static void
same_as_exact(cells *c, const char *name, uint32_t k, uint64_t *state)
{
    float x[IDX_MAX_DIM];
    idx_hit hits[MOST_K], all[MOST_K];
    cells_query(c, x, state);
    const uint32_t n_all = cells_ask_exact(c, x, k, all);
    const uint32_t n = cells_ask(c, x, k, hits, NULL);
    ck_assert_msg(n == n_all, "case: %s of %u: %u of %u hits", name, c->sc.dim, n,
                  n_all);
    for (uint32_t h = 0; h < n; h++)
        ck_assert_msg(hits[h].entry == all[h].entry && hits[h].cosine == all[h].cosine,
                      "case: %s of %u: hit %u is %u (%.9g), not %u (%.9g)", name,
                      c->sc.dim, h, hits[h].entry, (double)hits[h].cosine, all[h].entry,
                      (double)all[h].cosine);
}

START_TEST(with_all_cells_and_a_great_width_answers_are_the_exact_ones)
{
    const uint32_t dim = dims[_i % N_DIMS];
    const int kind = _i / N_DIMS;
    uint64_t state = (uint64_t)_i;
    cells c;
    of_kind(&c, 1500, dim, kind, &state);
    cells_build(&c, cells_all(64, kinds[kind].metric, kinds[kind].stored), 3);
    for (uint32_t q = 0; q < QUERIES; q++)
        same_as_exact(&c, kinds[kind].name, ks[q % 4], &state);
    cells_free(&c);
}
END_TEST

START_TEST(so_they_are_through_groups_of_cells)
{
    uint64_t state = 5;
    cells c;
    of_kind(&c, 6000, 19, _i, &state);
    cells_build(&c, cells_all(1032, kinds[_i].metric, kinds[_i].stored), 3);
    for (uint32_t q = 0; q < QUERIES; q++)
        same_as_exact(&c, kinds[_i].name, 10, &state);
    cells_free(&c);
}
END_TEST

/* How near row entry of a scale stored as floats is. */
static double
likeness(const cells *c, const float x[], uint32_t entry)
{
    const float *y = c->ix.scales[0].rows + (size_t)entry * c->sc.dim;
    const bool euclid = c->sc.params.metric == IDX_EUCLID;
    double sum = 0.0;
    for (uint32_t i = 0; i < c->sc.dim; i++) {
        const double d = (double)x[i] - (double)y[i];
        sum += euclid ? -0.5 * d * d : (double)x[i] * (double)y[i];
    }
    return sum;
}

START_TEST(rows_of_bytes_answer_within_their_rounding)
{
    enum { N = 8000, DIM = 64 };
    cells bytes, floats; /* the same rows in the same order */
    uint64_t state = 8;
    uint32_t found = 0;
    float x[DIM], row[DIM];
    cells_walk(&bytes, N, DIM, 2);
    cells_walk(&floats, N, DIM, 2);
    cells_build(&bytes, cells_all(128, (idx_metric)_i, IDX_I8), 3);
    cells_build(&floats, cells_all(128, (idx_metric)_i, IDX_F32), 3);
    for (uint32_t q = 0; q < QUERIES; q++) {
        idx_hit hits[10], all[10];
        cells_query(&bytes, x, &state);
        ck_assert(idx_direction(x, x, DIM));
        ck_assert_uint_eq(cells_ask(&bytes, x, 10, hits, NULL), 10);
        ck_assert_uint_eq(cells_ask_exact(&floats, x, 10, all), 10);
        for (int h = 0; h < 10; h++) {
            const double real = likeness(&floats, x, hits[h].entry);
            const float *given = floats.ix.scales[0].rows + hits[h].entry * DIM;
            ck_assert_double_eq_tol((double)hits[h].cosine, real, 4e-3);
            found += real >= (double)all[9].cosine - 1e-6;
            idx_row(&bytes.ix, 0, hits[h].entry, row);
            for (int j = 0; j < DIM; j++) /* half of 1/127 of a residual below 1 */
                ck_assert_double_eq_tol((double)row[j], (double)given[j], 4e-3);
        }
    }
    ck_assert_msg(found >= 0.97 * 10 * QUERIES, "recall %g", found / (10.0 * QUERIES));
    cells_free(&bytes);
    cells_free(&floats);
}
END_TEST

/* ---- What codes tell ------------------------------------------------------------ */

typedef struct {
    uint32_t n, outside;
    double sum, squares, alignment, errors;
} census;

/* A row against a query of its own: f s . (y - R c) and the product of residuals. */
static void
look_at(census *s, const cells *c, const idx_cells *in, uint32_t cell, uint32_t at,
        uint64_t *state)
{
    enum { DIM = 128 };
    const float *row = c->ix.scales[0].rows + (size_t)(in->cell[cell] + at) * DIM;
    const float *centre = in->cells + (size_t)cell * DIM;
    const uint8_t *block =
        in->blocks + (in->block[cell] + at / IDX_CODE_ROWS) * idx_block_bytes(DIM);
    float q[DIM], y[DIM], turned[DIM];
    double sum = 0.0, real = 0.0, gap = 0.0, size = 0.0;
    uint16_t factor;
    random_direction(q, DIM, state);
    idx_code_rotate(y, q, in->signs, DIM);
    idx_code_rotate(turned, centre, in->signs, DIM);
    memcpy(&factor, block + DIM * 4 + at % IDX_CODE_ROWS * 2, sizeof factor);
    for (uint32_t i = 0; i < DIM; i++) {
        const bool bit = block[i / 8 * IDX_CODE_ROWS + at % IDX_CODE_ROWS] >> i % 8 & 1;
        const double away = (double)q[i] - (double)centre[i];
        const double residual = (double)row[i] - (double)centre[i];
        sum += (bit ? 1.0 : -1.0) * ((double)y[i] - (double)turned[i]);
        real += away * residual;
        gap += away * away;
        size += residual * residual;
    }
    const double f = (double)idx_from_half(factor) * (double)in->unit;
    const double error = f * sum - real;
    const double sigma = f * sqrt(gap) * (double)IDX_CODE_ERROR;
    s->n++;
    s->sum += error;
    s->squares += error * error;
    s->outside += fabs(error) > 1.9 * sigma;
    s->errors += error * error / (sigma * sigma);
    s->alignment += sqrt(size) / (f * sqrt((double)DIM));
}

/* Gao and Long (2024), theorem 3.2; 0.7994 by their formula at 128. */
START_TEST(estimates_are_unbiased_and_their_error_is_the_known_one)
{
    census s = {0};
    uint64_t state = 77;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        cells c;
        cells_room(&c, 2000, 128);
        for (uint32_t i = 0; i < 2000; i++)
            random_direction(c.rows + (size_t)i * 128, 128, &state);
        cells_build(&c, cells_all(8, IDX_COSINE, IDX_F32), seed);
        const idx_cells in = idx_cells_of(&c.ix, 0);
        for (uint32_t cell = 0; cell < in.n_cells; cell++)
            for (uint32_t i = 0; i < in.cell[cell + 1] - in.cell[cell]; i++)
                look_at(&s, &c, &in, cell, i, &state);
        cells_free(&c);
    }
    const double bias = s.sum / s.n, sd = sqrt(s.squares / s.n);
    ck_assert_msg(fabs(bias) < 4.0 * sd / sqrt(s.n), "bias %g, sd %g", bias, sd);
    ck_assert_double_eq_tol(s.alignment / s.n, 0.7994, 1e-3);
    ck_assert_double_eq_tol(sqrt(s.errors / s.n), 1.0, 0.03);
    /* 2 (1 - Phi(1.9)) is 5.7 %; methods.md has 1.7 % at cos 0.6, where less is left */
    ck_assert_msg(s.outside < 0.07 * s.n, "%g outside", (double)s.outside / s.n);
}
END_TEST

/* ---- Order, caps and skips ------------------------------------------------------ */

START_TEST(equal_rows_come_in_order_of_entry)
{
    for (int stored = 0; stored <= IDX_I8; stored++) {
        enum { N = 900, DIM = 16 };
        cells c;
        idx_hit hits[300];
        cells_walk(&c, N, DIM, 4);
        for (uint32_t i = 3; i < N; i++) /* three rows, three hundred times each */
            memcpy(c.rows + i * DIM, c.rows + i % 3 * DIM, DIM * sizeof *c.rows);
        cells_build(&c, cells_all(16, _i ? IDX_EUCLID : IDX_COSINE, (idx_stored)stored),
                    3);
        for (uint32_t r = 0; r < 3; r++) {
            ck_assert_uint_eq(cells_ask(&c, c.rows + r * DIM, 300, hits, NULL), 300);
            for (uint32_t h = 1; h < 300; h++)
                ck_assert(hits[h].cosine == hits[0].cosine &&
                          hits[h].entry == hits[h - 1].entry + 1);
            /* of fewer places the lowest entries have them */
            const uint32_t first = hits[0].entry;
            ck_assert_uint_eq(cells_ask(&c, c.rows + r * DIM, 7, hits, NULL), 7);
            ck_assert(hits[0].entry == first && hits[6].entry == first + 6);
        }
        cells_free(&c);
    }
}
END_TEST

START_TEST(caps_are_kept_and_counted)
{
    cells c;
    uint64_t state = 3;
    float x[24];
    idx_hit hits[20];
    cells_walk(&c, 5000, 24, 4);
    cells_build(&c, cells_all(64, IDX_COSINE, IDX_F32), 3);
    for (uint32_t q = 0; q < QUERIES; q++) {
        idx_params p = c.built.params;
        idx_work work;
        cells_query(&c, x, &state);
        p.max_candidates = 7 + q;
        ck_assert_int_eq(idx_scratch_set(c.s, 0, &p), IDX_OK);
        const uint32_t n = cells_ask(&c, x, 20, hits, &work);
        ck_assert_uint_eq(work.n_candidates, 7 + q);
        ck_assert_uint_eq(work.cut, 1);
        ck_assert_uint_eq(n, 7 + q < 20 ? 7 + q : 20);
        p.max_candidates = UINT32_MAX;
        p.max_scanned = 100 + 60 * q;
        ck_assert_int_eq(idx_scratch_set(c.s, 0, &p), IDX_OK);
        ck_assert_msg(cells_ask(&c, x, 20, hits, &work) == 20,
                      "%u codes scored and not 20 hits", work.n_scanned);
        ck_assert_uint_le(work.n_scanned, p.max_scanned);
        ck_assert_uint_gt(work.n_scanned + IDX_CODE_ROWS, p.max_scanned);
        ck_assert_uint_eq(work.cut, 1);
        p.max_scanned = UINT32_MAX;
        p.n_probes = 3;
        ck_assert_int_eq(idx_scratch_set(c.s, 0, &p), IDX_OK);
        cells_ask(&c, x, 20, hits, &work);
        ck_assert(work.n_probes == 3 && work.cut == 0);
        ck_assert_uint_le(work.n_candidates, work.n_scanned);
    }
    cells_free(&c);
}
END_TEST

START_TEST(the_rows_of_all_scanned_codes_can_be_found)
{
    /* one cell holds all; the cap ends the search within its first blocks */
    cells c;
    idx_hit hits[64];
    idx_work work;
    cells_room(&c, 2000, 8);
    for (uint32_t i = 0; i < 2000; i++)
        c.rows[i * 8] = 1.0F;
    cells_build(&c, cells_all(8, IDX_COSINE, IDX_F32), 3);
    idx_params p = c.built.params;
    p.max_scanned = 64;
    ck_assert_int_eq(idx_scratch_set(c.s, 0, &p), IDX_OK);
    ck_assert_uint_eq(cells_ask(&c, c.rows, 64, hits, &work), 64);
    for (uint32_t h = 0; h < 64; h++)
        ck_assert_uint_eq(hits[h].entry, h);
    ck_assert(work.n_scanned == 64 && work.n_candidates == 64 && work.cut == 1);
    cells_free(&c);
}
END_TEST

START_TEST(a_skipped_sound_is_left_out)
{
    cells c;
    uint64_t state = 3;
    float x[24];
    idx_hit hits[30], all[30];
    idx_work work;
    cells_walk(&c, 3000, 24, 4);
    cells_build(&c, cells_all(64, IDX_EUCLID, _i ? IDX_I8 : IDX_F32), 3);
    const idx_entry *entries = c.ix.scales[0].entries;
    for (uint32_t q = 0; q < QUERIES; q++) {
        cells_query(&c, x, &state);
        idx_scratch_skip(c.s, UINT32_MAX);
        ck_assert_uint_eq(cells_ask(&c, x, 30, hits, NULL), 30);
        const uint32_t sound = entries[hits[0].entry].sound;
        idx_scratch_skip(c.s, sound);
        const uint32_t n = cells_ask(&c, x, 30, hits, &work);
        ck_assert_uint_eq(cells_ask_exact(&c, x, 30, all), n);
        ck_assert(memcmp(hits, all, n * sizeof *hits) == 0);
        for (uint32_t h = 0; h < n; h++)
            ck_assert_uint_ne(entries[hits[h].entry].sound, sound);
    }
    cells_free(&c);
}
END_TEST

/* ---- Queries and settings ------------------------------------------------------- */

START_TEST(fewer_rows_than_wanted_all_come)
{
    cells c;
    static idx_hit hits[MOST_K], all[MOST_K];
    cells_walk(&c, 300, 8, 4);
    cells_build(&c, cells_all(8, IDX_COSINE, (idx_stored)_i), 3);
    ck_assert_uint_eq(cells_ask(&c, c.rows, MOST_K, hits, NULL), 300);
    ck_assert_uint_eq(cells_ask_exact(&c, c.rows, MOST_K, all), 300);
    ck_assert(memcmp(hits, all, 300 * sizeof *hits) == 0);
    ck_assert_uint_eq(cells_ask(&c, c.rows, 1, hits, NULL), 1);
    ck_assert(memcmp(hits, all, sizeof *hits) == 0);
    cells_free(&c);
}
END_TEST

START_TEST(queries_without_a_place_are_refused_and_extreme_ones_answered)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    static const float extreme[] = {0.0F,  1e-45F, 1e-38F, 1e-30F, 1e-20F,
                                    1e18F, 1e20F,  1e30F,  3e38F,  -3e38F};
    for (int metric = 0; metric < 2; metric++) {
        cells c;
        float x[12] = {0};
        idx_hit hits[10];
        uint32_t n = 9;
        cells_walk(&c, 700, 12, 4);
        cells_build(&c, cells_all(16, (idx_metric)metric, (idx_stored)_i), 3);
        ck_assert_int_eq(idx_query(&c.ix, 0, c.s, x, 10, hits, &n, NULL),
                         metric ? IDX_OK : IDX_ESILENT);
        ck_assert_uint_eq(n, metric ? 10 : 0);
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
            n = 9;
            x[11] = odd[i];
            ck_assert_int_eq(idx_query(&c.ix, 0, c.s, x, 10, hits, &n, NULL),
                             IDX_ESILENT);
            ck_assert_uint_eq(n, 0);
        }
        for (size_t i = 0; i < sizeof extreme / sizeof *extreme; i++) {
            for (int j = 0; j < 12; j++)
                x[j] = j % 3 ? extreme[i] : 0.5F * extreme[i];
            const idx_status st = idx_query(&c.ix, 0, c.s, x, 10, hits, &n, NULL);
            ck_assert(st == IDX_OK || (st == IDX_ESILENT && !metric));
            /* where squares overflow nothing is near */
            ck_assert_msg(n == (st ? 0 : 10) || (n == 0 && fabsf(extreme[i]) > 1e19F),
                          "all %g: %u hits", (double)extreme[i], n);
            for (uint32_t h = 0; h < n; h++)
                ck_assert(!isnan(hits[h].cosine) && hits[h].entry < 700);
        }
        cells_free(&c);
    }
}
END_TEST

static const struct {
    const char *name;
    uint32_t n_probes, max_candidates, max_scanned;
    float width;
    bool ok;
} wishes[] = {
    {"as built", 16, 9, 9, 2.0F, true},
    {"least of all", 1, 1, 1, 0.0F, true},
    {"no probes", 0, 9, 9, 2.0F, false},
    {"more probes than cells", 17, 9, 9, 2.0F, false},
    {"no candidates", 16, 0, 9, 2.0F, false},
    {"nothing scanned", 16, 9, 0, 2.0F, false},
    {"negative width", 16, 9, 9, -1.0F, false},
    {"width NaN", 16, 9, 9, NAN, false},
    {"width infinite", 16, 9, 9, INFINITY, false},
};

START_TEST(settings_out_of_range_are_refused)
{
    cells c;
    idx_hit hits[10], before[10];
    cells_walk(&c, 700, 12, 4);
    cells_build(&c, cells_all(16, IDX_COSINE, IDX_F32), 3);
    const uint32_t n = cells_ask(&c, c.rows, 10, before, NULL);
    const idx_params p = {.n_probes = wishes[_i].n_probes,
                          .max_candidates = wishes[_i].max_candidates,
                          .max_scanned = wishes[_i].max_scanned,
                          .width = wishes[_i].width};
    ck_assert_msg(idx_scratch_set(c.s, 0, &p) == (wishes[_i].ok ? IDX_OK : IDX_EARG),
                  "case: %s", wishes[_i].name);
    ck_assert_int_eq(idx_scratch_set(c.s, 1, &p), IDX_EARG); /* searched exactly */
    ck_assert_int_eq(idx_scratch_set(c.s, IDX_SCALES, &p), IDX_EARG);
    if (!wishes[_i].ok) {
        ck_assert_uint_eq(cells_ask(&c, c.rows, 10, hits, NULL), n);
        ck_assert(memcmp(before, hits, sizeof hits) == 0);
    }
    cells_free(&c);
}
END_TEST

START_TEST(a_search_allocates_nothing)
{
    cells c;
    uint64_t state = 3, before, after;
    float x[24];
    idx_hit hits[20];
    uint32_t n;
    cells_walk(&c, 3000, 24, 4);
    cells_build(&c, cells_all(64, IDX_EUCLID, (idx_stored)_i), 3);
    cells_query(&c, x, &state);
    before = atomic_load(&heap_calls);
    for (int q = 0; q < 100; q++) {
        x[q % 24] += 0.01F;
        idx_query(&c.ix, 0, c.s, x, 20, hits, &n, NULL);
        idx_query_exact(&c.ix, 0, c.s, x, 20, hits, &n);
    }
    after = atomic_load(&heap_calls);
    ck_assert_uint_eq(before, after);
    cells_free(&c);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("cells");
    TCase *tc = tcase_create("cells");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, with_all_cells_and_a_great_width_answers_are_the_exact_ones,
                        0, N_KINDS * N_DIMS);
    tcase_add_loop_test(tc, so_they_are_through_groups_of_cells, 0, N_KINDS);
    tcase_add_loop_test(tc, rows_of_bytes_answer_within_their_rounding, 0, 2);
    tcase_add_test(tc, estimates_are_unbiased_and_their_error_is_the_known_one);
    tcase_add_loop_test(tc, equal_rows_come_in_order_of_entry, 0, 2);
    tcase_add_test(tc, caps_are_kept_and_counted);
    tcase_add_test(tc, the_rows_of_all_scanned_codes_can_be_found);
    tcase_add_loop_test(tc, a_skipped_sound_is_left_out, 0, 2);
    tcase_add_loop_test(tc, fewer_rows_than_wanted_all_come, 0, 3);
    tcase_add_loop_test(
        tc, queries_without_a_place_are_refused_and_extreme_ones_answered, 0, 3);
    tcase_add_loop_test(tc, settings_out_of_range_are_refused, 0,
                        (int)(sizeof wishes / sizeof *wishes));
    tcase_add_loop_test(tc, a_search_allocates_nothing, 0, 3);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
