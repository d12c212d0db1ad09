/*
 * What the front ends are made of. The init functions fill a zeroed struct and leave it
 * to done() when they fail, too; done() takes one that is half made.
 */
#ifndef HEARKEN_DSP_FRONT_PRIVATE_H
#define HEARKEN_DSP_FRONT_PRIVATE_H

#include "dsp/front.h"
#include "private.h"

/* ---- Tools (front_tools.c) ----------------------------------------------------- */

/* FFT of n real samples, n even, as a complex one of half the length. */
typedef struct {
    uint32_t n;
    float *time;          /* [n], in */
    float *freq;          /* [n + 2] */
    float *cosine, *sine; /* [n/2 + 1], of 2 pi k / n */
    fftwf_plan plan;
} dsp_rfft;

dsp_status dsp_rfft_init(dsp_rfft *f, uint32_t n);
void dsp_rfft_done(dsp_rfft *f);
/* Transforms f->time, which it may overwrite; then these give the first n_bins <= n/2 +
 * 1 bins. power as in dsp_kern, whose needs of room it has. */
void dsp_rfft_run(dsp_rfft *f);
void dsp_rfft_split(const dsp_rfft *f, float *restrict re, float *restrict im,
                    size_t n_bins);
void dsp_rfft_power(const dsp_rfft *f, const dsp_kern *kern, float power[],
                    size_t n_bins, float gain);

/* DCT-II of n_in values: orthonormal from c0, or 2 sum x cos from c1. */
typedef enum { DSP_DCT_ORTHONORMAL, DSP_DCT_PLAIN } dsp_dct_kind;
enum { DSP_DCT_LANES = 16, DSP_DCT_MAX_OUT = 32 };
typedef struct {
    uint32_t n_in, n_out, n_padded;
    float *table; /* [n_in][n_padded] */
} dsp_dct;

dsp_status dsp_dct_init(dsp_dct *d, dsp_dct_kind kind, uint32_t n_in, uint32_t n_out);
void dsp_dct_done(dsp_dct *d);
void dsp_cepstra(const dsp_dct *d, const float x[], float out[]);

/* A sparse matrix for dsp_kern.bands(), made row by row. */
typedef struct {
    uint32_t n_bands, n_padded;
    uint32_t n_in; /* values that must be readable */
    uint32_t n_used, n_room;
    dsp_band bands[DSP_FRONT_MAX_BANDS];
    float *weights;
} dsp_rows;

/* n_weights: all that will be added, without padding. */
dsp_status dsp_rows_init(dsp_rows *r, uint32_t n_bands, size_t n_weights);
void dsp_rows_done(dsp_rows *r);
/* Weights w[n] from column first on; n may be 0. */
void dsp_rows_set(dsp_rows *r, uint32_t band, uint32_t first, const double w[],
                  uint32_t n);

/* Every factor-th sample of a low-passed sound. */
typedef struct {
    uint32_t n_in, n_out, n_padded;
    float *taps;
    dsp_band *rows;
} dsp_decimator;

/* Kaiser-windowed sinc of 40 factor taps: -6 dB at 0.47 of the lower rate, -0.1 dB at
 * 0.42, -70 dB from 0.53 on. n_out samples come from n_in. */
dsp_status dsp_decimator_init(dsp_decimator *d, uint32_t factor, uint32_t n_out,
                              double gain);
void dsp_decimator_done(dsp_decimator *d);
/* out has room for n_out rounded up to DSP_LANES. */
void dsp_decimate(const dsp_decimator *d, const dsp_kern *kern, const float x[],
                  float out[]);

/* ---- Morlet wavelets (morlet.c) ------------------------------------------------ */

/*
 * Wavelets pi^-1/4 s^-1/2 exp(i w t/s - t^2/(2 s^2)), s = w rate/(2 pi f), centres f
 * geometric from low_hz to high_hz. Those above rate/(2 + 4/w) are empty: their images
 * beyond Nyquist would beat in the modulus.
 */
typedef struct {
    double rate_hz;
    uint32_t n_bands; /* 2..DSP_FRONT_MAX_BANDS */
    double low_hz, high_hz;
    double w;     /* 5.7 or more: else they reach into negative frequencies */
    double reach; /* s on either side that the window has at least; 3..8 */
    bool sine;    /* scaled instead so that a sine of 1 at f gives |w|^2 = 1/2 */
    /* A band's instant is the middle of a window of its own, but at least so many
     * samples before the last one. */
    uint32_t least_lag;
    /* Wavelets with s <= mean_frames / 8 give the mean of their energy under a Hann
     * window of this length instead. Even; 0 for none. */
    uint32_t mean_frames;
} dsp_morlet_config;

enum { DSP_MORLET_LEVELS = 8, DSP_MORLET_SPLIT = 4 };

/* Bands within a factor of DSP_MORLET_SPLIT, that share one FFT. */
typedef struct {
    uint32_t first_band, n_bands;
    uint32_t lag, start; /* of its window's middle and beginning */
    uint32_t n_bins;     /* that are computed; the others up to n_in are images */
    bool mean;
    dsp_rfft fft;
    dsp_rows rows;
    float *window;  /* [fft.n], if mean */
    float *re, *im; /* [rows.n_in]; of mean, re is power */
    float *out[2];  /* [rows.n_padded] */
} dsp_morlet_level;

typedef struct {
    const dsp_kern *kern;
    uint32_t n_bands, n_heard, window_frames, n_levels;
    double hz[DSP_FRONT_MAX_BANDS];
    dsp_morlet_level levels[DSP_MORLET_LEVELS];
} dsp_morlet;

dsp_status dsp_morlet_init(dsp_morlet *m, const dsp_morlet_config *c);
void dsp_morlet_done(dsp_morlet *m);
/* |w|^2 at the instant m->window_frames - lag of x[m->window_frames]. out has room for
 * n_bands. */
void dsp_morlet_frame(dsp_morlet *m, const float x[], float out[]);

/* ---- The Morlet bank of zounds (zounds.c) -------------------------------------- */

enum {
    DSP_ZOUNDS_BANDS = 128,
    DSP_ZOUNDS_TAPS = 512,
    DSP_ZOUNDS_POOL = 128,
    DSP_ZOUNDS_HOP = 64,
    DSP_ZOUNDS_FFT = DSP_ZOUNDS_TAPS + DSP_ZOUNDS_POOL,
};

typedef struct {
    const dsp_kern *kern;
    float *filters; /* [BANDS/2][FFT] complex: spectra of h[2p] + i h[2p + 1], over n */
    float *time, *freq;       /* [FFT] complex */
    float *re, *im;           /* [2 FFT]: re twice; im and -im */
    float *samples;           /* [FFT] */
    fftwf_plan forward, back; /* time to freq, freq to time */
} dsp_zounds;

/* Filter h of a band at a rate, its centre in Hz, its scaling and its weight. */
void dsp_zounds_filter(uint32_t rate_hz, uint32_t band, double h[DSP_ZOUNDS_TAPS],
                       double *hz, double *scaling, double *weight);

dsp_status dsp_zounds_init(dsp_zounds *z, uint32_t rate_hz);
void dsp_zounds_done(dsp_zounds *z);
/* Outputs 0..127 of the filters on z->samples (the last of its 640 is not looked at),
 * rectified, 20 log10(1 + y), and the sum of those from first to before end over 128.
 */
void dsp_zounds_frame(dsp_zounds *z, uint32_t first, uint32_t end,
                      float out[DSP_ZOUNDS_BANDS]);
/* All of a sound as zounds does, out[(n + 1)/64 + 1][128]. */
void dsp_zounds_pool(dsp_zounds *z, const float x[], size_t n, float out[]);
/* (x - mean) / (deviation + 1e-8), by n - 1. */
void dsp_zounds_standardise(float x[], size_t n);

/* ---- The Bark bands of zounds (bark.c) ----------------------------------------- */

/*
 * 2016 and 2018 as dsp/front.h says. FIXED has the centres and widths of 2018, but
 * triangles of peak 1 at the bins' true frequencies, no scaling, and where no bin lies
 * inside of one the bin nearest to its centre.
 */
typedef enum { DSP_BARKS_2016, DSP_BARKS_2018, DSP_BARKS_FIXED } dsp_barks_kind;
enum { DSP_BARKS = 100 };

typedef struct {
    const dsp_kern *kern;
    uint32_t n_bins;
    float gain; /* of power */
    dsp_rfft fft;
    dsp_rows rows;
    float *window;    /* [fft.n] */
    float *magnitude; /* [n_bins] and room */
} dsp_barks;

/* Frames of so many samples at a rate, times factor both: analysed there, bins up to
 * that of half the lower rate. */
dsp_status dsp_barks_init(dsp_barks *b, dsp_barks_kind kind, double rate_hz,
                          uint32_t frames, uint32_t factor);
void dsp_barks_done(dsp_barks *b);
/* Centre and edges in Hz, nominally. */
void dsp_barks_edges(dsp_barks_kind kind, double rate_hz, uint32_t band, double *hz,
                     double *low_hz, double *high_hz);
/* |spectrum| into b->magnitude. */
void dsp_barks_spectrum(dsp_barks *b, const float x[]);
/* Band values; out has room for b->rows.n_padded. */
void dsp_barks_frame(dsp_barks *b, const float x[], float out[]);
/* x = ln(x + 1e-12); n a multiple of DSP_LANES. */
void dsp_barks_log(const dsp_kern *kern, float x[], size_t n);

/* ---- All of them (front.c) ----------------------------------------------------- */

struct dsp_front {
    dsp_front_kind kind;
    const dsp_kern *kern;
    uint32_t n_bands, n_padded, window_frames;
    float power_floor;
    float bands[DSP_FRONT_MAX_BANDS]; /* [n_padded] */
    dsp_dct dct;
    dsp_logmel *logmel; /* the one that kind asks for is made, the others are zero */
    dsp_morlet morlet;
    dsp_zounds zounds;
    dsp_decimator decimator; /* of zounds */
    dsp_barks barks;
};

#endif
