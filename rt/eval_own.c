/* What an index makes of sounds: the rows of the series that it answers with. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

const double eval_beginning_s[EVAL_BEGINNINGS] = {0.05, 0.1, 0.2, 0.4};

/* One sound on its way. */
typedef struct {
    const idx_index *index;
    dsp_layout layout[DSP_SCALES];
    eval_rows **clip, **windows, *beginning;
    rt_rows events;
    float *u;
    bool failed;
} own;

/* Projects a raw row of a scale, by the space of a series, onto rows. */
static void
project(own *o, eval_series series, dsp_scale scale, const float raw[], eval_rows *rows)
{
    const uint32_t set = (series == EVAL_LABELS ? DSP_SCALES : 0) + (uint32_t)scale;
    const dsp_projection p = rt_projection_in(o->index, set, &o->layout[scale]);
    if (!p.dim)
        return;
    float *row = eval_add_row(rows, p.dim);
    o->failed = o->failed || !row;
    if (row && !dsp_project(&p, raw, o->u, row))
        rows->n--;
}

static void
keep_scene(void *ctx, double begin_s, double end_s, const float raw[])
{
    own *o = ctx;
    (void)begin_s;
    (void)end_s;
    project(o, EVAL_HEARKEN, DSP_SCENE, raw, o->clip[EVAL_HEARKEN]);
    project(o, EVAL_LABELS, DSP_SCENE, raw, o->clip[EVAL_LABELS]);
}

static void
keep_moment(void *ctx, const rt_moment *m)
{
    own *o = ctx;
    if (m->kind == RT_EVENTS) {
        o->failed = o->failed || !rt_rows_add(&o->events, m);
        if (!o->windows)
            return;
        project(o, EVAL_HEARKEN, DSP_EVENT, m->raw, o->windows[EVAL_HEARKEN]);
        project(o, EVAL_LABELS, DSP_EVENT, m->raw, o->windows[EVAL_LABELS]);
    }
    for (int i = 0; m->kind == RT_BEGINNINGS && o->beginning && i < EVAL_BEGINNINGS;
         i++)
        if (m->length_s > 0.99 * eval_beginning_s[i] &&
            m->length_s < 1.01 * eval_beginning_s[i] && !o->beginning[i].n)
            project(o, EVAL_HEARKEN, DSP_EVENT, m->raw, &o->beginning[i]);
}

static bool
run(own *to, const float x[], size_t n, uint32_t rate_hz, const rt_options *o)
{
    char why[200];
    rt_counts counts = {0};
    const rt_sink sink = {.ctx = to, .moment = keep_moment};
    rt_analyse *a;
    rt_analyse_new(&a, rate_hz, o, NULL, &counts, &sink, why, sizeof why);
    if (!a)
        return false;
    rt_analyse_block(a, x, n, 0);
    rt_analyse_finish(a);
    rt_analyse_free(a);
    return !to->failed;
}

bool
eval_own(const float x[], size_t n, uint32_t rate_hz, const idx_index *index,
         const rt_options *o, eval_rows *clip[EVAL_SERIES],
         eval_rows *windows[EVAL_SERIES], eval_rows beginning[EVAL_BEGINNINGS])
{
    own to = {.index = index, .clip = clip, .windows = windows, .beginning = beginning};
    rt_scene_maker maker = {.scene = keep_scene, .ctx = &to};
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        to.layout[s] = rt_layout_of(o, s);
    const dsp_projection events =
        rt_projection_in(index, DSP_EVENT, &to.layout[DSP_EVENT]);
    to.u = malloc(to.layout[DSP_SCENE].n_in * sizeof *to.u);
    const bool ok =
        to.u && rt_scene_maker_new(&maker, &events, o) && run(&to, x, n, rate_hz, o);
    if (ok)
        rt_scenes_make(&maker, &to.events);
    rt_scene_maker_free(&maker);
    rt_rows_free(&to.events);
    free(to.u);
    return ok && !to.failed;
}

/* The rows of one sound in one set of the index. */
static bool
copy_rows(const idx_index *index, uint32_t set, uint32_t sound, eval_rows *to)
{
    const idx_scale *sc = idx_scale_of(index, set);
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        if (sc->entries[i].sound != sound)
            continue;
        float *row = eval_add_row(to, sc->dim);
        if (!row)
            return false;
        idx_row(index, set, i, row);
    }
    return true;
}

bool
eval_stored(const idx_index *index, uint32_t sound, eval_sound *s)
{
    static const dsp_scale scale[EVAL_LEVELS] = {DSP_SCENE, DSP_EVENT};
    for (eval_level l = 0; l < EVAL_LEVELS; l++)
        if (!copy_rows(index, scale[l], sound, &s->rows[EVAL_HEARKEN][l]) ||
            !copy_rows(index, DSP_SCALES + scale[l], sound, &s->rows[EVAL_LABELS][l]))
            return false;
    return true;
}
