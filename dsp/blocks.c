/*
 * One window of log-mel frames and descriptors as five blocks. Hot.
 *
 *   descriptors      [5][21]   mean, sd, sd of slope, 10th and 90th percentile
 *   mel modulation   [16][9]   groups of 4 bands, low ones first; bins (modulation.c)
 *   template         [16][16]  groups; cells, from the onset on
 *   MFCC             [2][13]   means, sds; of c0..c12
 *   MFCC modulation  [16][9]   c0..c15; bins
 *
 * Deviations are the population's. A slope near an end of the window takes the end's
 * own frame for those beyond. A cell that the window ends in is the mean of the frames
 * that it has. A gain moves the mean of c0 alone, as long as peak - 80 dB stays above
 * -105 dB. So that all stays finite, log-mel above 1000 dB counts as 1000, a descriptor
 * beyond +-1e6 as that, and what is no number as the lowest.
 */
#include "blocks_private.h"

#include <assert.h>
#include <string.h>

static const float range_db = 80, lowest_db = -105;
static const float highest_db = 1000; /* the largest float, squared, is 771 dB */
static const float template_floor_db = -60;
static const float onset_share = 0.01F; /* 20 dB below the loudest frame */
static const uint32_t cell_edge[DSP_CELLS + 1] = {0,  1,  2,  3,  4,  6,  8,   11, 15,
                                                  20, 27, 36, 48, 64, 85, 110, 140};

/* Floor, power, groups and MFCC of every frame, all relative to the peak. */
static void
analyse_frames(dsp_blocks *b, const float mel[], size_t n)
{
    const dsp_block_kern *kern = b->kern->block;
    const float peak = kern->greatest(mel, n * DSP_BANDS, lowest_db);
    b->peak_db = peak < highest_db ? peak : highest_db;
    const float floor =
        b->peak_db - range_db > lowest_db ? b->peak_db - range_db : lowest_db;
    b->group_peak_db =
        kern->frames(mel, n, floor, b->peak_db, &b->dct, b->series, b->power);
    b->loudest = kern->greatest(b->power, n, 0);
}

static size_t
find_onset(const dsp_blocks *b, size_t n)
{
    size_t t = 0;
    while (t + 1 < n && b->power[t] < onset_share * b->loudest)
        t++;
    return t;
}

/* Mean of each group over the frames first..end-1, relative to the highest one. */
static void
fill_cell(const dsp_blocks *b, size_t first, size_t end, float out[])
{
    float sum[DSP_GROUPS] = {0};
    const float share = end > first ? 1 / (float)(end - first) : 0;
    const float peak = end > first ? b->group_peak_db : -template_floor_db;
    for (size_t t = first; t < end; t++)
        for (size_t g = 0; g < DSP_GROUPS; g++)
            sum[g] += b->series[t * DSP_SERIES + g];
    for (size_t g = 0; g < DSP_GROUPS; g++) {
        const float mean = share * sum[g] - peak;
        out[g * DSP_CELLS] = mean > template_floor_db ? mean : template_floor_db;
    }
}

static void
fill_template(const dsp_blocks *b, size_t n, float out[])
{
    const size_t onset = find_onset(b, n);
    for (size_t c = 0; c < DSP_CELLS; c++) {
        const size_t first = onset + cell_edge[c], end = onset + cell_edge[c + 1];
        fill_cell(b, first, end < n ? end : n, out + c);
    }
}

void
dsp_blocks_window(dsp_blocks *b, const float mel[], const float descriptors[], size_t n,
                  float out[DSP_BLOCK_VALUES])
{
    assert(n >= 1 && n <= b->max_frames);
    analyse_frames(b, mel, n);
    b->kern->block->columns(b->series, n, DSP_SERIES, b->mean, b->sd);
    dsp_blocks_statistics(b, descriptors, n, out);
    dsp_blocks_modulation(b, n, out + DSP_AT_MEL_MOD, out + DSP_AT_MFCC_MOD);
    fill_template(b, n, out + DSP_AT_TEMPLATE);
    memcpy(out + DSP_AT_MFCC, b->mean + DSP_GROUPS, DSP_MFCC_KEPT * sizeof *out);
    out[DSP_AT_MFCC] += 8 * b->peak_db; /* c0 of a constant is sqrt(64) times it */
    memcpy(out + DSP_AT_MFCC + DSP_MFCC_KEPT, b->sd + DSP_GROUPS,
           DSP_MFCC_KEPT * sizeof *out);
}
