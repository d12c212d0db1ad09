/*
 * What sounds without meaning look like to an index: noises of several colours, hum,
 * clicks, hiss (noise.h). An answer counts when a sound of the corpus is nearer to what
 * is heard than these are, by a margin that leaves so many false alarms an hour.
 *
 * Found by analysing generated sound as listen does, and stored with the index; one of
 * before format 4 is calibrated when it is opened. In the space of labels, too, sounds
 * as they are decide, since what tells labels apart does not tell them from noise. From
 * then on it does not change and may be read by any number of threads.
 */
#ifndef HEARKEN_RT_BACKGROUND_H
#define HEARKEN_RT_BACKGROUND_H

#include "analyse.h"

typedef struct rt_background rt_background;

/* match.false-alarms-per-hour: 1e6 lets everything through. */
#define RT_ALL_ALARMS 1e6F

/*
 * That of an index, which must stay open, for its scales of rows: what is stored, or
 * what is found now with the analysis settings of options. The same index gives the
 * same background.
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

/* Whether one is stored with an index. */
bool rt_background_stored(const idx_index *index);

/* [IDX_SCALES], valid as long as b. */
const idx_noises *rt_background_noises(const rt_background *b);

/* Whether it is of that index; false for NULL. */
bool rt_background_fits(const rt_background *b, const idx_index *index);

/*
 * By how much more alike than the background the best entry must be in a set, so that
 * so many noises an hour, 0 or more, are taken for a sound of the corpus at a scale of
 * rows: by materials that were left out of what they are compared with, with the tail
 * of their distribution taken as normal for events, else as exponential. The false
 * alarms are shared among n_scales. -2 where that many let everything through.
 */
float rt_background_margin(const idx_noises *n, uint32_t scale, double false_alarms,
                           uint32_t n_scales);

/* How alike x[dim of the set], of unit length, and the background are at most; -1 when
 * the set has none. scratch is the caller's, of any index. Real-time safe, as is
 * rt_background_margin(). */
float rt_background_likeness(const rt_background *b, uint32_t set, idx_scratch *scratch,
                             const float x[]);

#endif
