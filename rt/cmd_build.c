/* hearken build CORPUS... -o x.hkn */
#include "build_index.h"
#include "load.h"
#include "roll.h"
#include "rt.h"
#include "search_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One build, or one shard of it. */
typedef struct {
    const rt_options *o;
    rt_files files;
    rt_job *jobs;  /* [n] */
    size_t *index; /* [n]: which of the files they are */
    size_t n;
    rt_roll_head roll;
    char path[RT_TEXT + 40]; /* of parts */
    rt_disk disk;
    double began;
} building;

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

/* Whether this is a shard, and of which parts file. */
static int
name_parts(building *b)
{
    char why[200];
    const char *out = b->o->build.output, *shard = b->o->build.shard;
    b->roll = (rt_roll_head){.shard = 1, .n_shards = 1};
    if (!strcmp(shard, "none")) {
        snprintf(b->path, sizeof b->path, "%s.parts", out);
        return RT_OK;
    }
    if (!rt_shard_parse(shard, &b->roll.shard, &b->roll.n_shards, why, sizeof why)) {
        rt_say("%s; see hearken build --help", why);
        return RT_USAGE;
    }
    snprintf(b->path, sizeof b->path, "%s.parts.%u-of-%u", out, b->roll.shard,
             b->roll.n_shards);
    return RT_OK;
}

static bool
is_shard(const building *b)
{
    return strcmp(b->o->build.shard, "none") != 0;
}

/* A parts file that later builds rely on is never emptied for other settings. */
static bool
is_lasting(const building *b)
{
    return is_shard(b) || b->o->build.update;
}

/* Makes the jobs, and opens what they need. */
static int
prepare(building *b)
{
    char why[1500] = "";
    b->index = calloc(b->files.n, sizeof *b->index);
    b->jobs = calloc(b->files.n, sizeof *b->jobs);
    b->disk.store = rt_build_store(b->o, b->o->build.output);
    if (!b->index || !b->jobs || !b->disk.store) {
        rt_say("there is not enough memory to list %zu files", b->files.n);
        return RT_SOFTWARE;
    }
    b->n = rt_shard_files(&b->files, b->roll.shard, b->roll.n_shards, b->index);
    for (size_t i = 0; i < b->n; i++)
        b->jobs[i].file = &b->files.files[b->index[i]];
    b->roll.n_all = b->files.n;
    b->roll.list_sum = rt_list_sum(&b->files);
    rt_build_share(b->jobs, b->n, b->index, b->files.n, b->o);
    const int status =
        rt_parts_open(&b->disk.parts, b->path, b->o, !is_lasting(b), why, sizeof why);
    if (status)
        rt_say("%s", why);
    else if (rt_parts_cut(b->disk.parts))
        rt_say("%s: the last %llu bytes were not whole, and what they held is found "
               "out again",
               b->path, (unsigned long long)rt_parts_cut(b->disk.parts));
    return status;
}

static size_t
count_taken(const building *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += b->jobs[i].taken;
    return n;
}

/* Analyses all files of the build. */
static int
analyse(building *b)
{
    char why[1500] = "";
    if (!rt_build_analyse(b->jobs, b->n, b->o->build.threads, b->o, &b->disk, why,
                          sizeof why)) {
        const bool stopped = atomic_load(&rt_stop);
        if (!stopped)
            rt_say("%s", why);
        else if (!rt_parts_empty(b->disk.parts))
            rt_say("stopped; no index was written; %s is kept, and the same command "
                   "goes on from there",
                   b->path);
        else
            rt_say("stopped; nothing was written");
        return stopped ? RT_INTERRUPTED : RT_SOFTWARE;
    }
    const size_t taken = count_taken(b);
    if (taken && !b->o->build.update)
        rt_say("%zu of %zu files were analysed by an earlier build, and are taken from "
               "%s",
               taken, b->n, b->path);
    return RT_OK;
}

/* Ends the parts file of a shard; no more than its roll makes it one. */
static int
end_shard(building *b)
{
    rt_parts *parts = b->disk.parts;
    const size_t skipped = rt_name_skipped(b->jobs, b->n);
    double seconds = 0;
    for (size_t i = 0; i < b->n; i++)
        seconds += *b->jobs[i].trouble ? 0 : b->jobs[i].seconds;
    if (!rt_roll_write(parts, b->jobs, b->n, b->index, b->roll) ||
        !rt_parts_sync(parts)) {
        const int error = rt_parts_error(parts) ? rt_parts_error(parts) : errno;
        rt_say("%s: cannot be written: %s; give it more room, and the same command "
               "goes on from there",
               b->path, strerror(error));
        return RT_IO;
    }
    printf("%s: %zu of %zu files, %.2f hours; %zu skipped; %.1f s\n", b->path, b->n,
           b->files.n, seconds / 3600, skipped, rt_seconds() - b->began);
    return RT_OK;
}

/* Prints what became of the files since the last build, and keeps for the next one what
 * it will need. That the index is written is what counts: no failure here changes it.
 */
static void
end_update(building *b)
{
    rt_parts *parts = b->disk.parts;
    rt_roll old;
    rt_changes c;
    const bool any = rt_parts_roll(parts, &old);
    if (rt_roll_compare(&c, any ? &old : NULL, b->jobs, b->n))
        printf("  kept %zu, moved %zu, new %zu, changed %zu, gone %zu\n", c.kept,
               c.moved, c.new, c.changed, c.gone);
    const uint64_t at = rt_roll_write(parts, b->jobs, b->n, b->index, b->roll);
    if (!at || !rt_parts_sync(parts) || !rt_roll_tidy(parts, b->jobs, b->n, at))
        rt_say("%s: cannot be brought up to date: %s; the next build may have to "
               "analyse more again",
               b->path,
               strerror(rt_parts_error(parts) ? rt_parts_error(parts) : errno));
}

static bool
all_skipped(const building *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (!*b->jobs[i].trouble)
            return false;
    return true;
}

static int
build(building *b)
{
    b->began = rt_seconds();
    int status = prepare(b);
    if (status)
        return status;
    status = analyse(b);
    bool keep = is_lasting(b) || (status && !rt_parts_empty(b->disk.parts));
    if (!status && is_shard(b)) {
        status = end_shard(b);
    } else if (!status) {
        rt_name_skipped(b->jobs, b->n);
        if (all_skipped(b)) {
            rt_say("none of the %zu files could be used; nothing was written", b->n);
            status = RT_DATA;
        } else {
            status = rt_build_index(b->jobs, b->n, b->o, b->disk.store,
                                    b->files.n_other, b->began, b->disk.parts);
            keep = keep || status;
        }
        if (!status && b->o->build.update)
            end_update(b);
    }
    if (!keep)
        rt_parts_remove(b->disk.parts);
    return rt_finish_output(status);
}

static void
free_building(building *b)
{
    for (size_t i = 0; b->jobs && i < b->n; i++)
        rt_job_free(&b->jobs[i]);
    free(b->jobs);
    free(b->index);
    rt_parts_close(b->disk.parts);
    rt_store_free(b->disk.store);
    rt_files_free(&b->files);
}

int
rt_cmd_build(int argc, char **argv)
{
    rt_options o;
    building b = {.o = &o};
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_BUILD, argc, argv, rest, &status);
    if (n == 0) {
        rt_say(
            "build what? name one or more folders of sounds; see hearken build --help");
        status = RT_USAGE;
    } else if (n > 0) {
        status = rt_plan_status(&o);
        if (!status)
            status = name_parts(&b);
        if (!status)
            status = rt_check_output(o.build.output);
        if (!status)
            status = rt_check_labels(o.build.labels);
        if (!status)
            status = find_files(&b.files, rest, n);
    }
    if (n > 0 && !status) {
        dsp_thread_init();
        rt_catch_stop();
        status = build(&b);
    }
    free_building(&b);
    free(rest);
    return status;
}
