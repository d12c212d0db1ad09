/* From the sound of a lesson to rows of a layer: what build does with a file. */
#include "build.h"
#include "layer_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One lesson on its way. */
typedef struct {
    rt_draft draft;
    const idx_index *index;
    const rt_options *options;
    rt_rows rows[RT_MOMENTS], scenes;
    bool no_memory, full;
    uint32_t sound, n_added;
    double seconds; /* of the lesson */
    float before_s; /* of what was learned under the label before */
} learning;

bool
rt_layer_takes(const char *label, char *why, size_t why_len)
{
    const size_t n = strlen(label);
    bool plain = n > 0 && n <= RT_LAYER_LABEL && strcmp(label, "*") != 0;
    for (size_t i = 0; i < n; i++)
        plain = plain && (unsigned char)label[i] >= 0x20 && label[i] != 0x7f;
    if (!plain)
        snprintf(why, why_len,
                 "a label has 1 to %d bytes, no control characters, and is not *",
                 RT_LAYER_LABEL);
    return plain;
}

/* ---- Raw features -----------------------------------------------------------------
 */

static void
keep(void *ctx, const rt_moment *m)
{
    learning *l = ctx;
    l->no_memory = !rt_rows_add(&l->rows[m->kind], m) || l->no_memory;
}

static void
keep_scene(void *ctx, double begin_s, double end_s, const float raw[])
{
    learning *l = ctx;
    const double end = end_s < l->seconds ? end_s : l->seconds;
    const rt_moment m = {.start_s = (float)begin_s,
                         .length_s = (float)(end - begin_s),
                         .raw = raw,
                         .n = rt_layout_of(l->options, DSP_SCENE).n_in};
    l->no_memory = !rt_rows_add(&l->scenes, &m) || l->no_memory;
}

static void
make_scenes(learning *l)
{
    const dsp_layout events = rt_layout_of(l->options, DSP_EVENT);
    rt_scene_maker k = {.scene = keep_scene, .ctx = l};
    if (l->no_memory || idx_scale_of(l->index, DSP_EVENT)->n_in != events.n_in)
        return;
    const dsp_projection p = rt_projection_in(l->index, DSP_EVENT, &events);
    if (rt_scene_maker_new(&k, &p, l->options))
        rt_scenes_make(&k, &l->rows[RT_EVENTS]);
    else
        l->no_memory = true;
    rt_scene_maker_free(&k);
}

static bool
hear(learning *l, const rt_lesson *lesson, char *why, size_t why_len)
{
    const rt_sink sink = {.ctx = l, .moment = keep};
    rt_options o = *l->options;
    rt_counts counts = {0};
    rt_analyse *a;
    o.build.timbre = 0;
    if (!rt_analyse_new(&a, lesson->rate_hz, &o, NULL, &counts, &sink, why, why_len))
        return false;
    rt_analyse_block(a, lesson->x, lesson->n, 0);
    rt_analyse_finish(a);
    rt_analyse_free(a);
    make_scenes(l);
    return true;
}

/* ---- Rows -------------------------------------------------------------------------
 */

static void
add_rows(learning *l, uint32_t set, const rt_rows *rows, const dsp_projection *p,
         float u[])
{
    for (uint32_t i = 0; i < rows->n && !l->full; i++) {
        const rt_place *at = &rows->places[i];
        const idx_entry e = {l->sound, l->before_s + at->start_s, at->length_s};
        float *row = rt_draft_row(&l->draft, set, &e);
        l->full = !row;
        if (row && dsp_project(p, rows->raw + (size_t)i * p->n_in, u, row))
            l->n_added++;
        else if (row)
            l->draft.contents.scales[set].n_entries--; /* it has no direction */
    }
}

/* The entries of one set, where the index has some to compare them with. */
static void
add_set(learning *l, uint32_t set)
{
    const uint32_t scale = set % DSP_SCALES;
    const dsp_layout layout = rt_layout_of(l->options, (dsp_scale)scale);
    const idx_scale *sc = idx_scale_of(l->index, set);
    if (!sc->n_entries || sc->n_in != layout.n_in || l->no_memory)
        return;
    const dsp_projection p = rt_projection_in(l->index, set, &layout);
    float *u = malloc(p.n_in * sizeof *u);
    l->no_memory = !u;
    if (u && scale == DSP_SCENE) {
        add_rows(l, set, &l->scenes, &p, u);
    } else if (u) {
        add_rows(l, set, &l->rows[scale == DSP_FRAME ? RT_FRAMES : RT_EVENTS], &p, u);
        if (scale == DSP_EVENT)
            add_rows(l, set, &l->rows[RT_BEGINNINGS], &p, u);
    }
    free(u);
}

/* The sound that a label is: one more, or longer than before. */
static void
add_sound(learning *l, const idx_index *layer, const rt_lesson *lesson,
          const char *label, const char *path)
{
    idx_contents *c = &l->draft.contents;
    l->sound = rt_layer_find(layer, lesson->label);
    if (l->sound == UINT32_MAX && c->n_sounds == RT_LAYER_SOUNDS) {
        l->full = true;
    } else if (l->sound == UINT32_MAX) {
        l->sound = c->n_sounds++;
        l->draft.sounds[l->sound] = (idx_sound){.path = path,
                                                .label = label,
                                                .seconds = l->seconds,
                                                .rate_hz = lesson->rate_hz,
                                                .n_channels = 1};
    } else {
        l->before_s = (float)l->draft.sounds[l->sound].seconds;
        l->draft.sounds[l->sound].seconds += l->seconds;
    }
}

/* What came of it; why is filled where it was nothing. */
static bool
judge(const learning *l, char *why, size_t why_len)
{
    *why = 0;
    if (l->no_memory)
        snprintf(why, why_len, "there is not enough memory to learn it");
    else if (l->full)
        snprintf(why, why_len,
                 "there is no room for it beside what was learned before (%d labels, "
                 "%d entries of a scale); forget some of that first",
                 RT_LAYER_SOUNDS, RT_LAYER_ENTRIES);
    else if (!l->n_added)
        snprintf(why, why_len,
                 "too little of it sounds to be told from anything; learn more of it");
    return !*why;
}

static void
done(learning *l)
{
    for (size_t k = 0; k < RT_MOMENTS; k++)
        rt_rows_free(&l->rows[k]);
    rt_rows_free(&l->scenes);
    rt_draft_free(&l->draft);
}

bool
rt_layer_learn(idx_index **out, uint32_t *n_entries, const idx_index *layer,
               const idx_index *index, const rt_options *o, const rt_lesson *lesson,
               char *why, size_t why_len)
{
    char path[RT_LAYER_LABEL + 8];
    learning l = {
        .index = index, .options = o, .seconds = (double)lesson->n / lesson->rate_hz};
    *out = NULL;
    if (!rt_layer_takes(lesson->label, why, why_len))
        return false;
    snprintf(path, sizeof path, RT_LEARNED_PATH "%s", lesson->label);
    l.no_memory = !rt_draft_new(&l.draft, index);
    if (!l.no_memory && layer)
        rt_draft_take(&l.draft, layer, UINT32_MAX);
    if (!l.no_memory)
        add_sound(&l, layer, lesson, path + strlen(RT_LEARNED_PATH), path);
    bool ok = l.no_memory || l.full || hear(&l, lesson, why, why_len);
    for (uint32_t s = 0; ok && !l.full && s < IDX_TIMBRE; s++)
        add_set(&l, s);
    ok = ok && judge(&l, why, why_len) &&
         !idx_make(out, &l.draft.contents, why, why_len);
    *n_entries = l.n_added;
    done(&l);
    return ok;
}
