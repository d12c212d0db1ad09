#include "wav.h"

#include <string.h>

enum {
    HEAD_BYTES =
        12 + 26 + 12 + 8 + 8, /* RIFF, fmt, fact; heads of the chunk and data */
    FORMAT_FLOAT = 3,
};

static void
put(unsigned char *to, uint32_t x, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

uint64_t
rt_wav_most(size_t n_text)
{
    const uint64_t taken = HEAD_BYTES + (uint64_t)n_text + 1;
    return taken < UINT32_MAX ? (UINT32_MAX - taken) / sizeof(float) : 0;
}

static bool
chunk_head(FILE *to, const char name[4], uint64_t n_bytes)
{
    unsigned char head[8];
    memcpy(head, name, 4);
    put(head + 4, (uint32_t)n_bytes, 4);
    return fwrite(head, 1, sizeof head, to) == sizeof head;
}

/* The chunk of text stands before the samples: a reader has it before it needs them. */
bool
rt_wav_head(FILE *to, uint32_t rate_hz, uint64_t n_samples, const char chunk[4],
            const char text[], size_t n_text)
{
    static const char pad = 0;
    const size_t odd = n_text & 1; /* chunks begin at even places */
    const uint64_t data = n_samples * sizeof(float);
    unsigned char format[18], fact[4];
    memset(format, 0, sizeof format);
    put(format, FORMAT_FLOAT, 2);
    put(format + 2, 1, 2); /* channels */
    put(format + 4, rate_hz, 4);
    put(format + 8, rate_hz * 4, 4); /* bytes a second */
    put(format + 12, 4, 2);          /* bytes a frame */
    put(format + 14, 32, 2);         /* bits a sample; then the size of no extension */
    put(fact, (uint32_t)n_samples, 4);
    return chunk_head(to, "RIFF", HEAD_BYTES - 8 + n_text + odd + data) &&
           fwrite("WAVE", 1, 4, to) == 4 && chunk_head(to, "fmt ", sizeof format) &&
           fwrite(format, 1, sizeof format, to) == sizeof format &&
           chunk_head(to, "fact", sizeof fact) &&
           fwrite(fact, 1, sizeof fact, to) == sizeof fact &&
           chunk_head(to, chunk, n_text) && fwrite(text, 1, n_text, to) == n_text &&
           fwrite(&pad, 1, odd, to) == odd && chunk_head(to, "data", data);
}

/* As they lie in memory: hearken runs on little-endian machines, as its index does. */
bool
rt_wav_samples(FILE *to, const float x[], size_t n)
{
    return fwrite(x, sizeof *x, n, to) == n;
}
