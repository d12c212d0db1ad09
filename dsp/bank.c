/* Triangular filter banks on warped frequency axes, kept sparse. Set-up only. */
#include "private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double
warp(dsp_warp kind, double hz)
{
    static const double break_hz = 1000, mel_per_hz = 3.0 / 200; /* Slaney's Auditory */
    switch (kind) {
    case DSP_MEL_SLANEY:
        return hz < break_hz ? hz * mel_per_hz
                             : 15 + 27 / log(6.4) * log(hz / break_hz);
    case DSP_BARK:
        return 6 * asinh(hz / 600);
    default:
        return 2595 * log10(1 + hz / 700);
    }
}

static double
unwarp(dsp_warp kind, double z)
{
    switch (kind) {
    case DSP_MEL_SLANEY:
        return z < 15 ? z * 200 / 3 : 1000 * exp((z - 15) * log(6.4) / 27);
    case DSP_BARK:
        return 600 * sinh(z / 6);
    default:
        return 700 * (pow(10, z / 2595) - 1);
    }
}

/* Height at x of the triangle with corners e[0], e[1], e[2]; 0 outside. */
static double
triangle(const double e[3], double x)
{
    const double up = (x - e[0]) / (e[1] - e[0]), down = (e[2] - x) / (e[2] - e[1]);
    const double w = up < down ? up : down;
    return w > 0 ? w : 0;
}

/* Fills w[n_bins] with one band's weights. */
static void
band_weights(const dsp_bank_config *c, uint32_t band, double hz_per_bin,
             uint32_t n_bins, double w[])
{
    const double low = warp(c->warp, c->low_hz), high = warp(c->warp, c->high_hz);
    double e[3], hz[3], sum = 0;
    for (int i = 0; i < 3; i++) {
        e[i] = low + (high - low) * (band + (unsigned)i) / (c->n_bands + 1);
        hz[i] = unwarp(c->warp, e[i]);
    }
    for (uint32_t k = 0; k < n_bins; k++) {
        const double f = k * hz_per_bin;
        w[k] = c->triangle == DSP_TRIANGLE_HZ ? triangle(hz, f)
                                              : triangle(e, warp(c->warp, f));
        if (k == 0 && c->skip_dc)
            w[k] = 0;
        if (w[k] < 1e-9)
            w[k] = 0;
        sum += w[k];
    }
    const double gain = c->norm == DSP_AREA_1  ? 2 / (hz[2] - hz[0])
                        : c->norm == DSP_SUM_1 ? (sum > 0 ? 1 / sum : 0)
                                               : 1;
    for (uint32_t k = 0; k < n_bins; k++)
        w[k] *= gain;
}

/* Where the weights that are not zero begin, and how many there are up to the last one.
 */
static dsp_band
band_extent(const double w[], uint32_t n_bins)
{
    uint32_t first = 0, end = n_bins;
    while (first < n_bins && w[first] <= 0)
        first++;
    while (end > first && w[end - 1] <= 0)
        end--;
    const uint32_t n = end - first;
    return (dsp_band){.first_bin = n ? first : 0,
                      .n_blocks = n ? (n + DSP_LANES - 1) / DSP_LANES : 1};
}

static bool
config_ok(const dsp_bank_config *c, double hz_per_bin, uint32_t n_bins)
{
    return c->n_bands >= 1 && c->n_bands <= DSP_MAX_BANDS && c->low_hz >= 0 &&
           c->high_hz > c->low_hz && isfinite(c->high_hz) && hz_per_bin > 0 &&
           n_bins >= 2 && n_bins <= DSP_MAX_FFT / 2 + 1;
}

dsp_status
dsp_bank_new(dsp_bank **out, const dsp_bank_config *c, double hz_per_bin,
             uint32_t n_bins)
{
    *out = NULL;
    if (!config_ok(c, hz_per_bin, n_bins))
        return DSP_EARG;
    dsp_bank *bank = calloc(1, sizeof *bank);
    double *w = calloc(n_bins, sizeof *w);
    const size_t n_weights = (size_t)c->n_bands * (n_bins + DSP_LANES) + DSP_LANES;
    if (bank)
        bank->weights = dsp_calloc(n_weights * sizeof *bank->weights);
    if (!bank || !w || !bank->weights) {
        free(w);
        dsp_bank_free(bank);
        return DSP_ENOMEM;
    }
    bank->n_bands = c->n_bands;
    bank->n_padded = (c->n_bands + DSP_LANES - 1) / DSP_LANES * DSP_LANES;
    uint32_t used =
        DSP_LANES; /* the first block is zeros: what empty bands weigh with */
    for (uint32_t b = 0; b < bank->n_padded; b++) {
        dsp_band *band = &bank->bands[b];
        *band = (dsp_band){.n_blocks = 1};
        if (b >= c->n_bands)
            continue;
        band_weights(c, b, hz_per_bin, n_bins, w);
        *band = band_extent(w, n_bins);
        const uint32_t n = band->n_blocks * DSP_LANES;
        band->offset = used;
        for (uint32_t i = 0; i < n && band->first_bin + i < n_bins; i++)
            bank->weights[used + i] = (float)w[band->first_bin + i];
        used += n;
        const uint32_t end = band->first_bin + n;
        bank->n_power = end > bank->n_power ? end : bank->n_power;
    }
    bank->n_bins = bank->n_power < n_bins ? bank->n_power : n_bins;
    free(w);
    *out = bank;
    return DSP_OK;
}

void
dsp_bank_free(dsp_bank *bank)
{
    if (!bank)
        return;
    free(bank->weights);
    free(bank);
}

float
dsp_bank_weight(const dsp_bank *bank, uint32_t band, uint32_t bin)
{
    if (band >= bank->n_bands)
        return 0;
    const dsp_band *b = &bank->bands[band];
    if (bin < b->first_bin || bin - b->first_bin >= b->n_blocks * DSP_LANES)
        return 0;
    return bank->weights[b->offset + bin - b->first_bin];
}
