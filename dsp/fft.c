/*
 * FFT plans that do not vary from start to start, for any thread.
 *
 * FFTW's planner is one for the whole process, and no plan may depend on what it still
 * knows of others: so it is emptied, taught and asked under one lock. FFTW's own lock,
 * fftwf_make_planner_thread_safe(), does not cover what it is taught, and could not
 * hold from the one to the other.
 */
#include "private.h"

#include "wisdom.h"

#include <assert.h>
#include <pthread.h>

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

/* Plans that are kept: of interleaved and of split arrays, by the logarithm of m. */
enum { KEPT = 18 };
static fftwf_plan kept[2][KEPT];

/* FFTW refuses wisdom of another version or build; then its estimate has to do, which
 * is up to twice as slow but just as repeatable. Measuring would not be. */
static fftwf_plan
wise_plan(uint32_t m, fftwf_complex *in, fftwf_complex *out)
{
    for (size_t w = 0; w < sizeof fft_wisdom / sizeof *fft_wisdom; w++)
        if (fft_wisdom[w].m == m && fftwf_import_wisdom_from_string(fft_wisdom[w].text))
            return fftwf_plan_dft_1d((int)m, in, out, FFTW_FORWARD,
                                     FFTW_PATIENT | FFTW_WISDOM_ONLY);
    return NULL;
}

static fftwf_plan
plan_pairs(uint32_t m, float *in, float *out)
{
    fftwf_complex *i = (fftwf_complex *)(void *)in, *o = (fftwf_complex *)(void *)out;
    fftwf_forget_wisdom();
    fftwf_plan plan = wise_plan(m, i, o);
    if (plan)
        return plan;
    fftwf_forget_wisdom();
    return fftwf_plan_dft_1d((int)m, i, o, FFTW_FORWARD, FFTW_ESTIMATE);
}

static fftwf_plan
plan_split(uint32_t m, dsp_split in, dsp_split out)
{
    const fftwf_iodim size = {(int)m, 1, 1};
    fftwf_forget_wisdom();
    return fftwf_plan_guru_split_dft(1, &size, 0, NULL, in.re, in.im, out.re, out.im,
                                     FFTW_ESTIMATE);
}

fftwf_plan
dsp_fft_plan(uint32_t m, float *in, float *out)
{
    pthread_mutex_lock(&planner);
    fftwf_plan plan = plan_pairs(m, in, out);
    pthread_mutex_unlock(&planner);
    return plan;
}

void
dsp_fft_free(fftwf_plan plan)
{
    pthread_mutex_lock(&planner);
    if (plan)
        fftwf_destroy_plan(plan);
    pthread_mutex_unlock(&planner);
}

static fftwf_plan *
place_of(bool split, uint32_t m)
{
    size_t log = 0;
    while ((1U << log) < m)
        log++;
    assert(1U << log == m && log < KEPT);
    return &kept[split][log];
}

fftwf_plan
dsp_fft_kept(uint32_t m, float *in, float *out)
{
    fftwf_plan *at = place_of(false, m);
    pthread_mutex_lock(&planner);
    if (!*at)
        *at = plan_pairs(m, in, out);
    fftwf_plan plan = *at;
    pthread_mutex_unlock(&planner);
    return plan;
}

fftwf_plan
dsp_fft_kept_split(uint32_t m, dsp_split in, dsp_split out)
{
    fftwf_plan *at = place_of(true, m);
    pthread_mutex_lock(&planner);
    if (!*at)
        *at = plan_split(m, in, out);
    fftwf_plan plan = *at;
    pthread_mutex_unlock(&planner);
    return plan;
}
