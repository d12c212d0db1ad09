/*
 * The floor of an input: sound that goes on as it is, of a fan, a line or a road, and
 * is not what is listened for. Below and little above it the gate stays shut,
 * and it is subtracted from what is compared.
 *
 * It is the level of the quietest tenth of the last ten seconds, where that stays the
 * same in every band; music that goes on without a pause is none, as its bands come and
 * go. It is known after ten seconds, and depends on nothing before them.
 */
#ifndef HEARKEN_RT_FLOOR_H
#define HEARKEN_RT_FLOOR_H

#include "dsp/dsp.h"

/* match.floor-db: no level is a floor. */
#define RT_NO_FLOOR (-120.0F)

enum {
    RT_FLOOR_HOPS = 10,    /* of a block; it ends with a hop whose index it divides */
    RT_FLOOR_BLOCKS = 100, /* that are looked at: ten seconds */
};

typedef struct {
    float bands[RT_FLOOR_BLOCKS][DSP_BANDS]; /* dB, means over the hops */
    float level[RT_FLOOR_BLOCKS];            /* dB, of their sum */
    float power[RT_FLOOR_BLOCKS];            /* mean square of the samples */
    float sum[DSP_BANDS], energy;            /* of the block that is gathered */
    uint32_t n_hops;                         /* in it, if it was heard from its start */
    uint32_t n_blocks;                       /* in a row; RT_FLOOR_BLOCKS at the most */
    float rms;                               /* of the floor; 0: none is known */
    float floor_db[DSP_BANDS]; /* its mean power in each band, if it is known */
} rt_floor;

/* Nothing was heard. */
void rt_floor_reset(rt_floor *f);

/* Takes hop number index: its bands[DSP_BANDS] in dB and samples x[n]. Whether rms may
 * have changed. Real-time safe. */
bool rt_floor_feed(rt_floor *f, uint64_t index, const float bands[], const float x[],
                   size_t n);

#endif
