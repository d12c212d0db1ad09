/* The threads of a build: one file at a time each, from decoder to raw features. */
#include "build.h"
#include "parallel.h"
#include "rt.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_FRAMES = 8192 };

typedef struct {
    rt_job *jobs;
    const rt_options *options;
    _Atomic uint64_t done_bytes, done_ms; /* of files, of sound */
    double total_bytes;
    rt_progress progress;
    pthread_mutex_t planning; /* FFTW plans on one thread at a time */
} shared;

void
rt_job_free(rt_job *job)
{
    for (size_t s = 0; s < DSP_SCALES; s++) {
        free(job->rows[s].raw);
        free(job->rows[s].entries);
        job->rows[s] = (rt_rows){0};
    }
}

static bool
grow(rt_rows *r)
{
    if (r->n < r->cap)
        return true;
    const uint32_t cap = r->cap ? 2 * r->cap : 16;
    if (cap <= r->cap)
        return false;
    float *raw = realloc(r->raw, (size_t)cap * DSP_RAW * sizeof *raw);
    if (raw)
        r->raw = raw;
    idx_entry *entries = realloc(r->entries, cap * sizeof *entries);
    if (entries)
        r->entries = entries;
    if (!raw || !entries)
        return false;
    r->cap = cap;
    return true;
}

static void
keep(void *ctx, const rt_moment *m)
{
    rt_job *job = ctx;
    rt_rows *r = &job->rows[m->scale];
    if (!grow(r)) {
        snprintf(job->trouble, sizeof job->trouble,
                 "not enough memory for its embeddings");
        return;
    }
    memcpy(r->raw + (size_t)r->n * DSP_RAW, m->raw, DSP_RAW * sizeof *m->raw);
    r->entries[r->n++] = (idx_entry){.start_s = m->start_s, .length_s = m->length_s};
}

static rt_analyse *
new_analyse(shared *sh, uint32_t rate_hz, rt_counts *counts, rt_job *job)
{
    const rt_sink sink = {.ctx = job, .moment = keep};
    rt_analyse *a;
    pthread_mutex_lock(&sh->planning);
    rt_analyse_new(&a, rate_hz, sh->options, NULL, counts, &sink, job->trouble,
                   sizeof job->trouble);
    pthread_mutex_unlock(&sh->planning);
    return a;
}

static void
free_analyse(shared *sh, rt_analyse *a)
{
    pthread_mutex_lock(&sh->planning);
    rt_analyse_free(a);
    pthread_mutex_unlock(&sh->planning);
}

/* Runs an open sound through the analysis; returns the samples that it had. */
static uint64_t
run_sound(shared *sh, rt_job *job, rt_sound *sound, rt_analyse *a, uint32_t rate_hz)
{
    float x[READ_FRAMES];
    uint64_t n_frames = 0;
    size_t n;
    while (!atomic_load(&rt_stop) && !*job->trouble &&
           (n = rt_sound_read(sound, x, READ_FRAMES, job->trouble,
                              sizeof job->trouble)) > 0) {
        rt_analyse_block(a, x, n, 0);
        n_frames += n;
        atomic_fetch_add(&sh->done_ms, n * 1000 / rate_hz);
    }
    if (!*job->trouble && !n_frames)
        snprintf(job->trouble, sizeof job->trouble, "it holds no samples");
    else if (!*job->trouble && n_frames < rate_hz / DSP_HOPS_PER_S)
        snprintf(job->trouble, sizeof job->trouble, "too short: less than 10 ms");
    return n_frames;
}

static void
run_job(shared *sh, rt_job *job)
{
    rt_counts counts = {0};
    rt_sound *sound;
    rt_sound_info info;
    rt_analyse *a = NULL;
    if (strlen(job->file->path) > IDX_MAX_PATH) {
        snprintf(job->trouble, sizeof job->trouble, "its path is longer than %d bytes",
                 IDX_MAX_PATH);
        return;
    }
    if (!rt_sound_open(&sound, job->file->path, &info, job->trouble,
                       sizeof job->trouble))
        return;
    a = new_analyse(sh, info.rate_hz, &counts, job);
    if (a) {
        const uint64_t n = run_sound(sh, job, sound, a, info.rate_hz);
        if (!*job->trouble)
            rt_analyse_finish(a);
        job->seconds = (double)n / info.rate_hz;
        job->rate_hz = info.file_rate_hz;
        job->n_channels = info.n_channels;
    }
    free_analyse(sh, a);
    rt_sound_close(sound);
    if (!*job->trouble && !job->rows[DSP_FRAME].n && !job->rows[DSP_EVENT].n)
        snprintf(job->trouble, sizeof job->trouble,
                 "silent: nothing above dsp.gate-db");
    if (*job->trouble)
        rt_job_free(job);
}

static void
run_one(void *ctx, size_t i)
{
    shared *sh = ctx;
    run_job(sh, &sh->jobs[i]);
    atomic_fetch_add(&sh->done_bytes, sh->jobs[i].file->n_bytes + 1);
}

static void
show(void *ctx)
{
    shared *sh = ctx;
    const double sound_s = (double)atomic_load(&sh->done_ms) / 1000;
    const double took = rt_seconds() - sh->progress.began;
    char detail[80];
    snprintf(detail, sizeof detail, "%.1f min of sound, %.0f times real time",
             sound_s / 60, sound_s / (took > 0.01 ? took : 0.01));
    rt_progress_step(&sh->progress, (double)atomic_load(&sh->done_bytes),
                     sh->total_bytes, detail);
}

bool
rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                 char *why, size_t why_len)
{
    shared sh = {.jobs = jobs, .options = o};
    for (size_t i = 0; i < n; i++)
        sh.total_bytes += (double)jobs[i].file->n_bytes + 1;
    pthread_mutex_init(&sh.planning, NULL);
    rt_progress_begin(&sh.progress, "listening to the corpus");
    const bool ran = rt_parallel(n, n_threads, run_one, show, &sh);
    rt_progress_end(&sh.progress);
    pthread_mutex_destroy(&sh.planning);
    if (!ran)
        snprintf(why, why_len, "the system gives no thread to analyse with");
    else if (atomic_load(&rt_stop))
        snprintf(why, why_len, "stopped; nothing was written");
    return ran && !atomic_load(&rt_stop);
}
