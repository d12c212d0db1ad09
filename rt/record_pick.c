/* What of the tapes makes up a recording. On the thread that writes. */
#include "record_write.h"

#include "layer.h"

#include <stdio.h>
#include <stdlib.h>

static const char no_memory[] = "there is not enough memory";
static const char went_round[] =
    "newer sound took the place of what was to be written; ask again";

/* Where sound has to begin for the answers after a state; false when it, or what was
 * found or happened since then, is gone from the tapes or soon will be. */
static bool
can_begin(const rt_pick *p, const rt_record_state *s, uint64_t *start)
{
    const rt_record *r = p->from;
    const rt_record_mark *m = &p->mark;
    const uint64_t rate = m->begin.rate_hz, begin = rt_tape_begin(r->sound);
    const uint64_t preroll = r->preroll_s * rate;
    const uint64_t after = s->at.pos - m->begin.at.pos;
    *start = s->at.pos - (after < preroll ? after : preroll);
    rt_change oldest;
    rt_match found;
    if (begin && *start < begin + RT_RECORD_SLACK_S * rate / 2)
        return false;
    if (p->first_change > m->begin.at.n_changes &&
        (!rt_tape_read(r->changes, p->first_change, 1, &oldest) || oldest.at >= *start))
        return false;
    const uint64_t match = rt_tape_begin(r->found);
    return match <= m->begin.at.n_found ||
           (match <= s->at.n_found &&
            (!p->min_gap ||
             (match < s->at.n_found && rt_tape_read(r->found, match, 1, &found) &&
              found.frame + p->min_gap <= s->state.frame)));
}

static uint64_t
first_change(const rt_pick *p)
{
    const uint64_t oldest = rt_tape_begin(p->from->changes);
    const uint64_t begin = p->mark.begin.at.n_changes;
    return oldest > begin ? oldest : begin;
}

/* The youngest state that is old enough, or else the oldest that one can begin with. */
static bool
choose_state(rt_pick *p)
{
    const rt_record *r = p->from;
    const uint64_t end = p->mark.end.pos, since = end - p->mark.begin.at.pos;
    const uint64_t keep =
        (uint64_t)r->config.options->record.seconds * p->mark.begin.rate_hz;
    const uint64_t wanted = end - (keep < since ? keep : since);
    bool any = false;
    p->first_change = first_change(p);
    for (uint64_t i = p->mark.end.n_states; i-- > p->mark.begin.first_state;) {
        rt_record_state s;
        uint64_t start;
        if (!rt_tape_read(r->states, i, 1, &s) || !can_begin(p, &s, &start))
            break;
        p->state = s;
        p->start = start;
        any = true;
        if (s.at.pos <= wanted)
            break;
    }
    return any;
}

/* Changes from the first sample on, counted from it; and which frame that sample is. Of
 * what was shed before the state, only what still is. NULL, or what was wrong. */
static const char *
take_changes(rt_pick *p)
{
    const rt_record *r = p->from;
    rt_recording *out = &p->recording;
    const uint64_t end = p->mark.end.n_changes, later = p->state.at.n_changes;
    const rt_change shed = {out->n_warm, p->state.level, RT_SHED};
    out->first_frame = p->state.state.frame - (p->state.at.pos - p->start);
    out->changes = calloc((size_t)(end - p->first_change) + 1, sizeof *out->changes);
    if (!out->changes)
        return no_memory;
    for (uint64_t i = p->first_change;; i++) {
        rt_change c;
        if (i == later && shed.value && out->n_warm < out->n_samples)
            out->changes[out->n_changes++] = shed;
        if (i == end)
            return NULL;
        if (!rt_tape_read(r->changes, i, 1, &c))
            return went_round;
        if (i < later && (c.kind != RT_GAP || c.at <= p->start))
            continue;
        if (i < later)
            out->first_frame -= c.value;
        c.at -= p->start;
        out->changes[out->n_changes++] = c;
    }
}

static bool
add_sent(rt_recording *r, size_t *room, const rt_match *m)
{
    if (r->n_sent == *room) {
        *room = *room ? 2 * *room : 64;
        rt_sent *more = realloc(r->sent, *room * sizeof *more);
        if (!more)
            return false;
        r->sent = more;
    }
    r->sent[r->n_sent++] = (rt_sent){m->scale, m->sound, m->frame};
    return true;
}

/* When each sound was last sent, of those that match.min-gap-ms still keeps back. */
static const char *
take_sent(rt_pick *p)
{
    const rt_record *r = p->from;
    const size_t n_sounds = rt_n_sounds_in(r->config.index, r->config.layer);
    bool *seen = p->min_gap ? calloc(RT_SCALES * n_sounds + 1, sizeof *seen) : NULL;
    size_t room = 0;
    const char *wrong = seen || !p->min_gap ? NULL : no_memory;
    uint64_t i = p->state.at.n_found;
    while (seen && !wrong && i-- > p->mark.begin.at.n_found) {
        rt_match m;
        if (!rt_tape_read(r->found, i, 1, &m))
            wrong = went_round;
        else if (m.kind == RT_MATCH && m.frame + p->min_gap <= p->state.state.frame)
            break; /* onsets are told late */
        else if (m.kind == RT_MATCH && !seen[m.scale * n_sounds + m.sound]) {
            seen[m.scale * n_sounds + m.sound] = true;
            wrong = add_sent(&p->recording, &room, &m) ? NULL : no_memory;
        }
    }
    free(seen);
    return wrong;
}

/* From the tape into what rt_recording_write() takes; refine as listen took it. */
static bool
take_settings(rt_pick *p)
{
    rt_record_settings s;
    rt_options *o = &p->options;
    if (!rt_tape_read(p->from->settings, p->mark.end.n_settings - 1, 1, &s))
        return false;
    *o = *p->from->config.options;
    o->match.scales = s.scales;
    o->match.k = s.k;
    o->match.confirm_ms = s.confirm_ms;
    o->match.within_ms = s.within_ms;
    o->match.release = s.release;
    o->match.better_by = s.better_by;
    o->match.min_gap_ms = s.min_gap_ms;
    o->match.refine = s.refine == RT_REFINE_AUTO ? RT_REFINE_NO : s.refine;
    o->match.score = s.score;
    o->match.gate_db = s.gate_db;
    o->match.floor_db = s.floor_db;
    o->match.onset_db = s.onset_db;
    o->match.at = s.at;
    o->match.asked = 0;
    o->match.false_alarms = s.false_alarms;
    o->search.space = s.space;
    o->search.codes = s.codes;
    o->osc.nomatch = s.nomatch;
    o->listen.paused = s.paused;
    p->min_gap = (uint64_t)s.min_gap_ms * p->mark.begin.rate_hz / 1000;
    return true;
}

bool
rt_pick_make(rt_pick *p, const rt_record *r, char *why, size_t why_len)
{
    *p = (rt_pick){.from = r};
    const uint64_t marks = rt_tape_end(r->marks);
    if (!marks || !rt_tape_read(r->marks, marks - 1, 1, &p->mark) ||
        !take_settings(p) || !choose_state(p)) {
        snprintf(
            why, why_len,
            "there is no whole second yet that could be replayed; ask again later");
        return false;
    }
    rt_recording *out = &p->recording;
    out->state = p->state.state;
    out->number = r->config.number;
    out->rate_hz = p->mark.begin.rate_hz;
    out->clock = p->mark.begin.clock;
    out->n_samples = p->mark.end.pos - p->start;
    out->n_warm = p->state.at.pos - p->start;
    out->index_id = rt_index_id(r->config.index);
    out->layer_id = r->config.layer ? rt_index_id(r->config.layer) : 0;
    snprintf(out->input, sizeof out->input, "%s", r->config.input);
    const char *wrong = take_changes(p);
    if (!wrong)
        wrong = take_sent(p);
    if (!wrong)
        return true;
    snprintf(why, why_len, "%s", wrong);
    rt_recording_done(out);
    return false;
}
