/*
 * What sounds without meaning look like to an index: noises of several colours, hum,
 * clicks, hiss. An answer counts when a sound of the corpus is nearer to what is heard
 * than these are, by a margin that leaves so many false alarms an hour.
 *
 * Made once for an open index, by analysing generated sound as listen does; from then
 * on it does not change and may be read by any number of threads.
 */
#ifndef HEARKEN_RT_BACKGROUND_H
#define HEARKEN_RT_BACKGROUND_H

#include "analyse.h"

typedef struct rt_background rt_background;

/* match.false-alarms-per-hour: 1e6 lets everything through. */
#define RT_ALL_ALARMS 1e6F

/*
 * For the scales of rows that the index has; takes the analysis settings of options.
 * The index must stay open. The same index gives the same background.
 */
bool rt_background_new(rt_background **out, const idx_index *index,
                       const rt_options *options, char *why, size_t why_len);
/* Not with the most false alarms that can be set: then it is left out from the start.
 */
static inline bool
rt_background_wanted(const rt_options *o)
{
    return o->match.false_alarms < RT_ALL_ALARMS;
}
void rt_background_free(rt_background *b);

/* Whether it is of that index; false for NULL. */
bool rt_background_fits(const rt_background *b, const idx_index *index);

/*
 * By how much more alike than the background the best entry must be in a set, so that
 * the background itself is taken for a sound of the corpus in a share p, 0..1, of the
 * answers: for materials that were left out of what they are compared with, with the
 * tail of their distribution taken as exponential.
 */
float rt_background_margin(const rt_background *b, uint32_t set, double p);

/* How alike x[dim of the set], of unit length, and the background are at most; -1 when
 * the set has none. Real-time safe. */
float rt_background_likeness(const rt_background *b, uint32_t set, const float x[]);

#endif
