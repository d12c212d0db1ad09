/* Every kernel that this CPU runs against its plain C twin. */
#include "../dsp/kern.h"
#include "support.h"

#include <math.h>
#include <string.h>

static const dsp_kern *list[4];
static size_t n_kern;

static void
fill(float x[], size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)random_unit(seed);
}

START_TEST(window_is_bit_equal_for_every_length)
{
    float x[80], w[80], a[80], b[80];
    uint64_t seed = 1;
    fill(x, 80, &seed);
    fill(w, 80, &seed);
    for (size_t k = 0; k < n_kern; k++)
        for (size_t n = 0; n <= 67; n++) {
            memset(a, 0x55, sizeof a);
            memset(b, 0x55, sizeof b);
            list[0]->window(a, x + 1, w + 3, n);
            list[k]->window(b, x + 1, w + 3, n);
            ck_assert_msg(!memcmp(a, b, sizeof a), "%s, n %zu", list[k]->name, n);
        }
}
END_TEST

START_TEST(power_agrees_within_2e_6_for_every_length)
{
    float z[2 * 68 + 2], co[80], si[80], a[80], b[80];
    uint64_t seed = 2;
    for (size_t k = 0; k < n_kern; k++)
        for (size_t m = 8; m <= 67; m++) {
            fill(z, 2 * m, &seed);
            z[2 * m] = z[0];
            z[2 * m + 1] = z[1];
            for (size_t i = 0; i <= m; i++) {
                co[i] = (float)cos(3.14159265358979 * (double)i / (double)m);
                si[i] = (float)sin(3.14159265358979 * (double)i / (double)m);
            }
            for (size_t n = 0; n <= m + 1; n++) {
                list[0]->power(a, z, co, si, m, n, 0.7F);
                list[k]->power(b, z, co, si, m, n, 0.7F);
                for (size_t i = 0; i < n; i++)
                    ck_assert_msg(fabsf(a[i] - b[i]) < 2e-6F,
                                  "%s, m %zu, n %zu, bin %zu", list[k]->name, m, n, i);
            }
        }
}
END_TEST

START_TEST(bands_agree_within_2e_6)
{
    enum { BANDS = 16 };
    float p[160], w[BANDS * 8 * 9], a[BANDS], b[BANDS];
    dsp_band bands[BANDS];
    uint64_t seed = 3;
    fill(p, 160, &seed);
    fill(w, BANDS * 8 * 9, &seed);
    for (uint32_t i = 0; i < BANDS; i++)
        bands[i] =
            (dsp_band){.first_bin = 3 * i, .n_blocks = 1 + i % 9, .offset = 8 * 9 * i};
    for (size_t k = 0; k < n_kern; k++) {
        list[0]->bands(a, p, bands, w, BANDS);
        list[k]->bands(b, p, bands, w, BANDS);
        for (size_t i = 0; i < BANDS; i++)
            ck_assert_msg(fabsf(a[i] - b[i]) < 2e-6F * (float)bands[i].n_blocks,
                          "%s, %zu", list[k]->name, i);
    }
}
END_TEST

START_TEST(decibels_are_right_within_2e_5_dB_from_the_floor_to_1e12)
{
    for (size_t k = 0; k < n_kern; k++)
        for (double e = -35; e < 12; e += 0.0007) {
            float x[8];
            for (int i = 0; i < 8; i++)
                x[i] = (float)pow(10, e + i * 0.0000871);
            x[7] = NAN; /* reads as the floor */
            float y[8];
            memcpy(y, x, sizeof y);
            list[k]->decibels(y, 8, 1e-11F);
            for (int i = 0; i < 7; i++) {
                const double in = (double)x[i] > 1e-11 ? (double)x[i] : 1e-11;
                const double want = 10 * log10(in);
                ck_assert_msg(fabs((double)y[i] - want) < 2e-5,
                              "%s: %g gives %.7f not %.7f", list[k]->name, (double)x[i],
                              (double)y[i], want);
            }
            ck_assert_double_eq_tol(y[7], -110, 2e-5);
        }
}
END_TEST

START_TEST(sums_are_bit_equal_for_every_length)
{
    float x[80];
    uint64_t seed = 5;
    fill(x, 80, &seed);
    for (size_t k = 0; k < n_kern; k++)
        for (size_t n = 0; n <= 67; n++)
            ck_assert_msg(list[k]->sum(x + 1, n) == list[0]->sum(x + 1, n), "%s, n %zu",
                          list[k]->name, n);
}
END_TEST

int
main(void)
{
    n_kern = dsp_kern_list(list);
    Suite *s = suite_create("dsp_kern");
    TCase *t = tcase_create("twins");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, window_is_bit_equal_for_every_length);
    tcase_add_test(t, power_agrees_within_2e_6_for_every_length);
    tcase_add_test(t, bands_agree_within_2e_6);
    tcase_add_test(t, decibels_are_right_within_2e_5_dB_from_the_floor_to_1e12);
    tcase_add_test(t, sums_are_bit_equal_for_every_length);
    suite_add_tcase(s, t);
    return run_suite(s);
}
