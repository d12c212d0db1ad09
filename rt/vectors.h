/*
 * Vectors that others made: .npy, .fvecs, raw float rows, and the TFRecord files of
 * AudioSet, one row after the other. A file needs memory for one row or one record, and
 * no count in it is believed before the size of the file has been asked.
 */
#ifndef HEARKEN_RT_VECTORS_H
#define HEARKEN_RT_VECTORS_H

#include "audioset.h"

#include <stdio.h>

/* One row. What it points to stays until the call returns. */
typedef struct {
    const float *x;          /* [dim], finite */
    uint32_t dim;            /* 1..IDX_MAX_DIM, the same in all rows of a file */
    uint64_t row;            /* of its file, from 0 */
    double share;            /* of the file that lies before it, 0..1 */
    const char *sound;       /* AudioSet's video; these NULL, 0, 0 and RT_NO_CLASS */
    float start_s, length_s; /* in all other files */
    int class_id;
} rt_vector;

typedef struct {
    void *ctx;
    /* Takes a row; false, with why, ends the reading. */
    bool (*row)(void *ctx, const rt_vector *v, char *why, size_t why_len);
    /* Something was left out of a file that goes on, or whose rows so far count. */
    void (*left_out)(void *ctx, const char *sentence);
} rt_vector_sink;

typedef struct {
    uint32_t raw_dim; /* above 0: files are rows of so many floats, without a header */
    bool seconds;     /* AudioSet: a row for each second, not one for each segment */
} rt_vector_how;

typedef struct {
    uint64_t n_tail; /* raw rows of zeros at the end, which were never written */
    uint64_t n_bad;  /* records left out, a broken rest of a file being one */
} rt_vector_fates;

/*
 * Reads all rows of a file. What it is, its first bytes say, for .fvecs its name, and
 * for raw rows the caller. False, with why naming the file, where it cannot be read, is
 * none of these, is damaged, or holds a row that is not finite, which is then named; or
 * where the sink refused. Fates are added to.
 *
 * A record that is no intact SequenceExample of AudioSet is left out and counted; where
 * the framing of records breaks, what came before stays valid and the rest is left out.
 */
bool rt_vectors_read(FILE *file, const char *name, const rt_vector_how *how,
                     const rt_vector_sink *sink, rt_vector_fates *fates, char *why,
                     size_t why_len);
bool rt_vectors_load(const char *path, const rt_vector_how *how,
                     const rt_vector_sink *sink, rt_vector_fates *fates, char *why,
                     size_t why_len);

/* Whether a file is called like one of vectors. */
bool rt_vectors_named(const char *path);

/*
 * Brings a finite row to unit length; one that has it within 1e-5 stays as it is, bit
 * for bit, so that what was written once is read and written the same ever after. False
 * where it has no direction: its length is below 1e-12.
 */
bool rt_vector_unit(float x[], uint32_t dim);

/* The header of an .npy file of float rows: RT_NPY_HEAD bytes. */
enum { RT_NPY_HEAD = 128 };
void rt_npy_head(char head[RT_NPY_HEAD], uint64_t n, uint32_t dim);

#endif
