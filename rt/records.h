/* The recorders of all inputs (record.h), for those who command listen. */
#ifndef HEARKEN_RT_RECORDS_H
#define HEARKEN_RT_RECORDS_H

#include "inputs.h"

/* Any thread: has what is kept of each input written; of how many. 0 where nothing is
 * kept, or all of it is being written already. */
uint32_t rt_records_dump(const rt_inputs *in);

/* Main thread, several times a second: does so when SIGUSR1 came, and says on stderr
 * what was written and what could not be. */
void rt_records_tick(const rt_inputs *in);

/* Main thread: when what is being written is written, says so; no more will be. */
void rt_records_stop(const rt_inputs *in);

#endif
