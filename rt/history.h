/*
 * The last seconds that an input heard, for who wants to learn them.
 *
 *   analysis --rt_history_block--> tape --rt_history_take--> float x[n]
 */
#ifndef HEARKEN_RT_HISTORY_H
#define HEARKEN_RT_HISTORY_H

#include "tape.h"

#include <stdatomic.h>

enum { RT_HISTORY_S = 10 };

/* Places are numbers of samples on the tape. All zeros keeps nothing. */
typedef struct {
    rt_tape *tape;               /* of float */
    _Atomic uint64_t whole_from; /* the place from which on nothing is missing */
    _Atomic uint32_t rate_hz;
    uint64_t end_frame; /* analysis thread: of the stream, that comes next */
} rt_history;

/* False without memory. */
bool rt_history_new(rt_history *h);
void rt_history_free(rt_history *h);

/* ---- Analysis thread: nothing here allocates, locks or waits -----------------------
 */

/* The stream goes on at a frame, at that rate, and nothing before belongs to it. */
void rt_history_begin(rt_history *h, uint32_t rate_hz, uint64_t frame);

/* Before a block is analysed: x[0] is that frame of the stream. What is missing before
 * it is silence, or if that is more than a second, a beginning. */
void rt_history_block(rt_history *h, const float x[], uint32_t n, uint64_t first_frame);

/* ---- Other threads ----------------------------------------------------------------
 */

typedef struct {
    float *x; /* [n], to be freed */
    size_t n;
    uint32_t rate_hz;
} rt_heard;

/*
 * What sounded in the last seconds, up to RT_HISTORY_S; with 0, since the level gate
 * last opened, or where that was longer ago, in the last two. Quiet ends, by that gate,
 * are cut off. False, with why, when there is too little of it.
 */
bool rt_history_take(const rt_history *h, double seconds, double gate_db, rt_heard *out,
                     char *why, size_t why_len);

#endif
