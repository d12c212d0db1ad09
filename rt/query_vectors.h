/* hearken query on an index of vectors. */
#ifndef HEARKEN_RT_QUERY_VECTORS_H
#define HEARKEN_RT_QUERY_VECTORS_H

#include "index/index.h"
#include "options.h"

/*
 * Answers each row of the files of vectors with its match.k nearest entries, on stdout;
 * an exit status, after it has said what is wrong. Scores are told and do not decide.
 */
int rt_query_vectors(const idx_index *index, const char *index_path,
                     const rt_options *o, const char *const files[], int n);

#endif
