/*
 * Memory for what grows with a corpus. Blocks are anonymous memory until their sum
 * would pass a bound; from then on they are mapped files without a name beside the
 * index, which the kernel writes out when memory is short. Blocks below 1 MB always
 * come from the heap. Any thread.
 */
#ifndef HEARKEN_RT_STORE_H
#define HEARKEN_RT_STORE_H

#include <stddef.h>
#include <stdint.h>

typedef struct rt_store rt_store;

/* A store whose files lie in the folder of path. NULL when memory runs out. The store
 * must outlive its blocks; free takes NULL. */
rt_store *rt_store_new(const char *path, uint64_t bound_bytes);
void rt_store_free(rt_store *store);

/*
 * A block of n_bytes, aligned to 16, with what the block had before (NULL: none), which
 * is then gone; new bytes are undefined. NULL, and the old block stays, when neither
 * memory nor disk has room. Without a store: no bound.
 */
void *rt_store_grow(rt_store *store, void *block, size_t n_bytes);

/* Takes NULL. store as it was for that block. */
void rt_store_drop(rt_store *store, void *block);

/* Bytes that lie in anonymous memory. */
uint64_t rt_store_held(const rt_store *store);

#endif
