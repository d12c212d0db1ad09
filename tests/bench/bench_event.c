/*
 * bench_event: what windows, projections and scenes cost, and a hop of a stream with
 * all that listening makes of it. Prints the median of the rounds, and p99 and p99.9 of
 * single calls.
 */
#include "../../dsp/blocks_private.h"
#include "bench.h"

#include <string.h>

enum { MAX_CASES = 24, EVENT = 100 /* hops */ };

static float x48[BENCH_RATE * BENCH_SECONDS];
static bench_case cases[MAX_CASES];
static size_t n_cases;
static const char *best_kernel;
static volatile float sink; /* what is computed is used */

static bench_case *
add(const char *name, void (*run)(bench_case *, const float[]), void *state)
{
    if (n_cases == MAX_CASES || !state)
        exit(70);
    bench_case *c = &cases[n_cases++];
    c->name = name;
    c->kernel = best_kernel;
    c->x = x48;
    c->hop = BENCH_HOP;
    c->run = run;
    c->state = state;
    return c;
}

/* ---- Events ---- */

static float mel[BENCH_CALLS][DSP_BANDS], descriptors[BENCH_CALLS][DSP_DESCRIPTORS];

static void
make_frames(void)
{
    const dsp_logmel_config config = dsp_logmel_config_default(BENCH_RATE);
    dsp_logmel *lm;
    dsp_descriptors *d;
    if (dsp_logmel_new(&lm, &config) || dsp_descriptors_new(&d, BENCH_RATE))
        exit(70);
    for (size_t f = 0; f < BENCH_CALLS; f++) {
        const float *x = x48 + f * BENCH_HOP;
        double sum = 0;
        dsp_logmel_frame(lm, x, mel[f]);
        for (size_t b = 0; b < DSP_BANDS; b++)
            sum += pow(10, 0.1 * (double)mel[f][b]);
        dsp_descriptors_frame(d, x, dsp_logmel_power(lm, x), (float)(10 * log10(sum)),
                              descriptors[f]);
    }
    dsp_descriptors_free(d);
    dsp_logmel_free(lm);
}

/* The first frame of a window; c->at spreads them over the sound. */
static size_t
next_window(bench_case *c)
{
    c->at = (c->at + 37) % (BENCH_CALLS - EVENT);
    return c->at;
}

static void
run_event(bench_case *c, const float x[])
{
    float out[DSP_BLOCK_VALUES];
    (void)x;
    const size_t f = next_window(c);
    dsp_blocks_window(c->state, mel[f], descriptors[f], EVENT, out);
    sink = out[0];
}

/* The parts of it that are functions: each works on what an event before left. */
static void
run_analysis(bench_case *c, const float x[])
{
    dsp_blocks *b = c->state;
    (void)x;
    b->kern->block->frames(mel[next_window(c)], EVENT, b->peak_db - 80, b->peak_db,
                           &b->dct, b->series, b->power);
}

static void
run_statistics(bench_case *c, const float x[])
{
    float out[DSP_BLOCK_VALUES];
    (void)x;
    dsp_blocks_statistics(c->state, descriptors[next_window(c)], EVENT, out);
    sink = out[0];
}

static void
run_modulation(bench_case *c, const float x[])
{
    float out[2][DSP_GROUPS * DSP_MOD_BINS];
    (void)x;
    dsp_blocks_modulation(c->state, EVENT, out[0], out[1]);
    sink = out[0][0];
}

static void
run_columns(bench_case *c, const float x[])
{
    dsp_blocks *b = c->state;
    (void)x;
    b->kern->block->columns(b->series, EVENT, DSP_SERIES, b->mean, b->sd);
}

static dsp_blocks *
new_blocks(void)
{
    float out[DSP_BLOCK_VALUES];
    dsp_blocks *b;
    if (dsp_blocks_new(&b, EVENT))
        exit(70);
    dsp_blocks_window(b, mel[0], descriptors[0], EVENT, out);
    return b;
}

static void
add_events(void)
{
    setenv("DSP_KERN", "c", 1);
    add("event, 100 hops", run_event, new_blocks())->kernel = "c";
    unsetenv("DSP_KERN");
    add("event, 100 hops", run_event, new_blocks());
    add(" its frames: floor, groups, MFCC", run_analysis, new_blocks());
    add(" 105 descriptor statistics", run_statistics, new_blocks());
    add(" 26 MFCC statistics", run_columns, new_blocks());
    add(" 144 + 144 modulations", run_modulation, new_blocks());
}

/* ---- Projections and scenes ---- */

static float
noise(void)
{
    static uint32_t state = 7;
    state = 1664525U * state + 1013904223U;
    return (float)(state >> 8) / 8388608 - 1;
}

static float *
make_noise(size_t n)
{
    float *x = calloc(n, sizeof *x);
    for (size_t i = 0; x && i < n; i++)
        x[i] = noise();
    return x;
}

typedef struct {
    dsp_layout layout;
    dsp_projection p;
    float raw[2 * DSP_BLOCK_VALUES], u[2 * DSP_BLOCK_VALUES], out[128];
} projector;

static projector *
new_projector(dsp_scale scale, uint32_t dim)
{
    projector *q = calloc(1, sizeof *q);
    const dsp_layout l = dsp_layout_of(scale);
    float *spread = calloc(l.n_in, sizeof *spread);
    if (!q || !spread)
        exit(70);
    for (uint32_t i = 0; i < l.n_in; i++) {
        spread[i] = 0.5F;
        q->raw[i] = noise();
    }
    q->layout = l;
    q->p = (dsp_projection){.n_in = l.n_in,
                            .dim = dim,
                            .n_blocks = l.n_blocks,
                            .block_size = q->layout.block_size,
                            .mean = make_noise(l.n_in),
                            .spread = spread,
                            .matrix = make_noise((size_t)dim * l.n_in)};
    return q;
}

static void
run_project(bench_case *c, const float x[])
{
    projector *q = c->state;
    (void)x;
    sink = (float)dsp_project(&q->p, q->raw, q->u, q->out);
}

static dsp_scene *
new_scene(void)
{
    enum { SLOTS = DSP_SCENE_HOPS / (EVENT / 2) };
    dsp_scene *s;
    float *u = make_noise(DSP_BLOCK_VALUES);
    if (!u || dsp_scene_new(&s, DSP_BLOCK_VALUES, SLOTS))
        exit(70);
    for (int i = 0; i < SLOTS; i++)
        dsp_scene_push(s, u, 1 + noise());
    free(u);
    return s;
}

static void
run_scene(bench_case *c, const float x[])
{
    float out[2 * DSP_BLOCK_VALUES];
    (void)x;
    dsp_scene_window(c->state, out);
    sink = out[0];
}

static void
add_projections(void)
{
    add("projection 149 to 64 (frame)", run_project, new_projector(DSP_FRAME, 64));
    add("projection 675 to 128 (event)", run_project, new_projector(DSP_EVENT, 128));
    add("projection 1350 to 128 (scene)", run_project, new_projector(DSP_SCENE, 128));
    add("scene, 20 events", run_scene, new_scene());
}

/* ---- Streams ---- */

static dsp_stream *
new_stream(void)
{
    dsp_stream *s;
    const dsp_stream_config config = dsp_stream_config_default();
    if (dsp_stream_new(&s, &config))
        exit(70);
    return s;
}

static void
feed(dsp_stream *s, const float x[])
{
    dsp_hop hop;
    bool done;
    uint64_t bad = 0;
    dsp_stream_feed(s, x, BENCH_HOP, &hop, &done, &bad);
    sink = hop.level_db;
}

static void
run_stream(bench_case *c, const float x[])
{
    feed(c->state, x);
}

typedef struct {
    dsp_stream *stream;
    dsp_scene *scene;
    projector *projector[DSP_SCALES];
} listener;

static void
answer(listener *l, dsp_scale scale, uint32_t n_hops)
{
    projector *q = l->projector[scale];
    dsp_span span;
    if (scale == DSP_SCENE)
        dsp_scene_window(l->scene, q->raw);
    else
        dsp_stream_window(l->stream, scale, n_hops, q->raw, &span);
    sink = (float)dsp_project(&q->p, q->raw, q->u, q->out);
}

/* As rt/analyse.c does at each hop, but for the gate and the queries. */
static void
run_listener(bench_case *c, const float x[])
{
    listener *l = c->state;
    projector *q = l->projector[DSP_EVENT];
    dsp_span span;
    feed(l->stream, x);
    c->at++;
    if (c->at % (EVENT / 2) == 0) {
        dsp_stream_window(l->stream, DSP_EVENT, EVENT, q->raw, &span);
        const bool sounds = dsp_standardise(&q->p, q->raw, q->u);
        dsp_scene_push(l->scene, sounds ? q->u : NULL,
                       sounds ? dsp_event_weight(q->raw) : 0);
    }
    answer(l, DSP_FRAME, DSP_FRAME_HOPS);
    if (c->at % 10 == 0)
        answer(l, DSP_EVENT, EVENT);
    if (c->at % 100 == 0)
        answer(l, DSP_SCENE, 0);
}

static void
run_frames(bench_case *c, const float x[])
{
    listener *l = c->state;
    feed(l->stream, x);
    answer(l, DSP_FRAME, DSP_FRAME_HOPS);
}

static listener *
new_listener(void)
{
    listener *l = calloc(1, sizeof *l);
    if (!l)
        exit(70);
    *l = (listener){new_stream(),
                    new_scene(),
                    {new_projector(DSP_FRAME, 64), new_projector(DSP_EVENT, 128),
                     new_projector(DSP_SCENE, 128)}};
    return l;
}

static void
add_streams(void)
{
    add("stream: log-mel and descriptors, 48k", run_stream, new_stream());
    add("stream: + frame answer each hop", run_frames, new_listener());
    add("listen: frame, event, scene; no index", run_listener, new_listener());
}

/* Hops of a stream are not alike: of five seconds the mean, the middle and the worst.
 */
static void
print_hops(bench_case *c)
{
    double sum = 0;
    for (size_t i = 0; i < BENCH_SINGLES; i++)
        sum += c->singles[i] / BENCH_SINGLES;
    printf("%s: a hop %.0f ns on average, half of them up to %.0f, the worst in 5 s "
           "%.0f\n",
           c->name, sum, bench_quantile(c->singles, BENCH_SINGLES, 0.5),
           bench_quantile(c->worst, BENCH_ROUNDS, 0.5));
}

int
main(void)
{
    const dsp_kern *kernels[4];
    best_kernel = kernels[dsp_kern_list(kernels) - 1]->name;
    bench_signal(x48, BENCH_RATE);
    dsp_thread_init();
    make_frames();
    add_events();
    add_projections();
    add_streams();
    bench_run(cases, n_cases);
    bench_print_head("ns per call, or hop of a stream");
    for (size_t i = 0; i < n_cases; i++)
        bench_print(&cases[i]);
    print_hops(&cases[n_cases - 1]);
    return 0;
}
