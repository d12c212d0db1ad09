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
} shared;

void
rt_job_free(rt_job *job)
{
    for (size_t k = 0; k < RT_MOMENTS; k++)
        rt_rows_free(&job->rows[k]);
    for (uint32_t i = 0; job->segments && i < job->n_segments; i++) {
        free(job->segments[i].x);
        for (size_t c = 0; c < RT_COPIES; c++) {
            rt_rows_free(&job->segments[i].frames[c]);
            rt_rows_free(&job->segments[i].events[c]);
        }
    }
    free(job->segments);
    job->segments = NULL;
    job->n_segments = 0;
}

static void
keep(void *ctx, const rt_moment *m)
{
    rt_job *job = ctx;
    if (!rt_rows_add(&job->rows[m->kind], m))
        snprintf(job->trouble, sizeof job->trouble,
                 "not enough memory for its embeddings");
}

static rt_analyse *
new_analyse(shared *sh, uint32_t rate_hz, rt_counts *counts, rt_job *job)
{
    const rt_sink sink = {.ctx = job, .moment = keep};
    rt_analyse *a;
    rt_analyse_new(&a, rate_hz, sh->options, NULL, counts, &sink, job->trouble,
                   sizeof job->trouble);
    return a;
}

/* Places the segments of a file in the middles of equal parts of it; those of a file of
 * unknown length at its beginning. */
static bool
place_segments(rt_job *job, const rt_sound_info *info)
{
    const double most = info->seconds / RT_SEGMENT_S;
    if (job->n_segments > 1 && most < job->n_segments)
        job->n_segments = most < 1 ? 1 : (uint32_t)most;
    if (!job->n_segments)
        return true;
    job->segments = calloc(job->n_segments, sizeof *job->segments);
    for (uint32_t i = 0; job->segments && i < job->n_segments; i++) {
        const double middle = info->seconds * (i + 0.5) / job->n_segments;
        const double begin = middle - 0.5 * RT_SEGMENT_S;
        job->segments[i].first = begin > 0 ? (uint64_t)(begin * info->rate_hz) : 0;
        job->segments[i].x =
            malloc((size_t)RT_SEGMENT_S * info->rate_hz * sizeof *job->segments[i].x);
        if (!job->segments[i].x)
            return false;
    }
    return job->segments;
}

/* Keeps what lies in a segment of n samples of which the first is number at. */
static void
cut_segments(rt_job *job, const float x[], size_t n, uint64_t at, uint32_t rate_hz)
{
    for (uint32_t i = 0; i < job->n_segments; i++) {
        rt_segment *s = &job->segments[i];
        const uint64_t from = s->first + s->n; /* the next one that it wants */
        const size_t most = (size_t)RT_SEGMENT_S * rate_hz - s->n;
        if (from < at || from >= at + n)
            continue;
        const size_t there = (size_t)(at + n - from),
                     take = there < most ? there : most;
        memcpy(s->x + s->n, x + (from - at), take * sizeof *x);
        s->n += take;
    }
}

/* A copy may hold an infinity where the file does; such a segment teaches nothing. */
static bool
is_sane(const rt_segment *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (!(s->x[i] > -1e3F && s->x[i] < 1e3F))
            return false;
    return true;
}

static void
analyse_segments(shared *sh, rt_job *job, rt_analyse *a, uint32_t rate_hz)
{
    for (uint32_t i = 0; i < job->n_segments && !*job->trouble; i++) {
        rt_segment *s = &job->segments[i];
        if (!atomic_load(&rt_stop) && is_sane(s))
            rt_segment_analyse(s, job, a, rate_hz, sh->options);
        free(s->x);
        s->x = NULL;
    }
}

/* Runs an open sound through the analysis; returns the samples that it had. */
static uint64_t
run_sound(shared *sh, rt_job *job, rt_sound *sound, rt_analyse *a, uint32_t rate_hz)
{
    float x[READ_FRAMES];
    uint64_t n_frames = 0;
    size_t n;
    double before = rt_cpu_seconds(), after;
    while (!atomic_load(&rt_stop) && !*job->trouble &&
           (n = rt_sound_read(sound, x, READ_FRAMES, job->trouble,
                              sizeof job->trouble)) > 0) {
        after = rt_cpu_seconds();
        job->decode_s += after - before;
        rt_analyse_block(a, x, n, 0);
        cut_segments(job, x, n, n_frames, rate_hz);
        n_frames += n;
        atomic_fetch_add(&sh->done_ms, n * 1000 / rate_hz);
        before = rt_cpu_seconds();
        job->listen_s += before - after;
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
    if (!place_segments(job, &info))
        snprintf(job->trouble, sizeof job->trouble,
                 "not enough memory to learn from it");
    else
        a = new_analyse(sh, info.rate_hz, &counts, job);
    if (a) {
        const uint64_t n = run_sound(sh, job, sound, a, info.rate_hz);
        if (!*job->trouble)
            rt_analyse_finish(a);
        const double before = rt_cpu_seconds();
        if (!*job->trouble)
            analyse_segments(sh, job, a, info.rate_hz);
        job->copy_s = rt_cpu_seconds() - before;
        job->seconds = (double)n / info.rate_hz;
        job->rate_hz = info.file_rate_hz;
        job->n_channels = info.n_channels;
    }
    rt_analyse_free(a);
    rt_sound_close(sound);
    if (!*job->trouble && !job->rows[RT_FRAMES].n && !job->rows[RT_EVENTS].n)
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

/* Spreads the segments evenly over the files. */
static void
share_segments(rt_job jobs[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        jobs[i].n_segments =
            (uint32_t)((i + 1) * RT_SEGMENTS / n - i * RT_SEGMENTS / n);
}

bool
rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                 char *why, size_t why_len)
{
    shared sh = {.jobs = jobs, .options = o};
    for (size_t i = 0; i < n; i++)
        sh.total_bytes += (double)jobs[i].file->n_bytes + 1;
    if (o->build.invariance > 0)
        share_segments(jobs, n);
    rt_progress_begin(&sh.progress, "listening to the corpus");
    const bool ran = rt_parallel(n, n_threads, run_one, show, &sh);
    rt_progress_end(&sh.progress);
    if (!ran)
        snprintf(why, why_len, "the system gives no thread to analyse with");
    else if (atomic_load(&rt_stop))
        snprintf(why, why_len, "stopped; nothing was written");
    return ran && !atomic_load(&rt_stop);
}
