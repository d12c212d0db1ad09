/* What of a recorder's tapes makes up one recording; a part of record.h. */
#ifndef HEARKEN_RT_RECORD_WRITE_H
#define HEARKEN_RT_RECORD_WRITE_H

#include "record_private.h"

typedef struct {
    const rt_record *from;
    rt_record_mark mark;
    rt_record_state state; /* at which the lines begin */
    uint64_t start;        /* position of the first sample */
    uint64_t first_change; /* of this stream that is on the tape */
    rt_recording recording;
    rt_options options; /* at the end */
    uint64_t min_gap;   /* samples */
} rt_pick;

/* False, with why, when there is nothing to write yet. rt_recording_done() frees. */
bool rt_pick_make(rt_pick *p, const rt_record *r, char *why, size_t why_len);

#endif
