/*
 * What a process that starts itself anew (anew.h) leaves to itself: its counters, where
 * its stream was, what had been set over OSC, what it was connected to, who subscribed.
 *
 *   rt_handover, rt_options --rt_handover_write--> text --rt_handover_read--> the same
 *
 * The text is lines that end with a zero byte, each a word and its value; it is read as
 * carefully as if a stranger had written it.
 */
#ifndef HEARKEN_RT_HANDOVER_H
#define HEARKEN_RT_HANDOVER_H

#include "control.h"
#include "options.h"

/* Bytes of a text. */
enum { RT_HANDOVER = 1 << 16 };

/* Zeroed: nothing is left. */
typedef struct {
    uint64_t counts[RT_COUNTS];
    rt_stream stream;
    char index[RT_INDEXES][RT_TEXT]; /* in use; "" where that is not known */
    rt_list indexes; /* listen.index as it is then; none: as it was at the start */
    rt_list connect; /* in the form of jack.connect; none where it is not known */
    rt_subscription subscribed[RT_SUBSCRIBERS];
    int32_t sequence[RT_DESTS];
} rt_handover;

/* With the settings that OSC may change; its length, or 0 where cap is too little. */
size_t rt_handover_write(const rt_handover *h, const rt_options *o, char *out,
                         size_t cap);

/* Reads text[n], settings into *o. False, and neither changes, with why, when any of it
 * is not of that form or range, or settings do not go together. */
bool rt_handover_read(rt_handover *h, rt_options *o, const char text[], size_t n,
                      char *why, size_t why_len);

/* ---- With anew.h ------------------------------------------------------------------
 */

/* What the process before this one left, if there was one: into *h and *counts, and
 * what it was set to and connected to into *o. Says what is wrong with it. */
void rt_handover_take(rt_handover *h, rt_options *o, rt_counts *counts);

/* Notes how counters, stream and index are when nothing runs any more. The rest of *h
 * is written by control, publish and who knows of connections. */
void rt_handover_leave(rt_handover *h, const rt_counts *counts, const rt_inputs *inputs,
                       const rt_shelf *shelf);

/* As rt_start_anew(), leaving that. */
int rt_handover_anew(const rt_handover *h, const rt_options *o, int argc, char **argv);

#endif
