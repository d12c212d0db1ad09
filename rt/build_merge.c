/* From the raw features of all files to the contents of an index. */
#include "build.h"
#include "labels.h"
#include "rt.h"
#include "search_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_LABELS = 3 };

static bool
no_memory(char *why, size_t why_len)
{
    snprintf(why, why_len,
             "there is not enough memory for all embeddings; build from fewer "
             "sounds");
    return false;
}

/* Fills the sounds; labels are the names of folders, or those of the table. */
static bool
list_sounds(rt_corpus *c, const rt_job jobs[], size_t n, const rt_labels *table)
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
        const char *given = rt_labels_of(table, jobs[i].file->path);
        if (given)
            snprintf(label, LABEL, "%s", given);
        else
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

static int
by_label(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Numbers the labels in their order; a sound that the table does not name has none. */
static bool
number_labels(rt_corpus *c, const rt_labels *table)
{
    const uint32_t n = c->contents.n_sounds;
    const char **sorted = calloc(n + 1, sizeof *sorted);
    c->label_id = calloc(n + 1, sizeof *c->label_id);
    for (uint32_t i = 0; sorted && i < n; i++)
        sorted[i] = c->sounds[i].label;
    if (!sorted || !c->label_id) {
        free(sorted);
        return false;
    }
    qsort(sorted, n, sizeof *sorted, by_label);
    c->n_labels = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!i || strcmp(sorted[c->n_labels - 1], sorted[i]) != 0)
            sorted[c->n_labels++] = sorted[i];
    for (uint32_t i = 0; i < n; i++) {
        const char *label = c->sounds[i].label;
        const char **at =
            bsearch(&label, sorted, c->n_labels, sizeof *sorted, by_label);
        c->label_id[i] = table->n && !rt_labels_of(table, c->sounds[i].path)
                             ? UINT32_MAX
                             : (uint32_t)(at - sorted);
    }
    free(sorted);
    return true;
}

/* Sounds and labels; false, with why. */
static bool
name_sounds(rt_corpus *c, const rt_job jobs[], size_t n, const rt_options *o, char *why,
            size_t why_len)
{
    const bool wanted = strcmp(o->build.labels, "none") != 0;
    rt_labels table = {0};
    if (wanted && strcmp(o->build.labels, "folders") != 0 &&
        !rt_labels_load(&table, o->build.labels, why, why_len))
        return false;
    bool ok = list_sounds(c, jobs, n, &table) && (!wanted || number_labels(c, &table));
    rt_labels_free(&table);
    if (!ok)
        return no_memory(why, why_len);
    if (wanted && c->n_labels < MIN_LABELS) {
        rt_say("%u labels are too few for a space of labels, which needs %d; the index "
               "goes without",
               c->n_labels, MIN_LABELS);
        free(c->label_id);
        c->label_id = NULL;
    }
    return true;
}

static uint64_t
count_rows(const rt_job jobs[], size_t n, rt_moments kind)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += *jobs[i].trouble ? 0 : jobs[i].rows[kind].n;
    return total;
}

/* Puts the rows of one kind of all files behind what the scale has. */
static void
append(rt_raw *s, rt_job jobs[], size_t n, rt_moments kind)
{
    const size_t width = s->layout.n_in;
    uint32_t sound = 0;
    for (size_t i = 0; i < n; i++) {
        rt_rows *r = &jobs[i].rows[kind];
        if (*jobs[i].trouble)
            continue;
        if (r->n)
            memcpy(s->raw + s->n * width, r->raw, r->n * width * sizeof *r->raw);
        for (uint32_t j = 0; j < r->n; j++)
            s->entries[s->n++] =
                (idx_entry){sound, r->places[j].start_s, r->places[j].length_s};
        sound++;
        if (kind != RT_EVENTS) /* of which scenes are made */
            rt_rows_free(r);
    }
}

/* Frames, or events and then beginnings, which teach nothing: a short sound has several
 * of them. */
static bool
gather(rt_corpus *c, rt_job jobs[], size_t n, dsp_scale scale, const rt_options *o,
       char *why, size_t why_len)
{
    rt_raw *s = &c->raw[scale];
    const rt_moments kind = scale == DSP_FRAME ? RT_FRAMES : RT_EVENTS;
    const uint64_t total =
        count_rows(jobs, n, kind) +
        (scale == DSP_EVENT ? count_rows(jobs, n, RT_BEGINNINGS) : 0);
    if (total > UINT32_MAX / 2) {
        snprintf(why, why_len, "%llu entries at scale %s; an index holds 2147483647",
                 (unsigned long long)total, dsp_scale_name[scale]);
        return false;
    }
    s->layout = rt_layout_of(o, scale);
    s->raw = malloc(((size_t)total + 1) * s->layout.n_in * sizeof *s->raw);
    s->entries = malloc(((size_t)total + 1) * sizeof *s->entries);
    if (!s->raw || !s->entries)
        return no_memory(why, why_len);
    append(s, jobs, n, kind);
    s->n_taught = s->n;
    if (scale == DSP_EVENT)
        append(s, jobs, n, RT_BEGINNINGS);
    return true;
}

/* Raw rows become embeddings; one without direction leaves. */
static bool
project(rt_corpus *c, uint32_t set, uint32_t *n)
{
    const rt_raw *s = &c->raw[set % DSP_SCALES];
    rt_learned *to = &c->learned[set];
    const dsp_projection p = rt_projection_of(c, set);
    float *u = malloc(p.n_in * sizeof *u);
    to->rows = malloc(((size_t)s->n + 1) * p.dim * sizeof *to->rows);
    to->entries = malloc(((size_t)s->n + 1) * sizeof *to->entries);
    *n = 0;
    for (uint32_t i = 0; u && to->rows && to->entries && i < s->n; i++)
        if (dsp_project(&p, s->raw + (size_t)i * p.n_in, u,
                        to->rows + (size_t)*n * p.dim))
            to->entries[(*n)++] = s->entries[i];
    free(u);
    return u && to->rows && to->entries;
}

/* Projects a set and arranges it for searching. */
static bool
arrange(rt_corpus *c, uint32_t set, const rt_options *o, char *why, size_t why_len)
{
    idx_scale *sc = &c->contents.scales[set];
    const rt_raw *raw = &c->raw[set % DSP_SCALES];
    rt_learned *s = &c->learned[set];
    s->knots = calloc(RT_KNOTS, sizeof *s->knots);
    if (!s->knots || !project(c, set, &sc->n_entries))
        return no_memory(why, why_len);
    sc->n_in = raw->layout.n_in;
    sc->dim = s->matrix ? sc->dim : sc->n_in;
    sc->mean = raw->mean;
    sc->spread = raw->spread;
    sc->matrix = s->matrix;
    sc->rows = s->rows;
    sc->entries = s->entries;

    char name[60];
    snprintf(name, sizeof name, "%s%s", dsp_scale_name[set % DSP_SCALES],
             set < DSP_SCALES ? "" : " by labels");
    if (!rt_arrange(sc, s->knots, &s->built, c->contents.seed, name, o, why, why_len))
        return false;
    if (idx_built_has_rows(s->built)) { /* not twice in memory */
        free(s->rows);
        sc->rows = s->rows = NULL;
    }
    return true;
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

/* Learns all spaces of a scale and arranges them; its raw rows are then freed. */
static bool
finish(rt_corpus *c, dsp_scale scale, const rt_job jobs[], size_t n,
       const rt_options *o, char *why, size_t why_len)
{
    const uint32_t by_label = DSP_SCALES + (uint32_t)scale;
    if ((!c->raw[scale].mean && !rt_learn_spread(c, scale, why, why_len)) ||
        !rt_learn_acoustic(c, scale, jobs, n, o, why, why_len) ||
        !arrange(c, (uint32_t)scale, o, why, why_len))
        return false;
    if (c->label_id &&
        (!rt_learn_labels(c, scale, why, why_len) ||
         (c->learned[by_label].matrix && !arrange(c, by_label, o, why, why_len))))
        return false;
    free(c->raw[scale].raw);
    c->raw[scale].raw = NULL;
    return true;
}

bool
rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o, char *why,
               size_t why_len)
{
    *c = (rt_corpus){.contents.seed = o->build.seed};
    if (!name_sounds(c, jobs, n, o, why, why_len))
        return false;
    if (!write_texts(c, n, o))
        return no_memory(why, why_len);
    if (!gather(c, jobs, n, DSP_FRAME, o, why, why_len) ||
        !finish(c, DSP_FRAME, jobs, n, o, why, why_len) ||
        !gather(c, jobs, n, DSP_EVENT, o, why, why_len) ||
        !rt_learn_spread(c, DSP_EVENT, why, why_len))
        return false;
    if (!rt_build_scenes(c, jobs, n, o))
        return no_memory(why, why_len);
    for (size_t i = 0; i < n; i++)
        rt_rows_free(&jobs[i].rows[RT_EVENTS]);
    return finish(c, DSP_SCENE, jobs, n, o, why, why_len) &&
           finish(c, DSP_EVENT, jobs, n, o, why, why_len) &&
           (!o->build.timbre || rt_build_timbre(c, jobs, n, o, why, why_len));
}

void
rt_corpus_free(rt_corpus *c)
{
    for (size_t s = 0; s < DSP_SCALES; s++) {
        free(c->raw[s].raw);
        free(c->raw[s].entries);
        free(c->raw[s].mean);
        free(c->raw[s].spread);
    }
    for (size_t s = 0; s < IDX_SCALES; s++) {
        free(c->learned[s].matrix);
        free(c->learned[s].rows);
        free(c->learned[s].knots);
        free(c->learned[s].entries);
        idx_built_free(c->learned[s].built);
    }
    free(c->codes);
    free(c->hamming_knots);
    free(c->label_id);
    free(c->sounds);
    free(c->labels);
    free(c->settings);
    free(c->report);
}
