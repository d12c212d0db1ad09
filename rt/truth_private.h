#ifndef HEARKEN_RT_TRUTH_PRIVATE_H
#define HEARKEN_RT_TRUTH_PRIVATE_H

#include "ring.h"
#include "truth.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

/* A query on its way, with what the search answered. */
typedef struct {
    uint32_t scale, set, k, n;
    uint32_t entry[RT_TRUTH_AT]; /* [n] */
    float x[IDX_MAX_DIM];
} rt_truth_query;

struct rt_truth {
    const idx_index *index;
    rt_counts *counts;
    rt_ring *ring;              /* of rt_truth_query */
    bool measured[DSP_SCALES];  /* scales that may err, in the set that was searched */
    uint32_t set[DSP_SCALES];   /* when listen began: search.space may change */
    float promised[DSP_SCALES]; /* recall */

    /* analysis thread */
    uint32_t until[DSP_SCALES]; /* the next one is taken, answers of that scale */
    uint64_t random;

    /* the thread of its own; read by any */
    _Atomic uint64_t n_asked[DSP_SCALES], wanted[DSP_SCALES], found[DSP_SCALES];
    _Atomic uint32_t k[DSP_SCALES];

    pthread_t thread;
    sem_t wake, ready;
    bool started;
    atomic_bool stop, idle;
    float x[IDX_MAX_DIM], row[IDX_MAX_DIM]; /* of that thread */
};

/* Compares the oldest query in the ring. False when there is none, or stop came. */
bool rt_truth_next(rt_truth *t);

#endif
