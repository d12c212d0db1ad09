/* Samples to matches. Hot: runs per block on the analysis thread. */
#include "analyse_private.h"
#include "rt.h"

#include <math.h>
#include <string.h>

enum {
    FIRST_EVENT = 5,   /* hops from an onset to the first event answer, */
    EVENT_EVERY = 10,  /* and between two after it */
    SCENE_EVERY = 100, /* hops between two scene answers */
    REFINE_BY = 3,     /* neighbours that join a query */
};

int64_t
rt_time_of(const rt_analyse *a, uint64_t frame)
{
    const int64_t ahead = (int64_t)(frame - a->block_frame);
    return a->block_us + ahead * 1000000 / (int64_t)a->rate_hz;
}

dsp_projection
rt_projection_in(const idx_index *index, uint32_t set, const dsp_layout *layout)
{
    const idx_scale *sc = idx_scale_of(index, set);
    return (dsp_projection){.n_in = sc->n_in,
                            .dim = sc->dim,
                            .n_blocks = layout->n_blocks,
                            .block_size = layout->block_size,
                            .mean = sc->mean,
                            .spread = sc->spread,
                            .matrix = sc->matrix};
}

/* Cosine of two vectors of which the first is of unit length, and so is the second. */
static float
dot(const float *restrict x, const float *restrict y, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum < -1 ? -1 : sum > 1 ? 1 : sum;
}

static bool
already_seen(const uint32_t seen[], uint32_t n, uint32_t sound)
{
    for (uint32_t i = 0; i < n; i++)
        if (seen[i] == sound)
            return true;
    return false;
}

/* Sends the best entry of each of the first k sounds among the hits. */
static void
tell_matches(rt_analyse *a, rt_match *m, uint32_t n_hits)
{
    const idx_scale *sc = idx_scale_of(a->index, a->set[m->scale]);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_hits && n < a->k; i++) {
        const idx_entry e = rt_entry_of(a, m->scale, a->hits[i].entry);
        m->score = rt_score_of(a, m->scale, a->hits[i].cosine);
        if (m->score < rt_least_score(a, m->scale, e.sound) ||
            already_seen(a->seen, n, e.sound))
            continue;
        a->seen[n++] = e.sound;
        m->rank = n;
        m->sound = e.sound;
        /* by Euclid an index counts from 0 down; rows are of unit length here */
        m->cosine = a->hits[i].cosine + (sc->params.metric == IDX_EUCLID ? 1.0F : 0.0F);
        m->start_s = e.start_s;
        m->length_s = e.length_s;
        *rt_last_sent(a, m->scale, e.sound) = m->frame + 1;
        a->sink.match(a->sink.ctx, m);
    }
    rt_count(a->counts, RT_N_matches, n);
}

bool
rt_analyse_is_open(const rt_analyse *a)
{
    return a->gate.open;
}

uint64_t
rt_analyse_query_ns(const rt_analyse *a)
{
    return a->query_ns;
}

/* How many of the voters have the label of voter i. */
static uint32_t
votes_of(const rt_analyse *a, uint32_t n, uint32_t i)
{
    const char *label = rt_label_of(a, a->seen[i]);
    uint32_t votes = 0;
    for (uint32_t j = 0; j < n; j++)
        votes += !strcmp(rt_label_of(a, a->seen[j]), label);
    return votes;
}

/* The label that most of the nearest sounds have; of several, that of the nearest. */
static void
tell_label(rt_analyse *a, rt_match m, uint32_t n_hits)
{
    uint32_t n = 0, most = 0, winner = 0;
    for (uint32_t i = 0; i < n_hits && n < a->n_voters; i++) {
        const uint32_t sound = rt_entry_of(a, m.scale, a->hits[i].entry).sound;
        if (!already_seen(a->seen, n, sound))
            a->seen[n++] = sound;
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t votes = votes_of(a, n, i);
        winner = votes > most ? i : winner;
        most = votes > most ? votes : most;
    }
    m.kind = RT_LABEL;
    m.rank = n;
    m.sound = a->seen[winner];
    m.score = (float)most / (float)n;
    a->sink.match(a->sink.ctx, &m);
}

/* Entries near x; false when x has no direction. */
static bool
ask(rt_analyse *a, uint32_t scale, const float x[], uint32_t cap, idx_hit hits[],
    uint32_t *n, idx_work *work)
{
    const uint64_t began = rt_ns();
    const bool ok =
        !idx_query(a->index, a->set[scale], a->scratch, x, cap, hits, n, work);
    a->query_ns += rt_ns() - began;
    return ok;
}

/* The sounds most like the mean of the query and its three nearest, behind the nearest
 * one, which stays the first. Cosines stay those of the query itself. */
static void
refine(rt_analyse *a, uint32_t scale, uint32_t *n, idx_work *work)
{
    const idx_scale *sc = idx_scale_of(a->index, a->set[scale]);
    const idx_hit nearest = a->hits[0];
    uint32_t n_seen = 0;
    memcpy(a->refined, a->query, sc->dim * sizeof *a->refined);
    for (uint32_t i = 0; i < *n && n_seen < REFINE_BY && n_seen < a->k; i++) {
        const uint32_t entry = a->hits[i].entry;
        const uint32_t sound = rt_entry_of(a, scale, entry).sound;
        if (already_seen(a->seen, n_seen, sound))
            continue;
        a->seen[n_seen++] = sound;
        rt_row_of(a, scale, entry, a->row);
        for (uint32_t d = 0; d < sc->dim; d++)
            a->refined[d] += a->row[d];
    }
    if (!ask(a, scale, a->refined, a->n_hits - 1, a->hits + 1, n, work))
        *n = 0; /* the sum has no direction */
    else
        rt_layer_join(a, scale, a->refined, a->n_hits - 1, a->hits + 1, n);
    a->hits[0] = nearest;
    ++*n;
    for (uint32_t i = 1; i < *n; i++) {
        rt_row_of(a, scale, a->hits[i].entry, a->row);
        a->hits[i].cosine = dot(a->query, a->row, sc->dim) -
                            (sc->params.metric == IDX_EUCLID ? 1.0F : 0.0F);
    }
}

/* Raw features of the window, and in m how much sound it held and when that was. */
static bool
hear(rt_analyse *a, rt_match *m, uint32_t hops, const dsp_hop *hop)
{
    if (m->scale == DSP_SCENE) {
        if (!a->scene)
            return false;
        const uint64_t since = hop->index + 1 - a->cut_hop;
        const uint64_t most = since < DSP_SCENE_HOPS ? since : DSP_SCENE_HOPS;
        const uint32_t n = dsp_scene_window(a->scene, a->raw);
        const uint64_t heard = n * a->event_step; /* the first may be cut short */
        m->heard_s = (float)(heard < most ? heard : most) / DSP_HOPS_PER_S;
        m->centre_us = rt_time_of(a, m->frame - most * a->rate_hz / DSP_HOPS_PER_S / 2);
        return n > 0;
    }
    dsp_span span;
    const bool heard = dsp_stream_window(a->stream, (dsp_scale)m->scale, hops, a->raw,
                                         &span) >= DSP_MIN_LOUD;
    const uint64_t before =
        (2 * span.ago + span.n_hops) * (uint64_t)a->rate_hz / (2 * DSP_HOPS_PER_S);
    m->heard_s = (float)span.n_hops / DSP_HOPS_PER_S;
    m->centre_us = rt_time_of(a, m->frame - before);
    return heard;
}

static void
tell_asked(rt_analyse *a, uint32_t scale, uint32_t n_hits)
{
    const rt_asked q = {.scale = scale,
                        .set = a->set[scale],
                        .k = a->n_hits,
                        .n_hits = n_hits,
                        .x = a->query,
                        .hits = a->hits};
    if (a->sink.asked)
        a->sink.asked(a->sink.ctx, &q);
}

/* The entries most like the window, into a->hits. False when there is nothing in it. */
static bool
search(rt_analyse *a, rt_match *m, uint32_t hops, const dsp_hop *hop, uint32_t *n,
       idx_work *work)
{
    const dsp_projection p =
        rt_projection_in(a->index, a->set[m->scale], &a->layout[m->scale]);
    return hear(a, m, hops, hop) && dsp_project(&p, a->raw, a->u, a->query) &&
           ask(a, m->scale, a->query, a->n_hits, a->hits, n, work);
}

/* The best of the hits, whatever will become of it. */
static void
note_best(const rt_analyse *a, rt_match *m, uint32_t n_hits)
{
    if (!n_hits)
        return;
    m->sound = rt_entry_of(a, m->scale, a->hits[0].entry).sound;
    m->score = rt_score_of(a, m->scale, a->hits[0].cosine);
}

/* Looks for what sounds like now and tells of it; the fate of this answer. */
static int
look(rt_analyse *a, rt_match *m, uint32_t hops, const dsp_hop *hop)
{
    /* of codes there is no mean to refine with, and no space of labels */
    const bool codes = m->scale == RT_TIMBRE;
    idx_work work = {0};
    uint32_t n = 0;
    if (!idx_scale_of(a->index, a->set[m->scale])->n_entries)
        return rt_judge(a, m, 0);
    if (codes ? !rt_timbre_search(a, m, &n, &work)
              : !search(a, m, hops, hop, &n, &work))
        return RT_N_silent;
    rt_count(a->counts, RT_N_cut, work.cut);
    if (!codes) {
        tell_asked(a, m->scale, n); /* what the index itself found */
        rt_layer_join(a, m->scale, a->query, a->n_hits, a->hits, &n);
    }
    note_best(a, m, n);
    const int fate = rt_judge(a, m, n);
    if (fate == RT_N_matched) {
        rt_match told = *m;
        if (a->refine && !codes)
            refine(a, m->scale, &n, &work);
        tell_matches(a, &told, n);
        if (a->n_voters && !codes)
            tell_label(a, told, n);
    } else if ((fate == RT_N_below_score || fate == RT_N_background) &&
               a->want_nomatch) {
        rt_match told = *m;
        told.kind = RT_NOMATCH;
        a->sink.match(a->sink.ctx, &told);
    }
    return fate;
}

static void
tell_reject(rt_analyse *a, rt_match *m, int fate)
{
    m->kind = RT_REJECT;
    m->fate = fate;
    if (!m->centre_us)
        m->centre_us = rt_time_of(a, m->frame);
    a->sink.match(a->sink.ctx, m);
}

/* The answer of one scale at one hop, of at most so many hops; its fate is counted. */
static void
answer(rt_analyse *a, uint32_t scale, uint64_t hops, const dsp_hop *hop)
{
    static const struct {
        uint32_t level;
        int fate;
    } shed[RT_SCALES] = {[DSP_FRAME] = {RT_SHED_FRAMES, RT_N_shed_frames},
                         [DSP_EVENT] = {RT_SHED_EVENTS, RT_N_shed_events},
                         [DSP_SCENE] = {RT_SHED_SCENES, RT_N_shed_scenes},
                         [RT_TIMBRE] = {RT_SHED_EVENTS, RT_N_shed_events}};
    rt_match m = {.scale = scale,
                  .sound = UINT32_MAX,
                  .frame = hop->frames,
                  .at_onset = scale == DSP_SCENE || hops <= a->event_hops};
    const uint32_t most = scale == DSP_FRAME ? DSP_FRAME_HOPS : a->event_hops;
    int fate = a->paused ? RT_N_paused : RT_N_gated;
    if (a->gate.open && !a->paused)
        fate = a->shed >= shed[scale].level
                   ? shed[scale].fate
                   : look(a, &m, hops < most ? (uint32_t)hops : most, hop);
    if (fate == RT_N_paused || fate == RT_N_gated || fate == RT_N_silent)
        rt_judge_none(a, scale);
    rt_count(a->counts, RT_N_answers, 1);
    rt_count(a->counts, fate, 1);
    if (a->want_rejects && fate != RT_N_matched)
        tell_reject(a, &m, fate);
}

void
rt_scene_hop(rt_analyse *a, const dsp_hop *hop)
{
    if (!a->scene || (hop->index + 1) % a->event_step)
        return;
    const dsp_projection p =
        rt_projection_in(a->index, DSP_EVENT, &a->layout[DSP_EVENT]);
    dsp_span span;
    const bool heard = dsp_stream_window(a->stream, DSP_EVENT, a->event_hops, a->raw,
                                         &span) >= DSP_MIN_LOUD;
    const bool sounds = heard && dsp_standardise(&p, a->raw, a->u);
    dsp_scene_push(a->scene, sounds ? a->u : NULL,
                   !sounds     ? 0
                   : a->weighs ? dsp_event_weight(a->raw)
                               : 1);
}

/* Counted from the onset, an event answer always comes while even the shortest tick
 * still holds the gate open, and after all of it has been heard. What was before the
 * onset is none of its business. */
static void
listen_hop(rt_analyse *a, const dsp_hop *hop)
{
    rt_floor_hop(a, hop->index);
    rt_flux_onset(a, hop, true);
    const uint64_t end = hop->index + 1, since = end - a->onset_hop;
    const bool due = a->at != RT_AT_ONSETS || since <= a->event_hops;
    rt_scene_hop(a, hop);
    if (due && (a->scales >> DSP_FRAME & 1U))
        answer(a, DSP_FRAME, since, hop);
    if (due && (a->scales >> DSP_EVENT & 1U) &&
        (since % EVENT_EVERY == 0 || (a->gate.open && since == FIRST_EVENT)))
        answer(a, DSP_EVENT, since, hop);
    if ((a->scales >> DSP_SCENE & 1U) && end % SCENE_EVERY == 0)
        answer(a, DSP_SCENE, end, hop);
    if (due && (a->scales >> RT_TIMBRE & 1U) && since % EVENT_EVERY == 0)
        answer(a, RT_TIMBRE, since, hop);
}

static void
on_hop(rt_analyse *a, const dsp_hop *hop)
{
    rt_count_heard(a, RT_N_hops, 1);
    rt_count_heard(a, RT_N_silent_hops, !hop->loud);
    if (a->timbre)
        rt_timbre_hop(a, hop);
    if (a->index)
        listen_hop(a, hop);
    else
        rt_build_hop(a, hop);
    if (a->sink.second && (hop->index + 1) % DSP_HOPS_PER_S == 0)
        a->sink.second(a->sink.ctx);
}

void
rt_analyse_block(rt_analyse *a, const float x[], size_t n, int64_t first_us)
{
    a->block_us = first_us;
    a->block_frame = a->n_frames;
    while (n > 0) {
        dsp_hop hop;
        bool done;
        uint64_t bad = 0;
        const uint64_t gathered = dsp_stream_hop(a->stream);
        const size_t used = dsp_stream_feed(a->stream, x, n, &hop, &done, &bad);
        rt_count_heard(a, RT_N_bad_samples, bad);
        if (a->index) {
            const size_t at = rt_gate_feed(&a->gate, x, used, a->n_frames);
            if (at < used)
                rt_gate_onset(a, gathered, x, at);
        }
        a->n_frames += used;
        if (done)
            on_hop(a, &hop);
        x += used;
        n -= used;
    }
}

void
rt_analyse_begin(rt_analyse *a, uint64_t frame)
{
    a->n_frames = frame;
    dsp_stream_reset(a->stream, frame);
    a->onset_hop = a->cut_hop = dsp_stream_hop(a->stream);
}

void
rt_analyse_gap(rt_analyse *a, uint64_t n_frames)
{
    rt_count_heard(a, RT_N_lost_frames, n_frames);
    a->n_frames += n_frames;
    dsp_stream_reset(a->stream, a->n_frames);
    if (a->scene)
        dsp_scene_reset(a->scene);
    a->onset_hop = a->cut_hop = dsp_stream_hop(a->stream);
    a->gate.open = false;
    rt_timbre_reset(a);
    rt_judge_gap(a);
    rt_onset_reset(&a->onset);
    rt_floor_reset(&a->floor);
    rt_use_floor(a);
}
