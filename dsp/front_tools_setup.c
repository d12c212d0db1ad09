/* Makes and frees what front_tools.c runs on. */
#include "front_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

dsp_status
dsp_rfft_init(dsp_rfft *f, uint32_t n)
{
    f->n = n;
    f->time = dsp_calloc(n * sizeof *f->time);
    f->freq = dsp_calloc((n + 2) * sizeof *f->freq);
    f->cosine = dsp_calloc((n / 2 + 1) * sizeof *f->cosine);
    f->sine = dsp_calloc((n / 2 + 1) * sizeof *f->sine);
    if (!f->time || !f->freq || !f->cosine || !f->sine)
        return DSP_ENOMEM;
    f->plan = dsp_fft_plan(n / 2, f->time, f->freq);
    if (!f->plan)
        return DSP_ENOMEM;
    for (uint32_t k = 0; k <= n / 2; k++) {
        f->cosine[k] = (float)cos(2 * pi * k / n);
        f->sine[k] = (float)sin(2 * pi * k / n);
    }
    return DSP_OK;
}

void
dsp_rfft_done(dsp_rfft *f)
{
    dsp_fft_free(f->plan);
    free(f->sine);
    free(f->cosine);
    free(f->freq);
    free(f->time);
}

dsp_status
dsp_dct_init(dsp_dct *d, dsp_dct_kind kind, uint32_t n_in, uint32_t n_out)
{
    if (n_in < 1 || n_out < 1 || n_out > DSP_DCT_MAX_OUT)
        return DSP_EARG;
    d->n_in = n_in;
    d->n_out = n_out;
    d->n_padded = (n_out + DSP_DCT_LANES - 1) / DSP_DCT_LANES * DSP_DCT_LANES;
    d->table = dsp_calloc((size_t)n_in * d->n_padded * sizeof *d->table);
    if (!d->table)
        return DSP_ENOMEM;
    for (uint32_t i = 0; i < n_in; i++)
        for (uint32_t c = 0; c < n_out; c++) {
            const uint32_t k = kind == DSP_DCT_PLAIN ? c + 1 : c;
            const double scale =
                kind == DSP_DCT_PLAIN ? 2 : sqrt((k ? 2.0 : 1.0) / n_in);
            d->table[i * d->n_padded + c] =
                (float)(scale * cos(pi * k * (2 * i + 1) / (2.0 * n_in)));
        }
    return DSP_OK;
}

void
dsp_dct_done(dsp_dct *d)
{
    free(d->table);
}

dsp_status
dsp_rows_init(dsp_rows *r, uint32_t n_bands, size_t n_weights)
{
    r->n_bands = n_bands;
    r->n_padded = (n_bands + DSP_LANES - 1) / DSP_LANES * DSP_LANES;
    r->n_room = (uint32_t)(n_weights + (n_bands + 1) * (size_t)DSP_LANES);
    r->n_used = DSP_LANES; /* zeros: what empty bands weigh with */
    r->n_in = DSP_LANES;
    r->weights = dsp_calloc(r->n_room * sizeof *r->weights);
    for (uint32_t b = 0; b < DSP_FRONT_MAX_BANDS; b++)
        r->bands[b] = (dsp_band){.n_blocks = 1};
    return r->weights ? DSP_OK : DSP_ENOMEM;
}

void
dsp_rows_done(dsp_rows *r)
{
    free(r->weights);
}

void
dsp_rows_set(dsp_rows *r, uint32_t band, uint32_t first, const double w[], uint32_t n)
{
    if (n == 0)
        return;
    const uint32_t n_blocks = (n + DSP_LANES - 1) / DSP_LANES;
    r->bands[band] = (dsp_band){first, n_blocks, r->n_used};
    for (uint32_t i = 0; i < n; i++)
        r->weights[r->n_used + i] = (float)w[i];
    r->n_used += n_blocks * DSP_LANES;
    const uint32_t end = first + n_blocks * DSP_LANES;
    r->n_in = end > r->n_in ? end : r->n_in;
}

/* Modified Bessel function of the first kind and order 0. */
static double
bessel_i0(double x)
{
    double term = 1, sum = 1;
    for (int k = 1; term > 1e-12 * sum; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static void
fill_taps(float taps[], uint32_t n, uint32_t factor, double gain)
{
    const double beta = 6.76; /* stop band 70 dB down, 0.11 of the lower rate wide */
    const double cut = 0.47 / factor;
    double sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n; i++) {
            const double t = i - (n - 1) / 2.0, u = 2 * t / n; /* t is never 0 */
            const double h = sin(2 * pi * cut * t) / (pi * t) *
                             bessel_i0(beta * sqrt(1 - u * u)) / bessel_i0(beta);
            if (pass == 0)
                sum += h;
            else
                taps[i] = (float)(gain * h / sum);
        }
}

dsp_status
dsp_decimator_init(dsp_decimator *d, uint32_t factor, uint32_t n_out, double gain)
{
    const uint32_t n_taps = 40 * factor; /* whole blocks, and even */
    d->n_out = n_out;
    d->n_in = (n_out - 1) * factor + n_taps;
    d->n_padded = (n_out + DSP_LANES - 1) / DSP_LANES * DSP_LANES;
    d->taps = dsp_calloc(n_taps * sizeof *d->taps);
    d->rows = dsp_calloc(d->n_padded * sizeof *d->rows);
    if (!d->taps || !d->rows)
        return DSP_ENOMEM;
    for (uint32_t i = 0; i < d->n_padded; i++)
        d->rows[i] = (dsp_band){.first_bin = i < n_out ? i * factor : 0,
                                .n_blocks = n_taps / DSP_LANES};
    fill_taps(d->taps, n_taps, factor, gain);
    return DSP_OK;
}

void
dsp_decimator_done(dsp_decimator *d)
{
    free(d->rows);
    free(d->taps);
}
