/* hearken merge PARTS... -o x.hkn: the index of all shards of a build. */
#include "build_index.h"
#include "load.h"
#include "roll.h"
#include "rt.h"
#include "search_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    rt_options *o;
    rt_parts **parts; /* [n_parts] */
    rt_roll *rolls;   /* [n_parts] */
    int n_parts;
    rt_files files;
    rt_job *jobs; /* [n], in order of path */
    size_t n;
    char why[2200];
} merging;

/* A sentence about one file; returns RT_DATA. */
static int
refuse(merging *m, int i, const char *what)
{
    snprintf(m->why, sizeof m->why, "%s: %s", rt_parts_path(m->parts[i]), what);
    return RT_DATA;
}

/* ---- Do they belong together? -----------------------------------------------------
 */

static int
open_parts(merging *m, const char *path)
{
    rt_options made;
    const int i = m->n_parts;
    const int status = rt_parts_read(&m->parts[i], path, &made, m->why, sizeof m->why);
    if (status)
        return status;
    m->n_parts++;
    if (rt_parts_cut(m->parts[i]))
        return refuse(m, i, "its end is damaged or cut off; run its build again");
    if (!rt_parts_roll(m->parts[i], &m->rolls[i]))
        return refuse(m, i, "its build has not ended; run it again, it goes on there");
    m->o->dsp = made.dsp;
    m->o->build.seed = made.build.seed;
    m->o->build.timbre = made.build.timbre;
    return RT_OK;
}

/* The first line of a that b has otherwise, cut for a sentence. */
static void
say_settings(merging *m, int i)
{
    const char *a = rt_parts_settings(m->parts[0]), *b = rt_parts_settings(m->parts[i]);
    size_t same = 0, line = 0;
    for (; a[same] && a[same] == b[same]; same++)
        if (a[same] == '\n')
            line = same + 1;
    snprintf(m->why, sizeof m->why,
             "%s has \"%.*s\" and %s \"%.*s\"; build all shards with the same settings",
             rt_parts_path(m->parts[0]), (int)strcspn(a + line, "\n"), a + line,
             rt_parts_path(m->parts[i]), (int)strcspn(b + line, "\n"), b + line);
}

static int
compare(merging *m, int i)
{
    const rt_roll_head *a = &m->rolls[0].head, *b = &m->rolls[i].head;
    if (strcmp(rt_parts_settings(m->parts[0]), rt_parts_settings(m->parts[i])) != 0) {
        say_settings(m, i);
        return RT_CONFIG;
    }
    if (a->n_shards != b->n_shards)
        snprintf(m->why, sizeof m->why,
                 "%s is one of %u shards and %s one of %u; merge those of one build",
                 rt_parts_path(m->parts[0]), a->n_shards, rt_parts_path(m->parts[i]),
                 b->n_shards);
    else if (a->n_all != b->n_all || a->list_sum != b->list_sum)
        snprintf(m->why, sizeof m->why,
                 "%s and %s are of different files; run all shards again over the same "
                 "folders, while nothing changes there",
                 rt_parts_path(m->parts[0]), rt_parts_path(m->parts[i]));
    else
        return RT_OK;
    return RT_DATA;
}

/* Every shard once. */
static int
check_shards(merging *m)
{
    int of[RT_MAX_SHARDS + 1] = {0}; /* 1 + which parts are it */
    const uint32_t n_shards = m->rolls[0].head.n_shards;
    for (int i = 0; i < m->n_parts; i++) {
        const uint32_t shard = m->rolls[i].head.shard;
        if (of[shard]) {
            snprintf(m->why, sizeof m->why,
                     "%s and %s are both shard %u of %u; name each shard once",
                     rt_parts_path(m->parts[of[shard] - 1]), rt_parts_path(m->parts[i]),
                     shard, n_shards);
            return RT_DATA;
        }
        of[shard] = i + 1;
    }
    for (uint32_t s = 1; s <= n_shards; s++)
        if (!of[s]) {
            snprintf(m->why, sizeof m->why,
                     "shard %u of %u is missing; name the parts files of all shards", s,
                     n_shards);
            return RT_DATA;
        }
    return RT_OK;
}

/* ---- Jobs -------------------------------------------------------------------------
 */

static int
no_memory(merging *m)
{
    snprintf(m->why, sizeof m->why, "there is not enough memory to list the files");
    return RT_SOFTWARE;
}

/* The file of a roll becomes a job, which must still be without one. */
static int
take_file(merging *m, int i, const rt_rolled *f)
{
    const rt_roll *roll = &m->rolls[i];
    rt_file *file = &m->files.files[f->index];
    rt_job *job = &m->jobs[f->index];
    if (file->path)
        return refuse(m, i, "has a file that another shard has too; run it again");
    file->path = strdup(roll->text + f->path_at);
    if (!file->path)
        return no_memory(m);
    job->file = file;
    job->key = f->key;
    snprintf(job->trouble, sizeof job->trouble, "%s", roll->text + f->trouble_at);
    if (*job->trouble)
        return RT_OK;
    const bool whole = rt_job_take(job, m->parts[i]);
    if (!job->at || *job->trouble)
        return refuse(m, i,
                      "lacks a sound of its own list; remove it, and build it "
                      "again");
    if (!whole)
        return refuse(m, i,
                      "has no degraded copies, as with --build-invariance 0; "
                      "merge with that too, or build it again without");
    rt_job_map(job, m->parts[i]);
    return RT_OK;
}

static int
make_jobs(merging *m)
{
    uint64_t n = 0;
    for (int i = 0; i < m->n_parts; i++)
        n += m->rolls[i].head.n;
    if (n != m->rolls[0].head.n_all)
        return refuse(m, 0,
                      "the shards do not have all files of their list; run them "
                      "again");
    m->jobs = calloc((size_t)n + 1, sizeof *m->jobs);
    m->files.files = calloc((size_t)n + 1, sizeof *m->files.files);
    if (!m->jobs || !m->files.files)
        return no_memory(m);
    m->n = m->files.n = (size_t)n;
    rt_build_share(m->jobs, m->n, NULL, m->n, m->o);
    for (int i = 0; i < m->n_parts; i++)
        for (uint64_t j = 0; j < m->rolls[i].head.n; j++) {
            const int status = take_file(m, i, &m->rolls[i].files[j]);
            if (status)
                return status;
        }
    return RT_OK;
}

static int
gather(merging *m, const char *paths[], int n)
{
    int status = RT_OK;
    m->parts = calloc((size_t)n, sizeof *m->parts);
    m->rolls = calloc((size_t)n, sizeof *m->rolls);
    if (!m->parts || !m->rolls)
        return no_memory(m);
    for (int i = 0; !status && i < n; i++)
        status = open_parts(m, paths[i]);
    for (int i = 1; !status && i < n; i++)
        status = compare(m, i);
    if (!status)
        status = check_shards(m);
    return status ? status : make_jobs(m);
}

/* ---- The command ------------------------------------------------------------------
 */

static int
merge(merging *m, const char *paths[], int n)
{
    const double began = rt_seconds();
    int status = gather(m, paths, n);
    if (status) {
        rt_say("%s", m->why);
        return status;
    }
    if (rt_name_skipped(m->jobs, m->n) == m->n) {
        rt_say("none of the %zu files could be used; nothing was written", m->n);
        return RT_DATA;
    }
    rt_store *store = rt_build_store(m->o, m->o->build.output);
    if (!store) {
        no_memory(m);
        rt_say("%s", m->why);
        return RT_SOFTWARE;
    }
    status = rt_build_index(m->jobs, m->n, m->o, store, 0, began, NULL);
    rt_store_free(store);
    return rt_finish_output(status);
}

static void
free_merging(merging *m)
{
    for (size_t i = 0; i < m->n; i++)
        rt_job_free(&m->jobs[i]);
    for (int i = 0; i < m->n_parts; i++)
        rt_parts_close(m->parts[i]);
    free(m->jobs);
    free(m->parts);
    free(m->rolls);
    rt_files_free(&m->files);
}

int
rt_cmd_merge(int argc, char **argv)
{
    rt_options o;
    merging m = {.o = &o};
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_MERGE, argc, argv, rest, &status);
    if (n == 0) {
        rt_say("merge what? name the parts files of all shards; see hearken merge "
               "--help");
        status = RT_USAGE;
    } else if (n > 0) {
        status = rt_plan_status(&o);
        if (!status)
            status = rt_check_output(o.build.output);
        if (!status)
            status = rt_check_labels(o.build.labels);
    }
    if (n > 0 && !status) {
        dsp_thread_init();
        rt_catch_stop();
        status = merge(&m, rest, n);
    }
    free_merging(&m);
    free(rest);
    return status;
}
