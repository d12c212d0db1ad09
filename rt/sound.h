/*
 * Sound files as mono samples, in blocks: what libsndfile reads, channels averaged, at
 * the file's own rate where dsp takes it and resampled (soxr) to 48 kHz elsewhere. A
 * file of any length needs the same memory. One thread at a time.
 */
#ifndef HEARKEN_RT_SOUND_H
#define HEARKEN_RT_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rt_sound rt_sound;

typedef struct {
    uint32_t rate_hz; /* of the samples that rt_sound_read() gives */
    uint32_t file_rate_hz, n_channels;
    uint64_t n_frames; /* of the file, as its header says; 0 when it does not know */
    double seconds;    /* likewise */
} rt_sound_info;

/* On failure returns false, and why is a few words without the path. */
bool rt_sound_open(rt_sound **out, const char *path, rt_sound_info *info, char *why,
                   size_t why_len);
void rt_sound_close(rt_sound *sound);

/* The first RIFF chunk of that name (four letters) into *data[*n], which the caller
 * frees, with a zero behind it. False, and *data NULL, when there is none or it cannot
 * be read. */
bool rt_sound_chunk(rt_sound *sound, const char name[4], char **data, size_t *n);

/* Up to n samples into x; 0 at the end or when decoding failed, which then fills why
 * with a few words (and leaves it empty at the end). */
size_t rt_sound_read(rt_sound *sound, float x[], size_t n, char *why, size_t why_len);

#endif
