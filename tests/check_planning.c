/* Objects of dsp are made and freed by many threads at once, and what they compute is
 * that of one thread alone, whatever was planned before. */
#include "dsp/front.h"
#include "dsp/timbre.h"
#include "rt/parallel.h"
#include "support.h"

#include <fftw3.h>
#include <stdlib.h>

static const uint32_t rates[] = {22050, 32000, 44100, 48000, 96000};
enum {
    RATES = sizeof rates / sizeof *rates,
    KINDS = 3 + DSP_FRONTS + DSP_DEGRADATIONS,
    JOBS = RATES * KINDS,
    ROUNDS = 4,
    SOUND = 9000
};
static float sound[SOUND + DSP_FRONT_MAX_WINDOW];

/* FNV-1a. */
static uint64_t
hash(const void *x, size_t n_bytes)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (size_t i = 0; i < n_bytes; i++)
        h = (h ^ ((const unsigned char *)x)[i]) * 0x100000001b3U;
    return h;
}

static uint64_t
run_stream(uint32_t rate)
{
    dsp_stream_config c = dsp_stream_config_default();
    dsp_stream *s;
    dsp_hop hop;
    dsp_span span;
    bool done;
    uint64_t n_bad = 0;
    float raw[DSP_FRAME_RAW] = {0};
    c.rate_hz = rate;
    if (dsp_stream_new(&s, &c))
        return 0;
    for (size_t i = 0; i < SOUND;)
        i += dsp_stream_feed(s, sound + i, SOUND - i, &hop, &done, &n_bad);
    dsp_stream_window(s, DSP_FRAME, DSP_FRAME_HOPS, raw, &span);
    dsp_stream_free(s);
    return hash(raw, sizeof raw);
}

/* Sizes that have no wisdom of their own, too. */
static uint64_t
run_logmel(uint32_t rate)
{
    dsp_logmel_config c = dsp_logmel_config_default(rate);
    dsp_logmel *lm;
    float out[DSP_MAX_BANDS] = {0};
    c.fft_frames = c.window_frames = rate / 25 / 2 * 2;
    if (dsp_logmel_new(&lm, &c))
        return 0;
    dsp_logmel_frame(lm, sound, out);
    dsp_logmel_free(lm);
    return hash(out, sizeof out);
}

static uint64_t
run_bfcc(uint32_t rate)
{
    dsp_bfcc *b;
    float out[DSP_BFCC];
    if (dsp_bfcc_new(&b, rate))
        return 0;
    dsp_bfcc_frame(b, sound, out);
    dsp_bfcc_free(b);
    return hash(out, sizeof out);
}

static uint64_t
run_front(dsp_front_kind kind, uint32_t rate)
{
    dsp_front *f;
    float out[DSP_FRONT_MAX_BANDS + DSP_FRONT_CEPSTRA] = {0};
    if (dsp_front_new(&f, kind, rate))
        return 0;
    dsp_front_frame(f, sound, out, out + DSP_FRONT_MAX_BANDS);
    dsp_front_free(f);
    return hash(out, sizeof out);
}

static uint64_t
run_degrade(dsp_degradation kind, uint32_t rate)
{
    float *y;
    size_t n;
    if (dsp_degrade(kind, sound, SOUND, rate, 7, &y, &n))
        return 0;
    const uint64_t h = hash(y, n * sizeof *y);
    free(y);
    return h;
}

static uint64_t
run_job(size_t job)
{
    const uint32_t rate = rates[job % RATES];
    const size_t kind = job / RATES;
    if (kind == 0)
        return run_stream(rate);
    if (kind == 1)
        return run_logmel(rate);
    if (kind == 2)
        return run_bfcc(rate);
    if (kind < 3 + DSP_FRONTS)
        return run_front((dsp_front_kind)(kind - 3), rate);
    return run_degrade((dsp_degradation)(kind - 3 - DSP_FRONTS), rate);
}

/* All jobs, forwards in even rounds and backwards in odd ones. */
static size_t
job_of(size_t i)
{
    return i / JOBS % 2 ? JOBS - 1 - i % JOBS : i % JOBS;
}

static void
run(void *ctx, size_t i)
{
    ((uint64_t *)ctx)[i] = run_job(job_of(i));
}

static void
idle(void *ctx)
{
    (void)ctx;
}

static void
alone(uint64_t results[], size_t n)
{
    dsp_thread_init();
    for (size_t i = 0; i < n; i++)
        run(results, i);
}

static uint64_t many[ROUNDS * JOBS], one[2 * JOBS];

static void
compare(const uint64_t a[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t job = job_of(i), kind = job / RATES;
        ck_assert_msg(a[i] && a[i] == one[job], "run %zu of kind %zu at %u Hz differs",
                      i / JOBS, kind, rates[job % RATES]);
    }
}

START_TEST(many_threads_compute_what_one_does)
{
    /* The threads first: what is kept is then made while others ask for it. */
    make_sound(sound, sizeof sound / sizeof *sound, 48000, 3);
    ck_assert(rt_parallel(ROUNDS * JOBS, 8, run, idle, many));
    alone(one, JOBS);
    compare(many, ROUNDS * JOBS);
}
END_TEST

/* A plan that FFTW would not have chosen by itself, and remembers. */
static void
teach(int n)
{
    fftwf_complex *in = fftwf_alloc_complex((size_t)n),
                  *out = fftwf_alloc_complex((size_t)n);
    fftwf_destroy_plan(fftwf_plan_dft_1d(n, in, out, FFTW_FORWARD, FFTW_MEASURE));
    fftwf_free(in);
    fftwf_free(out);
}

START_TEST(order_and_what_else_was_planned_change_nothing)
{
    static const int sizes[] = {384, 480, 512, 640, 768, 960, 1024, 2048};
    make_sound(sound, sizeof sound / sizeof *sound, 48000, 3);
    alone(one, 2 * JOBS);
    compare(one, 2 * JOBS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        teach(sizes[i]);
    alone(many, JOBS);
    compare(many, JOBS);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("planning");
    TCase *t = tcase_create("planning");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, many_threads_compute_what_one_does);
    tcase_add_test(t, order_and_what_else_was_planned_change_nothing);
    suite_add_tcase(s, t);
    return run_suite(s);
}
