/* The CSV that says which sounds ask, which answer, and what is relevant to what. */
#ifndef HEARKEN_RT_SPLIT_H
#define HEARKEN_RT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One row of "file,label,group,split". The texts belong to the rt_split. */
typedef struct {
    const char *file, *label, *group; /* none of them is empty */
    size_t line;                      /* where the row begins, from 1 */
    bool query; /* split "query" or "test"; else "database" or "train" */
} rt_row;

typedef struct {
    rt_row *rows; /* in order of the file */
    size_t n;
    char *text; /* what the rows point into */
} rt_split;

/*
 * Reads RFC 4180 CSV (quotes, CRLF, a UTF-8 mark) with that header in any order of
 * columns; further columns are passed over; group may be missing, as a column or in a
 * row (then the file is its own group). Empty lines are passed over. A header without
 * rows gives n = 0.
 *
 * False, with why beginning "name:line: ", on a malformed line (a quote out of place or
 * never closed, a zero byte, more or fewer columns than the header has), a missing
 * column or one named twice, an empty file or label, an unknown split, or a file named
 * twice; beginning "name: " where the file cannot be read or memory runs out. The split
 * is then empty. Free it in either case.
 */
bool rt_split_read(rt_split *split, FILE *file, const char *name, char *why,
                   size_t why_len);
bool rt_split_load(rt_split *split, const char *path, char *why, size_t why_len);
/* The same without a column split, which is passed over: a table of labels. */
bool rt_split_load_labels(rt_split *split, const char *path, char *why, size_t why_len);
void rt_split_free(rt_split *split);

/* Absolute path of a file that is named absolutely or relative to the folder of a CSV;
 * NULL when it is not there. The caller frees it. */
char *rt_resolve_beside(const char *csv, const char *file);

#endif
