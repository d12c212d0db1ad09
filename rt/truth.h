/*
 * Whether live answers are right: a thread at idle priority repeats about one search a
 * second and scale exactly, by a plain loop over all rows, and counts how many of the
 * nearest entries the answer held. So hashing is measured on the sounds that are really
 * heard, not on those it was tuned with.
 *
 *   analysis --rt_truth_offer--> ring --> thread --> tally of each scale
 *
 * The analysis never waits: what finds the ring full is dropped, and counted.
 */
#ifndef HEARKEN_RT_TRUTH_H
#define HEARKEN_RT_TRUTH_H

#include "analyse.h"

enum {
    RT_TRUTH_AT = 10,    /* recall@k is asked for at most this k */
    RT_TRUTH_SLOTS = 16, /* queries that may wait */
};

typedef struct rt_truth rt_truth;

/* What is known of one scale. */
typedef struct {
    uint32_t k;       /* recall@k: RT_TRUTH_AT, or what answers ask for, if less */
    uint64_t n_asked; /* answers compared */
    uint64_t wanted;  /* neighbours that the exact searches found, k or fewer each */
    uint64_t found;   /* of them, those that the answers held, or as near ones */
    double recall;    /* found / wanted */
    double low, high; /* rt_wilson() of it over n_asked */
    float promised;   /* recall@10 when the index was built */
} rt_tally;

/*
 * True with NULL in *out where no scale of the options can err: where all are searched
 * exactly, by codes, or are empty. index and counts must stay. False, with why, when
 * memory runs out.
 */
bool rt_truth_new(rt_truth **out, const idx_index *index, const rt_options *o,
                  rt_counts *counts, char *why, size_t why_len);

/* Starts the thread, and returns when it runs at its priority. */
bool rt_truth_start(rt_truth *t, char *why, size_t why_len);

/* Whether the kernel says that the thread gives way to all others. */
bool rt_truth_is_idle(const rt_truth *t);

/*
 * Analysis thread. Takes some of the searches, at random, so that none is more likely
 * than another: those soon after an onset are harder than those a while later. Takes
 * NULL.
 */
void rt_truth_offer(rt_truth *t, const rt_asked *q);

/* Ends the thread, within a search, and counts what it had no time for as dropped. Not
 * while others offer. Takes NULL. */
void rt_truth_stop(rt_truth *t);
void rt_truth_free(rt_truth *t);

/* What is known of a scale; false when nothing is, or t is NULL. Any thread. */
bool rt_truth_tally(const rt_truth *t, uint32_t scale, rt_tally *tally);

/* "event: recall@10 0.953 (0.940 to 0.964) over 1234 answers" */
void rt_truth_text(const rt_tally *tally, uint32_t scale, char *out, size_t len);

/* Whether a scale surely finds less than its index promised: after 200 answers the
 * whole interval is below the promise by 0.05 and more. */
bool rt_truth_is_low(const rt_tally *tally);

/* The 95 % interval of a share seen in n trials (Wilson, JASA 22, 1927); 0..1 for n =
 * 0. */
void rt_wilson(double share, uint64_t n, double *low, double *high);

#endif
