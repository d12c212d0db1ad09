/* One frame's BFCC and the timbre code of a sliding window. Hot. */
#include "timbre_private.h"

#include <math.h>
#include <string.h>

/* The windowed frame, without its mean, into b->time. */
static void
window_frame(dsp_bfcc *b, const float x[])
{
    b->kern->window(b->time, x, b->window, b->window_frames);
    const float mean = b->window_gain * b->kern->sum(b->time, b->window_frames);
    for (uint32_t i = 0; i < b->window_frames; i++)
        b->time[i] -= mean * b->window[i];
}

/* Bins 0..n_bins-1 of the power spectrum; returns the mean square they stand for. */
static float
power_spectrum(dsp_bfcc *b)
{
    const size_t m = b->fft_frames / 2;
    fftwf_execute(b->plan);
    b->freq[2 * m] = b->freq[0];
    b->freq[2 * m + 1] = b->freq[1];
    b->kern->power(b->power, b->freq, b->cosine, b->sine, m, b->bank.n_bins,
                   b->power_gain);
    return b->level_gain * b->kern->sum(b->power, b->bank.n_bins);
}

/* Without the factor 2 of a DCT-II, which a unit vector does not show. */
static void
cosine_transform(const dsp_bfcc *b, float y[DSP_BFCC_LANES])
{
    memset(y, 0, DSP_BFCC_LANES * sizeof *y);
    for (size_t i = 0; i < DSP_BARK_BANDS; i++) {
        const float *c = b->transform + i * DSP_BFCC_LANES;
        for (size_t k = 0; k < DSP_BFCC_LANES; k++)
            y[k] += b->bands[i] * c[k];
    }
}

static bool
unit_length(float out[DSP_BFCC], const float y[])
{
    double power = 0;
    for (size_t k = 0; k < DSP_BFCC; k++)
        power += (double)y[k] * (double)y[k];
    const bool usable = isfinite(power) && power > 1e-24; /* (1e-12)^2 */
    const double scale = usable ? 1 / sqrt(power) : 0;
    for (size_t k = 0; k < DSP_BFCC; k++)
        out[k] = usable ? (float)((double)y[k] * scale) : 0;
    return usable;
}

bool
dsp_bfcc_frame(dsp_bfcc *b, const float x[], float out[DSP_BFCC])
{
    const float silent = 1e-9F; /* DSP_TIMBRE_SILENT_DB as a mean square */
    float y[DSP_BFCC_LANES];
    window_frame(b, x);
    const float level = power_spectrum(b);
    if (!(level >= silent) || !isfinite(level)) {
        memset(out, 0, DSP_BFCC * sizeof *out);
        return false;
    }
    for (uint32_t k = 0; k < b->bank.n_bins; k++)
        b->power[k] = sqrtf(b->power[k]);
    b->kern->bands(b->bands, b->power, b->bank.bands, b->bank.weights,
                   b->bank.n_padded);
    for (uint32_t i = 0; i < DSP_BARK_BANDS; i++)
        b->bands[i] = logf(b->bands[i] + 1e-12F);
    cosine_transform(b, y);
    return unit_length(out, y);
}

uint32_t
dsp_timbre_nearest(const float centroids[], const float bfcc[DSP_BFCC])
{
    uint32_t best = 0;
    float least = INFINITY;
    for (uint32_t c = 0; c < DSP_TIMBRE_BITS; c++) {
        const float *at = centroids + (size_t)c * DSP_BFCC;
        float distance = 0;
        for (size_t i = 0; i < DSP_BFCC; i++)
            distance += (bfcc[i] - at[i]) * (bfcc[i] - at[i]);
        if (distance < least) {
            least = distance;
            best = c;
        }
    }
    return best;
}

void
dsp_timbre_push(dsp_timbre_code *code, uint32_t centroid)
{
    const uint32_t old = code->ring[code->at];
    if (old > 0) {
        const uint32_t b = old - 1;
        code->n_loud--;
        if (--code->n_frames[b] == 0)
            code->bits[b >> 6] &= ~((uint64_t)1 << (b & 63));
    }
    const bool loud = centroid < DSP_TIMBRE_BITS;
    if (loud) {
        code->n_loud++;
        code->n_frames[centroid]++;
        code->bits[centroid >> 6] |= (uint64_t)1 << (centroid & 63);
    }
    code->ring[code->at] = loud ? (uint8_t)(centroid + 1) : 0;
    code->at = (code->at + 1) % DSP_TIMBRE_FRAMES;
}

void
dsp_timbre_reset(dsp_timbre_code *code)
{
    *code = (dsp_timbre_code){0};
}
