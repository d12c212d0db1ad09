/*
 * The print thread: findings as lines on stdout. A reader that is stopped, slow or gone
 * (a pipe, a held terminal, a dead disk) is waited for by this thread alone; what it
 * has no room for is counted as unprinted.
 *
 *   publish --rt_print_push--> ring --> thread --> stdout
 */
#ifndef HEARKEN_RT_PRINT_H
#define HEARKEN_RT_PRINT_H

#include "inputs.h"
#include "out.h"
#include "shelf.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { RT_LINES = 16384 }; /* that may wait, 1.5 MB */

typedef struct rt_print rt_print;

typedef struct {
    rt_out how;      /* what lines look like; its stream is not used */
    rt_shelf *shelf; /* that findings are of, and held on; NULL: all are of how.index */
    int fd;          /* they go here */
    const rt_inputs *inputs; /* their names; the first says whether to be patient */
    rt_counts *counts;
} rt_print_config;

/* False, with why, when memory runs out. */
bool rt_print_new(rt_print **out, const rt_print_config *config, char *why,
                  size_t why_len);

/* Starts the thread. */
bool rt_print_start(rt_print *p, char *why, size_t why_len);

/* Publish thread: hands one finding over. Never waits, but in freewheel. Takes NULL. */
void rt_print_push(rt_print *p, const rt_match *m);

/* Main thread: says once when stdout cannot be written any more. Takes NULL. */
void rt_print_tick(rt_print *p);

/* Prints what is left, until a second has gone by in which nobody read; counts the
 * rest. Not while others push. Takes NULL. */
void rt_print_close(rt_print *p);

#endif
