/* The family of cells as files: the same bytes everywhere, and the recall promised. */
#include "tests/idx_support.h"

#include "rt/parallel.h"

#include <check.h>

static void
idle(void *ctx)
{
    (void)ctx;
}

static void
lend(void *ctx, size_t n, void (*run)(void *job, size_t i), void *job)
{
    ck_assert(rt_parallel(n, *(const uint32_t *)ctx, run, idle, job));
}

/* A file as tuned and built by so many threads; 0: by the caller alone. */
static unsigned char *
tuned_file(corpus *c, uint32_t threads, idx_stored stored, size_t *n_bytes)
{
    char why[200] = "";
    const char *path = temp_path("cells.hkn");
    idx_scale *sc = &c->contents.scales[0];
    const idx_tuning how = {.seed = 7,
                            .target_recall = 0.95F,
                            .parallel = threads ? lend : NULL,
                            .ctx = &threads};
    idx_built *built;
    sc->params = (idx_params){.family = IDX_CELLS, .stored = stored, .n_cells = 1032};
    ck_assert_int_eq(idx_tune(sc, &how, &sc->params, &built), IDX_OK);
    ck_assert(sc->params.recall >= 0.95F || stored == IDX_I8);
    sc->built = built;
    c->contents.seed = 7;
    ck_assert_msg(!idx_write(path, &c->contents, NULL, why, sizeof why), "%s", why);
    sc->built = NULL;
    idx_built_free(built);
    unsigned char *data = read_aligned(path, n_bytes);
    unlink(path);
    return data;
}

START_TEST(files_and_answers_are_the_same_by_all_threads_and_kernels)
{
    corpus c;
    size_t n[3];
    unsigned char *data[3];
    idx_index *ix;
    idx_scratch *fast, *twin;
    uint64_t state = 9;
    corpus_make(&c, (const uint32_t[]){5000, 0, 0, 0}, (const uint32_t[]){19, 0, 0, 0},
                200, 1);
    data[0] = tuned_file(&c, 0, (idx_stored)_i, &n[0]);
    data[1] = tuned_file(&c, 3, (idx_stored)_i, &n[1]);
    setenv("IDX_KERN", "c", 1);
    data[2] = tuned_file(&c, 1, (idx_stored)_i, &n[2]);
    for (int i = 1; i < 3; i++)
        ck_assert_msg(n[i] == n[0] && !memcmp(data[i], data[0], n[0]), "file %d", i);
    ck_assert(!idx_open_memory(&ix, data[0], n[0], NULL, 0));
    ck_assert(!idx_scratch_new(&twin, ix));
    unsetenv("IDX_KERN");
    ck_assert(!idx_scratch_new(&fast, ix));
    for (int q = 0; q < 200; q++) {
        float x[19];
        idx_hit hits[2][20];
        uint32_t n_hits[2];
        idx_work work[2];
        random_direction(x, 19, &state);
        ck_assert(!idx_query(ix, 0, fast, x, 20, hits[0], &n_hits[0], &work[0]));
        ck_assert(!idx_query(ix, 0, twin, x, 20, hits[1], &n_hits[1], &work[1]));
        ck_assert(n_hits[0] == n_hits[1] && !memcmp(&work[0], &work[1], sizeof *work));
        ck_assert(!memcmp(hits[0], hits[1], n_hits[0] * sizeof **hits));
    }
    idx_scratch_free(fast);
    idx_scratch_free(twin);
    idx_close(ix);
    for (int i = 0; i < 3; i++)
        free(data[i]);
    corpus_free(&c);
}
END_TEST

START_TEST(the_recall_it_promises_holds_for_sounds_it_never_saw)
{
    enum { N = 12000, DIM = 32 };
    corpus c, other;
    size_t n_bytes;
    idx_index *ix;
    idx_scratch *s;
    uint32_t found = 0, asked = 0;
    corpus_make(&c, (const uint32_t[]){N, 0, 0, 0}, (const uint32_t[]){DIM, 0, 0, 0},
                200, 1);
    unsigned char *data = tuned_file(&c, 3, IDX_F32, &n_bytes);
    ck_assert(!idx_open_memory(&ix, data, n_bytes, NULL, 0));
    ck_assert(!idx_scratch_new(&s, ix));
    /* other sounds of the same families, which the same seed draws first */
    corpus_make(&other, (const uint32_t[]){N, 0, 0, 0},
                (const uint32_t[]){DIM, 0, 0, 0}, 100, 1);
    for (uint32_t i = 240; i < N; i += 29) {
        idx_hit got[10], all[10];
        uint32_t n_got, n_all;
        const float *x = other.contents.scales[0].rows + (size_t)i * DIM;
        ck_assert(!idx_query(ix, 0, s, x, 10, got, &n_got, NULL));
        ck_assert(!idx_query_exact(ix, 0, s, x, 10, all, &n_all));
        for (uint32_t h = 0; h < n_got; h++)
            found += got[h].cosine >= all[n_all - 1].cosine;
        asked += n_all;
    }
    ck_assert_msg(found > 0.92 * asked, "recall %g", (double)found / asked);
    corpus_free(&other);
    corpus_free(&c);
    idx_scratch_free(s);
    idx_close(ix);
    free(data);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("cells_setup");
    TCase *tc = tcase_create("files");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, files_and_answers_are_the_same_by_all_threads_and_kernels,
                        0, 3);
    tcase_add_test(tc, the_recall_it_promises_holds_for_sounds_it_never_saw);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    const int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
