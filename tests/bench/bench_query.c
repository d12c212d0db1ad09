/*
 * How long a query takes: idx_query() beside idx_query_exact(), taking turns on the
 * same rows, for each kernel. Rows are made (100,000 of 128 floats in 2,000 sounds,
 * each a random walk), or with a path those of the frame scale of that index. Queries
 * are rows with noise added that turns them by about 25 degrees, so that no query is
 * stored.
 *
 *     bench_query [corpus.hkn [n_queries]]
 */
#include "tests/idx_support.h"

#include "index/idxkern.h"

#include <time.h>

enum { N_ROWS = 100000, DIM = 128, SOUNDS = 2000, QUERIES = 1000, K = 10 };

typedef struct {
    double *hashed_us, *exact_us;
    double found, candidates, probes;
    uint32_t n, cut;
} result;

static double
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Share of the exact answer that the other one has. */
static double
recall(const idx_hit got[], uint32_t n_got, const idx_hit exact[], uint32_t n_exact)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < n_got; i++)
        found += n_exact > 0 && got[i].cosine >= exact[n_exact - 1].cosine;
    return n_exact ? (double)found / n_exact : 1.0;
}

static void
make_query(float x[], const idx_scale *s, uint64_t *state)
{
    const float noise = 0.45F / sqrtf((float)s->dim); /* tan of the angle, in all */
    const float *row = s->rows + rnd_u64(state) % s->n_entries * s->dim;
    for (uint32_t j = 0; j < s->dim; j++)
        x[j] = row[j] + noise * rnd_normal(state);
}

static void
run_one(const idx_index *ix, idx_scratch *scratch, uint64_t *state, result *r)
{
    float x[IDX_MAX_DIM];
    idx_hit got[K], exact[K];
    uint32_t n_got, n_exact;
    idx_work work;
    make_query(x, idx_scale_of(ix, 0), state);
    const double t0 = now_us();
    idx_query_exact(ix, 0, scratch, x, K, exact, &n_exact);
    const double t1 = now_us();
    idx_query(ix, 0, scratch, x, K, got, &n_got, &work);
    const double t2 = now_us();
    r->exact_us[r->n] = t1 - t0;
    r->hashed_us[r->n++] = t2 - t1;
    r->found += recall(got, n_got, exact, n_exact);
    r->candidates += work.n_candidates;
    r->probes += work.n_probes;
    r->cut += work.cut;
}

static void
print_line(const char *name, const char *kern, uint32_t n_rows, double us[], uint32_t n,
           double found, double candidates)
{
    qsort(us, n, sizeof *us, by_value);
    printf("%-16s %-5s %8u %9.1f %9.1f %9.1f %7.3f %10.0f\n", name, kern, n_rows,
           us[n / 2], us[(size_t)n * 99 / 100], us[(size_t)n * 999 / 1000], found,
           candidates);
}

static void
run_kernel(const idx_index *ix, const char *kern, uint32_t n)
{
    idx_scratch *scratch;
    result r = {.hashed_us = calloc(n, sizeof(double)),
                .exact_us = calloc(n, sizeof(double))};
    const uint32_t n_rows = idx_scale_of(ix, 0)->n_entries;
    uint64_t state = 99;
    setenv("IDX_KERN", kern, 1);
    if (!r.hashed_us || !r.exact_us || idx_scratch_new(&scratch, ix))
        exit(1);
    for (uint32_t i = 0; i < n / 10; i++) /* warm */
        run_one(ix, scratch, &state, &r);
    r.n = r.cut = 0;
    r.found = r.candidates = r.probes = 0;
    for (uint32_t i = 0; i < n; i++)
        run_one(ix, scratch, &state, &r);
    print_line("idx_query", kern, n_rows, r.hashed_us, n, r.found / n,
               r.candidates / n);
    print_line("idx_query_exact", kern, n_rows, r.exact_us, n, 1.0, n_rows);
    printf("%-16s %-5s %8u %9.1f x at p50; %.0f probes, %u of %u cut\n", "ratio", kern,
           n_rows, r.exact_us[n / 2] / r.hashed_us[n / 2], r.probes / n, r.cut, n);
    idx_scratch_free(scratch);
    free(r.hashed_us);
    free(r.exact_us);
}

static idx_index *
make_index(void)
{
    char why[200] = "";
    corpus c;
    idx_index *ix = NULL;
    const char *path = temp_path("bench.hkn");
    corpus_make(&c, (const uint32_t[]){N_ROWS, 0, 0, 0},
                (const uint32_t[]){DIM, 0, 0, 0}, SOUNDS, 2024);
    idx_params *p = &c.contents.scales[0].params;
    *p = (idx_params){.family = IDX_HYPERPLANE};
    const char *planes =
        getenv("BENCH_PLANES"); /* to compare with what idx_tune() takes */
    const char *tables = getenv("BENCH_TABLES");
    p->n_planes = planes ? (uint32_t)atoi(planes) : 0;
    p->n_tables = tables ? (uint32_t)atoi(tables) : 0;
    const idx_tuning how = {.seed = 1, .target_recall = 0.95F};
    idx_built *built;
    if (idx_tune(&c.contents.scales[0], &how, p, &built) ||
        idx_write(path, &c.contents, NULL, why, sizeof why) ||
        idx_open(&ix, path, why, sizeof why))
        fprintf(stderr, "bench_query: %s\n", why);
    idx_built_free(built);
    corpus_free(&c);
    unlink(path);
    return ix;
}

int
main(int argc, char **argv)
{
    char why[200] = "";
    idx_index *ix = NULL;
    const uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : QUERIES;
    if (argc > 1 && idx_open(&ix, argv[1], why, sizeof why))
        fprintf(stderr, "bench_query: %s\n", why);
    else if (argc == 1)
        ix = make_index();
    if (!ix || n < 10 || idx_scale_of(ix, 0)->n_entries == 0)
        return 1;
    const idx_params *p = &idx_scale_of(ix, 0)->params;
    printf(
        "# planes %u, tables %u, probes %u, at most %u candidates; tuned on strangers: "
        "recall %.3f, %.0f candidates; queries are %s rows turned by 25 degrees\n",
        p->n_planes, p->n_tables, p->n_probes, p->max_candidates, (double)p->recall,
        (double)p->candidates, argc > 1 ? "real" : "made");
    printf("%-16s %-5s %8s %9s %9s %9s %7s %10s\n", "name", "kern", "n", "us_p50",
           "us_p99", "us_p99.9", "recall", "candidates");
    const idx_kern *list[2];
    const size_t n_kern = idx_kern_list(list);
    for (size_t i = 0; i < n_kern; i++)
        run_kernel(ix, list[i]->name, n);
    idx_close(ix);
    return 0;
}
