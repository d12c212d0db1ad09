#include "search_plan.h"

#include "analyse.h"
#include "build.h"
#include "parallel.h"
#include "rt.h"
#include "truth.h"

#include <stdio.h>
#include <string.h>

/* By rt_family; auto takes cells, or exact where idx_tune() finds that better. */
static const uint32_t family_of[] = {
    [RT_FAMILY_AUTO] = IDX_CELLS,
    [RT_FAMILY_EXACT] = IDX_EXACT,
    [RT_FAMILY_HYPERPLANE] = IDX_HYPERPLANE,
    [RT_FAMILY_CROSS_POLYTOPE] = IDX_CROSS_POLYTOPE,
    [RT_FAMILY_P_STABLE] = IDX_P_STABLE,
    [RT_FAMILY_FOREST] = IDX_FOREST,
    [RT_FAMILY_CELLS] = IDX_CELLS,
};

int
rt_plan_status(const rt_options *o)
{
    const uint32_t family = family_of[o->index.family];
    const char *name = idx_family_name(family);
    if (o->index.metric == IDX_EUCLID && !idx_family_has(family, IDX_EUCLID))
        rt_say("index.family %s knows no Euclidean distance; take exact, p-stable, "
               "forest or cells, or index.metric cosine",
               name);
    else if (o->index.rows == RT_ROWS_I8 && family != IDX_CELLS)
        rt_say("index.rows i8 needs index.family cells, and not %s; take f16", name);
    else
        return RT_OK;
    return RT_CONFIG;
}

/* The widest rows with which a scale stays within index.memory-mb. */
static uint32_t
rows_within(const rt_options *o, const idx_scale *scale)
{
    enum { BESIDE = 48 }; /* bytes of code, entry and cells an entry, roughly */
    const double limit = o->index.memory_mb * 1e6, n = scale->n_entries;
    const bool cells = family_of[o->index.family] == IDX_CELLS;
    if (o->index.rows != RT_ROWS_AUTO)
        return o->index.rows - RT_ROWS_F32;
    if (o->index.memory_mb == 0 || n * (4.0 * scale->dim + BESIDE) <= limit)
        return IDX_F32;
    return cells && n * (2.0 * scale->dim + BESIDE) > limit ? IDX_I8 : IDX_F16;
}

idx_params
rt_plan_of(const rt_options *o, const idx_scale *scale)
{
    return (idx_params){.family = family_of[o->index.family],
                        .metric = o->index.metric,
                        .stored = rows_within(o, scale),
                        .n_planes = o->index.planes,
                        .n_tables = o->index.tables,
                        .n_cells = o->index.cells,
                        .leaf = o->index.leaf,
                        .width = o->index.width,
                        .n_probes = o->index.probes,
                        .max_candidates = o->index.max_candidates};
}

/* ---- Threads -------------------------------------------------------------------- */

typedef struct {
    void (*run)(void *job, size_t i);
    void *job;
    _Atomic size_t n_run;
} lent;

static void
run_lent(void *ctx, size_t i)
{
    lent *l = ctx;
    l->run(l->job, i);
    atomic_fetch_add(&l->n_run, 1);
}

static void
wait_for_lent(void *ctx)
{
    (void)ctx;
}

void
rt_lend(void *ctx, size_t n, void (*run)(void *job, size_t i), void *job)
{
    const rt_lender *lender = ctx;
    lent l = {.run = run, .job = job};
    if (lender->n_threads != 1)
        rt_parallel(n, lender->n_threads, run_lent, wait_for_lent, &l);
    /* jobs are begun in order, and what was begun has ended: the rest, after a stop */
    for (size_t i = atomic_load(&l.n_run); i < n; i++)
        run(job, i);
}

bool
rt_lender_progress(void *ctx, double share)
{
    const rt_lender *lender = ctx;
    if (lender->progress)
        rt_progress_step(lender->progress, share, 1, "");
    return !atomic_load(&rt_stop);
}

/* ---- Arranging ------------------------------------------------------------------ */

static void *
grow(void *ctx, void *block, size_t n_bytes)
{
    return rt_store_grow(ctx, block, n_bytes);
}

static void
drop(void *ctx, void *block)
{
    rt_store_drop(ctx, block);
}

idx_store
rt_lend_store(rt_store *store)
{
    return (idx_store){grow, drop, store};
}

bool
rt_arrange(idx_scale *sc, float knots[], idx_built **built, uint64_t seed,
           const char *name, const rt_options *o, rt_store *store, char *why,
           size_t why_len)
{
    char what[80];
    rt_progress p;
    rt_lender lender = {.n_threads = o->build.threads, .progress = &p};
    const idx_tuning how = {.seed = seed,
                            .target_recall = o->index.recall,
                            .auto_family = o->index.family == RT_FAMILY_AUTO,
                            .progress = rt_lender_progress,
                            .parallel = rt_lend,
                            .ctx = &lender,
                            .store = rt_lend_store(store)};
    sc->params = rt_plan_of(o, sc);
    sc->n_knots = RT_KNOTS;
    sc->knots = knots;
    snprintf(what, sizeof what, "arranging scale %s", name);
    rt_progress_begin(&p, what);
    idx_status st = idx_calibrate(sc, &how, RT_CALIBRATION_SAMPLE, RT_KNOTS, knots);
    if (!st)
        st = idx_tune(sc, &how, &sc->params, built);
    sc->built = *built;
    rt_progress_end(&p);
    if (st == IDX_ENOMEM)
        return rt_no_room(why, why_len);
    if (st)
        snprintf(why, why_len, "scale %s: %s", name, idx_status_text(st));
    return !st;
}

/* ---- Words ---------------------------------------------------------------------- */

static const char *const stored_name[] = {"f32", "f16", "i8"};

/* "12 tables of 10 bits", "4008 cells" and the like; "-" where all is compared. */
static void
describe(const idx_params *p, char *out, size_t len)
{
    switch (p->family) {
    case IDX_CELLS:
        snprintf(out, len, "%u cells", p->n_cells);
        break;
    case IDX_FOREST:
        snprintf(out, len, "%u trees", p->n_tables);
        break;
    case IDX_P_STABLE:
        snprintf(out, len, "%u tables of %u functions", p->n_tables, p->n_planes);
        break;
    case IDX_HYPERPLANE:
    case IDX_CROSS_POLYTOPE:
        snprintf(out, len, "%u tables of %u bits", p->n_tables, p->n_planes);
        break;
    default:
        snprintf(out, len, "-");
    }
}

static void
print_measured(const idx_params *p)
{
    double low, high;
    rt_wilson((double)p->recall, p->n_asked, &low, &high);
    if (p->n_asked)
        printf("  %.3f (%.3f to %.3f)", (double)p->recall, low, high);
    else
        printf("  %.3f                 ", (double)p->recall);
    printf("  %8.0f  %7.0f", (double)p->scanned, (double)p->candidates);
    if (p->us > 0)
        printf("  %.1f", (double)p->us);
}

static void
print_scale(uint32_t set, const idx_scale *sc)
{
    char what[60];
    const idx_params *p = &sc->params;
    describe(p, what, sizeof what);
    printf("%-6s %-8s %9u  %3u  %-4s %-6s  %-14s  %-24s",
           rt_scale_name(rt_scale_of_set(set)),
           set == IDX_TIMBRE   ? "codes"
           : set >= DSP_SCALES ? "labels"
                               : "acoustic",
           sc->n_entries, sc->dim,
           p->family == IDX_CODES ? "bits" : stored_name[p->stored],
           p->metric == IDX_EUCLID  ? "euclid"
           : p->family == IDX_CODES ? "-"
                                    : "cosine",
           idx_family_name(p->family), what);
    if (idx_family_has(p->family, IDX_PROBES)) {
        printf("  %6u", p->n_probes);
        print_measured(p);
    }
    putchar('\n');
}

void
rt_print_scales(const idx_scale *const scales[], const char *indent)
{
    printf("%sscale  space      entries  dim  rows metric  search          built of    "
           "    "
           "          probes  recall@10               scored  compared  us\n",
           indent);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        if (scales[s]->n_in) {
            fputs(indent, stdout);
            print_scale(s, scales[s]);
        }
}

void
rt_json_scale(const idx_scale *sc)
{
    const idx_params *p = &sc->params;
    double low, high;
    rt_wilson((double)p->recall, p->n_asked, &low, &high);
    printf("{\"entries\":%u,\"dim\":%u,\"family\":\"%s\",\"metric\":\"%s\",\"rows\":\"%"
           "s\","
           "\"tables\":%u,\"planes\":%u,\"cells\":%u,\"leaf\":%u,\"width\":%.9g,"
           "\"probes\":%u,\"max_candidates\":%u,\"max_scanned\":%u,\"recall\":%.6f,"
           "\"recall_low\":%.6f,\"recall_high\":%.6f,\"asked\":%u,\"scanned\":%.1f,"
           "\"candidates\":%.1f,\"us\":%.2f}",
           sc->n_entries, sc->dim, idx_family_name(p->family),
           p->metric == IDX_EUCLID ? "euclid" : "cosine", stored_name[p->stored],
           p->n_tables, p->n_planes, p->n_cells, p->leaf, (double)p->width, p->n_probes,
           p->max_candidates, p->max_scanned, (double)p->recall, low, high, p->n_asked,
           (double)p->scanned, (double)p->candidates, (double)p->us);
}
