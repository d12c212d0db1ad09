/*
 * Other indexes while listen runs, without a missed hop.
 *
 *   file --loader's thread: read, checked, analyses made--> inputs --> analysis takes
 *   them up between two blocks --> the old book leaves the shelf when it is free
 *
 * What cannot be used changes nothing: the last good index stays.
 */
#ifndef HEARKEN_RT_SWAP_H
#define HEARKEN_RT_SWAP_H

#include "inputs.h"
#include "shelf.h"

typedef struct rt_swap rt_swap;

typedef struct {
    rt_shelf *shelf;
    rt_inputs *inputs;
    rt_counts *counts;
    const char *learn_file;                  /* of the layer; NULL: in memory only */
    sem_t *main_wake;                        /* posted when there is news */
    void (*now)(void *ctx, rt_options *out); /* the settings of now; any thread */
    void *now_ctx;
} rt_swap_config;

/* Also starts to check the answers of the indexes (truth.h), and reads the layer of the
 * first, saying why where it cannot. False, with why, without memory or threads. */
bool rt_swap_new(rt_swap **out, const rt_swap_config *config, char *why,
                 size_t why_len);

/*
 * Reads a file ("": the one in use, again) and has the analysis use it in place of that
 * index. True when it does, and the news says so; false with why, also as news. While
 * the analysis thread runs; not on main, as it may take seconds; one waits for the
 * other.
 */
bool rt_swap_load(rt_swap *w, uint32_t index, const char *path, char *why,
                  size_t why_len);

/* What was learned, and of what. */
typedef struct {
    uint32_t n_entries;
    double seconds;
} rt_learning;

/*
 * Learns what an input ("" is the first) heard in the last seconds (0: since the gate
 * last opened) under a label, beside the first index: as rt_swap_load() with another
 * layer. The file is written at once; where it cannot be, what was learned is in use
 * all the same, and why says so with true.
 */
bool rt_swap_learn(rt_swap *w, const char *label, double seconds, const char *input,
                   rt_learning *out, char *why, size_t why_len);

/* Forgets a label, "*" is all; likewise. *n_left is how many labels there are then. */
bool rt_swap_forget(rt_swap *w, const char *label, uint32_t *n_left, char *why,
                    size_t why_len);

/* rt_inputs_set_rate() with the current books, which stay meanwhile. */
bool rt_swap_set_rate(rt_swap *w, uint32_t rate_hz, char *why, size_t why_len);

/* Main thread, before any other is started: lets SIGHUP wait to be asked for. */
void rt_swap_catch(void);

/* Main thread, now and then: does what SIGHUP wants, closes what is free, says what is
 * new. Whether an index is another since it was last asked. Takes NULL. */
bool rt_swap_tick(rt_swap *w);

/* Main thread: ends the loader's thread, after what it is doing, while the analysis
 * thread runs. Takes NULL. */
void rt_swap_stop(rt_swap *w);

/* When no thread loads or sets the rate any more. Takes NULL. */
void rt_swap_free(rt_swap *w);

#endif
