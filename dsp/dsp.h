/*
 * dsp: samples to embeddings. No threads, no JACK, no files.
 *
 *   float x[n] --dsp_stream_feed--> log-mel frames --rolling windows--> raw[DSP_RAW]
 *              --dsp_project--> embedding[dim], unit length
 *
 * Samples are mono, [-1, 1] at full scale; frames come DSP_HOPS_PER_S times a second at
 * every rate; frequencies are Hz, levels dBFS (a sine of amplitude 1 is -3 dB). An
 * object belongs to one thread at a time, and only *_new() allocates; calls of
 * dsp_logmel_new(), dsp_stream_new() and their *_free() must not overlap, because FFTW
 * plans there. Same samples, same floats, in blocks of any size.
 */
#ifndef HEARKEN_DSP_H
#define HEARKEN_DSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    DSP_OK = 0,
    DSP_EARG,   /* a setting is out of its range */
    DSP_ENOMEM, /* out of memory, or FFTW has no plan */
} dsp_status;

const char *dsp_status_text(dsp_status st);

/* Sets flush-to-zero for the calling thread: denormals double the time of an FFT. Every
 * thread that calls dsp does this first, or the last bits may differ between threads.
 */
void dsp_thread_init(void);

/* ---- Log-mel frames ---------------------------------------------------------------
 */

typedef enum { DSP_MEL_HTK, DSP_MEL_SLANEY, DSP_BARK } dsp_warp;
typedef enum {
    DSP_TRIANGLE_HZ,
    DSP_TRIANGLE_WARPED
} dsp_triangle;                                              /* slopes linear in */
typedef enum { DSP_PEAK_1, DSP_AREA_1, DSP_SUM_1 } dsp_norm; /* AREA: 2 / width in Hz */

enum { DSP_MAX_FFT = 8192, DSP_MAX_BANDS = 256 };

/*
 * A bank of n_bands triangles whose edges are equally spaced on a warped frequency axis
 * between low_hz and high_hz, over FFT bins hz_per_bin apart. Bands beyond the last bin
 * are empty, so that a bank means the same at every rate.
 *
 *   HTK mel     2595 log10(1 + f/700)
 *   Slaney mel  200/3 Hz per mel below 1 kHz, ln(6.4)/27 per mel above
 *   Bark        6 asinh(f/600)
 */
typedef struct {
    uint32_t n_bands; /* 1..DSP_MAX_BANDS */
    double low_hz, high_hz;
    dsp_warp warp;
    dsp_triangle triangle;
    dsp_norm norm;
    bool skip_dc; /* bin 0 weighs nothing, as in VGGish */
} dsp_bank_config;

typedef struct dsp_bank dsp_bank;
dsp_status dsp_bank_new(dsp_bank **out, const dsp_bank_config *config,
                        double hz_per_bin, uint32_t n_bins);
void dsp_bank_free(dsp_bank *bank);
/* Weight of a bin in a band; 0 outside of the triangle. For tests and pictures. */
float dsp_bank_weight(const dsp_bank *bank, uint32_t band, uint32_t bin);

/*
 * One frame: periodic Hann window of window_frames samples, zeros up to fft_frames,
 * power (or magnitude) of the bins times power_gain, bank, then DSP_LOG_DB  10
 * log10(max(band, log_floor)) DSP_LOG_LN  ln(band + log_floor)
 */
typedef enum { DSP_LOG_DB, DSP_LOG_LN } dsp_log;
typedef struct {
    uint32_t rate_hz;
    uint32_t window_frames; /* 2..fft_frames */
    uint32_t fft_frames; /* even, 32..DSP_MAX_FFT; best with factors 2, 3, 5, 7, 11 */
    bool magnitude;      /* |X| instead of |X|^2 into the bank */
    double power_gain;   /* on |X|^2; 0 means 2 / (sum of window)^2: sine 1 -> 0.5 */
    dsp_log log;
    double log_floor;
    dsp_bank_config bank;
} dsp_logmel_config;

typedef struct dsp_logmel dsp_logmel;
dsp_status dsp_logmel_new(dsp_logmel **out, const dsp_logmel_config *config);
void dsp_logmel_free(dsp_logmel *logmel);

/*
 * Analyses x[window_frames] into out[n_bands]. Returns the level in dBFS of what lies
 * inside the bank's range (root mean square of the windowed samples, by Parseval; only
 * meaningful with power_gain 0), -120 at the least. Does not allocate or block.
 */
float dsp_logmel_frame(dsp_logmel *logmel, const float x[], float out[]);

/* The same up to the power spectrum, before the bank: [fft_frames/2 + 1], valid until
 * the next call. For tests. */
const float *dsp_logmel_power(dsp_logmel *logmel, const float x[]);

/* hearken's own frames at a rate (embedding.md in the design): 32 ms windows,
 * bins 31.25 Hz apart, 64 HTK triangles of weight sum 1 from 50 Hz to 14 kHz, dB. */
dsp_logmel_config dsp_logmel_config_default(uint32_t rate_hz);

/* ---- Stream of windows ------------------------------------------------------------
 */

typedef enum { DSP_FRAME, DSP_EVENT, DSP_SCENE, DSP_SCALES } dsp_scale;

enum {
    DSP_HOPS_PER_S = 100,
    DSP_BANDS = 64,
    DSP_RAW = 2 * DSP_BANDS, /* floats of one raw feature vector */
    DSP_MIN_RATE_HZ = 22000,
    DSP_MAX_RATE_HZ = 96000,
};

/* Length of each scale's window in hops: 0.1, 1 and 10 s. */
extern const uint32_t dsp_scale_hops[DSP_SCALES];
extern const char *const dsp_scale_name[DSP_SCALES]; /* "frame", "event", "scene" */

typedef struct {
    uint32_t rate_hz; /* DSP_MIN_RATE_HZ..DSP_MAX_RATE_HZ */
    float gate_db;    /* frames below this level enter no window; -120..0 */
} dsp_stream_config;

/* The values that are in force when nobody sets any; rate_hz 48000. */
dsp_stream_config dsp_stream_config_default(void);

typedef struct {
    uint64_t index; /* 0, 1, 2, ... since the stream began */
    uint64_t
        frames; /* samples fed until this hop's end: floor((index + 1) rate / 100) */
    float level_db; /* of the newest 32 ms */
    bool loud;      /* level_db >= gate_db: it entered the windows */
} dsp_hop;

typedef struct dsp_stream dsp_stream;
dsp_status dsp_stream_new(dsp_stream **out, const dsp_stream_config *config);
void dsp_stream_free(dsp_stream *stream);

/* Forgets all that it heard, as if there had been silence, and goes on at sample number
 * frame; hops stay where they are. A new stream stands at 0. */
void dsp_stream_reset(dsp_stream *stream, uint64_t frame);

/* Number of the hop that is being gathered. */
uint64_t dsp_stream_hop(const dsp_stream *stream);

/*
 * Takes samples up to the end of the next hop at most and returns how many it
 * took, 1..n. When that completed a hop, *hop describes it and *done is true. Samples
 * that are not finite count as 0 and are added to *n_bad. n must not be 0. Does not
 * allocate or block.
 */
size_t dsp_stream_feed(dsp_stream *stream, const float x[], size_t n, dsp_hop *hop,
                       bool *done, uint64_t *n_bad);

/*
 * Raw features of the window that ends with the last hop: mean of each log-mel band
 * over the loud hops of the window, minus the mean of all bands (so that gain cancels),
 * then the population standard deviation of each band. Kept in exact integers (2^-12
 * dB), so that a month of hops drifts by nothing and costs O(1) each.
 *
 * Returns the number of loud hops; with fewer than DSP_MIN_LOUD raw is left alone.
 */
enum { DSP_MIN_LOUD = 3 };
uint32_t dsp_stream_window(const dsp_stream *stream, dsp_scale scale,
                           float raw[DSP_RAW]);

/* ---- Projection -------------------------------------------------------------------
 */

/*
 * embedding = l2(matrix . l2(clip((raw - mean) / spread, -4, 4))); matrix [dim][n_in],
 * NULL for the identity (then dim == n_in).
 */
typedef struct {
    uint32_t n_in, dim;
    const float *mean, *spread, *matrix;
} dsp_projection;

/* scratch[n_in] and out[dim] must not overlap raw or each other. Returns false, with
 * out undefined, when the vector has no direction (norm below 1e-12). Does not
 * allocate. */
bool dsp_project(const dsp_projection *p, const float raw[], float scratch[],
                 float out[]);

/*
 * Measures mean and spread (standard deviation) of n_rows raw vectors
 * [n_rows][DSP_RAW], blended with typical values that count as ten rows, so that a
 * corpus of one sound works and a large one is not touched. Sums in double, in order:
 * repeatable.
 */
void dsp_fit_spread(const float rows[], size_t n_rows, float mean[DSP_RAW],
                    float spread[DSP_RAW]);

#endif
