/* The bytes of an index: mapped, read into memory, or given. Cold. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* madvise(), MAP_ANONYMOUS */
#endif
#include "format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HUGE_BYTES = 2 << 20
}; /* of x86-64 and most ARM; where not, just an alignment */

static idx_status
no_memory(const char *path, char *why, size_t why_len)
{
    return idx_because(IDX_ENOMEM, why, why_len, "%s: out of memory", path);
}

/* Gives ix to *out if it is sound, else frees it. */
static idx_status
finish(idx_index **out, idx_index *ix, idx_status st)
{
    if (st)
        idx_close(ix);
    else
        *out = ix;
    return st;
}

static idx_status
size_of(idx_index *ix, int fd, const char *path, char *why, size_t why_len)
{
    struct stat sb;
    if (fstat(fd, &sb) != 0)
        return idx_because(IDX_EIO, why, why_len, "cannot look at %s: %s", path,
                           strerror(errno));
    if (S_ISDIR(sb.st_mode))
        return idx_because(IDX_EIO, why, why_len,
                           "%s is a folder; make an index of it with `hearken build`",
                           path);
    if (!S_ISREG(sb.st_mode))
        return idx_because(IDX_EIO, why, why_len, "%s is not a file", path);
    ix->n_bytes = (size_t)sb.st_size;
    return IDX_OK;
}

static idx_status
map_fd(idx_index *ix, int fd, const char *path, char *why, size_t why_len)
{
    void *data = mmap(NULL, ix->n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return idx_because(IDX_EIO, why, why_len, "cannot map %s: %s", path,
                           strerror(errno));
    ix->data = data;
    ix->map_bytes = ix->n_bytes;
    return IDX_OK;
}

/* A file may shrink while it is read; then what is missing stays 0, and is found out.
 */
static bool
read_all(int fd, unsigned char *to, size_t n_bytes)
{
    for (size_t at = 0; at < n_bytes;) {
        const ssize_t n = read(fd, to + at, n_bytes - at);
        if (n < 0 && errno != EINTR)
            return false;
        if (n == 0)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Memory of our own, on huge pages where the system has them: a search touches hundreds
 * of places that lie anywhere, and would wait for their addresses too. */
static idx_status
read_fd(idx_index *ix, int fd, const char *path, char *why, size_t why_len)
{
    const size_t whole = (ix->n_bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
    /* once more than needed, so that a multiple of a huge page lies within */
    unsigned char *data = mmap(NULL, whole + HUGE_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return no_memory(path, why, why_len);
    const size_t skip = HUGE_BYTES - (uintptr_t)data % HUGE_BYTES;
    munmap(data, skip);
    ix->data = data + skip;
    ix->map_bytes = whole;
#ifdef MADV_HUGEPAGE
    madvise(data + skip, whole, MADV_HUGEPAGE); /* if not, it is slower, no more */
#endif
    if (!read_all(fd, data + skip, ix->n_bytes))
        return idx_because(IDX_EIO, why, why_len, "cannot read %s: %s", path,
                           strerror(errno));
    mprotect(data + skip, whole, PROT_READ); /* ours, but nobody is to write */
    return IDX_OK;
}

typedef idx_status taking(idx_index *ix, int fd, const char *path, char *why,
                          size_t why_len);

static idx_status
open_by(taking *take, idx_index **out, const char *path, char *why, size_t why_len)
{
    *out = NULL;
    idx_index *ix = calloc(1, sizeof *ix);
    if (!ix)
        return no_memory(path, why, why_len);
    /* not to wait on a pipe that nobody writes to */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    idx_status st = fd < 0 ? idx_because(IDX_EIO, why, why_len, "cannot open %s: %s",
                                         path, strerror(errno))
                           : size_of(ix, fd, path, why, why_len);
    if (!st && ix->n_bytes > 0) /* of an empty one idx_check_all() has the sentence */
        st = take(ix, fd, path, why, why_len);
    if (fd >= 0)
        close(fd);
    if (!st)
        st = idx_check_all(ix, path, why, why_len);
    return finish(out, ix, st);
}

idx_status
idx_open(idx_index **out, const char *path, char *why, size_t why_len)
{
    return open_by(map_fd, out, path, why, why_len);
}

idx_status
idx_load(idx_index **out, const char *path, char *why, size_t why_len)
{
    return open_by(read_fd, out, path, why, why_len);
}

idx_status
idx_open_memory(idx_index **out, const void *data, size_t n_bytes, char *why,
                size_t why_len)
{
    const char *name = "the index in memory";
    *out = NULL;
    if ((uintptr_t)data % FMT_ALIGN != 0)
        return idx_because(IDX_EARG, why, why_len, "%s is not aligned to %d bytes",
                           name, FMT_ALIGN);
    idx_index *ix = calloc(1, sizeof *ix);
    if (!ix)
        return no_memory(name, why, why_len);
    ix->data = data;
    ix->n_bytes = n_bytes;
    return finish(out, ix, idx_check_all(ix, name, why, why_len));
}

idx_index *
idx_room(size_t n_bytes)
{
    idx_index *ix = calloc(1, sizeof *ix);
    void *data = !ix ? MAP_FAILED
                     : mmap(NULL, n_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        free(ix);
        return NULL;
    }
    ix->data = data;
    ix->n_bytes = ix->map_bytes = n_bytes;
    return ix;
}

void
idx_close(idx_index *index)
{
    if (!index)
        return;
    if (index->map_bytes)
        munmap((void *)(uintptr_t)index->data, index->map_bytes);
    free(index);
}
