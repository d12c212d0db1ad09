/*
 * bench_dsp: what a frame costs: log-mel per 10 ms, beside aubio's phase vocoder,
 * filter bank and logarithm on the same samples in the same run; descriptors; the other
 * front ends. Prints the median of the rounds, and p99 and p99.9 of single frames.
 */
#include "../../dsp/kern.h"
#include "bench.h"
#include "dsp/front.h"
#include "dsp/timbre.h"

#include <string.h>

#ifdef HAVE_AUBIO
#include <aubio/aubio.h>
#endif

enum { MAX_CASES = 24 };

static float x16[16000 * BENCH_SECONDS], x48[BENCH_RATE * BENCH_SECONDS];
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

/* ---- Log-mel ---- */

typedef struct {
    dsp_logmel *logmel;
    float *history; /* ring: window samples, then room for new ones */
    uint32_t window, fill;
} logmel_state;

/* New samples go behind the old ones; at the end of the room the last window moves
 * back. */
static void
run_logmel(bench_case *c, const float x[])
{
    enum { ROOM = 8192 };
    logmel_state *s = c->state;
    float out[DSP_MAX_BANDS];
    if (s->fill + c->hop > s->window + ROOM) {
        memmove(s->history, s->history + s->fill - s->window,
                s->window * sizeof(float));
        s->fill = s->window;
    }
    memcpy(s->history + s->fill, x, c->hop * sizeof(float));
    s->fill += c->hop;
    dsp_logmel_frame(s->logmel, s->history + s->fill - s->window, out);
}

static void
add_logmel(const char *kernel, uint32_t rate, uint32_t window, uint32_t fft)
{
    dsp_logmel_config config = dsp_logmel_config_default(rate);
    logmel_state *s = calloc(1, sizeof *s);
    config.window_frames = window;
    config.fft_frames = fft;
    if (rate == 16000)
        config.bank.high_hz = 7500;
    setenv("DSP_KERN", kernel, 1);
    if (!s || dsp_logmel_new(&s->logmel, &config))
        exit(70);
    unsetenv("DSP_KERN");
    s->history = calloc(window + 8192 + 512, sizeof(float));
    s->window = s->fill = window;
    bench_case *c = add(rate == 16000 ? "log-mel 64, 16k/512" : "log-mel 64, 48k/1536",
                        run_logmel, s);
    c->kernel = kernel;
    c->x = rate == 16000 ? x16 : x48;
    c->hop = rate / 100;
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
add_aubio(const char *name, uint32_t rate, uint32_t fft)
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
    bench_case *c = add(name, run_aubio, a);
    c->kernel = "aubio";
    c->x = rate == 16000 ? x16 : x48;
    c->hop = rate / 100;
}
#endif

/* ---- Descriptors and other front ends ---- */

/* The spectra of the sound's frames, which descriptors start from. */
static float power[BENCH_CALLS][768 + 1], level[BENCH_CALLS];

static void
make_spectra(void)
{
    const dsp_logmel_config config = dsp_logmel_config_default(BENCH_RATE);
    dsp_logmel *lm;
    float mel[DSP_BANDS];
    if (dsp_logmel_new(&lm, &config))
        exit(70);
    for (size_t f = 0; f < BENCH_CALLS; f++) {
        const float *x = x48 + f * BENCH_HOP;
        double sum = 0;
        dsp_logmel_frame(lm, x, mel);
        for (size_t b = 0; b < DSP_BANDS; b++)
            sum += pow(10, 0.1 * (double)mel[b]);
        level[f] = (float)(10 * log10(sum));
        memcpy(power[f], dsp_logmel_power(lm, x), sizeof power[f]);
    }
    dsp_logmel_free(lm);
}

static void
run_descriptors(bench_case *c, const float x[])
{
    const size_t f = (size_t)(x - x48) / BENCH_HOP;
    float out[DSP_DESCRIPTORS];
    dsp_descriptors_frame(c->state, x, power[f], level[f], out);
    sink = out[0];
}

static void
add_descriptors(const char *kernel)
{
    dsp_descriptors *d;
    setenv("DSP_KERN", kernel, 1);
    if (dsp_descriptors_new(&d, BENCH_RATE))
        exit(70);
    add("descriptors, 48k/1536", run_descriptors, d)->kernel = kernel;
    unsetenv("DSP_KERN");
}

static void
run_front(bench_case *c, const float x[])
{
    float bands[DSP_FRONT_MAX_BANDS], cepstra[DSP_FRONT_CEPSTRA];
    dsp_front_frame(c->state, x, bands, cepstra);
    sink = bands[0];
}

static void
run_bfcc(bench_case *c, const float x[])
{
    float out[DSP_BFCC];
    dsp_bfcc_frame(c->state, x, out);
    sink = out[0];
}

static void
add_fronts(void)
{
    static char names[DSP_FRONTS][40];
    dsp_bfcc *bfcc;
    for (int k = 0; k < DSP_FRONTS; k++) {
        dsp_front *front;
        if (dsp_front_new(&front, (dsp_front_kind)k, BENCH_RATE))
            exit(70);
        snprintf(names[k], sizeof names[k], "front %s, 48k", dsp_front_name[k]);
        add(names[k], run_front, front);
    }
    if (dsp_bfcc_new(&bfcc, BENCH_RATE))
        exit(70);
    add("BFCC of timbre codes, 48k", run_bfcc, bfcc);
}

int
main(void)
{
    const dsp_kern *kernels[4];
    const size_t n_kernels = dsp_kern_list(kernels);
    best_kernel = kernels[n_kernels - 1]->name;
    bench_signal(x16, 16000);
    bench_signal(x48, BENCH_RATE);
    dsp_thread_init();
    make_spectra();
    for (size_t k = 0; k < n_kernels; k++) {
        add_logmel(kernels[k]->name, 16000, 400, 512);
        add_logmel(kernels[k]->name, BENCH_RATE, 1536, 1536);
    }
#ifdef HAVE_AUBIO
    add_aubio("log-mel 64, 16k/512", 16000, 512);
    add_aubio("log-mel 64, 48k/2048", BENCH_RATE, 2048); /* aubio: powers of 2 */
#else
    puts("aubio is not installed (libaubio-dev): no peer in this run");
#endif
    for (size_t k = 0; k < n_kernels; k++)
        add_descriptors(kernels[k]->name);
    add_fronts();
    bench_run(cases, n_cases);

    double best[2] = {0, 0}, peer[2] = {0, 0};
    bench_print_head("ns per 10 ms frame");
    for (size_t i = 0; i < n_cases; i++) {
        bench_case *c = &cases[i];
        const double median = bench_print(c);
        const int fast = c->x != x16;
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
