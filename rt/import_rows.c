/* Rows as they come to unit rows, entries and sounds; and these to an index. */
#include "build.h"
#include "import.h"
#include "load.h"
#include "rt.h"
#include "search_plan.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Room for n items in *p, which has cap. */
static bool
reserve(rt_store *store, void **p, size_t *cap, size_t n, size_t item_bytes)
{
    if (n <= *cap)
        return true;
    size_t wanted = *cap + *cap / 2 + 64;
    if (wanted < n)
        wanted = n;
    void *grown = wanted <= SIZE_MAX / item_bytes
                      ? rt_store_grow(store, *p, wanted * item_bytes)
                      : NULL;
    if (!grown)
        return false;
    *p = grown;
    *cap = wanted;
    return true;
}

/* ---- Sounds ---------------------------------------------------------------------- */

static bool
add_text(rt_import *im, const char *text, size_t *at)
{
    const size_t n = strlen(text) + 1;
    void *texts = im->texts;
    const bool ok = reserve(im->store, &texts, &im->cap_texts, im->n_texts + n, 1);
    im->texts = texts;
    if (!ok)
        return false;
    *at = im->n_texts;
    memcpy(im->texts + *at, text, n);
    im->n_texts += n;
    return true;
}

static bool
add_sound(rt_import *im, const char *path, const char *label, uint32_t *sound)
{
    void *made = im->made;
    const bool ok = reserve(im->store, &made, &im->cap_made, im->n_sounds + (size_t)1,
                            sizeof *im->made);
    im->made = made;
    rt_import_sound s = {0};
    if (!ok || !add_text(im, path, &s.path) || !add_text(im, label, &s.label))
        return false;
    *sound = im->n_sounds;
    im->made[im->n_sounds++] = s;
    return true;
}

/* The slot of a path: its own, or the free one where it belongs. */
static uint32_t *
slot_of(const rt_import *im, const char *path)
{
    size_t i = XXH3_64bits(path, strlen(path)) & (im->n_slots - 1);
    while (im->slots[i] && strcmp(im->texts + im->made[im->slots[i] - 1].path, path))
        i = (i + 1) & (im->n_slots - 1);
    return &im->slots[i];
}

/* Twice as many slots, at most half of which are then taken. */
static bool
more_slots(rt_import *im)
{
    const size_t n = im->n_slots ? 2 * im->n_slots : 1024;
    uint32_t *old = im->slots, *grown = calloc(n, sizeof *grown);
    const size_t n_old = im->n_slots;
    if (!grown)
        return false;
    im->slots = grown;
    im->n_slots = n;
    for (size_t i = 0; i < n_old; i++)
        if (old[i])
            *slot_of(im, im->texts + im->made[old[i] - 1].path) = old[i];
    free(old);
    return true;
}

/* The sound of that name, a new one at its first time. */
static bool
named_sound(rt_import *im, const char *path, const char *label, uint32_t *sound)
{
    if (2 * im->n_named >= im->n_slots && !more_slots(im))
        return false;
    uint32_t *slot = slot_of(im, path);
    if (*slot) {
        *sound = *slot - 1;
        return true;
    }
    if (!add_sound(im, path, label, sound))
        return false;
    *slot = *sound + 1;
    im->n_named++;
    return true;
}

/* ---- Rows ------------------------------------------------------------------------ */

static bool
audioset_entry(rt_import *im, const rt_vector *v, idx_entry *e, char *why,
               size_t why_len)
{
    char number[16] = "";
    const char *label = number;
    if (im->names->is_rows) {
        snprintf(why, why_len,
                 "%s: its records say themselves what they are; --import-labels can "
                 "only name their classes (index,mid,display_name)",
                 im->file);
        return false;
    }
    if (v->class_id != RT_NO_CLASS) {
        snprintf(number, sizeof number, "%d", v->class_id);
        if (im->names->classes[v->class_id])
            label = im->names->classes[v->class_id];
    }
    *e = (idx_entry){0, v->start_s, v->length_s};
    return named_sound(im, v->sound, label, &e->sound) || rt_no_room(why, why_len);
}

/* By the line of the table that belongs to the row. */
static bool
table_entry(rt_import *im, idx_entry *e, char *why, size_t why_len)
{
    if (im->n_seen >= im->names->n) {
        snprintf(why, why_len, "%s: it has %zu lines, and there are more rows",
                 im->o->import.labels, im->names->n);
        return false;
    }
    const rt_row_name *row = &im->names->rows[im->n_seen];
    *e = (idx_entry){0, row->start_s, row->length_s};
    if (!named_sound(im, row->sound, row->label, &e->sound))
        return rt_no_room(why, why_len);
    const char *before = im->texts + im->made[e->sound].label;
    if (!strcmp(before, row->label))
        return true;
    snprintf(
        why, why_len,
        "%s:%zu: the label is \"%.60s\", and an earlier line of the same sound has "
        "\"%.60s\"",
        im->o->import.labels, row->line, row->label, before);
    return false;
}

static bool
own_entry(rt_import *im, const rt_vector *v, idx_entry *e, char *why, size_t why_len)
{
    char path[IDX_MAX_PATH + 32];
    snprintf(path, sizeof path, "%s:%llu", im->file, (unsigned long long)v->row);
    if (strlen(path) > IDX_MAX_PATH) {
        snprintf(why, why_len, "%s: its name is too long; call it from nearer by",
                 im->file);
        return false;
    }
    *e = (idx_entry){0};
    return add_sound(im, path, "", &e->sound) || rt_no_room(why, why_len);
}

/* What the first row decides for all. */
static bool
begin(rt_import *im, const rt_vector *v, char *why, size_t why_len)
{
    const uint32_t scale = im->o->import.scale;
    const uint32_t wanted = scale != RT_SCALE_AUTO ? scale
                            : v->sound             ? RT_SCALE_SCENE
                                                   : RT_SCALE_FRAME;
    if (!im->dim) {
        im->dim = v->dim;
        im->set = wanted - RT_SCALE_FRAME;
    }
    if (v->dim != im->dim)
        snprintf(why, why_len, "%s: its vectors have %u values, and those before %u",
                 im->file, v->dim, im->dim);
    else if (v->sound && im->set == DSP_FRAME)
        snprintf(why, why_len,
                 "%s: AudioSet's vectors are no frames; take --import-scale event, or "
                 "scene",
                 im->file);
    else
        return true;
    return false;
}

static bool
add_row(rt_import *im, const float unit[], idx_entry e)
{
    void *rows = im->rows, *entries = im->entries;
    const bool ok =
        reserve(im->store, &rows, &im->cap_rows, im->n + (size_t)1,
                im->dim * sizeof *im->rows) &&
        reserve(im->store, &entries, &im->cap_entries, im->n + (size_t)1, sizeof e);
    im->rows = rows;
    im->entries = entries;
    if (!ok)
        return false;
    memcpy(im->rows + (size_t)im->n * im->dim, unit, im->dim * sizeof *unit);
    im->entries[im->n++] = e;
    double *seconds = &im->made[e.sound].seconds;
    const double end = (double)e.start_s + (double)e.length_s;
    *seconds = end > *seconds ? end : *seconds;
    return true;
}

bool
rt_import_row(void *ctx, const rt_vector *v, char *why, size_t why_len)
{
    rt_import *im = ctx;
    float unit[IDX_MAX_DIM];
    idx_entry e;
    if (!begin(im, v, why, why_len))
        return false;
    if (im->n == UINT32_MAX / 2) {
        snprintf(why, why_len, "there are more than %u vectors, which an index holds",
                 im->n);
        return false;
    }
    memcpy(unit, v->x, v->dim * sizeof *unit);
    /* by Euclid lengths count, and none is too short */
    if (im->o->index.metric == IDX_COSINE && !rt_vector_unit(unit, v->dim)) {
        im->n_seen++;
        im->n_zero++;
        return true;
    }
    if (!(v->sound             ? audioset_entry(im, v, &e, why, why_len)
          : im->names->is_rows ? table_entry(im, &e, why, why_len)
                               : own_entry(im, v, &e, why, why_len)))
        return false;
    im->n_seen++;
    return add_row(im, unit, e) || rt_no_room(why, why_len);
}

/* ---- Index ----------------------------------------------------------------------- */

static bool
list_sounds(rt_import *im)
{
    im->sounds = calloc(im->n_sounds + (size_t)1, sizeof *im->sounds);
    for (uint32_t i = 0; im->sounds && i < im->n_sounds; i++)
        im->sounds[i] = (idx_sound){.path = im->texts + im->made[i].path,
                                    .label = im->texts + im->made[i].label,
                                    .seconds = im->made[i].seconds};
    return im->sounds;
}

static bool
write_report(rt_import *im)
{
    enum { CAP = 4096 };
    im->report = malloc(CAP);
    if (!im->report)
        return false;
    const int at = snprintf(
        im->report, CAP, "hearken = %s\nvectors = %llu\nwithout direction = %llu\n",
        RT_VERSION, (unsigned long long)im->n_seen, (unsigned long long)im->n_zero);
    rt_options_write(im->o, "index", im->report + at, (size_t)(CAP - at));
    return true;
}

static bool
make_arrays(rt_import *im)
{
    im->mean = calloc(im->dim, sizeof *im->mean);
    im->spread = calloc(im->dim, sizeof *im->spread);
    im->knots = calloc(RT_KNOTS, sizeof *im->knots);
    for (uint32_t i = 0; im->spread && i < im->dim; i++)
        im->spread[i] = 1;
    return im->mean && im->spread && im->knots;
}

bool
rt_import_complete(const rt_import *im, char *why, size_t why_len)
{
    if (im->names->is_rows && im->names->n != im->n_seen) {
        snprintf(why, why_len, "%s: it has %zu lines, but there are %llu rows",
                 im->o->import.labels, im->names->n, (unsigned long long)im->n_seen);
        return false;
    }
    if (!im->n) {
        snprintf(why, why_len, "there are no vectors that have a direction");
        return false;
    }
    return true;
}

bool
rt_import_finish(rt_import *im, char *why, size_t why_len)
{
    if (!list_sounds(im) || !write_report(im) || !make_arrays(im))
        return rt_no_room(why, why_len);
    im->contents = (idx_contents){.n_sounds = im->n_sounds,
                                  .sounds = im->sounds,
                                  .settings = RT_VECTOR_SETTINGS,
                                  .report = im->report,
                                  .seed = im->o->build.seed,
                                  .store = rt_lend_store(im->store)};
    idx_scale *sc = &im->contents.scales[im->set];
    *sc = (idx_scale){.n_in = im->dim,
                      .dim = im->dim,
                      .n_entries = im->n,
                      .mean = im->mean,
                      .spread = im->spread,
                      .rows = im->rows,
                      .entries = im->entries};
    if (!rt_arrange(sc, im->knots, &im->built, im->o->build.seed,
                    dsp_scale_name[im->set], im->o, im->store, why, why_len))
        return false;
    if (idx_built_has_rows(im->built)) { /* not twice in memory */
        rt_store_drop(im->store, im->rows);
        sc->rows = im->rows = NULL;
    }
    return true;
}

void
rt_import_free(rt_import *im)
{
    rt_store_drop(im->store, im->rows);
    rt_store_drop(im->store, im->entries);
    rt_store_drop(im->store, im->made);
    rt_store_drop(im->store, im->texts);
    free(im->slots);
    free(im->sounds);
    free(im->mean);
    free(im->spread);
    free(im->knots);
    free(im->report);
    idx_built_free(im->built);
    *im = (rt_import){0};
}
