/* Mono wav files of 32-bit floats, bit for bit, with a chunk of text of one's own. */
#ifndef HEARKEN_RT_WAV_H
#define HEARKEN_RT_WAV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Samples that fit beside so much text. */
uint64_t rt_wav_most(size_t n_text);

/* All that stands before the samples; n_samples of them, rt_wav_most() at most, must
 * follow. chunk has four letters. False when a write failed. */
bool rt_wav_head(FILE *to, uint32_t rate_hz, uint64_t n_samples, const char chunk[4],
                 const char text[], size_t n_text);
bool rt_wav_samples(FILE *to, const float x[], size_t n);

#endif
