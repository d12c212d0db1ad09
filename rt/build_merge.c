/* From the raw features of all files to the contents of an index. */
#include "build.h"
#include "rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_KNOTS = 257, CALIBRATION_SAMPLE = 500 };

static bool
no_memory(char *why, size_t why_len)
{
    snprintf(why, why_len,
             "there is not enough memory for all embeddings; build from fewer "
             "sounds");
    return false;
}

static bool
list_sounds(rt_corpus *c, const rt_job jobs[], size_t n)
{
    enum { LABEL = IDX_MAX_LABEL + 1 };
    c->sounds = calloc(n ? n : 1, sizeof *c->sounds);
    c->labels = calloc(n ? n : 1, LABEL);
    if (!c->sounds || !c->labels)
        return false;
    uint32_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (*jobs[i].trouble)
            continue;
        char *label = c->labels + (size_t)kept * LABEL;
        rt_path_label(jobs[i].file->path, label, LABEL);
        c->sounds[kept++] = (idx_sound){.path = jobs[i].file->path,
                                        .label = label,
                                        .seconds = jobs[i].seconds,
                                        .rate_hz = jobs[i].rate_hz,
                                        .n_channels = jobs[i].n_channels};
        c->seconds += jobs[i].seconds;
    }
    c->contents.n_sounds = kept;
    c->contents.sounds = c->sounds;
    return true;
}

/* Puts the rows of one scale of all files behind one another. */
static bool
gather(rt_corpus *c, rt_job jobs[], size_t n, dsp_scale scale, char *why,
       size_t why_len)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += *jobs[i].trouble ? 0 : jobs[i].rows[scale].n;
    if (total > UINT32_MAX / 2) {
        snprintf(why, why_len, "%llu entries at scale %s; an index holds 2147483647",
                 (unsigned long long)total, dsp_scale_name[scale]);
        return false;
    }
    const size_t room = total ? (size_t)total : 1;
    c->scale[scale].rows = malloc(room * DSP_RAW * sizeof(float));
    c->scale[scale].entries = calloc(room, sizeof(idx_entry));
    if (!c->scale[scale].rows || !c->scale[scale].entries)
        return no_memory(why, why_len);
    uint32_t sound = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        rt_rows *r = &jobs[i].rows[scale];
        if (*jobs[i].trouble)
            continue;
        for (uint32_t j = 0; j < r->n; j++)
            r->entries[j].sound = sound;
        if (r->n) {
            memcpy(c->scale[scale].rows + (size_t)at * DSP_RAW, r->raw,
                   (size_t)r->n * DSP_RAW * sizeof(float));
            memcpy(c->scale[scale].entries + at, r->entries, r->n * sizeof *r->entries);
        }
        at += r->n;
        sound++;
        free(r->raw);
        free(r->entries);
        *r = (rt_rows){0};
    }
    c->contents.scales[scale].n_entries = at;
    return true;
}

/* Projects the rows in place; those without direction fall out. */
static void
project(rt_corpus *c, dsp_scale scale)
{
    idx_scale *sc = &c->contents.scales[scale];
    const dsp_projection p = {DSP_RAW, DSP_RAW, sc->mean, sc->spread, NULL};
    float *rows = c->scale[scale].rows, out[DSP_RAW], unused[1];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sc->n_entries; i++) {
        if (!dsp_project(&p, rows + (size_t)i * DSP_RAW, unused, out))
            continue;
        memcpy(rows + (size_t)kept * DSP_RAW, out, sizeof out);
        c->scale[scale].entries[kept++] = c->scale[scale].entries[i];
    }
    sc->n_entries = kept;
}

static void
show_tuning(void *ctx, double share)
{
    rt_progress_step(ctx, share, 1, "");
}

static bool
fit(rt_corpus *c, dsp_scale scale, const rt_options *o, char *why, size_t why_len)
{
    idx_scale *sc = &c->contents.scales[scale];
    float *mean = calloc(DSP_RAW, sizeof *mean),
          *spread = calloc(DSP_RAW, sizeof *spread);
    float *knots = calloc(N_KNOTS, sizeof *knots);
    c->scale[scale].mean = mean;
    c->scale[scale].spread = spread;
    c->scale[scale].knots = knots;
    if (!mean || !spread || !knots)
        return no_memory(why, why_len);
    dsp_fit_spread(c->scale[scale].rows, sc->n_entries, mean, spread);
    sc->n_in = sc->dim = DSP_RAW;
    sc->n_knots = N_KNOTS;
    sc->mean = mean;
    sc->spread = spread;
    project(c, scale);
    sc->rows = c->scale[scale].rows;
    sc->entries = c->scale[scale].entries;
    sc->knots = knots;

    sc->params = (idx_params){
        .family = o->index.family == RT_FAMILY_EXACT ? IDX_EXACT : IDX_HYPERPLANE,
        .n_planes = o->index.planes,
        .n_tables = o->index.tables,
        .n_probes = o->index.probes,
        .max_candidates = o->index.max_candidates};
    char what[60];
    rt_progress p;
    snprintf(what, sizeof what, "arranging scale %s", dsp_scale_name[scale]);
    rt_progress_begin(&p, what);
    idx_status st = idx_calibrate(sc, CALIBRATION_SAMPLE, N_KNOTS, knots);
    if (!st)
        st = idx_tune(sc, c->contents.seed, o->index.recall,
                      o->index.family == RT_FAMILY_AUTO, &sc->params, show_tuning, &p);
    rt_progress_end(&p);
    if (st)
        snprintf(why, why_len, "scale %s: %s", dsp_scale_name[scale],
                 idx_status_text(st));
    return !st;
}

/* Settings that a search needs, and the report: only what is the same at every build.
 */
static bool
write_texts(rt_corpus *c, size_t n, const rt_options *o)
{
    enum { CAP = 4096 };
    c->settings = malloc(CAP);
    c->report = malloc(CAP);
    if (!c->settings || !c->report)
        return false;
    int at = snprintf(c->settings, CAP, "features = %s\n", RT_FEATURES);
    rt_options_write(o, "dsp", c->settings + at, (size_t)(CAP - at));
    at = snprintf(c->report, CAP, "hearken = %s\nfiles = %zu\nskipped = %zu\n",
                  RT_VERSION, n, n - c->contents.n_sounds);
    at += snprintf(c->report + at, (size_t)(CAP - at), "hours = %.6f\n",
                   c->seconds / 3600);
    rt_options_write(o, "index", c->report + at, (size_t)(CAP - at));
    c->contents.settings = c->settings;
    c->contents.report = c->report;
    return true;
}

bool
rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o, char *why,
               size_t why_len)
{
    *c = (rt_corpus){.contents.seed = o->build.seed};
    if (!list_sounds(c, jobs, n) || !write_texts(c, n, o))
        return no_memory(why, why_len);
    for (dsp_scale s = DSP_FRAME; s < DSP_SCALES; s++)
        if (!gather(c, jobs, n, s, why, why_len) || !fit(c, s, o, why, why_len))
            return false;
    return true;
}

void
rt_corpus_free(rt_corpus *c)
{
    for (size_t s = 0; s < DSP_SCALES; s++) {
        free(c->scale[s].rows);
        free(c->scale[s].mean);
        free(c->scale[s].spread);
        free(c->scale[s].knots);
        free(c->scale[s].entries);
    }
    free(c->sounds);
    free(c->labels);
    free(c->settings);
    free(c->report);
}
