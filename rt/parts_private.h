/* The bytes of a parts file. */
#ifndef HEARKEN_RT_PARTS_PRIVATE_H
#define HEARKEN_RT_PARTS_PRIVATE_H

#include "parts.h"

#include <pthread.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "parts files are little-endian and used in place: this needs such a host"
#endif

typedef struct {
    char magic[8];
    uint32_t version, byte_order;
    uint64_t zero[6];
} parts_head;

_Static_assert(sizeof(parts_head) == 64 && sizeof(rt_part) == 96 &&
                   sizeof(rt_roll_head) == 40 && sizeof(rt_rolled) == 48 &&
                   sizeof(rt_place) == 16 && sizeof(rt_key) == 24,
               "structs of a parts file have no holes");

enum { SETTINGS_BYTES = 2048 };

/* Where a sound or segment lies. */
typedef struct {
    rt_key key;
    uint64_t first, at;
    uint32_t kind;
} parts_found;

struct rt_parts {
    char *path;
    int fd; /* -1: memory */
    const unsigned char *map;
    size_t map_bytes;
    uint64_t end, cut; /* of whole records; bytes beyond */
    uint64_t roll;     /* where the last one begins, or 0 */
    parts_found *found;
    size_t n_found;
    uint32_t widths[RT_MOMENTS];
    char settings[SETTINGS_BYTES];
    pthread_mutex_t lock; /* of end and error while several threads append */
    int error;            /* errno of the first record that could not be written */
};

/* Text of the settings that all records depend on. */
void parts_settings(const rt_options *o, char out[SETTINGS_BYTES]);

/* Whether n bytes begin like a parts file of this version: an exit status, with why.
 * *blank: nothing but a torn beginning is there. */
int parts_check_head(const char *path, const void *data, size_t n, bool *blank,
                     char *why, size_t why_len);

/* Looks through the mapped records: fills settings (of the file), then, with widths,
 * end, cut, roll and found. False when memory runs out. */
bool parts_read_settings(rt_parts *p);
bool parts_scan(rt_parts *p);

/* Writes head and settings of a file that is empty; end stays 0, with error, where not
 * even the head could be written. */
void parts_begin(rt_parts *p);

#endif
