/*
 * What a wav says of itself, from the fuzzer: refused with a sentence, or taken with
 * every number in its range; then it is written as it was read, and replayed over some
 * silence and noise. The head and the index's name, which nobody guesses, are put in
 * front.
 */
#include "recording_support.h"
#include "rt/replay.h"

#include <inttypes.h>
#include <string.h>

enum { RATE = 44100, FED = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
ignore(void *ctx, const rt_match *m)
{
    (void)ctx;
    must(m->sound == UINT32_MAX); /* there is nothing to find: an onset */
}

static void
check_numbers(const rt_recording *r)
{
    must(r->n_warm <= r->n_samples && r->rate_hz >= DSP_MIN_RATE_HZ &&
         r->rate_hz <= DSP_MAX_RATE_HZ && memchr(r->input, 0, RT_NAME));
    for (size_t i = 0; i < r->n_sent; i++)
        must(r->sent[i].scale < RT_SCALES && r->sent[i].sound < RECORDING_SOUNDS &&
             r->sent[i].frame <= r->state.frame);
    for (size_t i = 0; i < r->n_changes; i++)
        must(r->changes[i].kind < RT_CHANGES && r->changes[i].at < r->n_samples &&
             (!i || r->changes[i].at >= r->changes[i - 1].at));
    for (int i = 0; i < DSP_TIMBRE_FRAMES; i++)
        must(r->state.timbre[i] <= DSP_TIMBRE_BITS);
}

static void
check_written(const rt_recording *r, const rt_options *o, const idx_index *ix)
{
    char *text = NULL, why[400];
    size_t n;
    rt_recording again;
    rt_options read;
    FILE *to = open_memstream(&text, &n);
    must(to && rt_recording_write(to, r, o) && !fclose(to));
    rt_options_default(&read);
    must(rt_recording_read(&again, &read, ix, NULL, text, n, why, sizeof why));
    must(again.n_sent == r->n_sent && again.n_changes == r->n_changes);
    must(!memcmp(&read.match, &o->match, sizeof read.match));
    rt_recording_done(&again);
    free(text);
}

static void
feed(rt_replay *p, rt_analyse *a)
{
    static float x[FED];
    for (int i = FED / 2; i < FED; i++)
        x[i] = (float)(i * 7919 % 101) / 101 - 0.5F;
    for (int i = 0; i < 5; i++) /* two hops and more, beyond what it says it holds */
        rt_replay_block(p, a, x, FED);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    static idx_index *ix;
    static rt_analyse *a;
    static rt_counts counts;
    static rt_options o;
    const rt_sink sink = {.match = ignore};
    char why[400], head[80];
    rt_options_default(&o);
    if (!ix)
        must((ix = recording_index()) != NULL &&
             rt_analyse_new(&a, RATE, &o, ix, &counts, &sink, why, sizeof why));
    const size_t n_head = (size_t)snprintf(
        head, sizeof head, "hearken recording 1\nindex %016" PRIx64 "\n",
        rt_index_id(ix));
    char *text = malloc(n_head + n); /* of the exact size */
    must(text != NULL);
    memcpy(text, head, n_head);
    memcpy(text + n_head, data, n);
    rt_replay p = {.options = o};
    memset(why, 'x', sizeof why);
    if (rt_recording_read(&p.recording, &p.options, ix, NULL, text, n_head + n, why,
                          sizeof why)) {
        check_numbers(&p.recording);
        check_written(&p.recording, &p.options, ix);
        rt_analyse_rewind(a, &sink);
        rt_replay_begin(&p, a);
        feed(&p, a);
        rt_replay_done(&p);
    } else {
        must(memchr(why, 0, sizeof why) && why[0]);
        must(!p.recording.sent && !p.recording.changes);
    }
    free(text);
    return 0;
}
