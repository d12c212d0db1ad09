#ifndef HEARKEN_RT_RECORD_PRIVATE_H
#define HEARKEN_RT_RECORD_PRIVATE_H

#include "record.h"
#include "recording.h"
#include "rt.h"
#include "tape.h"

#include <semaphore.h>

enum {
    RT_RECORD_SLACK_S = 10, /* that the writing may be late, or its disk stand still */
    RT_RECORD_CHANGES = 8192,
    RT_RECORD_SHEDS = 20, /* a second: up and down once for each 100 ms of lateness */
};

/* How far the tapes had come at a moment. Positions are samples recorded. */
typedef struct {
    uint64_t pos, n_found, n_changes, n_states, n_settings;
} rt_record_place;

typedef struct {
    rt_snapshot state;
    rt_record_place at;
    uint64_t level; /* of what was done without (RT_SHED_NOTHING..) */
} rt_record_state;

/* Those of rt_options that answers depend on. */
typedef struct {
    uint32_t scales, k, confirm_ms, within_ms, min_gap_ms, refine, at, space, codes,
        nomatch, paused;
    float score, release, better_by, gate_db, floor_db, onset_db, false_alarms;
} rt_record_settings;

/* How a stream began. */
typedef struct {
    rt_record_place at;
    rt_clock clock;
    uint32_t rate_hz;
    uint64_t first_state; /* number of the first one that one can begin with */
} rt_record_beginning;

/* The last block that was analysed, and where its stream began. */
typedef struct {
    rt_record_place end;
    rt_record_beginning begin;
} rt_record_mark;

struct rt_record {
    rt_record_config config;
    uint32_t preroll_s;
    rt_tape *sound;                     /* of float */
    rt_tape *found;                     /* of rt_match */
    rt_tape *changes;                   /* of rt_change, at a position */
    rt_tape *states, *marks, *settings; /* of the structs above */
    /* Analysis thread: */
    const rt_analyse *analyse;
    rt_record_beginning begin;
    uint64_t block_pos, block_frame; /* of the first sample of this block */
    uint64_t next_frame;
    uint32_t level;
    /* Writing: */
    pthread_t thread;
    bool started;
    sem_t wake;
    atomic_bool busy;          /* a recording is wanted, or being written */
    pthread_mutex_t news_lock; /* never the analysis thread's */
    bool news;
    char text[RT_TEXT + 400];
};

#endif
