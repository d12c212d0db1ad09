/* What changes while it runs. Hot: between two blocks. */
#include "analyse_private.h"

#include <math.h>
#include <string.h>

enum { LEAST_VOTERS = 5 }; /* on a label, whatever match.k */

static const double gate_hysteresis_db = 6;

/*
 * Above the root mean square of the floor. Of white noise an hour has no sample 15 dB
 * above it, and a fan's rumble, which swells, few 17 dB above its quieter moments;
 * below 13 dB the gate closes within some tenths of a second.
 */
static const float open_above = 7.1F, close_above = 4.5F;

static double
linear(double db)
{
    return pow(10, db / 20);
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Answers that a time stands for: never none, never more than are remembered. */
static uint32_t
answers_in(uint32_t ms, uint32_t scale)
{
    const uint32_t n = (ms + rt_answer_ms[scale] - 1) / rt_answer_ms[scale];
    return n < 1 ? 1 : n < RT_ANSWERS ? n : RT_ANSWERS;
}

/* Codes begin anew: those of before are of another time. */
static void
set_timbre(rt_analyse *a, bool wanted)
{
    if (wanted && !a->timbre)
        rt_timbre_reset(a);
    a->timbre = wanted;
}

/* The entries of one sound overlap and crowd the first places. */
static void
set_counts(rt_analyse *a, const rt_options *o)
{
    a->k = o->match.k;
    a->n_voters = o->search.space ? larger(a->k, LEAST_VOTERS) : 0;
    const uint32_t compared = o->match.better_by > 0 ? 2 : 1;
    const uint32_t sounds = larger(larger(a->k, a->n_voters), compared);
    a->n_hits = sounds == 1                  ? 1
                : sounds * 8 + 8 < IDX_MAX_K ? sounds * 8 + 8
                                             : IDX_MAX_K;
}

/* The false alarms of an hour, in equal parts to the scales. */
static void
set_margins(rt_analyse *a, float false_alarms)
{
    uint32_t n_scales = 0;
    for (uint32_t s = 0; s < RT_TIMBRE; s++)
        n_scales += a->scales >> s & 1U;
    for (uint32_t s = 0; s < RT_SCALES; s++)
        a->margin[s] =
            a->background && s != RT_TIMBRE && a->min_score > 0
                ? rt_background_margin(&rt_background_noises(a->background)[s], s,
                                       (double)false_alarms, larger(n_scales, 1))
                : -2;
}

void
rt_analyse_set(rt_analyse *a, const rt_options *o)
{
    for (uint32_t s = 0; s < RT_SCALES; s++)
        a->set[s] = rt_set_of(o, s);
    a->scales = o->match.scales;
    set_timbre(a, (a->scales >> RT_TIMBRE & 1U) &&
                      idx_scale_of(a->index, IDX_TIMBRE)->n_entries);
    set_counts(a, o);
    a->by_jaccard = o->search.codes == RT_CODES_JACCARD;
    a->refine = a->k > 1 && o->match.refine == RT_REFINE_YES;
    a->release = o->match.release;
    a->better_by = o->match.better_by;
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        a->confirm[s] = answers_in(o->match.confirm_ms, s);
        a->within[s] = larger(a->confirm[s], answers_in(o->match.within_ms, s));
    }
    a->onset_db = o->match.onset_db;
    a->at = rt_at_of(o);
    a->want_rejects = o->debug.rejects;
    a->want_nomatch = o->osc.nomatch;
    a->paused = o->listen.paused;
    a->min_score = o->match.score;
    set_margins(a, o->match.false_alarms);
    a->min_gap_frames = (uint64_t)o->match.min_gap_ms * a->rate_hz / 1000;
    a->open_at = (float)linear((double)o->match.gate_db);
    a->close_at = (float)linear((double)o->match.gate_db - gate_hysteresis_db);
    a->most_floor =
        o->match.floor_db > RT_NO_FLOOR ? (float)linear((double)o->match.floor_db) : 0;
    rt_use_floor(a);
}

void
rt_use_floor(rt_analyse *a)
{
    const float rms = a->floor.rms <= a->most_floor ? a->floor.rms : 0;
    if (a->stream) /* there is none yet in rt_analyse_new() */
        dsp_stream_set_floor(a->stream, rms > 0 ? a->floor.floor_db : NULL);
    a->gate.open_at = fmaxf(a->open_at, open_above * rms);
    a->gate.close_at = fmaxf(a->close_at, close_above * rms);
}

void
rt_floor_hop(rt_analyse *a, uint64_t index)
{
    const float *bands = dsp_stream_bands(a->stream);
    const size_t n_hop = a->rate_hz / DSP_HOPS_PER_S;
    size_t n;
    const float *x = dsp_stream_samples(a->stream, &n);
    if (bands && rt_floor_feed(&a->floor, index, bands, x + n - n_hop, n_hop))
        rt_use_floor(a);
}

void
rt_analyse_shed(rt_analyse *a, uint32_t level)
{
    a->shed = level;
}

/* ---- Another analysis ------------------------------------------------------------ */

static bool
hear_alike(const rt_analyse *a, const rt_analyse *b)
{
    const dsp_stream_config *c = &a->how, *d = &b->how;
    const bool same_gate = !(c->gate_db < d->gate_db || c->gate_db > d->gate_db);
    return c->rate_hz == d->rate_hz && same_gate && c->event_hops == d->event_hops &&
           c->front == d->front && c->timbre == d->timbre;
}

/* What the index has made of the sound so far. */
static void
inherit_findings(rt_analyse *a, rt_analyse *from)
{
    dsp_scene *scene = a->scene;
    a->cut_hop = from->cut_hop;
    a->scene = from->scene;
    from->scene = scene;
    if (a->timbre && from->timbre) {
        a->code = from->code;
        a->n_bfccs = from->n_bfccs;
    }
    memcpy(a->agreement, from->agreement, sizeof a->agreement);
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        uint64_t *last = a->last_sent[s];
        a->last_sent[s] = from->last_sent[s];
        from->last_sent[s] = last;
    }
    rt_layer_inherit(a, from);
}

bool
rt_analyse_inherit(rt_analyse *a, rt_analyse *from)
{
    if (!hear_alike(a, from))
        return false;
    dsp_stream *stream = a->stream;
    a->stream = from->stream;
    from->stream = stream;
    a->floor = from->floor;
    rt_use_floor(a);
    a->gate.last_loud = from->gate.last_loud;
    a->gate.open = from->gate.open;
    a->query_ns = from->query_ns;
    a->n_frames = from->n_frames;
    a->onset_hop = from->onset_hop;
    a->rose_hop = from->rose_hop;
    a->onset = from->onset;
    a->cut_hop = dsp_stream_hop(a->stream); /* scenes begin here, unless: */
    a->block_us = from->block_us;
    a->block_frame = from->block_frame;
    if (a->index_id == from->index_id)
        inherit_findings(a, from);
    return true;
}
