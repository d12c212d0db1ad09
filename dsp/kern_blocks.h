/* Kernels of the five blocks of a window. The C version is the definition (kern.h).
 * Arrays are [rows][columns], of any alignment; they do not overlap.
 */
#ifndef HEARKEN_DSP_KERN_BLOCKS_H
#define HEARKEN_DSP_KERN_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    DSP_KERN_BANDS = 64, /* of a log-mel frame */
    DSP_GROUPS = 16,     /* of four of them each */
    DSP_CEPSTRA = 16,    /* c0..c15 */
    DSP_SERIES = DSP_GROUPS + DSP_CEPSTRA,
    DSP_VALUES = 21,     /* descriptors of a frame */
    DSP_COLUMNS = 24,    /* those padded to whole lanes */
    DSP_DELTA = 4,       /* frames on either side of a slope */
    DSP_MOD_FRAMES = 96, /* of a modulation spectrum: 1.04 Hz a bin */
    DSP_MOD_BINS = 9,    /* sums of bins that are kept of it */
};

/* Rows i of an orthonormal DCT-II of 64: of even c for x[i] + x[63-i], of odd c for
 * x[i]
 * - x[63-i]. */
typedef struct {
    float even[DSP_KERN_BANDS / 2][DSP_CEPSTRA / 2];
    float odd[DSP_KERN_BANDS / 2][DSP_CEPSTRA / 2];
} dsp_dct;

/* Bins of the sums: first[m]..first[m + 1] - 1. */
extern const uint32_t dsp_mod_first[DSP_MOD_BINS + 1];

typedef struct dsp_block_kern {
    /* The greatest of x[n] and least; no number counts as least. */
    float (*greatest)(const float *x, size_t n, float least);

    /*
     * Each frame of mel[n][DSP_KERN_BANDS], limited to floor..peak and peak taken off,
     * floor >= peak - 80: power[t] is the sum of 10^(x/10), within 1e-5 of it, and
     * series[n][DSP_SERIES] the means of four x each, then the cepstra, within 3e-4.
     * Returns the greatest of the means.
     */
    float (*frames)(const float *mel, size_t n, float floor, float peak,
                    const dsp_dct *dct, float *series, float *power);

    /* Means and population standard deviations of the columns of x[n][width]; width is
     * a multiple of DSP_LANES. Sums in float by 64 rows, then in double: 6000 rows cost
     * no digits. Bit-equal. */
    void (*columns)(const float *x, size_t n, size_t width, float *mean, float *sd);

    /* x[n][DSP_VALUES] within +-extreme into the rows DSP_DELTA.. of to[n + 2
     * DSP_DELTA][DSP_COLUMNS], with copies of the first and the last on either side; no
     * number counts as -extreme, and columns beyond x are 0. Bit-equal. */
    void (*pad)(const float *x, size_t n, float extreme, float *to);

    /* Of x[n + 2 DSP_DELTA][DSP_COLUMNS] the rows DSP_DELTA + t with power[t] >= least
     * into rows[][], and their least-squares slopes per row into slopes[][], both of n
     * rows. Returns how many. Rows are bit-equal, slopes within 1e-6 of the values. */
    size_t (*gather)(const float *x, size_t n, const float *power, float least,
                     float *rows, float *slopes);

    /* The 10th and 90th percentiles of the columns of x[n][DSP_COLUMNS], linear between
     * neighbours, into out[2][DSP_COLUMNS]. Reorders x; takes the same time for any
     * numbers. n >= 1; equal. */
    void (*percentiles)(float *x, size_t n, float *out);

    /* Adds |X[k]|^2 of the spectra of (x[t][s] - mean[s]) weight[t], t <
     * DSP_MOD_FRAMES, s < DSP_SERIES, summed over the bins of dsp_mod_first, to
     * sum[DSP_MOD_BINS][DSP_SERIES]. Within 1e-6 of the largest |X|^2. */
    void (*spectra)(const float *x, const float *mean, const float *weight, float *sum);
} dsp_block_kern;

extern const dsp_block_kern dsp_block_kern_c;
extern const dsp_block_kern dsp_block_kern_avx2; /* where the compiler has AVX2 */

#endif
