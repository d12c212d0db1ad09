/* What the files of the five blocks share. */
#ifndef HEARKEN_DSP_BLOCKS_PRIVATE_H
#define HEARKEN_DSP_BLOCKS_PRIVATE_H

#include "private.h"

enum {
    DSP_GROUPS = 16,  /* of four mel bands each */
    DSP_CEPSTRA = 16, /* c0..c15 */
    DSP_SERIES = DSP_GROUPS + DSP_CEPSTRA,
    DSP_COLUMNS = 24,    /* DSP_DESCRIPTORS padded to whole lanes */
    DSP_DELTA = 4,       /* frames on either side of a slope */
    DSP_MOD_FRAMES = 96, /* of a modulation spectrum: 1.04 Hz a bin */
    DSP_MOD_BINS = 9,    /* sums of bins that are kept of it */
    DSP_CELLS = 16,      /* of a template */
    DSP_MFCC_KEPT = 13,  /* c0..c12 have their mean and deviation kept */
    DSP_STATISTICS = 5,  /* of a descriptor */
};

/* First values of the blocks in out[DSP_BLOCK_VALUES]. */
enum {
    DSP_AT_MEL_MOD = DSP_STATISTICS * DSP_DESCRIPTORS,
    DSP_AT_TEMPLATE = DSP_AT_MEL_MOD + DSP_GROUPS * DSP_MOD_BINS,
    DSP_AT_MFCC = DSP_AT_TEMPLATE + DSP_GROUPS * DSP_CELLS,
    DSP_AT_MFCC_MOD = DSP_AT_MFCC + 2 * DSP_MFCC_KEPT,
};

struct dsp_blocks {
    uint32_t max_frames;
    float peak_db, floor_db; /* of this window's log-mel */
    float group_peak_db;     /* highest of its groups, relative to the peak */
    /* Rows i of the DCT: even c for L[i] + L[63-i], then odd c for L[i] - L[63-i]. */
    float dct[2][DSP_BANDS / 2][DSP_CEPSTRA / 2];
    float hann[DSP_MOD_FRAMES];             /* periodic */
    float mean[DSP_SERIES], sd[DSP_SERIES]; /* of series */
    float *power;                           /* [max_frames], over that of the peak */
    float *series;      /* [max_frames][DSP_SERIES]: groups, MFCC, from L - peak */
    float *values;      /* [max_frames + 2 DSP_DELTA][DSP_COLUMNS] */
    float *rows;        /* [max_frames][DSP_COLUMNS], loud frames */
    float *time, *freq; /* [DSP_MOD_FRAMES][DSP_SERIES] */
    fftwf_plan plan;    /* time to freq down the columns; two of them are one complex */
};

/* Mean and population standard deviation of the columns of x[n][width]; width is a
 * multiple of DSP_LANES. Sums in float by 64 rows, then in double: 6000 rows cost no
 * digits. */
void dsp_columns(const float x[], size_t n, size_t width, float mean[], float sd[]);

/* Block 1, from descriptors[n][DSP_DESCRIPTORS] and b->power. */
void dsp_blocks_statistics(dsp_blocks *b, const float descriptors[], size_t n,
                           float out[]);

/* Blocks 2 and 5, from the first n rows of b->series and b->mean. */
void dsp_blocks_modulation(dsp_blocks *b, size_t n, float mel[], float mfcc[]);

#endif
