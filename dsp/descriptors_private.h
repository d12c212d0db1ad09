/* What descriptors.c and contrast.c share. */
#ifndef HEARKEN_DSP_DESCRIPTORS_PRIVATE_H
#define HEARKEN_DSP_DESCRIPTORS_PRIVATE_H

#include "kern_blocks.h"
#include "kern_frame.h"
#include "private.h"

enum {
    DSP_CONTRAST_BANDS = 7,
    DSP_MAX_CHUNKS = DSP_MAX_FFT / 2 / DSP_CHUNK + 1,
};

struct dsp_descriptors {
    const dsp_kern *kern;
    uint32_t window_frames, half; /* FFT length over 2 */
    float rate_hz, hz_per_bin;
    uint32_t edge[DSP_CONTRAST_BANDS + 1]; /* band b: bins edge[b]..edge[b + 1] - 1 */
    uint32_t n_fifth[DSP_CONTRAST_BANDS];  /* 20 % of the band's bins, at least 1 */
    uint32_t flat_first;                   /* bin; to edge[DSP_CONTRAST_BANDS] - 1 */
    uint32_t lag_first, lag_end;           /* samples */
    dsp_lags plan;
    float *turn, *root, *eighth, *weight; /* which plan refers to; the weight is 1 / the
                                           * window's autocorrelation, 1 at lag 0 */
    float *lags;                          /* [half + 1] */
};

/* Means of the weakest and of the strongest fifth of each contrast band's bins. */
void dsp_contrast(const dsp_descriptors *d, const float power[],
                  float mean[DSP_CONTRAST_BANDS][2]);

#endif
