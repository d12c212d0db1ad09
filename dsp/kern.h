/* Kernels of dsp: the C version is the definition, a SIMD version is a claim about it.
 */
#ifndef HEARKEN_DSP_KERN_H
#define HEARKEN_DSP_KERN_H

#include <stddef.h>
#include <stdint.h>

/* Rows of a sparse band matrix, padded to whole vectors of DSP_LANES weights. */
enum { DSP_LANES = 8 };
typedef struct {
    uint32_t first_bin; /* of the band */
    uint32_t n_blocks;  /* of DSP_LANES weights, 1 or more */
    uint32_t offset;    /* of the first weight in weights[] */
} dsp_band;

typedef struct {
    const char *name; /* "c", "avx2" */

    const struct dsp_frame_kern *frame; /* kern_frame.h: descriptors of one frame */
    const struct dsp_block_kern *block; /* kern_blocks.h: the five blocks */

    /* out[i] = x[i] w[i] for i < n. No overlap; any alignment. */
    void (*window)(float *restrict out, const float *restrict x,
                   const float *restrict w, size_t n);

    /* Power of the first n_bins bins of a real FFT of 2m points from z, the complex FFT
     * of its m pairs (interleaved, z[m] = z[0] appended), and twiddles cos, sin of pi k
     * / m: p[k] = gain |X[k]|^2. n_bins <= m + 1; p has room for a multiple of
     * DSP_LANES. */
    void (*power)(float *restrict p, const float *restrict z,
                  const float *restrict cosine, const float *restrict sine, size_t m,
                  size_t n_bins, float gain);

    /* out[b] = sum of weights times p over the band's blocks. n_bands is a multiple of
     * DSP_LANES; p is readable up to the end of every block. */
    void (*bands)(float *restrict out, const float *restrict p, const dsp_band bands[],
                  const float *restrict weights, size_t n_bands);

    /* x[i] = 10 log10(max(x[i], floor)), within 2e-5 dB; n a multiple of DSP_LANES. */
    void (*decibels)(float *x, size_t n, float floor);

    /* Sum of p[0..n). */
    float (*sum)(const float *p, size_t n);
} dsp_kern;

/* The C version of power() for the bins first..n_bins-1: also the SIMD versions' tail.
 */
void dsp_power_from(size_t first, float *restrict p, const float *restrict z,
                    const float *restrict cosine, const float *restrict sine, size_t m,
                    size_t n_bins, float gain);

extern const dsp_kern dsp_kern_c;
extern const dsp_kern *const dsp_kern_avx2; /* NULL where the compiler has no AVX2 */

/* Kernels that this CPU can run: list[0] is "c", the last is the fastest. */
size_t dsp_kern_list(const dsp_kern *list[4]);

/* The fastest, or the one that DSP_KERN=name in the environment asks for. Cold. */
const dsp_kern *dsp_kern_best(void);

#endif
