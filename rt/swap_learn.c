/* Another layer while listen runs: what swap.c does, with the index in use. */
#include "swap_private.h"

#include "layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

idx_index *
rt_swap_layer(const rt_swap *w, const idx_index *index, idx_index *now, bool *saves,
              char note[RT_NEWS])
{
    idx_index *layer = NULL;
    char why[RT_NEWS];
    *note = 0;
    if (now && rt_layer_fits(now, index))
        return now;
    if (now)
        snprintf(note, RT_NEWS,
                 "without the %u learned sounds, which are of another embedding space",
                 idx_n_sounds(now));
    if (!w->config.learn_file)
        return NULL;
    *saves = rt_layer_load(&layer, w->config.learn_file, index, why, sizeof why);
    if (!*saves && !now)
        snprintf(note, RT_NEWS, "%.1300s; going on without it, and leaving it alone",
                 why);
    return layer;
}

/* Has the analysis search another layer (NULL: none) beside the first index; it is
 * closed where that fails. */
static bool
use_layer(rt_swap *w, idx_index *layer, char *why, size_t len)
{
    rt_shelf *s = w->config.shelf;
    rt_book *b = rt_swap_room(w, 0, why, len);
    if (!b) {
        idx_close(layer);
        return false;
    }
    const uint32_t at = rt_shelf_take(s, 0);
    const rt_book *now = &s->book[at];
    *b = *now;
    b->layer = layer;
    rt_swap_now(w, 0, &b->options);
    b->options.background = now->background;
    const bool ok = rt_swap_give(w, b, why, len);
    if (!ok)
        rt_shelf_drop(s, b);
    rt_shelf_release(s, at);
    return ok;
}

/* Into the file, if there is one. Returns with why filled where that fails. */
static void
save(const rt_swap *w, const idx_index *layer, char *why, size_t len)
{
    char reason[RT_TEXT];
    *why = 0;
    if (!w->config.learn_file)
        return;
    if (!w->saves)
        snprintf(why, len,
                 "%.300s is left alone, as what it holds was learned beside another "
                 "index; --learn-file can name another",
                 w->config.learn_file);
    else if (!rt_layer_save(layer, w->config.learn_file, reason, sizeof reason))
        snprintf(why, len, "what was learned is not saved: %.600s", reason);
}

static bool
take_heard(rt_swap *w, double seconds, const char *input, rt_heard *heard, char *why,
           size_t len)
{
    rt_options o;
    const rt_input *in = rt_inputs_named(w->config.inputs, input);
    if (!in) {
        snprintf(why, len, "there is no input \"%.64s\"", input);
        return false;
    }
    w->config.now(w->config.now_ctx, &o);
    return rt_history_take(&in->history, seconds, (double)o.match.gate_db, heard, why,
                           len);
}

/* Of what was heard a layer, which is then used. */
static bool
learn(rt_swap *w, const rt_lesson *lesson, rt_learning *out, char *why, size_t len)
{
    char text[200];
    idx_index *layer;
    rt_shelf *s = w->config.shelf;
    const uint32_t at = rt_shelf_take(s, 0);
    const rt_book *b = &s->book[at];
    const bool made = rt_layer_learn(&layer, &out->n_entries, b->layer, b->index,
                                     &b->options, lesson, why, len);
    rt_shelf_release(s, at);
    out->seconds = (double)lesson->n / lesson->rate_hz;
    if (!made || !use_layer(w, layer, why, len))
        return false;
    save(w, layer, why, len);
    snprintf(text, sizeof text, "learned %.64s: %u entries from %.2f s", lesson->label,
             out->n_entries, out->seconds);
    rt_swap_tell(w, *why, *why ? why : text);
    return true;
}

bool
rt_swap_learn(rt_swap *w, const char *label, double seconds, const char *input,
              rt_learning *out, char *why, size_t len)
{
    rt_heard heard;
    if (!rt_layer_takes(label, why, len) ||
        !take_heard(w, seconds, input, &heard, why, len))
        return false;
    const rt_lesson lesson = {label, heard.x, heard.n, heard.rate_hz};
    pthread_mutex_lock(&w->loading);
    const bool ok = learn(w, &lesson, out, why, len);
    pthread_mutex_unlock(&w->loading);
    free(heard.x);
    return ok;
}

static bool
forget(rt_swap *w, const char *label, uint32_t *n_left, char *why, size_t len)
{
    idx_index *layer;
    rt_shelf *s = w->config.shelf;
    const uint32_t at = rt_shelf_take(s, 0);
    const bool found = rt_layer_forget(&layer, s->book[at].layer, label, why, len);
    rt_shelf_release(s, at);
    if (!found || !use_layer(w, layer, why, len))
        return false;
    *n_left = layer ? idx_n_sounds(layer) : 0;
    save(w, layer, why, len);
    if (*why)
        rt_swap_tell(w, true, why);
    return true;
}

bool
rt_swap_forget(rt_swap *w, const char *label, uint32_t *n_left, char *why, size_t len)
{
    pthread_mutex_lock(&w->loading);
    const bool ok = forget(w, label, n_left, why, len);
    pthread_mutex_unlock(&w->loading);
    return ok;
}
