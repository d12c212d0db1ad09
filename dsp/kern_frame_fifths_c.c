/* The definition of the means of the weakest and strongest fifths, in plain C. */
#include "kern.h"
#include "kern_frame.h"

#include <stdbool.h>

enum {
    FEW = 32,  /* bins that are ranked by comparing each with each */
    MOST = 16, /* parts that are searched in turns */
};

typedef struct {
    int32_t least, greatest; /* bits */
    float sum;
} range;

/* Positive floats are in the order of their bits: limits of them are given as such, any
 * int32_t. */

static float
sum_of_lanes(const float lane[DSP_LANES])
{
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static float
sum(const float *p, size_t n)
{
    float lane[DSP_LANES] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += p[i + l];
    for (size_t l = 0; i < n; i++, l++)
        lane[l] += p[i];
    return sum_of_lanes(lane);
}

/* Extremes of bits, because compilers make vectors of those of integers but not of
 * floats. */
static range
range_of(const float *p, size_t n)
{
    int32_t least = dsp_bits_of(p[0]), greatest = least;
    for (size_t i = 0; i < n; i++) {
        const int32_t b = dsp_bits_of(p[i]);
        least = b < least ? b : least;
        greatest = b > greatest ? b : greatest;
    }
    return (range){least, greatest, sum(p, n)};
}

static void
count(const float *p, size_t n, const int32_t limit[2], int32_t above[2])
{
    const int32_t low = limit[0], high = limit[1];
    int32_t above_low = 0, above_high = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t b = dsp_bits_of(p[i]);
        above_low += b > low;
        above_high += b > high;
    }
    above[0] = above_low;
    above[1] = above_high;
}

static void
rank(const float *p, size_t n, int32_t k, int32_t limit[2])
{
    limit[0] = limit[1] = INT32_MAX;
    for (size_t i = 0; i < n; i++) {
        const int32_t b = dsp_bits_of(p[i]);
        int32_t greater = 0;
        for (size_t j = 0; j < n; j++)
            greater += dsp_bits_of(p[j]) > b;
        if (greater <= (int32_t)n - k && b < limit[0])
            limit[0] = b;
        if (greater < k && b < limit[1])
            limit[1] = b;
    }
}

static void
outside(const float *p, size_t n, const int32_t limit[2], float sum[2])
{
    const int32_t low = limit[0], high = limit[1];
    float below[DSP_LANES] = {0}, above[DSP_LANES] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++) {
            const int32_t b = dsp_bits_of(p[i + l]);
            below[l] += b < low ? p[i + l] : 0;
            above[l] += b > high ? p[i + l] : 0;
        }
    for (size_t l = 0; i < n; i++, l++) {
        const int32_t b = dsp_bits_of(p[i]);
        below[l] += b < low ? p[i] : 0;
        above[l] += b > high ? p[i] : 0;
    }
    sum[0] = sum_of_lanes(below);
    sum[1] = sum_of_lanes(above);
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

/* A band, and its searches: of the number above the k smallest, and of that below the k
 * largest. */
typedef struct {
    const float *p;
    size_t n;
    int32_t k;
    search low, high;
} band;

static search
search_from(const range *r, size_t n, int32_t k, float guess)
{
    return (search){.k = k,
                    .lo = r->least - 1,
                    .hi = r->greatest,
                    .mid = dsp_bits_of(guess),
                    .above_lo = (int32_t)n};
}

static bool
searching(const search *s)
{
    return (s->hi - s->lo > 1) & (s->above_hi != s->k);
}

static int32_t
probe(search *s)
{
    const int32_t least = s->lo + 1, most = s->hi - 1, mid = s->mid;
    s->mid = mid > most ? most : mid;
    s->mid = s->mid < least ? least : s->mid;
    return s->mid;
}

/* So many bins are above the probe. The next one is by interpolation or, where that did
 * not halve the number of bins left, in the middle: at most 64 probes, usually 3 to 6.
 * Without branches, which would be guessed wrong as often as not; a search that is over
 * stays where it is. */
static inline void
narrow(search *s, int32_t above)
{
    const bool on = searching(s), up = above > s->k, raise = on & up, lower = on & !up;
    const int32_t left = s->above_lo - s->above_hi;
    s->lo = raise ? s->mid : s->lo;
    s->above_lo = raise ? above : s->above_lo;
    s->hi = lower ? s->mid : s->hi;
    s->above_hi = lower ? above : s->above_hi;
    const int32_t now = s->above_lo - s->above_hi;
    s->halve = !s->halve & (2 * now > left);
    const float rank = (float)(s->above_lo - s->k) / (float)now;
    const float part = s->halve ? 0.5F : rank;
    s->mid = s->lo + (int32_t)((float)(s->hi - s->lo) * part);
}

/* One probe of both of a band's searches. Returns whether one goes on. */
static inline bool
probe_band(band *b)
{
    const int32_t limit[2] = {probe(&b->low), probe(&b->high)};
    int32_t above[2];
    count(b->p, b->n, limit, above);
    narrow(&b->low, above[0]);
    narrow(&b->high, above[1]);
    const bool low = searching(&b->low), high = searching(&b->high);
    return low || high;
}

/* The bands take turns: what one waits for hides behind the others. Few searches are
 * over after the rounds that come without a question. */
static void
find_all(band bands[], size_t n)
{
    enum { ROUNDS = 3 };
    for (int r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < n; i++)
            probe_band(&bands[i]);
    for (size_t i = 0; i < n; i++)
        while (probe_band(&bands[i]))
            ;
}

/* Means of the k smallest and the k largest: of what is below limit[0] or above
 * limit[1], and of rest[] bins that are equal to the thresholds. */
static void
finish(const band *b, const int32_t limit[2], const int32_t rest[2],
       const int32_t threshold[2], float mean[2])
{
    float sum[2];
    outside(b->p, b->n, limit, sum);
    for (int i = 0; i < 2; i++)
        mean[i] = (sum[i] + (float)rest[i] * dsp_float_of(threshold[i])) / (float)b->k;
}

/* By ranks, for few bins. */
static void
rank_few(const band *b, float mean[2])
{
    int32_t limit[2], above[2];
    rank(b->p, b->n, b->k, limit);
    const int32_t under[2] = {limit[0] - 1, limit[1]};
    count(b->p, b->n, under, above);
    const int32_t n_below = (int32_t)b->n - above[0];
    finish(b, limit, (int32_t[2]){b->k - n_below, b->k - above[1]}, limit, mean);
}

/* From the searches. That for the k smallest has found either a number that n - k bins
 * are above, or one that more than k - bins equal to it counted - are not above. */
static void
finish_search(const band *b, float mean[2])
{
    const search *l = &b->low, *h = &b->high;
    const bool exact = l->above_hi == l->k;
    const int32_t n_below = (int32_t)b->n - (exact ? l->above_hi : l->above_lo);
    const int32_t limit[2] = {exact ? l->hi + 1 : l->hi, h->hi};
    const int32_t rest[2] = {b->k - n_below, b->k - h->above_hi};
    finish(b, limit, rest, (int32_t[2]){l->hi, h->hi}, mean);
}

static void
begin(band *b, const range *r)
{
    const float mean = r->sum / (float)b->n;
    b->low = search_from(r, b->n, (int32_t)b->n - b->k, DSP_LOW_FIFTH * mean);
    b->high = search_from(r, b->n, b->k, DSP_HIGH_FIFTH * mean);
}

static void
take(const dsp_part part[], size_t n_parts, float mean[][2])
{
    band many[MOST];
    size_t at[MOST], n_many = 0;
    for (size_t i = 0; i < n_parts; i++) {
        band *b = &many[n_many];
        *b = (band){.p = part[i].p, .n = part[i].n, .k = part[i].k};
        if (b->k > 1 && b->n <= FEW) {
            rank_few(b, mean[i]);
            continue;
        }
        const range r = range_of(b->p, b->n);
        mean[i][0] = dsp_float_of(r.least);
        mean[i][1] = dsp_float_of(r.greatest);
        if (b->k > 1) {
            begin(b, &r);
            at[n_many++] = i;
        }
    }
    find_all(many, n_many);
    for (size_t j = 0; j < n_many; j++)
        finish_search(&many[j], mean[at[j]]);
}

void
dsp_fifths_c(const dsp_part part[], size_t n_parts, float mean[][2])
{
    for (size_t i = 0; i < n_parts; i += MOST)
        take(part + i, n_parts - i < MOST ? n_parts - i : MOST, mean + i);
}
