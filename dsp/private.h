/* What the files of dsp share. */
#ifndef HEARKEN_DSP_PRIVATE_H
#define HEARKEN_DSP_PRIVATE_H

#include "dsp/dsp.h"
#include "kern.h"

#include <complex.h>
#include <fftw3.h>

enum { DSP_ALIGN = 64 };

/* Zeroed memory aligned for any kernel, n_bytes rounded up; NULL when there is none. */
void *dsp_calloc(size_t n_bytes);

struct dsp_bank {
    uint32_t n_bands;  /* asked for */
    uint32_t n_padded; /* rounded up to DSP_LANES; the rest is empty */
    uint32_t n_bins;   /* bins that a spectrum must have: 0..n_bins-1 weigh something */
    uint32_t n_power;  /* floats that a spectrum must have room for */
    dsp_band bands[DSP_MAX_BANDS];
    float *weights;
};

struct dsp_logmel {
    const dsp_kern *kern;
    uint32_t window_frames, fft_frames;
    uint32_t n_bins;    /* computed of fft_frames/2 + 1 */
    uint32_t first_bin; /* of the level */
    float gain, log_floor, level_gain;
    bool magnitude, decibels;
    dsp_bank *bank;
    float *window;        /* [window_frames] */
    float *time;          /* [fft_frames], zeros after window_frames */
    float *freq;          /* [fft_frames + 2], interleaved */
    float *cosine, *sine; /* [fft_frames/2 + 1] */
    float *power;         /* [bank->n_power] at least */
    float *out;           /* [bank->n_padded] */
    fftwf_plan plan;
};

/* A plan that is the same at every start: from stored wisdom, else FFTW's estimate. */
fftwf_plan dsp_fft_plan(uint32_t m, float *in, float *out);

enum { DSP_HISTORY_HOPS = 1000, DSP_BUFFER_FRAMES = 8192 };

typedef struct {
    uint32_t n_loud;
    int32_t sum[DSP_BANDS];
    int64_t square[DSP_BANDS];
} dsp_rolling;

struct dsp_stream {
    const dsp_kern *kern;
    dsp_logmel *logmel;
    uint32_t rate_hz, window_frames;
    float gate_db;
    uint64_t n_frames, n_hops;     /* since the beginning */
    uint64_t first_hop;            /* since the last reset */
    uint64_t next_hop;             /* n_frames at which the next hop is complete */
    size_t fill;                   /* of buffer */
    float *buffer;                 /* [window_frames + DSP_BUFFER_FRAMES] */
    int32_t (*history)[DSP_BANDS]; /* [DSP_HISTORY_HOPS], 2^-12 dB */
    bool loud[DSP_HISTORY_HOPS];
    dsp_rolling rolling[DSP_SCALES];
};

#endif
