/* The best match with each sound, for lists of what a whole file is most like. */
#ifndef HEARKEN_RT_BEST_H
#define HEARKEN_RT_BEST_H

#include "analyse.h"

/* best[m->sound] becomes m where that is more alike; zeroed, best[i].rank is 0: none.
 */
void rt_best_keep(rt_match best[], const rt_match *m);

/* Most alike first, then by number of the sound; those of rank 0 last. */
void rt_best_sort(rt_match best[], size_t n);

#endif
