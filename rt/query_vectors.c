#include "query_vectors.h"

#include "out.h"
#include "rt.h"
#include "vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const idx_index *index;
    const char *index_path, *file;
    idx_scratch *scratch;
    rt_format format;
    uint32_t set, k;
    uint64_t n_lines;
} query;

/* The set that the import filled. */
static uint32_t
set_of(const idx_index *index)
{
    uint32_t set = 0;
    while (set + 1 < IDX_SCALES && !idx_scale_of(index, set)->n_entries)
        set++;
    return set;
}

static bool
by_distance(const query *q)
{
    return idx_scale_of(q->index, q->set)->params.metric == IDX_EUCLID;
}

/* What people know a likeness as: a cosine, or a Euclidean distance. */
static double
nearness(const query *q, const idx_hit *hit)
{
    return by_distance(q) ? sqrt(-2.0 * (double)hit->cosine) : (double)hit->cosine;
}

static void
json(const query *q, uint64_t row, uint32_t rank, const idx_hit *hit)
{
    const idx_scale *sc = idx_scale_of(q->index, q->set);
    const idx_entry e = sc->entries[hit->entry];
    const idx_sound s = idx_sound_of(q->index, e.sound);
    fputs("{\"type\":\"match\",\"input\":", stdout);
    rt_json_string(stdout, q->file);
    printf(",\"row\":%llu,\"rank\":%u,\"score\":%.6f,\"%s\":%.6f,\"entry\":%u,"
           "\"sound\":%u,\"start\":%.3f,\"length\":%.3f,\"label\":",
           (unsigned long long)row, rank, (double)idx_score(sc, hit->cosine),
           by_distance(q) ? "distance" : "cosine", nearness(q, hit), hit->entry,
           e.sound, (double)e.start_s, (double)e.length_s);
    rt_json_string(stdout, s.label);
    fputs(",\"path\":", stdout);
    rt_json_string(stdout, s.path);
    fputs("}\n", stdout);
}

static void
table(query *q, uint64_t row, uint32_t rank, const idx_hit *hit)
{
    const idx_scale *sc = idx_scale_of(q->index, q->set);
    const idx_entry e = sc->entries[hit->entry];
    const idx_sound s = idx_sound_of(q->index, e.sound);
    if (!q->n_lines++)
        printf("     row  rank  score  %s  at s    label / sound\n",
               by_distance(q) ? "dist. " : "cosine");
    printf("%8llu  %4u  %5.3f  %6.3f  %6.2f  ", (unsigned long long)row, rank,
           (double)idx_score(sc, hit->cosine), nearness(q, hit), (double)e.start_s);
    rt_plain_text(stdout, s.label);
    fputs(" / ", stdout);
    rt_plain_text(stdout, s.path);
    putchar('\n');
}

/* A row of zeros is like nothing, and that is said. */
static void
silent(const query *q, uint64_t row)
{
    if (q->format == RT_FORMAT_JSON) {
        fputs("{\"type\":\"silent\",\"input\":", stdout);
        rt_json_string(stdout, q->file);
        printf(",\"row\":%llu}\n", (unsigned long long)row);
    } else if (q->format == RT_FORMAT_TABLE) {
        printf("%8llu  has no direction\n", (unsigned long long)row);
    }
}

static bool
answer(void *ctx, const rt_vector *v, char *why, size_t why_len)
{
    query *q = ctx;
    const uint32_t dim = idx_scale_of(q->index, q->set)->dim;
    idx_hit hits[IDX_MAX_K];
    uint32_t n;
    if (v->dim != dim) {
        snprintf(why, why_len, "%s: its vectors have %u values, and those of %s %u",
                 q->file, v->dim, q->index_path, dim);
        return false;
    }
    const idx_status st =
        idx_query(q->index, q->set, q->scratch, v->x, q->k, hits, &n, NULL);
    if (st == IDX_ESILENT)
        silent(q, v->row);
    for (uint32_t i = 0; !st && i < n; i++)
        if (q->format == RT_FORMAT_JSON)
            json(q, v->row, i + 1, &hits[i]);
        else if (q->format == RT_FORMAT_TABLE)
            table(q, v->row, i + 1, &hits[i]);
    snprintf(why, why_len, "stopped");
    return !atomic_load(&rt_stop) && !ferror(stdout);
}

static void
say_left_out(void *ctx, const char *sentence)
{
    (void)ctx;
    rt_say("%s", sentence);
}

static int
query_file(query *q, const rt_vector_how *how, const char *file)
{
    char why[1400];
    rt_vector_fates fates = {0};
    const rt_vector_sink sink = {q, answer, say_left_out};
    q->file = file;
    if (!rt_vectors_load(file, how, &sink, &fates, why, sizeof why)) {
        if (atomic_load(&rt_stop) || ferror(stdout))
            return RT_OK; /* which the caller knows */
        rt_say("%s", why);
        return access(file, R_OK) ? RT_NOINPUT : RT_DATA;
    }
    return fates.n_bad ? RT_DATA : RT_OK;
}

int
rt_query_vectors(const idx_index *index, const char *index_path, const rt_options *o,
                 const char *const files[], int n)
{
    query q = {.index = index,
               .index_path = index_path,
               .format = rt_out_format(o->out.format, stdout),
               .set = set_of(index),
               .k = o->match.k};
    const rt_vector_how how = {.raw_dim = o->import.raw, .seconds = q.set == DSP_EVENT};
    int status = idx_scratch_new(&q.scratch, index) ? RT_SOFTWARE : RT_OK;
    const int end = status ? 0 : n;
    for (int i = 0; i < end && !atomic_load(&rt_stop) && !ferror(stdout); i++) {
        const int failed = query_file(&q, &how, files[i]);
        status = status ? status : failed;
    }
    idx_scratch_free(q.scratch);
    return status;
}
