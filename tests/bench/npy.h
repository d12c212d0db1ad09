/*
 * Float rows in .npy files, as hearken export writes them: version 1.0, '<f4', C order,
 * [n][dim]. For the benchmarks, in C and C++, which read what they wrote themselves;
 * what hearken import takes is wider. On failure one sentence to stderr and exit 65
 * or 74.
 */
#ifndef HEARKEN_TESTS_BENCH_NPY_H
#define HEARKEN_TESTS_BENCH_NPY_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NPY_HEAD = 128 }; /* bytes of the header that npy_head() writes */

typedef struct {
    const float *rows; /* [n][dim], mapped */
    size_t n, dim, n_bytes;
    void *map;
} npy;

static inline void
npy_give_up(const char *path, const char *why, int status)
{
    fprintf(stderr, "%s: %s\n", path, why);
    exit(status);
}

/* The two numbers behind 'shape'; false where the header is of another form. */
static inline int
npy_parse(const char *head, size_t *n, size_t *dim)
{
    const char *shape = strstr(head, "'shape': (");
    return strstr(head, "'descr': '<f4'") && strstr(head, "'fortran_order': False") &&
           shape && sscanf(shape, "'shape': (%zu, %zu", n, dim) == 2;
}

static inline npy
npy_map(const char *path)
{
    npy x = {NULL, 0, 0, 0, NULL};
    struct stat st;
    char head[1024];
    const int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &st) || st.st_size < NPY_HEAD)
        npy_give_up(path, "no file of vectors; make bench-index makes them", 66);
    x.n_bytes = (size_t)st.st_size;
    x.map = mmap(NULL, x.n_bytes, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (x.map == MAP_FAILED)
        npy_give_up(path, "cannot be mapped", 74);
    const unsigned char *b = (const unsigned char *)x.map;
    const size_t length = (size_t)b[8] + 256 * (size_t)b[9];
    if (memcmp(b, "\x93NUMPY\x01", 7) || length + 1 > sizeof head ||
        10 + length > x.n_bytes)
        npy_give_up(path, "is no .npy of version 1", 65);
    memcpy(head, b + 10, length);
    head[length] = 0;
    if (!npy_parse(head, &x.n, &x.dim) || !x.dim || x.dim > 4096 ||
        x.n > SIZE_MAX / (4 * x.dim) || (10 + length) % 4 ||
        x.n_bytes != 10 + length + 4 * x.n * x.dim)
        npy_give_up(path, "holds no rows of '<f4' in C order", 65);
    x.rows = (const float *)(b + 10 + length);
    return x;
}

static inline void
npy_unmap(npy *x)
{
    munmap(x->map, x->n_bytes);
    x->rows = NULL;
}

/* Opens path for n rows that follow by npy_put(), to be closed by npy_close(). */
static inline FILE *
npy_create(const char *path, size_t n, size_t dim)
{
    char head[NPY_HEAD + 1], shape[80];
    FILE *to = fopen(path, "wb");
    if (!to)
        npy_give_up(path, "cannot be written", 74);
    snprintf(shape, sizeof shape,
             "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, dim);
    snprintf(head, sizeof head, "%-*s\n", NPY_HEAD - 11, shape);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, to); /* 0x76 bytes follow */
    fwrite(head, 1, NPY_HEAD - 10, to);
    return to;
}

static inline void
npy_put(FILE *to, const float *rows, size_t n, size_t dim)
{
    fwrite(rows, sizeof *rows, n * dim, to);
}

static inline void
npy_close(FILE *to, const char *path)
{
    const int failed = ferror(to);
    if (fclose(to) || failed)
        npy_give_up(path, "could not be written to its end", 74);
}

#endif
