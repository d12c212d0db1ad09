#ifndef HEARKEN_RT_ANALYSE_PRIVATE_H
#define HEARKEN_RT_ANALYSE_PRIVATE_H

#include "analyse.h"
#include "background.h"
#include "floor.h"
#include "onset.h"

/* Sample-exact level gate with hysteresis; closes hold_frames after the last peak. */
typedef struct {
    float open_at, close_at; /* linear */
    uint64_t hold_frames, last_loud;
    bool open;
} rt_gate;

/*
 * Takes n samples, at most hold_frames, of which the first is number first. Returns the
 * place of the sample that opened the gate, or n.
 */
size_t rt_gate_feed(rt_gate *g, const float x[], size_t n, uint64_t first);

/* What answers of a scale found; sounds count from 1, 0 stands for none. */
typedef struct {
    uint32_t best[RT_ANSWERS]; /* ring of those that were nearest */
    uint32_t at;               /* answers so far: the next place */
    uint32_t held;             /* was sent last, and no moment without it came since */
} rt_agreement;

struct rt_analyse {
    dsp_stream *stream;
    dsp_stream_config how; /* it listens */
    uint64_t index_id;
    const idx_index *index; /* NULL: build */
    idx_scratch *scratch;
    const idx_index *layer; /* NULL: none */
    idx_scratch *layer_scratch;
    rt_counts *counts;
    rt_sink sink;
    rt_gate gate;
    float open_at, close_at, most_floor; /* of gate, if there is no floor; of its rms */
    rt_floor floor;
    dsp_scene *scene;        /* NULL: build, or no scenes in the index */
    uint32_t set[RT_SCALES]; /* of the index, that each scale is searched in */
    uint32_t rate_hz;
    uint32_t event_hops, event_step;
    uint32_t frame_step;             /* hops between two frames of an index */
    const rt_background *background; /* NULL: none */
    float margin[RT_SCALES];         /* over it; below -1 where all is let through */
    uint32_t k, n_hits, scales;
    uint32_t confirm[RT_SCALES], within[RT_SCALES]; /* answers; 1..RT_ANSWERS */
    uint32_t shed;                                  /* RT_SHED_NOTHING.. */
    uint32_t n_voters; /* sounds that vote on the label; 0: no vote */
    bool want_nomatch, want_rejects, refine, paused;
    bool weighs; /* events by their amplitude in scenes */
    float min_score, release, better_by;
    uint64_t min_gap_frames;
    uint64_t query_ns;  /* spent in the index */
    uint64_t n_frames;  /* fed since the beginning, gaps included */
    uint64_t cut_hop;   /* that followed the last gap; nothing before is known */
    uint64_t onset_hop; /* events count from it: the gate opened, or match.at */
    uint64_t rose_hop;  /* of the last onset, of either kind */
    rt_onset onset;
    float onset_db;               /* 0: none but the gate's */
    uint32_t at;                  /* rt_match_at */
    dsp_timbre_code code;         /* listen: since the onset, or the last 0.6 s */
    uint64_t n_bfccs;             /* frames since it was empty */
    bool timbre, by_jaccard;      /* timbre: BFCC frames are wanted */
    uint64_t emitted[DSP_SCALES]; /* build: hops covered by the windows sent so far */
    uint64_t quiet_hops, begun;   /* build: in a row; hop at which the sound began */
    int64_t block_us;             /* when sample block_frame sounded */
    uint64_t block_frame;
    rt_agreement agreement[RT_SCALES];
    uint64_t *last_sent[RT_SCALES]; /* [n_sounds] frame + 1, 0 for never */
    uint64_t live_sent[RT_SCALES][RT_LAYER_SOUNDS]; /* the same, of the layer */
    uint32_t n_sounds;                              /* of the index */
    idx_hit *hits;                                  /* [IDX_MAX_K] */
    idx_hit *live_hits;                             /* likewise; NULL: no layer */
    uint32_t *seen; /* [RT_MAX_K] sounds in this answer */
    dsp_layout layout[DSP_SCALES];
    float raw[2 * DSP_BLOCK_VALUES], u[2 * DSP_BLOCK_VALUES];
    float *query, *refined, *row; /* [dim of the largest set] */
};

/* Counts what is heard, not what is found: once for all analyses of an input. */
static inline void
rt_count_heard(rt_analyse *a, int which, uint64_t by)
{
    if (!a->sink.beside)
        rt_count(a->counts, which, by);
}

/* The newest hop joins the floor. */
void rt_floor_hop(rt_analyse *a, uint64_t index);

/* After the floor, the stream or the settings of either have changed. */
void rt_use_floor(rt_analyse *a);

/* When a sample sounded, as block times go. */
int64_t rt_time_of(const rt_analyse *a, uint64_t frame);

/* The event that ends with this hop joins the scene, if one is due. */
void rt_scene_hop(rt_analyse *a, const dsp_hop *hop);

/* Build: emits the windows that end with this hop (analyse_moments.c). */
void rt_build_hop(rt_analyse *a, const dsp_hop *hop);

/* ---- Steadiness (steady.c) --------------------------------------------------------
 */

float rt_score_of(const rt_analyse *a, uint32_t scale, float cosine);

/* The least score that a sound is sent with. */
float rt_least_score(const rt_analyse *a, uint32_t scale, uint32_t sound);

/* How much nearer than the background the best hit is, if that matters. */
bool rt_stands_out(rt_analyse *a, uint32_t scale);

/* Which fate an answer has whose best hit is m's sound and score; RT_N_matched lets it
 * out. An answer that had no hits to look at is told to rt_judge_none(). */
int rt_judge(rt_analyse *a, const rt_match *m, uint32_t n_hits);
void rt_judge_none(rt_analyse *a, uint32_t scale);

/* What begins now is not held back by what was before. After a gap nothing counts. */
void rt_judge_onset(rt_analyse *a);
void rt_judge_gap(rt_analyse *a);

/* ---- Onsets (analyse_onset.c) -----------------------------------------------------
 */

/* The gate opened in that hop, at sample at of x. */
void rt_gate_onset(rt_analyse *a, uint64_t hop, const float x[], size_t at);

/* Whether something new begins in the newest hop, other than by the gate; tell says
 * whether it may be told. */
void rt_flux_onset(rt_analyse *a, const dsp_hop *hop, bool tell);

/* ---- Layer (analyse_layer.c) ------------------------------------------------------
 *
 * In answers the entries of the layer follow those of the index, as its sounds do.
 */

/* Joins the hits of the layer to those of the index for the same x; cap as in
 * idx_query(). */
void rt_layer_join(rt_analyse *a, uint32_t scale, const float x[], uint32_t cap,
                   idx_hit hits[], uint32_t *n);

/* An entry of the set that a scale is searched in, and its row. */
idx_entry rt_entry_of(const rt_analyse *a, uint32_t scale, uint32_t entry);
void rt_row_of(const rt_analyse *a, uint32_t scale, uint32_t entry, float out[]);

const char *rt_label_of(const rt_analyse *a, uint32_t sound);

/* When a sound was last sent: frame + 1, 0 for never. */
uint64_t *rt_last_sent(rt_analyse *a, uint32_t scale, uint32_t sound);

/* What was said of the sounds of another analysis' layer, where they still are in this
 * one's; indexes are the same. */
void rt_layer_inherit(rt_analyse *a, const rt_analyse *from);

/* ---- Timbre codes (analyse_timbre.c) ----------------------------------------------
 */

/* If a BFCC frame ends with this hop: it joins the code, or goes to the build. */
void rt_timbre_hop(rt_analyse *a, const dsp_hop *hop);

/* Forgets the code: an onset or a gap. */
void rt_timbre_reset(rt_analyse *a);

/*
 * The entries whose codes are nearest to that of now, into a->hits; in m how much sound
 * it holds. Returns false when that is none.
 */
bool rt_timbre_search(rt_analyse *a, rt_match *m, uint32_t *n_hits, idx_work *work);

#endif
