#ifndef HEARKEN_RT_BACKGROUND_PRIVATE_H
#define HEARKEN_RT_BACKGROUND_PRIVATE_H

#include "background.h"

/* Colours by the slope of their spectrum, all at the same level; then what is not noise
 * alone. */
typedef enum {
    RT_WHITE,
    RT_PINK,
    RT_BROWN,
    RT_BLUE,
    RT_DARK,
    RT_HUM_50,
    RT_HUM_60,
    RT_CLICKS,
    RT_HISS,
    RT_MATERIALS
} rt_material;

/* The answers that the materials got in a set of the index. */
typedef struct {
    uint32_t dim, n, room;
    uint32_t every;    /* of them, each so many-th is compared with */
    float *x;          /* [room][dim] what was asked */
    float *best;       /* [room] likeness of the entry that was found */
    uint8_t *material; /* [room] */
    /* of each material: what nine of ten differences do not exceed, and the mean of how
     * far the others do */
    float at[RT_MATERIALS], beyond[RT_MATERIALS];
} rt_backdrop;

struct rt_background {
    const idx_index *index;
    rt_backdrop set[IDX_SCALES];
};

/* The greatest likeness to x, without those of one material; UINT32_MAX: with all. */
float rt_background_nearest(const rt_backdrop *d, uint32_t but, const float x[]);

#endif
