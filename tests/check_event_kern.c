/* The kernels of descriptors and blocks against their plain C twins. */
#include "../dsp/kern.h"
#include "../dsp/kern_blocks.h"
#include "../dsp/kern_frame.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const dsp_kern *list[4];
static size_t n_kern;

static void
fill(float x[], size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)random_unit(seed);
}

/* ---- One frame --------------------------------------------------------------------
 */

enum { LONGEST = 331 };

/* Every length up to 67, then some. */
static const size_t lengths[] = {68, 95, 96, 127, 128, 129, 243, 255, 256, 300, 330};
enum { N_LENGTHS = 68 + sizeof lengths / sizeof *lengths };

static size_t
length(size_t i)
{
    return i < 68 ? i : lengths[i - 68];
}

/* Powers over many octaves; of few values, so that many are equal, when seed is odd.
 * What lies beyond n is of no power. */
static void
fill_power(float p[LONGEST + 8], size_t n, uint64_t seed)
{
    const bool few = seed % 2;
    for (size_t i = 0; i < LONGEST + 8; i++) {
        const double octave =
            few ? (double)(random_u64(&seed) % 5) - 3 : 20 * random_unit(&seed) - 10;
        p[i] = i < n ? (float)pow(2, octave) : NAN;
        if (few && i < n && octave < -2)
            p[i] = 0;
    }
}

static void
near(float got, float want, float tolerance, const char *kern, const char *what,
     size_t n)
{
    ck_assert_msg(fabsf(got - want) <= tolerance, "%s, %s, n %zu: %.9g not %.9g", kern,
                  what, n, (double)got, (double)want);
}

START_TEST(crossings_are_equal_for_every_length)
{
    float x[LONGEST];
    uint64_t seed = 7;
    for (size_t i = 0; i < LONGEST; i++) {
        const uint64_t kind = random_u64(&seed) % 8;
        x[i] = kind == 0 ? 0.0F : kind == 1 ? -0.0F : (float)random_unit(&seed);
        x[i] = kind == 2 ? NAN : kind == 3 ? -INFINITY : x[i];
    }
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 0; i < N_LENGTHS; i++)
            ck_assert_uint_eq(list[k]->frame->crossings(x + i % 3, length(i)),
                              list[0]->frame->crossings(x + i % 3, length(i)));
}
END_TEST

static int
by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void
plain_fifths(const dsp_part *part, double mean[2])
{
    float p[LONGEST];
    memcpy(p, part->p, part->n * sizeof *p);
    qsort(p, part->n, sizeof *p, by_value);
    mean[0] = mean[1] = 0;
    for (size_t i = 0; i < (size_t)part->k; i++) {
        mean[0] += (double)p[i] / part->k;
        mean[1] += (double)p[part->n - 1 - i] / part->k;
    }
}

/* Nine parts of neighbouring lengths; of many values, of few, of one, and noise. */
START_TEST(fifths_are_right_within_1e_6_for_every_length)
{
    enum { PARTS = 9 };
    static float p[PARTS][LONGEST + 8];
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 1; i < N_LENGTHS; i++)
            for (uint64_t round = 0; round < 4; round++) {
                dsp_part part[PARTS];
                float got[PARTS][2];
                double want[2];
                for (size_t j = 0; j < PARTS; j++) {
                    const size_t n =
                        length((i + j) % N_LENGTHS) + !((i + j) % N_LENGTHS);
                    uint64_t seed = i * PARTS + j;
                    fill_power(p[j], n, 2 * seed + (round == 1));
                    for (size_t l = 0; l < n && round > 1; l++)
                        p[j][l] = (float)-log(
                            round == 2 ? 0.3 : 0.5 + 0.499 * random_unit(&seed));
                    part[j] = (dsp_part){p[j], n, n < 8 ? 1 : (int32_t)(n / 5)};
                }
                list[k]->frame->fifths(part, PARTS, got);
                for (size_t j = 0; j < PARTS; j++) {
                    plain_fifths(&part[j], want);
                    for (int side = 0; side < 2; side++)
                        near(got[j][side], (float)want[side], 1e-6F * (float)want[side],
                             list[k]->name, "fifth", part[j].n);
                }
            }
}
END_TEST

START_TEST(moments_agree_within_1e_6)
{
    float p[LONGEST + 8];
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 1; i < N_LENGTHS; i++) {
            dsp_moments want[LONGEST / DSP_CHUNK + 1], got[LONGEST / DSP_CHUNK + 1];
            const size_t n = length(i);
            fill_power(p, n, i);
            list[0]->frame->moments(p, n, want);
            list[k]->frame->moments(p, n, got);
            for (size_t c = 0; c * DSP_CHUNK < n; c++) {
                const float sum = 1e-6F * want[c].sum;
                near(got[c].sum, want[c].sum, sum, list[k]->name, "sum", n);
                near(got[c].first, want[c].first, 16 * sum, list[k]->name, "first", n);
                near(got[c].second, want[c].second, 256 * sum, list[k]->name, "second",
                     n);
            }
        }
}
END_TEST

START_TEST(sums_of_logarithms_are_right_within_1e_6_each)
{
    static float p[8000];
    uint64_t seed = 10;
    for (size_t i = 0; i < 8000; i++)
        p[i] = (float)pow(2, 70 * random_unit(&seed)) * (i % 9 != 4);
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 0; i < N_LENGTHS + 3; i++) {
            const size_t n =
                i < N_LENGTHS ? length(i) : 8003 - 1001 * (i - N_LENGTHS + 1);
            double logs = 0, sum = 0;
            for (size_t j = 0; j < n; j++) {
                logs += log2(fmax((double)p[j], 1e-11));
                sum += (double)p[j];
            }
            float got;
            const float got_logs = list[k]->frame->log_sum(p, n, 1e-11F, &got);
            near(got_logs, (float)logs,
                 1e-6F * (float)(1 + n) + 1e-6F * fabsf(got_logs), list[k]->name,
                 "logs", n);
            near(got, (float)sum, 3e-6F * (float)sum, list[k]->name, "sum", n);
        }
}
END_TEST

/* What a plan of h refers to, as dsp/descriptors_setup.c makes it, with weights 1. */
typedef struct {
    float turn[(DSP_LAG_MOST + 1) * 3 * DSP_LAG_LANES], root[4 * DSP_LAG_MOST];
    float eighth[DSP_LAG_MOST + DSP_LAG_LANES], weight[16 * DSP_LAG_MOST + 1];
} lag_tables;

static dsp_lags
plan_lags(lag_tables *to, uint32_t h)
{
    const double pi = 3.14159265358979;
    dsp_lags plan = {.h = h,
                     .turn = to->turn,
                     .root = to->root,
                     .eighth = to->eighth,
                     .weight = to->weight};
    uint32_t left = h;
    for (uint32_t r = 4; left > 1; r = r == 4 ? 2 : r == 2 ? 3 : r + 2)
        for (; left % r == 0; left /= r)
            plan.radix[plan.n_passes++] = r;
    memset(to, 0, sizeof *to);
    for (uint32_t b = 0; b <= h; b++)
        for (uint32_t c = 0; c < DSP_LAG_LANES; c++) {
            float *turn = to->turn + 3 * DSP_LAG_LANES * b + c;
            const double co = cos(pi * b * c / (16 * h)),
                         si = sin(pi * b * c / (16 * h));
            turn[0] = (float)(c ? co : 0.5);
            turn[DSP_LAG_LANES] = (float)si;
            turn[2 * DSP_LAG_LANES] = (float)(c ? co : -sin(pi * b / (2 * h)));
        }
    for (uint32_t i = 0; i < 2 * h; i++) {
        to->root[2 * i] = (float)cos(pi * i / h);
        to->root[2 * i + 1] = (float)sin(pi * i / h);
    }
    for (uint32_t b = 0; b < h; b++)
        to->eighth[b] = (float)(b ? 2 * cos(pi * b / (2 * h)) : 1);
    for (uint32_t l = 0; l <= 16 * h; l++)
        to->weight[l] = 1;
    return plan;
}

/* From 22 to 96 kHz. */
START_TEST(lags_are_right_within_1e_6_of_the_first)
{
    static lag_tables tables;
    static float p[16 * DSP_LAG_MOST + 1], r[16 * DSP_LAG_MOST + 1];
    const uint32_t h = 22 + 2 * (uint32_t)_i, m = 16 * h;
    const dsp_lags plan = plan_lags(&tables, h);
    uint64_t seed = 12 + h;
    double first = 0;
    for (uint32_t k = 0; k <= m; k++) {
        p[k] = (float)pow(2, 10 * random_unit(&seed));
        first += (k % m ? 2 : 1) * (double)p[k];
    }
    for (size_t k = 0; k < n_kern; k++) {
        list[k]->frame->lags(&plan, p, r);
        for (uint32_t l = 0; l < m; l += 1 + l / 40) {
            double want = (double)p[0] + (l % 2 ? -1 : 1) * (double)p[m];
            for (uint32_t b = 1; b < m; b++)
                want +=
                    2 * (double)p[b] * cos(3.14159265358979 * (b * l % (2 * m)) / m);
            near(r[l], (float)want, 1e-6F * (float)first, list[k]->name, "lag", l);
        }
    }
}
END_TEST

START_TEST(goals_are_reached_alike_for_every_length)
{
    float x[LONGEST];
    uint64_t seed = 13;
    fill(x, LONGEST, &seed);
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 0; i < N_LENGTHS; i++)
            for (float goal = -0.5F; goal < 1; goal += 0.1F)
                ck_assert_uint_eq(list[k]->frame->reach(x + 1, length(i), goal),
                                  list[0]->frame->reach(x + 1, length(i), goal));
}
END_TEST

/* ---- One window -------------------------------------------------------------------
 */

enum { MOST_ROWS = 331 };
static float rows_a[MOST_ROWS * DSP_SERIES], rows_b[MOST_ROWS * DSP_SERIES];
static float rows_x[MOST_ROWS * DSP_KERN_BANDS];

START_TEST(the_greatest_is_equal_for_every_length)
{
    uint64_t seed = 14;
    fill(rows_x, LONGEST, &seed);
    rows_x[5] = rows_x[70] = NAN;
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 0; i < N_LENGTHS; i++)
            for (float least = -1; least <= 1; least++)
                ck_assert_float_eq(
                    list[k]->block->greatest(rows_x + i % 5, length(i), least),
                    list[0]->block->greatest(rows_x + i % 5, length(i), least));
}
END_TEST

START_TEST(frames_agree_within_3e_4)
{
    static float power[2][MOST_ROWS];
    dsp_dct dct;
    uint64_t seed = 15;
    for (size_t i = 0; i < DSP_KERN_BANDS / 2; i++) {
        fill(dct.even[i], DSP_CEPSTRA / 2, &seed);
        fill(dct.odd[i], DSP_CEPSTRA / 2, &seed);
    }
    for (size_t i = 0; i < DSP_KERN_BANDS / 2; i++)
        for (size_t c = 0; c < DSP_CEPSTRA / 2; c++) { /* as large as the real ones */
            dct.even[i][c] *= 0.18F;
            dct.odd[i][c] *= 0.18F;
        }
    for (size_t i = 0; i < MOST_ROWS * DSP_KERN_BANDS; i++)
        rows_x[i] = (float)(60 * random_unit(&seed) - 50); /* on both sides of limits */
    rows_x[17] = NAN;
    for (size_t k = 0; k < n_kern; k++)
        for (size_t n = 1; n <= 67; n++) {
            const float a =
                list[0]->block->frames(rows_x, n, -80, 0, &dct, rows_a, power[0]);
            const float b =
                list[k]->block->frames(rows_x, n, -80, 0, &dct, rows_b, power[1]);
            near(b, a, 1e-5F, list[k]->name, "greatest", n);
            for (size_t t = 0; t < n; t++)
                near(power[1][t], power[0][t], 1e-5F * power[0][t], list[k]->name,
                     "power", n);
            for (size_t i = 0; i < n * DSP_SERIES; i++)
                near(rows_b[i], rows_a[i], 3e-4F, list[k]->name, "series", n);
        }
}
END_TEST

START_TEST(columns_are_bit_equal)
{
    static const size_t widths[] = {8, 16, DSP_COLUMNS, DSP_SERIES};
    float a[2][DSP_SERIES], b[2][DSP_SERIES];
    uint64_t seed = 16;
    fill(rows_x, MOST_ROWS * DSP_SERIES, &seed);
    for (size_t k = 0; k < n_kern; k++)
        for (size_t w = 0; w < 4; w++)
            for (size_t i = 1; i < N_LENGTHS; i++) {
                memset(a, 0, sizeof a);
                memset(b, 0, sizeof b);
                list[0]->block->columns(rows_x, length(i), widths[w], a[0], a[1]);
                list[k]->block->columns(rows_x, length(i), widths[w], b[0], b[1]);
                ck_assert_msg(!memcmp(a, b, sizeof a), "%s, n %zu, width %zu",
                              list[k]->name, length(i), widths[w]);
            }
}
END_TEST

/* What is loud is loud in both, whatever its slope. */
START_TEST(rows_are_padded_and_gathered_alike)
{
    static float padded[2][(MOST_ROWS + 2 * DSP_DELTA) * DSP_COLUMNS];
    static float slope_a[MOST_ROWS * DSP_COLUMNS], slope_b[MOST_ROWS * DSP_COLUMNS];
    float power[MOST_ROWS];
    uint64_t seed = 17;
    for (size_t k = 0; k < n_kern; k++)
        for (size_t i = 1; i < N_LENGTHS; i++) {
            const size_t n = length(i);
            fill(rows_x, n * DSP_VALUES, &seed);
            fill(power, n, &seed);
            rows_x[n] = NAN;
            rows_x[n + 1] = -INFINITY;
            list[0]->block->pad(rows_x, n, 0.9F, padded[0]);
            list[k]->block->pad(rows_x, n, 0.9F, padded[1]);
            const size_t n_padded = (n + 2 * DSP_DELTA) * DSP_COLUMNS;
            ck_assert(!memcmp(padded[0], padded[1], n_padded * sizeof(float)));
            const size_t a =
                list[0]->block->gather(padded[0], n, power, 0.5F, rows_a, slope_a);
            const size_t b =
                list[k]->block->gather(padded[1], n, power, 0.5F, rows_b, slope_b);
            ck_assert_uint_eq(a, b);
            ck_assert(!memcmp(rows_a, rows_b, a * DSP_COLUMNS * sizeof(float)));
            for (size_t j = 0; j < a * DSP_COLUMNS; j++)
                near(slope_b[j], slope_a[j], 1e-6F, list[k]->name, "slope", n);
        }
}
END_TEST

START_TEST(percentiles_are_equal_for_every_length)
{
    float a[2 * DSP_COLUMNS], b[2 * DSP_COLUMNS];
    uint64_t seed = 18;
    for (size_t k = 0; k < n_kern; k++)
        for (size_t n = 1; n <= 170; n++) {
            fill(rows_a, n * DSP_COLUMNS, &seed);
            for (size_t i = 0; i < n * DSP_COLUMNS && n % 3 == 0; i++)
                rows_a[i] = roundf(4 * rows_a[i]); /* many equals */
            memcpy(rows_b, rows_a, n * DSP_COLUMNS * sizeof *rows_a);
            list[0]->block->percentiles(rows_a, n, a);
            list[k]->block->percentiles(rows_b, n, b);
            for (size_t c = 0; c < 2 * DSP_COLUMNS; c++)
                near(b[c], a[c], 0, list[k]->name, "percentile", n);
        }
}
END_TEST

START_TEST(spectra_are_right_within_1e_6_of_the_largest)
{
    float mean[DSP_SERIES], weight[DSP_MOD_FRAMES];
    uint64_t seed = 19;
    fill(rows_x, DSP_MOD_FRAMES * DSP_SERIES, &seed);
    fill(mean, DSP_SERIES, &seed);
    fill(weight, DSP_MOD_FRAMES, &seed);
    for (size_t k = 0; k < n_kern; k++) {
        float sum[DSP_MOD_BINS * DSP_SERIES] = {0};
        list[k]->block->spectra(rows_x, mean, weight, sum);
        for (size_t i = 0; i < DSP_MOD_BINS * DSP_SERIES; i++) {
            const size_t m = i / DSP_SERIES, s = i % DSP_SERIES;
            double want = 0;
            for (uint32_t bin = dsp_mod_first[m]; bin < dsp_mod_first[m + 1]; bin++) {
                double re = 0, im = 0;
                for (size_t t = 0; t < DSP_MOD_FRAMES; t++) {
                    const double turn = 2 * 3.14159265358979 * (double)(bin * t) / 96;
                    const double x = (double)(rows_x[t * DSP_SERIES + s] - mean[s]);
                    re += x * (double)weight[t] * cos(turn);
                    im -= x * (double)weight[t] * sin(turn);
                }
                want += re * re + im * im;
            }
            near(sum[i], (float)want, 2e-4F, list[k]->name, "sum", i);
        }
    }
}
END_TEST

int
main(void)
{
    n_kern = dsp_kern_list(list);
    Suite *s = suite_create("event_kern");
    TCase *t = tcase_create("twins");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, crossings_are_equal_for_every_length);
    tcase_add_test(t, fifths_are_right_within_1e_6_for_every_length);
    tcase_add_test(t, moments_agree_within_1e_6);
    tcase_add_test(t, sums_of_logarithms_are_right_within_1e_6_each);
    tcase_add_loop_test(t, lags_are_right_within_1e_6_of_the_first, 0, 38);
    tcase_add_test(t, goals_are_reached_alike_for_every_length);
    tcase_add_test(t, the_greatest_is_equal_for_every_length);
    tcase_add_test(t, frames_agree_within_3e_4);
    tcase_add_test(t, columns_are_bit_equal);
    tcase_add_test(t, rows_are_padded_and_gathered_alike);
    tcase_add_test(t, percentiles_are_equal_for_every_length);
    tcase_add_test(t, spectra_are_right_within_1e_6_of_the_largest);
    suite_add_tcase(s, t);
    return run_suite(s);
}
