/*
 * kmeans: centroids of many rows, for codebooks of any kind, and fair samples of
 * streams. A part of dsp, whose rules hold here too. Cold: for `build`, not for
 * real-time threads.
 */
#ifndef HEARKEN_DSP_KMEANS_H
#define HEARKEN_DSP_KMEANS_H

#include "dsp/dsp.h"

enum { DSP_KMEANS_ROUNDS = 25, DSP_KMEANS_MAX = 65536 };

typedef struct {
    uint32_t n_real;   /* centroids that are nearest to some row, and differ */
    uint32_t n_rounds; /* in which centroids moved to means: 1..DSP_KMEANS_ROUNDS */
    double distortion[DSP_KMEANS_ROUNDS + 1]; /* [0..n_rounds] mean squared distance of
                                                 rows to their centroids after each
                                                 round; never rises */
} dsp_kmeans_report;

/*
 * Finds k centroids of n rows by Lloyd's algorithm from a k-means++ start (Arthur and
 * Vassilvitskii, SODA 2007), which sees 256 rows per centroid at most.
 *
 *   rows       [n][dim], n >= 1, values within +-1e15; rows whose squared distance is
 *              no float above 0 count as one
 *   k, dim     1..DSP_KMEANS_MAX each
 *   seed       any; the same rows and seed give the same centroids in every bit
 *   centroids  [k][dim] out
 *   label      [n] out, nearest centroid of each row (ties to the lower number); may be
 *              NULL
 *   report     out
 *
 * Distances are sums of squared differences in float, in order. Means are summed in
 * double over blocks of 4096 rows, which are added in order. A centroid without rows
 * moves to the row farthest from its own, at once, so a round leaves none behind
 * while rows differ. Ends after 25 rounds or when the distortion falls by less than
 * 1e-5 of itself.
 *
 * Always fills k rows. With fewer distinct rows than that, the first n_real are those
 * rows and the rest copies of the first, which win no tie: who cannot use copies
 * refuses n_real < k. Returns DSP_EARG for what is out of range; centroids are
 * undefined on failure. Work is n k dim per round: 0.3 s for 1e6 rows, 128 centroids
 * and 13 values. Memory is 8 n bytes and a copy of the start's sample.
 */
dsp_status dsp_kmeans(const float rows[], size_t n, uint32_t dim, uint32_t k,
                      uint64_t seed, float centroids[], uint32_t label[],
                      dsp_kmeans_report *report);

/*
 * A fair sample of cap items of a stream of unknown length (Vitter's algorithm R, ACM
 * TOMS 1985): every item is as likely to be in it as any other. The caller keeps the
 * items; for a sample that repeats they have to come in a fixed order.
 */
typedef struct {
    uint64_t state, n_seen;
    size_t cap;
} dsp_reservoir;

/* cap is not 0. */
dsp_reservoir dsp_reservoir_start(size_t cap, uint64_t seed);

/* Where the next item goes: a slot 0..cap-1, whose old item it replaces, or cap when it
 * is not in the sample. The first cap items go to slots 0, 1, 2, ... */
size_t dsp_reservoir_slot(dsp_reservoir *r);

#endif
