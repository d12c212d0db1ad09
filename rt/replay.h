/*
 * Answers for a recording of listen (recording.h) as listen answered: with its
 * settings, from its state on, with its gaps and what it shed. One thread at a time.
 */
#ifndef HEARKEN_RT_REPLAY_H
#define HEARKEN_RT_REPLAY_H

#include "recording.h"

typedef struct {
    rt_recording recording;
    rt_options options; /* to make the analysis with */
    uint64_t at;        /* samples taken */
    size_t n_changed;
    bool restored;
} rt_replay;

/*
 * text[n] is the recording's, options those that hold where it says nothing. False,
 * with why, when it is damaged, of another index or layer (may be NULL), or not of a
 * wav with so many samples at that rate. rt_replay_done() frees.
 */
bool rt_replay_new(rt_replay *p, const rt_options *options, const idx_index *index,
                   const idx_index *layer, const char text[], size_t n,
                   uint32_t rate_hz, uint64_t n_samples, char *why, size_t why_len);
void rt_replay_done(rt_replay *p);

/* Before the first block. */
void rt_replay_begin(rt_replay *p, rt_analyse *a);

/* As rt_analyse_block(). */
void rt_replay_block(rt_replay *p, rt_analyse *a, const float x[], size_t n);

#endif
