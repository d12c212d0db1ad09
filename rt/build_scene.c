/* The scenes of a corpus, out of the events of its sounds. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

enum { SCENE_STEP = DSP_SCENE_HOPS / 2 }; /* hops between two scenes of a sound */

static void
push(const rt_scene_maker *k, const float raw[])
{
    const bool heard = raw && dsp_standardise(&k->events, raw, k->u);
    dsp_scene_push(k->ring, heard ? k->u : NULL,
                   !heard      ? 0
                   : k->weighs ? dsp_event_weight(raw)
                               : 1);
}

/* The last ten seconds before hop end, if there is anything in them. */
static void
make_scene(const rt_scene_maker *k, uint64_t end)
{
    const uint64_t begin = end > DSP_SCENE_HOPS ? end - DSP_SCENE_HOPS : 0;
    if (dsp_scene_window(k->ring, k->raw))
        k->scene(k->ctx, (double)begin / DSP_HOPS_PER_S, (double)end / DSP_HOPS_PER_S,
                 k->raw);
}

void
rt_scenes_make(const rt_scene_maker *k, const rt_rows *events)
{
    const uint64_t last = events->n ? events->places[events->n - 1].end : 0;
    uint64_t made = 0;
    uint32_t i = 0;
    dsp_scene_reset(k->ring);
    for (uint64_t tick = k->step; i < events->n; tick += k->step) {
        bool any = false;
        for (; i < events->n && events->places[i].end <= tick; i++, any = true)
            push(k, events->raw + (size_t)i * k->events.n_in);
        if (!any)
            push(k, NULL);
        if (tick >= DSP_SCENE_HOPS && (tick - DSP_SCENE_HOPS) % SCENE_STEP < k->step)
            make_scene(k, made = tick < last ? tick : last);
    }
    if (events->n && (!made || last - made >= SCENE_STEP / 2))
        make_scene(k, last);
}

bool
rt_scene_maker_new(rt_scene_maker *k, const dsp_projection *events, const rt_options *o)
{
    k->events = *events;
    k->weighs = o->dsp.frontend == DSP_FRONT_MEL;
    k->step = rt_event_step(o);
    k->u = malloc(events->n_in * sizeof *k->u);
    k->raw = malloc(2 * (size_t)events->n_in * sizeof *k->raw);
    return k->u && k->raw &&
           !dsp_scene_new(&k->ring, events->n_in, DSP_SCENE_HOPS / k->step);
}

void
rt_scene_maker_free(rt_scene_maker *k)
{
    dsp_scene_free(k->ring);
    free(k->raw);
    free(k->u);
}

/* ---- Those of a corpus ------------------------------------------------------------
 */

/* Where the scenes of one sound go. */
typedef struct {
    rt_rows *to;
    uint32_t n_in;
    double seconds;
} target;

static void
keep(void *ctx, double begin_s, double end_s, const float raw[])
{
    target *t = ctx;
    rt_rows *s = t->to;
    const double end = end_s < t->seconds ? end_s : t->seconds;
    memcpy(s->raw + (size_t)s->n * t->n_in, raw, t->n_in * sizeof *raw);
    s->places[s->n++] =
        (rt_place){.start_s = (float)begin_s, .length_s = (float)(end - begin_s)};
}

/* Scenes that a sound has at most. */
static size_t
most_scenes(const rt_job *job)
{
    const rt_rows *r = &job->rows[RT_EVENTS];
    return r->n ? (size_t)(r->places[r->n - 1].end / SCENE_STEP) + 2 : 0;
}

/* Room for all scenes; false when memory runs out. */
static bool
make_room(rt_corpus *c, const rt_job jobs[], size_t n, uint32_t n_in)
{
    rt_rows *all = &c->scene_rows;
    size_t most = 1;
    for (size_t i = 0; i < n; i++)
        most += *jobs[i].trouble ? 0 : most_scenes(&jobs[i]);
    if (most > UINT32_MAX / 2)
        return false;
    all->store = c->store;
    all->raw = rt_store_grow(c->store, NULL, most * n_in * sizeof *all->raw);
    all->places = rt_store_grow(c->store, NULL, most * sizeof *all->places);
    all->cap = (uint32_t)most;
    c->scenes = calloc((size_t)c->contents.n_sounds + 1, sizeof *c->scenes);
    return all->raw && all->places && c->scenes;
}

bool
rt_build_scenes(rt_corpus *c, const rt_job jobs[], size_t n, const rt_options *o)
{
    const dsp_projection events = rt_projection_of(c, DSP_EVENT);
    rt_rows *all = &c->scene_rows;
    target t = {.to = all, .n_in = rt_layout_of(o, DSP_SCENE).n_in};
    rt_scene_maker k = {.scene = keep, .ctx = &t};
    uint32_t sound = 0;
    const bool ok = make_room(c, jobs, n, t.n_in) && rt_scene_maker_new(&k, &events, o);
    for (size_t i = 0; ok && i < n; i++)
        if (!*jobs[i].trouble) {
            const uint32_t before = all->n;
            t.seconds = jobs[i].seconds;
            rt_scenes_make(&k, &jobs[i].rows[RT_EVENTS]);
            c->scenes[sound++] = (rt_rows){.raw = all->raw + (size_t)before * t.n_in,
                                           .places = all->places + before,
                                           .n = all->n - before};
        }
    rt_scene_maker_free(&k);
    return ok;
}
