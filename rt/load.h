/* Opens an index for a command, with words for people. */
#ifndef HEARKEN_RT_LOAD_H
#define HEARKEN_RT_LOAD_H

#include "index/index.h"
#include "options.h"

/* Returns an exit status; says on stderr what is wrong. Takes the analysis settings of
 * the index into *o unless that is NULL. stays: for long, whatever becomes of the file
 * (idx_load()). */
int rt_load(idx_index **out, const char *path, rt_options *o, bool stays);

/* Flushes stdout and returns status, or RT_IO (having said so) when it was not written.
 */
int rt_finish_output(int status);

#endif
