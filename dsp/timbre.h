/*
 * timbre: samples to timbre codes (Vinyard, timbre-based similarity search, 2016). A
 * part of dsp, whose rules hold here too.
 *
 *   float x[window] --dsp_bfcc_frame--> float bfcc[DSP_BFCC], unit length
 *                   --dsp_timbre_nearest--> centroid 0..DSP_TIMBRE_BITS-1
 *                   --dsp_timbre_push--> uint64_t bits[2]: the centroids that the last
 *                                        DSP_TIMBRE_FRAMES frames came nearest to
 *
 * The caller takes the frames: one at the end of every second hop (20 ms), of the
 * newest dsp_bfcc_window() samples, which dsp_stream_bfcc() does for a stream. A code
 * then covers 29 steps and one frame, 0.626 s. The centroids are trained by
 * dsp_kmeans() on frames of a corpus and stored with the codes, which mean nothing
 * without them.
 */
#ifndef HEARKEN_DSP_TIMBRE_H
#define HEARKEN_DSP_TIMBRE_H

#include "dsp/dsp.h"

enum {
    DSP_BFCC = 13,         /* coefficients of a frame */
    DSP_BARK_BANDS = 100,  /* that they are made of */
    DSP_TIMBRE_BITS = 128, /* centroids: one bit each */
    DSP_TIMBRE_WORDS = DSP_TIMBRE_BITS / 64,
    DSP_TIMBRE_FRAMES = 30,   /* in one code */
    DSP_TIMBRE_STEP_HOPS = 2, /* from frame to frame */
    DSP_TIMBRE_SILENT_DB = -90,
};

/* ---- Frames -----------------------------------------------------------------------
 */

/*
 * Bark frequency cepstral coefficients of 46.4 ms (1024 samples at 22050 Hz) at any
 * rate. The window is Vorbis's, sin(pi/2 sin^2(pi (n + 1/2) / window)). Magnitudes are
 * |X| 1024 / window, X being the FFT: at 22050 Hz those of an unscaled FFT, and at
 * every rate 308 for a sine of amplitude 1.
 *
 * Band i is a triangle of height 1 over Hz, as wide as ERB(f) = 24.7 + 0.108 f, around
 * f = 600 sinh(z / 6), where z are 100 equidistant values of 6 asinh(f/600) from 20 Hz
 * to 11025 Hz at every rate. It is evaluated at the frequencies of the FFT's bins: 21.0
 * to 21.6 Hz apart, so that the narrowest band (26.9 Hz) still holds one.
 */
typedef struct dsp_bfcc dsp_bfcc;

/* rate_hz is DSP_MIN_RATE_HZ..DSP_MAX_RATE_HZ, else DSP_EARG. */
dsp_status dsp_bfcc_new(dsp_bfcc **out, uint32_t rate_hz);
void dsp_bfcc_free(dsp_bfcc *bfcc);

/* Samples in a frame: rate 1024 / 22050, rounded; 2229 at 48 kHz. */
uint32_t dsp_bfcc_window(const dsp_bfcc *bfcc);

/*
 * Coefficients 1..13 of the cosine transform (DCT-II) of ln(band + 1e-12), at unit
 * length, of x[window]. The frame's mean is taken away first, because the offset of a
 * sound card would fill the lowest bands and make silence loud.
 *
 * Returns false, with zeros, for a frame without direction: when what lies below 11.6
 * kHz has a level under DSP_TIMBRE_SILENT_DB dBFS (root mean square of the windowed
 * samples; one step of 16 bits), or when samples are not finite.
 * Does not allocate or block. 4 us at 48 kHz.
 */
bool dsp_bfcc_frame(dsp_bfcc *bfcc, const float x[], float out[DSP_BFCC]);

/*
 * The frame that ends with the newest hop of a stream, to be asked for before the
 * stream is fed again. Returns false, with zeros, when dsp_bfcc_frame() does, when that
 * hop is not loud, and always without dsp_stream_config.timbre. Does not allocate or
 * block.
 */
bool dsp_stream_bfcc(dsp_stream *stream, float out[DSP_BFCC]);

/* Weight of a bin in a band, and the FFT's length; for tests and pictures. */
float dsp_bfcc_weight(const dsp_bfcc *bfcc, uint32_t band, uint32_t bin);
uint32_t dsp_bfcc_fft(const dsp_bfcc *bfcc);

/* ---- Codes ------------------------------------------------------------------------
 */

/*
 * The centroid nearest to a frame (squared Euclidean distance, ties to the lower
 * number): 0..DSP_TIMBRE_BITS-1. centroids are [DSP_TIMBRE_BITS][DSP_BFCC]. Real-time
 * safe.
 */
uint32_t dsp_timbre_nearest(const float centroids[], const float bfcc[DSP_BFCC]);

/*
 * The code of a sliding window: bit b of word b >> 6 (number b & 63 in it) is set when
 * any of the last DSP_TIMBRE_FRAMES frames was nearest to centroid b. Kept by counting,
 * so that a frame costs the same at any length, exactly. All zeros is an empty window.
 */
typedef struct {
    uint64_t bits[DSP_TIMBRE_WORDS];
    uint32_t n_loud;                   /* frames in the window that set a bit */
    uint32_t at;                       /* where the next frame goes */
    uint8_t ring[DSP_TIMBRE_FRAMES];   /* centroid + 1, or 0 for silence */
    uint8_t n_frames[DSP_TIMBRE_BITS]; /* per centroid */
} dsp_timbre_code;

/* The window moves on by one frame: a centroid, or DSP_TIMBRE_BITS for a silent frame,
 * which takes its place but sets no bit. Real-time safe. */
void dsp_timbre_push(dsp_timbre_code *code, uint32_t centroid);

/* Forgets all frames, as if there had been silence. */
void dsp_timbre_reset(dsp_timbre_code *code);

#endif
