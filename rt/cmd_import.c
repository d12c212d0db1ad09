/* hearken import FILE... -o x.hkn: vectors that others made become an index. */
#include "build_index.h"
#include "import.h"
#include "load.h"
#include "rt.h"
#include "search_plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMED_AT_MOST = 20 };

/* An import, and what is seen of it. */
typedef struct {
    rt_import import;
    rt_progress progress;
    rt_vector_fates fates;
    uint64_t n_told;
    int n_files, file; /* at work, from 0 */
} work;

static bool
take_row(void *ctx, const rt_vector *v, char *why, size_t why_len)
{
    work *w = ctx;
    if (atomic_load(&rt_stop)) {
        snprintf(why, why_len, "stopped; nothing was written");
        return false;
    }
    if (v->row % 1024 == 0)
        rt_progress_step(&w->progress, w->file + v->share, w->n_files, "");
    return rt_import_row(&w->import, v, why, why_len);
}

static void
name_left_out(void *ctx, const char *sentence)
{
    work *w = ctx;
    if (w->n_told++ < NAMED_AT_MOST)
        rt_say("%s", sentence);
}

/* Reads all files; an exit status. */
static int
read_files(work *w, const rt_options *o, const char *files[])
{
    char why[1400];
    const rt_vector_how how = {.raw_dim = o->import.raw,
                               .seconds = o->import.scale == RT_SCALE_EVENT};
    const rt_vector_sink sink = {w, take_row, name_left_out};
    int status = RT_OK;
    rt_progress_begin(&w->progress, "importing");
    for (; !status && w->file < w->n_files; w->file++) {
        w->import.file = files[w->file];
        if (rt_vectors_load(files[w->file], &how, &sink, &w->fates, why, sizeof why))
            continue;
        rt_say("%s", why);
        status = atomic_load(&rt_stop)          ? RT_INTERRUPTED
                 : access(files[w->file], R_OK) ? RT_NOINPUT
                                                : RT_DATA;
    }
    rt_progress_end(&w->progress);
    if (w->n_told > NAMED_AT_MOST)
        rt_say("%llu more were left out",
               (unsigned long long)(w->n_told - NAMED_AT_MOST));
    return status;
}

static void
print_left_out(const work *w)
{
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {{w->import.n_zero, "rows without direction"},
                 {w->fates.n_bad, "damaged records"},
                 {w->fates.n_tail, "rows of zeros at the end"}};
    const char *before = "; left out: ";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].n) {
            printf("%s%llu %s", before, (unsigned long long)parts[i].n, parts[i].what);
            before = ", ";
        }
    putchar('\n');
}

static void
report(const work *w, const char *path)
{
    const rt_import *im = &w->import;
    const idx_scale *scales[IDX_SCALES];
    printf("%s: %u vectors of %u values, %u sounds", path, im->n, im->dim,
           im->n_sounds);
    print_left_out(w);
    for (uint32_t s = 0; s < IDX_SCALES; s++)
        scales[s] = &im->contents.scales[s];
    rt_print_scales(scales, "  ");
}

static int
import(work *w, const rt_options *o, const char *files[])
{
    char why[1400];
    int status = read_files(w, o, files);
    if (status)
        return status;
    if (!rt_import_complete(&w->import, why, sizeof why))
        status = RT_DATA;
    else if (!rt_import_finish(&w->import, why, sizeof why))
        status = RT_SOFTWARE;
    else if (idx_write(o->import.output, &w->import.contents, &rt_stop, why,
                       sizeof why))
        status = RT_IO;
    if (atomic_load(&rt_stop)) {
        rt_say("stopped; nothing was written");
        return RT_INTERRUPTED;
    }
    if (status)
        rt_say("%s", why);
    else
        report(w, o->import.output);
    return rt_finish_output(status);
}

static int
load_names(rt_names *names, const rt_options *o, rt_store *store)
{
    char why[1400];
    if (!strcmp(o->import.labels, "none") ||
        rt_names_load(names, o->import.labels, store, why, sizeof why))
        return RT_OK;
    rt_say("%s", why);
    return access(o->import.labels, R_OK) ? RT_NOINPUT : RT_DATA;
}

int
rt_cmd_import(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_IMPORT, argc, argv, rest, &status);
    if (n == 0) {
        rt_say("import what? name one or more files of vectors; see hearken import "
               "--help");
        status = RT_USAGE;
    } else if (n > 0) {
        rt_store *store = rt_build_store(&o, o.import.output);
        rt_names names = {0};
        work w = {.import = {.o = &o, .names = &names, .store = store}, .n_files = n};
        rt_catch_stop();
        if (!store)
            rt_say("there is not enough memory to import anything");
        status = store ? rt_plan_status(&o) : RT_SOFTWARE;
        if (!status)
            status = rt_check_output(o.import.output);
        if (!status)
            status = load_names(&names, &o, store);
        if (!status)
            status = import(&w, &o, rest);
        rt_import_free(&w.import);
        rt_names_free(&names);
        rt_store_free(store);
    }
    free(rest);
    return status;
}
