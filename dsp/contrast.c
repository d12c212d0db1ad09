/* Spectral contrast: the strongest and the weakest fifth of each band's bins. Hot. */
#include "descriptors_private.h"

enum { FEW_BINS = 32 };

/* The least of p[n], none of which is negative. */
static float
least_of(const float p[], size_t n)
{
    int32_t least = dsp_bits_of(p[0]);
    for (size_t i = 0; i < n; i++)
        least = dsp_bits_of(p[i]) < least ? dsp_bits_of(p[i]) : least;
    return dsp_float_of(least);
}

/* A band's bins, with zeros up to whole vectors. */
typedef struct {
    float p[DSP_MAX_FFT / 2 + 1 + DSP_LANES];
    int32_t n, n_lanes; /* n_lanes = n rounded up, over DSP_LANES */
    float least, most;
} bins;

static void
copy_bins(bins *b, const float p[], int32_t n)
{
    b->n = n;
    b->n_lanes = (n + DSP_LANES - 1) / DSP_LANES;
    memset(b->p + DSP_LANES * (b->n_lanes - 1), 0, DSP_LANES * sizeof *b->p);
    memcpy(b->p, p, (size_t)n * sizeof *p);
    b->least = least_of(p, (size_t)n);
    b->most = dsp_greatest(p, (size_t)n);
}

static int32_t
count_above(const bins *b, float limit)
{
    int32_t count = 0;
    for (int32_t i = 0; i < DSP_LANES * b->n_lanes; i++)
        count += b->p[i] > limit;
    return count;
}

/*
 * A search for a number t such that at most k bins are greater, and at least k not
 * smaller: the k-th largest, or one between it and the next. It narrows the interval of
 * bit patterns lo..hi, of which hi is such a number in the end. 0 < k < n.
 */
typedef struct {
    int32_t k, lo, hi, mid;
    int32_t above_lo, above_hi; /* bins above: more than k, k at most */
    bool halve;
} search;

static search
search_from(const bins *b, int32_t k, float guess)
{
    return (search){.k = k,
                    .lo = dsp_bits_of(b->least) - 1,
                    .hi = dsp_bits_of(b->most),
                    .mid = dsp_bits_of(guess),
                    .above_lo = b->n};
}

static bool
searching(const search *s)
{
    return s->hi - s->lo > 1 && s->above_hi != s->k;
}

static float
probe(search *s)
{
    const int32_t least = s->lo + 1, most = s->hi - 1, mid = s->mid;
    s->mid = mid > most ? most : mid;
    s->mid = s->mid < least ? least : s->mid;
    return dsp_float_of(s->mid);
}

/* So many bins are above the probe. The next one is by interpolation or, where that did
 * not halve the number of bins left, in the middle: at most 64 probes, usually 3 to 6.
 */
static void
narrow(search *s, int32_t above)
{
    const int32_t left = s->above_lo - s->above_hi;
    const bool raise = above > s->k;
    s->lo = raise ? s->mid : s->lo;
    s->above_lo = raise ? above : s->above_lo;
    s->hi = raise ? s->hi : s->mid;
    s->above_hi = raise ? s->above_hi : above;
    s->halve = !s->halve && 2 * (s->above_lo - s->above_hi) > left;
    const float part =
        s->halve ? 0.5F
                 : (float)(s->above_lo - s->k) / (float)(s->above_lo - s->above_hi);
    s->mid = s->lo + (int32_t)((float)(s->hi - s->lo) * part);
}

/* Both searches at once: what one waits for hides behind the other. */
static void
thresholds(const bins *b, search *low, search *high)
{
    while (searching(low) && searching(high)) {
        const float at_low = probe(low), at_high = probe(high);
        int32_t above_low = 0, above_high = 0;
        for (int32_t i = 0; i < DSP_LANES * b->n_lanes; i++) {
            above_low += b->p[i] > at_low;
            above_high += b->p[i] > at_high;
        }
        narrow(low, above_low);
        narrow(high, above_high);
    }
    for (search *s = searching(low) ? low : high; searching(s);)
        narrow(s, count_above(b, probe(s)));
}

/* The same by ranks for few bins, where rounds cost more than n^2 comparisons do: *high
 * is the k-th largest, *low the k-th smallest. */
static void
thresholds_of_few(const bins *b, int32_t k, float *low, float *high)
{
    *low = *high = b->most;
    for (int32_t i = 0; i < b->n; i += DSP_LANES) {
        int32_t greater[DSP_LANES] = {0};
        for (int32_t j = 0; j < b->n; j++)
            for (int32_t l = 0; l < DSP_LANES; l++)
                greater[l] += b->p[j] > b->p[i + l];
        for (int32_t l = 0; l < DSP_LANES && i + l < b->n; l++) {
            const float v = b->p[i + l];
            *high = greater[l] < k && v < *high ? v : *high;
            *low = greater[l] <= b->n - k && v < *low ? v : *low;
        }
    }
}

/* Mean of the k largest bins, the least of which is t, or is above t while all others
 * are not. Equals of t count as often as need be. */
static float
mean_of_largest(const bins *b, int32_t k, float t)
{
    const float *p = b->p;
    float lane[DSP_LANES] = {0};
    for (int32_t i = 0; i < DSP_LANES * b->n_lanes; i += DSP_LANES)
        for (int32_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l] > t ? p[i + l] : 0;
    return (dsp_sum_of_lanes(lane) + (float)(k - count_above(b, t)) * t) / (float)k;
}

/* Mean of the k smallest, likewise. */
static float
mean_of_smallest(const bins *b, int32_t k, float t)
{
    const float *p = b->p;
    float lane[DSP_LANES] = {0};
    int32_t count = b->n; /* less those of t or more; with t = 0 it does not matter */
    for (int32_t i = 0; i < DSP_LANES * b->n_lanes; i++)
        count -= p[i] >= t;
    for (int32_t i = 0; i < DSP_LANES * b->n_lanes; i += DSP_LANES)
        for (int32_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l] < t ? p[i + l] : 0;
    return (dsp_sum_of_lanes(lane) + (float)(k - count) * t) / (float)k;
}

/* Means of the k smallest and the k largest. The guesses are what noise has, whose
 * powers are distributed exponentially: ln 5/4 and ln 5 times their mean. */
static void
extremes(const bins *b, int32_t k, float *smallest, float *largest)
{
    float low, high;
    if (b->n <= FEW_BINS) {
        thresholds_of_few(b, k, &low, &high);
    } else {
        const float mean = dsp_sum(b->p, (size_t)b->n) / (float)b->n;
        search to_low = search_from(b, b->n - k, 0.223F * mean);
        search to_high = search_from(b, k, 1.609F * mean);
        thresholds(b, &to_low, &to_high);
        low = dsp_float_of(to_low.hi);
        high = dsp_float_of(to_high.hi);
    }
    *smallest = mean_of_smallest(b, k, low);
    *largest = mean_of_largest(b, k, high);
}

void
dsp_contrast(const dsp_descriptors *d, const float power[], float level, float out[])
{
    bins b;
    for (int i = 0; i < DSP_CONTRAST_BANDS; i++) {
        const int32_t n = (int32_t)(d->edge[i + 1] - d->edge[i]);
        const int32_t k = (int32_t)d->n_fifth[i];
        float low = 0, high = 0;
        if (n > 0) {
            copy_bins(&b, power + d->edge[i], n);
            low = b.least;
            high = b.most;
        }
        if (k > 1)
            extremes(&b, k, &low, &high);
        const float valley = dsp_decibels(low);
        out[i] = dsp_decibels(high) - valley;
        out[DSP_CONTRAST_BANDS + i] = valley - level;
    }
}
