/* Generates the background and asks the index for it. Cold. */
#include "background_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 48000,
    BLOCK = 480,
    BURSTS = 6,        /* of each material, so that onsets are among it */
    BURST_BLOCKS = 60, /* the last one is longer, for whole events and scenes */
    LAST_BLOCKS = 1200,
    SCENES_ALONE = 300, /* blocks of it, after which events are as they were */
    FRAME_EVERY = 4,    /* hops: frames are many, and alike */
    PAUSE_FRAMES = RATE / 4,
    COMPARED = 40, /* answers of a material that are compared with later on */
};

typedef struct {
    uint64_t state;
    rt_material what;
    int burst;
    float slow[7]; /* of the filters */
    uint64_t t;
} generator;

/* splitmix64, in [-1, 1). */
static float
uniform(generator *g)
{
    uint64_t z = (g->state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return (float)((double)(z >> 11) * 0x1p-52 - 1);
}

/* Noise through poles that lie two octaves apart falls by 3 dB an octave, nearly. */
static float
pink(generator *g, float w)
{
    static const float pole[] = {0.99886F, 0.99332F, 0.96900F, 0.86650F, 0.55000F};
    static const float gain[] = {0.05552F, 0.07508F, 0.15385F, 0.31049F, 0.53295F};
    float sum = 0.2F * w;
    for (int i = 0; i < 5; i++)
        sum += g->slow[i] = pole[i] * g->slow[i] + gain[i] * w;
    return 0.2F * sum;
}

/* Each burst has other harmonics, from a transformer's to a rectifier's. */
static float
hum(const generator *g, double hz, float w)
{
    static const struct {
        int first, step, n;
        double fall; /* of amplitude, by this power of the number */
    } kinds[BURSTS] = {{1, 1, 12, 1},   {1, 1, 4, 0.7}, {2, 2, 6, 1},
                       {1, 1, 30, 0.5}, {1, 2, 8, 1},   {1, 1, 3, 0}};
    const double phase = 6.283185307179586 * hz * (double)g->t / RATE;
    const int k = g->burst;
    double sum = 0, power = 0;
    for (int i = 0; i < kinds[k].n; i++) {
        const int h = kinds[k].first + i * kinds[k].step;
        const double amplitude = pow(h, -kinds[k].fall);
        sum += amplitude * sin(phase * h + h * h);
        power += amplitude * amplitude;
    }
    return (float)(0.2 * sum / sqrt(power)) + (k % 2 ? 0 : 0.001F * w);
}

static float
click(generator *g, float w)
{
    const float chance = uniform(g);
    if (chance > 1 - 12.0F / RATE) /* some six a second */
        g->slow[0] = 0.5F;
    g->slow[0] *= 0.97F;
    return g->slow[0] * w + 0.0002F * w;
}

static float
next(generator *g)
{
    const float w = uniform(g), before = g->slow[6];
    g->slow[6] = w;
    g->t++;
    switch (g->what) {
    case RT_WHITE:
        return 0.2F * w;
    case RT_PINK:
        return pink(g, w);
    case RT_BROWN:
        return 3 * (g->slow[0] = 0.995F * g->slow[0] + 0.01F * w);
    case RT_BLUE:
        return 0.15F * (w - before);
    case RT_DARK: /* as through a wall */
        g->slow[1] = 0.9F * g->slow[1] + 0.1F * w;
        return g->slow[0] = 0.9F * g->slow[0] + 0.1F * g->slow[1];
    case RT_HUM_50:
        return hum(g, 50, w);
    case RT_HUM_60:
        return hum(g, 60, w);
    case RT_CLICKS:
        return click(g, w);
    default: /* hiss of a quiet line */
        return 0.004F * w;
    }
}

/* ---- Asking ---------------------------------------------------------------------- */

typedef struct {
    rt_background *b;
    uint32_t material;
    bool failed;
} asking;

static bool
grow(rt_backdrop *d)
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
    rt_backdrop *d = &a->b->set[q->set];
    d->dim = idx_scale_of(a->b->index, q->set)->dim;
    if (!q->n_hits)
        return;
    if (!grow(d)) {
        a->failed = true;
        return;
    }
    memcpy(d->x + (size_t)d->n * d->dim, q->x, d->dim * sizeof *q->x);
    d->best[d->n] = q->hits[0].cosine;
    d->material[d->n++] = (uint8_t)a->material;
}

static void
ignore(void *ctx, const rt_match *m)
{
    (void)ctx;
    (void)m;
}

static uint32_t
scales_at(int block)
{
    const uint32_t scene = 1U << DSP_SCENE, event = 1U << DSP_EVENT;
    if (block >= SCENES_ALONE)
        return scene;
    return block % FRAME_EVERY ? scene | event : scene | event | 1U << DSP_FRAME;
}

/* Bursts with pauses, so that answers soon after an onset are among those asked. */
static void
play(rt_analyse *a, rt_options *o, rt_material what)
{
    static const float silence[PAUSE_FRAMES];
    generator g = {.state = 1000 + (uint64_t)what, .what = what};
    float x[BLOCK];
    for (g.burst = 0; g.burst < BURSTS; g.burst++) {
        const int n_blocks = g.burst + 1 < BURSTS ? BURST_BLOCKS : LAST_BLOCKS;
        for (int block = 0; block < n_blocks; block++) {
            for (int i = 0; i < BLOCK; i++)
                x[i] = next(&g);
            o->match.scales = scales_at(block);
            rt_analyse_set(a, o);
            rt_analyse_block(a, x, BLOCK, 0);
        }
        rt_analyse_block(a, silence, PAUSE_FRAMES, 0);
    }
}

static bool
ask(rt_background *b, const rt_options *o, uint32_t space, char *why, size_t why_len)
{
    asking job = {.b = b};
    const rt_sink sink = {.ctx = &job, .match = ignore, .asked = take};
    rt_options *own = malloc(sizeof *own);
    if (!own)
        return false;
    *own = *o;
    own->background = NULL;
    own->search.space = space;
    own->listen.paused = own->debug.rejects = 0;
    own->match.scales = 1U << DSP_FRAME | 1U << DSP_EVENT | 1U << DSP_SCENE;
    own->match.k = 1;
    own->match.refine = RT_REFINE_NO;
    own->match.score = own->match.better_by = 0;
    own->match.gate_db = -60;
    bool ok = true;
    for (job.material = 0; ok && job.material < RT_MATERIALS; job.material++) {
        rt_counts counts = {0};
        rt_analyse *a;
        ok = rt_analyse_new(&a, RATE, own, b->index, &counts, &sink, why, why_len);
        if (ok)
            play(a, own, (rt_material)job.material);
        rt_analyse_free(a);
        ok = ok && !job.failed;
    }
    free(own);
    return ok;
}

/* ---- Margins --------------------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* How much nearer the index is than all other materials are; differences is [n]. */
static void
measure(rt_backdrop *d, uint32_t material, float differences[], float offset)
{
    uint32_t n = 0;
    double beyond = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->material[i] == material)
            differences[n++] =
                d->best[i] + offset -
                rt_background_nearest(d, material, d->x + (size_t)i * d->dim);
    qsort(differences, n, sizeof *differences, by_value);
    const uint32_t first = n - n / 10;
    d->at[material] = n ? differences[first < n ? first : n - 1] : -2;
    for (uint32_t i = first; i < n; i++)
        beyond += (double)(differences[i] - d->at[material]);
    d->beyond[material] = n > first ? (float)(beyond / (n - first)) : 0;
}

static bool
measure_all(rt_background *b)
{
    for (uint32_t s = 0; s < IDX_SCALES; s++) {
        rt_backdrop *d = &b->set[s];
        /* by Euclid an index counts from 0 down; rows are of unit length here */
        const bool euclid = idx_scale_of(b->index, s)->params.metric == IDX_EUCLID;
        float *differences = malloc((d->n + 1U) * sizeof *differences);
        if (!differences)
            return false;
        d->every = 1 + d->n / (COMPARED * RT_MATERIALS);
        for (uint32_t m = 0; m < RT_MATERIALS; m++)
            measure(d, m, differences, euclid ? 1 : 0);
        free(differences);
    }
    return true;
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
    for (uint32_t space = 0; ok && space < 2; space++)
        if (idx_scale_of(index, space * DSP_SCALES + DSP_EVENT)->dim)
            ok = ask(b, o, space, why, why_len);
    ok = ok && measure_all(b);
    if (ok)
        *out = b;
    else
        rt_background_free(b);
    return ok;
}

void
rt_background_free(rt_background *b)
{
    for (uint32_t s = 0; b && s < IDX_SCALES; s++) {
        free(b->set[s].x);
        free(b->set[s].best);
        free(b->set[s].material);
    }
    free(b);
}

bool
rt_background_fits(const rt_background *b, const idx_index *index)
{
    bool fits = b && b->index == index;
    for (uint32_t s = 0; fits && s < IDX_SCALES; s++)
        fits = !b->set[s].n || b->set[s].dim == idx_scale_of(index, s)->dim;
    return fits;
}
