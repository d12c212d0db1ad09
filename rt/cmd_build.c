/* hearken build CORPUS... -o x.hkn */
#include "build.h"
#include "labels.h"
#include "load.h"
#include "rt.h"
#include "search_plan.h"
#include "self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMED_AT_MOST = 20 };

/* Finds the files; an exit status when there are none to be had. */
static int
find_files(rt_files *files, const char *folders[], int n)
{
    char why[1400];
    for (int i = 0; i < n; i++)
        if (!rt_walk(files, folders[i], why, sizeof why)) {
            rt_say("%s", why);
            return RT_NOINPUT;
        }
    rt_files_sort(files);
    if (files->n)
        return RT_OK;
    rt_say(
        "no sound files in %s%s (%zu other files); wav, flac, ogg, opus, aiff, mp3 and "
        "more are read",
        folders[0], n > 1 ? " and the others" : "", files->n_other);
    return RT_NOINPUT;
}

/* Names what was passed over, and counts it. */
static size_t
name_skipped(const rt_job jobs[], size_t n)
{
    size_t skipped = 0;
    for (size_t i = 0; i < n; i++) {
        if (!*jobs[i].trouble)
            continue;
        if (++skipped <= NAMED_AT_MOST)
            rt_say("skipped %s: %s", jobs[i].file->path, jobs[i].trouble);
    }
    if (skipped > NAMED_AT_MOST)
        rt_say("skipped %zu more files", skipped - NAMED_AT_MOST);
    return skipped;
}

/* Reads a table of labels for its faults alone, before an hour goes into the sounds. */
static int
check_labels(const char *labels)
{
    char why[500];
    rt_labels table;
    if (!strcmp(labels, "none") || !strcmp(labels, "folders"))
        return RT_OK;
    if (rt_labels_load(&table, labels, why, sizeof why)) {
        rt_labels_free(&table);
        return RT_OK;
    }
    rt_say("%s", why);
    return access(labels, R_OK) ? RT_NOINPUT : RT_DATA;
}

static void
report(const rt_corpus *c, const rt_files *files, const rt_job jobs[], size_t skipped,
       const char *path, double merged_s, double total_s)
{
    double decode = 0, listen = 1e-9, copies = 0;
    const idx_scale *scales[IDX_SCALES];
    for (size_t i = 0; i < files->n; i++) {
        decode += jobs[i].decode_s;
        listen += jobs[i].listen_s;
        copies += jobs[i].copy_s;
    }
    printf("%s: %u sounds, %.2f hours; %zu skipped, %zu other files\n", path,
           c->contents.n_sounds, c->seconds / 3600, skipped, files->n_other);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        scales[s] = &c->contents.scales[s];
    rt_print_scales(scales, "  ");
    printf("  %.1f s; computing: decoding %.2f s, listening %.2f s (%.0f times real "
           "time), degraded copies %.2f s, learning and arranging %.2f s\n",
           total_s, decode, listen, c->seconds / listen, copies, merged_s);
}

/* Reads the index back, and asks it for all that went in. */
static int
ask_for_all(const rt_options *o)
{
    char why[200];
    rt_self self[IDX_SCALES];
    idx_index *index;
    int status = rt_load(&index, o->build.output, NULL, false);
    if (status)
        return status;
    if (rt_self_search(self, index, o->build.threads, why, sizeof why)) {
        fputs("  ", stdout);
        rt_self_print(stdout, self, index);
    } else {
        rt_say("%s is written, but: %s", o->build.output, why);
        status = atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_SOFTWARE;
    }
    idx_close(index);
    return status;
}

static int
build(const rt_options *o, const rt_files *files, rt_job jobs[])
{
    char why[500] = "";
    const double began = rt_seconds();
    for (size_t i = 0; i < files->n; i++)
        jobs[i].file = &files->files[i];
    if (!rt_build_analyse(jobs, files->n, o->build.threads, o, why, sizeof why)) {
        rt_say("%s", why);
        return atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_SOFTWARE;
    }
    const size_t skipped = name_skipped(jobs, files->n);
    if (skipped == files->n) {
        rt_say("none of the %zu files could be used; nothing was written", skipped);
        return RT_DATA;
    }
    rt_corpus corpus;
    int status = RT_OK;
    const double merging = rt_cpu_seconds();
    if (!rt_build_merge(&corpus, jobs, files->n, o, why, sizeof why))
        status = RT_SOFTWARE;
    else if (idx_write(o->build.output, &corpus.contents, &rt_stop, why, sizeof why))
        status = atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_IO;
    if (status)
        rt_say("%s", atomic_load(&rt_stop) ? "stopped; nothing was written" : why);
    else
        report(&corpus, files, jobs, skipped, o->build.output,
               rt_cpu_seconds() - merging, rt_seconds() - began);
    rt_corpus_free(&corpus);
    if (!status)
        status = ask_for_all(o);
    return rt_finish_output(status);
}

int
rt_cmd_build(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_BUILD, argc, argv, rest, &status);
    rt_files files = {0};
    if (n == 0) {
        rt_say(
            "build what? name one or more folders of sounds; see hearken build --help");
        status = RT_USAGE;
    } else if (n > 0) {
        status = rt_plan_status(&o);
        if (!status)
            status = rt_check_output(o.build.output);
        if (!status)
            status = check_labels(o.build.labels);
        if (!status)
            status = find_files(&files, rest, n);
    }
    rt_job *jobs = n > 0 && !status ? calloc(files.n, sizeof *jobs) : NULL;
    if (jobs) {
        dsp_thread_init();
        rt_catch_stop();
        status = build(&o, &files, jobs);
        for (size_t i = 0; i < files.n; i++)
            rt_job_free(&jobs[i]);
    } else if (n > 0 && !status) {
        status = RT_SOFTWARE;
    }
    free(jobs);
    rt_files_free(&files);
    free(rest);
    return status;
}
