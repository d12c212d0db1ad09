/* What the files of timbre share. */
#ifndef HEARKEN_DSP_TIMBRE_PRIVATE_H
#define HEARKEN_DSP_TIMBRE_PRIVATE_H

#include "dsp/timbre.h"
#include "private.h"

enum { DSP_BFCC_LANES = 16 }; /* DSP_BFCC rounded up to whole vectors */

struct dsp_bfcc {
    const dsp_kern *kern;
    uint32_t window_frames, fft_frames;
    float power_gain;     /* on |X|^2 */
    float level_gain;     /* from the sum of the bins' power to the mean square */
    float window_gain;    /* 1 / sum of window */
    dsp_bank bank;        /* n_bins are computed of fft_frames/2 + 1 */
    float *window;        /* [window_frames] */
    float *time;          /* [fft_frames], zeros after window_frames */
    float *freq;          /* [fft_frames + 2], interleaved */
    float *cosine, *sine; /* [fft_frames/2 + 1] */
    float *power;         /* [bank.n_power] at least */
    float *bands;         /* [bank.n_padded] */
    float *transform;     /* [DSP_BARK_BANDS][DSP_BFCC_LANES] */
    fftwf_plan plan;
};

#endif
