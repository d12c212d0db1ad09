/*
 * Which files a build is about, and how they are shared out: the roll that ends its
 * parts file, and what has changed since an older one.
 */
#ifndef HEARKEN_RT_ROLL_H
#define HEARKEN_RT_ROLL_H

#include "build.h"

/* "i/n" as a shard and how many there are; false, with why. */
bool rt_shard_parse(const char *text, uint32_t *shard, uint32_t *n_shards, char *why,
                    size_t why_len);

/*
 * Numbers of the files of a shard, into index[files->n], ascending; returns how many.
 * Every file goes to the shard that has the least bytes so far, so that neighbours,
 * often of one kind, are spread.
 */
size_t rt_shard_files(const rt_files *files, uint32_t shard, uint32_t n_shards,
                      size_t index[]);

/* A checksum of all paths and sizes. */
uint64_t rt_list_sum(const rt_files *files);

/* Appends the roll of jobs to parts; job i is file index[i] (NULL: i) of head.n_all.
 * Returns where it begins, or 0 when memory runs out or it cannot be written. */
uint64_t rt_roll_write(rt_parts *parts, const rt_job jobs[], size_t n,
                       const size_t index[], rt_roll_head head);

/* Files since an older roll: of the same path and content, of known content at another
 * path, neither, of the same path with other content, and no longer there. */
typedef struct {
    size_t kept, moved, new, changed, gone;
} rt_changes;

/* False when memory runs out. */
bool rt_roll_compare(rt_changes *c, const rt_roll *old, const rt_job jobs[], size_t n);

/* Rewrites parts with its roll and the records of the jobs where more than half of it
 * is of no use any more. False, with errno. */
bool rt_roll_tidy(rt_parts *parts, const rt_job jobs[], size_t n, uint64_t roll_at);

#endif
