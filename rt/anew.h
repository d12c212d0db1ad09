/* Becoming a new process, when there is no other way on. */
#ifndef HEARKEN_RT_ANEW_H
#define HEARKEN_RT_ANEW_H

#include <stddef.h>

/*
 * The same process with the same command line, as if it had just been started: threads
 * that a library holds, and what it has open, are let go of so. argv[0] is the command.
 * left[n] is for rt_left() then; without memory for it, or n = 0, nothing is left, and
 * that is said.
 * Returns only when that fails, with the status to end with.
 */
int rt_start_anew(int argc, char **argv, const char left[], size_t n);

/*
 * What the process left when it started anew, at most cap bytes; their number, 0 when
 * it did not. From the environment comes only which file holds it, and only one that
 * can change no more is believed. Can be asked once.
 */
size_t rt_left(char out[], size_t cap);

#endif
