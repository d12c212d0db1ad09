/* Opens an index for a command, with words for people. */
#ifndef HEARKEN_RT_LOAD_H
#define HEARKEN_RT_LOAD_H

#include "background.h"
#include "index/index.h"

/* Returns an exit status; says on stderr what is wrong. Takes the analysis settings of
 * the index into *o unless that is NULL. stays: for long, whatever becomes of the file
 * (idx_load()). */
int rt_load(idx_index **out, const char *path, rt_options *o, bool stays);

/* The settings of an index that hearken import made, and whether it is one. */
#define RT_VECTOR_SETTINGS "features = vectors\n"
bool rt_holds_vectors(const idx_index *index);

/* What rt_load() does with *o, for an open index. */
int rt_take_settings(const idx_index *index, const char *path, rt_options *o);

/* Makes the background of an index and has *o use it; an exit status, as above. Freed
 * after the last analysis with these options. */
int rt_take_background(rt_background **out, const idx_index *index, rt_options *o);

/* Asks whether a file could be written before an hour goes into it; an exit status,
 * after it has said what is wrong. */
int rt_check_output(const char *path);

/* Flushes stdout and returns status, or RT_IO (having said so) when it was not written.
 */
int rt_finish_output(int status);

#endif
