/*
 * What became of every block, hop, answer and message. One writer each, any reader; the
 * names below are those on OSC and in the summary.
 */
#ifndef HEARKEN_RT_COUNTS_H
#define HEARKEN_RT_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

#define RT_COUNT_LIST                                                                  \
    N(blocks)            /* of samples that JACK delivered */                          \
    N(dropped_blocks)    /* analysis was late: the ring was full */                    \
    N(skipped_blocks)    /* it was so late that it began anew with the newest */       \
    N(lost_frames)       /* samples in those, and samples that JACK itself skipped */  \
    N(xruns)             /* that JACK told of */                                       \
    N(stalls)            /* times that a server stood still */                         \
    N(reconnects)        /* times that a server was opened again */                    \
    N(bad_samples)       /* not finite, or absurdly loud; taken as 0 */                \
    N(hops)              /* analysed, 100 a second */                                  \
    N(silent_hops)       /* of them below dsp.gate-db: they enter no embedding */      \
    N(onsets)            /* times the gate opened, or the bands rose */                \
    N(shed_onsets)       /* of them not told, as analysis was late (rt/shed.h) */      \
    N(answers)           /* moments at which a scale was due: sum of the next 12 */    \
    N(paused)            /* by listen.paused */                                        \
    N(gated)             /* the gate was closed */                                     \
    N(shed_scenes)       /* analysis was late: no search was made */                   \
    N(shed_events)       /* the same, of events and timbre */                          \
    N(shed_frames)       /* the same, of frames */                                     \
    N(silent)            /* too little sound in the window */                          \
    N(below_score)       /* the best was below match.score */                          \
    N(background)        /* more like noise: match.false-alarms-per-hour */            \
    N(held)              /* the sound sent last was as good, by match.better-by */     \
    N(unconfirmed)       /* match.confirm-ms was not reached */                        \
    N(rate_limited)      /* within match.min-gap-ms of its last time */                \
    N(matched)           /* at least one match went out of the analysis */             \
    N(cut)               /* searches that index.max-candidates ended early */          \
    N(matches)           /* ranks of matched answers */                                \
    N(dropped_matches)   /* matches, onsets, nomatches: publishing was late, ring full \
                          */                                                           \
    N(page_faults)       /* of the analysis thread, since it began */                  \
    N(sent)              /* messages that the system took, over all destinations */    \
    N(failed)            /* messages that it did not */                                \
    N(withheld)          /* messages that a destination's rate kept from being sent */ \
    N(muted)             /* findings that osc.mute kept from being sent */             \
    N(commands)          /* control messages that were obeyed */                       \
    N(bad_commands)      /* of no known form or value; answered by an error */         \
    N(refused_commands)  /* from addresses that may not, or too many at a time */      \
    N(replies)           /* answers to commands that the system took */                \
    N(lost_replies)      /* answers that it did not */                                 \
    N(unprinted)         /* lines that stdout was too slow for */                      \
    N(truth_asked)       /* answers compared with an exact search (truth.h) */         \
    N(truth_dropped)     /* answers meant for that, which it had no time for */        \
    N(truth_wanted)      /* neighbours that the exact searches found */                \
    N(truth_found)       /* of them, those that the answers held */                    \
    N(recordings)        /* of the last seconds, written */                            \
    N(failed_recordings) /* asked for, and not written */

enum {
#define N(name) RT_N_##name,
    RT_COUNT_LIST
#undef N
        RT_COUNTS
};

typedef struct {
    _Atomic uint64_t n[RT_COUNTS];
} rt_counts;

extern const char *const rt_count_name[RT_COUNTS];

static inline void
rt_count(rt_counts *c, int which, uint64_t by)
{
    /* one writer each: no locked instruction is needed */
    const uint64_t n = atomic_load_explicit(&c->n[which], memory_order_relaxed);
    atomic_store_explicit(&c->n[which], n + by, memory_order_relaxed);
}

/* For a count that several threads may have at a time. */
static inline void
rt_count_shared(rt_counts *c, int which, uint64_t by)
{
    atomic_fetch_add_explicit(&c->n[which], by, memory_order_relaxed);
}

static inline uint64_t
rt_counted(const rt_counts *c, int which)
{
    return atomic_load_explicit(&c->n[which], memory_order_relaxed);
}

#endif
