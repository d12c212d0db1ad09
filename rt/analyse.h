/*
 * From samples to matches: what listen, query and build all run.
 *
 *   float x[n] --rt_analyse_block--> gate, dsp, index --> sink
 *
 * One thread at a time. rt_analyse_block() does not allocate, lock or block; what it
 * finds does not depend on how the samples are cut into blocks.
 */
#ifndef HEARKEN_RT_ANALYSE_H
#define HEARKEN_RT_ANALYSE_H

#include "counts.h"
#include "dsp/front.h"
#include "dsp/timbre.h"
#include "index/index.h"
#include "options.h"

typedef enum { RT_MATCH, RT_ONSET, RT_NOMATCH, RT_LABEL, RT_REJECT } rt_kind;

/* Scales of findings, and bits of match.scales: those of dsp, and timbre codes. */
enum { RT_TIMBRE = DSP_SCALES, RT_SCALES };

/* Milliseconds that an answer of each scale stands for. */
extern const uint32_t rt_answer_ms[RT_SCALES];

/* Answers of a scale that are remembered, for match.confirm-ms. */
enum { RT_ANSWERS = 64 };

/* Sounds that a layer (layer.h) may hold. */
enum { RT_LAYER_SOUNDS = 256 };

/* Name of a scale, and the scale of a set of the index. */
const char *rt_scale_name(uint32_t scale);
uint32_t rt_scale_of_set(uint32_t set);

/* The set of the index that a scale is searched in. */
uint32_t rt_set_of(const rt_options *o, uint32_t scale);

/* One search among rows as it was answered, for who wants to check it; valid during the
 * call. */
typedef struct {
    uint32_t scale, set; /* never RT_TIMBRE */
    uint32_t k, n_hits;  /* asked for, found */
    uint32_t book;       /* as rt_match */
    const float *x;      /* [dim of the set] */
    const idx_hit *hits; /* [n_hits] best first */
} rt_asked;

/* One finding, from the index to the socket. Frames are samples since the stream began.
 */
typedef struct {
    rt_kind kind;
    uint32_t scale;      /* dsp_scale or RT_TIMBRE */
    uint32_t rank;       /* 1 is the best; 0 for an onset; how many voted on a label */
    uint32_t sound;      /* of the index, or from its number of sounds on of the layer;
                            UINT32_MAX for none, as of an onset; for a label, one of it;
                            for a reject, the best */
    int fate;            /* of a reject: which of the counts says why */
    float score, cosine; /* score: for a label, its share of the votes; cosine: for
                            codes, how alike they are */
    float start_s, length_s; /* where in the sound */
    float heard_s;           /* of sound that was compared; 0 for an onset */
    float level_db;          /* onset: peak of the sample that opened the gate, or of
                                what began while it was open */
    float strength_db; /* onset: above what opens the gate, or above match.onset-db */
    uint64_t frame;    /* end of the window; onset: the sample */
    double time_s;     /* of frame, since the stream began */
    bool at_onset;     /* within an event's length of an onset, or of a scene */
    uint32_t input;    /* number of the input, where there are several */
    uint32_t book;     /* listen: of the shelf, that the sound is of */
    int64_t centre_us; /* when the centre of the window sounded, as block times go */
} rt_match;

/*
 * Raw features of one window, for build: frames; events, a window each half length;
 * beginnings, the first 50, 100, 200 and 400 ms of what begins after a pause, which is
 * what an event answer has heard so soon after an onset; and with build.timbre a BFCC
 * frame each DSP_TIMBRE_STEP_HOPS, zeros for a silent one.
 */
typedef enum { RT_FRAMES, RT_EVENTS, RT_BEGINNINGS, RT_BFCCS, RT_MOMENTS } rt_moments;
typedef struct {
    rt_moments kind;
    float start_s, length_s;
    uint64_t end;     /* the hop that follows the window */
    const float *raw; /* [n], as rt_layout_of() its scale says, or [DSP_BFCC] */
    uint32_t n;
} rt_moment;

/* When samples sounded, in seconds since the stream began: one of them, at a rate that
 * may have been another before. */
typedef struct {
    uint64_t frame;
    double s;
} rt_clock;
static inline double
rt_clock_s(const rt_clock *c, uint64_t frame, uint32_t rate_hz)
{
    return c->s + (double)(frame - c->frame) / rate_hz;
}

typedef struct {
    void *ctx;
    void (*match)(void *ctx, const rt_match *m);   /* NULL for build */
    void (*asked)(void *ctx, const rt_asked *q);   /* may be NULL */
    void (*moment)(void *ctx, const rt_moment *m); /* NULL for listen and query */
    void (*second)(void *ctx); /* at each whole second of the stream; may be NULL */

    /* Another analysis hears the same: that one tells of onsets, and counts what
     * becomes of sound before any index is asked. */
    bool beside;
} rt_sink;

typedef struct rt_analyse rt_analyse;

/*
 * index may be NULL for build; it must stay open. A failure fills why. rate_hz as
 * dsp_stream_config.
 */
bool rt_analyse_new(rt_analyse **out, uint32_t rate_hz, const rt_options *options,
                    const idx_index *index, rt_counts *counts, const rt_sink *sink,
                    char *why, size_t why_len);
void rt_analyse_free(rt_analyse *a);

/* Before the first block, and not for build: searches a layer (may be NULL) beside the
 * index, which it must fit; it must stay open. False without memory. */
bool rt_analyse_add(rt_analyse *a, const idx_index *layer);

/*
 * Between two blocks: takes the settings that may change while listen runs (RT_LIVE)
 * from options. Does not allocate, lock or block. Not for build.
 */
void rt_analyse_set(rt_analyse *a, const rt_options *options);

/*
 * Before the first block: goes on where another analysis is, which may only be freed
 * after it, as if it had heard all that that heard. What depends on the index (scenes,
 * codes, what was said last) is kept when both have the same one. False, and nothing is
 * done, when they listen in different ways. Does not allocate, lock or block.
 */
bool rt_analyse_inherit(rt_analyse *a, rt_analyse *from);

/* Takes n samples that follow the last ones; first_us is when x[0] sounded (0 if
 * unknown). */
void rt_analyse_block(rt_analyse *a, const float x[], size_t n, int64_t first_us);

/* Before the first block: the next sample is number frame of the stream. */
void rt_analyse_begin(rt_analyse *a, uint64_t frame);

/* For meters: whether the gate is open, and the time spent in the index since new. */
bool rt_analyse_is_open(const rt_analyse *a);
uint64_t rt_analyse_query_ns(const rt_analyse *a);

/* Largest magnitude of x; what is not finite counts as 0. */
float rt_peak(const float x[], size_t n);

/* What to do without from now on, each with all before it; rt/shed.h says when. Answers
 * that are due are counted as shed, and what later ones rest on is still heard. */
enum {
    RT_SHED_NOTHING,
    RT_SHED_SCENES,
    RT_SHED_EVENTS, /* and timbre */
    RT_SHED_FRAMES, /* and telling of onsets */
};
void rt_analyse_shed(rt_analyse *a, uint32_t level);

/* n_frames samples are missing here: no match spans them. */
void rt_analyse_gap(rt_analyse *a, uint64_t n_frames);

/* Build: the sound ended. Analyses what still rings in the window, and emits the
 * moments at the sound's end that no full window covers. */
void rt_analyse_finish(rt_analyse *a);

/* Build: begins anew, with another sink, as if nothing had been heard. */
void rt_analyse_rewind(rt_analyse *a, const rt_sink *sink);

/* How raw features of a set of the index (a scale, or DSP_SCALES + scale for its space
 * of labels) are projected; layout is rt_layout_of() it, and must stay. */
dsp_projection rt_projection_in(const idx_index *index, uint32_t set,
                                const dsp_layout *layout);

/*
 * Takes the settings of the analysis from an open index into *o. False, with why, when
 * the index was made with features that this program does not have.
 */
bool rt_analyse_settings(rt_options *o, const idx_index *index, char *why,
                         size_t why_len);

/* Whether an answer can meet all settings; else why says which contradict each other.
 */
bool rt_analyse_check(const rt_options *o, char *why, size_t why_len);

/* How the raw vector of a scale is made up. */
dsp_layout rt_layout_of(const rt_options *o, dsp_scale scale);

/* Hops of an event's window, and between two of them in an index and in a scene. */
uint32_t rt_event_hops(const rt_options *o);
uint32_t rt_event_step(const rt_options *o);

/* The value of the settings line that names hearken's features; changes when they do.
 */
#define RT_FEATURES "five-blocks-1"

#endif
