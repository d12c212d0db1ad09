/* What the files of the degradations share. */
#ifndef HEARKEN_DSP_DEGRADE_PRIVATE_H
#define HEARKEN_DSP_DEGRADE_PRIVATE_H

#include "private.h"

/* A sound that owns its samples. The calls below that make one from x[n] leave it alone
 * when they fail, and what y held is never freed. n is not 0. */
typedef struct {
    float *x; /* [n], from malloc() */
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

/* Butterworth filters of even orders in a row, 12 pairs of poles at most in all. y[n]
 * may be x. */
typedef enum { DSP_PASS_LOW, DSP_PASS_HIGH } dsp_pass;
typedef struct {
    dsp_pass pass;
    unsigned order;
    double cutoff_hz;
} dsp_filter;
void dsp_butterworth(float y[], const float x[], size_t n, const dsp_filter filters[],
                     size_t n_filters, uint32_t rate_hz);

/* Adds a tail of decaying noise: dsp.h says which. */
dsp_status dsp_reverb(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz,
                      dsp_random *r);

/* Plays speed times as fast at the same pitch: n / speed samples, rounded. */
dsp_status dsp_stretch(dsp_sound *y, const float x[], size_t n, uint32_t rate_hz,
                       double speed);

/* Reads the sound at 0, step, 2 step, ...: n_out samples, zeros outside of it. */
typedef struct {
    uint32_t up, down; /* step = up / down; down is a few hundred at most */
} dsp_ratio;
dsp_status dsp_resample(dsp_sound *y, const float x[], size_t n, dsp_ratio step,
                        size_t n_out);

#endif
