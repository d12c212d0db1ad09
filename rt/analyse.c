/* Samples to matches. Hot: runs per block on the analysis thread. */
#include "analyse_private.h"

#include <math.h>

static int64_t
time_of(const rt_analyse *a, uint64_t frame)
{
    const int64_t ahead = (int64_t)(frame - a->block_frame);
    return a->block_us + ahead * 1000000 / (int64_t)a->rate_hz;
}

static void
tell_onset(rt_analyse *a, const float x[], size_t at)
{
    rt_count(a->counts, RT_N_onsets, 1);
    const uint64_t frame = a->n_frames + at;
    const rt_match m = {.kind = RT_ONSET,
                        .sound = UINT32_MAX,
                        .level_db = 20 * log10f(fabsf(x[at])),
                        .frame = frame,
                        .centre_us = time_of(a, frame)};
    a->sink.match(a->sink.ctx, &m);
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
    const idx_scale *sc = idx_scale_of(a->index, m->scale);
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_hits && n < a->k; i++) {
        const idx_entry *e = &sc->entries[a->hits[i].entry];
        m->score = idx_score(sc, a->hits[i].cosine);
        if (m->score < a->min_score)
            break; /* scores fall with the cosine */
        if (already_seen(a->seen, n, e->sound))
            continue;
        a->seen[n++] = e->sound;
        m->rank = n;
        m->sound = e->sound;
        m->cosine = a->hits[i].cosine;
        m->start_s = e->start_s;
        m->length_s = e->length_s;
        a->last_sent[m->scale][e->sound] = m->frame + 1;
        a->sink.match(a->sink.ctx, m);
    }
    rt_count(a->counts, RT_N_matches, n);
}

/* Which fate an answer has, by its best hit; RT_N_matched lets it out. */
static int
judge(rt_analyse *a, const rt_match *m, uint32_t n_hits)
{
    const idx_scale *sc = idx_scale_of(a->index, m->scale);
    rt_agreement *agreed = &a->agreement[m->scale];
    if (!n_hits || idx_score(sc, a->hits[0].cosine) < a->min_score) {
        agreed->in_a_row = 0;
        return RT_N_below_score;
    }
    const uint32_t sound = sc->entries[a->hits[0].entry].sound;
    agreed->in_a_row = sound == agreed->sound ? agreed->in_a_row + 1 : 1;
    agreed->sound = sound;
    if (agreed->in_a_row < a->confirm)
        return RT_N_unconfirmed;
    const uint64_t last = a->last_sent[m->scale][sound];
    if (last && m->frame + 1 - last < a->min_gap_frames)
        return RT_N_rate_limited;
    return RT_N_matched;
}

static int
search(rt_analyse *a, rt_match *m)
{
    const idx_scale *sc = idx_scale_of(a->index, m->scale);
    const dsp_projection p = {sc->n_in, sc->dim, sc->mean, sc->spread, sc->matrix};
    idx_work work = {0};
    uint32_t n = 0;
    if (dsp_stream_window(a->stream, m->scale, a->raw) < DSP_MIN_LOUD)
        return RT_N_silent;
    if (!sc->n_entries)
        return RT_N_below_score;
    if (!dsp_project(&p, a->raw, a->scratch_z, a->query) ||
        idx_query(a->index, m->scale, a->scratch, a->query, a->n_hits, a->hits, &n,
                  &work))
        return RT_N_silent;
    rt_count(a->counts, RT_N_cut, work.cut);
    const int fate = judge(a, m, n);
    if (fate == RT_N_matched) {
        tell_matches(a, m, n);
    } else if (fate == RT_N_below_score && a->want_nomatch) {
        m->kind = RT_NOMATCH;
        m->score = n ? idx_score(sc, a->hits[0].cosine) : 0;
        a->sink.match(a->sink.ctx, m);
    }
    return fate;
}

/* The answer of one scale at one hop. */
static void
answer(rt_analyse *a, dsp_scale scale, const dsp_hop *hop)
{
    const uint64_t frame = hop->frames;
    const uint64_t hops =
        hop->index + 1 < dsp_scale_hops[scale] ? hop->index + 1 : dsp_scale_hops[scale];
    const uint64_t half = hops * a->rate_hz / DSP_HOPS_PER_S / 2;
    rt_match m = {.kind = RT_MATCH,
                  .scale = scale,
                  .frame = frame,
                  .centre_us = time_of(a, frame - half)};
    rt_count(a->counts, RT_N_answers, 1);
    rt_count(a->counts, a->gate.open ? search(a, &m) : RT_N_gated, 1);
}

/* Build: the window of a scale that ends with hop number end - 1 becomes an entry. */
static void
emit(rt_analyse *a, dsp_scale scale, uint64_t end)
{
    const uint64_t hops = end < dsp_scale_hops[scale] ? end : dsp_scale_hops[scale];
    const double begin = (double)(end - hops) / DSP_HOPS_PER_S;
    const double length = (double)a->n_frames / a->rate_hz - begin;
    const double full = (double)hops / DSP_HOPS_PER_S;
    a->emitted[scale] = end;
    if (dsp_stream_window(a->stream, scale, a->raw) < DSP_MIN_LOUD)
        return;
    const rt_moment m = {.scale = scale,
                         .start_s = (float)begin,
                         .length_s = (float)(length < full ? length : full),
                         .raw = a->raw};
    a->sink.moment(a->sink.ctx, &m);
}

static void
on_hop(rt_analyse *a, const dsp_hop *hop)
{
    rt_count(a->counts, RT_N_hops, 1);
    rt_count(a->counts, RT_N_silent_hops, !hop->loud);
    const uint64_t end = hop->index + 1;
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++) {
        /* Counted from the onset, an event answer always comes while even the shortest
         * tick still holds the gate open, and after all of it has been heard. */
        const uint64_t origin = s == DSP_EVENT ? a->onset_hop : 0;
        if (a->index) {
            if ((end - origin) % a->every[s] == 0 && (a->scales >> s & 1U))
                answer(a, s, hop);
        } else if (end >= dsp_scale_hops[s] &&
                   (end - dsp_scale_hops[s]) % a->every[s] == 0) {
            emit(a, s, end);
        }
    }
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
        rt_count(a->counts, RT_N_bad_samples, bad);
        if (a->index) {
            const size_t at = rt_gate_feed(&a->gate, x, used, a->n_frames);
            if (at < used) {
                a->onset_hop = gathered;
                tell_onset(a, x, at);
            }
        }
        a->n_frames += used;
        if (done)
            on_hop(a, &hop);
        x += used;
        n -= used;
    }
}

void
rt_analyse_gap(rt_analyse *a, uint64_t n_frames)
{
    rt_count(a->counts, RT_N_lost_frames, n_frames);
    a->n_frames += n_frames;
    dsp_stream_reset(a->stream, a->n_frames);
    a->onset_hop = 0;
    a->gate.open = false;
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        a->agreement[s].in_a_row = 0;
}

void
rt_analyse_finish(rt_analyse *a)
{
    static const float silence[480];
    const uint64_t sounded = a->n_frames;
    const uint64_t ring_out = (uint64_t)(a->rate_hz * 0.032) + 1;
    dsp_hop hop = {0};
    bool done, any = a->n_frames >= a->rate_hz / DSP_HOPS_PER_S;
    uint64_t bad = 0, fed = 0, end = sounded * DSP_HOPS_PER_S / a->rate_hz;
    while (fed < ring_out || !any) {
        fed += dsp_stream_feed(a->stream, silence, 480, &hop, &done, &bad);
        if (done) {
            end = hop.index + 1;
            any = true;
            rt_count(a->counts, RT_N_hops, 1);
        }
    }
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        if (!a->emitted[s] || end - a->emitted[s] >= a->every[s] / 2 + 3)
            emit(a, s, end);
}
