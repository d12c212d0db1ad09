/* Exact searches at idle priority, and what they say of the answers. */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "rt.h"
#include "truth_private.h"

#include "dsp/dsp.h"

#include <float.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    ROWS_A_LOOK = 1024, /* compared between two looks at stop */
    REST = 19, /* times as long as it computed: a twentieth of a core at most */
    REST_MS = 20,
    SURE_AFTER = 200, /* answers */
};
static const double margin = 0.05; /* of recall, below the promise */

/* Eight sums, so that they may be computed side by side. */
static float
dot(const float *restrict x, const float *restrict y, uint32_t n)
{
    float sum[8] = {0};
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (uint32_t j = 0; j < 8; j++)
            sum[j] += x[i + j] * y[i + j];
    for (; i < n; i++)
        sum[0] += x[i] * y[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) +
           ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static float
half_square(const float *restrict x, const float *restrict y, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum / 2;
}

/* What idx_hit calls cosine, from the row itself. */
static float
likeness(rt_truth *t, const rt_truth_query *q, uint32_t entry)
{
    const idx_scale *sc = idx_scale_of(t->index, q->set);
    idx_row(t->index, q->set, entry, t->row);
    return sc->params.metric == IDX_EUCLID ? -half_square(t->x, t->row, sc->dim)
                                           : dot(t->x, t->row, sc->dim);
}

/* t->x becomes the query, for cosines at unit length; false where it has no direction.
 */
static bool
take_query(rt_truth *t, const rt_truth_query *q)
{
    const idx_scale *sc = idx_scale_of(t->index, q->set);
    double power = 0;
    for (uint32_t i = 0; i < sc->dim; i++)
        power += (double)q->x[i] * (double)q->x[i];
    const double length = sc->params.metric == IDX_EUCLID ? 1 : sqrt(power);
    for (uint32_t i = 0; i < sc->dim; i++)
        t->x[i] = (float)((double)q->x[i] / length);
    return isfinite(power) && length > 0;
}

/* Puts c among the best, which descend; the last one leaves when there are k. */
static void
keep_best(float best[RT_TRUTH_AT], uint32_t *n, uint32_t k, float c)
{
    if (*n == k && !(c > best[k - 1]))
        return;
    uint32_t at = *n < k ? (*n)++ : k - 1;
    for (; at > 0 && best[at - 1] < c; at--)
        best[at] = best[at - 1];
    best[at] = c;
}

/* The k highest likenesses of all rows. False when stop came. */
static bool
scan(rt_truth *t, const rt_truth_query *q, float best[RT_TRUTH_AT], uint32_t *n)
{
    const uint32_t n_entries = idx_scale_of(t->index, q->set)->n_entries;
    *n = 0;
    for (uint32_t i = 0; i < n_entries; i++) {
        if (i % ROWS_A_LOOK == 0 &&
            atomic_load_explicit(&t->stop, memory_order_relaxed))
            return false;
        keep_best(best, n, q->k, likeness(t, q, i));
    }
    return true;
}

/* What counts as one of the nearest: up to 1.001 times the distance of the last of
 * them, so that ties at the last place are no luck. */
static float
least_that_counts(const rt_truth *t, const rt_truth_query *q, float last)
{
    return idx_scale_of(t->index, q->set)->params.metric == IDX_EUCLID
               ? last * 1.002001F - FLT_MIN /* squares of distances */
               : 1.0F - (1.0F - last) * 1.001F - 1e-6F;
}

/* How many of the nearest n an answer holds. */
static uint32_t
count_found(rt_truth *t, const rt_truth_query *q, const float best[], uint32_t n)
{
    const float least = least_that_counts(t, q, best[n - 1]);
    uint32_t found = 0;
    for (uint32_t i = 0; i < q->n; i++)
        found += likeness(t, q, q->entry[i]) >= least;
    return found < n ? found : n;
}

static void
add(_Atomic uint64_t *to, uint64_t by, memory_order order)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + by,
                          order);
}

static void
note(rt_truth *t, const rt_truth_query *q, uint32_t wanted, uint32_t found)
{
    rt_count_shared(t->counts, RT_N_truth_asked, 1);
    rt_count_shared(t->counts, RT_N_truth_wanted, wanted);
    rt_count_shared(t->counts, RT_N_truth_found, found);
    atomic_store_explicit(&t->k[q->scale], q->k, memory_order_relaxed);
    add(&t->n_asked[q->scale], 1, memory_order_relaxed);
    add(&t->wanted[q->scale], wanted, memory_order_relaxed);
    /* release: who sees what was found sees too what was wanted */
    add(&t->found[q->scale], found, memory_order_release);
}

bool
rt_truth_next(rt_truth *t)
{
    float best[RT_TRUTH_AT];
    uint32_t n = 0;
    const rt_truth_query *q = rt_ring_front(t->ring);
    if (!q || (take_query(t, q) && !scan(t, q, best, &n)))
        return false;
    note(t, q, n, n ? count_found(t, q, best, n) : 0);
    rt_ring_release(t->ring);
    return true;
}

/*
 * SCHED_IDLE runs only where nothing else would. On a busy machine it would not even
 * end for seconds, so that is for those who may take it back; others are as nice as can
 * be.
 */
static bool
give_way(void)
{
    const struct sched_param none = {0};
    const int nice = getpriority(PRIO_PROCESS, 0); /* of this thread, on Linux */
    const bool may_return =
        !setpriority(PRIO_PROCESS, 0, 19) && !setpriority(PRIO_PROCESS, 0, nice);
    if (may_return && !sched_setscheduler(0, SCHED_IDLE, &none) &&
        sched_getscheduler(0) == SCHED_IDLE)
        return true;
    setpriority(PRIO_PROCESS, 0, 19);
    return getpriority(PRIO_PROCESS, 0) == 19;
}

static void
rest(const rt_truth *t, double seconds)
{
    for (; seconds > 0 && !atomic_load_explicit(&t->stop, memory_order_relaxed);
         seconds -= REST_MS / 1e3)
        rt_sleep_ms(REST_MS);
}

static void *
run(void *arg)
{
    rt_truth *t = arg;
    dsp_thread_init();
    rt_thread_name("hearken-truth");
    atomic_store_explicit(&t->idle, give_way(), memory_order_relaxed);
    sem_post(&t->ready);
    for (;;) {
        while (sem_wait(&t->wake)) /* EINTR */
            ;
        if (atomic_load_explicit(&t->stop, memory_order_relaxed))
            return NULL;
        const double began = rt_cpu_seconds();
        rt_truth_next(t);
        rest(t, REST * (rt_cpu_seconds() - began));
    }
}

/* ---- From and to the main thread ------------------------------------------------- */

/* Which scales may err. */
static bool
choose_scales(rt_truth *t, const rt_options *o)
{
    bool any = false;
    for (uint32_t s = 0; s < DSP_SCALES; s++) {
        const idx_scale *sc = idx_scale_of(t->index, rt_set_of(o, s));
        t->measured[s] = (o->match.scales >> s & 1U) && sc->n_entries &&
                         sc->params.family != IDX_EXACT &&
                         sc->params.family != IDX_CODES;
        t->promised[s] = sc->params.recall;
        t->set[s] = rt_set_of(o, s);
        t->until[s] = 1;
        any = any || t->measured[s];
    }
    return any;
}

bool
rt_truth_new(rt_truth **out, const idx_index *index, const rt_options *o,
             rt_counts *counts, char *why, size_t why_len)
{
    *out = NULL;
    rt_truth *t = calloc(1, sizeof *t);
    if (!t) {
        snprintf(why, why_len, "there is not enough memory to check answers");
        return false;
    }
    t->index = index;
    t->counts = counts;
    sem_init(&t->wake, 0, 0);
    sem_init(&t->ready, 0, 0);
    const bool any = choose_scales(t, o);
    t->ring = any ? rt_ring_new(RT_TRUTH_SLOTS, sizeof(rt_truth_query)) : NULL;
    if (t->ring) {
        *out = t;
        return true;
    }
    snprintf(why, why_len, "there is not enough memory to check answers");
    rt_truth_free(t);
    return !any;
}

bool
rt_truth_start(rt_truth *t, char *why, size_t why_len)
{
    t->started = rt_thread_start(&t->thread, run, t, 0, NULL);
    if (!t->started)
        snprintf(why, why_len, "the system gives no thread to check answers with");
    while (t->started && sem_wait(&t->ready)) /* EINTR */
        ;
    return t->started;
}

bool
rt_truth_is_idle(const rt_truth *t)
{
    return atomic_load_explicit(&t->idle, memory_order_relaxed);
}

void
rt_truth_stop(rt_truth *t)
{
    const struct sched_param none = {0};
    if (!t || atomic_exchange(&t->stop, true))
        return;
    sem_post(&t->wake);
    if (t->started) {
        pthread_setschedparam(t->thread, SCHED_OTHER, &none); /* so that it ends now */
        pthread_join(t->thread, NULL);
    }
    rt_count_shared(t->counts, RT_N_truth_dropped, rt_ring_count(t->ring));
}

void
rt_truth_free(rt_truth *t)
{
    if (!t)
        return;
    rt_ring_free(t->ring);
    sem_destroy(&t->wake);
    sem_destroy(&t->ready);
    free(t);
}

/* ---- What is known --------------------------------------------------------------- */

void
rt_wilson(double share, uint64_t n, double *low, double *high)
{
    const double z = 1.959964; /* of the normal distribution, 0.975 lies below */
    const double per = n ? z * z / (double)n : 0;
    const double centre = (share + per / 2) / (1 + per);
    const double spread = sqrt(share * (1 - share) * per + per * per / 4) / (1 + per);
    *low = n ? fmax(0, centre - spread) : 0;
    *high = n ? fmin(1, centre + spread) : 1;
}

/* The neighbours of one answer are found and missed together, so the interval is that
 * of so many trials as there were answers, not neighbours. */
bool
rt_truth_tally(const rt_truth *t, uint32_t scale, rt_tally *tally)
{
    *tally = (rt_tally){0};
    if (!t || scale >= DSP_SCALES)
        return false;
    tally->found = atomic_load_explicit(&t->found[scale], memory_order_acquire);
    tally->wanted = atomic_load_explicit(&t->wanted[scale], memory_order_relaxed);
    tally->n_asked = atomic_load_explicit(&t->n_asked[scale], memory_order_relaxed);
    tally->k = atomic_load_explicit(&t->k[scale], memory_order_relaxed);
    tally->promised = t->promised[scale];
    if (!tally->wanted)
        return false;
    tally->recall = (double)tally->found / (double)tally->wanted;
    rt_wilson(tally->recall, tally->n_asked, &tally->low, &tally->high);
    return true;
}

void
rt_truth_text(const rt_tally *tally, uint32_t scale, char *out, size_t len)
{
    snprintf(out, len, "%s: recall@%u %.3f (%.3f to %.3f) over %llu answers",
             rt_scale_name(scale), tally->k, tally->recall, tally->low, tally->high,
             (unsigned long long)tally->n_asked);
}

bool
rt_truth_is_low(const rt_tally *tally)
{
    return tally->n_asked >= SURE_AFTER &&
           tally->high < (double)tally->promised - margin;
}
