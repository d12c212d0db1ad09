/* Takes the background from an index, or asks the index for generated noise. Cold. */
#include "background_private.h"

#include "floor.h"
#include "noise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = RT_NOISE_RATE / DSP_HOPS_PER_S,
    BURST_BLOCKS = 60, /* the last one is longer, for whole events and scenes */
    LAST_BLOCKS = 1200,
    SCENES_ALONE = 300, /* blocks of it, after which events are as they were */
    FRAME_EVERY = 4,    /* hops: frames are many, and alike */
    PAUSE_FRAMES = RT_NOISE_RATE / 4,
    COMPARED = 360, /* answers, but for rooms, that are compared with later on */
};

/* The answers that the materials got in a set of the index. */
typedef struct {
    uint32_t dim, n, room;
    float *x;          /* [room][dim] what was asked */
    float *best;       /* [room] likeness of the entry that was found */
    uint8_t *material; /* [room] */
} answers;

/* ---- Asking ---------------------------------------------------------------------- */

typedef struct {
    const idx_index *index;
    answers set[IDX_SCALES];
    uint32_t material;
    bool failed;
} asking;

static bool
grow(answers *d)
{
    if (d->n < d->room)
        return true;
    const uint32_t room = d->room ? 2 * d->room : 256;
    float *x = realloc(d->x, (size_t)room * d->dim * sizeof *x);
    d->x = x ? x : d->x;
    float *best = realloc(d->best, room * sizeof *best);
    d->best = best ? best : d->best;
    uint8_t *material = realloc(d->material, room * sizeof *material);
    d->material = material ? material : d->material;
    if (!x || !best || !material)
        return false;
    d->room = room;
    return true;
}

static void
take(void *ctx, const rt_asked *q)
{
    asking *a = ctx;
    answers *d = &a->set[q->set];
    const idx_scale *sc = idx_scale_of(a->index, q->set);
    /* by Euclid an index counts from 0 down; rows are of unit length here */
    const float offset = sc->params.metric == IDX_EUCLID ? 1 : 0;
    d->dim = sc->dim;
    if (!q->n_hits)
        return;
    if (!grow(d)) {
        a->failed = true;
        return;
    }
    memcpy(d->x + (size_t)d->n * d->dim, q->x, d->dim * sizeof *q->x);
    d->best[d->n] = q->hits[0].cosine + offset;
    d->material[d->n++] = (uint8_t)a->material;
}

static void
ignore(void *ctx, const rt_match *m)
{
    (void)ctx;
    (void)m;
}

static uint32_t
scales_at(int block, int scenes_alone)
{
    const uint32_t scene = 1U << DSP_SCENE, event = 1U << DSP_EVENT;
    if (block >= scenes_alone)
        return scene;
    return block % FRAME_EVERY ? scene | event : scene | event | 1U << DSP_FRAME;
}

/* Bursts with pauses, so that answers soon after an onset are among those asked. */
static void
play(rt_analyse *a, rt_options *o, rt_material what)
{
    static const float silence[PAUSE_FRAMES];
    rt_noise g;
    float x[BLOCK];
    rt_noise_begin(&g, what);
    for (int burst = 0; burst < RT_NOISE_BURSTS; burst++) {
        const bool last = burst + 1 == RT_NOISE_BURSTS;
        /* of hums and rooms each differs, and scenes must know them all */
        const bool whole =
            last || what == RT_HUM_50 || what == RT_HUM_60 || what == RT_ROOMS;
        const int n_blocks = whole ? LAST_BLOCKS : BURST_BLOCKS;
        rt_noise_burst(&g, burst);
        for (int block = 0; block < n_blocks; block++) {
            rt_noise_fill(&g, x, BLOCK);
            o->match.scales = scales_at(block, what == RT_ROOMS ? 0
                                               : last           ? SCENES_ALONE
                                                                : BURST_BLOCKS);
            rt_analyse_set(a, o);
            rt_analyse_block(a, x, BLOCK, 0);
        }
        rt_analyse_block(a, silence, PAUSE_FRAMES, 0);
    }
}

/* Settings that ask at each scale of rows and tell nothing. */
static void
make_quiet(rt_options *o)
{
    o->background = NULL;
    o->search.space = 0;
    o->listen.paused = o->debug.rejects = 0;
    o->match.scales = 1U << DSP_FRAME | 1U << DSP_EVENT | 1U << DSP_SCENE;
    o->match.at = RT_AT_CONTINUOUS;
    o->match.asked = 0;
    o->match.k = 1;
    o->match.refine = RT_REFINE_NO;
    o->match.score = 2; /* is never reached */
    o->match.release = o->match.better_by = 0;
    o->match.gate_db = -60;
    o->match.floor_db = RT_NO_FLOOR; /* it is noise that is asked for */
    o->osc.nomatch = 0;
}

static bool
ask(asking *job, const rt_options *o, char *why, size_t why_len)
{
    const rt_sink sink = {.ctx = job, .match = ignore, .asked = take};
    rt_options *own = malloc(sizeof *own);
    if (!own)
        return false;
    *own = *o;
    make_quiet(own);
    bool ok = true;
    for (job->material = 0; ok && job->material < RT_MATERIALS; job->material++) {
        rt_counts counts = {0};
        rt_analyse *a;
        ok = rt_analyse_new(&a, RT_NOISE_RATE, own, job->index, &counts, &sink, why,
                            why_len);
        if (ok)
            play(a, own, (rt_material)job->material);
        rt_analyse_free(a);
        ok = ok && !job->failed;
    }
    free(own);
    return ok;
}

/* ---- Margins --------------------------------------------------------------------- */

/* Of its own kind among them: it is compared with, but when left out it says nothing of
 * how the others stand for what is not among them. */
static bool
is_alone(uint32_t m)
{
    return m == RT_CLICKS || m == RT_DARK || m == RT_HUM_50 || m == RT_HUM_60 ||
           m == RT_ROOMS;
}

/* Answers that others are compared with, in order of material. */
typedef struct {
    idx_scratch *scratch;
    uint32_t dim, n;
    uint32_t begin[RT_MATERIALS + 1]; /* of each material, and the end */
    float *rows;                      /* [n][dim] */
} company;

/* The greatest likeness to x among those of all materials but one. */
static float
nearest_but(const company *c, uint32_t but, const float x[])
{
    const uint32_t end = c->begin[but + 1];
    return fmaxf(idx_likeness(c->scratch, x, c->dim, c->rows, c->begin[but]),
                 idx_likeness(c->scratch, x, c->dim, c->rows + (size_t)end * c->dim,
                              c->n - end));
}

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* How much nearer the index is than all other materials are: what nine of ten do not
 * exceed, and by how much the others do. differences is [n]. False where the material
 * got no answers. */
static bool
measure(const answers *d, const company *c, uint32_t material, float differences[],
        float tail[2])
{
    uint32_t n = 0;
    double beyond = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->material[i] == material)
            differences[n++] =
                d->best[i] - nearest_but(c, material, d->x + (size_t)i * d->dim);
    if (!n)
        return false;
    qsort(differences, n, sizeof *differences, by_value);
    const uint32_t first = n - n / 10 < n ? n - n / 10 : n - 1;
    for (uint32_t i = first; i < n; i++)
        beyond += (double)(differences[i] - differences[first]);
    tail[0] = differences[first];
    tail[1] = (float)(beyond / (n - first));
    return true;
}

/* Every so many-th of the answers. */
static void
thin_out(company *c, const answers *d, uint32_t every)
{
    uint32_t material = 0;
    for (uint32_t i = 0; i < d->n; i += every) {
        while (material <= d->material[i])
            c->begin[material++] = c->n;
        memcpy(c->rows + (size_t)c->n++ * d->dim, d->x + (size_t)i * d->dim,
               d->dim * sizeof *d->x);
    }
    while (material <= RT_MATERIALS)
        c->begin[material++] = c->n;
}

/* What later answers are compared with, and the tails, as a set of b. */
static bool
condense(rt_background *b, uint32_t set, const answers *d, idx_scratch *scratch)
{
    if (!d->n)
        return true;
    uint32_t n_rooms = 0;
    for (uint32_t i = 0; i < d->n; i++)
        n_rooms += d->material[i] == RT_ROOMS;
    const uint32_t every = 1 + (d->n - n_rooms) / COMPARED;
    const size_t n = (d->n + every - 1) / every, row = d->dim * sizeof *d->x;
    float *differences = malloc(d->n * sizeof *differences);
    float *own = malloc(n * row + 2 * RT_MATERIALS * sizeof *own);
    const bool ok = differences && own;
    company c = {.scratch = scratch, .dim = d->dim, .rows = own};
    uint32_t n_tails = 0;
    float *tails = own ? own + n * d->dim : NULL;
    if (ok)
        thin_out(&c, d, every);
    for (uint32_t m = 0; ok && m < RT_MATERIALS; m++)
        if (!is_alone(m))
            n_tails += measure(d, &c, m, differences, tails + 2 * (size_t)n_tails);
    free(differences);
    b->own[set] = own;
    b->set[set] =
        (idx_noises){.n = c.n, .n_tails = n_tails, .rows = own, .tails = tails};
    return ok;
}

static bool
find(rt_background *b, const rt_options *o, char *why, size_t why_len)
{
    asking *job = calloc(1, sizeof *job);
    idx_scratch *scratch = NULL;
    bool ok = job && !idx_scratch_new(&scratch, b->index);
    dsp_thread_init(); /* the same last bits on every thread */
    if (job)
        job->index = b->index;
    ok = ok && ask(job, o, why, why_len);
    for (uint32_t s = 0; ok && s < IDX_SCALES; s++)
        ok = condense(b, s, &job->set[s], scratch);
    for (uint32_t s = 0; job && s < IDX_SCALES; s++) {
        free(job->set[s].x);
        free(job->set[s].best);
        free(job->set[s].material);
    }
    free(job);
    idx_scratch_free(scratch);
    return ok;
}

/* ---- An index's ------------------------------------------------------------------ */

bool
rt_background_stored(const idx_index *index)
{
    bool any = false;
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        any = any || idx_scale_of(index, s)->noises.n;
    return any;
}

bool
rt_background_new(rt_background **out, const idx_index *index, const rt_options *o,
                  char *why, size_t why_len)
{
    rt_background *b = calloc(1, sizeof *b);
    bool ok = b;
    *out = NULL;
    snprintf(why, why_len, "there is not enough memory to calibrate");
    if (b)
        b->index = index;
    for (uint32_t s = 0; b && s < IDX_SCALES; s++)
        b->set[s] = idx_scale_of(index, s)->noises;
    if (b && !rt_background_stored(index))
        ok = find(b, o, why, why_len);
    if (ok)
        *out = b;
    else
        rt_background_free(b);
    return ok;
}

void
rt_background_free(rt_background *b)
{
    for (uint32_t s = 0; b && s < IDX_SCALES; s++)
        free(b->own[s]);
    free(b);
}

bool
rt_background_fits(const rt_background *b, const idx_index *index)
{
    return b && b->index == index;
}
