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

/*
 * Plans of the complex FFT of m points, forward, from stored wisdom or else by FFTW's
 * estimate: the same at every start, whatever was planned before. The arrays [2m] come
 * from dsp_calloc(). NULL when FFTW has no plan. Any number of threads may be in these
 * calls at once, and in fftwf_execute().
 */
fftwf_plan dsp_fft_plan(uint32_t m, float *in, float *out);
void dsp_fft_free(fftwf_plan plan);

/*
 * The same for fftwf_execute_dft() and fftwf_execute_split_dft() with other arrays from
 * dsp_calloc(), which must not overlap; split ones hold real and imaginary parts apart,
 * [m] each, at a distance that is the same for all of that size. Those who ask for a
 * size share one plan, which is never freed: making it takes as long as degrading a
 * second of sound. m is a power of two up to 131072.
 */
typedef struct {
    float *re, *im;
} dsp_split;
fftwf_plan dsp_fft_kept(uint32_t m, float *in, float *out);
fftwf_plan dsp_fft_kept_split(uint32_t m, dsp_split in, dsp_split out);

/* The last n_slots events, or gaps where nothing sounded. */
struct dsp_scene {
    uint32_t n_in, n_slots, at; /* at: the oldest, written next */
    float *u;                   /* [n_slots][n_in] */
    float *weight;              /* [n_slots], 0 for a gap */
};

/*
 * dsp_logmel_frame(), and all of the power spectrum, [fft_frames/2 + 1] and valid until
 * the next call, and the sum of the bands before the logarithm. Not for magnitudes.
 */
float dsp_logmel_frame_whole(dsp_logmel *logmel, const float x[], float out[],
                             const float **power, float *sum);

#endif
