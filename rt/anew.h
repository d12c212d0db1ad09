/* Becoming a new process, when there is no other way on. */
#ifndef HEARKEN_RT_ANEW_H
#define HEARKEN_RT_ANEW_H

/*
 * The same process with the same command line, as if it had just been started: threads
 * that a library holds, and what it has open, are let go of so. argv[0] is the command.
 * Returns only when that fails, with the status to end with.
 */
int rt_start_anew(int argc, char **argv);

#endif
