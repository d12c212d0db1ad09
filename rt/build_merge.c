/* From the raw features of all files to the contents of an index. */
#include "build.h"
#include "labels.h"
#include "rt.h"
#include "search_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_LABELS = 3 };

bool
rt_no_room(char *why, size_t why_len)
{
    snprintf(why, why_len,
             "there is no room for all embeddings in memory or, with "
             "--build-memory-mb, on the disk of the index; give that option or more "
             "room, or take fewer sounds");
    return false;
}

/* Fills the sounds; labels are the names of folders, or those of the table. */
static bool
list_sounds(rt_corpus *c, const rt_job jobs[], size_t n, const rt_labels *table)
{
    enum { LABEL = IDX_MAX_LABEL + 1 };
    c->sounds = calloc(n ? n : 1, sizeof *c->sounds);
    c->labels = rt_store_grow(c->store, NULL, (n + 1) * LABEL);
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
        return rt_no_room(why, why_len);
    if (wanted && c->n_labels < MIN_LABELS) {
        rt_say("%u labels are too few for a space of labels, which needs %d; the index "
               "goes without",
               c->n_labels, MIN_LABELS);
        free(c->label_id);
        c->label_id = NULL;
    }
    return true;
}

/* ---- Rows -------------------------------------------------------------------------
 */

const float *
rt_raw_row(const rt_raw *s, uint32_t i, idx_entry *entry)
{
    uint32_t low = 0, high = s->n_spans; /* the span is in [low, high) */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (s->spans[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    const rt_span *span = &s->spans[low];
    const uint32_t j = i - span->first;
    const rt_place *at = &span->rows->places[j];
    *entry = (idx_entry){span->sound, at->start_s, at->length_s};
    return span->rows->raw + (size_t)j * s->layout.n_in;
}

/* Puts rows behind what the scale has; false when they are too many. */
static bool
append(rt_raw *s, const rt_rows *rows, uint32_t sound)
{
    if (!rows->n)
        return true;
    if (rows->n > UINT32_MAX / 2 - s->n)
        return false;
    s->spans[s->n_spans++] = (rt_span){rows, sound, s->n};
    s->n += rows->n;
    return true;
}

static bool
append_jobs(rt_raw *s, const rt_job jobs[], size_t n, rt_moments kind)
{
    uint32_t sound = 0;
    for (size_t i = 0; i < n; i++)
        if (!*jobs[i].trouble && !append(s, &jobs[i].rows[kind], sound++))
            return false;
    return true;
}

static bool
append_scenes(rt_raw *s, const rt_corpus *c)
{
    for (uint32_t i = 0; i < c->contents.n_sounds; i++)
        if (!append(s, &c->scenes[i], i))
            return false;
    return true;
}

/* Frames, scenes, or events and then beginnings, which teach nothing: a short sound has
 * several of them. */
static bool
gather(rt_corpus *c, const rt_job jobs[], size_t n, dsp_scale scale,
       const rt_options *o, char *why, size_t why_len)
{
    rt_raw *s = &c->raw[scale];
    s->layout = rt_layout_of(o, scale);
    s->spans = calloc(2 * n + 1, sizeof *s->spans);
    if (!s->spans)
        return rt_no_room(why, why_len);
    bool fits =
        scale == DSP_SCENE
            ? append_scenes(s, c)
            : append_jobs(s, jobs, n, scale == DSP_FRAME ? RT_FRAMES : RT_EVENTS);
    s->n_taught = s->n;
    if (fits && scale == DSP_EVENT)
        fits = append_jobs(s, jobs, n, RT_BEGINNINGS);
    if (!fits)
        snprintf(why, why_len,
                 "more than 2147483647 entries at scale %s, which an index does not "
                 "hold; build several",
                 dsp_scale_name[scale]);
    return fits;
}

/* Raw rows become embeddings; one without direction leaves. */
static bool
project(rt_corpus *c, uint32_t set, uint32_t *n)
{
    const rt_raw *s = &c->raw[set % DSP_SCALES];
    rt_learned *to = &c->learned[set];
    const dsp_projection p = rt_projection_of(c, set);
    const size_t room = (size_t)s->n + 1;
    float *u = malloc(p.n_in * sizeof *u);
    to->rows = rt_store_grow(c->store, NULL, room * p.dim * sizeof *to->rows);
    to->entries = rt_store_grow(c->store, NULL, room * sizeof *to->entries);
    *n = 0;
    for (uint32_t i = 0; u && to->rows && to->entries && i < s->n; i++) {
        const float *raw = rt_raw_row(s, i, &to->entries[*n]);
        *n += dsp_project(&p, raw, u, to->rows + (size_t)*n * p.dim);
    }
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
        return rt_no_room(why, why_len);
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
    if (!rt_arrange(sc, s->knots, &s->built, c->contents.seed, name, o, c->store, why,
                    why_len))
        return false;
    if (idx_built_has_rows(s->built)) { /* not twice in memory */
        rt_store_drop(c->store, s->rows);
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

static void
free_rows(rt_job jobs[], size_t n, rt_moments kind)
{
    for (size_t i = 0; i < n; i++)
        rt_rows_free(&jobs[i].rows[kind]);
}

/* Learns all spaces of a scale and arranges them. */
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
    return true;
}

bool
rt_build_merge(rt_corpus *c, rt_job jobs[], size_t n, const rt_options *o,
               rt_store *store, char *why, size_t why_len)
{
    *c = (rt_corpus){.contents = {.seed = o->build.seed, .store = rt_lend_store(store)},
                     .store = store};
    if (!name_sounds(c, jobs, n, o, why, why_len))
        return false;
    if (!write_texts(c, n, o))
        return rt_no_room(why, why_len);
    if (!gather(c, jobs, n, DSP_FRAME, o, why, why_len) ||
        !finish(c, DSP_FRAME, jobs, n, o, why, why_len))
        return false;
    free_rows(jobs, n, RT_FRAMES);
    if (!gather(c, jobs, n, DSP_EVENT, o, why, why_len) ||
        !rt_learn_spread(c, DSP_EVENT, why, why_len))
        return false;
    if (!rt_build_scenes(c, jobs, n, o))
        return rt_no_room(why, why_len);
    if (!gather(c, jobs, n, DSP_SCENE, o, why, why_len) ||
        !finish(c, DSP_SCENE, jobs, n, o, why, why_len))
        return false;
    rt_rows_free(&c->scene_rows);
    if (!finish(c, DSP_EVENT, jobs, n, o, why, why_len))
        return false;
    free_rows(jobs, n, RT_EVENTS);
    free_rows(jobs, n, RT_BEGINNINGS);
    return !o->build.timbre || rt_build_timbre(c, jobs, n, o, why, why_len);
}

void
rt_corpus_free(rt_corpus *c)
{
    for (size_t s = 0; s < DSP_SCALES; s++) {
        free(c->raw[s].spans);
        free(c->raw[s].mean);
        free(c->raw[s].spread);
    }
    for (size_t s = 0; s < IDX_SCALES; s++) {
        free(c->learned[s].matrix);
        rt_store_drop(c->store, c->learned[s].rows);
        free(c->learned[s].knots);
        rt_store_drop(c->store, c->learned[s].entries);
        idx_built_free(c->learned[s].built);
    }
    rt_rows_free(&c->scene_rows);
    free(c->scenes);
    rt_store_drop(c->store, c->codes);
    free(c->hamming_knots);
    free(c->label_id);
    free(c->sounds);
    rt_store_drop(c->store, c->labels);
    free(c->settings);
    free(c->report);
}
