/*
 * soundfile: sound files in memory, of any kind that libsndfile reads. All in this
 * header, because the Makefile makes each instrument from one file.
 */
#ifndef HEARKEN_TOOLS_SOUNDFILE_H
#define HEARKEN_TOOLS_SOUNDFILE_H

#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    const char *path; /* the caller's */
    float *x;         /* [frames][channels] */
    uint64_t frames;
    unsigned channels;
    int rate_hz;
} sound;

static inline void
sound_free(sound *s)
{
    free(s->x);
    s->x = NULL;
}

/* The mean of the channels, in place. */
static inline void
sound_mix_down(sound *s)
{
    for (uint64_t i = 0; i < s->frames; i++) {
        float sum = 0;
        for (unsigned c = 0; c < s->channels; c++)
            sum += s->x[i * s->channels + c];
        s->x[i] = sum / (float)s->channels;
    }
    s->channels = 1;
}

/* Reads a whole file, mixed down to one channel if mono. Returns NULL, or what is
 * wrong; sound_free() takes *s either way. */
static inline const char *
sound_read(sound *s, const char *path, bool mono)
{
    SF_INFO info = {0};
    *s = (sound){.path = path};
    SNDFILE *sf = sf_open(path, SFM_READ, &info);
    if (!sf)
        return sf_strerror(NULL);
    const bool empty = info.channels < 1 || info.frames < 1;
    if (!empty) {
        s->channels = (unsigned)info.channels;
        s->rate_hz = info.samplerate;
        s->x = calloc((size_t)info.frames, s->channels * sizeof *s->x);
    }
    const sf_count_t got = s->x ? sf_readf_float(sf, s->x, info.frames) : 0;
    sf_close(sf);
    if (empty || (s->x && got < 1))
        return "no samples can be read";
    if (!s->x)
        return "out of memory";
    s->frames = (uint64_t)got;
    if (mono)
        sound_mix_down(s);
    return NULL;
}

/* The sample at frame p for port c: a mono file plays on every port, another is silent
 * on those that it has no channel for. */
static inline float
sound_sample(const sound *s, uint64_t p, unsigned c)
{
    if (s->channels == 1)
        return s->x[p];
    return c < s->channels ? s->x[p * s->channels + c] : 0;
}

/* The path as a JSON string. */
static inline void
sound_print_path(const sound *s)
{
    putchar('"');
    for (const char *c = s->path; *c; c++)
        if ((unsigned char)*c < 0x20)
            printf("\\u%04x", (unsigned)*c);
        else
            printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    putchar('"');
}

#endif
