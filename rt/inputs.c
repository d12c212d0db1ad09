/* Hot: the analysis thread's way through the inputs. */
#include "inputs.h"

#include "indexes.h"
#include "live.h"
#include "rt.h"

/* The settings that came last, as they are for an ear. */
static void
set_ear(const rt_inputs *all, rt_input *in, uint32_t e)
{
    if (all->newest.own[e].n) {
        rt_options own = all->newest;
        rt_options_of(&own, e);
        rt_analyse_set(in->ear[e].analyse, &own);
    } else {
        rt_analyse_set(in->ear[e].analyse, &all->newest);
    }
    if (!e)
        rt_record_set(in->record, &all->newest);
}

/* Takes up a new analysis. */
static void
take_up(const rt_inputs *all, rt_input *in, uint32_t e)
{
    rt_ear *ear = &in->ear[e];
    rt_analyse *next = atomic_load_explicit(&ear->next, memory_order_acquire);
    if (!next)
        return;
    rt_analyse *before = ear->analyse;
    const bool first = !e;
    if (first) { /* frames go on counting, at another rate */
        if (before)
            in->clock.s = rt_clock_s(&in->clock, in->expected, in->rate_hz);
        in->clock.frame = in->expected;
        in->rate_hz = ear->given_rate_hz;
    }
    ear->book = ear->given_book;
    ear->analyse = next;
    const bool inherits = before && rt_analyse_inherit(next, before);
    if (!inherits)
        rt_analyse_begin(next, in->expected);
    if (!inherits && first) {
        rt_history_begin(&in->history, in->rate_hz, in->expected);
        in->shed = rt_shed_new(in->rate_hz);
    }
    if (all->changed)
        set_ear(all, in, e);
    if (inherits && first)
        rt_record_swap(in->record, next, &in->clock);
    else if (first)
        rt_record_begin(in->record, next, in->rate_hz, &in->clock);
    /* release: who sees it taken up may free the old one */
    atomic_store_explicit(&ear->next, NULL, memory_order_release);
}

/* What a block comes after, and how much is to be done about it. */
static void
prepare(const rt_inputs *all, rt_input *in, const rt_block *b)
{
    for (uint32_t e = 0; e < all->n_ears; e++) {
        rt_analyse_shed(in->ear[e].analyse, in->shed.level);
        if (b->first_frame != in->expected)
            rt_analyse_gap(in->ear[e].analyse, b->first_frame - in->expected);
    }
}

static void
hear(const rt_inputs *all, rt_input *in, const rt_block *b)
{
    const uint64_t began = rt_ns();
    uint64_t query_ns = 0;
    for (uint32_t e = 0; e < all->n_ears; e++) {
        rt_analyse *a = in->ear[e].analyse;
        rt_analyse_block(a, b->x, b->n_frames, b->first_us);
        query_ns += rt_analyse_query_ns(a);
    }
    rt_live_block(all->live, in->number, b->x, b->n_frames,
                  rt_analyse_is_open(in->ear[0].analyse), query_ns, began);
}

/* One block, in place. False when there is none. */
static bool
analyse_block(const rt_inputs *all, rt_input *in)
{
    for (uint32_t e = 0; e < all->n_ears; e++)
        take_up(all, in, e);
    const bool patient =
        atomic_load_explicit(&in->capture.patient, memory_order_relaxed);
    const rt_block *b =
        rt_shed_front(&in->shed, in->capture.ring, patient, in->capture.counts);
    if (!b)
        return false;
    prepare(all, in, b);
    rt_record_shed(in->record, in->shed.level);
    rt_record_block(in->record, b->x, b->n_frames, b->first_frame);
    rt_history_block(&in->history, b->x, b->n_frames, b->first_frame);
    hear(all, in, b);
    rt_record_done(in->record);
    in->expected = b->first_frame + b->n_frames;
    in->expected_us = b->first_us + (int64_t)b->n_frames * 1000000 / in->rate_hz;
    rt_ring_release(in->capture.ring);
    return true;
}

/* Settings that came are for all inputs, also for what these take up later. */
static void
take_settings(rt_inputs *in)
{
    bool any = false;
    while (rt_ring_pop(in->settings, &in->newest))
        any = in->changed = true;
    for (uint32_t i = 0; any && i < in->n; i++)
        for (uint32_t e = 0; e < in->n_ears; e++)
            if (in->input[i].ear[e].analyse)
                set_ear(in, &in->input[i], e);
}

void
rt_inputs_analyse(rt_inputs *in)
{
    for (bool any = true; any;) {
        any = false;
        take_settings(in);
        for (uint32_t i = 0; i < in->n; i++)
            any |= analyse_block(in, &in->input[i]);
    }
}
