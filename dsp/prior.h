/*
 * Rows that stand in for a corpus while there is little of it: raw features of sounds
 * in general, from the CC0 sounds of Debian's sonic-pi-samples. `make prior` makes
 * dsp/prior.bin, which is built in, anew.
 */
#ifndef HEARKEN_DSP_PRIOR_H
#define HEARKEN_DSP_PRIOR_H

#include "dsp/dsp.h"

/*
 * The bytes, for DSP_FRAME and then DSP_EVENT: float mean[n_in], float spread[n_in],
 * int8_t rows[DSP_PRIOR_ROWS][n_in]; a value is mean + spread * row / DSP_PRIOR_UNIT.
 */
enum { DSP_PRIOR_ROWS = 192, DSP_PRIOR_UNIT = 32 };

/* The rows of a scale, DSP_FRAME or DSP_EVENT, as a new array [DSP_PRIOR_ROWS][n_in]
 * that the caller frees; NULL when memory runs out. */
float *dsp_prior_rows(dsp_scale scale);

#endif
