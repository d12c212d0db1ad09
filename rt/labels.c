#define _DEFAULT_SOURCE /* realpath */
#include "labels.h"

#include <stdlib.h>
#include <string.h>

struct rt_labelled {
    char *path;
    const char *label;
};

static int
by_path(const void *a, const void *b)
{
    const struct rt_labelled *x = a, *y = b;
    return strcmp(x->path, y->path);
}

char *
rt_resolve_beside(const char *csv, const char *file)
{
    const char *slash = *file == '/' ? NULL : strrchr(csv, '/');
    const int folder = slash ? (int)(slash - csv + 1) : 0;
    const size_t len = (size_t)folder + strlen(file) + 1;
    char *joined = malloc(len), *path = NULL;
    if (joined) {
        snprintf(joined, len, "%.*s%s", folder, csv, file);
        path = realpath(joined, NULL);
    }
    free(joined);
    return path;
}

bool
rt_labels_load(rt_labels *l, const char *csv, char *why, size_t why_len)
{
    *l = (rt_labels){0};
    if (!rt_split_load_labels(&l->table, csv, why, why_len))
        return false;
    l->files = calloc(l->table.n + 1, sizeof *l->files);
    for (size_t i = 0; l->files && i < l->table.n; i++) {
        char *path = rt_resolve_beside(csv, l->table.rows[i].file);
        if (path)
            l->files[l->n++] = (struct rt_labelled){path, l->table.rows[i].label};
    }
    if (l->n) {
        qsort(l->files, l->n, sizeof *l->files, by_path);
        return true;
    }
    snprintf(why, why_len,
             "%s: none of its %zu files is there; they are looked for beside the CSV",
             csv, l->table.n);
    rt_labels_free(l);
    return false;
}

void
rt_labels_free(rt_labels *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->files[i].path);
    free(l->files);
    rt_split_free(&l->table);
    *l = (rt_labels){0};
}

const char *
rt_labels_of(const rt_labels *l, const char *path)
{
    struct rt_labelled key = {.path = l->n ? realpath(path, NULL) : NULL};
    const struct rt_labelled *at =
        key.path ? bsearch(&key, l->files, l->n, sizeof *l->files, by_path) : NULL;
    free(key.path);
    return at ? at->label : NULL;
}
