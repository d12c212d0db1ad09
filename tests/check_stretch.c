/* Tempo without pitch and pitch without tempo: a sine stays one, an attack sharp. */
#include "degrade_support.h"

enum { MOST = 96000 * 2 };
static float x[MOST];

static const uint32_t rates[] = {22050, 48000, 96000};
enum { RATES = sizeof rates / sizeof *rates };

/* What remains of y[n], in dB, when the best sine of that frequency is taken out. */
static double
impurity_db(const float y[], size_t n, double turns_per_sample)
{
    double re, im, rest = 0;
    project(y, n, turns_per_sample, &re, &im);
    for (size_t i = 0; i < n; i++) {
        const double a = tau * fmod(turns_per_sample * (double)i, 1);
        const double d = (double)y[i] - (re * cos(a) - im * sin(a));
        rest += d * d;
    }
    return to_db(rest / energy(y, n));
}

/* Turns per sample near a guess, from the phases of two windows a step apart. */
static double
frequency(const float y[], size_t n, double guess, size_t apart)
{
    double re[2], im[2];
    for (size_t k = 0; k < 2; k++)
        project(y + k * apart, n, guess, &re[k], &im[k]);
    const double turned = (atan2(im[1], re[1]) - atan2(im[0], re[0])) / tau;
    const double extra = turned - guess * (double)apart;
    return guess + (extra - round(extra)) / (double)apart;
}

static const struct {
    dsp_degradation kind;
    double hz, speed; /* of a 440 Hz sine */
} tones[] = {{DSP_PITCH_UP, 466.1638, 1},
             {DSP_PITCH_DOWN, 415.3047, 1},
             {DSP_FASTER, 440, 1.1},
             {DSP_SLOWER, 440, 0.9}};
enum { TONES = sizeof tones / sizeof *tones };

START_TEST(pitch_and_tempo_move_alone_and_leave_a_sine_a_sine)
{
    for (size_t r = 0; r < RATES; r++) {
        const uint32_t rate = rates[r];
        const size_t n = 2 * rate;
        const double want = tones[_i].hz / rate;
        size_t m;
        make_sine(x, n, rate, 440);
        float *y = copy_of(tones[_i].kind, x, n, rate, SEED, &m), *mid = y + m / 4;
        ck_assert_uint_eq(m, (size_t)lround((double)n / tones[_i].speed));
        const double got = frequency(mid, rate / 4, want, rate / 20);
        const double cents = 1200 * log2(got / want);
        const double level = to_db(energy(mid, m / 2) / (double)(m / 2) / 0.125);
        const double rest = impurity_db(mid, rate / 4, got);
        ck_assert_msg(fabs(cents) < 3 && fabs(level) < 0.2 && rest < -80,
                      "%s at %u Hz: %g cents off, level %g dB, rest %g dB",
                      dsp_degradation_name[tones[_i].kind], rate, cents, level, rest);
        free(y);
    }
}
END_TEST

START_TEST(what_would_fold_at_the_upper_end_is_filtered_out)
{
    const size_t n = 48000;
    size_t m;
    make_sine(x, n, 48000, 0.49 * 48000); /* a semitone above is 0.519 */
    float *y = copy_of(DSP_PITCH_UP, x, n, 48000, SEED, &m);
    const double db = to_db(energy(y + n / 4, n / 2) / energy(x + n / 4, n / 2));
    ck_assert_msg(db < -20, "%g dB", db);
    free(y);
}
END_TEST

/* Noise bursts that decay within 12 ms, every quarter of a second. */
static size_t
make_bursts(uint32_t rate)
{
    uint64_t state = 5;
    const size_t n = 2 * rate;
    memset(x, 0, n * sizeof *x);
    for (size_t b = 0; b < 8; b++)
        for (size_t i = 0; i < rate / 10; i++)
            x[rate / 16 + b * rate / 4 + i] =
                (float)(0.5 * exp(-80.0 * (double)i / rate) * random_unit(&state));
    return n;
}

START_TEST(attacks_stay_sharp_and_come_when_they_should)
{
    const uint32_t rate = 48000;
    const size_t n = make_bursts(rate);
    size_t m;
    float *y = copy_of(tones[_i].kind, x, n, rate, SEED, &m);
    const double speed = tones[_i].speed, all = energy(y, m);
    double early = 0, attack = 0;
    for (size_t b = 0; b < 8; b++) {
        const size_t at =
            (size_t)(((double)rate / 16 + (double)(b * rate / 4)) / speed);
        early += energy(y + at - rate / 20, rate / 20 - rate / 500);
        attack += energy(y + at - rate / 500, rate / 40);
    }
    ck_assert_msg(to_db(early / all) < -22, "%g dB more than 2 ms early",
                  to_db(early / all));
    ck_assert_msg(attack / all > 0.8, "%g of all within 23 ms", attack / all);
    ck_assert_msg(fabs(to_db(all * speed / energy(x, n))) < 1.5, "level %g dB",
                  to_db(all * speed / energy(x, n)));
    free(y);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("stretch");
    TCase *t = tcase_create("stretch");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, pitch_and_tempo_move_alone_and_leave_a_sine_a_sine, 0,
                        TONES);
    tcase_add_test(t, what_would_fold_at_the_upper_end_is_filtered_out);
    tcase_add_loop_test(t, attacks_stay_sharp_and_come_when_they_should, 0, TONES);
    suite_add_tcase(s, t);
    return run_suite(s);
}
