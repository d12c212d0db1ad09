#include "self.h"

#include "analyse.h"
#include "out.h"
#include "parallel.h"
#include "rt.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 1024, MOST_THREADS = 256 }; /* CHUNK: entries in a job */
static const double alike = 1e-6;

typedef struct {
    uint32_t scale, first, n; /* entries */
    uint32_t n_lost, lost[RT_SELF_LISTED];
    bool done;
} job;

/* Scratches that no job uses just now; there are never more than threads. */
typedef struct {
    idx_scratch *free[MOST_THREADS];
    uint32_t n;
} pool;

typedef struct {
    const idx_index *index;
    job *jobs;
    size_t n_jobs;
    atomic_size_t n_done;
    rt_progress progress;
    pthread_mutex_t lock; /* of the pools */
    pool brief, full;
} search;

/* ---- Scratches ------------------------------------------------------------------- */

/* Lets searches look into as little as their family can. */
static void
shorten(idx_scratch *s, const idx_index *index)
{
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        idx_params p = idx_scale_of(index, i)->params;
        p.n_probes = 1;
        if (!idx_scratch_set(s, i, &p))
            continue;
        p.n_probes = p.n_tables;
        idx_scratch_set(s, i, &p); /* or else they are as long as any */
    }
}

/* NULL when memory runs out. */
static idx_scratch *
take(search *w, pool *from)
{
    idx_scratch *s = NULL;
    pthread_mutex_lock(&w->lock);
    if (from->n)
        s = from->free[--from->n];
    pthread_mutex_unlock(&w->lock);
    if (s || idx_scratch_new(&s, w->index))
        return s;
    if (from == &w->brief)
        shorten(s, w->index);
    return s;
}

static void
give(search *w, pool *to, idx_scratch *s)
{
    pthread_mutex_lock(&w->lock);
    to->free[to->n++] = s;
    pthread_mutex_unlock(&w->lock);
}

static void
empty(pool *p)
{
    while (p->n)
        idx_scratch_free(p->free[--p->n]);
}

/* ---- Asking ---------------------------------------------------------------------- */

/* The likeness of a row to itself, as its metric has it. */
static double
likeness_to_itself(const idx_scale *sc, const float row[])
{
    double power = 0;
    if (sc->params.metric == IDX_EUCLID)
        return 0;
    for (uint32_t i = 0; i < sc->dim; i++)
        power += (double)row[i] * (double)row[i];
    return fmin(1, sqrt(power)); /* the query is brought to unit length, not the row */
}

static bool
finds_itself(const idx_index *index, idx_scratch *s, uint32_t scale, uint32_t entry)
{
    float row[IDX_MAX_DIM];
    idx_hit best;
    uint32_t n;
    idx_row(index, scale, entry, row);
    return !idx_query(index, scale, s, row, 1, &best, &n, NULL) && n &&
           (best.entry == entry ||
            (double)best.cosine >=
                likeness_to_itself(idx_scale_of(index, scale), row) - alike);
}

/* Keeps of ids[n] those that do not find themselves, and says how many; UINT32_MAX
 * when memory runs out. */
static uint32_t
keep_lost(search *w, pool *scratches, uint32_t scale, uint32_t ids[], uint32_t n)
{
    uint32_t kept = 0;
    idx_scratch *s = n ? take(w, scratches) : NULL;
    if (!s)
        return n ? UINT32_MAX : 0;
    for (uint32_t i = 0; i < n; i++)
        if (!finds_itself(w->index, s, scale, ids[i]))
            ids[kept++] = ids[i];
    give(w, scratches, s);
    return kept;
}

/* Nearly all are found where a search looks first; only the others get a whole one. */
static void
run(void *ctx, size_t i)
{
    search *w = ctx;
    job *j = &w->jobs[i];
    uint32_t ids[CHUNK];
    for (uint32_t k = 0; k < j->n; k++)
        ids[k] = j->first + k;
    uint32_t n = keep_lost(w, &w->brief, j->scale, ids, j->n);
    if (n != UINT32_MAX)
        n = keep_lost(w, &w->full, j->scale, ids, n);
    if (n == UINT32_MAX)
        return;
    j->n_lost = n;
    for (uint32_t k = 0; k < n && k < RT_SELF_LISTED; k++)
        j->lost[k] = ids[k];
    j->done = true;
    atomic_fetch_add(&w->n_done, 1);
}

static void
show(void *ctx)
{
    search *w = ctx;
    rt_progress_step(&w->progress, (double)atomic_load(&w->n_done), (double)w->n_jobs,
                     "");
}

/* ---- Jobs ------------------------------------------------------------------------ */

/* Whether a search of the scale may miss something. */
static bool
may_lose(const idx_scale *sc)
{
    return sc->params.family != IDX_EXACT && sc->params.family != IDX_CODES;
}

/* Fills jobs, unless that is NULL; how many there are. */
static size_t
cut(const idx_index *index, job jobs[])
{
    size_t n = 0;
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(index, s);
        for (uint32_t at = 0; may_lose(sc) && at < sc->n_entries; n++) {
            const uint32_t left = sc->n_entries - at,
                           take = left < CHUNK ? left : CHUNK;
            if (jobs)
                jobs[n] = (job){.scale = s, .first = at, .n = take};
            at += take;
        }
    }
    return n;
}

static void
join(rt_self *to, const job *j)
{
    to->n_asked += j->n;
    for (uint32_t k = 0; k < j->n_lost && k < RT_SELF_LISTED; k++)
        if (to->n_lost + k < RT_SELF_LISTED)
            to->lost[to->n_lost + k] = j->lost[k];
    to->n_lost += j->n_lost;
}

bool
rt_self_search(rt_self self[IDX_SCALES], const idx_index *index, uint32_t n_threads,
               char *why, size_t why_len)
{
    search w = {.index = index, .n_jobs = cut(index, NULL)};
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        self[s] = (rt_self){0};
    w.jobs = calloc(w.n_jobs + 1, sizeof *w.jobs);
    if (!w.jobs) {
        snprintf(why, why_len, "there is not enough memory to ask for each entry");
        return false;
    }
    cut(index, w.jobs);
    pthread_mutex_init(&w.lock, NULL);
    rt_progress_begin(&w.progress, "asking for each entry");
    const bool ran = !w.n_jobs || rt_parallel(w.n_jobs, n_threads, run, show, &w);
    rt_progress_end(&w.progress);
    pthread_mutex_destroy(&w.lock);
    empty(&w.brief);
    empty(&w.full);
    for (size_t i = 0; i < w.n_jobs && w.jobs[i].done; i++)
        join(&self[w.jobs[i].scale], &w.jobs[i]);
    const bool all = ran && atomic_load(&w.n_done) == w.n_jobs;
    if (!all)
        snprintf(why, why_len, "%s",
                 atomic_load(&rt_stop) ? "stopped before each entry was asked for"
                 : ran ? "there is not enough memory to ask for each entry"
                       : "the system gives no thread to ask for each entry with");
    free(w.jobs);
    return all;
}

uint32_t
rt_self_lost(const rt_self self[IDX_SCALES])
{
    uint32_t n = 0;
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        n += self[s].n_lost;
    return n;
}

void
rt_self_print(FILE *to, const rt_self self[IDX_SCALES], const idx_index *index)
{
    fprintf(to, "entries that do not find themselves: %u\n", rt_self_lost(self));
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        for (uint32_t i = 0; i < self[s].n_lost && i < RT_SELF_LISTED; i++) {
            const idx_entry *e = &idx_scale_of(index, s)->entries[self[s].lost[i]];
            fprintf(to, "    %s%s at %.2f s of ", rt_scale_name(rt_scale_of_set(s)),
                    s < DSP_SCALES ? "" : " by labels", (double)e->start_s);
            rt_plain_text(to, idx_sound_of(index, e->sound).path);
            fputc('\n', to);
        }
        if (self[s].n_lost > RT_SELF_LISTED)
            fprintf(to, "    %s%s: %u more\n", rt_scale_name(rt_scale_of_set(s)),
                    s < DSP_SCALES ? "" : " by labels",
                    self[s].n_lost - RT_SELF_LISTED);
    }
}
