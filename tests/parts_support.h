/* Parts files for tests: records as a build would write them, tiny. */
#ifndef HEARKEN_TESTS_PARTS_SUPPORT_H
#define HEARKEN_TESTS_PARTS_SUPPORT_H

#include "rt/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static inline rt_key
key_number(uint64_t i)
{
    return (rt_key){{i * 0x9e3779b97f4a7c15U, i}, 1000 + i};
}

/* Row j of group g of record i: value k. */
static inline float
value_of(uint64_t i, uint32_t g, uint32_t j, uint32_t k)
{
    return (float)(i * 1000003 % 997) + (float)g + (float)j * 0.25F - (float)k * 0.5F;
}

/* Appends sound number i, or its segment that begins at sample 100 i, with n rows in
 * group 1 of a sound, n + g % 2 in group g of a segment; returns where. */
static inline uint64_t
add_part(rt_parts *p, const rt_options *o, rt_part_kind kind, uint64_t i, uint32_t n)
{
    uint32_t widths[RT_MOMENTS], values[RT_MAX_GROUPS];
    rt_rows rows[RT_MAX_GROUPS] = {{0}};
    const rt_rows *groups[RT_MAX_GROUPS];
    const bool sound = kind == RT_PART_SOUND;
    rt_parts_widths(o, widths);
    for (uint32_t g = 0; g < RT_MAX_GROUPS; g++) {
        rt_rows *r = &rows[g];
        values[g] = sound ? widths[g % RT_MOMENTS]
                          : widths[g < RT_COPIES ? RT_FRAMES : RT_EVENTS];
        groups[g] = r;
        r->n = !sound ? n : g == RT_EVENTS ? n : g < RT_MOMENTS ? g % 2 : 0;
        r->raw = calloc((size_t)r->n * values[g] + 1, sizeof *r->raw);
        r->places = calloc(r->n + 1, sizeof *r->places);
        for (uint32_t j = 0; j < r->n; j++) {
            r->places[j] = (rt_place){(float)j, 1, 100 + 10 * j};
            for (uint32_t k = 0; k < values[g]; k++)
                r->raw[(size_t)j * values[g] + k] = value_of(i, g, j, k);
        }
    }
    const rt_part part = {.kind = kind,
                          .key = key_number(i),
                          .first = sound ? 0 : 100 * i,
                          .seconds = 12.5,
                          .claimed_s = 12,
                          .rate_hz = 48000,
                          .file_rate_hz = 44100,
                          .n_channels = 2};
    const uint64_t at = rt_parts_add(p, &part, groups, values);
    for (uint32_t g = 0; g < RT_MAX_GROUPS; g++) {
        free(rows[g].raw);
        free(rows[g].places);
    }
    return at;
}

/* The roll of sounds 1..n, of which every third is of no use. */
static inline uint64_t
add_roll(rt_parts *p, uint32_t n)
{
    static const char text[] = "\0silent\0/a/b.wav";
    rt_rolled files[100] = {{.path_at = 8}};
    for (uint32_t i = 0; i < n; i++)
        files[i] = (rt_rolled){key_number(i + 1), i, 8, i % 3 == 2};
    const rt_roll_head head = {.shard = 2,
                               .n_shards = 3,
                               .n_all = n,
                               .list_sum = 77,
                               .n = n,
                               .text_bytes = sizeof text};
    return rt_parts_add_roll(p, &(rt_roll){head, files, text});
}

/* Makes the checksums of all records right that have a length which can be. */
static inline void
reseal(unsigned char *bytes, size_t n)
{
    for (size_t at = RT_PARTS_ALIGN; at + sizeof(rt_part) <= n;) {
        rt_part part;
        memcpy(&part, bytes + at, sizeof part);
        if (part.n_bytes < sizeof part || part.n_bytes > n - at)
            break;
        part.checksum = XXH3_64bits(bytes + at + sizeof part.checksum,
                                    part.n_bytes - sizeof part.checksum);
        memcpy(bytes + at, &part.checksum, sizeof part.checksum);
        at += part.n_bytes;
    }
}

#endif
