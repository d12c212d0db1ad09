/* A file, asked for over OSC: along the same path as hearken query. */
#include "best.h"
#include "control_private.h"
#include "indexes.h"
#include "layer.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>

/* What somebody may ask for at a time: commands wait meanwhile. */
enum { MOST_SOUND_S = 600, MOST_WORK_S = 5, READ_FRAMES = 4096 };

typedef struct {
    const rt_book *book; /* held */
    rt_options options;
    rt_match *best[RT_SCALES]; /* [n_sounds], of the scales that are asked at */
    rt_counts counts;
} asking;

static uint32_t
n_sounds(const asking *q)
{
    return rt_n_sounds_in(q->book->index, q->book->layer);
}

static void
keep(void *ctx, const rt_match *m)
{
    asking *q = ctx;
    if (m->kind == RT_MATCH)
        rt_best_keep(q->best[m->scale], m);
}

/* Steadiness is for live sound; a file is asked once. */
static bool
prepare(asking *q, const rt_control *c, uint32_t index, uint32_t k)
{
    q->options = c->options;
    rt_options_of(&q->options, index);
    q->options.dsp = q->book->options.dsp;
    q->options.background = q->book->background;
    q->options.match.k = k;
    q->options.match.confirm_ms = q->options.match.within_ms = 0;
    q->options.match.better_by = 0;
    q->options.debug.rejects = 0;
    q->options.match.min_gap_ms = 0;
    q->options.osc.nomatch = q->options.listen.paused = 0;
    if (q->options.match.refine == RT_REFINE_AUTO)
        q->options.match.refine = RT_REFINE_YES;
    bool ok = true;
    for (uint32_t s = 0; s < RT_SCALES && ok; s++)
        if (q->options.match.scales >> s & 1U) {
            q->best[s] = calloc(n_sounds(q) + 1U, sizeof *q->best[s]);
            ok = q->best[s];
        }
    return ok;
}

/* Runs the file; false with why. */
static bool
hear(const rt_control *c, rt_analyse *a, rt_sound *sound, uint32_t rate_hz, char *why,
     size_t len)
{
    float x[READ_FRAMES];
    uint64_t done = 0;
    size_t n;
    const double began = rt_seconds();
    while ((n = rt_sound_read(sound, x, READ_FRAMES, why, len)) > 0) {
        rt_analyse_block(a, x, n, 0);
        done += n;
        if (atomic_load_explicit(&c->stop, memory_order_relaxed) ||
            done > (uint64_t)MOST_SOUND_S * rate_hz ||
            rt_seconds() - began > MOST_WORK_S) {
            snprintf(why, len,
                     "a file may have %d minutes, and take %d s to ask for; use "
                     "hearken query",
                     MOST_SOUND_S / 60, MOST_WORK_S);
            return false;
        }
    }
    return !*why;
}

static void
tell(rt_control *c, const asking *q, const rt_match *m, uint32_t rank, uint32_t rate_hz)
{
    const idx_sound s = rt_sound_in(q->book->index, q->book->layer, m->sound);
    const osc_arg args[] = {
        {.type = 'i', .i = (int32_t)c->n_queries},
        {.type = 's', .s = rt_scale_name(m->scale)},
        {.type = 'i', .i = (int32_t)rank},
        {.type = 'f', .f = m->score},
        {.type = 'f', .f = m->cosine},
        {.type = 'i', .i = (int32_t)m->sound},
        {.type = 'f', .f = m->start_s},
        {.type = 'f', .f = m->length_s},
        {.type = 'f', .f = (float)((double)m->frame / rate_hz)},
        {.type = 's', .s = s.label},
        {.type = 's', .s = s.path},
    };
    rt_control_reply(c, "/hearken/query/match", args, sizeof args / sizeof *args);
}

static void
tell_all(rt_control *c, asking *q, const char *path, uint32_t rate_hz)
{
    const uint32_t most = n_sounds(q), k = q->options.match.k;
    uint32_t n = 0;
    for (uint32_t s = 0; s < RT_SCALES; s++) {
        if (!q->best[s])
            continue;
        rt_best_sort(q->best[s], most);
        for (uint32_t i = 0; i < k && i < most && q->best[s][i].rank; i++, n++)
            tell(c, q, &q->best[s][i], i + 1, rate_hz);
    }
    const osc_arg args[] = {{.type = 'i', .i = (int32_t)c->n_queries},
                            {.type = 'i', .i = (int32_t)n},
                            {.type = 's', .s = path}};
    rt_control_reply(c, "/hearken/query/done", args, 3);
}

static bool
add_layer(const asking *q, rt_analyse *a, char *why, size_t len)
{
    const bool ok = rt_analyse_add(a, q->book->layer);
    if (!ok)
        snprintf(why, len, "there is not enough memory for what was learned");
    return ok;
}

static bool
ask(rt_control *c, asking *q, const char *path, char *why, size_t len)
{
    const rt_sink sink = {.ctx = q, .match = keep};
    rt_sound_info info;
    rt_sound *sound;
    rt_analyse *a = NULL;
    char reason[RT_SENTENCE] = "";
    if (!rt_sound_open(&sound, path, &info, reason, sizeof reason)) {
        snprintf(why, len, "%.200s: %s", path, reason);
        return false;
    }
    const bool ok = rt_analyse_new(&a, info.rate_hz, &q->options, q->book->index,
                                   &q->counts, &sink, reason, sizeof reason) &&
                    add_layer(q, a, reason, sizeof reason) &&
                    hear(c, a, sound, info.rate_hz, reason, sizeof reason);
    if (ok)
        tell_all(c, q, path, info.rate_hz);
    else
        snprintf(why, len, "%.200s: %s", path, reason);
    rt_analyse_free(a);
    rt_sound_close(sound);
    return ok;
}

bool
rt_control_query(rt_control *c, uint32_t index, const char *path, uint32_t k, char *why,
                 size_t len)
{
    rt_shelf *shelf = c->config.shelf;
    const uint32_t book = rt_shelf_take(shelf, index);
    asking *q = calloc(1, sizeof *q);
    if (q)
        q->book = &shelf->book[book];
    bool ok = q && prepare(q, c, index, k);
    if (!ok)
        snprintf(why, len, "there is not enough memory to ask for a file");
    c->n_queries = (c->n_queries + 1) & INT32_MAX;
    ok = ok && ask(c, q, path, why, len);
    for (uint32_t s = 0; q && s < RT_SCALES; s++)
        free(q->best[s]);
    free(q);
    rt_shelf_release(shelf, book);
    return ok;
}
