#ifndef HEARKEN_RT_LAYER_PRIVATE_H
#define HEARKEN_RT_LAYER_PRIVATE_H

#include "layer.h"

/* The contents of a layer to be. */
typedef struct {
    idx_contents contents;
    idx_sound *sounds; /* [RT_LAYER_SOUNDS + 1]; texts are somebody else's */
    float *rows[IDX_TIMBRE];
    idx_entry *entries[IDX_TIMBRE];
} rt_draft;

/* Empty, of the embedding space of an index, which must stay, with room for all that a
 * layer may hold. False without memory; free it in any case. */
bool rt_draft_new(rt_draft *d, const idx_index *like);
void rt_draft_free(rt_draft *d);

/* Where the row of one more entry goes; NULL: there is no room. */
float *rt_draft_row(rt_draft *d, uint32_t set, const idx_entry *e);

/* All that a layer holds but one sound (UINT32_MAX: all) into an empty draft; the layer
 * must stay. */
void rt_draft_take(rt_draft *d, const idx_index *layer, uint32_t gone);

/* The number of a label, or UINT32_MAX; layer may be NULL. */
uint32_t rt_layer_find(const idx_index *layer, const char *label);

#endif
