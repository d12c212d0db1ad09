/* hearken eval CORPUS SPLIT.csv: how well sounds find what people called alike. */
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
#include <unistd.h>

typedef struct {
    const rt_options *options;
    eval_sound *sounds;
    char **paths;
    size_t n;
    bool degrade;
    pthread_mutex_t planning; /* FFTW plans on one thread at a time */
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
        pthread_mutex_lock(&e->planning);
        const dsp_status st =
            dsp_degrade(d, x, n, rate_hz, e->options->build.seed, &copy, &m);
        pthread_mutex_unlock(&e->planning);
        if (st)
            return false;
        const bool ok =
            eval_features(copy, m, rate_hz, e->options, &e->planning, clip, NULL);
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
    uint32_t rate_hz;
    float *x = read_file(e->paths[i], &n, &rate_hz, s->trouble, sizeof s->trouble);
    for (size_t k = 0; k < EVAL_SERIES; k++) {
        clip[k] = &s->rows[k][EVAL_CLIP];
        windows[k] = &s->rows[k][EVAL_WINDOW];
    }
    if (x) {
        bool ok = eval_features(x, n, rate_hz, e->options, &e->planning, clip, windows);
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

/* Absolute path of a row's file, whose name is relative to the folder of the CSV; NULL
 * when it is not there. */
static char *
resolve(const char *csv, const char *file)
{
    const char *slash = strrchr(csv, '/');
    const int folder = slash ? (int)(slash - csv + 1) : 0;
    const size_t len = (size_t)folder + strlen(file) + 1;
    char *joined = malloc(len), *path = NULL;
    if (joined) {
        snprintf(joined, len, "%.*s%s", folder, csv, file);
        path = realpath(joined, NULL);
    }
    free(joined);
    return path;
}

static bool
lies_below(const char *path, const char *folder)
{
    const size_t n = strlen(folder);
    return !strncmp(path, folder, n) && path[n] == '/';
}

/* The rows whose files lie below the corpus; n stays 0 when there are none. */
static bool
take_rows(evaluation *e, const rt_split *split, const char *csv, const char *corpus)
{
    char *root = realpath(corpus, NULL);
    const char *missing = NULL;
    size_t n_missing = 0;
    e->sounds = calloc(split->n + 1, sizeof *e->sounds);
    e->paths = calloc(split->n + 1, sizeof *e->paths);
    for (size_t i = 0; root && e->sounds && e->paths && i < split->n; i++) {
        char *path = resolve(csv, split->rows[i].file);
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

static const char *const level_name[EVAL_LEVELS] = {"clip", "window"};

static void
print_table(const eval_result *r)
{
    const eval_ranking *g = &r->ranking[EVAL_HEARKEN][EVAL_CLIP];
    printf("%u sounds stored, %u ask (%u of them with nothing like them stored)\n\n",
           g->n_stored, g->n_queries, g->n_unanswerable);
    puts("level   series    mAP@10  mAP@all    P@1   P@10   percent");
    for (size_t l = 0; l < EVAL_LEVELS; l++)
        for (size_t e = 0; e < EVAL_SERIES; e++) {
            g = &r->ranking[e][l];
            printf("%-6s  %-8s  %6.1f  %7.1f  %5.1f  %5.1f\n", level_name[l],
                   eval_series_name[e], 100 * g->map_10, 100 * g->map_all, 100 * g->p_1,
                   100 * g->p_10);
        }
    if (!r->degraded)
        return;
    printf("\nrecall@1 of the original by its degraded copy, clip level\n%-12s",
           "percent");
    for (size_t e = 0; e < EVAL_SERIES; e++)
        printf("  %8s", eval_series_name[e]);
    for (size_t d = 0; d < DSP_DEGRADATIONS; d++) {
        printf("\n%-12s", dsp_degradation_name[d]);
        for (size_t e = 0; e < EVAL_SERIES; e++)
            printf("  %8.1f", 100 * r->recall_1[e][d]);
    }
    printf("\n%-12s", "mean");
    for (size_t e = 0; e < EVAL_SERIES; e++)
        printf("  %8.1f", 100 * mean_recall(r->recall_1[e]));
    printf("\n%-12s", "mean @10");
    for (size_t e = 0; e < EVAL_SERIES; e++)
        printf("  %8.1f", 100 * mean_recall(r->recall_10[e]));
    putchar('\n');
}

static void
print_json(const eval_result *r)
{
    for (size_t l = 0; l < EVAL_LEVELS; l++)
        for (size_t e = 0; e < EVAL_SERIES; e++) {
            const eval_ranking *g = &r->ranking[e][l];
            printf("{\"level\":\"%s\",\"series\":\"%s\",\"stored\":%u,\"queries\":%u,"
                   "\"unanswerable\":%u,\"map_10\":%.6f,\"map_all\":%.6f,\"p_1\":%.6f,"
                   "\"p_10\":%.6f",
                   level_name[l], eval_series_name[e], g->n_stored, g->n_queries,
                   g->n_unanswerable, g->map_10, g->map_all, g->p_1, g->p_10);
            for (size_t k = 0; k < EVAL_POINTS; k++)
                printf("%s%.6f", k ? "," : ",\"precision\":[", g->precision[k]);
            fputs("]}\n", stdout);
        }
    for (size_t d = 0; r->degraded && d < DSP_DEGRADATIONS; d++)
        for (size_t e = 0; e < EVAL_SERIES; e++)
            printf("{\"degradation\":\"%s\",\"series\":\"%s\",\"recall_1\":%.6f,"
                   "\"recall_10\":%.6f}\n",
                   dsp_degradation_name[d], eval_series_name[e], r->recall_1[e][d],
                   r->recall_10[e][d]);
}

static bool
draw(const eval_result *r, const char *path, const char *corpus, char *why, size_t len)
{
    rt_plot p = {.title = corpus,
                 .curve_title = "Precision over recall, clip level",
                 .bar_title = "Found again by a degraded copy",
                 .bar_axis = "recall@1",
                 .n_curves = EVAL_SERIES,
                 .n_sets = EVAL_SERIES,
                 .n_bars = r->degraded ? DSP_DEGRADATIONS : 0};
    for (size_t e = 0; e < EVAL_SERIES; e++) {
        p.set_name[e] = eval_series_name[e];
        p.curve[e] = (rt_plot_curve){eval_series_name[e], NULL,
                                     r->ranking[e][EVAL_CLIP].precision, EVAL_POINTS};
    }
    for (size_t d = 0; d < p.n_bars; d++) {
        p.bar[d].name = dsp_degradation_name[d];
        for (size_t e = 0; e < EVAL_SERIES; e++)
            p.bar[d].value[e] = r->recall_1[e][d];
    }
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
    if (!status) {
        result->degraded = e->degrade;
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

static int
eval_corpus(const rt_options *o, const char *corpus, const char *csv)
{
    char why[500];
    rt_split split;
    evaluation e = {.options = o, .degrade = o->eval.degrade};
    int status = RT_OK;
    if (!rt_split_load(&split, csv, why, sizeof why)) {
        rt_say("%s", why);
        status = access(csv, R_OK) ? RT_NOINPUT : RT_DATA;
    } else if (!take_rows(&e, &split, csv, corpus)) {
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
        pthread_mutex_init(&e.planning, NULL);
        status = evaluate(&e, corpus);
        pthread_mutex_destroy(&e.planning);
    }
    for (size_t i = 0; i < e.n; i++) {
        eval_sound_free(&e.sounds[i]);
        free(e.paths[i]);
    }
    free(e.sounds);
    free(e.paths);
    rt_split_free(&split);
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
