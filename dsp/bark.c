/* One frame of zounds' Bark bands. Hot. */
#include "front_private.h"

#include <math.h>

void
dsp_barks_spectrum(dsp_barks *b, const float x[])
{
    b->kern->window(b->fft.time, x, b->window, b->fft.n);
    dsp_rfft_run(&b->fft);
    dsp_rfft_power(&b->fft, b->kern, b->magnitude, b->n_bins, b->gain);
    for (uint32_t k = 0; k < b->n_bins; k++)
        b->magnitude[k] = sqrtf(b->magnitude[k]);
}

void
dsp_barks_frame(dsp_barks *b, const float x[], float out[])
{
    dsp_barks_spectrum(b, x);
    b->kern->bands(out, b->magnitude, b->rows.bands, b->rows.weights, b->rows.n_padded);
}

void
dsp_barks_log(const dsp_kern *kern, float x[], size_t n)
{
    static const float least = 1e-12F, neper_per_db = 0.230258509F; /* ln 10 / 10 */
    for (size_t i = 0; i < n; i++)
        x[i] += least;
    kern->decibels(x, n, least);
    for (size_t i = 0; i < n; i++)
        x[i] *= neper_per_db;
}
