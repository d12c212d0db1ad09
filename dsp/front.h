/*
 * front: the front ends that can stand in the place of hearken's log-mel frames.
 *
 *   float x[window] --dsp_front_frame--> bands[n_bands] in a log unit, cepstra[13]
 *
 * Each looks at the samples up to a hop's end and at nothing before them, so that
 * frames can be computed in any order. All have a definition elsewhere that the tests
 * hold them to; tests/golden says which.
 *
 *   name              bands  window at 48 kHz  middle, before the hop's end  a frame
 *   mel                  64   32 ms             16 ms                        1.2 us
 *   morlet               64  107 ms             16 ms; 53 ms below 240 Hz    5 us
 *   morlet-zounds       128   57 ms             28 ms                        57 us
 *   bark                 40   32 ms             16 ms                        1.2 us
 *   bark-zounds(-2016)  100   43 ms             21 ms                        1.8 us
 *
 * mel             64 HTK triangles in dB: dsp_logmel_config_default(). Floor -110.
 *
 * morlet          64 complex Morlet wavelets (w = 6), centres geometric from 60 Hz to
 *                 12 kHz at every rate, those above 3/8 of the rate empty. dB of |w|^2,
 *                 scaled so that a sine of amplitude 1 at a centre gives -3 dB. Floor
 *                 -110. Below 240 Hz the energy at one instant, half a window before
 *                 the hop's end: 53 to 64 ms, by rate. From there on a wavelet is
 *                 shorter than a hop and would miss what happens between two instants:
 *                 its mean energy under mel's window counts.
 *
 * morlet-zounds   The input of the published network (zounds 1.57): 128 real Morlet
 *                 filters of 512 taps at the device's rate over the integer part of
 *                 rate/11000 (11025 at 44.1 kHz, 12000 at 48, 16000 at 32), half-wave
 *                 rectified, 20 log10(1 + y), mean over 128 samples. The bank ends at
 *                 half of that rate and so differs between rates. zounds first brings
 *                 0.74 s of sound to unit deviation, since the curve of 1 + y depends
 *                 on level. A frame knows no such segment, and by its own deviation
 *                 silence would become noise and no frame louder than another. Instead
 *                 samples are multiplied by 32768: y = 1 is about a step of 16 bits,
 *                 the curve is logarithmic for whatever can be heard, and silence gives
 *                 exactly 0, the floor. What is negative counts 0, so twice the
 *                 amplitude adds 3 dB on average where others add 6; in the lowest
 *                 bands, slower than the mean, anything from 0 to 6.
 *
 * bark            40 triangles equidistant in 6 asinh(f/600) from 20 Hz to 14 kHz,
 *                 linear in Bark, weights of sum 1; else as mel. Cepstra are BFCC.
 *
 * bark-zounds     100 bands of zounds 1.57 (2018) from 20 Hz to Nyquist, weighted by
 *                 Hann windows of whole bins: ln(band + 1e-12). The lowest six have no
 *                 weight and stay at the floor, ln 1e-12 = -27.63. Cepstra 1..13 of the
 *                 unnormalised DCT-II (2 sum).
 *
 * bark-zounds-2016  The bands of the article of 2016, where triangles stand at half of
 *                 the frequency that is meant, 12 Hz to 9.2 kHz, and the lowest two are
 *                 empty; else like bark-zounds, magnitudes 32 times as high.
 *
 * Both have bins of rate/k/1024, k the integer part of rate/22000: 21.5 Hz at 22.05 and
 * 44.1 kHz, 23.4 at 48. The spectrum is taken at the device's rate from 1024 k samples,
 * of which the lower 513 bins are those of an ideally decimated sound.
 */
#ifndef HEARKEN_DSP_FRONT_H
#define HEARKEN_DSP_FRONT_H

#include "dsp/dsp.h"

typedef enum {
    DSP_FRONT_MEL,
    DSP_FRONT_MORLET,
    DSP_FRONT_MORLET_ZOUNDS,
    DSP_FRONT_BARK,
    DSP_FRONT_BARK_ZOUNDS_2016,
    DSP_FRONT_BARK_ZOUNDS_2018,
    DSP_FRONTS
} dsp_front_kind;

/* "mel", "morlet", "morlet-zounds", "bark", "bark-zounds-2016", "bark-zounds" */
extern const char *const dsp_front_name[DSP_FRONTS];

enum {
    DSP_FRONT_MAX_BANDS = 128,
    DSP_FRONT_CEPSTRA = 13,
    DSP_FRONT_MAX_WINDOW = 10240 /* samples: morlet's at 88.2 and 96 kHz */
};

typedef struct dsp_front dsp_front;

/* rate_hz is DSP_MIN_RATE_HZ..DSP_MAX_RATE_HZ; it or a kind out of range is DSP_EARG.
 * Plans FFTs, so the same rules hold as for the other *_new() of dsp. */
dsp_status dsp_front_new(dsp_front **out, dsp_front_kind kind, uint32_t rate_hz);
void dsp_front_free(dsp_front *front);

uint32_t dsp_front_bands(const dsp_front *front);  /* values of a frame */
uint32_t dsp_front_window(const dsp_front *front); /* samples that a frame looks at */

/* How the raw vector of a scale is made up with a front end: for mel dsp_layout_of(),
 * else [n] means of bands, [n] deviations, [13] means of cepstra, [13] deviations; for
 * a scene mean and deviation of that. */
dsp_layout dsp_front_layout(dsp_front_kind kind, dsp_scale scale);

/*
 * One frame from x[window], the newest sample last.
 *
 *   x        finite and within +-1e6, which the caller sees to; any alignment
 *   bands    [dsp_front_bands()] out, in the unit above, never below the floor above
 *   cepstra  c0..c12 of the orthonormal DCT-II of bands, or what is said above
 *
 * Real-time safe; always finite; the same samples give the same bits.
 */
void dsp_front_frame(dsp_front *front, const float x[], float bands[],
                     float cepstra[DSP_FRONT_CEPSTRA]);

#endif
