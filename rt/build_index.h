/* The end of `build` and `merge`: from jobs to an index file and what is said of it. */
#ifndef HEARKEN_RT_BUILD_INDEX_H
#define HEARKEN_RT_BUILD_INDEX_H

#include "build.h"

/* Whether a table of labels can be read, asked before an hour goes into the sounds. An
 * exit status; what is wrong is said. */
int rt_check_labels(const char *labels);

/* The store for an index at path, as build.memory-mb says; NULL when memory runs out.
 */
rt_store *rt_build_store(const rt_options *o, const char *path);

/* Names what was passed over, and counts it. */
size_t rt_name_skipped(const rt_job jobs[], size_t n);

/*
 * Learns and writes the index, and reports on stdout: n_other files were no sounds, and
 * work began at that time of rt_seconds(). Exit status; what is wrong is said, with the
 * path of parts (may be NULL), where another build finds what this one has found out.
 * Parts that were to serve this build alone, and for which the disk was too small, are
 * given up before the index is written, since it may have no room beside them.
 */
int rt_build_index(rt_job jobs[], size_t n, const rt_options *o, rt_store *store,
                   size_t n_other, double began, rt_parts *parts);

#endif
