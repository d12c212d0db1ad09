/* The 21 values of one frame. Hot. */
#include "descriptors_private.h"

#include <math.h>
#include <string.h>

static const float least_power = 1e-25F;   /* less than that in all is silence */
static const float most_power = 1e30F;     /* more has no squares; nor has a NaN */
static const float roll_off_part = 0.85F;  /* of the power */
static const float octave_cost = 0.01F;    /* peaks so near the highest are as high */
static const float silent_level_db = -110; /* where there is no level */

/* ---- Shape ------------------------------------------------------------------------
 */

/* Sums of (k - centre) p[k] and (k - centre)^2 p[k]. */
typedef struct {
    float first, second;
} moments;

static moments
moments_about(const float p[], size_t n, float centre)
{
    float one[DSP_LANES] = {0}, two[DSP_LANES] = {0};
    float at[DSP_LANES] = {0, 1, 2, 3, 4, 5, 6, 7}; /* stays exact */
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++) {
            const float away = at[l] - centre, weighted = away * p[i + l];
            one[l] += weighted;
            two[l] += away * weighted;
            at[l] += DSP_LANES;
        }
    for (size_t l = 0; i < n; i++, l++) {
        const float away = at[l] - centre;
        one[l] += away * p[i];
        two[l] += away * away * p[i];
    }
    return (moments){dsp_sum_of_lanes(one), dsp_sum_of_lanes(two)};
}

/* Sums of the chunks of p[n], and of all: of the chunks in order, so that a scan ends.
 */
static float
sum_chunks(const float p[], size_t n, float chunk[DSP_MAX_CHUNKS])
{
    float total = 0;
    for (size_t c = 0; c * DSP_CHUNK < n; c++) {
        const size_t left = n - c * DSP_CHUNK;
        chunk[c] = dsp_sum(p + c * DSP_CHUNK, left < DSP_CHUNK ? left : DSP_CHUNK);
        total += chunk[c];
    }
    return total;
}

/* First moment of the chunks, as if each were in its middle. */
static float
rough_centre(const float chunk[], size_t n)
{
    float first = 0;
    for (size_t c = 0; c * DSP_CHUNK < n; c++)
        first += chunk[c] * (float)(c * DSP_CHUNK + DSP_CHUNK / 2);
    return first;
}

/* First k at which the sum of p[0..k] reaches goal; n - 1 at the most. */
static size_t
reach(const float p[], size_t n, const float chunk[], float goal)
{
    float passed = 0;
    size_t c = 0;
    while ((c + 1) * DSP_CHUNK < n && passed + chunk[c] < goal)
        passed += chunk[c++];
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
    float chunk[DSP_MAX_CHUNKS];
    const float total = sum_chunks(p, n, chunk);
    float centroid = 0, spread = 0, roll_off = 0;
    if (total >= least_power) {
        /* about 0 the second moment would lose the spread of a high tone */
        const float rough = rough_centre(chunk, n) / total;
        const moments m = moments_about(p, n, rough);
        const float rest = m.first / total, variance = m.second / total - rest * rest;
        centroid = hz * ((float)first + rough + rest);
        spread = variance > 0 ? hz * sqrtf(variance) : 0;
        roll_off = hz * (float)(first + reach(p, n, chunk, roll_off_part * total));
    }
    out[0] = log2f(centroid + 20);
    out[1] = log2f(spread + 20);
    out[2] = log2f(roll_off + 20);
}

/* Mean of log2 of p[n], floored: exponents are added and mantissas multiplied, so that
 * eight logarithms do. The product of a lane stays in range up to n = 1000. */
static float
mean_log2(const float p[], size_t n)
{
    const int32_t one = 0x3f800000, floor_bits = dsp_bits_of(dsp_power_floor);
    int32_t exponent[DSP_LANES] = {0};
    float product[DSP_LANES];
    for (size_t l = 0; l < DSP_LANES; l++)
        product[l] = 1;
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++) {
            int32_t b = dsp_bits_of(p[i + l]);
            b = b > floor_bits ? b : floor_bits;
            exponent[l] += b >> 23;
            product[l] *= dsp_float_of((b & 0x007fffff) | one);
        }
    float total = 0;
    for (; i < n; i++)
        total += log2f(p[i] > dsp_power_floor ? p[i] : dsp_power_floor);
    for (size_t l = 0; l < DSP_LANES; l++)
        total +=
            (float)(exponent[l] - 127 * (int32_t)(n / DSP_LANES)) + log2f(product[l]);
    return total / (float)n;
}

static float
flatness(const dsp_descriptors *d, const float power[])
{
    const uint32_t n = d->edge[DSP_CONTRAST_BANDS] - d->flat_first;
    const float *p = power + d->flat_first;
    return 3.01029996F * mean_log2(p, n) - dsp_decibels(dsp_sum(p, n) / (float)n);
}

/* Sign changes per sample; 0 is positive. */
static float
zero_crossings(const float x[], int32_t n)
{
    int32_t count = 0;
    for (int32_t i = 1; i < n; i++)
        count += (x[i - 1] < 0) != (x[i] < 0);
    return (float)count / (float)n;
}

/* ---- Harmonicity ------------------------------------------------------------------
 */

/*
 * The spectrum P is real and even, so lag l is the sum over k < 2m of P[k] cos(pi k l /
 * m). With the halves k and k + m added, s = P[k] + P[m-k] gives the even lags and
 * e^(-i pi k/m) (P[k] - P[m-k]) the odd ones, both real: one complex FFT of m points of
 * the former plus i times the latter leaves the lags in their order.
 */
void
dsp_autocorrelate(dsp_descriptors *d, const float power[])
{
    const size_t m = d->half;
    float *restrict fold = d->fold;
    const float *restrict p = power, *restrict c = d->cosine, *restrict s = d->sine;
    for (size_t k = 0; k < m; k++) {
        const float both = p[k] + p[m - k], odd = p[k] - p[m - k];
        fold[2 * k] = both + s[k] * odd;
        fold[2 * k + 1] = c[k] * odd;
    }
    fftwf_execute(d->plan);
}

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
first_peak(const float r[], size_t first, size_t end, const float chunk[], float enough)
{
    size_t c = 0;
    while (chunk[c] < enough)
        c++;
    size_t l = first + c * DSP_CHUNK;
    while (r[l] < enough)
        l++;
    while (l + 1 < end && r[l + 1] > r[l])
        l++;
    return (float)l + top_of_parabola(r[l - 1], r[l], r[l + 1]);
}

/* h and log2(f0) h. */
static void
harmonicity(dsp_descriptors *d, const float power[], float out[2])
{
    float *restrict r = d->lags, chunk[DSP_MAX_CHUNKS], most = 0;
    const float *restrict w = d->weight;
    dsp_autocorrelate(d, power);
    const float zero = r[0];
    for (size_t l = d->lag_first - 1; l <= d->lag_end; l++)
        r[l] *= w[l];
    for (size_t c = 0, l = d->lag_first; l < d->lag_end; c++, l += DSP_CHUNK) {
        const size_t left = d->lag_end - l;
        chunk[c] = dsp_greatest(r + l, left < DSP_CHUNK ? left : DSP_CHUNK);
        most = chunk[c] > most ? chunk[c] : most;
    }
    out[0] = out[1] = 0;
    if (!(most > 0) || !(zero >= least_power))
        return;
    const float enough = (1 - octave_cost) * most;
    const float lag = first_peak(r, d->lag_first, d->lag_end, chunk, enough);
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
        out[DSP_CONTRAST_BANDS + b] = dsp_decibels(0) - level;
    for (int i = 0; i < 3; i++)
        out[2 * DSP_CONTRAST_BANDS + i] = log2f(20);
}

void
dsp_descriptors_frame(dsp_descriptors *d, const float x[], const float power[],
                      float level_e_db, float out[DSP_DESCRIPTORS])
{
    const float level = isfinite(level_e_db) ? level_e_db : silent_level_db;
    const float total = dsp_sum(power, d->half + 1);
    float *rest = out + 2 * DSP_CONTRAST_BANDS;
    if (total >= least_power && total <= most_power) {
        dsp_contrast(d, power, level, out);
        shape(d, power, rest);
        rest[3] = flatness(d, power);
        harmonicity(d, power, rest + 5);
    } else {
        silent(level, out);
    }
    rest[4] = zero_crossings(x, (int32_t)d->window_frames);
}
