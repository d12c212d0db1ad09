/* Makes, feeds with analyses and frees what inputs.c runs on. */
#include "inputs.h"
#include "rt.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static bool
is_known(const rt_inputs *in, const char *name)
{
    for (uint32_t i = 0; i < in->n; i++)
        if (!strcmp(in->input[i].name, name))
            return true;
    return false;
}

/* Adds the input that the n characters at text name. */
static bool
add_input(rt_inputs *in, const char *text, size_t n, char *why, size_t why_len)
{
    if (in->n == RT_LIST) {
        snprintf(why, why_len, "jack.inputs has more than %d names", RT_LIST);
        return false;
    }
    rt_input *input = &in->input[in->n];
    if (!n || n >= sizeof input->name || memchr(text, ':', n) || memchr(text, '=', n)) {
        snprintf(why, why_len,
                 "jack.inputs cannot hold \"%.*s\"; it wants names of 1 to %zu "
                 "characters, without : and =, with commas between them",
                 (int)(n < 60 ? n : 60), text, sizeof input->name - 1);
        return false;
    }
    memcpy(input->name, text, n);
    input->name[n] = 0;
    if (is_known(in, input->name)) {
        snprintf(why, why_len, "jack.inputs has the name %s twice", input->name);
        return false;
    }
    input->number = in->n++;
    return true;
}

bool
rt_inputs_parse(rt_inputs *in, const char *names, char *why, size_t why_len)
{
    memset(in, 0, sizeof *in);
    in->n_ears = 1;
    for (const char *p = names;; p++) {
        const size_t n = strcspn(p, ",");
        if (!add_input(in, p, n, why, why_len))
            return false;
        p += n;
        if (!*p)
            return true;
    }
}

rt_input *
rt_inputs_named(rt_inputs *in, const char *name)
{
    for (uint32_t i = 0; i < in->n; i++)
        if (!*name || !strcmp(in->input[i].name, name))
            return &in->input[i];
    return NULL;
}

/* An analysis tells input->sink; this says of which input and book, and when. */
static void
tell_match(void *ctx, const rt_match *m)
{
    const rt_ear *ear = ctx;
    const rt_input *in = ear->input;
    rt_match told = *m;
    told.input = in->number;
    told.book = ear->book;
    told.time_s = rt_clock_s(&in->clock, m->frame, in->rate_hz);
    if (ear == in->ear)
        rt_record_match(in->record, &told);
    in->sink->match(in->sink->ctx, &told);
}

static void
tell_asked(void *ctx, const rt_asked *q)
{
    const rt_ear *ear = ctx;
    const rt_sink *sink = ear->input->sink;
    rt_asked told = *q;
    told.book = ear->book;
    sink->asked(sink->ctx, &told);
}

static void
tell_second(void *ctx)
{
    const rt_ear *ear = ctx;
    rt_record_second(ear->input->record);
}

bool
rt_inputs_new(rt_inputs *in, rt_counts *counts, const rt_sink *sink, sem_t *wake)
{
    in->counts = counts;
    in->sink = *sink;
    in->settings = rt_ring_new(RT_SETTINGS, sizeof(rt_options));
    if (!in->settings)
        return false;
    for (uint32_t i = 0; i < in->n; i++) {
        rt_input *input = &in->input[i];
        input->sink = &in->sink;
        for (uint32_t e = 0; e < RT_INDEXES; e++)
            input->ear[e].input = input;
        input->capture.wake = wake;
        input->capture.counts = counts;
        input->capture.ring = rt_ring_new(RT_BLOCKS, sizeof(rt_block));
        if (!input->capture.ring)
            return false;
    }
    return true;
}

bool
rt_inputs_remember(rt_inputs *in)
{
    bool ok = true;
    for (uint32_t i = 0; i < in->n && ok; i++)
        ok = rt_history_new(&in->input[i].history);
    return ok;
}

void
rt_inputs_free(rt_inputs *in)
{
    rt_ring_free(in->settings);
    for (uint32_t i = 0; i < in->n; i++) {
        rt_ring_free(in->input[i].capture.ring);
        rt_record_free(in->input[i].record);
        rt_history_free(&in->input[i].history);
        for (uint32_t e = 0; e < RT_INDEXES; e++)
            rt_analyse_free(in->input[i].ear[e].given);
    }
    in->n = 0;
}

rt_stream
rt_inputs_stream(const rt_inputs *in)
{
    const rt_input *first = &in->input[0];
    const double s = first->rate_hz
                         ? rt_clock_s(&first->clock, first->expected, first->rate_hz)
                         : first->clock.s;
    return (rt_stream){.frame = first->expected, .us = first->expected_us, .s = s};
}

void
rt_inputs_go_on(rt_inputs *in, const rt_stream *s)
{
    for (uint32_t i = 0; i < in->n; i++) {
        in->input[i].expected = s->frame;
        in->input[i].expected_us = s->us;
        in->input[i].clock.s = s->s;
    }
}

void
rt_inputs_patient(rt_inputs *in, bool patient)
{
    for (uint32_t i = 0; i < in->n; i++)
        atomic_store(&in->input[i].capture.patient, patient);
}

/* Gives an ear its next analysis, and frees the last one when that is out of use. */
static void
hand_over(rt_ear *ear, rt_analyse *next, uint32_t rate_hz, uint32_t book)
{
    ear->given_rate_hz = rate_hz;
    ear->given_book = book;
    atomic_store_explicit(&ear->next, next, memory_order_release);
    sem_post(ear->input->capture.wake);
    while (atomic_load_explicit(&ear->next, memory_order_acquire))
        rt_sleep_ms(1);
    rt_analyse_free(ear->given);
    ear->given = next;
}

/* What keeps the last seconds at that rate, in *made; NULL where it is there already,
 * or not wanted. */
static bool
make_record(rt_record **made, const rt_inputs *in, const rt_input *input,
            const rt_analyse *a, uint32_t rate_hz, const rt_searched *s, char *why,
            size_t why_len)
{
    rt_record *before = atomic_load(&input->record);
    const rt_record_config c = {.options = s->options,
                                .index = s->index,
                                .layer = s->layer,
                                .analyse = a,
                                .counts = in->counts,
                                .rate_hz = rate_hz,
                                .input = input->name,
                                .number = input->number,
                                .older = before};
    *made = NULL;
    if (!s->options->record.seconds || (before && rt_record_does(before, rate_hz)))
        return true;
    return rt_record_new(made, &c, why, why_len);
}

static bool
make_analyse(rt_analyse **out, rt_inputs *in, rt_ear *ear, uint32_t rate_hz,
             const rt_searched *s, char *why, size_t why_len)
{
    const bool first = ear == ear->input->ear;
    const rt_sink sink = {.ctx = ear,
                          .match = tell_match,
                          .asked = in->sink.asked ? tell_asked : NULL,
                          .second = first ? tell_second : NULL,
                          .beside = !first};
    if (!rt_analyse_new(out, rate_hz, s->options, s->index, in->counts, &sink, why,
                        why_len))
        return false;
    if (rt_analyse_add(*out, s->layer))
        return true;
    snprintf(why, why_len, "there is not enough memory for what was learned");
    rt_analyse_free(*out);
    *out = NULL;
    return false;
}

/* One ear; recordings are of the first. */
static bool
set_rate(rt_inputs *in, rt_input *input, uint32_t e, uint32_t rate_hz,
         const rt_searched *s, char *why, size_t why_len)
{
    rt_ear *ear = &input->ear[e];
    rt_analyse *next;
    rt_record *record = NULL;
    if (ear->given && ear->given_rate_hz == rate_hz)
        return true;
    if (!make_analyse(&next, in, ear, rate_hz, s, why, why_len))
        return false;
    if (!e && !make_record(&record, in, input, next, rate_hz, s, why, why_len)) {
        rt_analyse_free(next);
        return false;
    }
    while (rt_ring_count(input->capture.ring)) /* the rest at the old rate */
        rt_sleep_ms(1);
    if (record)
        atomic_store(&input->record, record);
    hand_over(ear, next, rate_hz, s->book);
    return true;
}

bool
rt_inputs_set_rate(rt_inputs *in, uint32_t rate_hz, const rt_searched from[], char *why,
                   size_t why_len)
{
    bool ok = true;
    for (uint32_t i = 0; i < in->n; i++)
        for (uint32_t e = 0; e < in->n_ears && ok; e++)
            ok = set_rate(in, &in->input[i], e, rate_hz, &from[e], why, why_len);
    return ok;
}

/* Keeps recordings, which are of one index, from being asked for. False, with why, when
 * one is being written still. */
static bool
claim_records(rt_inputs *in, char *why, size_t why_len)
{
    enum { WAIT_MS = 10, MOST_WAITS = 300 };
    for (uint32_t i = 0; i < in->n; i++)
        for (int waits = 0; !rt_record_claim(in->input[i].record); waits++) {
            if (waits < MOST_WAITS) {
                rt_sleep_ms(WAIT_MS);
                continue;
            }
            while (i-- > 0)
                rt_record_yield(in->input[i].record, NULL, NULL, NULL);
            snprintf(why, why_len,
                     "a recording of the index in use is being written; try again when "
                     "it is done");
            return false;
        }
    return true;
}

/* All that they need, before any input changes. */
static bool
make_next(rt_inputs *in, uint32_t e, rt_analyse *next[RT_LIST], const rt_searched *to,
          char *why, size_t why_len)
{
    bool ok = true;
    for (uint32_t i = 0; i < in->n && ok; i++) {
        rt_ear *ear = &in->input[i].ear[e];
        ok = !ear->given ||
             make_analyse(&next[i], in, ear, ear->given_rate_hz, to, why, why_len);
    }
    for (uint32_t i = 0; i < in->n && !ok; i++)
        rt_analyse_free(next[i]);
    return ok;
}

bool
rt_inputs_swap(rt_inputs *in, uint32_t ear, const rt_searched *to, char *why,
               size_t why_len)
{
    rt_analyse *next[RT_LIST] = {NULL};
    if (!ear && !claim_records(in, why, why_len))
        return false;
    const bool ok = make_next(in, ear, next, to, why, why_len);
    if (ok)
        mlockall(MCL_CURRENT); /* so that the analysis meets no page that is not there;
                                  main says it where that is not allowed */
    for (uint32_t i = 0; i < in->n && ok; i++) {
        rt_ear *one = &in->input[i].ear[ear];
        if (next[i])
            hand_over(one, next[i], one->given_rate_hz, to->book);
    }
    for (uint32_t i = 0; i < in->n && !ear; i++)
        rt_record_yield(in->input[i].record, ok ? to->options : NULL,
                        ok ? to->index : NULL, to->layer);
    return ok;
}
