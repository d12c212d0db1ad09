/* An open index with other parameters of its searches. Cold. */
#include "family.h"

#include <stdlib.h>
#include <string.h>

/* The contents of an open index, which stay its own. */
typedef struct {
    idx_contents contents;
    idx_sound *sounds;
    idx_built parts[IDX_SCALES];
} borrowed;

static bool
borrow(borrowed *b, const idx_index *ix, const idx_params params[],
       const idx_noises noises[])
{
    const fmt_header *head = (const void *)ix->data;
    *b = (borrowed){0};
    b->sounds = calloc((size_t)ix->n_sounds + 1, sizeof *b->sounds);
    if (!b->sounds)
        return false;
    for (uint32_t i = 0; i < ix->n_sounds; i++)
        b->sounds[i] = idx_sound_of(ix, i);
    b->contents = (idx_contents){.n_sounds = ix->n_sounds,
                                 .sounds = b->sounds,
                                 .settings = ix->settings,
                                 .report = ix->report,
                                 .seed = head->seed};
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        memcpy(b->parts[i].at, ix->part[i], sizeof b->parts[i].at);
        b->parts[i].at[FMT_SCALE] = NULL; /* these are what changes */
        b->parts[i].at[FMT_NOISES] = b->parts[i].at[FMT_TAILS] = NULL;
        b->contents.scales[i] = ix->scales[i];
        if (params)
            b->contents.scales[i].params = params[i];
        if (noises)
            b->contents.scales[i].noises = noises[i];
        b->parts[i].params = b->contents.scales[i].params;
        b->contents.scales[i].built = &b->parts[i];
    }
    return true;
}

static bool
same_structure(const idx_params *a, const idx_params *b)
{
    return a->family == b->family && a->n_planes == b->n_planes &&
           (a->n_tables == b->n_tables || a->family == IDX_CELLS) &&
           a->metric == b->metric && a->stored == b->stored &&
           a->n_cells == b->n_cells && a->leaf == b->leaf &&
           (a->family == IDX_CELLS || !(a->width < b->width || a->width > b->width));
}

idx_status
idx_rewrite(const char *path, const idx_index *index, const idx_params params[],
            const idx_noises noises[], const atomic_int *stop, char *why,
            size_t why_len)
{
    borrowed b;
    for (uint32_t i = 0; params && i < IDX_SCALES; i++)
        if (!same_structure(&params[i], &index->scales[i].params))
            return idx_because(
                IDX_EARG, why, why_len,
                "%s: scale %u was built otherwise; build the index again", path, i);
    if (!borrow(&b, index, params, noises))
        return idx_because(IDX_ENOMEM, why, why_len, "%s: out of memory", path);
    const idx_status st = idx_write(path, &b.contents, stop, why, why_len);
    free(b.sounds);
    return st;
}
