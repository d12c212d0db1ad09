/* Parts files on disk: opened, locked and mapped. */
#include "parts_private.h"
#include "rt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Opening ----------------------------------------------------------------------
 */

static void
unmap(rt_parts *p)
{
    if (p->map && p->fd >= 0)
        munmap((void *)p->map, p->map_bytes);
    p->map = NULL;
    p->map_bytes = 0;
}

static bool
map_bytes(rt_parts *p, uint64_t n)
{
    unmap(p);
    if (!n)
        return true;
    void *map = mmap(NULL, n, PROT_READ, MAP_SHARED, p->fd, 0);
    if (map == MAP_FAILED)
        return false;
    p->map = map;
    p->map_bytes = n;
    return true;
}

bool
rt_parts_map(rt_parts *p)
{
    return map_bytes(p, p->end);
}

void
rt_parts_close(rt_parts *p)
{
    if (!p)
        return;
    unmap(p);
    if (p->fd >= 0)
        close(p->fd);
    pthread_mutex_destroy(&p->lock);
    free(p->found);
    free(p->path);
    free(p);
}

static rt_parts *
new_parts(const char *path)
{
    rt_parts *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->fd = -1;
    pthread_mutex_init(&p->lock, NULL);
    p->path = strdup(path);
    if (!p->path) {
        rt_parts_close(p);
        return NULL;
    }
    return p;
}

static int
say_no_memory(const char *path, char *why, size_t why_len)
{
    snprintf(why, why_len, "%s: not enough memory to read it; close other programs",
             path);
    return RT_SOFTWARE;
}

static int
say_failed(const char *path, const char *what, char *why, size_t why_len)
{
    snprintf(why, why_len, "%s: cannot be %s: %s", path, what, strerror(errno));
    return errno == ENOENT ? RT_NOINPUT : RT_IO;
}

/* Locks the whole file; true too where the file system has no locks. */
static bool
lock_file(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* Whether path still names the file that was opened: the last writer may have removed
 * or replaced it before it gave up its lock. */
static bool
still_named(int fd, const char *path)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && stat(path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int
open_locked(rt_parts *p, int flags, short type, char *why, size_t why_len)
{
    enum { TRIES = 100 };
    struct stat st;
    for (int i = 0; i < TRIES; i++) {
        p->fd = open(p->path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
        if (p->fd < 0 || fstat(p->fd, &st) != 0)
            return say_failed(p->path, "opened", why, why_len);
        if (!S_ISREG(st.st_mode)) {
            snprintf(why, why_len, "%s: is no regular file; move it away", p->path);
            return RT_DATA;
        }
        if (!lock_file(p->fd, type))
            break;
        if (still_named(p->fd, p->path))
            return map_bytes(p, (uint64_t)st.st_size)
                       ? RT_OK
                       : say_failed(p->path, "mapped", why, why_len);
        close(p->fd);
        p->fd = -1;
    }
    snprintf(why, why_len,
             "%s: another hearken is working on it; wait for its end, or choose "
             "another output",
             p->path);
    return RT_IO;
}

/* The first line in which two settings differ, each cut to a length for a sentence. */
static void
say_other(const rt_parts *p, const char *want, char *why, size_t why_len)
{
    const char *have = p->settings;
    size_t a = strcspn(have, "\n"), b = strcspn(want, "\n");
    while (*have && *want && a == b && !strncmp(have, want, a)) {
        have += a + (have[a] != 0);
        want += b + (want[b] != 0);
        a = strcspn(have, "\n");
        b = strcspn(want, "\n");
    }
    snprintf(why, why_len,
             "%s: was made with \"%.*s\" where this build has \"%.*s\"; remove it to "
             "begin anew, or choose another output",
             p->path, a < 80 ? (int)a : 80, have, b < 80 ? (int)b : 80, want);
}

/* Takes what the file holds. RT_CONFIG for one that another build made otherwise. */
static int
take_file(rt_parts *p, const char *settings, char *why, size_t why_len)
{
    bool blank;
    const int status =
        parts_check_head(p->path, p->map, p->map_bytes, &blank, why, why_len);
    if (status || blank)
        return status;
    if (!parts_read_settings(p)) {
        p->end = 0; /* killed while it was begun, or damaged there: nothing holds */
        return RT_OK;
    }
    if (strcmp(p->settings, settings) != 0) {
        say_other(p, settings, why, why_len);
        return RT_CONFIG;
    }
    return parts_scan(p) ? RT_OK : say_no_memory(p->path, why, why_len);
}

static int
open_file(rt_parts *p, const rt_options *o, bool anew, char *why, size_t why_len)
{
    char settings[SETTINGS_BYTES];
    parts_settings(o, settings);
    rt_parts_widths(o, p->widths);
    int status = open_locked(p, O_RDWR | O_CREAT, F_WRLCK, why, why_len);
    if (!status)
        status = take_file(p, settings, why, why_len);
    if (status == RT_CONFIG && anew) {
        rt_say("%s: of another build than this one; begun anew", p->path);
        p->end = 0;
        status = RT_OK;
    }
    if (status)
        return status;
    if (p->end < p->map_bytes && ftruncate(p->fd, (off_t)p->end) != 0)
        return say_failed(p->path, "cut to its whole records", why, why_len);
    if (!p->end) {
        strcpy(p->settings, settings);
        parts_begin(p);
    }
    return p->end || p->error ? RT_OK : RT_IO;
}

int
rt_parts_open(rt_parts **out, const char *path, const rt_options *o, bool anew,
              char *why, size_t why_len)
{
    *out = new_parts(path);
    int status = *out ? open_file(*out, o, anew, why, why_len)
                      : say_no_memory(path, why, why_len);
    if (status) {
        rt_parts_close(*out);
        *out = NULL;
    }
    return status;
}

/* ---- Reading ----------------------------------------------------------------------
 */

/* The settings of the text into *o: all but its first two lines, which must be ours. */
static int
take_settings(const rt_parts *p, rt_options *o, char *why, size_t why_len)
{
    char ours[SETTINGS_BYTES], text[SETTINGS_BYTES], fault[200];
    rt_options_default(o);
    parts_settings(o, ours);
    strcpy(text, p->settings);
    const size_t own = (size_t)(strstr(ours, "build.") - ours);
    char *line = text + own;
    if (strncmp(ours, text, own) != 0) {
        say_other(p, ours, why, why_len);
        return RT_CONFIG;
    }
    while (*line) {
        char *end = line + strcspn(line, "\n"), *value = strstr(line, " = ");
        char *next = *end ? end + 1 : end;
        *end = 0;
        if (!value || value > end) {
            snprintf(why, why_len, "%s: its settings are damaged; build it anew",
                     p->path);
            return RT_DATA;
        }
        *value = 0;
        if (!rt_options_set(o, line, value + 3, RT_BUILD, fault, sizeof fault)) {
            snprintf(why, why_len, "%s: %s; build it anew", p->path, fault);
            return RT_DATA;
        }
        line = next;
    }
    return RT_OK;
}

static int
read_mapped(rt_parts *p, rt_options *o, char *why, size_t why_len)
{
    bool blank;
    int status = parts_check_head(p->path, p->map, p->map_bytes, &blank, why, why_len);
    if (!status && (blank || !parts_read_settings(p))) {
        snprintf(why, why_len, "%s: is damaged at its beginning; build it anew",
                 p->path);
        return RT_DATA;
    }
    if (!status)
        status = take_settings(p, o, why, why_len);
    if (status)
        return status;
    rt_parts_widths(o, p->widths);
    return parts_scan(p) ? RT_OK : say_no_memory(p->path, why, why_len);
}

int
rt_parts_read(rt_parts **out, const char *path, rt_options *o, char *why,
              size_t why_len)
{
    rt_parts *p = *out = new_parts(path);
    int status = p ? open_locked(p, O_RDONLY, F_RDLCK, why, why_len)
                   : say_no_memory(path, why, why_len);
    if (!status)
        status = read_mapped(p, o, why, why_len);
    if (status) {
        rt_parts_close(p);
        *out = NULL;
    }
    return status;
}

int
rt_parts_read_memory(rt_parts **out, const void *data, size_t n_bytes, rt_options *o,
                     char *why, size_t why_len)
{
    rt_parts *p = *out = new_parts("memory");
    int status = RT_SOFTWARE;
    if (p) {
        p->map = data;
        p->map_bytes = n_bytes;
        status = read_mapped(p, o, why, why_len);
    } else {
        say_no_memory("memory", why, why_len);
    }
    if (status) {
        rt_parts_close(p);
        *out = NULL;
    }
    return status;
}

/* ---- Ending -----------------------------------------------------------------------
 */

bool
rt_parts_sync(rt_parts *p)
{
    return fsync(p->fd) == 0;
}

void
rt_parts_remove(rt_parts *p)
{
    if (p->fd >= 0)
        unlink(p->path);
}

void
rt_parts_give_up(rt_parts *p)
{
    rt_parts_remove(p);
    unmap(p);
    close(p->fd);
    p->fd = -1;
}
