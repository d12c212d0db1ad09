#ifndef HEARKEN_RT_BACKGROUND_PRIVATE_H
#define HEARKEN_RT_BACKGROUND_PRIVATE_H

#include "background.h"

struct rt_background {
    const idx_index *index;
    idx_noises set[IDX_SCALES]; /* n 0: none */
    float *own[IDX_SCALES];     /* rows, then tails, where they are not the index's */
};

#endif
