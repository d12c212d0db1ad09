/*
 * A parts file: what a build has found out about single files, written as soon as it is
 * known, so that another build need not find it out again. docs/large-corpora.md says
 * what for.
 *
 *   head, 64 bytes | settings | sounds and segments, as they came | roll | ...
 *
 * Every record begins with an rt_part, is a multiple of 64 bytes long, aligned to that
 * and checksummed. Records are only ever appended. What follows the last record that is
 * whole, as after a kill or a power cut, is cut off when the file is opened. Sounds and
 * segments are found by content; a roll ends a finished build, or shard of one, and
 * says which file was which sound. Raw rows are used in place, through a mapping.
 *
 * One process writes a file at a time, and holds a lock on it; rt_parts_add() may be
 * called by several of its threads, all else by one. Little-endian.
 */
#ifndef HEARKEN_RT_PARTS_H
#define HEARKEN_RT_PARTS_H

#include "content.h"
#include "dsp/dsp.h"
#include "rows.h"

#define RT_PARTS_MAGIC "hkparts" /* with its NUL: 8 bytes */

enum {
    RT_PARTS_VERSION = 1,
    RT_PARTS_ORDER = 0x01020304,
    RT_PARTS_ALIGN = 64,
    RT_COPIES = 1 + DSP_DEGRADATIONS, /* of a segment: as it is, and degraded */
    RT_MAX_GROUPS = 2 * RT_COPIES,
    RT_MAX_SHARDS = 1000,
};

typedef enum {
    RT_PART_SETTINGS = 1, /* text with its NUL, zeros after it: first and once */
    RT_PART_SOUND,        /* RT_MOMENTS groups of rows */
    RT_PART_SEGMENT,      /* frames of RT_COPIES, then events of RT_COPIES */
    RT_PART_ROLL,
} rt_part_kind;

/* Why a sound, heard to its end, is of no use. */
typedef enum {
    RT_NO_FAULT,
    RT_NO_SAMPLES,
    RT_TOO_SHORT,
    RT_SILENT,
    RT_FAULTS
} rt_fault;

/*
 * What a record begins with. Of a sound or segment, a table rt_group [n_groups]
 * follows; then for each group float [n][values], zeros up to a multiple of 8, rt_place
 * [n].
 */
typedef struct {
    uint64_t checksum; /* XXH3-64 of the rest of the record */
    uint64_t n_bytes;  /* of the whole record */
    uint32_t kind, n_groups;
    rt_key key;
    uint64_t first;            /* of a segment: its first sample */
    double seconds, claimed_s; /* of a sound: heard; as the file's header says */
    uint32_t rate_hz, file_rate_hz, n_channels; /* rate_hz: of the samples analysed */
    uint32_t fault;                             /* rt_fault */
    uint64_t zero;
} rt_part;

typedef struct {
    uint32_t n, values;
} rt_group;

/* A roll: the head of its record, this, rt_rolled [n], text. */
typedef struct {
    uint32_t shard, n_shards; /* shard 1..n_shards; 1 and 1 for a whole build */
    uint64_t n_all, list_sum; /* files of all shards; a checksum of all their paths */
    uint64_t n, text_bytes;
} rt_roll_head;

typedef struct {
    rt_key key;
    uint64_t index;               /* among all files in order of path; ascending */
    uint64_t path_at, trouble_at; /* in text, each with its NUL; trouble "" for none */
} rt_rolled;

typedef struct {
    rt_roll_head head;
    const rt_rolled *files;
    const char *text;
} rt_roll;

typedef struct rt_parts rt_parts;

/*
 * Opens a file for appending, locked, or creates it. What is in it must fit the
 * settings; with anew, one of other settings or another version is said to be, and
 * emptied. Returns RT_OK or an exit status with why, one sentence with the path.
 */
int rt_parts_open(rt_parts **out, const char *path, const rt_options *o, bool anew,
                  char *why, size_t why_len);

/* Opens a file, or bytes in memory (aligned to 8, they must stay), to read only; takes
 * the settings of the analysis into *o. Nothing is cut off: see rt_parts_cut(). */
int rt_parts_read(rt_parts **out, const char *path, rt_options *o, char *why,
                  size_t why_len);
int rt_parts_read_memory(rt_parts **out, const void *data, size_t n_bytes,
                         rt_options *o, char *why, size_t why_len);

/* Takes NULL. */
void rt_parts_close(rt_parts *p);

const char *rt_parts_path(const rt_parts *p);
/* "key = value" lines that all records depend on. */
const char *rt_parts_settings(const rt_parts *p);
/* Bytes at the end that were, or with rt_parts_read() are, no whole record. */
uint64_t rt_parts_cut(const rt_parts *p);
uint64_t rt_parts_bytes(const rt_parts *p);
/* Whether nothing is in it but its settings. */
bool rt_parts_empty(const rt_parts *p);

/* Where the record of that kind and content begins among those that were there when
 * the file was opened; 0 for none. first is 0 for a sound. */
uint64_t rt_parts_find(const rt_parts *p, rt_part_kind kind, const rt_key *key,
                       uint64_t first);

/* The head of a record that was mapped, and its rows, cap 0; valid until
 * rt_parts_map() or rt_parts_close(). */
const rt_part *rt_parts_at(const rt_parts *p, uint64_t at);
void rt_parts_rows(const rt_parts *p, uint64_t at, rt_rows *const groups[]);

/* The last roll that was there when the file was opened; false for none. */
bool rt_parts_roll(const rt_parts *p, rt_roll *roll);

/*
 * Appends a record; of part, all from kind to fault counts. Returns where it begins, or
 * 0 when it could not be written; the file is then as it was, rt_parts_error() says
 * why, and nothing more is taken.
 */
uint64_t rt_parts_add(rt_parts *p, const rt_part *part, const rt_rows *const groups[],
                      const uint32_t values[]);
uint64_t rt_parts_add_roll(rt_parts *p, const rt_roll *roll);
int rt_parts_error(rt_parts *p);

/* Maps all records, those appended since too. False, with errno. */
bool rt_parts_map(rt_parts *p);

/* Syncs. False, with errno. */
bool rt_parts_sync(rt_parts *p);

/* Rewrites the file with these n records alone, in that order, after its settings:
 * whole or not at all. To be closed then. False, with errno. */
bool rt_parts_rewrite(rt_parts *p, const uint64_t keep[], size_t n);

/* Removes the file; with rows that were mapped, when rt_parts_close() ends that. */
void rt_parts_remove(rt_parts *p);

/* Removes the file now, so that its place on the disk is free: no row of it is there
 * any more. Nothing but rt_parts_path() and rt_parts_close() may follow. */
void rt_parts_give_up(rt_parts *p);

/* Values in a row of each rt_moments, with these options. */
void rt_parts_widths(const rt_options *o, uint32_t widths[RT_MOMENTS]);

#endif
