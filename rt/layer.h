/*
 * Sounds that were learned while listen ran: a small index of the same embedding space
 * as the big one, searched beside it.
 *
 *   float x[n] --as in build--> rows of each scale --> a new layer, of all that the one
 *   before held and these
 *
 * A layer never changes: to learn and to forget is to make another one. A label is one
 * sound of it, whose path is "live:" and the label; what is learned again under a label
 * joins it. Sounds of a layer have the numbers that follow those of the index.
 */
#ifndef HEARKEN_RT_LAYER_H
#define HEARKEN_RT_LAYER_H

#include "analyse.h"

enum {
    RT_LAYER_ENTRIES = 4096, /* of a scale: all of them are compared */
    RT_LAYER_LABEL = 64,     /* bytes of a label */
};

/* What the path of a learned sound begins with. */
#define RT_LEARNED_PATH "live:"

/* A sound of either; layer may be NULL. */
idx_sound rt_sound_in(const idx_index *index, const idx_index *layer, uint32_t sound);
uint32_t rt_n_sounds_in(const idx_index *index, const idx_index *layer);

/* Whether what they hold was embedded in the same way. */
bool rt_layer_fits(const idx_index *layer, const idx_index *index);

/* Whether a label is one, else why. */
bool rt_layer_takes(const char *label, char *why, size_t why_len);

/* What is to be learned. */
typedef struct {
    const char *label;
    const float *x; /* [n], mono */
    size_t n;
    uint32_t rate_hz;
} rt_lesson;

/*
 * A layer of what another one (may be NULL) holds and a lesson, at the scales at which
 * the index has entries, all but timbre; o as rt_analyse_settings() leaves it.
 * *n_entries is how many it brought. False, with why.
 */
bool rt_layer_learn(idx_index **out, uint32_t *n_entries, const idx_index *layer,
                    const idx_index *index, const rt_options *o,
                    const rt_lesson *lesson, char *why, size_t why_len);

/* A layer without a label, NULL where nothing is left; "*" is all. False, with why. */
bool rt_layer_forget(idx_index **out, const idx_index *layer, const char *label,
                     char *why, size_t why_len);

/* Reads a layer; one that was never written is NULL, and no failure. False, with why,
 * when the file is no layer or does not fit the index. */
bool rt_layer_load(idx_index **out, const char *path, const idx_index *index, char *why,
                   size_t why_len);

/* Writes it, as careful as idx_write(); NULL removes the file. False, with why. */
bool rt_layer_save(const idx_index *layer, const char *path, char *why, size_t why_len);

#endif
