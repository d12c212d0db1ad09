/* Layers: what they are, and how one becomes another. */
#include "layer_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char report[] = "learned = yes\n";

idx_sound
rt_sound_in(const idx_index *index, const idx_index *layer, uint32_t sound)
{
    const uint32_t n = idx_n_sounds(index);
    return sound < n ? idx_sound_of(index, sound) : idx_sound_of(layer, sound - n);
}

uint32_t
rt_n_sounds_in(const idx_index *index, const idx_index *layer)
{
    return idx_n_sounds(index) + (layer ? idx_n_sounds(layer) : 0);
}

/* ---- Whether they go together ------------------------------------------------------
 */

static bool
same_floats(const float *a, const float *b, size_t n)
{
    return (!a && !b) || (a && b && !memcmp(a, b, n * sizeof *a));
}

static bool
same_space(const idx_scale *a, const idx_scale *b)
{
    return a->n_in == b->n_in && a->dim == b->dim &&
           a->params.metric == b->params.metric &&
           same_floats(a->mean, b->mean, a->n_in) &&
           same_floats(a->spread, b->spread, a->n_in) &&
           same_floats(a->matrix, b->matrix, (size_t)a->dim * a->n_in);
}

bool
rt_layer_fits(const idx_index *layer, const idx_index *index)
{
    bool fits = !strcmp(idx_settings(layer), idx_settings(index));
    for (uint32_t s = 0; s < IDX_TIMBRE && fits; s++) {
        const idx_scale *a = idx_scale_of(layer, s), *b = idx_scale_of(index, s);
        fits = !a->n_entries || same_space(a, b);
    }
    return fits;
}

/* ---- Making one -------------------------------------------------------------------
 */

/* What a scale is made up of, without entries. */
static idx_scale
empty_scale(const idx_scale *like)
{
    idx_scale s = *like;
    s.n_entries = 0;
    s.rows = NULL;
    s.entries = NULL;
    s.built = NULL;
    s.params = (idx_params){.family = IDX_EXACT, .metric = like->params.metric};
    return s;
}

bool
rt_draft_new(rt_draft *d, const idx_index *like)
{
    *d = (rt_draft){0};
    d->sounds = calloc(RT_LAYER_SOUNDS + 1, sizeof *d->sounds);
    bool ok = d->sounds;
    d->contents = (idx_contents){
        .settings = idx_settings(like), .report = report, .sounds = d->sounds};
    for (uint32_t s = 0; s < IDX_TIMBRE && ok; s++) {
        const idx_scale *sc = idx_scale_of(like, s);
        if (!sc->n_in)
            continue;
        d->contents.scales[s] = empty_scale(sc);
        d->rows[s] = malloc((size_t)RT_LAYER_ENTRIES * sc->dim * sizeof *d->rows[s]);
        d->entries[s] = malloc(RT_LAYER_ENTRIES * sizeof *d->entries[s]);
        d->contents.scales[s].rows = d->rows[s];
        d->contents.scales[s].entries = d->entries[s];
        ok = d->rows[s] && d->entries[s];
    }
    return ok;
}

void
rt_draft_free(rt_draft *d)
{
    for (uint32_t s = 0; s < IDX_TIMBRE; s++) {
        free(d->rows[s]);
        free(d->entries[s]);
    }
    free(d->sounds);
    *d = (rt_draft){0};
}

float *
rt_draft_row(rt_draft *d, uint32_t set, const idx_entry *e)
{
    idx_scale *sc = &d->contents.scales[set];
    if (sc->n_entries == RT_LAYER_ENTRIES)
        return NULL;
    d->entries[set][sc->n_entries] = *e;
    return d->rows[set] + (size_t)sc->n_entries++ * sc->dim;
}

/* Numbers of sounds in a layer that leaves one out; none left out: UINT32_MAX. */
static uint32_t
number_without(uint32_t sound, uint32_t gone)
{
    return sound > gone ? sound - 1 : sound;
}

void
rt_draft_take(rt_draft *d, const idx_index *layer, uint32_t gone)
{
    for (uint32_t i = 0; i < idx_n_sounds(layer); i++)
        if (i != gone)
            d->sounds[d->contents.n_sounds++] = idx_sound_of(layer, i);
    for (uint32_t s = 0; s < IDX_TIMBRE; s++) {
        const idx_scale *sc = idx_scale_of(layer, s);
        for (uint32_t i = 0; i < sc->n_entries; i++) {
            idx_entry e = sc->entries[i];
            if (e.sound == gone)
                continue;
            e.sound = number_without(e.sound, gone);
            idx_row(layer, s, i, rt_draft_row(d, s, &e));
        }
    }
}

uint32_t
rt_layer_find(const idx_index *layer, const char *label)
{
    for (uint32_t i = 0; layer && i < idx_n_sounds(layer); i++)
        if (!strcmp(idx_sound_of(layer, i).label, label))
            return i;
    return UINT32_MAX;
}

bool
rt_layer_forget(idx_index **out, const idx_index *layer, const char *label, char *why,
                size_t why_len)
{
    rt_draft d;
    *out = NULL;
    const uint32_t gone = rt_layer_find(layer, label);
    if (!strcmp(label, "*"))
        return true;
    if (gone == UINT32_MAX) {
        snprintf(why, why_len, "nothing was learned as \"%.64s\"", label);
        return false;
    }
    if (idx_n_sounds(layer) == 1)
        return true;
    bool ok = rt_draft_new(&d, layer);
    if (!ok)
        snprintf(why, why_len, "there is not enough memory to forget it");
    if (ok)
        rt_draft_take(&d, layer, gone);
    ok = ok && !idx_make(out, &d.contents, why, why_len);
    rt_draft_free(&d);
    return ok;
}

/* ---- Files ------------------------------------------------------------------------
 */

/* Whether an index is a layer: hearken has written it as one. */
static bool
is_layer(const idx_index *ix)
{
    bool ok = !strcmp(idx_report(ix), report) && idx_n_sounds(ix) <= RT_LAYER_SOUNDS;
    for (uint32_t s = 0; s < IDX_SCALES && ok; s++) {
        const idx_scale *sc = idx_scale_of(ix, s);
        ok = sc->n_entries <= (s == IDX_TIMBRE ? 0 : RT_LAYER_ENTRIES) &&
             sc->params.family == IDX_EXACT && sc->params.stored == IDX_F32;
    }
    return ok;
}

bool
rt_layer_load(idx_index **out, const char *path, const idx_index *index, char *why,
              size_t why_len)
{
    *out = NULL;
    if (access(path, F_OK) && errno == ENOENT)
        return true;
    if (idx_load(out, path, why, why_len))
        return false;
    if (!is_layer(*out))
        snprintf(why, why_len,
                 "%.900s holds no learned sounds; name another file with --learn-file",
                 path);
    else if (!rt_layer_fits(*out, index))
        snprintf(why, why_len,
                 "%.900s was learned beside an index of another embedding space; name "
                 "another file with --learn-file",
                 path);
    else
        return true;
    idx_close(*out);
    *out = NULL;
    return false;
}

bool
rt_layer_save(const idx_index *layer, const char *path, char *why, size_t why_len)
{
    if (!layer) {
        if (!unlink(path) || errno == ENOENT)
            return true;
        snprintf(why, why_len, "cannot remove %.900s: %s", path, strerror(errno));
        return false;
    }
    return !idx_rewrite(path, layer, NULL, NULL, NULL, why, why_len);
}
