/* Makes and frees what blocks.c, modulation.c and columns.c run on. */
#include "blocks_private.h"

#include <math.h>
#include <stdlib.h>

const uint32_t dsp_block_size[DSP_BLOCKS] = {
    DSP_STATISTICS * DSP_DESCRIPTORS, DSP_GROUPS *DSP_MOD_BINS, DSP_GROUPS *DSP_CELLS,
    2 * DSP_MFCC_KEPT, DSP_CEPSTRA *DSP_MOD_BINS};

_Static_assert(DSP_AT_MFCC_MOD + DSP_CEPSTRA * DSP_MOD_BINS == DSP_BLOCK_VALUES,
               "the blocks fill a window's values");

static const double pi = 3.14159265358979323846;

/* Cosine 63-i is the i-th with the sign of its coefficient's parity, so half of each
 * row does. */
static void
fill_dct(dsp_blocks *b)
{
    for (int c = 0; c < DSP_CEPSTRA; c++)
        for (int i = 0; i < DSP_BANDS / 2; i++) {
            float *row = c % 2 ? b->dct.odd[i] : b->dct.even[i];
            row[c / 2] = (float)(sqrt((c ? 2.0 : 1.0) / DSP_BANDS) *
                                 cos(pi * c * (i + 0.5) / DSP_BANDS));
        }
}

static void
fill_hann(dsp_blocks *b)
{
    for (int i = 0; i < DSP_MOD_FRAMES; i++)
        b->hann[i] = (float)(0.5 - 0.5 * cos(2 * pi * i / DSP_MOD_FRAMES));
}

static dsp_status
allocate(dsp_blocks *b)
{
    const size_t n = b->max_frames, row = DSP_COLUMNS * sizeof(float);
    b->power = dsp_calloc(n * sizeof *b->power);
    b->series = dsp_calloc((n + DSP_MOD_FRAMES) * DSP_SERIES * sizeof *b->series);
    b->values = dsp_calloc((n + 2 * DSP_DELTA) * row);
    b->rows = dsp_calloc(n * row);
    b->slopes = dsp_calloc(n * row);
    return b->power && b->series && b->values && b->rows && b->slopes ? DSP_OK
                                                                      : DSP_ENOMEM;
}

dsp_status
dsp_blocks_new(dsp_blocks **out, uint32_t max_frames)
{
    *out = NULL;
    if (max_frames < 1 || max_frames > DSP_MAX_WINDOW)
        return DSP_EARG;
    dsp_blocks *b = calloc(1, sizeof *b);
    if (!b)
        return DSP_ENOMEM;
    b->kern = dsp_kern_best();
    b->max_frames = max_frames;
    fill_dct(b);
    fill_hann(b);
    const dsp_status st = allocate(b);
    if (st)
        dsp_blocks_free(b);
    else
        *out = b;
    return st;
}

void
dsp_blocks_free(dsp_blocks *b)
{
    if (!b)
        return;
    free(b->slopes);
    free(b->rows);
    free(b->values);
    free(b->series);
    free(b->power);
    free(b);
}
