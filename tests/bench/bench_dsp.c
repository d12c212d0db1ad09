/*
 * bench_dsp: log-mel per 10 ms frame, beside aubio's phase vocoder, filter bank and
 * logarithm on the same samples in the same run, round about so that a noisy machine
 * disturbs all alike. Prints the median of the rounds, and p99 and p99.9 of single
 * frames.
 */
#include "../../dsp/kern.h"
#include "bench.h"
#include "dsp/dsp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_AUBIO
#include <aubio/aubio.h>
#endif

enum { ROUNDS = 61, FRAMES = 500, SECONDS = 6 };

typedef struct bench_case bench_case;
struct bench_case {
    const char *name, *kernel;
    uint32_t rate, hop;
    void (*run)(bench_case *c, const float x[]); /* one hop of new samples */
    void *state;
    float *history; /* ring: window samples, then room for new ones */
    uint32_t window, fill;
    double rounds[ROUNDS];
    double *singles; /* [ROUNDS * FRAMES] */
};

/* New samples go behind the old ones; at the end of the room the last window moves
 * back. */
static void
run_logmel(bench_case *c, const float x[])
{
    enum { ROOM = 8192 };
    float out[DSP_MAX_BANDS];
    if (c->fill + c->hop > c->window + ROOM) {
        memmove(c->history, c->history + c->fill - c->window,
                c->window * sizeof(float));
        c->fill = c->window;
    }
    memcpy(c->history + c->fill, x, c->hop * sizeof(float));
    c->fill += c->hop;
    dsp_logmel_frame(c->state, c->history + c->fill - c->window, out);
}

static void
run_stream(bench_case *c, const float x[])
{
    dsp_hop hop;
    bool done;
    uint64_t bad = 0;
    dsp_stream_feed(c->state, x, c->hop, &hop, &done, &bad);
}

static void
run_windows(bench_case *c, const float x[])
{
    float raw[DSP_RAW];
    run_stream(c, x);
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        dsp_stream_window(c->state, s, raw);
}

static void
add_logmel(bench_case *c, const char *kernel, uint32_t rate, uint32_t window,
           uint32_t fft)
{
    dsp_logmel_config config = dsp_logmel_config_default(rate);
    config.window_frames = window;
    config.fft_frames = fft;
    if (rate == 16000)
        config.bank.high_hz = 7500;
    setenv("DSP_KERN", kernel, 1);
    dsp_logmel *lm;
    if (dsp_logmel_new(&lm, &config))
        exit(70);
    *c = (bench_case){.name = rate == 16000 ? "log-mel 64, 16k/512"
                                            : "log-mel 64, 48k/1536",
                      .kernel = kernel,
                      .rate = rate,
                      .hop = rate / 100,
                      .run = run_logmel,
                      .state = lm,
                      .history = calloc(window + 8192 + 512, sizeof(float)),
                      .window = window,
                      .fill = window};
}

static void
add_stream(bench_case *c, const char *name, void (*run)(bench_case *, const float[]))
{
    dsp_stream *s;
    const dsp_stream_config config = dsp_stream_config_default();
    unsetenv("DSP_KERN");
    if (dsp_stream_new(&s, &config))
        exit(70);
    const dsp_kern *list[4];
    const size_t n = dsp_kern_list(list);
    *c = (bench_case){.name = name,
                      .kernel = list[n - 1]->name,
                      .rate = 48000,
                      .hop = 480,
                      .run = run,
                      .state = s};
}

#ifdef HAVE_AUBIO
typedef struct {
    aubio_pvoc_t *pvoc;
    aubio_filterbank_t *bank;
    fvec_t *in, *out;
    cvec_t *spectrum;
} aubio_state;

static void
run_aubio(bench_case *c, const float x[])
{
    aubio_state *a = c->state;
    memcpy(a->in->data, x, c->hop * sizeof(float));
    aubio_pvoc_do(a->pvoc, a->in, a->spectrum);
    aubio_filterbank_do(a->bank, a->spectrum, a->out);
    fvec_log10(a->out);
}

static void
add_aubio(bench_case *c, const char *name, uint32_t rate, uint32_t fft)
{
    aubio_state *a = calloc(1, sizeof *a);
    a->pvoc = new_aubio_pvoc(fft, rate / 100);
    a->bank = new_aubio_filterbank(64, fft);
    a->in = new_fvec(rate / 100);
    a->out = new_fvec(64);
    a->spectrum = new_cvec(fft);
    if (!a->pvoc || !a->bank)
        exit(70);
    aubio_filterbank_set_mel_coeffs(a->bank, (float)rate, 50, 7500);
    *c = (bench_case){.name = name,
                      .kernel = "aubio",
                      .rate = rate,
                      .hop = rate / 100,
                      .run = run_aubio,
                      .state = a};
}
#endif

static void
fill_signal(float x[], uint32_t rate)
{
    uint32_t state = 1;
    for (uint32_t i = 0; i < rate * SECONDS; i++) {
        state = 1664525U * state + 1013904223U;
        const double noise = state / 2147483648.0 - 1;
        x[i] = (float)(0.3 * sin(0.05 * i) +
                       0.1 * noise * exp(-(i % rate) / (0.1 * rate)));
    }
}

static void
run_round(bench_case *c, const float x[], int round)
{
    const double begin = bench_ns();
    for (int f = 0; f < FRAMES; f++)
        c->run(c, x + (size_t)f * c->hop);
    c->rounds[round] = (bench_ns() - begin) / FRAMES;
    for (int f = 0; f < FRAMES; f++) {
        const double t = bench_ns();
        c->run(c, x + (size_t)f * c->hop);
        c->singles[round * FRAMES + f] = bench_ns() - t;
    }
}

int
main(void)
{
    bench_case cases[12];
    size_t n = 0;
    const dsp_kern *kernels[4];
    const size_t n_kernels = dsp_kern_list(kernels);
    static float x16[16000 * SECONDS], x48[48000 * SECONDS];
    fill_signal(x16, 16000);
    fill_signal(x48, 48000);
    dsp_thread_init();
    for (size_t k = 0; k < n_kernels; k++) {
        add_logmel(&cases[n++], kernels[k]->name, 16000, 400, 512);
        add_logmel(&cases[n++], kernels[k]->name, 48000, 1536, 1536);
    }
    add_stream(&cases[n++], "stream: + three rolling windows, 48k", run_stream);
    add_stream(&cases[n++], "stream: + features of all scales, 48k", run_windows);
#ifdef HAVE_AUBIO
    add_aubio(&cases[n++], "log-mel 64, 16k/512", 16000, 512);
    add_aubio(&cases[n++], "log-mel 64, 48k/2048", 48000,
              2048); /* aubio: powers of 2 */
#else
    puts("aubio is not installed (libaubio-dev): no peer in this run");
#endif
    for (size_t i = 0; i < n; i++)
        cases[i].singles = calloc((size_t)ROUNDS * FRAMES, sizeof(double));
    for (int r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < n; i++)
            run_round(&cases[i], cases[i].rate == 16000 ? x16 : x48, r);

    double best[2] = {0, 0}, peer[2] = {0, 0};
    printf("%-38s %-6s %9s %9s %9s\n", "ns per 10 ms frame", "kernel", "median", "p99",
           "p99.9");
    for (size_t i = 0; i < n; i++) {
        bench_case *c = &cases[i];
        const size_t m = (size_t)ROUNDS * FRAMES;
        const double median = bench_quantile(c->rounds, ROUNDS, 0.5);
        const double p99 = bench_quantile(c->singles, m, 0.99);
        printf("%-38s %-6s %9.0f %9.0f %9.0f\n", c->name, c->kernel, median, p99,
               bench_quantile(c->singles, m, 0.999));
        const int fast = c->rate != 16000;
        if (!strcmp(c->kernel, "aubio"))
            peer[fast] = median;
        else if (c->run == run_logmel)
            best[fast] = median; /* the last kernel is the fastest */
    }
    if (peer[0] > 0)
        printf("aubio / hearken: %.1f at 16 kHz, %.1f at 48 kHz\n", peer[0] / best[0],
               peer[1] / best[1]);
    return 0;
}
