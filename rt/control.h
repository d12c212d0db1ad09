/*
 * Control over OSC while listen runs: a thread of its own, at low priority, that takes
 * messages, changes settings and answers. docs/osc-control.md, which comes out of the
 * same tables, is for those who send.
 *
 *   UDP --> osc/control --> thread --ring of rt_options--> analysis, between two blocks
 *                              |--> publish (mute, subscribers)
 *                              `--> answers to who asked
 */
#ifndef HEARKEN_RT_CONTROL_H
#define HEARKEN_RT_CONTROL_H

#include "osc/control.h"
#include "publish.h"
#include "swap.h"

#include <semaphore.h>

typedef struct rt_control rt_control;

enum { RT_SUBSCRIBED_S = 60 }; /* at most, without asking again */

typedef struct {
    char who[OSC_PEER_TEXT], settings[RT_ITEM]; /* settings: target.h */
    double left_s;                              /* 0: nobody */
} rt_subscription;

typedef struct {
    const rt_options *options; /* as listen starts with them */
    rt_shelf *shelf;
    rt_counts *counts;
    rt_publish *publish;
    rt_ring *settings;    /* of rt_options: all of them, after each change */
    sem_t *settings_wake; /* posted after each push */

    /* Saves what was heard; false when it cannot. Either way text gets one sentence
     * or a path. NULL: there is no recorder. */
    bool (*dump)(void *ctx, char *text, size_t len);
    void *dump_ctx;

    /* Has a file used as that index, "" for the one in use anew; why where it cannot.
     */
    bool (*load)(void *ctx, uint32_t index, const char *path, char *why, size_t len);

    /* rt_swap_learn() and rt_swap_forget(); NULL: nothing is learned. */
    bool (*learn)(void *ctx, const char *label, double seconds, const char *input,
                  rt_learning *out, char *why, size_t len);
    bool (*forget)(void *ctx, const char *label, uint32_t *n_left, char *why,
                   size_t len);
    void *load_ctx; /* of these three */

    /* [RT_SUBSCRIBERS]: who has subscribed already, each at his place; after
     * rt_control_stop(), who has then. NULL: nobody. */
    rt_subscription *subscribed;
} rt_control_config;

/*
 * Binds the socket of osc.listen; *out is NULL where that is none. False, with why,
 * when a setting is not of its form or memory runs out. A port that cannot be had is
 * said on stderr, and listen goes on without control.
 */
bool rt_control_open(rt_control **out, const rt_control_config *config, char *why,
                     size_t why_len);

/* Starts the thread. Takes NULL. */
bool rt_control_start(rt_control *c, char *why, size_t why_len);

/* The settings of now into *out, for main; takes NULL, and then leaves *out alone. */
void rt_control_now(rt_control *c, rt_options *out);

/* Ends the thread: nothing is set any more. Takes NULL. */
void rt_control_stop(rt_control *c);

/* Stops it and closes the socket; before rt_publish_close(). Takes NULL. */
void rt_control_close(rt_control *c);

/* Whether an index can answer at all at the scales of its settings; else why. */
bool rt_control_check(const rt_options *o, const idx_index *index, char *why,
                      size_t why_len);

/* Writes docs/osc-control.md, and the part of the man page about control. */
void rt_control_reference(FILE *to);
void rt_control_man(FILE *to);

#endif
