#include "content.h"

#include "rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { CHUNK_BYTES = 1 << 18, MAX_ENDING = 16 };

static void
note(rt_content *c, const struct stat *st)
{
    c->inode = (uint64_t)st->st_ino;
    c->changed_s = (int64_t)st->st_mtim.tv_sec;
    c->changed_ns = (int64_t)st->st_mtim.tv_nsec;
}

/* Reads on to the end; false with errno. */
static bool
hash_bytes(XXH3_state_t *state, int fd, char buffer[], uint64_t *n_bytes)
{
    for (*n_bytes = 0;;) {
        const ssize_t n = read(fd, buffer, CHUNK_BYTES);
        if (n == 0)
            return true;
        if (atomic_load(&rt_stop))
            errno = EINTR;
        else if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || atomic_load(&rt_stop))
            return false;
        XXH3_128bits_update(state, buffer, (size_t)n);
        *n_bytes += (uint64_t)n;
    }
}

static void
hash_ending(XXH3_state_t *state, const char *path)
{
    char ending[MAX_ENDING] = "";
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    for (size_t i = 0; dot && dot[i] && i < MAX_ENDING; i++)
        ending[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] | 0x20) : dot[i];
    XXH3_128bits_update(state, ending, sizeof ending);
}

static bool
hash_file(rt_content *c, int fd, const char *path)
{
    struct stat st;
    XXH3_state_t *state = XXH3_createState();
    char *buffer = malloc(CHUNK_BYTES);
    errno = ENOMEM;
    bool ok = state && buffer && fstat(fd, &st) == 0;
    if (ok && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        ok = false;
    }
    if (ok) {
        note(c, &st);
        XXH3_128bits_reset(state);
        ok = hash_bytes(state, fd, buffer, &c->key.n_bytes);
    }
    if (ok && c->key.n_bytes != (uint64_t)st.st_size) {
        errno = EAGAIN;
        ok = false;
    }
    if (ok) {
        hash_ending(state, path);
        const XXH128_hash_t h = XXH3_128bits_digest(state);
        c->key.hash[0] = h.low64;
        c->key.hash[1] = h.high64;
    }
    free(buffer);
    XXH3_freeState(state);
    return ok;
}

bool
rt_content_read(rt_content *c, const char *path)
{
    *c = (rt_content){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* were it a pipe */
    if (fd < 0)
        return false;
    const bool ok = hash_file(c, fd, path);
    const int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

bool
rt_content_stays(const rt_content *c, const char *path)
{
    struct stat st;
    rt_content now = {0};
    if (stat(path, &st) != 0)
        return false;
    note(&now, &st);
    return now.inode == c->inode && now.changed_s == c->changed_s &&
           now.changed_ns == c->changed_ns && (uint64_t)st.st_size == c->key.n_bytes;
}

int
rt_key_compare(const rt_key *a, const rt_key *b)
{
    for (size_t i = 0; i < 2; i++)
        if (a->hash[i] != b->hash[i])
            return a->hash[i] < b->hash[i] ? -1 : 1;
    return a->n_bytes == b->n_bytes ? 0 : a->n_bytes < b->n_bytes ? -1 : 1;
}
