/* Morlet wavelets at one instant, by FFTs that bands share. Hot. */
#include "front_private.h"

#include <string.h>

/* The bins beyond Nyquist that the highest wavelets reach: conjugates of those below.
 */
static void
add_images(dsp_morlet_level *l)
{
    for (uint32_t k = l->fft.n / 2 + 1; k < l->rows.n_in && k < l->fft.n; k++) {
        l->re[k] = l->re[l->fft.n - k];
        l->im[k] = -l->im[l->fft.n - k];
    }
}

static void
instant(dsp_morlet_level *l, const dsp_kern *kern, const float x[], float out[])
{
    memcpy(l->fft.time, x, l->fft.n * sizeof *x);
    dsp_rfft_run(&l->fft);
    dsp_rfft_split(&l->fft, l->re, l->im, l->n_bins);
    add_images(l);
    const dsp_rows *r = &l->rows;
    kern->bands(l->out[0], l->re, r->bands, r->weights, r->n_padded);
    kern->bands(l->out[1], l->im, r->bands, r->weights, r->n_padded);
    for (uint32_t b = 0; b < l->n_bands; b++)
        out[b] = l->out[0][b] * l->out[0][b] + l->out[1][b] * l->out[1][b];
}

static void
mean(dsp_morlet_level *l, const dsp_kern *kern, const float x[], float out[])
{
    kern->window(l->fft.time, x, l->window, l->fft.n);
    dsp_rfft_run(&l->fft);
    dsp_rfft_power(&l->fft, kern, l->re, l->n_bins, 1);
    const dsp_rows *r = &l->rows;
    kern->bands(l->out[0], l->re, r->bands, r->weights, r->n_padded);
    memcpy(out, l->out[0], l->n_bands * sizeof *out);
}

void
dsp_morlet_frame(dsp_morlet *m, const float x[], float out[])
{
    for (uint32_t i = 0; i < m->n_levels; i++) {
        dsp_morlet_level *l = &m->levels[i];
        (l->mean ? mean : instant)(l, m->kern, x + l->start, out + l->first_band);
    }
    memset(out + m->n_heard, 0, (m->n_bands - m->n_heard) * sizeof *out);
}
