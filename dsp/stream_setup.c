/* Makes and frees what stream.c runs on. */
#include "private.h"

#include <stdlib.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

const uint32_t dsp_scale_hops[DSP_SCALES] = {10, 100, 1000};
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

dsp_stream_config
dsp_stream_config_default(void)
{
    return (dsp_stream_config){.rate_hz = 48000, .gate_db = -70};
}

dsp_status
dsp_stream_new(dsp_stream **out, const dsp_stream_config *c)
{
    *out = NULL;
    if (c->rate_hz < DSP_MIN_RATE_HZ || c->rate_hz > DSP_MAX_RATE_HZ ||
        !(c->gate_db >= -120 && c->gate_db <= 0))
        return DSP_EARG;
    dsp_stream *s = calloc(1, sizeof *s);
    if (!s)
        return DSP_ENOMEM;
    const dsp_logmel_config frames = dsp_logmel_config_default(c->rate_hz);
    s->kern = dsp_kern_best();
    s->rate_hz = c->rate_hz;
    s->gate_db = c->gate_db;
    s->window_frames = frames.window_frames;
    dsp_status st = dsp_logmel_new(&s->logmel, &frames);
    s->buffer = dsp_calloc((s->window_frames + DSP_BUFFER_FRAMES) * sizeof *s->buffer);
    s->history = dsp_calloc(DSP_HISTORY_HOPS * sizeof *s->history);
    if (!st && (!s->buffer || !s->history))
        st = DSP_ENOMEM;
    if (st) {
        dsp_stream_free(s);
        return st;
    }
    dsp_stream_reset(s, 0);
    *out = s;
    return DSP_OK;
}

void
dsp_stream_free(dsp_stream *s)
{
    if (!s)
        return;
    free(s->history);
    free(s->buffer);
    dsp_logmel_free(s->logmel);
    free(s);
}
