/*
 * Families: the ways to search a scale, one table of functions each. Private to index/.
 *
 *   rows --build--> parts of the file         once, cold
 *   query --search--> candidates --> idx_walk --> idx_top    each hop, hot
 *
 * A family owns some kinds of sections (format.h), says how long each must be, checks
 * what they hold before anything is searched, and offers candidates in the order of
 * their promise to an idx_walk, which compares each once, exactly, within the cap.
 */
#ifndef HEARKEN_FAMILY_H
#define HEARKEN_FAMILY_H

#include "search.h"

/* Called now and then with the share done, 0..1; false ends the work. */
typedef bool idx_tick(void *ctx, double share);

/* How something is built: the same seed gives the same bytes whatever the rest. */
typedef struct {
    uint64_t seed;
    const idx_kern *kern;
    idx_tick *tick; /* may be NULL */
    void *ctx;
    idx_parallel *parallel; /* may be NULL: on this thread alone */
    idx_store store;
} idx_making;

/* Room for n items, zeroed; or undefined, but for what a block had before (NULL: none),
 * which is then gone. NULL where there is none. Give it back where it came from, NULL
 * too. */
void *idx_take(const idx_store *s, size_t n, size_t item_bytes);
void *idx_regrow(const idx_store *s, void *block, size_t n, size_t item_bytes);
void idx_give(const idx_store *s, void *block);

/* Calls run(job, i) once for each i < n, on several threads where how lends them. */
void idx_each(const idx_making *how, size_t n, void (*run)(void *job, size_t i),
              void *job);

/* Sections that own their memory, by kind; zeroed is empty. */
struct idx_built {
    idx_params params; /* that it was built with */
    idx_store store;   /* that they are from */
    void *at[FMT_KINDS];
};

/* Frees what it holds, not itself. */
void idx_built_clear(idx_built *built);

/* Builds by the family of scale->params and stores the rows as they say. */
idx_status idx_build(idx_built *out, const idx_scale *scale, const idx_making *how);

/* An index in memory whose scale 0 is scale, as built. Valid as long as both are. */
idx_index idx_as_built(const idx_scale *scale, const idx_built *built);

/* What a scale asks of a scratch: items of its arrays, of which the largest of all
 * scales counts. */
typedef struct {
    size_t dim, sides, tables, functions, choices, probes, seen, codes, wide, own_bytes;
} idx_needs;

/* A function that a family has no use for is NULL. */
typedef struct {
    const char *name;
    bool euclid; /* whether it searches by Euclidean distance too */

    /* Fills what is 0 in the structure of the family (not its probes) by the entries of
     * a scale, its own parameters not being looked at. */
    void (*choose)(idx_params *p, const idx_scale *scale, const idx_making *how);

    /* Whether the parameters of a scale are in range; false with a reason. */
    bool (*fits)(const fmt_scale *h, char *fault, size_t fault_len);

    /* Bytes of a section of the family's own, 0 where it has none of that kind. */
    uint64_t (*bytes)(const fmt_scale *h, uint32_t kind);

    /* Whether all holds that a search reads without looking; false with a reason. */
    bool (*holds)(const idx_index *index, uint32_t scale, char *fault,
                  size_t fault_len);

    /* Builds the sections by scale->params. IDX_ENOMEM, or IDX_EIO once tick is false;
     * *out is then empty. May put FMT_ROWS and FMT_ENTRIES there too: the rows of the
     * scale in another order, as they are to be stored. */
    idx_status (*build)(idx_built *out, const idx_scale *scale, const idx_making *how);

    /* Raises what the family needs of a scratch for a scale. */
    void (*needs)(const idx_scale *scale, idx_needs *n);

    /* The least and the most probes that make sense. */
    uint32_t (*least_probes)(const idx_params *p);
    uint32_t (*most_probes)(const idx_params *p);

    /* Searches for s->unit. Hot: no heap, lock or stdio. */
    void (*search)(const idx_index *index, uint32_t scale, idx_scratch *s, idx_top *top,
                   idx_work *work);
} idx_family_ops;

extern const idx_family_ops idx_exact_ops, idx_hyperplane_ops, idx_codes_ops,
    idx_cross_polytope_ops, idx_p_stable_ops, idx_forest_ops, idx_cells_ops;

/* The functions of a family, or NULL where there is none of that number. */
const idx_family_ops *idx_family_of(uint32_t family);

#endif
