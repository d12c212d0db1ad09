/*
 * index: finds stored sounds near a query. No threads, no JACK, no audio.
 *
 *   float x[dim] --idx_query--> idx_hit hits[n]      best first
 *
 * An index file holds, for each scale (frame, event, scene), unit-length embeddings
 * ("rows", [n_entries][dim], row-major), the entry that each row stands for, and hash
 * tables over them; and, shared by the scales, the sounds, their labels, the settings
 * they were analysed with and a build report. docs/index-format.md describes the bytes.
 *
 * An open index never changes and may be read by any number of threads; an idx_scratch
 * belongs to one thread at a time. Every pointer into an index is valid until
 * idx_close().
 */
#ifndef HEARKEN_INDEX_H
#define HEARKEN_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    IDX_OK = 0,
    IDX_EARG,    /* an argument is outside of what the header allows */
    IDX_ENOMEM,  /* out of memory */
    IDX_EIO,     /* the file cannot be read or written; why says which call failed */
    IDX_EFORMAT, /* the file is damaged, truncated, of a newer version or of another
                    kind */
    IDX_ESILENT, /* the query has no direction: its norm is below 1e-12 or not finite */
} idx_status;

/* One sentence for a status, never NULL. */
const char *idx_status_text(idx_status st);

enum {
    IDX_SCALES = 7,      /* 0 frame, 1 event, 2 scene; 3 to 5 the same by labels */
    IDX_TIMBRE = 6,      /* and this one, which alone holds codes instead of rows */
    IDX_SPACES = 2,      /* acoustic, labels */
    IDX_MAX_DIM = 1024,  /* floats in an embedding */
    IDX_MAX_IN = 65536,  /* floats in a raw feature vector, before the projection */
    IDX_MAX_K = 1000,    /* neighbours in one answer */
    IDX_MAX_PATH = 1000, /* bytes in a sound's path: a match has to fit one datagram */
    IDX_MAX_LABEL = 255,
};

/*
 * Ways to search a scale. All but the first find most of the nearest, not all:
 *
 *   exact           compares every row
 *   hyperplane      LSH for the cosine (Charikar, STOC 2002)
 *   codes           compares every code: scale IDX_TIMBRE, and no other
 *   cross-polytope  LSH for the cosine (Andoni et al., NIPS 2015)
 *   p-stable        LSH for Euclidean distance (Datar et al., SCG 2004)
 *   forest          trees of random planes (Annoy; Vinyard 2019)
 *   cells           k-means LSH (Pauleve, Jegou, Amsaleg, PRL 2010), the rows of a cell
 *                   ranked by codes of a bit a dimension (Gao and Long, SIGMOD 2024)
 */
typedef enum {
    IDX_EXACT = 0,
    IDX_HYPERPLANE = 1,
    IDX_CODES = 2,
    IDX_CROSS_POLYTOPE = 3,
    IDX_P_STABLE = 4,
    IDX_FOREST = 5,
    IDX_CELLS = 6,
    IDX_FAMILIES,
} idx_family;

/* What near means: a greater cosine, or a smaller Euclidean distance. */
typedef enum { IDX_COSINE = 0, IDX_EUCLID = 1 } idx_metric;

/* "exact" and so on; "?" where there is no such family. */
const char *idx_family_name(uint32_t family);

/* Whether a family can search by IDX_EUCLID, or looks into a number of buckets, leaves
 * or cells that can be chosen (IDX_PROBES). */
enum { IDX_PROBES = 2 };
bool idx_family_has(uint32_t family, uint32_t what);

/* How rows are stored: floats of 32 or 16 bits; or, in cells only, as 8 bits a
 * dimension around the centre of the cell, and nothing else. */
typedef enum { IDX_F32 = 0, IDX_F16 = 1, IDX_I8 = 2 } idx_stored;

/*
 * How one scale is searched. Zeros mean "choose for me" in idx_tune(); in a file what a
 * family does not use is 0. There is nothing to choose in IDX_CODES.
 */
typedef struct {
    uint32_t family;         /* idx_family */
    uint32_t n_planes;       /* K: bits or functions in a key */
    uint32_t n_tables;       /* L: tables, or trees of a forest; 1..64. cells: groups of
                                cells looked into */
    uint32_t n_probes;       /* T: buckets, leaves or cells visited, in all tables */
    uint32_t max_candidates; /* rows compared exactly at most, in probe order */
    float recall;            /* recall@10 measured by idx_tune(); 1 for the others */
    float candidates;        /* mean rows compared per query, measured by idx_tune() */
    uint32_t metric;         /* idx_metric */
    uint32_t stored;         /* idx_stored */
    uint32_t n_cells;        /* cells; forest: nodes of all trees, known once built */
    uint32_t leaf; /* forest: entries in a leaf at most; cells: blocks of codes, known
                      once they are built; LSH by tables: bits of the code of a row, 0
                      for none */
    uint32_t max_scanned; /* where there are codes: scored at most, in probe order */
    float width;          /* p-stable: of a bucket; cells: standard errors of a code
                             by which a row may miss the tenth and is still compared */
    uint32_t n_asked;     /* neighbours that recall is a share of; 0: not measured */
    float scanned;        /* mean codes scored per query, measured by idx_tune() */
    float us;             /* median of a query in microseconds where idx_retune() took
                             it by the clock, on the machine that ran it; else 0 */
} idx_params;

/* What one row stands for. */
typedef struct {
    uint32_t sound; /* 0..n_sounds-1 */
    float start_s;  /* seconds from the beginning of that sound */
    float length_s; /* seconds */
} idx_entry;

typedef struct {
    const char *path;  /* UTF-8 as the file system had it, 1..IDX_MAX_PATH bytes */
    const char *label; /* 0..IDX_MAX_LABEL bytes */
    double seconds;    /* length of the sound */
    uint32_t rate_hz;  /* of the file */
    uint32_t n_channels;
} idx_sound;

/*
 * What sounds without meaning look like to a scale, for a caller that lets nothing
 * through that is more like them:
 *
 *   rows   [n][dim]      of unit length
 *   tails  [n_tails][2]  at, beyond (0 or more): of how much more alike than the rows a
 *                        noise and its nearest entry are, a tenth exceeds at, by beyond
 *                        on the mean; one for each kind of noise
 */
typedef struct {
    uint32_t n, n_tails;
    const float *rows, *tails;
} idx_noises;

/*
 * One scale of an open index, or of one to be written.
 *
 *   mean, spread  [n_in]           z = (raw - mean) / spread; spread is above 0
 *   matrix        [dim][n_in]      or NULL for the identity (then dim == n_in)
 *   knots         [n_knots]        ascending cosines, 2 to 65536 of them; knot i is the
 *                                  i/(n_knots-1) quantile that idx_score() goes by
 *   rows          [n_entries][dim] unit length, within 1e-3, where the metric is the
 *                 cosine; in an open index NULL unless stored as IDX_F32: idx_row()
 *   entries       [n_entries]
 *
 * Scale IDX_TIMBRE has a code of dim bits for each entry instead of a row, and knots
 * for either distance, ascending likenesses of 0..1:
 *
 *   codes          [n_entries][(dim + 63) / 64] bit b is bit b & 63 of word b >> 6, 0
 *                  from dim on
 *   knots          [n_knots] of Jaccard likeness: common bits / bits of either
 *   hamming_knots  [n_knots] of 1 - differing bits / dim
 *
 * index stores mean, spread, matrix and noises for its caller and does not use them. A
 * scale that is all zeros is absent; without entries, knots may be absent too.
 */
typedef struct {
    uint32_t n_in, dim, n_entries, n_knots;
    const float *mean, *spread, *matrix, *knots, *rows;
    const idx_entry *entries;
    const uint64_t *codes; /* these two of IDX_TIMBRE only */
    const float *hamming_knots;
    idx_noises noises;
    idx_params params;
    /* when writing, what idx_tune() built; may be NULL, and is then built again */
    const struct idx_built *built;
} idx_scale;

/* ---- Reading -------------------------------------------------------------------- */

typedef struct idx_index idx_index;

/*
 * Maps a file read-only and verifies all of it: magic, version, sizes, every checksum,
 * every offset, count, entry and bucket, and that all floats are finite. Allocates. A
 * scale without entries is legal (n_entries 0). On failure *out is NULL and why (of
 * why_len bytes, may be NULL with 0) holds one sentence that names the path and says
 * what to do. Not for real-time threads.
 */
idx_status idx_open(idx_index **out, const char *path, char *why, size_t why_len);

/*
 * The same, read into memory of its own, on huge pages where the system has them: for a
 * program that runs long. Searches are quicker, and what happens to the file later,
 * even in its place, does not matter.
 */
idx_status idx_load(idx_index **out, const char *path, char *why, size_t why_len);

/* The same over bytes in memory, which must stay, aligned to 64, until idx_close(). */
idx_status idx_open_memory(idx_index **out, const void *data, size_t n_bytes, char *why,
                           size_t why_len);

/* Takes NULL. */
void idx_close(idx_index *index);

/* The mapped bytes, so that the caller can lock them in memory. */
const void *idx_memory(const idx_index *index, size_t *n_bytes);

/* The parts of the file, each verified by its checksum (XXH3-64), in their order. */
typedef struct {
    const char *name;
    uint32_t scale; /* UINT32_MAX where the scales share it */
    uint64_t bytes, checksum;
} idx_section;
uint32_t idx_format(const idx_index *index); /* version of the file's */
uint32_t idx_n_sections(const idx_index *index);
idx_section idx_section_of(const idx_index *index, uint32_t i);

/* A scale, 0..IDX_SCALES-1. */
const idx_scale *idx_scale_of(const idx_index *index, uint32_t scale);

uint32_t idx_n_sounds(const idx_index *index);
idx_sound idx_sound_of(const idx_index *index, uint32_t sound);

/* Text of "key = value" lines, NUL-terminated; the caller's at the time of writing. */
const char *idx_settings(const idx_index *index);
const char *idx_report(const idx_index *index);

/* ---- Searching ------------------------------------------------------------------ */

typedef struct {
    uint32_t entry;
    float cosine; /* [-1, 1]; by IDX_EUCLID minus half the squared distance, which is
                     the cosine less 1 where lengths are 1 */
} idx_hit;

typedef struct {
    uint32_t n_candidates; /* rows compared exactly */
    uint32_t n_probes;     /* buckets, leaves or cells visited */
    uint32_t n_scanned;    /* codes scored */
    uint32_t cut;          /* 1 when a cap ended the search early */
} idx_work;

/* Working memory for queries on one index by one thread. */
typedef struct idx_scratch idx_scratch;
idx_status idx_scratch_new(idx_scratch **out, const idx_index *index);
void idx_scratch_free(idx_scratch *scratch);

/*
 * Lets this scratch search a scale with other n_probes, max_candidates and, where there
 * are codes, max_scanned, in cells also width and n_tables (0: as before) than the file
 * says; the rest of params is not looked at. IDX_EARG, changing nothing, where they are
 * out of range or there are more than IDX_MAX_PROBES.
 */
enum { IDX_MAX_PROBES = 65536 };
idx_status idx_scratch_set(idx_scratch *scratch, uint32_t scale, const idx_params *p);

/* Leaves the entries of one sound out of all answers; UINT32_MAX, as at first, none. */
void idx_scratch_skip(idx_scratch *scratch, uint32_t sound);

/* Copies a row, as it is stored, to out[dim]; zeros for a scale of codes. */
void idx_row(const idx_index *index, uint32_t scale, uint32_t entry, float out[]);

/* The greatest cosine of x[dim] to any of rows[n][dim], all of unit length; -1 where n
 * is 0. For noises; the same with every kernel. Real-time safe. */
float idx_likeness(idx_scratch *scratch, const float x[], uint32_t dim,
                   const float rows[], uint32_t n);

/*
 * Finds the stored entries nearest to a query by the metric of the scale.
 *
 *   x       [dim] of that scale; by cosine any length but zero, need not be of unit
 * norm hits    [k] out, best first; equal cosines in order of entry, so that runs
 * repeat n_hits  out, 0..k; fewer than k when fewer were found or stored work    out,
 * what it took; may be NULL
 *
 * By the scale's family, with exact re-ranking. Real-time safe: does not allocate, lock
 * or block. IDX_EARG if k is 0 or > IDX_MAX_K or the scale holds codes, IDX_ESILENT if
 * x has no direction or is not finite. An empty scale answers IDX_OK with no hits.
 */
idx_status idx_query(const idx_index *index, uint32_t scale, idx_scratch *scratch,
                     const float x[], uint32_t k, idx_hit hits[], uint32_t *n_hits,
                     idx_work *work);

/* The exact twin: the same by comparing every row. What recall is measured against. */
idx_status idx_query_exact(const idx_index *index, uint32_t scale, idx_scratch *scratch,
                           const float x[], uint32_t k, idx_hit hits[],
                           uint32_t *n_hits);

/*
 * The same in a scale of codes, by comparing every code (index/codes.h).
 *
 *   code        [(dim + 63) / 64]
 *   by_jaccard  or by Hamming distance
 *   hits        [k] out; cosine is the likeness, 0..1: 1 - distance, Hamming distances
 *               being shares of dim
 *
 * Real-time safe. A code without bits has a Jaccard likeness of 0 to all. IDX_EARG if k
 * is 0 or > IDX_MAX_K or the scale holds rows; one that is absent or empty has no hits.
 */
idx_status idx_query_codes(const idx_index *index, uint32_t scale, idx_scratch *scratch,
                           const uint64_t code[], uint32_t k, bool by_jaccard,
                           idx_hit hits[], uint32_t *n_hits, idx_work *work);

/*
 * Where a cosine lies among the knots of a scale, linearly between them: 0..1. Codes
 * have few likenesses and many ties; there it is the share of knots that are less
 * alike, so that a code as alike as a third of all nearest strangers are does not
 * score 1.
 */
float idx_score(const idx_scale *scale, float cosine);

/* The same for likenesses of codes by Hamming distance. */
float idx_score_hamming(const idx_scale *scale, float likeness);

/* ---- Building ------------------------------------------------------------------- */

/*
 * Calls run(job, i) once for each i < n, on several threads if it can; returns when all
 * have ended. The index knows no threads: its caller lends them.
 */
typedef void idx_parallel(void *ctx, size_t n, void (*run)(void *job, size_t i),
                          void *job);

/* Called with the share done (0..1) about every 50 ms; false ends the work. */
typedef bool idx_progress(void *ctx, double share);

/*
 * Where what grows with a scale lies while it is built; all NULL: malloc() and free().
 * grow() gives n_bytes, aligned to 16, with what the block had before (NULL: none),
 * which is then gone; new bytes are undefined. NULL, and the old block stays, where
 * there is no room. drop() takes NULL. Called by any thread that is lent, side by side.
 */
typedef struct {
    void *(*grow)(void *ctx, void *block, size_t n_bytes);
    void (*drop)(void *ctx, void *block);
    void *ctx;
} idx_store;

/* What the sections of a scale's family are made of, as built. */
typedef struct idx_built idx_built;
void idx_built_free(idx_built *built);

/* Whether it holds the rows and entries too, so that those of the scale may go. */
bool idx_built_has_rows(const idx_built *built);

typedef struct {
    uint64_t seed;
    float target_recall;    /* 0..1 */
    bool auto_family;       /* may turn to IDX_EXACT */
    bool by_clock;          /* weigh searches by the time they take here */
    idx_progress *progress; /* may be NULL */
    idx_parallel *parallel; /* may be NULL */
    void *ctx;              /* of both */
    idx_store store;        /* of what is built too: its ctx outlives that */
} idx_tuning;

/*
 * Chooses how a scale is to be searched, fills the zeros of *params and builds. What
 * the family is built from (K, L, cells) follows from n_entries where zero; where
 * n_probes is zero the cheapest search is sought that reaches the target: recall@10 on
 * rows spread over the scale, the sound that each belongs to left out, because the
 * overlapping frames of one sound find each other whatever the tables, and live sound
 * has none of them. A neighbour counts as found at up to 1.001 times the distance of
 * the tenth. With IDX_EXACT nothing is measured.
 *
 * With auto_family, scales below IDX_EXACT_BELOW entries, and those whose search would
 * compare more than a quarter of all rows, become IDX_EXACT; a scale without entries
 * always does.
 *
 * Deterministic: counts decide, weighed by fixed costs, never clocks. *built is what
 * idx_write() then need not build again, the caller's to free; NULL for IDX_EXACT. On
 * failure (IDX_EARG, IDX_ENOMEM, IDX_EIO when stopped) it is NULL and *params stays.
 */
enum { IDX_EXACT_BELOW = 20000 };
idx_status idx_tune(const idx_scale *scale, const idx_tuning *how, idx_params *params,
                    idx_built **built);

/*
 * Chooses anew, for a scale of an open index, what can be chosen without building:
 * n_probes, the caps, and the width of cells, by the same rules, truth being what
 * idx_query_exact() says. Measures recall and, by_clock, time. *params is what
 * idx_rewrite() takes; where there is nothing to choose, what the file says.
 */
idx_status idx_retune(const idx_index *index, uint32_t scale, const idx_tuning *how,
                      idx_params *params);

/*
 * Fills knots[n_knots] with the quantiles of how alike a moment and its nearest
 * stranger are: for up to n_sample rows spread over the scale, the highest cosine to a
 * row of another sound. With fewer than two sounds: evenly spaced over [-1, 1].
 * IDX_EARG for a scale of codes. how lends threads; may be NULL.
 */
idx_status idx_calibrate(const idx_scale *scale, const idx_tuning *how,
                         uint32_t n_sample, uint32_t n_knots, float knots[]);

/* The same for a scale of codes, with its likenesses by either distance; with fewer
 * than two sounds evenly spaced over [0, 1]. */
idx_status idx_calibrate_codes(const idx_scale *scale, uint32_t n_sample,
                               uint32_t n_knots, float jaccard[], float hamming[]);

typedef struct {
    uint32_t n_sounds;
    const idx_sound *sounds;
    const char *settings, *report;
    idx_scale scales[IDX_SCALES]; /* with params as idx_tune() gave them */
    uint64_t seed;                /* of the hyperplanes */
    idx_store store;              /* of what is still to be built */
} idx_contents;

/*
 * Builds the tables and writes an index to path: to a temporary name beside it, synced,
 * then renamed, so that a reader never sees half a file. The same contents give the
 * same bytes. *stop (may be NULL), set by another thread or a signal handler, ends it
 * early with IDX_EIO; on every failure the temporary file is removed. IDX_EARG, with
 * why, where the contents break a rule of this header.
 */
idx_status idx_write(const char *path, const idx_contents *contents,
                     const atomic_int *stop, char *why, size_t why_len);

/* The same as an open index in memory of its own, without a file; contents may go
 * after it. */
idx_status idx_make(idx_index **out, const idx_contents *contents, char *why,
                    size_t why_len);

/*
 * Writes a copy of an open index whose scales are searched by params[IDX_SCALES], of
 * which only what idx_retune() chooses may differ, and have noises[IDX_SCALES]. NULL
 * for either leaves all as it is. As careful as idx_write().
 */
idx_status idx_rewrite(const char *path, const idx_index *index,
                       const idx_params params[], const idx_noises noises[],
                       const atomic_int *stop, char *why, size_t why_len);

#endif
