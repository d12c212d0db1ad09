/* What a file holds, told by its bytes: the same sound under another name is known. */
#ifndef HEARKEN_RT_CONTENT_H
#define HEARKEN_RT_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

/* XXH3-128 of the bytes and then of the ending of the name, which decides how
 * libsndfile takes a file without a header. */
typedef struct {
    uint64_t hash[2], n_bytes;
} rt_key;

/* A key, and the file as it was when it was made. */
typedef struct {
    rt_key key;
    uint64_t inode;
    int64_t changed_s, changed_ns;
} rt_content;

/* Reads a whole file. False, with errno, when it cannot be read, is no regular file,
 * grows meanwhile, or rt_stop is set (EINTR). */
bool rt_content_read(rt_content *c, const char *path);

/* Whether the file is still the one that was read. */
bool rt_content_stays(const rt_content *c, const char *path);

int rt_key_compare(const rt_key *a, const rt_key *b);

#endif
