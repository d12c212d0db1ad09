/* A listener without JACK that records, and what query makes of its recordings. */
#ifndef HEARKEN_TESTS_RECORD_SUPPORT_H
#define HEARKEN_TESTS_RECORD_SUPPORT_H

#include "rt/out.h"
#include "rt/record.h"
#include "rt/replay.h"
#include "rt/sound.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A listener without JACK ----------------------------------------------------- */

typedef struct {
    rt_options options;
    rt_counts counts;
    rt_analyse *analyse;
    rt_record *record;
    rt_out out; /* the lines of listen */
    char *lines;
    size_t n_lines;
    uint32_t rate_hz;
    rt_clock clock;
    uint64_t frame; /* next of the stream */
} listener;

static inline void
hear_match(void *ctx, const rt_match *m)
{
    listener *l = ctx;
    rt_match told = *m;
    told.time_s = rt_clock_s(&l->clock, m->frame, l->rate_hz);
    rt_record_match(l->record, &told);
    rt_out_write(&l->out, &told);
}

static inline void
hear_second(void *ctx)
{
    rt_record_second(((listener *)ctx)->record);
}

static inline void
begin(listener *l, const idx_index *ix, const char *dumps, uint32_t rate_hz)
{
    char why[400] = "";
    const rt_sink sink = {.ctx = l, .match = hear_match, .second = hear_second};
    l->rate_hz = rate_hz;
    l->out = (rt_out){.to = open_memstream(&l->lines, &l->n_lines),
                      .format = RT_FORMAT_JSON,
                      .index = ix,
                      .input = "in 1/\"x\""};
    snprintf(l->options.record.folder, sizeof l->options.record.folder, "%s", dumps);
    ck_assert_msg(rt_analyse_new(&l->analyse, rate_hz, &l->options, ix, &l->counts,
                                 &sink, why, sizeof why),
                  "%s", why);
    const rt_record_config c = {.options = &l->options,
                                .index = ix,
                                .analyse = l->analyse,
                                .counts = &l->counts,
                                .rate_hz = rate_hz,
                                .input = l->out.input,
                                .number = 2};
    ck_assert_msg(rt_record_new(&l->record, &c, why, sizeof why), "%s", why);
    l->clock = (rt_clock){1000003, 12.34}; /* as after another rate */
    l->frame = l->clock.frame;
    rt_analyse_begin(l->analyse, l->frame);
    rt_record_begin(l->record, l->analyse, rate_hz, &l->clock);
}

static inline void
end(listener *l)
{
    rt_record_free(l->record);
    rt_analyse_free(l->analyse);
    fclose(l->out.to);
    free(l->lines);
}

/* From the next block on. */
static inline void
shed(listener *l, uint32_t level)
{
    rt_analyse_shed(l->analyse, level);
    rt_record_shed(l->record, level);
}

/* One block; some samples before it may be missing. */
static inline void
feed(listener *l, const float x[], uint32_t n, uint64_t n_missing)
{
    if (n_missing)
        rt_analyse_gap(l->analyse, n_missing);
    l->frame += n_missing;
    rt_record_block(l->record, x, n, l->frame);
    rt_analyse_block(l->analyse, x, n, 0);
    rt_record_done(l->record);
    l->frame += n;
}

/* ---- What query makes of it ------------------------------------------------------ */

typedef struct {
    char text[2000];            /* what rt_record_write() said */
    char wav[1500];             /* its path */
    char *lines, *again;        /* beside it, and by replaying it */
    size_t n_lines, n_again;    /* bytes */
    uint64_t n_warm, n_samples; /* as the recording says */
} dump;

typedef struct {
    rt_out out;
    const rt_recording *of;
} replayed;

static inline void
write_line(void *ctx, const rt_match *m)
{
    replayed *r = ctx;
    rt_match told = *m;
    told.time_s = rt_clock_s(&r->of->clock, m->frame, r->of->rate_hz);
    rt_out_write(&r->out, &told);
}

/* As query_file() does it, in blocks of other sizes. */
static inline void
replay(dump *d, const idx_index *ix)
{
    char why[400] = "", *text;
    size_t n_text, n;
    float x[3000];
    rt_sound *sound;
    rt_sound_info info;
    rt_analyse *a;
    rt_replay p;
    rt_options o;
    rt_counts counts = {0};
    rt_options_default(&o);
    ck_assert_msg(rt_sound_open(&sound, d->wav, &info, why, sizeof why), "%s", why);
    ck_assert(rt_sound_chunk(sound, RT_RECORDING_CHUNK, &text, &n_text));
    ck_assert_msg(rt_replay_new(&p, &o, ix, NULL, text, n_text, info.file_rate_hz,
                                info.n_frames, why, sizeof why),
                  "%s", why);
    ck_assert_uint_eq(p.recording.number, 2);
    replayed out = {.out = {.to = open_memstream(&d->again, &d->n_again),
                            .format = RT_FORMAT_JSON,
                            .index = ix,
                            .input = p.recording.input},
                    .of = &p.recording};
    const rt_sink sink = {.ctx = &out, .match = write_line};
    ck_assert(rt_analyse_new(&a, info.rate_hz, &p.options, ix, &counts, &sink, why,
                             sizeof why));
    rt_replay_begin(&p, a);
    while ((n = rt_sound_read(sound, x, 3000, why, sizeof why)) > 0)
        rt_replay_block(&p, a, x, n);
    ck_assert_msg(!*why, "%s", why);
    d->n_warm = p.recording.n_warm;
    d->n_samples = p.recording.n_samples;
    fclose(out.out.to);
    rt_replay_done(&p);
    rt_analyse_free(a);
    rt_sound_close(sound);
    free(text);
}

static inline void
take_dump(listener *l, dump *d)
{
    char path[1600];
    ck_assert_msg(rt_record_write(l->record, d->text, sizeof d->text), "%s", d->text);
    const char *from = strstr(d->text, " are in "), *to = strstr(d->text, ", what");
    ck_assert_msg(from && to, "%s", d->text);
    snprintf(d->wav, sizeof d->wav, "%.*s", (int)(to - from - 8), from + 8);
    snprintf(path, sizeof path, "%.*s.jsonl", (int)strlen(d->wav) - 4, d->wav);
    d->lines = read_file(path, &d->n_lines);
    replay(d, l->out.index);
}

static inline void
free_dump(dump *d)
{
    free(d->lines);
    free(d->again);
}

#endif
