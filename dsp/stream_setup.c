/* Makes and frees what stream.c, windows.c and scene.c run on. */
#include "stream_private.h"

#include <math.h>
#include <stdlib.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

const char *const dsp_scale_name[DSP_SCALES] = {"frame", "event", "scene"};

void
dsp_thread_init(void)
{
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#elif defined(__aarch64__)
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (1U << 24)));
#endif
}

dsp_layout
dsp_layout_of(dsp_scale scale)
{
    switch (scale) {
    case DSP_FRAME:
        return (dsp_layout){DSP_FRAME_RAW, 3, {DSP_BANDS, DSP_BANDS, DSP_DESCRIPTORS}};
    case DSP_EVENT: {
        dsp_layout l = {.n_in = DSP_BLOCK_VALUES, .n_blocks = DSP_BLOCKS};
        for (uint32_t b = 0; b < DSP_BLOCKS; b++)
            l.block_size[b] = dsp_block_size[b];
        return l;
    }
    default:
        return (dsp_layout){2 * DSP_BLOCK_VALUES, 1, {2 * DSP_BLOCK_VALUES}};
    }
}

dsp_stream_config
dsp_stream_config_default(void)
{
    return (dsp_stream_config){.rate_hz = 48000, .gate_db = -70, .event_hops = 100};
}

dsp_layout
dsp_front_layout(dsp_front_kind kind, dsp_scale scale)
{
    static const uint32_t n_bands[DSP_FRONTS] = {DSP_BANDS, 64, 128, 40, 100, 100};
    if (kind == DSP_FRONT_MEL)
        return dsp_layout_of(scale);
    const uint32_t n = n_bands[kind], c = DSP_FRONT_CEPSTRA;
    if (scale != DSP_SCENE)
        return (dsp_layout){2 * (n + c), 4, {n, n, c, c}};
    return (dsp_layout){4 * (n + c), 1, {4 * (n + c)}};
}

static dsp_status
new_mel(dsp_stream *s, const dsp_logmel_config *frames)
{
    s->n_bands = DSP_BANDS;
    s->n_more = DSP_DESCRIPTORS;
    s->window_frames = frames->window_frames;
    dsp_status st = dsp_logmel_new(&s->logmel, frames);
    if (!st)
        st = dsp_descriptors_new(&s->describe, s->rate_hz);
    if (!st)
        st = dsp_blocks_new(&s->blocks, s->event_hops);
    return st;
}

static dsp_status
new_front(dsp_stream *s, dsp_front_kind kind)
{
    const dsp_status st = dsp_front_new(&s->front, kind, s->rate_hz);
    if (st)
        return st;
    s->n_bands = dsp_front_bands(s->front);
    s->n_more = DSP_FRONT_CEPSTRA;
    s->window_frames = dsp_front_window(s->front);
    if (s->window_frames < s->level_frames)
        s->level_frames = s->window_frames;
    return DSP_OK;
}

/* In the middle of each step. */
static void
fill_left(dsp_stream *s)
{
    for (int i = 0; i < DSP_FLOOR_STEPS; i++) {
        const double above = (i + 0.5) / DSP_FLOOR_PER_DB;
        s->left_db[i] = (float)(10 * log10(fmax(1 - 1.5 * pow(10, -above / 10), 0.1)));
    }
}

static dsp_status
allocate(dsp_stream *s, const dsp_stream_config *c)
{
    const dsp_logmel_config frames = dsp_logmel_config_default(s->rate_hz);
    s->level_frames = frames.window_frames;
    dsp_status st =
        c->front ? new_front(s, (dsp_front_kind)c->front) : new_mel(s, &frames);
    s->kept_frames = s->window_frames;
    if (!st && c->timbre)
        st = dsp_bfcc_new(&s->bfcc, s->rate_hz);
    if (st)
        return st;
    if (s->bfcc && dsp_bfcc_window(s->bfcc) > s->kept_frames)
        s->kept_frames = dsp_bfcc_window(s->bfcc);
    s->buffer = dsp_calloc((s->kept_frames + DSP_BUFFER_FRAMES) * sizeof *s->buffer);
    s->mel = dsp_calloc(2 * DSP_HISTORY * s->n_bands * sizeof *s->mel);
    s->more = dsp_calloc(2 * DSP_HISTORY * s->n_more * sizeof *s->more);
    s->clean = dsp_calloc(2 * DSP_HISTORY * s->n_bands * sizeof *s->clean);
    return s->buffer && s->mel && s->more && s->clean ? DSP_OK : DSP_ENOMEM;
}

dsp_status
dsp_stream_new(dsp_stream **out, const dsp_stream_config *c)
{
    *out = NULL;
    if (c->rate_hz < DSP_MIN_RATE_HZ || c->rate_hz > DSP_MAX_RATE_HZ ||
        !(c->gate_db >= -120 && c->gate_db <= 0) ||
        c->event_hops < DSP_MIN_EVENT_HOPS || c->event_hops > DSP_MAX_EVENT_HOPS ||
        c->front >= DSP_FRONTS)
        return DSP_EARG;
    dsp_stream *s = calloc(1, sizeof *s);
    if (!s)
        return DSP_ENOMEM;
    s->rate_hz = c->rate_hz;
    s->gate_db = c->gate_db;
    s->event_hops = c->event_hops;
    const dsp_status st = allocate(s, c);
    if (st) {
        dsp_stream_free(s);
        return st;
    }
    fill_left(s);
    dsp_stream_reset(s, 0);
    *out = s;
    return DSP_OK;
}

void
dsp_stream_free(dsp_stream *s)
{
    if (!s)
        return;
    free(s->clean);
    free(s->more);
    free(s->mel);
    free(s->buffer);
    dsp_bfcc_free(s->bfcc);
    dsp_front_free(s->front);
    dsp_blocks_free(s->blocks);
    dsp_descriptors_free(s->describe);
    dsp_logmel_free(s->logmel);
    free(s);
}

uint32_t
dsp_stream_reach(const dsp_stream *s)
{
    return s->kept_frames;
}

dsp_status
dsp_scene_new(dsp_scene **out, uint32_t n_in, uint32_t n_slots)
{
    *out = NULL;
    if (!n_in || !n_slots)
        return DSP_EARG;
    dsp_scene *s = calloc(1, sizeof *s);
    if (!s)
        return DSP_ENOMEM;
    s->n_in = n_in;
    s->n_slots = n_slots;
    s->u = dsp_calloc((size_t)n_slots * n_in * sizeof *s->u);
    s->weight = dsp_calloc(n_slots * sizeof *s->weight);
    if (!s->u || !s->weight) {
        dsp_scene_free(s);
        return DSP_ENOMEM;
    }
    *out = s;
    return DSP_OK;
}

void
dsp_scene_free(dsp_scene *s)
{
    if (!s)
        return;
    free(s->u);
    free(s->weight);
    free(s);
}
