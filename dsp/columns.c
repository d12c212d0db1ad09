/* Statistics of the loud frames' descriptors. Hot. */
#include "blocks_private.h"

static const float extreme = 1e6F; /* no descriptor gets near; squares stay finite */
static const float loud_share = 1e-4F; /* 40 dB below the loudest frame */

void
dsp_blocks_statistics(dsp_blocks *b, const float descriptors[], size_t n, float out[])
{
    enum { N = DSP_DESCRIPTORS };
    const dsp_block_kern *kern = b->kern->block;
    float mean[DSP_COLUMNS], sd[DSP_COLUMNS], slope_mean[DSP_COLUMNS],
        slope_sd[DSP_COLUMNS], percentiles[2][DSP_COLUMNS];
    kern->pad(descriptors, n, extreme, b->values);
    const size_t n_loud = kern->gather(b->values, n, b->power, loud_share * b->loudest,
                                       b->rows, b->slopes);
    kern->columns(b->slopes, n_loud, DSP_COLUMNS, slope_mean, slope_sd);
    kern->columns(b->rows, n_loud, DSP_COLUMNS, mean, sd);
    kern->percentiles(b->rows, n_loud, percentiles[0]);
    for (size_t c = 0; c < N; c++) {
        out[c] = mean[c];
        out[N + c] = sd[c];
        out[2 * N + c] = slope_sd[c];
        out[3 * N + c] = percentiles[0][c];
        out[4 * N + c] = percentiles[1][c];
    }
}
