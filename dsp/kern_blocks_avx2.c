/* The kernels of the five blocks for x86 with AVX2 and FMA. */
#include "kern_blocks.h"

#if defined(__AVX2__)

#include "kern_avx2.h"

#define FFT96_LANES 8
#include "fft96.h"

static float
greatest_avx2(const float *x, size_t n, float least)
{
    const __m256 lowest = _mm256_set1_ps(least);
    __m256 most[4] = {lowest, lowest, lowest, lowest};
    size_t i = 0;
    for (; i + 32 <= n; i += 32) /* max(NaN, y) is y, but max(y, NaN) is NaN */
        for (size_t j = 0; j < 4; j++)
            most[j] = _mm256_max_ps(_mm256_loadu_ps(x + i + 8 * j), most[j]);
    most[0] =
        _mm256_max_ps(_mm256_max_ps(most[0], most[1]), _mm256_max_ps(most[2], most[3]));
    float lane[8], greatest = least;
    _mm256_storeu_ps(lane, most[0]);
    for (size_t l = 0; l < 8; l++)
        greatest = lane[l] > greatest ? lane[l] : greatest;
    for (; i < n; i++)
        greatest = x[i] > greatest ? x[i] : greatest;
    return greatest;
}

/* ---- Frames ---- */

/* 10^(x/10), as power_of() in C; the series is in [0.7, 1.5], and what is added to its
 * exponent leaves it normal. */
static inline __m256
power_of(__m256 x)
{
    const __m256 y = _mm256_mul_ps(_mm256_set1_ps(0.332192809F), x);
    const __m256i k = _mm256_cvtps_epi32(y);
    const __m256 f = _mm256_sub_ps(y, _mm256_cvtepi32_ps(k));
    __m256 s = _mm256_set1_ps(0.00133335581F);
    s = _mm256_fmadd_ps(s, f, _mm256_set1_ps(0.00961812911F));
    s = _mm256_fmadd_ps(s, f, _mm256_set1_ps(0.0555041087F));
    s = _mm256_fmadd_ps(s, f, _mm256_set1_ps(0.240226507F));
    s = _mm256_fmadd_ps(s, f, _mm256_set1_ps(0.693147181F));
    s = _mm256_fmadd_ps(s, f, _mm256_set1_ps(1));
    const __m256i bits =
        _mm256_add_epi32(_mm256_castps_si256(s), _mm256_slli_epi32(k, 23));
    return _mm256_castsi256_ps(bits);
}

/* Sums of neighbours: a01 a23 b01 b23, a45 a67 b45 b67. */
static inline __m256
add_pairs(__m256 a, __m256 b)
{
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
}

/* Means of four of the 32 numbers in v. */
static inline __m256
group(const __m256 v[4])
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256 sum = add_pairs(add_pairs(v[0], v[1]), add_pairs(v[2], v[3]));
    return _mm256_mul_ps(_mm256_set1_ps(0.25F), _mm256_permutevar8x32_ps(sum, order));
}

/* Bands i and 63-i of a frame, added and subtracted. */
typedef struct {
    float sum[DSP_KERN_BANDS / 2], dif[DSP_KERN_BANDS / 2];
} folded;

/* All of a frame but its cepstrum. Returns the greater ones of most and the groups. */
static inline __m256
prepare(const float *mel, __m256 floor, __m256 peak, __m256 most, float *groups,
        float *power, folded *to)
{
    const __m256i reverse = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    __m256 v[8], sum = _mm256_setzero_ps();
    for (size_t i = 0; i < 8; i++) { /* max(NaN, y) is y */
        const __m256 x = _mm256_max_ps(_mm256_loadu_ps(mel + 8 * i), floor);
        v[i] = _mm256_sub_ps(_mm256_min_ps(x, peak), peak);
        sum = _mm256_add_ps(sum, power_of(v[i]));
    }
    *power = sum_of(sum);
    for (size_t i = 0; i < 4; i++) {
        const __m256 mirror = _mm256_permutevar8x32_ps(v[7 - i], reverse);
        _mm256_storeu_ps(to->sum + 8 * i, _mm256_add_ps(v[i], mirror));
        _mm256_storeu_ps(to->dif + 8 * i, _mm256_sub_ps(v[i], mirror));
    }
    const __m256 low = group(v), high = group(v + 4);
    _mm256_storeu_ps(groups, low);
    _mm256_storeu_ps(groups + 8, high);
    return _mm256_max_ps(most, _mm256_max_ps(low, high));
}

/* Cepstra of n frames, which share what is loaded of the DCT; n is 1 or 4. */
static inline void
cepstra(const folded x[], const size_t n, const dsp_dct *dct, float *series)
{
    __m256 even[4], odd[4];
    for (size_t f = 0; f < n; f++)
        even[f] = odd[f] = _mm256_setzero_ps();
    for (size_t i = 0; i < DSP_KERN_BANDS / 2; i++) {
        const __m256 a = _mm256_loadu_ps(dct->even[i]);
        const __m256 b = _mm256_loadu_ps(dct->odd[i]);
        for (size_t f = 0; f < n; f++) {
            even[f] = _mm256_fmadd_ps(_mm256_broadcast_ss(&x[f].sum[i]), a, even[f]);
            odd[f] = _mm256_fmadd_ps(_mm256_broadcast_ss(&x[f].dif[i]), b, odd[f]);
        }
    }
    for (size_t f = 0; f < n; f++) {
        float *to = series + f * DSP_SERIES + DSP_GROUPS;
        const __m256 a = _mm256_unpacklo_ps(even[f], odd[f]);
        const __m256 b = _mm256_unpackhi_ps(even[f], odd[f]);
        _mm256_storeu_ps(to, _mm256_permute2f128_ps(a, b, 0x20));
        _mm256_storeu_ps(to + 8, _mm256_permute2f128_ps(a, b, 0x31));
    }
}

static float
frames_avx2(const float *mel, size_t n, float floor, float peak, const dsp_dct *dct,
            float *series, float *power)
{
    const __m256 least = _mm256_set1_ps(floor), most = _mm256_set1_ps(peak);
    __m256 top = _mm256_set1_ps(floor - peak);
    folded x[4];
    for (size_t t = 0; t < n;) {
        const size_t left = n - t, step = left < 4 ? 1 : 4;
        for (size_t f = 0; f < step; f++)
            top = prepare(mel + (t + f) * DSP_KERN_BANDS, least, most, top,
                          series + (t + f) * DSP_SERIES, power + t + f, &x[f]);
        if (step == 4)
            cepstra(x, 4, dct, series + t * DSP_SERIES);
        else
            cepstra(x, 1, dct, series + t * DSP_SERIES);
        t += step;
    }
    float lane[8];
    _mm256_storeu_ps(lane, top);
    return greatest_avx2(lane, 8, floor - peak);
}

/* ---- Columns ---- */

/* Sums of x - centre or, with squares, of (x - centre)^2 over the rows of 8 n_vectors
 * columns; in float by 64 rows, then in double. */
static inline void
sum_rows(const float *x, size_t n, const size_t n_vectors, const float *centre,
         const int squares, double *sum)
{
    enum { CHUNK = 64 };
    const size_t width = 8 * n_vectors;
    for (size_t c = 0; c < width; c++)
        sum[c] = 0;
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t end = first + CHUNK < n ? first + CHUNK : n;
        __m256 acc[4], at[4];
        for (size_t v = 0; v < n_vectors; v++) {
            acc[v] = _mm256_setzero_ps();
            at[v] = _mm256_loadu_ps(centre + 8 * v);
        }
        for (size_t t = first; t < end; t++)
            for (size_t v = 0; v < n_vectors; v++) {
                const float *from = x + t * width + 8 * v;
                const __m256 d = _mm256_sub_ps(_mm256_loadu_ps(from), at[v]);
                acc[v] = _mm256_add_ps(acc[v], squares ? _mm256_mul_ps(d, d) : d);
            }
        float lane[32];
        for (size_t v = 0; v < n_vectors; v++)
            _mm256_storeu_ps(lane + 8 * v, acc[v]);
        for (size_t c = 0; c < width; c++)
            sum[c] += (double)lane[c];
    }
}

static inline void
columns_of(const float *x, size_t n, const size_t n_vectors, float *mean, float *sd)
{
    double sum[32];
    sum_rows(x, n, n_vectors, x, 0, sum);
    for (size_t c = 0; c < 8 * n_vectors; c++)
        mean[c] = (float)((double)x[c] + sum[c] / (double)n);
    sum_rows(x, n, n_vectors, mean, 1, sum);
    for (size_t v = 0; v < 8 * n_vectors; v += 8) {
        float variance[8];
        for (size_t l = 0; l < 8; l++)
            variance[l] = (float)(sum[v + l] / (double)n);
        _mm256_storeu_ps(sd + v, _mm256_sqrt_ps(_mm256_loadu_ps(variance)));
    }
}

static void
columns_avx2(const float *x, size_t n, size_t width, float *mean, float *sd)
{
    if (width == DSP_COLUMNS)
        columns_of(x, n, DSP_COLUMNS / 8, mean, sd);
    else if (width == DSP_SERIES)
        columns_of(x, n, DSP_SERIES / 8, mean, sd);
    else
        dsp_block_kern_c.columns(x, n, width, mean, sd);
}

static void
pad_avx2(const float *x, size_t n, float extreme, float *to)
{
    const __m256 most = _mm256_set1_ps(extreme), least = _mm256_set1_ps(-extreme);
    const __m256i in = first_lanes(DSP_VALUES - 16);
    for (size_t t = 0; t < n + 2 * DSP_DELTA; t++, to += DSP_COLUMNS) {
        const size_t at = t < DSP_DELTA ? 0 : t - DSP_DELTA;
        const float *row = x + (at < n ? at : n - 1) * DSP_VALUES;
        const __m256 v[3] = {_mm256_loadu_ps(row), _mm256_loadu_ps(row + 8),
                             _mm256_maskload_ps(row + 16, in)};
        for (size_t j = 0; j < 3; j++)
            _mm256_storeu_ps(to + 8 * j,
                             _mm256_min_ps(_mm256_max_ps(v[j], least), most));
    }
}

/* At the rows x. */
static inline __m256
slope(const float *x)
{
    enum { W = DSP_COLUMNS };
    __m256 sum = _mm256_sub_ps(_mm256_loadu_ps(x + W), _mm256_loadu_ps(x - W));
    for (ptrdiff_t k = 2; k <= DSP_DELTA; k++) {
        const __m256 next = _mm256_loadu_ps(x + k * W),
                     last = _mm256_loadu_ps(x - k * W);
        sum = _mm256_fmadd_ps(_mm256_set1_ps((float)k), _mm256_sub_ps(next, last), sum);
    }
    return _mm256_mul_ps(_mm256_set1_ps(1 / 60.0F), sum); /* 2 (1 + 4 + 9 + 16) */
}

/* A row that is not loud is overwritten by the next. */
static size_t
gather_avx2(const float *x, size_t n, const float *power, float least, float *rows,
            float *slopes)
{
    size_t n_rows = 0;
    for (size_t t = 0; t < n; t++) {
        const float *row = x + (t + DSP_DELTA) * DSP_COLUMNS;
        for (size_t c = 0; c < DSP_COLUMNS; c += 8) {
            const size_t at = n_rows * DSP_COLUMNS + c;
            _mm256_storeu_ps(rows + at, _mm256_loadu_ps(row + c));
            _mm256_storeu_ps(slopes + at, slope(row + c));
        }
        n_rows += power[t] >= least;
    }
    return n_rows;
}

const dsp_block_kern dsp_block_kern_avx2 = {
    .greatest = greatest_avx2,
    .frames = frames_avx2,
    .columns = columns_avx2,
    .pad = pad_avx2,
    .gather = gather_avx2,
    .percentiles = dsp_percentiles_avx2,
    .spectra = fft96_spectra,
};

#endif
