/* Spectra, cepstra and decimation for the front ends. Hot. */
#include "front_private.h"

void
dsp_rfft_run(dsp_rfft *f)
{
    fftwf_execute(f->plan);
    f->freq[f->n] = f->freq[0];
    f->freq[f->n + 1] = f->freq[1];
}

/* As dsp_power_from(), without the square. */
void
dsp_rfft_split(const dsp_rfft *f, float *restrict re, float *restrict im, size_t n_bins)
{
    const size_t m = f->n / 2;
    const float *restrict z = f->freq;
    const float *restrict cosine = f->cosine, *restrict sine = f->sine;
    for (size_t k = 0; k < n_bins; k++) {
        const float *lo = z + 2 * k, *hi = z + 2 * (m - k);
        const float sum_re = lo[0] + hi[0], sum_im = lo[1] + hi[1];
        const float dif_re = lo[0] - hi[0], dif_im = lo[1] - hi[1];
        re[k] = 0.5F * (sum_re + cosine[k] * sum_im - sine[k] * dif_re);
        im[k] = 0.5F * (dif_im - cosine[k] * dif_re - sine[k] * sum_im);
    }
}

void
dsp_rfft_power(const dsp_rfft *f, const dsp_kern *kern, float power[], size_t n_bins,
               float gain)
{
    kern->power(power, f->freq, f->cosine, f->sine, f->n / 2, n_bins, gain);
}

void
dsp_cepstra(const dsp_dct *d, const float x[], float out[])
{
    for (uint32_t first = 0; first < d->n_padded; first += DSP_DCT_LANES) {
        float lane[DSP_DCT_LANES] = {0};
        const float *row = d->table + first;
        for (uint32_t i = 0; i < d->n_in; i++, row += d->n_padded)
            for (size_t l = 0; l < DSP_DCT_LANES; l++)
                lane[l] += x[i] * row[l];
        for (uint32_t l = 0; l < DSP_DCT_LANES && first + l < d->n_out; l++)
            out[first + l] = lane[l];
    }
}

void
dsp_decimate(const dsp_decimator *d, const dsp_kern *kern, const float x[], float out[])
{
    kern->bands(out, x, d->rows, d->taps, d->n_padded);
}
