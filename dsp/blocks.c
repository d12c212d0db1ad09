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

enum { HALF = DSP_CEPSTRA / 2 };
static const float range_db = 80, lowest_db = -105;
static const float highest_db = 1000; /* the largest float, squared, is 771 dB */
static const float template_floor_db = -60;
static const float onset_share = 0.01F; /* 20 dB below the loudest frame */
static const uint32_t cell_edge[DSP_CELLS + 1] = {0,  1,  2,  3,  4,  6,  8,   11, 15,
                                                  20, 27, 36, 48, 64, 85, 110, 140};

static void
measure_range(dsp_blocks *b, const float mel[], size_t n)
{
    float most[DSP_BANDS], peak = lowest_db;
    for (size_t i = 0; i < DSP_BANDS; i++)
        most[i] = lowest_db;
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < DSP_BANDS; i++) {
            const float v = mel[t * DSP_BANDS + i];
            most[i] = v > most[i] ? v : most[i];
        }
    for (size_t i = 0; i < DSP_BANDS; i++)
        peak = most[i] > peak ? most[i] : peak;
    b->peak_db = peak < highest_db ? peak : highest_db;
    b->floor_db = b->peak_db - range_db;
    if (b->floor_db < lowest_db)
        b->floor_db = lowest_db;
}

/* Power of a frame over that of the window's peak, from dB below it: 10^(x/10) by the
 * series of 2^f, |f| <= 1/2, within 2e-5 dB. x is in -80..0. */
static float
relative_power(const float x[DSP_BANDS])
{
    int32_t bits[DSP_BANDS];
    float scale[DSP_BANDS], series[DSP_BANDS], lane[DSP_LANES] = {0};
    for (size_t i = 0; i < DSP_BANDS; i++) {
        const float y = 0.332192809F * x[i]; /* 2^y is the power */
        const int32_t k = (int32_t)(y - 0.5F);
        const float f = y - (float)k;
        bits[i] = (k + 127) * (1 << 23); /* of the float 2^k */
        series[i] =
            1 +
            f * (0.693147181F +
                 f * (0.240226507F +
                      f * (0.0555041087F + f * (0.00961812911F + f * 0.00133335581F))));
    }
    memcpy(scale, bits, sizeof scale);
    for (size_t i = 0; i < DSP_BANDS; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += scale[i + l] * series[i + l];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* out[j] += sum of x[i] w[i][j] over four i. Out of line, because once it is inlined
 * GCC 12 makes vectors of the loop around it instead: three times as slow. */
__attribute__((noinline)) static void
add_rows(const float *restrict x, const float (*restrict w)[HALF], float *restrict out)
{
    const float x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    for (size_t j = 0; j < HALF; j++)
        out[j] += (x0 * w[0][j] + x1 * w[1][j]) + (x2 * w[2][j] + x3 * w[3][j]);
}

/* Orthonormal DCT-II, c0..c15. */
static void
cepstrum(const dsp_blocks *b, const float x[DSP_BANDS], float out[DSP_CEPSTRA])
{
    float sum[DSP_BANDS / 2], dif[DSP_BANDS / 2], even[HALF] = {0}, odd[HALF] = {0};
    for (size_t i = 0; i < DSP_BANDS / 2; i++) {
        sum[i] = x[i] + x[DSP_BANDS - 1 - i];
        dif[i] = x[i] - x[DSP_BANDS - 1 - i];
    }
    for (size_t i = 0; i < DSP_BANDS / 2; i += 4) {
        add_rows(sum + i, b->dct[0] + i, even);
        add_rows(dif + i, b->dct[1] + i, odd);
    }
    for (size_t j = 0; j < HALF; j++) {
        out[2 * j] = even[j];
        out[2 * j + 1] = odd[j];
    }
}

static void
group(const float x[DSP_BANDS], float out[DSP_GROUPS])
{
    for (size_t g = 0; g < DSP_GROUPS; g++)
        out[g] = 0.25F * ((x[4 * g] + x[4 * g + 1]) + (x[4 * g + 2] + x[4 * g + 3]));
}

/* Floor, power, groups and MFCC of every frame, all relative to the peak. */
static void
analyse_frames(dsp_blocks *b, const float mel[], size_t n)
{
    float x[DSP_BANDS], most[DSP_GROUPS];
    for (size_t g = 0; g < DSP_GROUPS; g++)
        most[g] = -range_db;
    for (size_t t = 0; t < n; t++) {
        float *series = b->series + t * DSP_SERIES;
        for (size_t i = 0; i < DSP_BANDS; i++) {
            const float v = mel[t * DSP_BANDS + i];
            const float w = v > b->floor_db ? v : b->floor_db;
            x[i] = (w < b->peak_db ? w : b->peak_db) - b->peak_db;
        }
        b->power[t] = relative_power(x);
        group(x, series);
        cepstrum(b, x, series + DSP_GROUPS);
        for (size_t g = 0; g < DSP_GROUPS; g++)
            most[g] = series[g] > most[g] ? series[g] : most[g];
    }
    b->group_peak_db = -range_db;
    for (size_t g = 0; g < DSP_GROUPS; g++)
        b->group_peak_db = most[g] > b->group_peak_db ? most[g] : b->group_peak_db;
}

static size_t
find_onset(const dsp_blocks *b, size_t n)
{
    float most = 0;
    size_t t = 0;
    for (size_t i = 0; i < n; i++)
        most = b->power[i] > most ? b->power[i] : most;
    while (t + 1 < n && b->power[t] < onset_share * most)
        t++;
    return t;
}

/* Mean of each group over the frames first..end-1, relative to the highest one. */
static void
fill_cell(const dsp_blocks *b, size_t first, size_t end, float out[])
{
    float sum[DSP_GROUPS] = {0};
    for (size_t t = first; t < end; t++)
        for (size_t g = 0; g < DSP_GROUPS; g++)
            sum[g] += b->series[t * DSP_SERIES + g] - b->group_peak_db;
    for (size_t g = 0; g < DSP_GROUPS; g++) {
        const float mean =
            end > first ? sum[g] / (float)(end - first) : template_floor_db;
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
    measure_range(b, mel, n);
    analyse_frames(b, mel, n);
    dsp_columns(b->series, n, DSP_SERIES, b->mean, b->sd);
    dsp_blocks_statistics(b, descriptors, n, out);
    dsp_blocks_modulation(b, n, out + DSP_AT_MEL_MOD, out + DSP_AT_MFCC_MOD);
    fill_template(b, n, out + DSP_AT_TEMPLATE);
    memcpy(out + DSP_AT_MFCC, b->mean + DSP_GROUPS, DSP_MFCC_KEPT * sizeof *out);
    out[DSP_AT_MFCC] += 8 * b->peak_db; /* c0 of a constant is sqrt(64) times it */
    memcpy(out + DSP_AT_MFCC + DSP_MFCC_KEPT, b->sd + DSP_GROUPS,
           DSP_MFCC_KEPT * sizeof *out);
}
