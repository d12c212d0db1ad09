#define _GNU_SOURCE /* mremap */
#include "store.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BIG_BYTES = 1 << 20 };

struct rt_store {
    uint64_t bound_bytes;
    _Atomic uint64_t held; /* bytes of heap and anonymous maps */
    char template[];       /* of the files' names */
};

typedef enum { HEAP, ANONYMOUS, IN_FILE } place;

/* In front of each block. */
typedef struct {
    size_t n_bytes; /* with this head */
    place place;
    int fd; /* of IN_FILE */
} head;
enum { HEAD_BYTES = 64 };
_Static_assert(sizeof(head) <= HEAD_BYTES, "a block is aligned behind its head");

static const char suffix[] = "hearken-build-XXXXXX";

rt_store *
rt_store_new(const char *path, uint64_t bound_bytes)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    rt_store *s = malloc(sizeof *s + folder + sizeof suffix);
    if (!s)
        return NULL;
    s->bound_bytes = bound_bytes;
    atomic_init(&s->held, 0);
    memcpy(s->template, path, folder);
    memcpy(s->template + folder, suffix, sizeof suffix);
    return s;
}

void
rt_store_free(rt_store *s)
{
    free(s);
}

uint64_t
rt_store_held(const rt_store *s)
{
    return atomic_load(&s->held);
}

/* Counts n more bytes of anonymous memory, unless they would pass the bound. */
static bool
reserve(rt_store *s, size_t n)
{
    if (!s)
        return true;
    const uint64_t before = atomic_fetch_add(&s->held, n);
    if (!s->bound_bytes || before + n <= s->bound_bytes)
        return true;
    atomic_fetch_sub(&s->held, n);
    return false;
}

static void
release(rt_store *s, size_t n)
{
    if (s)
        atomic_fetch_sub(&s->held, n);
}

/* A file that has no name, or -1. */
static int
open_file(const rt_store *s)
{
    char name[4096];
    if ((size_t)snprintf(name, sizeof name, "%s", s->template) >= sizeof name)
        return -1;
    const int fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* Gives a file its length and its place on the disk: a page that finds none later would
 * end the program. */
static bool
lengthen(int fd, size_t n)
{
    return n <= INT64_MAX && posix_fallocate(fd, 0, (off_t)n) == 0;
}

static head *
map_file(const rt_store *s, size_t n)
{
    const int fd = open_file(s);
    if (fd < 0)
        return NULL;
    head *h = MAP_FAILED;
    if (lengthen(fd, n))
        h = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (h == MAP_FAILED) {
        close(fd);
        return NULL;
    }
    *h = (head){n, IN_FILE, fd};
    return h;
}

static head *
new_block(rt_store *s, size_t n)
{
    head *h = NULL;
    if (n < BIG_BYTES) {
        if (s)
            atomic_fetch_add(&s->held, n);
        h = malloc(n);
        if (h)
            *h = (head){n, HEAP, -1};
    } else if (!reserve(s, n)) {
        return map_file(s, n);
    } else {
        h = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        h = h == MAP_FAILED ? NULL : h;
        if (h)
            *h = (head){n, ANONYMOUS, -1};
    }
    if (!h)
        release(s, n);
    return h;
}

static void
free_block(rt_store *s, head *h)
{
    const size_t n = h->n_bytes;
    const int fd = h->fd;
    switch (h->place) {
    case HEAP:
        free(h);
        release(s, n);
        break;
    case ANONYMOUS:
        munmap(h, n);
        release(s, n);
        break;
    case IN_FILE:
        munmap(h, n);
        close(fd);
        break;
    }
}

/* The block at its new size without a copy, or NULL. */
static head *
stretch(rt_store *s, head *h, size_t n)
{
    const size_t before = h->n_bytes;
    if (h->place == HEAP || n < BIG_BYTES || n <= before)
        return NULL;
    if (h->place == IN_FILE ? !lengthen(h->fd, n) : !reserve(s, n - before))
        return NULL;
    head *moved = mremap(h, before, n, MREMAP_MAYMOVE);
    if (moved != MAP_FAILED) {
        moved->n_bytes = n;
        return moved;
    }
    if (h->place == ANONYMOUS)
        release(s, n - before);
    return NULL;
}

void *
rt_store_grow(rt_store *s, void *block, size_t n_bytes)
{
    head *old = block ? (head *)((char *)block - HEAD_BYTES) : NULL;
    if (n_bytes > SIZE_MAX / 2)
        return NULL;
    const size_t n = n_bytes + HEAD_BYTES;
    head *h = old ? stretch(s, old, n) : NULL;
    if (!h) {
        h = new_block(s, n);
        if (!h)
            return NULL;
        if (old) {
            const size_t kept = old->n_bytes < n ? old->n_bytes : n;
            memcpy((char *)h + HEAD_BYTES, block, kept - HEAD_BYTES);
            free_block(s, old);
        }
    }
    return (char *)h + HEAD_BYTES;
}

void
rt_store_drop(rt_store *s, void *block)
{
    if (block)
        free_block(s, (head *)((char *)block - HEAD_BYTES));
}
