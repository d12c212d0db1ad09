/* hearken eval CORPUS|x.hkn SPLIT.csv: how well sounds find what people called alike.
 */
#define _DEFAULT_SOURCE /* realpath */
#include "eval.h"
#include "load.h"
#include "out.h"
#include "parallel.h"
#include "plot.h"
#include "rt.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const rt_options *options;
    idx_index *index;
    eval_sound *sounds;
    char **paths;
    size_t n;
    bool degrade;
    atomic_size_t done;
    rt_progress progress;
} evaluation;

/* Decodes a whole file; NULL with trouble. */
static float *
read_file(const char *path, size_t *n, uint32_t *rate_hz, char *trouble, size_t len)
{
    rt_sound *sound;
    rt_sound_info info;
    float *x = NULL;
    size_t cap = 0, got;
    *n = 0;
    if (!rt_sound_open(&sound, path, &info, trouble, len))
        return NULL;
    do {
        if (*n + 8192 > cap) {
            cap = cap ? 2 * cap : 1U << 18;
            float *grown = realloc(x, cap * sizeof *x);
            if (!grown) {
                snprintf(trouble, len, "not enough memory to decode it");
                break;
            }
            x = grown;
        }
        got = rt_sound_read(sound, x + *n, 8192, trouble, len);
        *n += got;
    } while (got > 0);
    rt_sound_close(sound);
    *rate_hz = info.rate_hz;
    if (!*trouble && *n < info.rate_hz / DSP_HOPS_PER_S)
        snprintf(trouble, len, "too short: less than 10 ms");
    if (!*trouble)
        return x;
    free(x);
    return NULL;
}

static bool
degrade_all(evaluation *e, eval_sound *s, const float x[], size_t n, uint32_t rate_hz)
{
    for (dsp_degradation d = 0; d < DSP_DEGRADATIONS; d++) {
        eval_rows *clip[EVAL_SERIES];
        float *copy;
        size_t m;
        for (size_t k = 0; k < EVAL_SERIES; k++)
            clip[k] = &s->degraded[k][d];
        /* another seed than the build's, which has learned from its copies */
        const dsp_status st =
            dsp_degrade(d, x, n, rate_hz, e->options->build.seed + 1, &copy, &m);
        if (st)
            return false;
        const bool ok =
            eval_baselines(copy, m, rate_hz, clip, NULL) &&
            eval_own(copy, m, rate_hz, e->index, e->options, clip, NULL, NULL);
        free(copy);
        if (!ok)
            return false;
    }
    return true;
}

static void
run_one(void *ctx, size_t i)
{
    evaluation *e = ctx;
    eval_sound *s = &e->sounds[i];
    eval_rows *clip[EVAL_SERIES], *windows[EVAL_SERIES];
    size_t n;
    uint32_t rate_hz = 0;
    float *x = read_file(e->paths[i], &n, &rate_hz, s->trouble, sizeof s->trouble);
    for (size_t k = 0; k < EVAL_SERIES; k++) {
        clip[k] = &s->rows[k][EVAL_CLIP];
        windows[k] = &s->rows[k][EVAL_WINDOW];
    }
    if (x) {
        bool ok = eval_baselines(x, n, rate_hz, clip, windows);
        if (ok && s->row->query)
            ok = eval_own(x, n, rate_hz, e->index, e->options, clip, windows,
                          s->beginning);
        if (ok && e->degrade && !s->row->query)
            ok = degrade_all(e, s, x, n, rate_hz);
        if (!ok)
            snprintf(s->trouble, sizeof s->trouble, "not enough memory to analyse it");
    }
    free(x);
    atomic_fetch_add(&e->done, 1);
}

static void
show(void *ctx)
{
    evaluation *e = ctx;
    rt_progress_step(&e->progress, (double)atomic_load(&e->done), (double)e->n, "");
}

static bool
lies_below(const char *path, const char *folder)
{
    const size_t n = strcmp(folder, "/") ? strlen(folder) : 0;
    return !strncmp(path, folder, n) && path[n] == '/';
}

/* The rows whose files lie below the corpus (NULL: all); n stays 0 when there are none.
 */
static bool
take_rows(evaluation *e, const rt_split *split, const char *csv, const char *corpus)
{
    char *root = realpath(corpus ? corpus : "/", NULL);
    const char *missing = NULL;
    size_t n_missing = 0;
    e->sounds = calloc(split->n + 1, sizeof *e->sounds);
    e->paths = calloc(split->n + 1, sizeof *e->paths);
    for (size_t i = 0; root && e->sounds && e->paths && i < split->n; i++) {
        char *path = rt_resolve_beside(csv, split->rows[i].file);
        if (path && lies_below(path, root)) {
            e->paths[e->n] = path;
            e->sounds[e->n++].row = &split->rows[i];
            continue;
        }
        if (!path && !n_missing++)
            missing = split->rows[i].file;
        free(path);
    }
    if (n_missing)
        rt_say(
            "%s: %zu of its %zu files are not there (the first: %s); going on without",
            csv, n_missing, split->n, missing);
    const bool ok = e->sounds && e->paths;
    free(root);
    return ok;
}

static double
mean_recall(const double recall[DSP_DEGRADATIONS])
{
    double sum = 0;
    for (size_t d = 0; d < DSP_DEGRADATIONS; d++)
        sum += recall[d] / DSP_DEGRADATIONS;
    return sum;
}

/* The best single match is never refined: its recall would be that of hearken. */
static bool
shows_copies(const eval_result *r, size_t series)
{
    return r->there[series] && series != EVAL_REFINED;
}

static const char *const level_name[EVAL_LEVELS] = {"clip", "window"};

/* One line of the table of copies. */
static void
print_recall(const eval_result *r, const char *name, const double value[EVAL_SERIES])
{
    printf("%-12s", name);
    for (size_t e = 0; e < EVAL_SERIES; e++)
        if (shows_copies(r, e))
            printf("  %8.1f", 100 * value[e]);
    putchar('\n');
}

static void
print_recalls(const eval_result *r)
{
    double value[EVAL_SERIES], value_10[EVAL_SERIES];
    printf("\nrecall@1 of the original by its degraded copy, clip level\n%-12s",
           "percent");
    for (size_t e = 0; e < EVAL_SERIES; e++)
        if (shows_copies(r, e))
            printf("  %8s", eval_series_name[e]);
    putchar('\n');
    for (size_t d = 0; d < DSP_DEGRADATIONS; d++) {
        for (size_t e = 0; e < EVAL_SERIES; e++)
            value[e] = r->recall_1[e][d];
        print_recall(r, dsp_degradation_name[d], value);
    }
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        value[e] = mean_recall(r->recall_1[e]);
        value_10[e] = mean_recall(r->recall_10[e]);
    }
    print_recall(r, "mean", value);
    print_recall(r, "mean @10", value_10);
}

static void
print_table(const eval_result *r)
{
    const eval_ranking *g = &r->ranking[EVAL_HEARKEN][EVAL_CLIP];
    printf("%u sounds stored, %u ask (%u of them with nothing like them stored)\n\n",
           g->n_stored, g->n_queries, g->n_unanswerable);
    puts("level   series    mAP@10  mAP@all    P@1   P@10   percent");
    for (size_t l = 0; l < EVAL_LEVELS; l++)
        for (size_t e = 0; e < EVAL_SERIES; e++) {
            if (!r->there[e])
                continue;
            g = &r->ranking[e][l];
            printf("%-6s  %-8s  %6.1f  %7.1f  %5.1f  %5.1f\n", level_name[l],
                   eval_series_name[e], 100 * g->map_10, 100 * g->map_all, 100 * g->p_1,
                   100 * g->p_10);
        }
    puts("\nhearken so soon after the onset (event scale), percent\n"
         "  ms  queries  mAP@10    P@1   P@10");
    for (size_t k = 0; k < EVAL_BEGINNINGS; k++) {
        g = &r->beginning[k];
        printf("%4.0f  %7u  %6.1f  %5.1f  %5.1f\n", 1000 * eval_beginning_s[k],
               g->n_queries, 100 * g->map_10, 100 * g->p_1, 100 * g->p_10);
    }
    if (r->degraded)
        print_recalls(r);
}

static void
print_json(const eval_result *r)
{
    for (size_t l = 0; l < EVAL_LEVELS; l++)
        for (size_t e = 0; e < EVAL_SERIES; e++) {
            const eval_ranking *g = &r->ranking[e][l];
            if (!r->there[e])
                continue;
            printf("{\"level\":\"%s\",\"series\":\"%s\",\"stored\":%u,\"queries\":%u,"
                   "\"unanswerable\":%u,\"map_10\":%.6f,\"map_all\":%.6f,\"p_1\":%.6f,"
                   "\"p_10\":%.6f",
                   level_name[l], eval_series_name[e], g->n_stored, g->n_queries,
                   g->n_unanswerable, g->map_10, g->map_all, g->p_1, g->p_10);
            for (size_t k = 0; k < EVAL_POINTS; k++)
                printf("%s%.6f", k ? "," : ",\"precision\":[", g->precision[k]);
            fputs("]}\n", stdout);
        }
    for (size_t k = 0; k < EVAL_BEGINNINGS; k++) {
        const eval_ranking *g = &r->beginning[k];
        printf("{\"since_onset\":%.2f,\"queries\":%u,\"map_10\":%.6f,\"p_1\":%.6f,"
               "\"p_10\":%.6f}\n",
               eval_beginning_s[k], g->n_queries, g->map_10, g->p_1, g->p_10);
    }
    for (size_t d = 0; r->degraded && d < DSP_DEGRADATIONS; d++)
        for (size_t e = 0; e < EVAL_SERIES; e++)
            if (shows_copies(r, e))
                printf("{\"degradation\":\"%s\",\"series\":\"%s\",\"recall_1\":%.6f,"
                       "\"recall_10\":%.6f}\n",
                       dsp_degradation_name[d], eval_series_name[e], r->recall_1[e][d],
                       r->recall_10[e][d]);
}

static bool
draw(const eval_result *r, const char *path, const char *corpus, char *why, size_t len)
{
    const char *slash = strrchr(corpus, '/');
    rt_plot p = {.title = slash && slash[1] ? slash + 1 : corpus,
                 .curve_title = "Precision over recall, clip level",
                 .bar_title = "Found again by a degraded copy",
                 .bar_axis = "recall@1",
                 .n_bars = r->degraded ? DSP_DEGRADATIONS : 0};
    for (size_t e = 0; e < EVAL_SERIES; e++)
        if (r->there[e])
            p.curve[p.n_curves++] =
                (rt_plot_curve){eval_series_name[e], NULL,
                                r->ranking[e][EVAL_CLIP].precision, EVAL_POINTS};
    for (size_t e = 0; e < EVAL_SERIES; e++)
        /* the space of labels is not for finding the very sound */
        if (shows_copies(r, e) && e != EVAL_LABELS) {
            for (size_t d = 0; d < p.n_bars; d++)
                p.bar[d].value[p.n_sets] = r->recall_1[e][d];
            p.set_name[p.n_sets++] = eval_series_name[e];
        }
    for (size_t d = 0; d < p.n_bars; d++)
        p.bar[d].name = dsp_degradation_name[d];
    return rt_plot_write(path, &p, why, len);
}

/* Names what could not be used and takes it out; an exit status. */
static int
check_sounds(evaluation *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n; i++) {
        if (*e->sounds[i].trouble) {
            rt_say("%s: left out: %s", e->paths[i], e->sounds[i].trouble);
            eval_sound_free(&e->sounds[i]);
            free(e->paths[i]);
            continue;
        }
        e->sounds[n] = e->sounds[i];
        e->paths[n++] = e->paths[i];
    }
    e->n = n;
    return n ? RT_OK : RT_DATA;
}

static bool
has_labels(const idx_index *index)
{
    return idx_scale_of(index, DSP_SCALES + DSP_EVENT)->n_entries > 0;
}

/* Gives the stored sounds the rows that the index has of them; one that is not in it
 * keeps none, and is never found. */
static bool
take_stored(evaluation *e)
{
    for (uint32_t i = 0; i < idx_n_sounds(e->index); i++) {
        const char *path = idx_sound_of(e->index, i).path;
        for (size_t j = 0; j < e->n; j++)
            if (!e->sounds[j].row->query && !strcmp(e->paths[j], path) &&
                !eval_stored(e->index, i, &e->sounds[j]))
                return false;
    }
    return true;
}

static int
evaluate(evaluation *e, const char *corpus)
{
    eval_result *result = calloc(1, sizeof *result);
    char why[400] = "";
    int status = RT_OK;
    rt_progress_begin(&e->progress, "listening to both sides");
    if (!result || !rt_parallel(e->n, e->options->build.threads, run_one, show, e))
        status = RT_SOFTWARE;
    rt_progress_end(&e->progress);
    if (atomic_load(&rt_stop))
        status = RT_INTERRUPTED;
    if (!status)
        status = check_sounds(e);
    if (!status && !take_stored(e))
        status = RT_SOFTWARE;
    if (!status) {
        result->degraded = e->degrade;
        for (size_t k = 0; k < EVAL_SERIES; k++)
            result->there[k] = k != EVAL_LABELS || has_labels(e->index);
        if (!eval_measure(result, e->sounds, e->n))
            status = RT_SOFTWARE;
    }
    if (status == RT_SOFTWARE)
        rt_say("there is not enough memory or no thread for this evaluation");
    if (!status && rt_out_format(e->options->out.format, stdout) == RT_FORMAT_JSON)
        print_json(result);
    else if (!status && e->options->out.format != RT_FORMAT_NONE)
        print_table(result);
    const char *plot = e->options->eval.plot;
    if (!status && strcmp(plot, "none") != 0 &&
        !draw(result, plot, corpus, why, sizeof why)) {
        rt_say("%s", why);
        status = RT_IO;
    }
    free(result);
    return rt_finish_output(status);
}

/* ---- The index --------------------------------------------------------------------
 */

/* Builds an index of the stored sounds, in memory's place a file that is gone at once.
 */
static int
build_index(evaluation *e, const char *csv, char *why, size_t len)
{
    const char *tmp = getenv("TMPDIR");
    char path[RT_TEXT];
    rt_options o = *e->options;
    rt_files files = {.files = calloc(e->n + 1, sizeof *files.files)};
    rt_job *jobs = calloc(e->n + 1, sizeof *jobs);
    rt_corpus corpus = {0};
    snprintf(o.build.labels, sizeof o.build.labels, "%s", csv);
    snprintf(path, sizeof path, "%s/hearken-eval-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    const int fd = mkstemp(path);
    int status = files.files && jobs ? RT_OK : RT_SOFTWARE;
    if (fd < 0) {
        snprintf(why, len, "%s: cannot be written; set TMPDIR to a folder that can",
                 path);
        status = RT_IO;
    }
    for (size_t i = 0; !status && i < e->n; i++)
        if (!e->sounds[i].row->query)
            files.files[files.n++].path = e->paths[i];
    if (!status)
        rt_files_sort(&files);
    for (size_t i = 0; !status && i < files.n; i++)
        jobs[i].file = &files.files[i];
    if (!status)
        rt_build_share(jobs, files.n, NULL, files.n, &o);
    if (!status &&
        (!rt_build_analyse(jobs, files.n, o.build.threads, &o, NULL, why, len) ||
         !rt_build_merge(&corpus, jobs, files.n, &o, NULL, why, len)))
        status = atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_SOFTWARE;
    if (!status && (idx_write(path, &corpus.contents, &rt_stop, why, len) ||
                    idx_open(&e->index, path, why, len)))
        status = atomic_load(&rt_stop) ? RT_INTERRUPTED : RT_IO;
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    rt_corpus_free(&corpus);
    for (size_t i = 0; jobs && i < files.n; i++)
        rt_job_free(&jobs[i]);
    free(jobs);
    free(files.files);
    return status;
}

static int
eval_corpus(rt_options *o, const char *corpus, const char *csv)
{
    char why[1500] = "";
    struct stat st;
    rt_split split = {0};
    evaluation e = {.options = o, .degrade = o->eval.degrade};
    int status = RT_OK;
    const bool is_index = stat(corpus, &st) == 0 && S_ISREG(st.st_mode);
    if (is_index)
        status = rt_load(&e.index, corpus, o, false);
    if (status)
        return status;
    if (!rt_split_load(&split, csv, why, sizeof why)) {
        rt_say("%s", why);
        status = access(csv, R_OK) ? RT_NOINPUT : RT_DATA;
    } else if (!take_rows(&e, &split, csv, is_index ? NULL : corpus)) {
        rt_say("there is not enough memory for this evaluation");
        status = RT_SOFTWARE;
    } else if (!e.n) {
        rt_say("none of the %zu files in %s lies in %s; they are looked for beside the "
               "CSV",
               split.n, csv, corpus);
        status = RT_NOINPUT;
    } else {
        dsp_thread_init();
        rt_catch_stop();
        if (!is_index)
            status = build_index(&e, csv, why, sizeof why);
        if (status && status != RT_INTERRUPTED)
            rt_say("%s", *why ? why : "there is not enough memory for this evaluation");
        if (!status)
            status = evaluate(&e, corpus);
    }
    for (size_t i = 0; i < e.n; i++) {
        eval_sound_free(&e.sounds[i]);
        free(e.paths[i]);
    }
    free(e.sounds);
    free(e.paths);
    rt_split_free(&split);
    idx_close(e.index);
    return status;
}

int
rt_cmd_eval(int argc, char **argv)
{
    rt_options o;
    int status;
    const char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return RT_SOFTWARE;
    const int n = rt_options_parse(&o, RT_EVAL, argc, argv, rest, &status);
    if (n == 2) {
        status = eval_corpus(&o, rest[0], rest[1]);
    } else if (n >= 0) {
        rt_say("name a folder of sounds and a CSV; see hearken eval --help");
        status = RT_USAGE;
    }
    free(rest);
    return status;
}
