/* Hot: the analysis thread's way through the inputs. */
#include "inputs.h"

#include "live.h"
#include "rt.h"

/* Takes up a new analysis. Frames go on counting, at another rate. */
static void
take_up(const rt_inputs *all, rt_input *in)
{
    rt_analyse *next = atomic_load_explicit(&in->next, memory_order_acquire);
    if (!next)
        return;
    rt_analyse *before = in->analyse;
    if (before)
        in->clock.s = rt_clock_s(&in->clock, in->expected, in->rate_hz);
    in->clock.frame = in->expected;
    in->rate_hz = in->given_rate_hz;
    in->book = in->given_book;
    in->analyse = next;
    const bool inherits = before && rt_analyse_inherit(next, before);
    if (!inherits) {
        rt_history_begin(&in->history, in->rate_hz, in->expected);
        in->shed = rt_shed_new(in->rate_hz);
        rt_analyse_begin(next, in->expected);
    }
    if (all->changed) {
        rt_analyse_set(next, &all->newest);
        rt_record_set(in->record, &all->newest);
    }
    if (inherits)
        rt_record_swap(in->record, next, &in->clock);
    else
        rt_record_begin(in->record, next, in->rate_hz, &in->clock);
    /* release: who sees it taken up may free the old one */
    atomic_store_explicit(&in->next, NULL, memory_order_release);
}

/* One block, in place. False when there is none. */
static bool
analyse_block(const rt_inputs *all, rt_input *in)
{
    take_up(all, in);
    const bool patient =
        atomic_load_explicit(&in->capture.patient, memory_order_relaxed);
    const rt_block *b =
        rt_shed_front(&in->shed, in->capture.ring, patient, in->capture.counts);
    if (!b)
        return false;
    rt_analyse_shed(in->analyse, in->shed.level);
    if (b->first_frame != in->expected)
        rt_analyse_gap(in->analyse, b->first_frame - in->expected);
    rt_record_shed(in->record, in->shed.level);
    rt_record_block(in->record, b->x, b->n_frames, b->first_frame);
    rt_history_block(&in->history, b->x, b->n_frames, b->first_frame);
    const uint64_t began = rt_ns();
    rt_analyse_block(in->analyse, b->x, b->n_frames, b->first_us);
    rt_live_block(all->live, in->number, b->x, b->n_frames, in->analyse, began);
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
        if (in->input[i].analyse) {
            rt_analyse_set(in->input[i].analyse, &in->newest);
            rt_record_set(in->input[i].record, &in->newest);
        }
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
