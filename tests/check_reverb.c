/* Reverberation and the room, against their definitions. */
#include "degrade_support.h"

enum { MOST = 96000 };
static float x[MOST];

static const uint32_t rates[] = {22050, 48000, 96000};
enum { RATES = sizeof rates / sizeof *rates };

/* Seconds in which the tail falls by 60 dB: the slope from -5 to -35 dB of the energy
 * that is still to come (Schroeder, JASA 1965). */
static double
rt60(const float tail[], size_t n, uint32_t rate)
{
    const double all = energy(tail, n);
    double left = all, k = 0, st = 0, sd = 0, stt = 0, std = 0;
    for (size_t i = 0; i < n; i++) {
        const double db = to_db(left / all), t = (double)i / rate;
        left -= (double)tail[i] * (double)tail[i];
        if (db > -5 || db < -35)
            continue;
        k += 1;
        st += t;
        sd += db;
        stt += t * t;
        std += t * db;
    }
    return -60 * (k * stt - st * st) / (k * std - st * sd);
}

START_TEST(reverb_keeps_the_direct_sound_and_decays_in_800_ms)
{
    const uint32_t rate = rates[_i];
    size_t m;
    memset(x, 0, sizeof x);
    x[0] = 1;
    float *y = copy_of(DSP_REVERB, x, 1, rate, SEED, &m);
    ck_assert_uint_eq(m, 1 + (size_t)lround(0.8 * rate));
    ck_assert(y[0] == 1);
    const double s = rt60(y + 1, m - 1, rate), wet = energy(y + 1, m - 1);
    ck_assert_msg(fabs(s - 0.8) < 0.08, "RT60 %g s", s);
    ck_assert_msg(fabs(wet - 1) < 1e-4, "energy of the tail %g", wet);
    free(y);
}
END_TEST

START_TEST(reverb_is_the_convolution_with_its_impulse_response)
{
    const uint32_t rate = 22050;
    const size_t n = 3 * rate, at[] = {0, 1, 15127, 15128, 15129, 30256, 40000, n - 1};
    enum { IMPULSES = sizeof at / sizeof *at };
    size_t n_h, m;
    memset(x, 0, sizeof x);
    x[0] = 1;
    float *h = copy_of(DSP_REVERB, x, 1, rate, SEED, &n_h);
    for (size_t k = 0; k < IMPULSES; k++)
        x[at[k]] = (float)(k + 1) / IMPULSES;
    float *y = copy_of(DSP_REVERB, x, n, rate, SEED, &m);
    ck_assert_uint_eq(m, n + n_h - 1);
    for (size_t i = 0; i < m; i++) {
        double want = 0;
        for (size_t k = 0; k < IMPULSES; k++)
            if (i >= at[k] && i - at[k] < n_h)
                want += (double)x[at[k]] * (double)h[i - at[k]];
        ck_assert_msg(fabs((double)y[i] - want) < 1e-6, "sample %zu: %g, not %g", i,
                      (double)y[i], want);
    }
    free(h);
    free(y);
}
END_TEST

/* Mean power per sample that white noise would have in all, from what y has at 400
 * frequencies between 10 and 22 kHz. */
static double
noise_above_10_khz(const float y[], size_t n, uint32_t rate)
{
    double sum = 0, re, im;
    for (int k = 0; k < 400; k++) {
        project(y, n, (10000 + 30.0 * k) / rate, &re, &im);
        sum += (re * re + im * im) * (double)n / 6; /* Hann: 4 * mean of squares 3/2 */
    }
    return sum / 400;
}

START_TEST(room_is_reverb_low_pass_noise_and_distance)
{
    /* Of an impulse: energy 2 with its tail, a sixth of that below 4 kHz, -6 dB. */
    const uint32_t rate = 48000;
    size_t m;
    memset(x, 0, sizeof x);
    x[0] = 1;
    float *y = copy_of(DSP_ROOM, x, 1, rate, SEED, &m);
    ck_assert_uint_eq(m, 1 + 38400);
    const double noise = noise_above_10_khz(y, m, rate) * (double)m;
    const double sound = energy(y, m) - noise, want = 2 / 6.0 * pow(10, -0.6);
    ck_assert_msg(fabs(to_db(sound / noise) - 20) < 0.5, "SNR %g dB",
                  to_db(sound / noise));
    ck_assert_msg(fabs(to_db(sound / want)) < 1, "level %g dB", to_db(sound / want));
    /* RT60 0.8 s leaves this much of [10, 200) ms in [200, 400) ms. */
    const double hiss = noise / (double)m * 9600;
    const double fall =
        to_db((energy(y + 9600, 9600) - hiss) / (energy(y + 480, 9120) - hiss));
    ck_assert_msg(fabs(fall - -14.23) < 1, "falls by %g dB in 0.2 s", fall);
    free(y);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("reverb");
    TCase *t = tcase_create("reverb");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, reverb_keeps_the_direct_sound_and_decays_in_800_ms, 0,
                        RATES);
    tcase_add_test(t, reverb_is_the_convolution_with_its_impulse_response);
    tcase_add_test(t, room_is_reverb_low_pass_noise_and_distance);
    suite_add_tcase(s, t);
    return run_suite(s);
}
