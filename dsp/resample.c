/* Reads a sound at another pace: one windowed sinc over all of it. */
#include "degrade_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The kernel spans TAPS samples. Between PHASES positions a sample weights are
 * interpolated, which leaves an error of -100 dB. */
enum { TAPS = 32, PHASES = 256, LANES = 8 };

/* Blackman-windowed sinc with its cutoff as a share of the sampling rate's half. */
static double
kernel(double t, double cutoff)
{
    const double pi = 3.14159265358979323846, u = pi * t / (TAPS / 2);
    const double window =
        fabs(t) < TAPS / 2 ? 0.42 + 0.5 * cos(u) + 0.08 * cos(2 * u) : 0;
    const double a = pi * cutoff * t;
    return window * cutoff * (fabs(a) > 1e-9 ? sin(a) / a : 1);
}

/* Row p holds the weights of the TAPS samples around a position p / PHASES after the
 * sample number TAPS/2 - 1 of them. */
static void
fill_rows(float rows[][TAPS], double cutoff)
{
    for (size_t p = 0; p <= PHASES; p++)
        for (size_t j = 0; j < TAPS; j++)
            rows[p][j] =
                (float)kernel((double)j - (TAPS / 2 - 1) - (double)p / PHASES, cutoff);
}

static float
read_at(const float x[], const float *restrict a, const float *restrict b, float f)
{
    float sum[LANES] = {0}, all = 0;
    for (size_t j = 0; j < TAPS; j += LANES)
        for (size_t i = 0; i < LANES; i++)
            sum[i] += x[j + i] * (a[j + i] + f * (b[j + i] - a[j + i]));
    for (size_t i = 0; i < LANES; i++)
        all += sum[i];
    return all;
}

/* padded is the sound after TAPS/2 - 1 zeros and before TAPS/2 + 1 or more. */
static void
run(const float padded[], float rows[][TAPS], double step, dsp_sound *y)
{
    for (size_t i = 0; i < y->n; i++) {
        const double at = (double)i * step, phase = (at - floor(at)) * PHASES;
        const size_t p = (size_t)phase;
        y->x[i] = read_at(padded + (size_t)at, rows[p], rows[p + 1],
                          (float)(phase - (double)p));
    }
}

dsp_status
dsp_resample(dsp_sound *s, double step, size_t n_out)
{
    const size_t last = (size_t)((double)n_out * step),
                 longest = last > s->n ? last : s->n;
    float(*rows)[TAPS] = dsp_calloc((PHASES + 1) * sizeof *rows);
    float *padded = dsp_calloc((longest + 2 * TAPS) * sizeof *padded);
    dsp_sound y = {dsp_calloc(n_out * sizeof *y.x), n_out};
    const bool ready = rows && padded && y.x;
    if (ready) {
        memcpy(padded + TAPS / 2 - 1, s->x, s->n * sizeof *padded);
        fill_rows(rows, step > 1 ? 0.94 / step : 0.94);
        run(padded, rows, step, &y);
        free(s->x);
        *s = y;
    } else {
        free(y.x);
    }
    free(padded);
    free(rows);
    return ready ? DSP_OK : DSP_ENOMEM;
}
