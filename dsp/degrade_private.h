/* What the files of the degradations share. */
#ifndef HEARKEN_DSP_DEGRADE_PRIVATE_H
#define HEARKEN_DSP_DEGRADE_PRIVATE_H

#include "private.h"

/* A sound that owns its samples. The calls below that take one replace x and n; when
 * they fail they leave it alone. n is not 0. */
typedef struct {
    float *x; /* [n], from dsp_calloc() */
    size_t n;
} dsp_sound;

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
typedef struct {
    uint64_t state;
} dsp_random;

/* Sum of the four 16-bit quarters of the next number, minus its mean: an integer within
 * +-131070, nearly Gaussian, standard deviation 37837, and the same on every machine.
 */
double dsp_random_normal(dsp_random *r);

/* Plans the complex FFT of n points from in[2n] to out[2n], forward; the inverse is the
 * conjugate of the FFT of the conjugate, over n. Real plans would do with half the
 * memory, but planning them takes longer than all that is done here with them. */
fftwf_plan dsp_degrade_plan(size_t n, float *in, float *out);

/* Butterworth filters of an even order up to DSP_MAX_ORDER, in place. */
typedef enum { DSP_PASS_LOW, DSP_PASS_HIGH } dsp_pass;
enum { DSP_MAX_ORDER = 12 };
void dsp_butterworth(dsp_sound *s, dsp_pass pass, unsigned order, double cutoff_hz,
                     uint32_t rate_hz);

/* Adds a tail of decaying noise: dsp.h says which. */
dsp_status dsp_reverb(dsp_sound *s, uint32_t rate_hz, dsp_random *r);

/* Plays speed times as fast at the same pitch: n becomes n / speed, rounded. */
dsp_status dsp_stretch(dsp_sound *s, uint32_t rate_hz, double speed);

/* Reads the sound at 0, step, 2 step, ...: n_out samples, zeros outside of it. */
dsp_status dsp_resample(dsp_sound *s, double step, size_t n_out);

#endif
