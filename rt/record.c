/* The recorder's side of the analysis thread. Hot. */
#include "record_private.h"

static rt_record_place
place(const rt_record *r)
{
    return (rt_record_place){.pos = rt_tape_end(r->sound),
                             .n_found = rt_tape_end(r->found),
                             .n_changes = rt_tape_end(r->changes),
                             .n_states = rt_tape_end(r->states),
                             .n_settings = rt_tape_end(r->settings)};
}

void
rt_record_begin(rt_record *r, const rt_analyse *a, uint32_t rate_hz,
                const rt_clock *clock)
{
    if (!r)
        return;
    r->analyse = a;
    r->begin.at = place(r);
    r->begin.first_state = r->begin.at.n_states;
    r->begin.rate_hz = rate_hz;
    r->begin.clock = *clock;
    r->level = RT_SHED_NOTHING;
    r->block_pos = r->begin.at.pos;
    r->block_frame = r->next_frame = clock->frame;
    rt_record_second(r);
    rt_record_done(r);
}

void
rt_record_swap(rt_record *r, const rt_analyse *a, const rt_clock *clock)
{
    if (!r)
        return;
    rt_record_begin(r, a, r->begin.rate_hz, clock);
    /* a state each second, and the one just written */
    r->begin.first_state = rt_tape_end(r->states) + r->preroll_s;
    rt_record_done(r);
}

void
rt_record_set(rt_record *r, const rt_options *o)
{
    if (!r)
        return;
    const rt_record_settings s = {.scales = o->match.scales,
                                  .k = o->match.k,
                                  .confirm_ms = o->match.confirm_ms,
                                  .within_ms = o->match.within_ms,
                                  .release = o->match.release,
                                  .better_by = o->match.better_by,
                                  .min_gap_ms = o->match.min_gap_ms,
                                  .refine = o->match.refine,
                                  .at = rt_at_of(o),
                                  .onset_db = o->match.onset_db,
                                  .false_alarms = o->match.false_alarms,
                                  .space = o->search.space,
                                  .codes = o->search.codes,
                                  .nomatch = o->osc.nomatch,
                                  .paused = o->listen.paused,
                                  .score = o->match.score,
                                  .gate_db = o->match.gate_db,
                                  .floor_db = o->match.floor_db};
    rt_tape_write(r->settings, &s, 1);
    const uint64_t next = rt_tape_end(r->states);
    if (r->begin.first_state < next)
        r->begin.first_state = next;
}

void
rt_record_shed(rt_record *r, uint32_t level)
{
    if (!r || level == r->level)
        return;
    const rt_change c = {rt_tape_end(r->sound), level, RT_SHED};
    rt_tape_write(r->changes, &c, 1);
    r->level = level;
}

void
rt_record_block(rt_record *r, const float x[], uint32_t n, uint64_t first_frame)
{
    if (!r)
        return;
    r->block_pos = rt_tape_end(r->sound);
    if (first_frame != r->next_frame) {
        const rt_change c = {r->block_pos, first_frame - r->next_frame, RT_GAP};
        rt_tape_write(r->changes, &c, 1);
    }
    r->block_frame = first_frame;
    r->next_frame = first_frame + n;
    rt_tape_write(r->sound, x, n);
}

void
rt_record_match(rt_record *r, const rt_match *m)
{
    if (r && m->kind != RT_REJECT) /* those are not replayed */
        rt_tape_write(r->found, m, 1);
}

/* Within a block: all of its sound is on the tape already. */
void
rt_record_second(rt_record *r)
{
    rt_record_state s;
    if (!r)
        return;
    rt_analyse_snapshot(r->analyse, &s.state);
    s.level = r->level;
    s.at = place(r);
    s.at.pos = r->block_pos + (s.state.frame - r->block_frame);
    rt_tape_write(r->states, &s, 1);
}

void
rt_record_done(rt_record *r)
{
    if (!r)
        return;
    const rt_record_mark m = {.end = place(r), .begin = r->begin};
    rt_tape_write(r->marks, &m, 1);
}
