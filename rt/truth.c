/* Hot: hands searches over to the thread that checks them. Analysis thread. */
#include "truth_private.h"

#include <string.h>

static const uint32_t answers_a_second[DSP_SCALES] = {100, 10,
                                                      1}; /* as analyse.c has */

/* How many answers on the next one is taken: 1 to 2 m - 1, each as likely (an LCG of
 * Knuth's, its upper bits). */
static uint32_t
next_gap(rt_truth *t, uint32_t scale)
{
    t->random = t->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return 1 + (uint32_t)(t->random >> 33) % (2 * answers_a_second[scale] - 1);
}

static void
copy(rt_truth_query *to, const rt_asked *q, uint32_t dim)
{
    to->scale = q->scale;
    to->set = q->set;
    to->k = q->k < RT_TRUTH_AT ? q->k : RT_TRUTH_AT;
    to->n = q->n_hits < to->k ? q->n_hits : to->k;
    for (uint32_t i = 0; i < to->n; i++)
        to->entry[i] = q->hits[i].entry;
    memcpy(to->x, q->x, dim * sizeof *to->x);
}

void
rt_truth_offer(rt_truth *t, const rt_asked *q)
{
    if (!t || !t->measured[q->scale] || q->set != t->set[q->scale] ||
        --t->until[q->scale])
        return;
    t->until[q->scale] = next_gap(t, q->scale);
    rt_truth_query *slot = rt_ring_slot(t->ring);
    if (!slot) {
        rt_count_shared(t->counts, RT_N_truth_dropped, 1);
        return;
    }
    copy(slot, q, idx_scale_of(t->index, q->set)->dim);
    rt_ring_commit(t->ring);
    sem_post(&t->wake);
}
