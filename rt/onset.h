/*
 * Onsets within sound that already goes on: hops whose spectrum rises by more than it
 * just did. The level gate, which has no latency, tells of those after quiet.
 *
 *   flux[t] = mean over bands of max(0, band[t] - band[t - 2]), in dB
 *
 * rises where it is above median + 0.3 mean of the seven before it, plus a threshold
 * (after aubio's onset detection, which however looks ahead: this decides at once).
 */
#ifndef HEARKEN_RT_ONSET_H
#define HEARKEN_RT_ONSET_H

#include "dsp/dsp.h"

enum {
    RT_FLUX = 7,       /* values that the threshold follows */
    RT_FLUX_LAG = 2,   /* hops: windows one hop apart share two thirds */
    RT_ONSET_APART = 5 /* hops between two onsets at least */
};

typedef struct {
    float flux[RT_FLUX];                 /* ring */
    float bands[RT_FLUX_LAG][DSP_BANDS]; /* ring of the hops before, floored */
    uint32_t n;                          /* hops, round and round */
    bool above; /* the last hop was: only the first one tells */
} rt_onset;

/* As if there had been silence. */
void rt_onset_reset(rt_onset *o);

/*
 * Takes the bands [DSP_BANDS] of the next hop, in dB; by how much the flux is above the
 * threshold where it comes to be so, else 0. Real-time safe.
 */
float rt_onset_feed(rt_onset *o, const float bands[], float threshold_db);

/*
 * How many samples before the end of x[n] the sound rises most steeply, in steps of a
 * millisecond: the level of the 4 ms after against that of the 4 ms before. 0 when n is
 * too short for that.
 */
size_t rt_onset_refine(const float x[], size_t n, uint32_t rate_hz);

#endif
