/*
 * Asks an index for each of its own entries. What a search cannot find although it asks
 * for just that is lost: its tables are cut too short, or damaged as they were made.
 */
#ifndef HEARKEN_RT_SELF_H
#define HEARKEN_RT_SELF_H

#include "index/index.h"

#include <stdio.h>

enum { RT_SELF_LISTED = 20 };

/* Of one scale. */
typedef struct {
    uint32_t n_asked; /* its entries; 0 where a search compares all, and loses none */
    uint32_t n_lost;
    uint32_t lost[RT_SELF_LISTED]; /* the first of them, in order */
} rt_self;

/*
 * Fills self[IDX_SCALES]. An entry is found when the best answer to its row is itself,
 * or one as near within 1e-6. On n_threads threads (0: one per core), with progress on
 * stderr; the result is the same for any number. False, with why, when it was stopped
 * or memory ran out.
 */
bool rt_self_search(rt_self self[IDX_SCALES], const idx_index *index,
                    uint32_t n_threads, char *why, size_t why_len);

uint32_t rt_self_lost(const rt_self self[IDX_SCALES]);

/* "entries that do not find themselves: 0", and a line for each that is listed. */
void rt_self_print(FILE *to, const rt_self self[IDX_SCALES], const idx_index *index);

#endif
