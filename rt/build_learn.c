/* What an index learns from its corpus: spreads and matrices of the scales. */
#include "build.h"
#include "dsp/learn.h"
#include "dsp/prior.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAUGHT_AT_MOST = 16384, /* rows, spread over the corpus: more change nothing */
    MAX_DIM = 128,
};
/* Rows that the prior weighs as much as: half a minute of sound. */
static const double prior_weight[DSP_SCALES] = {640, 64, 6};
static const float deviation_weight = 0.5F; /* of a scene, beside its mean */
static const float label_shrinkage = 0.3F;

dsp_projection
rt_projection_of(const rt_corpus *c, uint32_t set)
{
    const rt_raw *s = &c->raw[set % DSP_SCALES];
    const uint32_t dim = c->contents.scales[set].dim;
    return (dsp_projection){.n_in = s->layout.n_in,
                            .dim = dim ? dim : s->layout.n_in,
                            .n_blocks = s->layout.n_blocks,
                            .block_size = s->layout.block_size,
                            .mean = s->mean,
                            .spread = s->spread,
                            .matrix = c->learned[set].matrix};
}

/* Rows to learn by: up to TAUGHT_AT_MOST, spread over all; and those that stand in
 * while they are few, NULL where there are none. */
typedef struct {
    float *rows, *prior;
    uint32_t *sound; /* [n] */
    size_t n;
    rt_store *store;
} sample;

/* A scene of each of the prior's events alone. */
static float *
prior_scenes(const rt_corpus *c)
{
    const dsp_projection p = rt_projection_of(c, DSP_EVENT);
    float *events = dsp_prior_rows(DSP_EVENT);
    float *scenes = calloc((size_t)DSP_PRIOR_ROWS * 2 * p.n_in, sizeof *scenes);
    for (size_t i = 0; events && scenes && i < DSP_PRIOR_ROWS; i++)
        dsp_standardise(&p, events + i * p.n_in, scenes + i * 2 * p.n_in);
    if (!events) {
        free(scenes);
        scenes = NULL;
    }
    free(events);
    return scenes;
}

/* Log-mel alone has a prior. */
static bool
add_prior(sample *p, const rt_corpus *c, dsp_scale scale)
{
    if (c->raw[scale].layout.n_in != dsp_layout_of(scale).n_in)
        return true;
    p->prior = scale == DSP_SCENE ? prior_scenes(c) : dsp_prior_rows(scale);
    return p->prior;
}

static bool
sample_new(sample *p, const rt_corpus *c, dsp_scale scale)
{
    const rt_raw *s = &c->raw[scale];
    const size_t width = s->layout.n_in, all = s->n_taught;
    *p = (sample){.n = all < TAUGHT_AT_MOST ? all : TAUGHT_AT_MOST, .store = c->store};
    if (!add_prior(p, c, scale))
        return false;
    p->rows = rt_store_grow(p->store, NULL, (p->n + 1) * width * sizeof *p->rows);
    p->sound = malloc((p->n + 1) * sizeof *p->sound);
    if (!p->rows || !p->sound)
        return false;
    for (size_t i = 0; i < p->n; i++) {
        idx_entry entry;
        const float *row = rt_raw_row(s, (uint32_t)(i * all / p->n), &entry);
        memcpy(p->rows + i * width, row, width * sizeof *row);
        p->sound[i] = entry.sound;
    }
    return true;
}

static void
sample_free(sample *p)
{
    rt_store_drop(p->store, p->rows);
    free(p->prior);
    free(p->sound);
}

static dsp_lesson
lesson_of(const rt_raw *s, const sample *p, dsp_scale scale)
{
    return (dsp_lesson){.n_in = s->layout.n_in,
                        .n_blocks = s->layout.n_blocks,
                        .block_size = s->layout.block_size,
                        .rows = p->rows,
                        .n_rows = p->n,
                        .prior = p->prior,
                        .n_prior = p->prior ? DSP_PRIOR_ROWS : 0,
                        .prior_weight = prior_weight[scale],
                        .max_dim = MAX_DIM};
}

static bool
fails(dsp_status st, dsp_scale scale, char *why, size_t why_len)
{
    if (st == DSP_ENOMEM)
        rt_no_room(why, why_len);
    else if (st)
        snprintf(why, why_len, "scale %s: %s", dsp_scale_name[scale],
                 dsp_status_text(st));
    return st != DSP_OK;
}

/* Scenes are made of standardised events: all that is left is how much the deviations
 * count. */
static void
fixed_spread(rt_raw *s)
{
    for (uint32_t i = 0; i < s->layout.n_in; i++) {
        s->mean[i] = 0;
        s->spread[i] = i < s->layout.n_in / 2 ? 1 : 1 / deviation_weight;
    }
}

bool
rt_learn_spread(rt_corpus *c, dsp_scale scale, char *why, size_t why_len)
{
    rt_raw *s = &c->raw[scale];
    sample p = {0};
    dsp_status st = DSP_ENOMEM;
    s->mean = calloc(s->layout.n_in, sizeof *s->mean);
    s->spread = calloc(s->layout.n_in, sizeof *s->spread);
    if (s->mean && s->spread && scale == DSP_SCENE) {
        fixed_spread(s);
        st = DSP_OK;
    } else if (s->mean && s->spread && sample_new(&p, c, scale)) {
        const dsp_lesson l = lesson_of(s, &p, scale);
        st = dsp_learn_spread(&l, s->mean, s->spread);
    }
    sample_free(&p);
    return !fails(st, scale, why, why_len);
}

/* ---- Pairs ------------------------------------------------------------------------
 */

/* Rows of the same moments, clean and degraded, [n][width]. */
typedef struct {
    float *clean, *degraded;
    size_t n, cap;
    uint32_t width;
} pairs;

static void
add_pair(pairs *p, const float *clean, const float *degraded)
{
    if (p->n == p->cap)
        return;
    memcpy(p->clean + p->n * p->width, clean, p->width * sizeof *clean);
    memcpy(p->degraded + p->n * p->width, degraded, p->width * sizeof *degraded);
    p->n++;
}

/* Pairs the rows that end at the same hop; of sounds too short for that, the only ones.
 */
static void
pair_rows(pairs *p, const rt_rows *clean, const rt_rows *copy)
{
    const size_t before = p->n;
    for (uint32_t i = 0, j = 0; i < clean->n && j < copy->n;) {
        const uint64_t a = clean->places[i].end, b = copy->places[j].end;
        if (a == b)
            add_pair(p, clean->raw + (size_t)i * p->width,
                     copy->raw + (size_t)j * p->width);
        i += a <= b;
        j += b <= a;
    }
    if (p->n == before && clean->n && copy->n)
        add_pair(p, clean->raw, copy->raw);
}

/* Parts of a segment that are scenes of their own, in halves of it. */
static const struct {
    uint32_t first, end;
} parts[] = {{0, 2}, {0, 1}, {1, 2}};
enum { PARTS = sizeof parts / sizeof *parts };

/* The scene that a part of the events makes, as a raw row; false when none sounds. */
static bool
scene_of(const rt_corpus *c, const rt_rows *events, size_t part, dsp_scene *ring,
         float u[], float raw[])
{
    const dsp_projection p = rt_projection_of(c, DSP_EVENT);
    const bool weighs = p.n_in == DSP_BLOCK_VALUES;
    const uint32_t end = parts[part].end * events->n / 2;
    dsp_scene_reset(ring);
    for (uint32_t i = parts[part].first * events->n / 2; i < end; i++) {
        const float *event = events->raw + (size_t)i * p.n_in;
        if (dsp_standardise(&p, event, u))
            dsp_scene_push(ring, u, weighs ? dsp_event_weight(event) : 1);
    }
    return dsp_scene_window(ring, raw) > 0;
}

static bool
pair_scenes(pairs *p, const rt_corpus *c, const rt_segment *s)
{
    const uint32_t n_in = p->width / 2;
    float *u = malloc(n_in * sizeof *u);
    float *raw = malloc(2 * (size_t)p->width * sizeof *raw);
    dsp_scene *ring = NULL;
    const bool ok = u && raw && !dsp_scene_new(&ring, n_in, DSP_SCENE_HOPS);
    for (size_t part = 0; ok && part < PARTS; part++) {
        if (!scene_of(c, &s->events[0], part, ring, u, raw))
            continue;
        for (size_t k = 1; k < RT_COPIES; k++)
            if (scene_of(c, &s->events[k], part, ring, u, raw + p->width))
                add_pair(p, raw, raw + p->width);
    }
    dsp_scene_free(ring);
    free(raw);
    free(u);
    return ok;
}

/* Where time runs otherwise, frames of the same time are not of the same moment. */
static bool
keeps_time(size_t copy)
{
    const dsp_degradation d = (dsp_degradation)(copy - 1);
    return d != DSP_FASTER && d != DSP_SLOWER && d != DSP_LATE;
}

static bool
pair_segment(pairs *p, const rt_corpus *c, dsp_scale scale, const rt_segment *s)
{
    if (scale == DSP_SCENE)
        return pair_scenes(p, c, s);
    for (size_t k = 1; k < RT_COPIES; k++)
        if (scale == DSP_EVENT)
            pair_rows(p, &s->events[0], &s->events[k]);
        else if (keeps_time(k))
            pair_rows(p, &s->frames[0], &s->frames[k]);
    return true;
}

static size_t
most_pairs(dsp_scale scale, const rt_segment *s)
{
    const rt_rows *clean = scale == DSP_FRAME ? s->frames : s->events;
    const size_t n = scale == DSP_SCENE ? PARTS : clean->n;
    return n * DSP_DEGRADATIONS;
}

static bool
gather_pairs(pairs *p, const rt_corpus *c, dsp_scale scale, const rt_job jobs[],
             size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 0; jobs[i].segments && j < jobs[i].n_segments; j++)
            p->cap += most_pairs(scale, &jobs[i].segments[j]);
    const size_t n_bytes = (p->cap + 1) * p->width * sizeof(float);
    p->clean = rt_store_grow(c->store, NULL, n_bytes);
    p->degraded = rt_store_grow(c->store, NULL, n_bytes);
    bool ok = p->clean && p->degraded;
    for (size_t i = 0; ok && i < n; i++)
        for (uint32_t j = 0; ok && jobs[i].segments && j < jobs[i].n_segments; j++)
            ok = pair_segment(p, c, scale, &jobs[i].segments[j]);
    return ok;
}

/* Takes a matrix of dim rows as that of a set; without rows there is none. */
static void
take_matrix(rt_corpus *c, uint32_t set, float *matrix, uint32_t dim)
{
    if (!dim) {
        free(matrix);
        return;
    }
    c->learned[set].matrix = matrix;
    c->contents.scales[set].dim = dim;
}

bool
rt_learn_acoustic(rt_corpus *c, dsp_scale scale, const rt_job jobs[], size_t n,
                  const rt_options *o, char *why, size_t why_len)
{
    const rt_raw *s = &c->raw[scale];
    pairs p = {.width = s->layout.n_in};
    sample rows = {0};
    uint32_t dim = 0;
    dsp_status st = DSP_ENOMEM;
    float *matrix = malloc((size_t)MAX_DIM * p.width * sizeof *matrix);
    if (matrix && sample_new(&rows, c, scale) &&
        (o->build.invariance <= 0 || gather_pairs(&p, c, scale, jobs, n))) {
        dsp_lesson l = lesson_of(s, &rows, scale);
        l.clean = p.clean;
        l.degraded = p.degraded;
        l.n_pairs = p.n;
        l.invariance = o->build.invariance;
        l.max_dim = scale == DSP_FRAME ? o->dsp.frame_dim : MAX_DIM;
        st = dsp_learn_acoustic(&l, s->mean, s->spread, matrix, &dim);
    }
    take_matrix(c, scale, matrix, dim);
    sample_free(&rows);
    rt_store_drop(c->store, p.clean);
    rt_store_drop(c->store, p.degraded);
    return !fails(st, scale, why, why_len);
}

bool
rt_learn_labels(rt_corpus *c, dsp_scale scale, char *why, size_t why_len)
{
    const rt_raw *s = &c->raw[scale];
    sample rows = {0};
    uint32_t dim = 0;
    dsp_status st = DSP_ENOMEM;
    float *matrix = malloc((size_t)MAX_DIM * s->layout.n_in * sizeof *matrix);
    if (matrix && sample_new(&rows, c, scale)) {
        dsp_lesson l = lesson_of(s, &rows, scale);
        for (size_t i = 0; i < rows.n; i++)
            rows.sound[i] = c->label_id[rows.sound[i]];
        st = dsp_learn_labels(&l, rows.sound, c->n_labels, label_shrinkage, s->mean,
                              s->spread, matrix, &dim);
    }
    take_matrix(c, DSP_SCALES + scale, matrix, dim);
    sample_free(&rows);
    return !fails(st, scale, why, why_len);
}
