/*
 * What a projection (dsp.h) learns from a corpus while its index is built.
 *
 *   raw rows --dsp_learn_spread--> mean, spread
 *            --dsp_learn_acoustic or dsp_learn_labels--> matrix[dim][n_in]
 *
 * All of it is closed form: covariances and symmetric eigenproblems in double, by
 * OpenBLAS and LAPACK. A lesson gives the same bytes each time on the same kind of CPU;
 * another one may round otherwise.
 *
 * These functions allocate and take a second: not for real-time threads. They set
 * OpenBLAS to one thread, for the whole program, and must not overlap with one another.
 */
#ifndef HEARKEN_DSP_LEARN_H
#define HEARKEN_DSP_LEARN_H

#include "dsp/dsp.h"

enum { DSP_LEARN_MAX_IN = 16384 }; /* a covariance of 2 GiB */

/*
 * Rows are raw vectors [n_in] as dsp_project() takes them. A row with a value that is
 * not finite, or without direction where standardised rows are asked for, counts
 * nowhere; a pair needs two good rows.
 */
typedef struct {
    uint32_t n_in, n_blocks;    /* 1..DSP_LEARN_MAX_IN; 1 or more */
    const uint32_t *block_size; /* [n_blocks], sum n_in */

    const float *rows; /* [n_rows][n_in], the corpus; NULL with 0 */
    size_t n_rows;

    /* Rows that stand in for a corpus while there is little of it: together the good
     * ones weigh as much as prior_weight rows. NULL with 0. */
    const float *prior; /* [n_prior][n_in] */
    size_t n_prior;
    double prior_weight; /* 0 or more */

    /* The same moments without and with a degradation. NULL with 0. */
    const float *clean, *degraded; /* [n_pairs][n_in] */
    size_t n_pairs;

    float invariance; /* a, 0..1: how much of what degradations change is given up */
    uint32_t max_dim; /* 1 or more; more than n_in means n_in */
} dsp_lesson;

/*
 * Weighted mean and population standard deviation of rows and prior, mean[n_in] and
 * spread[n_in]. A spread is at least 1e-4 |mean| and 1e-6: a value that never varies
 * stands at the mean, bar rounding, and a really different one will clip. Without a
 * good row the means are 0 and the spreads 1.
 *
 * Returns DSP_EARG for a lesson out of range, as all of them do, or DSP_ENOMEM.
 */
dsp_status dsp_learn_spread(const dsp_lesson *l, float mean[], float spread[]);

/*
 * Learns to hear past degradations, then to be short. With u the standardised rows:
 *
 *   S = mean of d d', d = u(degraded) - u(clean)
 *   W = ((S + 0.2 r I) / (0.2 r))^(-a/2), r = tr S / n_in; I if a, S or n_pairs is 0
 *   C = V L V', covariance of W u over rows and prior
 *   matrix = c V' W, c such that its rows have a mean square length of 1
 *
 * V holds the eigenvectors of the max_dim largest eigenvalues, largest first, as far as
 * these reach 1e-7 of the largest and 1e-12; the entry of largest magnitude is
 * positive.
 *
 *   matrix  [min(max_dim, n_in)][n_in] out; rows from *dim on are undefined
 *   dim     out, 2 or more; or 0 when fewer directions vary or there are no good rows:
 *           use the identity. 0 on failure too
 *
 * Returns DSP_EARG, DSP_ENOMEM or DSP_EMATH.
 */
dsp_status dsp_learn_acoustic(const dsp_lesson *l, const float mean[],
                              const float spread[], float matrix[], uint32_t *dim);

/*
 * Learns to tell labels apart: linear discriminant analysis with shrinkage. Of the
 * lesson, only the standardised rows and max_dim count.
 *
 *   Sw  = mean over labelled rows of (u - m_c) (u - m_c)', m_c the mean of their label
 *   Sb  = mean over labelled rows of (m_c - m) (m_c - m)', m the mean of all
 *   Sw' = (1 - s) Sw + s (tr Sw / n_in) I
 *   Sb v = k Sw' v, v' Sw' v = 1: the v of the largest k become rows of matrix
 *
 * Sw' gets another 1e-9 of the mean variance on its diagonal, so that s may be 0.
 *
 *   label      [n_rows], < n_labels; UINT32_MAX for a row without label, else DSP_EARG
 *   shrinkage  s, 0..1
 *   matrix     [min(max_dim, n_in)][n_in] out, as above
 *   dim        out, at most one less than there are labels with good rows; directions
 *              with k below 1e-7 of the largest are left out, and 0 means that nothing
 *              separates the labels
 */
dsp_status dsp_learn_labels(const dsp_lesson *l, const uint32_t label[],
                            uint32_t n_labels, float shrinkage, const float mean[],
                            const float spread[], float matrix[], uint32_t *dim);

#endif
