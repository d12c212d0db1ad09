/* Hash tables: rows sorted into buckets by keys. */
#ifndef HEARKEN_TABLES_H
#define HEARKEN_TABLES_H

#include "family.h"

/*
 * The tables of one scale, as sections of the file.
 *
 *   start  [n_tables][n_keys + 1]  bucket k of table t is id[t][start[k]] to start[k+1]
 *   id     [n_tables][n_entries]   ascending within a bucket
 */
typedef struct {
    const uint32_t *start;
    const uint32_t *id;
} idx_tables;

/* start and id from the keys of all rows, key[n_tables][n_entries], each below n_keys:
 * a counting sort. False when memory runs out; out->at then holds what there is. */
bool idx_tables_sort(idx_built *out, const uint32_t key[], uint32_t n_tables,
                     uint32_t n_keys, uint32_t n_entries);

/* Whether every table holds entries alone, within its bounds; false with a reason. */
bool idx_tables_hold(const idx_tables *t, uint32_t n_tables, uint32_t n_keys,
                     uint32_t n_entries, char *fault, size_t fault_len);

/*
 * Calls run(job, i) once for each i < n, many at a time, on several threads where how
 * lends them. False once tick is.
 */
bool idx_tables_each(uint32_t n, const idx_making *how,
                     void (*run)(void *job, uint32_t i), void *job);

/* Whether the parameters are those of tables of n_planes up to most; false with a
 * reason. n_probes is between n_tables and n_buckets, of all tables. */
bool idx_tables_fit(const fmt_scale *h, uint32_t most, uint32_t n_buckets, char *fault,
                    size_t fault_len);

/* Buckets of all tables: n_planes and n_tables are in range, or the result is of no
 * use. */
static inline uint32_t
idx_tables_buckets(uint32_t n_planes, uint32_t n_tables)
{
    return n_tables << (n_planes & 31);
}

/* A bucket of each table; and all that there are, where functions are bits. */
uint32_t idx_tables_least(const idx_params *p);
uint32_t idx_tables_most(const idx_params *p);

/* Whether a centre can be a mean of unit rows; false with a reason. */
bool idx_centre_holds(const float centre[], uint32_t dim, char *fault,
                      size_t fault_len);

/* Whether a scale of tables has codes in the order of its buckets (buckets.h). Up to
 * format 4 sketches of the same bits lay by entry; they are not read any more. */
static inline bool
idx_tables_coded(uint32_t leaf, uint32_t max_scanned)
{
    return leaf > 0 && max_scanned > 0;
}

/* Bytes of FMT_BLOCKS, or of FMT_CODES up to format 4. */
uint64_t idx_tables_code_bytes(const fmt_scale *h, uint32_t kind);

/* FMT_BLOCKS of a scale whose FMT_IDS and FMT_CENTRE are there. */
idx_status idx_tables_code(idx_built *out, const idx_scale *scale,
                           const idx_making *how, const uint64_t signs[], float unit);

/* The same, and FMT_SIGNS, of that rotation alone. */
idx_status idx_tables_code_own(idx_built *out, const idx_scale *scale,
                               const idx_making *how, float unit);

/* Whether the last block of each table ends where its rows do; false with a reason. */
bool idx_tables_codes_hold(const idx_scale *scale, const uint8_t blocks[], char *fault,
                           size_t fault_len);

/* Raises what a search of these tables needs of a scratch: n_functions of all of them,
 * with n_choices each, which are made from own_bytes. */
void idx_tables_needs(const idx_scale *scale, size_t n_functions, size_t n_choices,
                      size_t own_bytes, idx_needs *n);

/* out[dim] = the mean of the rows of a scale, summed in double. */
void idx_mean_of_rows(float out[], const idx_scale *scale);

/* n normals of unit length, independent and uniform in direction, by random.h. */
void idx_tables_planes(float planes[], uint32_t dim, uint32_t n, uint64_t seed);

#endif
