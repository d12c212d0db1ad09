/* The threads of a build: one file at a time each, from decoder to raw features. */
#include "build.h"
#include "content.h"
#include "parallel.h"
#include "rt.h"
#include "sound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_FRAMES = 8192 };

typedef struct {
    rt_job *jobs;
    const rt_options *options;
    rt_parts *parts;
    rt_store *store;
    _Atomic uint64_t done_bytes, done_ms; /* of files, of sound */
    double total_bytes;
    bool said; /* that parts cannot be written */
    rt_progress progress;
} shared;

static const char changed[] = "it changed while it was read; build again";

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

/* Room for the samples of the segments that no record has. */
static bool
make_room(rt_job *job, uint32_t rate_hz)
{
    for (uint32_t i = 0; i < job->n_segments; i++) {
        rt_segment *s = &job->segments[i];
        if (s->at)
            continue;
        s->x = malloc((size_t)RT_SEGMENT_S * rate_hz * sizeof *s->x);
        if (!s->x)
            return false;
    }
    return true;
}

/* Keeps what lies in a segment of n samples of which the first is number at. */
static void
cut_segments(rt_job *job, const float x[], size_t n, uint64_t at, uint32_t rate_hz)
{
    for (uint32_t i = 0; i < job->n_segments; i++) {
        rt_segment *s = &job->segments[i];
        const uint64_t from = s->first + s->n; /* the next one that it wants */
        const size_t most = (size_t)RT_SEGMENT_S * rate_hz - s->n;
        if (!s->x || from < at || from >= at + n)
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
        if (s->at || atomic_load(&rt_stop))
            continue;
        const bool learned =
            !is_sane(s) || rt_segment_analyse(s, job, a, rate_hz, sh->options);
        free(s->x);
        s->x = NULL;
        if (learned && sh->parts)
            rt_segment_keep(s, job, sh->parts, sh->options);
    }
}

/* Runs an open sound through the analysis (of a job that was taken from its record,
 * through that of its segments alone); returns the samples that it had. */
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
        if (!job->taken)
            rt_analyse_block(a, x, n, 0);
        cut_segments(job, x, n, n_frames, rate_hz);
        n_frames += n;
        atomic_fetch_add(&sh->done_ms, n * 1000 / rate_hz);
        before = rt_cpu_seconds();
        job->listen_s += before - after;
    }
    return n_frames;
}

static rt_fault
fault_of(const rt_job *job, uint64_t n_frames, uint32_t rate_hz)
{
    return !n_frames                                          ? RT_NO_SAMPLES
           : n_frames < rate_hz / DSP_HOPS_PER_S              ? RT_TOO_SHORT
           : job->rows[RT_FRAMES].n || job->rows[RT_EVENTS].n ? RT_NO_FAULT
                                                              : RT_SILENT;
}

/* What was heard becomes a record, if it is known of which content. */
static void
end_sound(shared *sh, rt_job *job, const rt_sound_info *info, rt_analyse *a,
          uint64_t n_frames, const rt_content *content)
{
    const bool long_enough = n_frames >= info->rate_hz / DSP_HOPS_PER_S;
    if (long_enough)
        rt_analyse_finish(a);
    if (*job->trouble)
        return;
    const rt_part what = {.kind = RT_PART_SOUND,
                          .key = job->key,
                          .seconds = (double)n_frames / info->rate_hz,
                          .claimed_s = info->seconds,
                          .rate_hz = info->rate_hz,
                          .file_rate_hz = info->file_rate_hz,
                          .n_channels = info->n_channels,
                          .fault = fault_of(job, n_frames, info->rate_hz)};
    job->seconds = what.seconds;
    job->rate_hz = info->file_rate_hz;
    job->n_channels = info->n_channels;
    if (what.fault) {
        snprintf(job->trouble, sizeof job->trouble, "%s", rt_fault_text[what.fault]);
        for (size_t k = 0; k < RT_MOMENTS; k++)
            rt_rows_free(&job->rows[k]);
    }
    if (sh->parts && !rt_content_stays(content, job->file->path))
        snprintf(job->trouble, sizeof job->trouble, "%s", changed);
    else if (sh->parts)
        rt_job_keep(job, sh->parts, &what, sh->options);
}

/* Hears an open sound, or those segments of it that have no record. */
static void
hear(shared *sh, rt_job *job, rt_sound *sound, const rt_sound_info *info,
     const rt_content *content)
{
    rt_counts counts = {0};
    rt_analyse *a = NULL;
    if ((!job->segments && !rt_segments_place(job, info->seconds, info->rate_hz)) ||
        !make_room(job, info->rate_hz))
        snprintf(job->trouble, sizeof job->trouble,
                 "not enough memory to learn from it");
    else
        a = new_analyse(sh, info->rate_hz, &counts, job);
    if (a) {
        const uint64_t n = run_sound(sh, job, sound, a, info->rate_hz);
        if (!*job->trouble && !job->taken && !atomic_load(&rt_stop))
            end_sound(sh, job, info, a, n, content);
        const double before = rt_cpu_seconds();
        analyse_segments(sh, job, a, info->rate_hz);
        job->copy_s = rt_cpu_seconds() - before;
    }
    rt_analyse_free(a);
}

static void
run_job(shared *sh, rt_job *job)
{
    rt_content content = {0};
    rt_sound *sound;
    rt_sound_info info;
    if (strlen(job->file->path) > IDX_MAX_PATH) {
        snprintf(job->trouble, sizeof job->trouble, "its path is longer than %d bytes",
                 IDX_MAX_PATH);
        return;
    }
    for (size_t k = 0; k < RT_MOMENTS; k++)
        job->rows[k].store = sh->store;
    const bool known = sh->parts && rt_content_read(&content, job->file->path);
    const int error = errno;
    if (known) {
        job->key = content.key;
        if (rt_job_take(job, sh->parts))
            return;
    }
    if (*job->trouble || !rt_sound_open(&sound, job->file->path, &info, job->trouble,
                                        sizeof job->trouble))
        return;
    if (sh->parts && !known)
        snprintf(job->trouble, sizeof job->trouble, "%s",
                 error == EAGAIN ? changed : strerror(error));
    else
        hear(sh, job, sound, &info, &content);
    rt_sound_close(sound);
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

/* A full disk is told once: the build goes on in memory. */
static void
say_unkept(shared *sh)
{
    const int error = sh->parts && !sh->said ? rt_parts_error(sh->parts) : 0;
    if (!error)
        return;
    sh->said = true;
    rt_say("%s: cannot be written: %s; this build goes on, but were it stopped, the "
           "next one would analyse the rest again",
           rt_parts_path(sh->parts), strerror(error));
}

static void
show(void *ctx)
{
    shared *sh = ctx;
    say_unkept(sh);
    const double sound_s = (double)atomic_load(&sh->done_ms) / 1000;
    const double took = rt_seconds() - sh->progress.began;
    char detail[80];
    snprintf(detail, sizeof detail, "%.1f min of sound, %.0f times real time",
             sound_s / 60, sound_s / (took > 0.01 ? took : 0.01));
    rt_progress_step(&sh->progress, (double)atomic_load(&sh->done_bytes),
                     sh->total_bytes, detail);
}

void
rt_build_share(rt_job jobs[], size_t n, const size_t index[], size_t n_all,
               const rt_options *o)
{
    for (size_t i = 0; i < n && o->build.invariance > 0; i++) {
        const size_t at = index ? index[i] : i;
        jobs[i].n_segments =
            (uint32_t)((at + 1) * RT_SEGMENTS / n_all - at * RT_SEGMENTS / n_all);
    }
}

/* Gives the jobs their rows, once all records are there. */
static bool
map_jobs(rt_job jobs[], size_t n, rt_parts *parts, char *why, size_t why_len)
{
    if (!rt_parts_map(parts)) {
        snprintf(why, why_len, "%s: cannot be mapped: %s; build from fewer sounds",
                 rt_parts_path(parts), strerror(errno));
        return false;
    }
    for (size_t i = 0; i < n; i++)
        rt_job_map(&jobs[i], parts);
    return true;
}

bool
rt_build_analyse(rt_job jobs[], size_t n, uint32_t n_threads, const rt_options *o,
                 const rt_disk *disk, char *why, size_t why_len)
{
    shared sh = {.jobs = jobs,
                 .options = o,
                 .parts = disk ? disk->parts : NULL,
                 .store = disk ? disk->store : NULL};
    for (size_t i = 0; i < n; i++)
        sh.total_bytes += (double)jobs[i].file->n_bytes + 1;
    rt_progress_begin(&sh.progress, "listening to the corpus");
    const bool ran = rt_parallel(n, n_threads, run_one, show, &sh);
    rt_progress_end(&sh.progress);
    say_unkept(&sh);
    if (!ran)
        snprintf(why, why_len, "the system gives no thread to analyse with");
    else if (atomic_load(&rt_stop))
        snprintf(why, why_len, "stopped; nothing was written");
    else
        return !sh.parts || map_jobs(jobs, n, sh.parts, why, why_len);
    return false;
}
