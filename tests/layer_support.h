/* An index, sounds that are not in it, and layers beside it. */
#ifndef HEARKEN_TESTS_LAYER_SUPPORT_H
#define HEARKEN_TESTS_LAYER_SUPPORT_H

#include "rt/layer.h"
#include "rt/rt.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 48000 };

static char folder[256], index_path[300], why[1500];
static idx_index *ix;
static rt_options options;
static float strange[3][RATE]; /* of no sound in the corpus */

/* layer (closed) and a lesson; must go well. */
static inline idx_index *
learn(idx_index *layer, const char *label, const float x[], size_t n)
{
    idx_index *out;
    uint32_t n_entries = 0;
    const rt_lesson lesson = {label, x, n, RATE};
    ck_assert_msg(
        rt_layer_learn(&out, &n_entries, layer, ix, &options, &lesson, why, sizeof why),
        "%s", why);
    ck_assert_uint_gt(n_entries, 3);
    idx_close(layer);
    return out;
}

static inline idx_index *
learn_strange(uint32_t n)
{
    static const char *const labels[] = {"a", "b/c", "ü"};
    idx_index *layer = NULL;
    for (uint32_t i = 0; i < n; i++)
        layer = learn(layer, labels[i], strange[i], RATE);
    return layer;
}

static inline void
build_once(void)
{
    dsp_thread_init();
    make_folder(folder, sizeof folder);
    rt_options_default(&options);
    options.build.invariance = 0;
    write_corpus(folder);
    snprintf(index_path, sizeof index_path, "%s/x.hkn", folder);
    build_corpus(folder, &options, 2, index_path);
    ck_assert_msg(!idx_open(&ix, index_path, why, sizeof why), "%s", why);
    ck_assert(rt_analyse_settings(&options, ix, why, sizeof why));
    options.match.scales = 1U << DSP_FRAME | 1U << DSP_EVENT;
    for (uint64_t i = 0; i < 3; i++)
        make_sound(strange[i], RATE, RATE, 201 + i);
}

static inline void
remove_once(void)
{
    idx_close(ix);
    remove_tree(folder);
}

#endif
