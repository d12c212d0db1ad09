/* What an index learns from its corpus before it stores embeddings. Build time only. */
#include "private.h"

#include <math.h>

/* Typical values: spectra fall by some 30 dB from 50 Hz to 14 kHz, whatever the sound.
 * They count as prior_rows rows. */
static const double prior_rows = 10, prior_tilt_db = 30, prior_mean_spread_db = 10;
static const double prior_deviation_db = 6, prior_deviation_spread_db = 3;

static void
prior(size_t i, double *mean, double *spread)
{
    if (i < DSP_BANDS) {
        *mean = prior_tilt_db * (0.5 - (double)i / (DSP_BANDS - 1));
        *spread = prior_mean_spread_db;
    } else {
        *mean = prior_deviation_db;
        *spread = prior_deviation_spread_db;
    }
}

void
dsp_fit_spread(const float rows[], size_t n_rows, float mean[DSP_RAW],
               float spread[DSP_RAW])
{
    double sum[DSP_RAW] = {0}, square[DSP_RAW] = {0}, m0, s0;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t i = 0; i < DSP_RAW; i++) {
            prior(i, &m0, &s0);
            const double x =
                (double)rows[r * DSP_RAW + i] - m0; /* small: no cancelling */
            sum[i] += x;
            square[i] += x * x;
        }
    const double n = (double)n_rows + prior_rows;
    for (size_t i = 0; i < DSP_RAW; i++) {
        prior(i, &m0, &s0);
        const double m = sum[i] / n;
        mean[i] = (float)(m0 + m);
        spread[i] = (float)sqrt((square[i] + prior_rows * s0 * s0) / n - m * m);
    }
}
