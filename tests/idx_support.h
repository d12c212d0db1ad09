/* Corpora in memory for the tests of index/, seeded. */
#ifndef HEARKEN_IDX_SUPPORT_H
#define HEARKEN_IDX_SUPPORT_H

#include "index/index.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* splitmix64 */
static inline uint64_t
rnd_u64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* Uniform in (0, 1). */
static inline double
rnd_unit(uint64_t *state)
{
    return ((double)(rnd_u64(state) >> 11) + 0.5) * 0x1p-53;
}

static inline float
rnd_normal(uint64_t *state)
{
    const double radius = sqrt(-2.0 * log(rnd_unit(state)));
    return (float)(radius * cos(6.283185307179586 * rnd_unit(state)));
}

static inline void
unit_length(float x[], uint32_t dim)
{
    double power = 0.0;
    for (uint32_t i = 0; i < dim; i++)
        power += (double)x[i] * (double)x[i];
    for (uint32_t i = 0; i < dim; i++)
        x[i] = (float)((double)x[i] / sqrt(power));
}

static inline void
random_direction(float x[], uint32_t dim, uint64_t *state)
{
    for (uint32_t i = 0; i < dim; i++)
        x[i] = rnd_normal(state);
    unit_length(x, dim);
}

/* A corpus that owns its arrays; contents.scales[i] points into them. */
typedef struct {
    idx_contents contents;
    idx_sound *sounds;
    float *array[IDX_SCALES][7]; /* mean, spread, matrix, knots, rows, noises, tails */
    idx_entry *entries[IDX_SCALES];
    uint64_t *codes; /* these two of IDX_TIMBRE */
    float *hamming;
    char *names;
} corpus;

enum { NAME_BYTES = 32, CORPUS_KNOTS = 17, CORPUS_SOUNDS = 8 };

/*
 * Rows as neighbouring frames of sounds are: each sound is a random walk around a
 * centre, and centres lie around a few common ones, so that sounds have strangers to
 * resemble.
 */
static inline void
walk_rows(float rows[], idx_entry entries[], uint32_t n, uint32_t dim,
          uint32_t n_sounds, uint64_t *state)
{
    enum { FAMILIES = 64 };
    float *family = malloc(FAMILIES * dim * sizeof *family);
    float *centre = malloc(dim * sizeof *centre);
    float *at = malloc(dim * sizeof *at);
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < FAMILIES; i++)
        random_direction(family + i * dim, dim, state);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t sound = (uint32_t)((uint64_t)i * n_sounds / n);
        const float wide = 0.9F / sqrtf((float)dim);
        const float step = 0.25F / sqrtf((float)dim);
        if (sound != last) {
            const float *f = family + rnd_u64(state) % FAMILIES * dim;
            for (uint32_t j = 0; j < dim; j++)
                at[j] = centre[j] = f[j] + wide * rnd_normal(state);
        }
        last = sound;
        for (uint32_t j = 0; j < dim; j++) {
            at[j] += 0.1F * (centre[j] - at[j]) + step * rnd_normal(state);
            rows[(size_t)i * dim + j] = at[j];
        }
        unit_length(rows + (size_t)i * dim, dim);
        entries[i] = (idx_entry){sound, 0.01F * (float)i, 0.1F};
    }
    free(family);
    free(centre);
    free(at);
}

static inline void
corpus_fill_scale(corpus *c, uint32_t i, uint32_t n, uint32_t dim, bool matrix,
                  uint64_t *state)
{
    idx_scale *s = &c->contents.scales[i];
    const uint32_t n_in = matrix ? dim + 3 : dim;
    const size_t cells[5] = {n_in, n_in, matrix ? (size_t)n_in * dim : 0, CORPUS_KNOTS,
                             (size_t)n * dim};
    for (int a = 0; a < 5; a++) {
        c->array[i][a] = malloc((cells[a] + 1) * sizeof(float));
        for (size_t j = 0; j < cells[a]; j++)
            c->array[i][a][j] = a == 1   ? 1.0F
                                : a == 3 ? (float)j / CORPUS_KNOTS
                                         : rnd_normal(state);
    }
    c->entries[i] = malloc((n + 1) * sizeof *c->entries[i]);
    walk_rows(c->array[i][4], c->entries[i], n, dim, c->contents.n_sounds, state);
    *s = (idx_scale){.n_in = n_in,
                     .dim = dim,
                     .n_entries = n,
                     .n_knots = CORPUS_KNOTS,
                     .mean = c->array[i][0],
                     .spread = c->array[i][1],
                     .matrix = matrix ? c->array[i][2] : NULL,
                     .knots = c->array[i][3],
                     .rows = c->array[i][4],
                     .entries = c->entries[i],
                     .params = {.family = IDX_EXACT}};
}

/*
 * Scale IDX_TIMBRE: n codes of dim bits, of which about one in eight is 1, those of a
 * sound alike; behind a matrix.
 */
static inline void
corpus_add_codes(corpus *c, uint32_t n, uint32_t dim, uint64_t seed)
{
    uint64_t state = seed, sound = 0;
    const uint32_t n_words = (dim + 63) / 64;
    corpus_fill_scale(c, IDX_TIMBRE, n, dim, true, &state);
    idx_scale *s = &c->contents.scales[IDX_TIMBRE];
    c->codes = calloc((size_t)n * n_words + 1, sizeof *c->codes);
    c->hamming = calloc(CORPUS_KNOTS, sizeof *c->hamming);
    for (uint32_t i = 0; i < CORPUS_KNOTS; i++)
        c->hamming[i] = 0.5F + 0.5F * (float)i / CORPUS_KNOTS;
    for (uint32_t i = 0; i < n; i++) {
        sound = i % 5 ? sound : rnd_u64(&state);
        for (uint32_t b = 0; b < dim; b++) {
            uint64_t own = sound + b;
            const uint64_t r = rnd_u64(&state);
            if (r % 4 ? rnd_u64(&own) % 8 == 0 : r % 32 < 4)
                c->codes[(size_t)i * n_words + b / 64] |= (uint64_t)1 << b % 64;
        }
    }
    s->n_in = 3; /* a smaller matrix than was filled */
    s->rows = NULL;
    s->codes = c->codes;
    s->hamming_knots = c->hamming;
    s->params = (idx_params){.family = IDX_CODES};
}

/* n noises with as many tails for a scale of rows. */
static inline void
corpus_add_noises(corpus *c, uint32_t scale, uint32_t n, uint64_t seed)
{
    idx_scale *s = &c->contents.scales[scale];
    float *rows = calloc((size_t)n * s->dim, sizeof *rows);
    float *tails = calloc((size_t)n * 2, sizeof *tails);
    for (uint32_t i = 0; i < n; i++) {
        random_direction(rows + (size_t)i * s->dim, s->dim, &seed);
        tails[2 * i] = 0.1F * (float)i - 0.1F;
        tails[2 * i + 1] = 0.01F * (float)i;
    }
    c->array[scale][5] = rows;
    c->array[scale][6] = tails;
    s->noises = (idx_noises){.n = n, .n_tails = n, .rows = rows, .tails = tails};
}

enum { CORPUS_SCALES = 4 };

/* Scale i has n[i] entries of dim[i], scale 0 a matrix; dim 0 leaves a scale out. */
static inline void
corpus_make(corpus *c, const uint32_t n[CORPUS_SCALES],
            const uint32_t dim[CORPUS_SCALES], uint32_t n_sounds, uint64_t seed)
{
    uint64_t state = seed;
    memset(c, 0, sizeof *c);
    c->sounds = calloc(n_sounds + 1, sizeof *c->sounds);
    c->names = calloc(n_sounds + 1, (size_t)2 * NAME_BYTES);
    for (uint32_t i = 0; i < n_sounds; i++) {
        char *path = c->names + (size_t)2 * i * NAME_BYTES;
        snprintf(path, NAME_BYTES, "folder%u/sound %u.wav", i / 2 % 1000, i);
        snprintf(path + NAME_BYTES, NAME_BYTES, "folder%u", i / 2 % 1000);
        c->sounds[i] = (idx_sound){path, path + NAME_BYTES, 0.5 + i, 48000, 1 + i % 2};
    }
    c->contents = (idx_contents){.n_sounds = n_sounds,
                                 .sounds = c->sounds,
                                 .settings = "dsp.hop_ms = 10\n",
                                 .report = "files = 8\n",
                                 .seed = seed};
    for (uint32_t i = 0; i < CORPUS_SCALES; i++)
        if (dim[i] > 0)
            corpus_fill_scale(c, i, n[i], dim[i], i == 0, &state);
}

static inline void
corpus_free(corpus *c)
{
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        for (int a = 0; a < 7; a++)
            free(c->array[i][a]);
        free(c->entries[i]);
    }
    free(c->codes);
    free(c->hamming);
    free(c->sounds);
    free(c->names);
}

/* A hashed scale of 500 x 24 behind a matrix, an exact one of 60 x 10, none, and beyond
 * the three that there always are one of 40 x 6, and 50 codes of 70 bits. */
static inline void
corpus_usual(corpus *c, const idx_params *hashed)
{
    corpus_make(c, (const uint32_t[]){500, 60, 0, 40}, (const uint32_t[]){24, 10, 0, 6},
                CORPUS_SOUNDS, 7);
    corpus_add_codes(c, 50, 70, 8);
    c->contents.scales[0].params = *hashed;
}

/* The bytes of a file as idx_open_memory() wants them; NULL if it cannot be read. */
static inline unsigned char *
read_aligned(const char *path, size_t *n_bytes)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    if (f && fseek(f, 0, SEEK_END) == 0) {
        const long n = ftell(f);
        rewind(f);
        data = aligned_alloc(64, ((size_t)n + 64) / 64 * 64);
        *n_bytes = (size_t)n;
        if (data && fread(data, 1, *n_bytes, f) != *n_bytes) {
            free(data);
            data = NULL;
        }
    }
    if (f)
        fclose(f);
    return data;
}

/* A path for a file of this process, which the caller removes. */
static inline const char *
temp_path(const char *name)
{
    static char path[512];
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/hearken-%ld-%s", base ? base : "/tmp",
             (long)getpid(), name);
    return path;
}

#endif
