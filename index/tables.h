/* Hash tables in the making, for idx_write() and idx_tune(). Cold. */
#ifndef HEARKEN_TABLES_H
#define HEARKEN_TABLES_H

#include "format.h"
#include "idxkern.h"

/* Called now and then with the share done, 0..1; false ends the work. */
typedef bool idx_tick(void *ctx, double share);

/* Tables that own their memory; zeroed is empty. */
typedef struct {
    float *centre, *planes;
    uint32_t *start, *id;
    uint32_t *key; /* [n_tables][n_entries] of each row; gone once id is filled */
} idx_built;

/*
 * Draws planes and sorts the rows of a scale into buckets, by its params and a seed.
 * The same arguments give the same tables. IDX_ENOMEM, or IDX_EIO once *stop is set
 * (may be NULL); *out is then empty.
 */
idx_status idx_tables_build(idx_built *out, const idx_scale *scale, uint64_t seed,
                            const idx_kern *kern, idx_tick *tick, void *ctx);

void idx_tables_free(idx_built *built);

idx_tables idx_tables_view(const idx_built *built);

/*
 * n normals of unit length, independent and uniform in direction: normal deviates by
 * Box and Muller (1958) from xoshiro256** (Blackman and Vigna, 2018), which splitmix64
 * seeds.
 */
void idx_tables_planes(float planes[], uint32_t dim, uint32_t n, uint64_t seed);

#endif
