/* The 21 values of one frame. Hot. */
#include "descriptors_private.h"

#include <math.h>

static const float least_power = 1e-25F;   /* less than that in all is silence */
static const float most_power = 1e30F;     /* more has no squares; nor has a NaN */
static const float power_floor = 1e-11F;   /* -110 dB, as of the bands */
static const float roll_off_part = 0.85F;  /* of the power */
static const float octave_cost = 0.01F;    /* peaks so near the highest are as high */
static const float silent_level_db = -110; /* where there is no level */

/* ---- Shape ------------------------------------------------------------------------
 */

/* Sums of p[k], (k - centre) p[k] and (k - centre)^2 p[k]. */
static dsp_moments
moments_about(float centre, const dsp_moments chunk[], size_t n_chunks)
{
    dsp_moments m = {0, 0, 0};
    for (size_t c = 0; c < n_chunks; c++) {
        const float away = (float)(c * DSP_CHUNK) + 0.5F * (DSP_CHUNK - 1) - centre;
        m.sum += chunk[c].sum;
        m.first += chunk[c].first + away * chunk[c].sum;
        m.second += chunk[c].second + away * (2 * chunk[c].first + away * chunk[c].sum);
    }
    return m;
}

/* First k at which the sum of p[0..k] reaches goal; n - 1 at the most. */
static size_t
roll_off_bin(const float p[], size_t n, const dsp_moments chunk[], float goal)
{
    float passed = 0;
    size_t c = 0;
    while ((c + 1) * DSP_CHUNK < n && passed + chunk[c].sum < goal)
        passed += chunk[c++].sum;
    size_t k = c * DSP_CHUNK;
    for (passed += p[k]; k + 1 < n && passed < goal; passed += p[k])
        k++;
    return k;
}

/* Centroid, spread and roll-off in out[0..2], over 50 Hz to 14 kHz. */
static void
shape(const dsp_descriptors *d, const float power[], float out[3])
{
    const uint32_t first = d->edge[0], n = d->edge[DSP_CONTRAST_BANDS] - first;
    const float *p = power + first, hz = d->hz_per_bin;
    const size_t n_chunks = (n + DSP_CHUNK - 1) / DSP_CHUNK;
    dsp_moments chunk[DSP_MAX_CHUNKS];
    d->kern->frame->moments(p, n, chunk);
    const dsp_moments m = moments_about(0, chunk, n_chunks);
    float centroid = 0, spread = 0, roll_off = 0;
    if (m.sum >= least_power) {
        /* about 0 the second moment would lose the spread of a high tone */
        const float rough = m.first / m.sum;
        const dsp_moments near = moments_about(rough, chunk, n_chunks);
        const float rest = near.first / m.sum;
        const float variance = near.second / m.sum - rest * rest;
        centroid = hz * ((float)first + rough + rest);
        spread = variance > 0 ? hz * sqrtf(variance) : 0;
        const float goal = roll_off_part * m.sum;
        roll_off = hz * (float)(first + roll_off_bin(p, n, chunk, goal));
    }
    out[0] = log2f(centroid + 20);
    out[1] = log2f(spread + 20);
    out[2] = log2f(roll_off + 20);
}

/* Mean of the dB, and the mean. */
static void
flatness(const dsp_descriptors *d, const float power[], float *mean_db, float *mean)
{
    const uint32_t n = d->edge[DSP_CONTRAST_BANDS] - d->flat_first;
    float sum;
    const float logs =
        d->kern->frame->log_sum(power + d->flat_first, n, power_floor, &sum);
    *mean_db = 3.01029996F * logs / (float)n;
    *mean = sum / (float)n;
}

/* ---- Harmonicity ------------------------------------------------------------------
 */

/* Where the parabola through three points has its top, -0.5..0.5 from the middle one.
 */
static float
top_of_parabola(float left, float middle, float right)
{
    const float bend = 2 * middle - left - right;
    return middle >= left && middle >= right && bend > 0 ? 0.5F * (right - left) / bend
                                                         : 0;
}

/* The lag of the first peak that is as good as the highest, refined: a tone is as like
 * itself after two periods as after one, and where samples fall shall not decide. */
static float
first_peak(const dsp_descriptors *d, float enough)
{
    const float *r = d->lags;
    const size_t end = d->lag_end;
    size_t l = d->lag_first;
    l += d->kern->frame->reach(r + l, end - l, enough);
    while (l + 1 < end && r[l + 1] > r[l])
        l++;
    return (float)l + top_of_parabola(r[l - 1], r[l], r[l + 1]);
}

/* h and log2(f0) h, from the lags. */
static void
harmonicity(const dsp_descriptors *d, float out[2])
{
    const float *r = d->lags, zero = r[0];
    const size_t first = d->lag_first, end = d->lag_end;
    const float most = d->kern->block->greatest(r + first, end - first, 0);
    out[0] = out[1] = 0;
    if (!(most > 0))
        return;
    const float lag = first_peak(d, (1 - octave_cost) * most);
    out[0] = most < zero ? most / zero : 1;
    out[1] = log2f(d->rate_hz / lag) * out[0];
}

/* ---- All of them ------------------------------------------------------------------
 */

/* What silence has, for frames too loud for floats as well. */
static void
silent(float level, float out[DSP_DESCRIPTORS])
{
    memset(out, 0, DSP_DESCRIPTORS * sizeof *out);
    for (int b = 0; b < DSP_CONTRAST_BANDS; b++)
        out[DSP_CONTRAST_BANDS + b] = 10 * log10f(power_floor) - level;
    for (int i = 0; i < 3; i++)
        out[2 * DSP_CONTRAST_BANDS + i] = log2f(20);
}

/* What comes from the spectrum. All decibels are taken at once. */
static void
spectral(dsp_descriptors *d, const float power[], float level,
         float out[DSP_DESCRIPTORS])
{
    enum { N = DSP_CONTRAST_BANDS };
    float db[N + 1][2] = {{0}}, mean_db, *rest = out + 2 * N;
    dsp_contrast(d, power, db);
    flatness(d, power, &mean_db, &db[N][0]);
    d->kern->decibels(db[0], sizeof db / sizeof **db, power_floor);
    for (int b = 0; b < N; b++) {
        out[b] = db[b][1] - db[b][0];
        out[N + b] = db[b][0] - level;
    }
    shape(d, power, rest);
    rest[3] = mean_db - db[N][0];
    harmonicity(d, rest + 5);
}

void
dsp_descriptors_frame(dsp_descriptors *d, const float x[], const float power[],
                      float level_e_db, float out[DSP_DESCRIPTORS])
{
    const dsp_frame_kern *kern = d->kern->frame;
    const float level = isfinite(level_e_db) ? level_e_db : silent_level_db;
    kern->lags(&d->plan, power, d->lags);
    const float total = 0.5F * (d->lags[0] + power[0] + power[d->half]);
    if (total >= least_power && total <= most_power)
        spectral(d, power, level, out);
    else
        silent(level, out);
    out[DSP_DESCRIPTORS - 3] =
        (float)kern->crossings(x, d->window_frames) / (float)d->window_frames;
}
