#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUFFIX_BYTES = 40, TRIES = 100 };

bool
outfile_open(outfile *f, const char *path)
{
    const size_t n = strlen(path) + SUFFIX_BYTES;
    *f = (outfile){.path = path, .step = "create", .fd = -1, .temp = malloc(n)};
    if (!f->temp) {
        errno = ENOMEM;
        return false;
    }
    for (int i = 0; i < TRIES; i++) { /* one name may be left from a crash */
        snprintf(f->temp, n, "%s.tmp-%ld-%d", path, (long)getpid(), i);
        f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f->fd >= 0 || errno != EEXIST)
            break;
    }
    f->created = f->fd >= 0;
    return f->created;
}

void
outfile_to_memory(outfile *f, void *memory)
{
    *f = (outfile){.step = "write", .fd = -1, .memory = memory};
}

bool
outfile_write(outfile *f, const void *data, size_t n_bytes)
{
    const char *p = data;
    f->step = "write";
    if (f->memory) {
        memcpy(f->memory, data, n_bytes);
        f->memory += n_bytes;
        return true;
    }
    while (n_bytes > 0) {
        const ssize_t n = write(f->fd, p, n_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* Without this a power cut after the rename may leave neither old file nor new. */
static bool
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    if (slash && !folder) {
        errno = ENOMEM;
        return false;
    }
    const int fd = open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return errno == EACCES; /* a folder may be writable and not readable */
    const bool done = fsync(fd) == 0 || errno == EINVAL; /* not on every file system */
    const int saved = errno;
    close(fd);
    errno = saved;
    return done;
}

bool
outfile_commit(outfile *f)
{
    f->step = "sync";
    if (fsync(f->fd) != 0)
        return false;
    f->step = "close";
    const int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0)
        return false;
    f->step = "rename the finished file to";
    if (rename(f->temp, f->path) != 0)
        return false;
    free(f->temp);
    f->temp = NULL;
    f->step = "sync the folder of";
    return sync_folder(f->path);
}

void
outfile_close(outfile *f)
{
    const int saved = errno;
    if (f->temp && f->fd >= 0)
        close(f->fd);
    if (f->temp && f->created)
        unlink(f->temp);
    free(f->temp);
    f->temp = NULL;
    errno = saved;
}
