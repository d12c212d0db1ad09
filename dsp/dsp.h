/*
 * dsp: samples to embeddings. No threads, no JACK, no files.
 *
 *   float x[n] --dsp_stream_feed--> hops --dsp_stream_window--> raw[n_in]
 *              --dsp_project--> embedding[dim], unit length
 *
 * Samples are mono, [-1, 1] at full scale; frames come DSP_HOPS_PER_S times a second at
 * every rate; frequencies are Hz, levels dBFS (a sine of amplitude 1 is -3 dB). Same
 * samples, same floats, in blocks of any size.
 *
 * An object belongs to one thread at a time. Only *_new() and dsp_degrade() allocate.
 * Any number of threads may be in them and in *_free() at once: they share FFTW's
 * planner, behind a lock of dsp's own, and compute what one thread alone would.
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
    DSP_EMATH,  /* LAPACK did not converge, which only bad numbers can cause */
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
extern const char *const dsp_scale_name[DSP_SCALES]; /* "frame", "event", "scene" */

enum {
    DSP_HOPS_PER_S = 100,
    DSP_BANDS = 64,
    DSP_MIN_RATE_HZ = 22000,
    DSP_MAX_RATE_HZ = 96000,
    DSP_FRAME_HOPS = 10, /* of a frame's window: 0.1 s */
    DSP_MIN_EVENT_HOPS = 25,
    DSP_MAX_EVENT_HOPS = 200,
    DSP_SCENE_HOPS = 1000, /* 10 s */
};

typedef struct {
    uint32_t rate_hz;    /* DSP_MIN_RATE_HZ..DSP_MAX_RATE_HZ */
    float gate_db;       /* hops below this level are silence; -120..0 */
    uint32_t event_hops; /* of an event's window, DSP_MIN_EVENT_HOPS.. */
    uint32_t front;      /* dsp_front_kind of dsp/front.h; 0 is log-mel */
    bool timbre;         /* for dsp_stream_bfcc() of dsp/timbre.h */
} dsp_stream_config;

/* The values that are in force when nobody sets any: 48000 Hz, -70 dB, 100 hops. */
dsp_stream_config dsp_stream_config_default(void);

typedef struct {
    uint64_t index; /* 0, 1, 2, ... since the stream began */
    uint64_t
        frames; /* samples fed until this hop's end: floor((index + 1) rate / 100) */
    float level_db; /* of the newest 32 ms */
    bool loud;      /* level_db >= gate_db */
} dsp_hop;

typedef struct dsp_stream dsp_stream;
dsp_status dsp_stream_new(dsp_stream **out, const dsp_stream_config *config);
void dsp_stream_free(dsp_stream *stream);

/* Forgets all that it heard, as if there had been silence, and goes on at sample number
 * frame; hops stay where they are. A new stream stands at 0. */
void dsp_stream_reset(dsp_stream *stream, uint64_t frame);

/* Samples that a hop looks at: its features depend on no earlier ones. */
uint32_t dsp_stream_reach(const dsp_stream *stream);

/* Number of the hop that is being gathered. */
uint64_t dsp_stream_hop(const dsp_stream *stream);

/*
 * Takes samples up to the end of the next hop at most and returns how many it
 * took, 1..n. When that completed a hop, *hop describes it and *done is true. Samples
 * that are not finite, or beyond +-1e6, count as 0 and are added to *n_bad. n must not
 * be 0. Does not allocate or block.
 */
size_t dsp_stream_feed(dsp_stream *stream, const float x[], size_t n, dsp_hop *hop,
                       bool *done, uint64_t *n_bad);

/* The log-mel bands of the newest hop [DSP_BANDS], in dB; NULL with another front end.
 * Valid until the next samples are fed. */
const float *dsp_stream_bands(const dsp_stream *stream);

/*
 * What every window loses from now on: the power that each band is taken to have
 * without what is listened for, in dB as in dsp_stream_bands() [DSP_BANDS], or NULL for
 * nothing. One and a half times that is subtracted, but no band loses more than 10 dB,
 * so that what noise leaves does not flicker (Berouti et al., ICASSP 1979). Descriptors
 * stay. With another front end nothing is. Does not allocate or block.
 */
void dsp_stream_set_floor(dsp_stream *stream, const float bands[]);

/* The newest samples, *n of them: at least those that a hop looks at. Valid likewise.
 */
const float *dsp_stream_samples(const dsp_stream *stream, size_t *n);

/* What a window held: how many loud hops, how many from the first to the last of them,
 * and how many hops ago that last one was. */
typedef struct {
    uint32_t n_loud, n_hops, ago;
} dsp_span;

/*
 * Raw features of the sound in the last n_hops (DSP_MAX_EVENT_HOPS at most; an event
 * has at most event_hops). A hop is loud if it passes the gate and is within 40 dB of
 * the loudest in the window; what counts lies between the first loud hop and the last.
 *
 *   DSP_FRAME  [DSP_FRAME_RAW]     over the loud hops: mean of each log-mel band, minus
 *              the mean of all bands, so that gain cancels; population standard
 *              deviation of each; mean of each of the 21 descriptors. Log-mel is
 *              floored 80 dB below its peak in the window, and at -105 dB
 *   DSP_EVENT  [DSP_BLOCK_VALUES]  the five blocks, from the first loud hop to the last
 *
 * With another front end than log-mel, both are the same: over the loud hops, mean of
 * each band, minus the mean of all; deviation of each; mean and deviation of each of
 * its 13 cepstra (dsp_front_layout()).
 *
 * Returns the number of loud hops; with fewer than DSP_MIN_LOUD raw is left alone. Does
 * not allocate or block, and depends on nothing but those hops and the floor.
 */
enum { DSP_MIN_LOUD = 3, DSP_FRAME_RAW = 2 * DSP_BANDS + 21 };
uint32_t dsp_stream_window(dsp_stream *stream, dsp_scale scale, uint32_t n_hops,
                           float raw[], dsp_span *span);

/*
 * The scene: events, as dsp_standardise() leaves them, of a window each half event
 * length, in a ring of n_slots; NULL stands for one in which nothing sounded. Its raw
 * features are their mean [n_in] and standard deviation [n_in], each event weighing as
 * its amplitude (dsp_event_weight() of its raw features), so that tails and room noise
 * count little; computed anew from the ring, so that nothing drifts. Returns how many
 * events there were, with raw left alone if none. push and window do not allocate or
 * block.
 */
typedef struct dsp_scene dsp_scene;
dsp_status dsp_scene_new(dsp_scene **out, uint32_t n_in, uint32_t n_slots);
void dsp_scene_free(dsp_scene *scene);
void dsp_scene_reset(dsp_scene *scene);
void dsp_scene_push(dsp_scene *scene, const float u[], float weight);
float dsp_event_weight(const float raw[]); /* [DSP_BLOCK_VALUES] */
uint32_t dsp_scene_window(const dsp_scene *scene, float raw[]);

/* How the raw vector of a scale is made up, for dsp_projection and dsp/learn.h. */
enum { DSP_MAX_BLOCKS = 5 };
typedef struct {
    uint32_t n_in, n_blocks, block_size[DSP_MAX_BLOCKS];
} dsp_layout;
dsp_layout dsp_layout_of(dsp_scale scale);

/* ---- Projection -------------------------------------------------------------------
 */

/*
 * How a raw vector becomes an embedding. Its values come in blocks, one after the
 * other, and each block is brought to unit length on its own:
 *
 *   u = for each block l2(clip((raw - mean) / spread, -4, 4))    dsp_standardise
 *   embedding = l2(matrix . u)                                   dsp_project
 *
 * Nothing here allocates or blocks. dsp/learn.h says where the numbers come from.
 */
typedef struct {
    uint32_t n_in, dim, n_blocks;
    const uint32_t *block_size; /* [n_blocks], 0 or more each, sum n_in */
    const float *mean, *spread; /* [n_in], finite; spread > 0 */
    const float *matrix;        /* [dim][n_in]; NULL for the identity, dim == n_in */
} dsp_projection;

/*
 * raw[n_in] to u in out[n_in], which may be raw itself. A block whose values all lie at
 * the mean (norm below 1e-12) has no direction and becomes zeros. Returns false, with
 * out undefined, when no block has one or a value is not finite. Uses neither dim nor
 * matrix.
 */
bool dsp_standardise(const dsp_projection *p, const float raw[], float out[]);

/* raw[n_in] to the embedding in out[dim]. scratch[n_in] and out must not overlap raw or
 * each other. Returns false, with out undefined, when dsp_standardise() does or the
 * embedding has no direction. */
bool dsp_project(const dsp_projection *p, const float raw[], float scratch[],
                 float out[]);

/* ---- Five blocks ------------------------------------------------------------------
 */

/*
 * The 21 values of one frame, in this order: spectral contrast of 7 bands (edges 50 200
 * 400 800 1600 3200 6400 14000 Hz: dB of the mean of the top 20 % of their bins minus
 * dB of the mean of the bottom 20 %), their valleys (the latter, minus the frame's
 * level e), log2 of centroid + 20, spread + 20 and 85 % roll-off + 20 (Hz), flatness
 * (mean of the dB minus dB of the mean, 62 Hz to 14 kHz), zero-crossing rate (per
 * sample), harmonicity h (highest normalised autocorrelation at lags of 1 to 15 ms,
 * 0..1) and pitch (log2(f0) h).
 */
enum { DSP_DESCRIPTORS = 21 };

typedef struct dsp_descriptors dsp_descriptors;
/* rate_hz as in dsp_stream_config, else DSP_EARG. */
dsp_status dsp_descriptors_new(dsp_descriptors **out, uint32_t rate_hz);
void dsp_descriptors_free(dsp_descriptors *d);

/*
 * x[window] are the frame's samples, power[fft/2 + 1] its spectrum as
 * dsp_logmel_power() gives it with dsp_logmel_config_default(rate_hz), level_e_db 10
 * log10 of the sum of its linear mel bands. Real-time safe. Always finite; a silent
 * frame has h = pitch = 0.
 */
void dsp_descriptors_frame(dsp_descriptors *d, const float x[], const float power[],
                           float level_e_db, float out[DSP_DESCRIPTORS]);

/*
 * One window of n frames as five blocks of values (embedding.md in the design): 105
 * descriptors statistics, 144 mel modulations, 256 of a template, 26 MFCC statistics,
 * 144 MFCC modulations.
 */
enum { DSP_BLOCKS = 5, DSP_BLOCK_VALUES = 675, DSP_MAX_WINDOW = 6000 };
extern const uint32_t dsp_block_size[DSP_BLOCKS];

typedef struct dsp_blocks dsp_blocks;
dsp_status dsp_blocks_new(dsp_blocks **out,
                          uint32_t max_frames); /* 1..DSP_MAX_WINDOW */
void dsp_blocks_free(dsp_blocks *b);

/* mel[n][DSP_BANDS] in dB, not floored; descriptors[n][DSP_DESCRIPTORS]; 1 <= n <=
 * max_frames. Real-time safe; always finite. */
void dsp_blocks_window(dsp_blocks *b, const float mel[], const float descriptors[],
                       size_t n, float out[DSP_BLOCK_VALUES]);

/* ---- Degradations -----------------------------------------------------------------
 */

/*
 * What happens to sounds between a corpus and a microphone: the copies that recognition
 * is measured with.
 *
 * Noise is white: each sample the sum of the four 16-bit quarters of the next number of
 * splitmix64, minus 131070. The generator starts at mix(mix(seed) + kind), mix being
 * its output function, so kinds and seeds are independent. A signal-to-noise ratio is
 * that of the sums of squares over the whole sound, and exact, not expected.
 *
 * Filters are Butterworth, cascaded biquads in double by the bilinear transform, -3 dB
 * at the frequency that is given; they start from rest and add their own delay (0.2 ms
 * for 4 kHz).
 *
 * Tempo is changed by a phase vocoder on the whole sound: Hann windows of 1024 2^k
 * samples, the shortest of at least 1/32 s, a quarter apart in the copy; each peak of
 * the spectrum (higher than two bins on either side) goes on with the phase advance
 * that it has in the sound, and the bins up to the lowest one towards the next peak
 * turn with it; peaks that rose by 12 dB within a hop keep their phase, which keeps
 * attacks sharp. Pitch is changed by playing slower by that ratio, then reading the
 * result faster by the same (or the other way round) through a Blackman-windowed sinc
 * of 32 samples with its cutoff at 0.94 of the lower of the two Nyquist frequencies. A
 * semitone is 196/185, 0.006 cents too little, so that samples are read at 185 (down:
 * 196) positions between two others and no more.
 *
 * The reverberant tail is noise times 10^(-3 t / 0.8 s), from the sample after the
 * direct sound until 0.8 s later, where it has fallen by 60 dB and ends; the sum of its
 * squares is 1, so that it brings as much energy as the direct sound, which stays as it
 * is.
 */
typedef enum {
    DSP_NOISE_10_DB, /* noise at a signal-to-noise ratio of 10 dB */
    DSP_QUIETER,     /* -12 dB */
    DSP_LOW_PASS,    /* 4 kHz, order 8 */
    DSP_TELEPHONE,   /* high-pass 300 Hz, order 6; low-pass 3400 Hz, order 10 */
    DSP_PITCH_UP,    /* one semitone, length kept to the sample */
    DSP_PITCH_DOWN,  /* likewise */
    DSP_FASTER,      /* tempo times 1.1, pitch kept; n / 1.1 samples, rounded */
    DSP_SLOWER,      /* tempo times 0.9, pitch kept; n / 0.9 samples, rounded */
    DSP_LATE,        /* without its first floor(rate / 2) or floor(n / 4) samples,
                        whichever is less */
    DSP_REVERB,      /* with a tail: n + 0.8 rate samples, rounded */
    DSP_ROOM, /* reverb, low-pass, noise at 20 dB of what that gives, -6 dB, in turn;
                 as long as reverb */
    DSP_DEGRADATIONS,
} dsp_degradation;

/* "noise-10db", "quieter", "low-pass", ...: for reports. */
extern const char *const dsp_degradation_name[DSP_DEGRADATIONS];

/*
 * Degrades x[n] into a new array of *n_out samples, which the caller frees with free().
 *
 *   x        finite and within +-1e6, which the caller sees to; may be NULL when n is 0
 *   rate_hz  DSP_MIN_RATE_HZ..DSP_MAX_RATE_HZ
 *   seed     any; only noise-10db, reverb and room draw numbers
 *   out      [n_out], not clipped: may exceed 1 where x does not; NULL on failure. With
 *            n 0 it holds nothing, but is not NULL
 *
 * Silence stays silence, exactly. The same samples, rate and seed give the same copy in
 * every bit, whatever was computed before and by however many threads. Allocates, and
 * the first call plans FFTs, which stay: not for real-time threads. 0.01 to 1 ms for a
 * second of sound at 48 kHz, 5 ms for all kinds. Returns DSP_EARG for a kind or rate
 * out of range.
 */
dsp_status dsp_degrade(dsp_degradation kind, const float x[], size_t n,
                       uint32_t rate_hz, uint64_t seed, float **out, size_t *n_out);

#endif
