/* A file of vectors while it is read: what npy.c, fvecs.c and tfrecord.c share. */
#ifndef HEARKEN_RT_VECTORS_PRIVATE_H
#define HEARKEN_RT_VECTORS_PRIVATE_H

#include "vectors.h"

typedef struct {
    FILE *file;
    const char *name;
    uint64_t size; /* of the file */
    uint64_t at;   /* bytes taken so far */
    const rt_vector_how *how;
    const rt_vector_sink *sink;
    rt_vector_fates *fates;
    char *why;
    size_t why_len;
} rt_vector_file;

/* Fills why with "name: ..." and returns false. */
bool rt_vector_fail(const rt_vector_file *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Exactly n bytes; false, with why, where the file has no more or cannot be read. */
bool rt_vector_take(rt_vector_file *in, void *to, size_t n);

/* One row to the sink, if it is finite. */
bool rt_vector_give(const rt_vector_file *in, rt_vector *v);

/* Whether dim is one that an index takes. */
bool rt_vector_dim(const rt_vector_file *in, uint64_t dim);

/* From the beginning of the file. */
bool rt_npy_rows(rt_vector_file *in);
bool rt_fvecs_rows(rt_vector_file *in);
bool rt_raw_rows(rt_vector_file *in);
bool rt_tfrecord_rows(rt_vector_file *in);

/* Whether these 12 bytes begin a TFRecord: a length and its checksum. */
bool rt_tfrecord_begins(const unsigned char head[12]);

#endif
