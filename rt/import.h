/*
 * Vectors that others made to the contents of an index.
 *
 *   files --vectors--> rows --import_rows--> unit rows, entries, sounds: rt_import
 *   CSV --import_names--> what each row is
 */
#ifndef HEARKEN_RT_IMPORT_H
#define HEARKEN_RT_IMPORT_H

#include "options.h"
#include "store.h"
#include "vectors.h"

/* What one row is, as a line of a CSV says. */
typedef struct {
    const char *sound, *label; /* the label may be empty */
    float start_s, length_s;
    size_t line;
} rt_row_name;

/* A table of rows, or one of AudioSet's classes. All zeros is none of them. */
typedef struct {
    rt_store *store;   /* of rows */
    rt_row_name *rows; /* [n], in order of the file */
    size_t n;
    bool is_rows, is_classes;
    const char *classes[RT_AUDIOSET_CLASSES]; /* NULL for one that is not there */
    char *text;                               /* what these point into */
} rt_names;

/*
 * Reads a CSV with a header: columns sound and, where they are there, start, length (in
 * seconds) and label; or index and display_name, which is AudioSet's
 * class_labels_indices.csv. Further columns are passed over. False, with why beginning
 * with name and mostly line, where it is neither or a value is off. Free it in any
 * case. Rows lie in store, which outlives them and may be NULL.
 */
bool rt_names_read(rt_names *t, FILE *file, const char *name, char *why,
                   size_t why_len);
bool rt_names_load(rt_names *t, const char *path, rt_store *store, char *why,
                   size_t why_len);
void rt_names_free(rt_names *t);

/* Where a sound's texts begin in rt_import.texts. */
typedef struct {
    size_t path, label;
    double seconds;
} rt_import_sound;

/* An index of vectors in the making. Set o, names and store; all else zeros at first.
 */
typedef struct {
    const rt_options *o;
    const rt_names *names;
    rt_store *store;   /* of what grows with the rows; may be NULL, and outlives this */
    const char *file;  /* that rows come from */
    uint32_t set, dim; /* of the index, once there is a row */
    uint64_t n_seen;   /* rows in all files so far */
    uint64_t n_zero;   /* of these without direction, which were left out */
    uint32_t n, n_sounds;
    float *rows;           /* [n][dim] */
    idx_entry *entries;    /* [n] */
    rt_import_sound *made; /* [n_sounds] */
    char *texts;
    size_t n_texts;
    uint32_t *slots; /* [n_slots] 1 + number of a named sound, by its hash */
    size_t cap_rows, cap_entries, cap_made, cap_texts, n_slots, n_named;
    idx_contents contents; /* after rt_import_finish(), which these belong to: */
    idx_sound *sounds;
    float *mean, *spread, *knots;
    idx_built *built;
    char *report;
} rt_import;

/* An rt_vector_sink's row(): takes one row, which by cosine becomes one of unit
 * length. */
bool rt_import_row(void *im, const rt_vector *v, char *why, size_t why_len);

/* False, with why, where there are no rows, or more or fewer than the table names. */
bool rt_import_complete(const rt_import *im, char *why, size_t why_len);

/* Fills contents: lists the sounds, calibrates and tunes. False, with why, when memory
 * runs out. */
bool rt_import_finish(rt_import *im, char *why, size_t why_len);
void rt_import_free(rt_import *im);

#endif
