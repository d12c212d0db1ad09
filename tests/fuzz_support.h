/* Bytes from a fuzzer as a file of vectors; what comes of it holds what vectors.h says.
 */
#ifndef HEARKEN_TESTS_FUZZ_SUPPORT_H
#define HEARKEN_TESTS_FUZZ_SUPPORT_H

#include "rt/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static inline void
must(bool ok)
{
    if (!ok)
        abort();
}

typedef struct {
    uint64_t n_rows, n_left_out;
    double share;
    uint32_t dim;
    size_t n_bytes;
} seen;

static inline bool
see_row(void *ctx, const rt_vector *v, char *why, size_t why_len)
{
    seen *s = ctx;
    (void)why;
    (void)why_len;
    must(v->dim >= 1 && v->dim <= IDX_MAX_DIM && (!s->n_rows || v->dim == s->dim));
    must(v->row == s->n_rows++ && v->share >= s->share && v->share <= 1);
    for (uint32_t i = 0; i < v->dim; i++)
        must(isfinite(v->x[i]));
    must(v->class_id >= RT_NO_CLASS && v->class_id < RT_AUDIOSET_CLASSES);
    must(!v->sound || (*v->sound && strlen(v->sound) <= IDX_MAX_PATH));
    must(isfinite(v->start_s) && isfinite(v->length_s) && v->length_s >= 0);
    must(s->n_rows <= s->n_bytes); /* a row takes a byte at least */
    s->share = v->share;
    s->dim = v->dim;
    return true;
}

static inline void
see_left_out(void *ctx, const char *sentence)
{
    seen *s = ctx;
    must(*sentence != 0);
    s->n_left_out++;
}

/* Reads the bytes as a file of that name. */
static inline void
read_as(const char *name, const uint8_t data[], size_t n, rt_vector_how how)
{
    seen s = {.n_bytes = n};
    rt_vector_fates fates = {0};
    const rt_vector_sink sink = {&s, see_row, see_left_out};
    char why[1000];
    uint8_t *copy = malloc(n + 1); /* fmemopen() wants bytes that it may write to */
    must(copy != NULL);
    if (n)
        memcpy(copy, data, n);
    FILE *file = n ? fmemopen(copy, n, "r") : tmpfile(); /* it may refuse 0 bytes */
    must(file != NULL);
    memset(why, 'x', sizeof why);
    if (!rt_vectors_read(file, name, &how, &sink, &fates, why, sizeof why)) {
        must(memchr(why, 0, sizeof why) != NULL);
        must(!strncmp(why, name, strlen(name)) && why[strlen(name)] == ':');
    }
    must(fates.n_bad == s.n_left_out);
    must(!fates.n_tail || how.raw_dim);
    fclose(file);
    free(copy);
}

#endif
