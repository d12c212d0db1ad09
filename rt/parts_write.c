/* Parts files on disk: appended to and rewritten. */
#define _DEFAULT_SOURCE /* pwritev */
#include "parts_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

/* Writes n pieces at an offset; false with errno. Changes the pieces. */
static bool
write_pieces(int fd, struct iovec *piece, int n, uint64_t at)
{
    while (n > 0) {
        ssize_t done = pwritev(fd, piece, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done ? errno : EIO;
            return false;
        }
        at += (uint64_t)done;
        for (; n > 0 && (size_t)done >= piece->iov_len; piece++, n--)
            done -= (ssize_t)piece->iov_len;
        if (n > 0) {
            piece->iov_base = (char *)piece->iov_base + done;
            piece->iov_len -= (size_t)done;
        }
    }
    return true;
}

/* A record as pieces: its head first. */
enum { MAX_PIECES = 3 + 3 * RT_MAX_GROUPS };
typedef struct {
    rt_part part;
    rt_group groups[RT_MAX_GROUPS];
    struct iovec piece[MAX_PIECES];
    int n;
} record;

static void
add_piece(record *r, const void *data, size_t n_bytes)
{
    r->part.n_bytes += n_bytes;
    if (n_bytes)
        r->piece[r->n++] = (struct iovec){(void *)data, n_bytes};
}

/* Zeros up to a multiple of to. */
static void
add_padding(record *r, size_t to)
{
    static const unsigned char zeros[RT_PARTS_ALIGN];
    add_piece(r, zeros, (to - r->part.n_bytes % to) % to);
}

static void
begin_record(record *r, const rt_part *part)
{
    r->n = 0;
    r->part = *part;
    r->part.n_bytes = 0;
    r->part.zero = 0;
    add_piece(r, &r->part, sizeof r->part);
}

static void
seal(record *r)
{
    const size_t from = sizeof r->part.checksum;
    XXH3_state_t *state = XXH3_createState();
    add_padding(r, RT_PARTS_ALIGN);
    if (!state) {
        r->n = 0;
        return;
    }
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, (const char *)&r->part + from, sizeof r->part - from);
    for (int i = 1; i < r->n; i++)
        XXH3_64bits_update(state, r->piece[i].iov_base, r->piece[i].iov_len);
    r->part.checksum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
}

/* Appends a sealed record, or leaves the file as it was; returns where it begins. */
static uint64_t
append(rt_parts *p, record *r)
{
    uint64_t at = 0;
    pthread_mutex_lock(&p->lock);
    if (!p->error && !r->n)
        p->error = ENOMEM;
    if (!p->error && write_pieces(p->fd, r->piece, r->n, p->end)) {
        at = p->end;
        p->end += r->part.n_bytes;
    } else if (!p->error) {
        p->error = errno;
        if (ftruncate(p->fd, (off_t)p->end) != 0)
            p->error = errno; /* the next reader cuts it off */
    }
    pthread_mutex_unlock(&p->lock);
    return at;
}

uint64_t
rt_parts_add(rt_parts *p, const rt_part *part, const rt_rows *const groups[],
             const uint32_t values[])
{
    record r;
    begin_record(&r, part);
    r.part.n_groups = part->kind == RT_PART_SOUND ? RT_MOMENTS : RT_MAX_GROUPS;
    add_piece(&r, r.groups, r.part.n_groups * sizeof *r.groups);
    for (uint32_t i = 0; i < r.part.n_groups; i++) {
        const rt_rows *g = groups[i];
        r.groups[i] = (rt_group){g->n, values[i]};
        add_piece(&r, g->raw, (size_t)g->n * values[i] * sizeof *g->raw);
        add_padding(&r, 8);
        add_piece(&r, g->places, g->n * sizeof *g->places);
    }
    seal(&r);
    return append(p, &r);
}

uint64_t
rt_parts_add_roll(rt_parts *p, const rt_roll *roll)
{
    record r;
    begin_record(&r, &(rt_part){.kind = RT_PART_ROLL});
    add_piece(&r, &roll->head, sizeof roll->head);
    add_piece(&r, roll->files, roll->head.n * sizeof *roll->files);
    add_piece(&r, roll->text, roll->head.text_bytes);
    seal(&r);
    return append(p, &r);
}

int
rt_parts_error(rt_parts *p)
{
    pthread_mutex_lock(&p->lock);
    const int error = p->error;
    pthread_mutex_unlock(&p->lock);
    return error;
}

void
parts_begin(rt_parts *p)
{
    parts_head head = {RT_PARTS_MAGIC, RT_PARTS_VERSION, RT_PARTS_ORDER, {0}};
    struct iovec piece = {&head, sizeof head};
    record r;
    begin_record(&r, &(rt_part){.kind = RT_PART_SETTINGS});
    add_piece(&r, p->settings, strlen(p->settings) + 1);
    seal(&r);
    p->end = p->cut = p->roll = 0;
    if (write_pieces(p->fd, &piece, 1, 0)) {
        p->end = sizeof head;
        append(p, &r);
    } else {
        p->error = errno;
    }
}

/* Head, settings and the kept records into another file. */
static bool
copy_kept(const rt_parts *p, int fd, const uint64_t keep[], size_t n)
{
    struct iovec piece = {(void *)p->map,
                          sizeof(parts_head) +
                              rt_parts_at(p, sizeof(parts_head))->n_bytes};
    uint64_t at = piece.iov_len;
    bool ok = write_pieces(fd, &piece, 1, 0);
    for (size_t i = 0; ok && i < n; i++) {
        const uint64_t n_bytes = rt_parts_at(p, keep[i])->n_bytes;
        piece = (struct iovec){(void *)(p->map + keep[i]), n_bytes};
        ok = write_pieces(fd, &piece, 1, at);
        at += n_bytes;
    }
    return ok && fsync(fd) == 0;
}

bool
rt_parts_rewrite(rt_parts *p, const uint64_t keep[], size_t n)
{
    static const char suffix[] = ".tmp";
    const size_t length = strlen(p->path) + sizeof suffix;
    char *temp = malloc(length);
    if (!temp)
        return false;
    snprintf(temp, length, "%s%s", p->path, suffix);
    const int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const bool ok = fd >= 0 && copy_kept(p, fd, keep, n) && rename(temp, p->path) == 0;
    const int saved = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !ok)
        unlink(temp);
    free(temp);
    errno = saved;
    return ok;
}
