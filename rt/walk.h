/* Finds the sounds of a corpus. */
#ifndef HEARKEN_RT_WALK_H
#define HEARKEN_RT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *path; /* absolute, links in the folders above the corpus resolved */
    uint64_t n_bytes;
} rt_file;

typedef struct {
    rt_file *files; /* by path, bytewise, each once */
    size_t n, cap;
    size_t n_other; /* files that are no sounds by their names */
} rt_files;

/*
 * Adds every regular file below folder whose name ends like a sound's (or folder
 * itself, whatever its name, when it is a file), names that begin with a point left
 * out. Folders that cannot be read are named on stderr. False, with why, when folder
 * does not exist or memory runs out.
 */
bool rt_walk(rt_files *files, const char *folder, char *why, size_t why_len);

/* Sorts and drops repetitions. */
void rt_files_sort(rt_files *files);
void rt_files_free(rt_files *files);

/* The label of a path: the name of its folder; out of IDX_MAX_LABEL + 1 bytes. */
void rt_path_label(const char *path, char *out, size_t cap);

#endif
