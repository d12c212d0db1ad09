#ifndef HEARKEN_RT_TAPE_PRIVATE_H
#define HEARKEN_RT_TAPE_PRIVATE_H

#include "tape.h"

#include <stdatomic.h>

struct rt_tape {
    size_t n_items, item_words;
    size_t at; /* slot of the next item: the writing thread's */
    /* Items that are, or are about to be, in their slots; items that are. */
    _Atomic uint64_t claimed, written;
    _Atomic uint32_t *words; /* [n_items][item_words] */
};

#endif
