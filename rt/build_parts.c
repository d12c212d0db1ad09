/* Jobs and their records in a parts file. */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>

const char *const rt_fault_text[RT_FAULTS] = {
    [RT_NO_FAULT] = "",
    [RT_NO_SAMPLES] = "it holds no samples",
    [RT_TOO_SHORT] = "too short: less than 10 ms",
    [RT_SILENT] = "silent: nothing above dsp.gate-db",
};

bool
rt_segments_place(rt_job *job, double seconds, uint32_t rate_hz)
{
    const double most = seconds / RT_SEGMENT_S;
    if (job->n_segments > 1 && most < job->n_segments)
        job->n_segments = most < 1 ? 1 : (uint32_t)most;
    if (!job->n_segments)
        return true;
    job->segments = calloc(job->n_segments, sizeof *job->segments);
    for (uint32_t i = 0; job->segments && i < job->n_segments; i++) {
        const double middle = seconds * (i + 0.5) / job->n_segments;
        const double begin = middle - 0.5 * RT_SEGMENT_S;
        job->segments[i].first = begin > 0 ? (uint64_t)(begin * rate_hz) : 0;
    }
    return job->segments != NULL;
}

bool
rt_job_take(rt_job *job, const rt_parts *parts)
{
    bool whole = true;
    const uint64_t at = rt_parts_find(parts, RT_PART_SOUND, &job->key, 0);
    if (!at)
        return false;
    const rt_part *part = rt_parts_at(parts, at);
    job->at = at;
    job->taken = true;
    job->seconds = part->seconds;
    job->rate_hz = part->file_rate_hz;
    job->n_channels = part->n_channels;
    if (part->fault || !rt_segments_place(job, part->claimed_s, part->rate_hz)) {
        snprintf(job->trouble, sizeof job->trouble, "%s",
                 part->fault ? rt_fault_text[part->fault]
                             : "not enough memory to learn from it");
        return true;
    }
    for (uint32_t i = 0; i < job->n_segments; i++) {
        rt_segment *s = &job->segments[i];
        s->at = rt_parts_find(parts, RT_PART_SEGMENT, &job->key, s->first);
        whole = whole && s->at;
    }
    return whole;
}

/* The groups of a segment's record. */
static void
segment_groups(rt_segment *s, rt_rows *groups[RT_MAX_GROUPS])
{
    for (uint32_t c = 0; c < RT_COPIES; c++) {
        groups[c] = &s->frames[c];
        groups[RT_COPIES + c] = &s->events[c];
    }
}

static void
free_groups(rt_rows *const groups[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        rt_rows_free(groups[i]);
}

void
rt_job_map(rt_job *job, const rt_parts *parts)
{
    rt_rows *groups[RT_MAX_GROUPS];
    if (*job->trouble)
        return;
    for (uint32_t k = 0; k < RT_MOMENTS; k++)
        groups[k] = &job->rows[k];
    if (job->at)
        rt_parts_rows(parts, job->at, groups);
    for (uint32_t i = 0; job->segments && i < job->n_segments; i++) {
        segment_groups(&job->segments[i], groups);
        if (job->segments[i].at)
            rt_parts_rows(parts, job->segments[i].at, groups);
    }
}

void
rt_job_keep(rt_job *job, rt_parts *parts, const rt_part *what, const rt_options *o)
{
    uint32_t widths[RT_MOMENTS];
    rt_rows *groups[RT_MOMENTS];
    rt_parts_widths(o, widths);
    for (uint32_t k = 0; k < RT_MOMENTS; k++)
        groups[k] = &job->rows[k];
    job->at = rt_parts_add(parts, what, (const rt_rows *const *)groups, widths);
    if (job->at)
        free_groups(groups, RT_MOMENTS);
}

void
rt_segment_keep(rt_segment *s, const rt_job *job, rt_parts *parts, const rt_options *o)
{
    uint32_t widths[RT_MOMENTS], values[RT_MAX_GROUPS];
    rt_rows *groups[RT_MAX_GROUPS];
    rt_parts_widths(o, widths);
    segment_groups(s, groups);
    for (uint32_t i = 0; i < RT_MAX_GROUPS; i++)
        values[i] = widths[i < RT_COPIES ? RT_FRAMES : RT_EVENTS];
    const rt_part what = {.kind = RT_PART_SEGMENT, .key = job->key, .first = s->first};
    s->at = rt_parts_add(parts, &what, (const rt_rows *const *)groups, values);
    if (s->at)
        free_groups(groups, RT_MAX_GROUPS);
}
