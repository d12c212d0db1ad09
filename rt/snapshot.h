/*
 * What answers depend on besides the sound of the last seconds, taken from an analysis
 * between two hops and given to another one there: how a recording is replayed
 * (record.h).
 *
 *   rt_analyse_begin -> rt_analyse_warm, rt_analyse_gap ... -> rt_analyse_restore
 *   -> rt_analyse_sent ... -> rt_analyse_block ...
 *
 * then answers what the first analysis did, when at least rt_analyse_preroll_s()
 * seconds were warmed up with, or all since the stream began.
 */
#ifndef HEARKEN_RT_SNAPSHOT_H
#define HEARKEN_RT_SNAPSHOT_H

#include "analyse.h"

typedef struct {
    uint64_t frame;     /* samples of the stream before this moment */
    uint64_t last_loud; /* of the gate, if it is open */
    uint64_t onset_hop, rose_hop;
    uint32_t held[RT_SCALES], best[RT_SCALES][RT_ANSWERS]; /* newest first; + 1 */
    uint8_t timbre[DSP_TIMBRE_FRAMES]; /* oldest first: centroid + 1, 0 for silence */
    bool open;                         /* the gate */
} rt_snapshot;

/* Analysis thread: real-time safe. */
void rt_analyse_snapshot(const rt_analyse *a, rt_snapshot *state);

/* As rt_analyse_block(), but finds nothing and answers nothing. */
void rt_analyse_warm(rt_analyse *a, const float x[], size_t n);

/* state->frame must be where the analysis is. */
void rt_analyse_restore(rt_analyse *a, const rt_snapshot *state);

/* A sound of the index was sent at a scale, for match.min-gap-ms. */
void rt_analyse_sent(rt_analyse *a, uint32_t scale, uint32_t sound, uint64_t frame);

/* Seconds of sound after which all that is not in rt_snapshot is as if one had listened
 * for ever. */
uint32_t rt_analyse_preroll_s(const rt_analyse *a);

#endif
