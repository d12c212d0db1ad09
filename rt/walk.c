#define _DEFAULT_SOURCE /* fts, realpath */
#include "walk.h"

#include "rt.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *const endings[] = {"wav", "wave", "flac", "ogg", "oga", "opus",
                                      "aif", "aiff", "aifc", "mp3", "au",  "snd",
                                      "caf", "w64",  "rf64", "voc", "sf",  "ircam"};

static bool
sounds_like(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (!strcasecmp(dot + 1, endings[i]))
            return true;
    return false;
}

static bool
add(rt_files *f, const char *path, const struct stat *st)
{
    if (f->n == f->cap) {
        const size_t cap = f->cap ? 2 * f->cap : 256;
        rt_file *grown = realloc(f->files, cap * sizeof *grown);
        if (!grown)
            return false;
        f->files = grown;
        f->cap = cap;
    }
    char *copy = strdup(path);
    if (!copy)
        return false;
    f->files[f->n++] =
        (rt_file){.path = copy, .n_bytes = st->st_size > 0 ? (uint64_t)st->st_size : 0};
    return true;
}

/* One entry of the tree; false only when memory runs out. */
static bool
visit(rt_files *f, FTS *tree, FTSENT *e)
{
    const bool hidden = e->fts_level > FTS_ROOTLEVEL && e->fts_name[0] == '.';
    switch (e->fts_info) {
    case FTS_D:
        if (hidden)
            fts_set(tree, e, FTS_SKIP);
        return true;
    case FTS_F:
        if (hidden || !S_ISREG(e->fts_statp->st_mode))
            return true;
        if (e->fts_level == FTS_ROOTLEVEL || sounds_like(e->fts_name))
            return add(f, e->fts_path, e->fts_statp);
        f->n_other++;
        return true;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        rt_say("passed over %s: %s", e->fts_path, strerror(e->fts_errno));
        return true;
    case FTS_DC:
        rt_say("passed over %s: it links to a folder above itself", e->fts_path);
        return true;
    default: /* folders on the way back, links to nowhere */
        return true;
    }
}

bool
rt_walk(rt_files *f, const char *folder, char *why, size_t why_len)
{
    char *root = realpath(folder, NULL);
    if (!root) {
        snprintf(why, why_len, "%s: %s", folder, strerror(errno));
        return false;
    }
    char *roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    bool ok = tree;
    errno = 0;
    for (FTSENT *e; ok && (e = fts_read(tree)) != NULL; errno = 0)
        ok = visit(f, tree, e);
    ok = ok && !errno;
    if (tree)
        fts_close(tree);
    free(root);
    if (!ok)
        snprintf(why, why_len, "%s: not enough memory to list it", folder);
    return ok;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const rt_file *)a)->path, ((const rt_file *)b)->path);
}

void
rt_files_sort(rt_files *f)
{
    size_t n = 0;
    if (f->n > 1)
        qsort(f->files, f->n, sizeof *f->files, by_path);
    for (size_t i = 0; i < f->n; i++) {
        if (n && !strcmp(f->files[n - 1].path, f->files[i].path))
            free(f->files[i].path);
        else
            f->files[n++] = f->files[i];
    }
    f->n = n;
}

void
rt_files_free(rt_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->files[i].path);
    free(f->files);
    *f = (rt_files){0};
}

void
rt_path_label(const char *path, char *out, size_t cap)
{
    const char *end = strrchr(path, '/');
    if (!end)
        end = path;
    const char *begin = end;
    while (begin > path && begin[-1] != '/')
        begin--;
    size_t n = (size_t)(end - begin);
    n = n < cap ? n : cap - 1;
    memcpy(out, begin, n);
    out[n] = 0;
}
