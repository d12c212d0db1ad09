/* Opening and searching an index, as index.h promises. */
#include "tests/idx_support.h"

#include <check.h>
#include <sys/stat.h>

static char why[300];

static const idx_params hashed = {.family = IDX_HYPERPLANE,
                                  .n_planes = 5,
                                  .n_tables = 3,
                                  .n_probes = 40,
                                  .max_candidates = 400,
                                  .recall = 0.97F,
                                  .candidates = 123.5F};

static void
usual(corpus *c)
{
    corpus_usual(c, &hashed);
}

static idx_index *
write_and_open(const corpus *c)
{
    idx_index *ix = NULL;
    const char *path = temp_path("index.hkn");
    why[0] = '\0';
    if (!idx_write(path, &c->contents, NULL, why, sizeof why))
        idx_open(&ix, path, why, sizeof why);
    unlink(path);
    ck_assert_msg(ix != NULL, "%s", why);
    return ix;
}

static idx_scratch *
scratch_of(const idx_index *ix)
{
    idx_scratch *s;
    ck_assert_int_eq(idx_scratch_new(&s, ix), IDX_OK);
    return s;
}

/* ---- Round trip ----------------------------------------------------------------- */

static void
same_floats(const float a[], const float b[], size_t n, const char *name)
{
    ck_assert_msg((n == 0 && !b) || memcmp(a, b, n * sizeof *a) == 0, "%s differ",
                  name);
}

static void
same_scale(const idx_scale *a, const idx_scale *b)
{
    ck_assert(a->n_in == b->n_in && a->dim == b->dim);
    ck_assert(a->n_entries == b->n_entries && a->n_knots == b->n_knots);
    ck_assert(!a->matrix == !b->matrix);
    same_floats(a->mean, b->mean, a->n_in, "means");
    same_floats(a->spread, b->spread, a->n_in, "spreads");
    same_floats(a->matrix, b->matrix, a->matrix ? (size_t)a->n_in * a->dim : 0,
                "matrices");
    same_floats(a->knots, b->knots, a->n_knots, "knots");
    same_floats(a->rows, b->rows, a->codes ? 0 : (size_t)a->n_entries * a->dim, "rows");
    same_floats(a->hamming_knots, b->hamming_knots, a->codes ? a->n_knots : 0,
                "hamming knots");
    ck_assert(!a->codes == !b->codes);
    ck_assert(!a->codes ||
              !memcmp(a->codes, b->codes,
                      (size_t)a->n_entries * ((a->dim + 63) / 64) * sizeof *a->codes));
    ck_assert(a->n_entries == 0 ||
              memcmp(a->entries, b->entries, a->n_entries * sizeof *a->entries) == 0);
    ck_assert_uint_eq((uintptr_t)b->rows % 64, 0);
}

START_TEST(what_is_written_is_read)
{
    corpus c;
    usual(&c);
    idx_index *ix = write_and_open(&c);
    ck_assert_str_eq(idx_settings(ix), c.contents.settings);
    ck_assert_str_eq(idx_report(ix), c.contents.report);
    ck_assert_uint_eq(idx_n_sounds(ix), CORPUS_SOUNDS);
    for (uint32_t i = 0; i < CORPUS_SOUNDS; i++) {
        const idx_sound s = idx_sound_of(ix, i);
        ck_assert_str_eq(s.path, c.sounds[i].path);
        ck_assert_str_eq(s.label, c.sounds[i].label);
        ck_assert(s.seconds == c.sounds[i].seconds && s.rate_hz == 48000);
        ck_assert_uint_eq(s.n_channels, c.sounds[i].n_channels);
    }
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        same_scale(&c.contents.scales[i], idx_scale_of(ix, i));
    ck_assert(memcmp(&idx_scale_of(ix, 0)->params, &hashed, sizeof hashed) == 0);
    ck_assert_uint_eq(idx_scale_of(ix, 1)->params.family, IDX_EXACT);
    ck_assert(idx_scale_of(ix, 1)->params.recall == 1.0F);
    size_t n_bytes;
    ck_assert(idx_memory(ix, &n_bytes) != NULL && n_bytes > 500 * 24 * 4);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

static unsigned char *
written_bytes(const corpus *c, size_t *n)
{
    const char *path = temp_path("bytes.hkn");
    ck_assert_msg(!idx_write(path, &c->contents, NULL, why, sizeof why), "%s", why);
    unsigned char *data = read_aligned(path, n);
    unlink(path);
    return data;
}

START_TEST(the_same_contents_give_the_same_bytes_with_every_kernel)
{
    corpus c;
    size_t n1, n2;
    usual(&c);
    unsigned char *fast = written_bytes(&c, &n1);
    setenv("IDX_KERN", "c", 1);
    unsigned char *twin = written_bytes(&c, &n2);
    unsetenv("IDX_KERN");
    ck_assert(n1 == n2 && memcmp(fast, twin, n1) == 0);
    c.contents.seed++;
    free(twin);
    twin = written_bytes(&c, &n2);
    ck_assert_msg(memcmp(fast, twin, n1) != 0, "the seed changes nothing");
    free(fast);
    free(twin);
    corpus_free(&c);
}
END_TEST

/* Across blocks of a scan too; no kernel differs in the last bit. */
START_TEST(likeness_is_the_greatest_product_with_every_kernel)
{
    enum { DIM = 24, MOST = 2 * 1024 + 3 };
    static const uint32_t lengths[] = {0, 1, 5, 1023, 1024, 1025, MOST};
    corpus c;
    usual(&c);
    idx_index *ix = write_and_open(&c);
    idx_scratch *fast = scratch_of(ix);
    setenv("IDX_KERN", "c", 1);
    idx_scratch *twin = scratch_of(ix);
    unsetenv("IDX_KERN");
    static float rows[MOST * DIM];
    float x[DIM];
    uint64_t seed = 5;
    for (size_t i = 0; i < MOST * DIM; i++)
        rows[i] = 0.2F * rnd_normal(&seed);
    for (size_t i = 0; i < DIM; i++)
        x[i] = 0.2F * rnd_normal(&seed);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        double most = -1;
        for (uint32_t r = 0; r < lengths[i]; r++) {
            double sum = 0;
            for (uint32_t d = 0; d < DIM; d++)
                sum += (double)x[d] * (double)rows[(size_t)r * DIM + d];
            most = fmax(most, sum);
        }
        const float got = idx_likeness(fast, x, DIM, rows, lengths[i]);
        ck_assert_msg(fabs((double)got - most) < 1e-6, "%u rows: %g, not %g",
                      lengths[i], (double)got, most);
        ck_assert(got == idx_likeness(twin, x, DIM, rows, lengths[i]));
    }
    idx_scratch_free(fast);
    idx_scratch_free(twin);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

START_TEST(an_index_of_nothing_can_be_written_and_asked)
{
    corpus c;
    corpus_make(&c, (const uint32_t[]){0, 0, 0, 0}, (const uint32_t[]){12, 0, 0, 0}, 0,
                1);
    c.contents.settings = c.contents.report = "";
    idx_index *ix = write_and_open(&c);
    idx_scratch *s = scratch_of(ix);
    float x[12] = {1};
    idx_hit hit;
    uint32_t n;
    idx_work work;
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        n = 9;
        ck_assert_int_eq(
            idx_query_codes(ix, i, s, (const uint64_t[]){1}, 1, true, &hit, &n, &work),
            IDX_OK);
        ck_assert_uint_eq(n, 0);
        n = 9;
        ck_assert_int_eq(idx_query(ix, i, s, x, 1, &hit, &n, &work), IDX_OK);
        ck_assert_uint_eq(n, 0);
        ck_assert_uint_eq(work.n_candidates, 0);
    }
    ck_assert_uint_eq(idx_n_sounds(ix), 0);
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

/* ---- Searching ------------------------------------------------------------------ */

START_TEST(answers_are_those_of_a_plain_loop_in_double)
{
    corpus c;
    usual(&c);
    idx_index *ix = write_and_open(&c);
    idx_scratch *s = scratch_of(ix);
    const idx_scale *sc = idx_scale_of(ix, 0);
    uint64_t state = 5;
    for (int q = 0; q < 20; q++) {
        float x[24];
        idx_hit hits[10];
        uint32_t n;
        random_direction(x, 24, &state);
        ck_assert_int_eq(idx_query_exact(ix, 0, s, x, 10, hits, &n), IDX_OK);
        ck_assert_uint_eq(n, 10);
        uint32_t better = 0; /* rows clearly above the last hit are all in the answer */
        for (uint32_t i = 0; i < sc->n_entries; i++) {
            double sum = 0.0;
            for (uint32_t j = 0; j < 24; j++)
                sum += (double)x[j] * (double)sc->rows[(size_t)i * 24 + j];
            better += sum > (double)hits[9].cosine + 1e-6;
            for (uint32_t h = 0; h < 10; h++)
                ck_assert(hits[h].entry != i ||
                          fabs(sum - (double)hits[h].cosine) < 1e-6);
        }
        ck_assert_uint_le(better, 9);
        for (uint32_t h = 1; h < 10; h++)
            ck_assert(hits[h].cosine <= hits[h - 1].cosine);
    }
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

START_TEST(equal_cosines_come_in_order_of_entry_in_both_families)
{
    for (int family = 0; family < 2; family++) {
        corpus c;
        corpus_make(&c, (const uint32_t[]){300, 0, 0, 0},
                    (const uint32_t[]){16, 0, 0, 0}, 4, 3);
        for (uint32_t i = 3; i < 300; i++) /* three rows, a hundred times over */
            memcpy(c.array[0][4] + i * 16, c.array[0][4] + i % 3 * 16,
                   16 * sizeof(float));
        if (family == IDX_HYPERPLANE)
            c.contents.scales[0].params = (idx_params){.family = IDX_HYPERPLANE,
                                                       .n_planes = 2,
                                                       .n_tables = 2,
                                                       .n_probes = 8,
                                                       .max_candidates = 300};
        idx_index *ix = write_and_open(&c);
        idx_scratch *s = scratch_of(ix);
        idx_hit hits[300];
        uint32_t n;
        ck_assert(!idx_query(ix, 0, s, c.array[0][4] + 16, 300, hits, &n, NULL));
        ck_assert_uint_eq(n, 300);
        for (uint32_t i = 0; i < 100; i++)
            ck_assert_uint_eq(hits[i].entry, 3 * i + 1);
        for (uint32_t i = 1; i < 300; i++)
            ck_assert(hits[i].cosine < hits[i - 1].cosine ||
                      (hits[i].cosine == hits[i - 1].cosine &&
                       hits[i].entry > hits[i - 1].entry));
        ck_assert(hits[0].cosine <= 1.0F && hits[0].cosine > 0.999999F);
        idx_scratch_free(s);
        idx_close(ix);
        corpus_free(&c);
    }
}
END_TEST

START_TEST(one_entry_answers_whatever_is_asked)
{
    for (int family = 0; family < 2; family++) {
        corpus c;
        corpus_make(&c, (const uint32_t[]){1, 0, 0, 0}, (const uint32_t[]){5, 0, 0, 0},
                    1, 3);
        if (family == IDX_HYPERPLANE)
            c.contents.scales[0].params = (idx_params){.family = IDX_HYPERPLANE,
                                                       .n_planes = 1,
                                                       .n_tables = 1,
                                                       .n_probes = 2,
                                                       .max_candidates = 1};
        idx_index *ix = write_and_open(&c);
        idx_scratch *s = scratch_of(ix);
        const float x[5] = {-1, 2, 3, -4, 1e6F};
        idx_hit hits[1000];
        uint32_t n;
        ck_assert(!idx_query(ix, 0, s, x, 1000, hits, &n, NULL));
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(hits[0].entry, 0);
        idx_scratch_free(s);
        idx_close(ix);
        corpus_free(&c);
    }
}
END_TEST

START_TEST(a_query_without_direction_is_silent)
{
    static const float bad[] = {0.0F, 1e-20F, (float)NAN, INFINITY, -INFINITY};
    corpus c;
    usual(&c);
    idx_index *ix = write_and_open(&c);
    idx_scratch *s = scratch_of(ix);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (uint32_t scale = 0; scale < 2; scale++) {
            float x[24] = {0};
            idx_hit hit;
            uint32_t n = 7;
            x[3] = bad[i];
            ck_assert_int_eq(idx_query(ix, scale, s, x, 1, &hit, &n, NULL),
                             IDX_ESILENT);
            ck_assert_uint_eq(n, 0);
            ck_assert_int_eq(idx_query_exact(ix, scale, s, x, 1, &hit, &n),
                             IDX_ESILENT);
        }
    float x[24] = {0};
    idx_hit hit;
    uint32_t n;
    x[0] = 3e38F; /* its square is no float */
    ck_assert_int_eq(idx_query(ix, 0, s, x, 1, &hit, &n, NULL), IDX_OK);
    ck_assert(isfinite(hit.cosine) && n == 1);
    idx_scratch_free(s);
    idx_close(ix);
    corpus_free(&c);
}
END_TEST

START_TEST(arguments_outside_of_the_header_are_refused)
{
    corpus c;
    usual(&c);
    idx_index *ix = write_and_open(&c);
    idx_index *other = write_and_open(&c);
    idx_scratch *s = scratch_of(ix);
    idx_hit hits[1];
    uint32_t n = 7;
    float x[24] = {1};
    ck_assert_int_eq(idx_query(ix, 0, s, x, 0, hits, &n, NULL), IDX_EARG);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(idx_query(ix, 0, s, x, IDX_MAX_K + 1, hits, &n, NULL), IDX_EARG);
    ck_assert_int_eq(idx_query(ix, IDX_SCALES, s, x, 1, hits, &n, NULL), IDX_EARG);
    ck_assert_int_eq(idx_query_exact(ix, 99, s, x, 1, hits, &n), IDX_EARG);
    ck_assert_int_eq(idx_query(other, 0, s, x, 1, hits, &n, NULL), IDX_EARG);
    idx_scratch_free(s);
    idx_close(ix);
    idx_close(other);
    idx_close(NULL);
    idx_scratch_free(NULL);
    corpus_free(&c);
}
END_TEST

START_TEST(a_score_lies_linearly_between_its_knots)
{
    static const float knots[] = {-0.5F, 0.0F, 0.5F, 0.5F, 0.9F};
    static const struct {
        float cosine, score;
    } rows[] = {{-1, 0},         {-0.5F, 0},     {-0.25F, 0.125F}, {0, 0.25F},
                {0.25F, 0.375F}, {0.5F, 0.75F},  {0.7F, 0.875F},   {0.9F, 1},
                {1, 1},          {(float)NAN, 0}};
    const idx_scale s = {.n_knots = 5, .knots = knots};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(fabsf(idx_score(&s, rows[i].cosine) - rows[i].score) < 1e-6F,
                      "cosine %g: %g", (double)rows[i].cosine,
                      (double)idx_score(&s, rows[i].cosine));
    ck_assert(idx_score(&(idx_scale){0}, 0.5F) == 0.0F);
}
END_TEST

/* ---- Files that cannot be read or written --------------------------------------- */

static idx_status
open_status(const char *path)
{
    idx_index *ix = (void *)&ix;
    why[0] = '\0';
    const idx_status loaded = idx_load(&ix, path, why, sizeof why);
    ck_assert(loaded && !ix);
    const idx_status st = idx_open(&ix, path, why, sizeof why);
    ck_assert(st == loaded && !ix);
    ck_assert_msg(strstr(why, path) != NULL, "names no path: %s", why);
    return st;
}

START_TEST(what_is_no_index_is_refused_in_a_sentence)
{
    const char *path = temp_path("foreign");
    ck_assert_int_eq(open_status("/nowhere/x.hkn"), IDX_EIO);
    ck_assert_msg(strstr(why, "No such file"), "%s", why);
    ck_assert_int_eq(open_status("/tmp"), IDX_EIO);
    ck_assert_msg(strstr(why, "is a folder"), "%s", why);
    FILE *f = fopen(path, "wb");
    fclose(f);
    ck_assert_int_eq(open_status(path), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "is empty; make an index with"), "%s", why);
    f = fopen(path, "wb");
    fputs("RIFF....WAVEfmt and so on, which is not what an index begins with at all",
          f);
    fclose(f);
    ck_assert_int_eq(open_status(path), IDX_EFORMAT);
    ck_assert_msg(strstr(why, "not a hearken index; make one with `hearken build`"),
                  "%s", why);
    unlink(path);
    mkfifo(path, 0600);
    ck_assert_int_eq(open_status(path), IDX_EIO);
    unlink(path);
    idx_index *ix;
    ck_assert_int_eq(idx_open(&ix, path, NULL, 0), IDX_EIO);
}
END_TEST

/* Whoever overwrites a file in its place, instead of renaming, pulls it from under
 * those who mapped it; one that was loaded stays. */
START_TEST(a_loaded_index_outlives_its_file)
{
    corpus c;
    idx_index *ix = NULL, *loaded = NULL;
    const char *path = temp_path("loaded.hkn");
    idx_hit want[5], got[5];
    uint32_t n_want, n_got;
    usual(&c);
    ck_assert_msg(!idx_write(path, &c.contents, NULL, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_load(&loaded, path, why, sizeof why), "%s", why);
    ck_assert_msg(!idx_open(&ix, path, why, sizeof why), "%s", why);
    idx_scratch *s = scratch_of(ix), *t = scratch_of(loaded);
    const float *x = c.contents.scales[0].rows;
    ck_assert(!idx_query(ix, 0, s, x, 5, want, &n_want, NULL));
    idx_scratch_free(s);
    idx_close(ix);
    ck_assert_int_eq(truncate(path, 100), 0);
    ck_assert(!idx_query(loaded, 0, t, x, 5, got, &n_got, NULL));
    ck_assert(n_got == n_want && memcmp(want, got, n_want * sizeof *want) == 0);
    idx_scratch_free(t);
    idx_close(loaded);
    unlink(path);
    corpus_free(&c);
}
END_TEST

START_TEST(every_status_has_a_sentence)
{
    for (int st = IDX_OK; st <= IDX_ESILENT; st++)
        for (int other = IDX_OK; other < st; other++)
            ck_assert_str_ne(idx_status_text((idx_status)st),
                             idx_status_text((idx_status)other));
    ck_assert_ptr_nonnull(idx_status_text((idx_status)99));
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("index");
    TCase *tc = tcase_create("index");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, the_same_contents_give_the_same_bytes_with_every_kernel);
    tcase_add_test(tc, likeness_is_the_greatest_product_with_every_kernel);
    tcase_add_test(tc, an_index_of_nothing_can_be_written_and_asked);
    tcase_add_test(tc, answers_are_those_of_a_plain_loop_in_double);
    tcase_add_test(tc, equal_cosines_come_in_order_of_entry_in_both_families);
    tcase_add_test(tc, one_entry_answers_whatever_is_asked);
    tcase_add_test(tc, a_query_without_direction_is_silent);
    tcase_add_test(tc, arguments_outside_of_the_header_are_refused);
    tcase_add_test(tc, a_score_lies_linearly_between_its_knots);
    tcase_add_test(tc, what_is_no_index_is_refused_in_a_sentence);
    tcase_add_test(tc, a_loaded_index_outlives_its_file);
    tcase_add_test(tc, every_status_has_a_sentence);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
