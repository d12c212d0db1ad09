/* What people call the files of a corpus, in a table of their own. */
#ifndef HEARKEN_RT_LABELS_H
#define HEARKEN_RT_LABELS_H

#include "split.h"

/* Files by their absolute paths, sorted. All zeros is a table without files. */
typedef struct {
    rt_split table;
    struct rt_labelled *files; /* [n] */
    size_t n;
} rt_labels;

/*
 * Reads a CSV with the columns file and label; names of files are absolute or relative
 * to the folder of the CSV, and those that are not there are passed over. False, with
 * why, as rt_split_load(), or where none is there.
 */
bool rt_labels_load(rt_labels *l, const char *csv, char *why, size_t why_len);
void rt_labels_free(rt_labels *l);

/* The label of a file, NULL where the table has none. */
const char *rt_labels_of(const rt_labels *l, const char *path);

#endif
