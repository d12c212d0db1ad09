/* What the files of the five blocks share. */
#ifndef HEARKEN_DSP_BLOCKS_PRIVATE_H
#define HEARKEN_DSP_BLOCKS_PRIVATE_H

#include "kern_blocks.h"
#include "private.h"

enum {
    DSP_CELLS = 16,     /* of a template */
    DSP_MFCC_KEPT = 13, /* c0..c12 have their mean and deviation kept */
    DSP_STATISTICS = 5, /* of a descriptor */
};

_Static_assert((int)DSP_KERN_BANDS == (int)DSP_BANDS &&
                   (int)DSP_VALUES == (int)DSP_DESCRIPTORS,
               "kernels know the sizes of frames");

/* First values of the blocks in out[DSP_BLOCK_VALUES]. */
enum {
    DSP_AT_MEL_MOD = DSP_STATISTICS * DSP_DESCRIPTORS,
    DSP_AT_TEMPLATE = DSP_AT_MEL_MOD + DSP_GROUPS * DSP_MOD_BINS,
    DSP_AT_MFCC = DSP_AT_TEMPLATE + DSP_GROUPS * DSP_CELLS,
    DSP_AT_MFCC_MOD = DSP_AT_MFCC + 2 * DSP_MFCC_KEPT,
};

struct dsp_blocks {
    const dsp_kern *kern;
    uint32_t max_frames;
    float peak_db;       /* of this window's log-mel */
    float group_peak_db; /* highest of its groups, relative to the peak */
    float loudest;       /* of power */
    dsp_dct dct;
    float hann[DSP_MOD_FRAMES];             /* periodic */
    float mean[DSP_SERIES], sd[DSP_SERIES]; /* of series */
    float *power;                           /* [max_frames], over that of the peak */
    float *series; /* [max_frames + DSP_MOD_FRAMES][DSP_SERIES]: groups, MFCC, from L -
                      peak; what lies beyond the window is finite */
    float *values; /* [max_frames + 2 DSP_DELTA][DSP_COLUMNS] */
    float *rows, *slopes; /* [max_frames][DSP_COLUMNS], of loud frames */
};

/* Block 1, from descriptors[n][DSP_DESCRIPTORS] and b->power. */
void dsp_blocks_statistics(dsp_blocks *b, const float descriptors[], size_t n,
                           float out[]);

/* Blocks 2 and 5, from the first n rows of b->series and b->mean. */
void dsp_blocks_modulation(dsp_blocks *b, size_t n, float mel[], float mfcc[]);

#endif
