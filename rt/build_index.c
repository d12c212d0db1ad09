#include "build_index.h"

#include "background.h"
#include "labels.h"
#include "load.h"
#include "rt.h"
#include "search_plan.h"
#include "self.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NAMED_AT_MOST = 20,
    /* What threads, spectra and the learning of 1350 values of a scene need besides. */
    FIXED_MB = 200,
};

rt_store *
rt_build_store(const rt_options *o, const char *path)
{
    const uint64_t mb = o->build.memory_mb;
    const uint64_t bound = mb > FIXED_MB ? (mb - FIXED_MB) << 20 : 1;
    return rt_store_new(path, mb ? bound : 0);
}

/* Names what was passed over, and counts it. */
size_t
rt_name_skipped(const rt_job jobs[], size_t n)
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
int
rt_check_labels(const char *labels)
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
report(const rt_corpus *c, const rt_job jobs[], size_t n, size_t n_other,
       const char *path, double merged_s, double total_s)
{
    double decode = 0, listen = 1e-9, copies = 0, heard = 0;
    const idx_scale *scales[IDX_SCALES];
    for (size_t i = 0; i < n; i++) {
        decode += jobs[i].decode_s;
        listen += jobs[i].listen_s;
        copies += jobs[i].copy_s;
        heard += *jobs[i].trouble || jobs[i].taken ? 0 : jobs[i].seconds;
    }
    printf("%s: %u sounds, %.2f hours; %zu skipped, %zu other files\n", path,
           c->contents.n_sounds, c->seconds / 3600, n - c->contents.n_sounds, n_other);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        scales[s] = &c->contents.scales[s];
    rt_print_scales(scales, "  ");
    printf("  %.1f s; computing: decoding %.2f s, listening %.2f s (%.0f times real "
           "time), degraded copies %.2f s, learning and arranging %.2f s\n",
           total_s, decode, listen, heard / listen, copies, merged_s);
}

/* Asks the index for noise, and writes it once more with what it answered: only now can
 * it be asked. Where that fails it is whole nevertheless; an exit status. */
static int
calibrate(const rt_options *o)
{
    char why[1500];
    idx_index *index;
    rt_background *background = NULL;
    int status = rt_load(&index, o->build.output, NULL, false);
    if (status)
        return status;
    if (!rt_background_new(&background, index, o, why, sizeof why) ||
        idx_rewrite(o->build.output, index, NULL, rt_background_noises(background),
                    &rt_stop, why, sizeof why)) {
        rt_say("%s is written, but is calibrated each time it is opened: %s",
               o->build.output, why);
        status = atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_OK;
    }
    rt_background_free(background);
    idx_close(index);
    return status;
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

/* Says what ended a build early. */
static void
say_failed(const char *why, const rt_parts *parts)
{
    const bool stopped = atomic_load(&rt_stop);
    if (parts)
        rt_say("%s%s; what was found out is kept in %s, and the same command goes on "
               "from there",
               stopped ? "stopped" : why, stopped ? "; no index was written" : "",
               rt_parts_path(parts));
    else
        rt_say("%s", stopped ? "stopped; nothing was written" : why);
}

int
rt_build_index(rt_job jobs[], size_t n, const rt_options *o, rt_store *store,
               size_t n_other, double began, rt_parts *parts)
{
    char why[1500] = "";
    rt_corpus corpus;
    int status = RT_OK;
    const double merging = rt_cpu_seconds();
    if (!rt_build_merge(&corpus, jobs, n, o, store, why, sizeof why))
        status = RT_SOFTWARE;
    if (!status && parts && rt_parts_error(parts) && !o->build.update) {
        rt_parts_give_up(parts);
        parts = NULL;
    }
    if (!status &&
        idx_write(o->build.output, &corpus.contents, &rt_stop, why, sizeof why))
        status = RT_IO;
    if (status && atomic_load(&rt_stop))
        status = RT_INTERRUPTED;
    if (status)
        say_failed(why, parts);
    else
        report(&corpus, jobs, n, n_other, o->build.output, rt_cpu_seconds() - merging,
               rt_seconds() - began);
    rt_corpus_free(&corpus);
    if (!status)
        status = calibrate(o);
    return status ? status : ask_for_all(o);
}
