/* The means of the weakest and strongest fifths for x86 with AVX2 and FMA. */
#include "kern_frame.h"

#if defined(__AVX2__)

#include "kern_avx2.h"

#include <stdbool.h>

enum { FEW = 16 }; /* bins that are ranked by comparing each with each */

typedef struct {
    int32_t least, greatest; /* bits */
    float sum;
} range;

/* Up to eight numbers, then zeros; in tells where the former are. */
static inline __m256
load_rest(const float *p, size_t n, __m256i *in)
{
    *in = first_lanes(n < 8 ? n : 8);
    return _mm256_maskload_ps(p, *in);
}

static range
range_of(const float *p, size_t n)
{
    const __m256i none = _mm256_set1_epi32(INT32_MAX);
    __m256i least = none, greatest = _mm256_set1_epi32(INT32_MIN), in;
    __m256 sum = _mm256_setzero_ps(), sum2 = sum;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m256i v = load_i(p + i), w = load_i(p + i + 8);
        least = _mm256_min_epi32(least, _mm256_min_epi32(v, w));
        greatest = _mm256_max_epi32(greatest, _mm256_max_epi32(v, w));
        sum = _mm256_add_ps(sum, _mm256_castsi256_ps(v));
        sum2 = _mm256_add_ps(sum2, _mm256_castsi256_ps(w));
    }
    for (; i < n; i += 8) {
        const __m256 v = load_rest(p + i, n - i, &in);
        const __m256i b = _mm256_castps_si256(v);
        least = _mm256_min_epi32(least, _mm256_blendv_epi8(none, b, in));
        greatest = _mm256_max_epi32(greatest, _mm256_blendv_epi8(greatest, b, in));
        sum = _mm256_add_ps(sum, v);
    }
    sum = _mm256_add_ps(sum, sum2);
    return (range){least_of_i(least), greatest_of_i(greatest), sum_of(sum)};
}

/* rank() where n <= 8 n_vectors, which is a constant. */
static inline void
rank_in(const float *p, size_t n, int32_t k, int32_t limit[2], const size_t n_vectors)
{
    const __m256i none = _mm256_set1_epi32(INT32_MAX);
    __m256i v[FEW / 8], greater[FEW / 8], in;
    for (size_t i = 0; i < n_vectors; i++) {
        const __m256 x = load_rest(p + 8 * i, n > 8 * i ? n - 8 * i : 0, &in);
        v[i] = _mm256_blendv_epi8(none, _mm256_castps_si256(x), in);
        greater[i] = _mm256_setzero_si256();
    }
    for (size_t j = 0; j < n; j++) {
        const __m256i b = _mm256_castps_si256(_mm256_broadcast_ss(p + j));
        for (size_t i = 0; i < n_vectors; i++)
            greater[i] = _mm256_sub_epi32(greater[i], _mm256_cmpgt_epi32(b, v[i]));
    }
    const __m256i at_low = _mm256_set1_epi32((int32_t)n - k + 1);
    const __m256i at_high = _mm256_set1_epi32(k);
    __m256i low = none, high = none;
    for (size_t i = 0; i < n_vectors; i++) {
        const __m256i is_low = _mm256_cmpgt_epi32(at_low, greater[i]);
        const __m256i is_high = _mm256_cmpgt_epi32(at_high, greater[i]);
        low = _mm256_min_epi32(low, _mm256_blendv_epi8(none, v[i], is_low));
        high = _mm256_min_epi32(high, _mm256_blendv_epi8(none, v[i], is_high));
    }
    limit[0] = least_of_i(low);
    limit[1] = least_of_i(high);
}

static void
rank_few(const float *p, size_t n, int32_t k, int32_t limit[2])
{
    if (n <= 16)
        rank_in(p, n, k, limit, 2);
    else
        rank_in(p, n, k, limit, 4);
}

/* Of some powers: the sum of those that are not above one limit, and the least that is;
 * the sum of those above another one, and the greatest that is not. */
typedef struct {
    __m256 low, high;
    __m256i above, below;
} sides;

static inline void
add_side(__m256i x, __m256i low, __m256i high, sides *s)
{
    const __m256i over = _mm256_cmpgt_epi32(x, low);
    const __m256i low_part = _mm256_andnot_si256(over, x);
    const __m256i none = _mm256_set1_epi32(INT32_MAX);
    s->low = _mm256_add_ps(s->low, _mm256_castsi256_ps(low_part));
    s->above = _mm256_min_epi32(s->above, _mm256_blendv_epi8(none, x, over));
    const __m256i high_part = _mm256_and_si256(_mm256_cmpgt_epi32(x, high), x);
    s->high = _mm256_add_ps(s->high, _mm256_castsi256_ps(high_part));
    s->below =
        _mm256_max_epi32(s->below, _mm256_andnot_si256(_mm256_cmpgt_epi32(x, high), x));
}

/* Means of the k smallest and the k largest: of what is not above limit[0], and above
 * limit[1], and rest[] times what comes next. */
static inline void
finish(const dsp_part *b, const int32_t limit[2], const int32_t rest[2], float mean[2])
{
    const __m256i low = _mm256_set1_epi32(limit[0]), high = _mm256_set1_epi32(limit[1]);
    const __m256i none = _mm256_set1_epi32(INT32_MAX), least = _mm256_setzero_si256();
    const __m256 zero = _mm256_setzero_ps();
    sides s = {zero, zero, none, least}, t = s;
    __m256i in;
    size_t i = 0;
    for (; i + 16 <= b->n; i += 16) {
        add_side(load_i(b->p + i), low, high, &s);
        add_side(load_i(b->p + i + 8), low, high, &t);
    }
    for (; i < b->n; i += 8) {
        const __m256 x = load_rest(b->p + i, b->n - i, &in); /* zeros change nothing */
        add_side(_mm256_castps_si256(x), low, high, &s);
    }
    const float above = dsp_float_of(least_of_i(_mm256_min_epi32(s.above, t.above)));
    const float below = dsp_float_of(greatest_of_i(_mm256_max_epi32(s.below, t.below)));
    mean[0] =
        (sum_of(_mm256_add_ps(s.low, t.low)) + (float)rest[0] * above) / (float)b->k;
    mean[1] =
        (sum_of(_mm256_add_ps(s.high, t.high)) + (float)rest[1] * below) / (float)b->k;
}

/* ---- Search ---- */

enum {
    TOGETHER = 4, /* parts: as many searches for the k smallest, and the k largest */
    LEAST = -1,   /* bits below all */
};

/* Bits per rank over the number of bins: where a fifth of noise ends, n p dp/dn is
 * 0.18 and 0.32, and 2^23 / ln 2 bits are a factor of e. Half as much more, so that the
 * next probe is on the other side. */
static const float low_stride = 1e8F, high_stride = 5.7e7F;

/* Eight searches like that in kern_frame_fifths_c.c. */
typedef struct {
    __m256i k, lo, hi, mid, above_lo, above_hi, halve, top; /* top: hi at first */
    __m256 step, stride; /* in bits: of the next probe beyond all others; per rank */
} searches;

/* How many of p[n] are above each of two limits, in the lanes of two sums. */
static inline void
count(const float *p, size_t n, int32_t low_limit, int32_t high_limit, __m256i *low,
      __m256i *high)
{
    const __m256i low_least = _mm256_set1_epi32(low_limit);
    const __m256i high_least = _mm256_set1_epi32(high_limit);
    __m256i a = _mm256_setzero_si256(), b = a;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const __m256i v = load_i(p + i);
        a = _mm256_sub_epi32(a, _mm256_cmpgt_epi32(v, low_least));
        b = _mm256_sub_epi32(b, _mm256_cmpgt_epi32(v, high_least));
    }
    if (i < n) {
        const __m256i in = first_lanes(n - i);
        const __m256i v = _mm256_castps_si256(_mm256_maskload_ps(p + i, in));
        a = _mm256_sub_epi32(a, _mm256_and_si256(in, _mm256_cmpgt_epi32(v, low_least)));
        b = _mm256_sub_epi32(b,
                             _mm256_and_si256(in, _mm256_cmpgt_epi32(v, high_least)));
    }
    *low = a;
    *high = b;
}

/* Sums of the lanes of eight registers, as one register. */
static inline __m256i
sum_lanes_i(const __m256i v[8])
{
    const __m256i s01 = _mm256_hadd_epi32(v[0], v[1]);
    const __m256i s23 = _mm256_hadd_epi32(v[2], v[3]);
    const __m256i s45 = _mm256_hadd_epi32(v[4], v[5]);
    const __m256i s67 = _mm256_hadd_epi32(v[6], v[7]);
    const __m256i a = _mm256_hadd_epi32(s01, s23), b = _mm256_hadd_epi32(s45, s67);
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                            _mm256_permute2x128_si256(a, b, 0x31));
}

/* A search is over one bin short of its goal, too, since finish() adds that bin. It
 * could take off one too many from the k largest, but not from the k smallest: what is
 * left would have lost its digits. */
static inline __m256i
searching(const searches *s)
{
    const __m256i low_slack = _mm256_setr_epi32(2, 2, 2, 2, 0, 0, 0, 0);
    const __m256i high_slack = _mm256_setr_epi32(1, 1, 1, 1, 2, 2, 2, 2);
    const __m256i at_lo =
        _mm256_cmpgt_epi32(low_slack, _mm256_sub_epi32(s->above_lo, s->k));
    const __m256i at_hi =
        _mm256_cmpgt_epi32(high_slack, _mm256_sub_epi32(s->k, s->above_hi));
    const __m256i room =
        _mm256_cmpgt_epi32(_mm256_sub_epi32(s->hi, s->lo), _mm256_set1_epi32(1));
    return _mm256_andnot_si256(_mm256_or_si256(at_lo, at_hi), room);
}

static inline __m256i
choose(__m256i where, __m256i yes, __m256i no)
{
    return _mm256_blendv_epi8(no, yes, where);
}

/* Where to probe next between lo and hi. */
static inline __m256i
interpolated(searches *s, __m256i left, __m256i now)
{
    const __m256i slow = _mm256_cmpgt_epi32(_mm256_add_epi32(now, now), left);
    s->halve = _mm256_andnot_si256(s->halve, slow);
    const __m256 bias =
        _mm256_setr_ps(-0.5F, -0.5F, -0.5F, -0.5F, 0.5F, 0.5F, 0.5F, 0.5F);
    const __m256 excess = _mm256_cvtepi32_ps(_mm256_sub_epi32(s->above_lo, s->k));
    const __m256 rank =
        _mm256_div_ps(_mm256_add_ps(excess, bias), _mm256_cvtepi32_ps(now));
    const __m256 part =
        _mm256_blendv_ps(rank, _mm256_set1_ps(0.5F), _mm256_castsi256_ps(s->halve));
    const __m256 width = _mm256_cvtepi32_ps(_mm256_sub_epi32(s->hi, s->lo));
    return _mm256_add_epi32(s->lo, _mm256_cvttps_epi32(_mm256_mul_ps(width, part)));
}

/* And where no probe has been on the other side yet: as far away as noise would have
 * it, or six times as far as last time. */
static inline __m256i
beyond(searches *s, __m256i above)
{
    const __m256 far = _mm256_set1_ps(0x1p29F), more = _mm256_set1_ps(6);
    const __m256 sign = _mm256_set1_ps(-0.0F);
    const __m256 miss = _mm256_cvtepi32_ps(_mm256_sub_epi32(above, s->k));
    const __m256 by = _mm256_mul_ps(_mm256_andnot_ps(sign, miss), s->stride);
    s->step = _mm256_min_ps(far, _mm256_max_ps(by, _mm256_mul_ps(more, s->step)));
    const __m256 step = _mm256_or_ps(s->step, _mm256_and_ps(sign, miss));
    return _mm256_add_epi32(s->mid, _mm256_cvtps_epi32(step));
}

/* So many are above mid. */
static inline void
narrow(searches *s, __m256i above)
{
    const __m256i on = searching(s), up = _mm256_cmpgt_epi32(above, s->k);
    const __m256i raise = _mm256_and_si256(on, up), lower = _mm256_andnot_si256(up, on);
    const __m256i left = _mm256_sub_epi32(s->above_lo, s->above_hi);
    s->lo = choose(raise, s->mid, s->lo);
    s->above_lo = choose(raise, above, s->above_lo);
    s->hi = choose(lower, s->mid, s->hi);
    s->above_hi = choose(lower, above, s->above_hi);
    const __m256i open =
        _mm256_or_si256(_mm256_cmpeq_epi32(s->lo, _mm256_set1_epi32(LEAST)),
                        _mm256_cmpeq_epi32(s->hi, s->top));
    const __m256i now = _mm256_sub_epi32(s->above_lo, s->above_hi);
    s->mid = choose(open, beyond(s, above), interpolated(s, left, now));
}

/* One probe of each. Returns bits of those that go on. */
static inline uint32_t
probe(const dsp_part part[TOGETHER], searches *s)
{
    const __m256i one = _mm256_set1_epi32(1);
    __m256i sum[2 * TOGETHER];
    int32_t limit[2 * TOGETHER];
    s->mid = _mm256_min_epi32(s->mid, _mm256_sub_epi32(s->hi, one));
    s->mid = _mm256_max_epi32(s->mid, _mm256_add_epi32(s->lo, one));
    _mm256_storeu_si256((__m256i *)(void *)limit, s->mid);
    for (size_t b = 0; b < TOGETHER; b++)
        count(part[b].p, part[b].n, limit[b], limit[TOGETHER + b], &sum[b],
              &sum[TOGETHER + b]);
    narrow(s, sum_lanes_i(sum));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(searching(s)));
}

static inline __m256
lane_sums(const float *p, size_t n)
{
    __m256 sum = _mm256_setzero_ps(), sum2 = sum;
    __m256i in;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        sum = _mm256_add_ps(sum, _mm256_loadu_ps(p + i));
        sum2 = _mm256_add_ps(sum2, _mm256_loadu_ps(p + i + 8));
    }
    for (; i < n; i += 8)
        sum = _mm256_add_ps(sum, load_rest(p + i, n - i, &in));
    return _mm256_add_ps(sum, sum2);
}

static searches
begin(const dsp_part part[TOGETHER])
{
    int32_t n[8], k[8];
    __m256 sum[8];
    for (size_t b = 0; b < TOGETHER; b++) {
        const size_t h = TOGETHER + b;
        n[b] = n[h] = (int32_t)part[b].n;
        k[b] = n[b] - part[b].k;
        k[h] = part[b].k;
        sum[b] = sum[h] = lane_sums(part[b].p, part[b].n);
    }
    const __m256i all = _mm256_loadu_si256((const __m256i *)(const void *)n);
    const __m256 share = _mm256_div_ps(_mm256_set1_ps(1), _mm256_cvtepi32_ps(all));
    const __m256 total = sum_lanes(sum), mean = _mm256_mul_ps(total, share);
    const __m256i top = _mm256_castps_si256(total); /* none is greater */
    const __m256 fifth =
        _mm256_setr_ps(DSP_LOW_FIFTH, DSP_LOW_FIFTH, DSP_LOW_FIFTH, DSP_LOW_FIFTH,
                       DSP_HIGH_FIFTH, DSP_HIGH_FIFTH, DSP_HIGH_FIFTH, DSP_HIGH_FIFTH);
    const __m256 stride =
        _mm256_setr_ps(low_stride, low_stride, low_stride, low_stride, high_stride,
                       high_stride, high_stride, high_stride);
    return (searches){.k = _mm256_loadu_si256((const __m256i *)(const void *)k),
                      .lo = _mm256_set1_epi32(LEAST),
                      .hi = top,
                      .top = top,
                      .mid = _mm256_castps_si256(_mm256_mul_ps(mean, fifth)),
                      .above_lo = all,
                      .above_hi = _mm256_setzero_si256(),
                      .halve = _mm256_setzero_si256(),
                      .step = _mm256_setzero_ps(),
                      .stride = _mm256_mul_ps(stride, share)};
}

static void
search_four(const dsp_part part[TOGETHER], float mean[TOGETHER][2])
{
    searches s = begin(part);
    while (probe(part, &s))
        ;
    int32_t lo[8], hi[8], above_lo[8], above_hi[8];
    _mm256_storeu_si256((__m256i *)(void *)lo, s.lo);
    _mm256_storeu_si256((__m256i *)(void *)hi, s.hi);
    _mm256_storeu_si256((__m256i *)(void *)above_lo, s.above_lo);
    _mm256_storeu_si256((__m256i *)(void *)above_hi, s.above_hi);
    for (size_t b = 0; b < TOGETHER; b++) {
        const size_t h = TOGETHER + b;
        const int32_t k = part[b].k, n_above = (int32_t)part[b].n - k;
        const bool exact = above_hi[b] == n_above;
        const int32_t limit[2] = {exact ? hi[b] : lo[b], hi[h]};
        const int32_t rest[2] = {exact ? 0 : above_lo[b] - n_above, k - above_hi[h]};
        finish(&part[b], limit, rest, mean[b]);
    }
}

/* By ranks, for few bins. */
static void
take_few(const dsp_part *b, float mean[2])
{
    if (b->k == 1) {
        const range r = range_of(b->p, b->n);
        mean[0] = dsp_float_of(r.least);
        mean[1] = dsp_float_of(r.greatest);
        return;
    }
    int32_t limit[2];
    __m256i low, high;
    rank_few(b->p, b->n, b->k, limit);
    limit[0]--; /* then rest is added in finish() */
    count(b->p, b->n, limit[0], limit[1], &low, &high);
    const int32_t n_below = (int32_t)b->n - sum_of_i(low);
    const int32_t rest[2] = {b->k - n_below, b->k - sum_of_i(high)};
    finish(b, limit, rest, mean);
}

void
dsp_fifths_avx2(const dsp_part part[], size_t n_parts, float mean[][2])
{
    dsp_part many[TOGETHER];
    size_t at[TOGETHER], n_many = 0;
    for (size_t i = 0; i < n_parts; i++) {
        if (part[i].n <= FEW || part[i].k == 1) {
            take_few(&part[i], mean[i]);
        } else {
            at[n_many] = i;
            many[n_many++] = part[i];
        }
        if (n_many == TOGETHER || (n_many > 0 && i + 1 == n_parts)) {
            float found[TOGETHER][2];
            for (size_t j = n_many; j < TOGETHER; j++)
                many[j] = many[0];
            search_four(many, found);
            for (size_t j = 0; j < n_many; j++)
                memcpy(mean[at[j]], found[j], sizeof found[j]);
            n_many = 0;
        }
    }
}

#endif
