/* Rows of raw features of one kind and one sound. */
#ifndef HEARKEN_RT_ROWS_H
#define HEARKEN_RT_ROWS_H

#include "analyse.h"
#include "store.h"

/* One row: where it lies in its sound, and the hop that follows its window. */
typedef struct {
    float start_s, length_s;
    uint64_t end;
} rt_place;

/* Growing rows, in blocks of store (may be NULL); with a cap of 0 somebody else's, and
 * only to be read. */
typedef struct {
    float *raw; /* [n][values] */
    rt_place *places;
    uint32_t n, cap;
    rt_store *store;
} rt_rows;

/* Adds a row; false when memory runs out. */
bool rt_rows_add(rt_rows *r, const rt_moment *m);
void rt_rows_free(rt_rows *r);

#endif
