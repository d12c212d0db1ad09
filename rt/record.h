/*
 * The flight recorder of one input: keeps the last seconds of what was heard and found,
 * and writes them when asked, as a wav that `hearken query` answers as listen did.
 *
 *   rt_record_shed -> rt_record_block -> rt_analyse_block -> rt_record_match,
 * rt_record_second
 *   -> rt_record_done
 *
 * The analysis thread copies into memory that goes round (tape.h); a thread of its own
 * writes the files from there, while recording goes on. Functions that take an
 * rt_record take NULL, and then do nothing.
 */
#ifndef HEARKEN_RT_RECORD_H
#define HEARKEN_RT_RECORD_H

#include "snapshot.h"

typedef struct rt_record rt_record;

typedef struct {
    const rt_options *options; /* at the beginning; they stay, like all pointed to */
    const idx_index *index, *layer; /* layer may be NULL */
    const rt_analyse *analyse;      /* only to see how far it looks back */
    rt_counts *counts;
    uint32_t rate_hz;  /* the highest one that memory is to do for */
    const char *input; /* its name, in answers and files */
    uint32_t number;   /* of the input */
    rt_record *older;  /* the one in whose place it comes, or NULL; goes with it */
} rt_record_config;

/* Whether record.folder can be written; else why says so. */
bool rt_record_check(const rt_options *o, char *why, size_t why_len);

/* Allocates and touches all that is needed, and starts the thread that writes. False,
 * with why, when there is too little memory. The first news is how much it took. */
bool rt_record_new(rt_record **out, const rt_record_config *config, char *why,
                   size_t why_len);

/* Lets a recording that is being written be finished, and ends the thread. */
void rt_record_stop(rt_record *r);
void rt_record_free(rt_record *r);

/* Whether memory does for that rate. */
bool rt_record_does(const rt_record *r, uint32_t rate_hz);

/* ---- Analysis thread: nothing here allocates, locks or waits ------------------------
 */

/* A new analysis, which stands at clock->frame and has heard nothing: recordings reach
 * back to here. */
void rt_record_begin(rt_record *r, const rt_analyse *a, uint32_t rate_hz,
                     const rt_clock *clock);

/* Another analysis, with another index, goes on where the one before stands, at
 * clock->frame. Recordings begin when it has heard enough that they can be replayed. */
void rt_record_swap(rt_record *r, const rt_analyse *a, const rt_clock *clock);

/* Between two blocks: the analysis goes by other settings from here on. Recordings then
 * begin with the next whole second. */
void rt_record_set(rt_record *r, const rt_options *o);

/* Before a block, which the analysis is told of too (rt_analyse_shed): what is done
 * without from its first sample on. */
void rt_record_shed(rt_record *r, uint32_t level);

/* Before a block is analysed: x[0] is sample first_frame of the stream. A jump is a
 * gap, which the analysis is told of too. */
void rt_record_block(rt_record *r, const float x[], uint32_t n, uint64_t first_frame);

/* A finding, and rt_sink.second. */
void rt_record_match(rt_record *r, const rt_match *m);
void rt_record_second(rt_record *r);

/* After the block was analysed. */
void rt_record_done(rt_record *r);

/* ---- Other threads ------------------------------------------------------------------
 */

/* Any thread: has what is kept written. False when that is going on already. */
bool rt_record_dump(rt_record *r);

/* One thread, not the analysis thread: keeps recordings from being asked for; false
 * when one is. rt_record_yield() lets them again, with other options, index (NULL:
 * those before) and layer. */
bool rt_record_claim(rt_record *r);
void rt_record_yield(rt_record *r, const rt_options *o, const idx_index *index,
                     const idx_index *layer);

/* Main thread: whether a recording was written, or failed, since it was last asked, and
 * a sentence that says so. */
bool rt_record_news(rt_record *r, char text[], size_t text_len);

/* Main thread, before any other is started: lets SIGUSR1 wait to be asked for. */
void rt_record_catch(void);

/* Main thread, now and then: whether SIGUSR1 came since it was last asked. */
bool rt_record_signalled(void);

/* What the thread does: writes a recording now. False with why when it cannot be; text
 * (may be why) says where it is. For tests. */
bool rt_record_write(rt_record *r, char *text, size_t text_len);

#endif
