/* What stream.c, windows.c and stream_setup.c share. */
#ifndef HEARKEN_DSP_STREAM_PRIVATE_H
#define HEARKEN_DSP_STREAM_PRIVATE_H

#include "dsp/timbre.h"
#include "front.h"
#include "private.h"

enum {
    DSP_HISTORY = DSP_MAX_EVENT_HOPS, /* hops that are kept */
    DSP_BUFFER_FRAMES = 8192,
    DSP_FLOOR_PER_DB = 4, /* steps */
    DSP_FLOOR_STEPS = 30 * DSP_FLOOR_PER_DB,
};

/*
 * The features of the last DSP_HISTORY hops, each of them twice: hop h in slot h %
 * DSP_HISTORY and in the one DSP_HISTORY further on. So any window of the last n hops
 * lies in one piece, and no hop has more to copy than another.
 */
struct dsp_stream {
    dsp_logmel *logmel; /* these three are NULL with another front end */
    dsp_descriptors *describe;
    dsp_blocks *blocks;
    dsp_front *front;         /* NULL with log-mel */
    dsp_bfcc *bfcc;           /* NULL without timbre */
    uint32_t n_bands, n_more; /* values of a hop: of mel, of more */
    uint32_t rate_hz, event_hops;
    uint32_t window_frames; /* samples that a hop looks at */
    uint32_t level_frames;  /* of them, the newest make the level: 32 ms */
    uint32_t kept_frames;   /* samples that are kept: for the longest window */
    float gate_db;
    uint64_t n_frames, n_hops; /* since the beginning */
    uint64_t next_hop;         /* n_frames at which the next hop is complete */
    size_t fill;               /* of buffer */
    float *buffer;             /* [kept_frames + DSP_BUFFER_FRAMES] */
    float *mel;                /* [2 DSP_HISTORY][n_bands], or the front's bands */
    float *more;               /* [2 DSP_HISTORY][n_more]: descriptors or cepstra */
    bool has_floor;
    float floor[DSP_BANDS];         /* dB: what is subtracted */
    float left_db[DSP_FLOOR_STEPS]; /* of a band so many steps above its floor */
    float *clean;                   /* [2 DSP_HISTORY][n_bands]: what is left of mel */
    float energy[2 * DSP_HISTORY];  /* of the bands, or of samples; 0 below the gate */
};

#endif
