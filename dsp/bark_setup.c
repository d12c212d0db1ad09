/* Zounds' Bark bands, as published twice, and put right. */
#include "front_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

static double
bark_of(double hz)
{
    return 6 * asinh(hz / 600);
}

/* The article means 50 Hz to 20 kHz, but counts its steps from 0. */
static double
centre_hz(dsp_barks_kind kind, double rate_hz, uint32_t band)
{
    if (kind == DSP_BARKS_2016)
        return 600 * sinh((band + 1) * (bark_of(20000) - bark_of(50)) / DSP_BARKS / 6);
    const double low = bark_of(20), high = bark_of(rate_hz / 2);
    return 600 * sinh((low + (high - low) * band / (DSP_BARKS - 1)) / 6);
}

void
dsp_barks_edges(dsp_barks_kind kind, double rate_hz, uint32_t band, double *hz,
                double *low_hz, double *high_hz)
{
    *hz = centre_hz(kind, rate_hz, band);
    const double half = (24.7 + 0.108 * *hz) / 2; /* equivalent rectangular bandwidth */
    *low_hz = *hz - half;
    *high_hz = *hz + half;
}

/* Triangle over whole bins from one to another, its two edges' fractions as a gain. It
 * takes the bins to be twice as far apart as they are: the article reads 22.05 kHz as
 * 44.1. A single bin weighs nothing. */
static uint32_t
weights_2016(double low, double high, double hz_per_bin, uint32_t n_bins, double w[],
             uint32_t *first)
{
    const double from = (low > 0 ? low : 0) / (2 * hz_per_bin);
    const double to = high / (2 * hz_per_bin);
    const uint32_t start = (uint32_t)floor(from), end = (uint32_t)ceil(to);
    const uint32_t c = end > start ? end - start : 1;
    const double gain = (c / 2) / (c / 2.0) * (to - from) / c;
    uint32_t n = 0;
    for (; n < c && start + n < n_bins; n++) {
        const uint32_t near = n < c - 1 - n ? n : c - 1 - n; /* to the closer end */
        w[n] = gain * (c % 2 ? 2 * (near + 1.0) / (c + 1) : (2 * near + 1.0) / c);
    }
    *first = start;
    return n;
}

/* Hann window with zero ends over slices of the range up to Nyquist. */
static uint32_t
weights_2018(double low, double high, double nyquist_hz, uint32_t n_bins, double w[],
             uint32_t *first)
{
    const double width = nyquist_hz / n_bins;
    uint32_t start = 0, end;
    while (start < n_bins && (start + 1) * width < low)
        start++;
    for (end = start; end < n_bins && end * width < high;)
        end++;
    const uint32_t c = end - start;
    for (uint32_t i = 0; i < c; i++)
        w[i] = c == 1 ? 1 : 0.5 - 0.5 * cos(2 * pi * i / (c - 1));
    *first = start;
    return c;
}

static uint32_t
weights_fixed(double low, double high, double hz_per_bin, uint32_t n_bins, double w[],
              uint32_t *first)
{
    const double half = (high - low) / 2, hz = low + half;
    uint32_t k = low > 0 ? (uint32_t)floor(low / hz_per_bin) + 1 : 0, n = 0;
    for (*first = k; k < n_bins && k * hz_per_bin < high; k++)
        w[n++] = 1 - fabs(k * hz_per_bin - hz) / half;
    if (n > 0)
        return n;
    *first = (uint32_t)lround(hz / hz_per_bin);
    w[0] = 1;
    return 1;
}

static uint32_t
band_weights(dsp_barks_kind kind, double rate_hz, uint32_t band, uint32_t n_bins,
             double w[], uint32_t *first)
{
    double hz, low, high;
    dsp_barks_edges(kind, rate_hz, band, &hz, &low, &high);
    const double nyquist = rate_hz / 2, hz_per_bin = nyquist / (n_bins - 1);
    switch (kind) {
    case DSP_BARKS_2016: /* it has no bin at Nyquist */
        return weights_2016(low, high, hz_per_bin, n_bins - 1, w, first);
    case DSP_BARKS_2018:
        return weights_2018(low, high, nyquist, n_bins, w, first);
    default:
        return weights_fixed(low, high, hz_per_bin, n_bins, w, first);
    }
}

static dsp_status
fill_rows(dsp_barks *b, dsp_barks_kind kind, double rate_hz)
{
    double *w = calloc(b->n_bins, sizeof *w);
    uint32_t first;
    size_t n_weights = 0;
    for (uint32_t i = 0; w && i < DSP_BARKS; i++)
        n_weights += band_weights(kind, rate_hz, i, b->n_bins, w, &first);
    const dsp_status st =
        w ? dsp_rows_init(&b->rows, DSP_BARKS, n_weights) : DSP_ENOMEM;
    for (uint32_t i = 0; !st && i < DSP_BARKS; i++) {
        const uint32_t n = band_weights(kind, rate_hz, i, b->n_bins, w, &first);
        dsp_rows_set(&b->rows, i, first, w, n);
    }
    free(w);
    return st;
}

/* Vorbis's window over its maximum, which it reaches between samples. */
static void
fill_window(float window[], uint32_t n)
{
    const double top = sin(pi * (n / 2 + 0.5) / n);
    for (uint32_t i = 0; i < n; i++) {
        const double s = sin(pi * (i + 0.5) / n);
        window[i] = (float)(sin(pi / 2 * s * s) / sin(pi / 2 * top * top));
    }
}

dsp_status
dsp_barks_init(dsp_barks *b, dsp_barks_kind kind, double rate_hz, uint32_t frames,
               uint32_t factor)
{
    const uint32_t n = frames * factor;
    b->kern = dsp_kern_best();
    b->n_bins = frames / 2 + 1;
    b->gain = 1.0F / ((float)factor * (float)factor);
    if (kind == DSP_BARKS_2018)
        b->gain /= (float)frames;
    dsp_status st = fill_rows(b, kind, rate_hz);
    if (!st)
        st = dsp_rfft_init(&b->fft, n);
    if (st)
        return st;
    const uint32_t room = b->rows.n_in > b->n_bins ? b->rows.n_in : b->n_bins;
    b->window = dsp_calloc(n * sizeof *b->window);
    b->magnitude = dsp_calloc((room + DSP_LANES) * sizeof *b->magnitude);
    if (!b->window || !b->magnitude)
        return DSP_ENOMEM;
    fill_window(b->window, n);
    return DSP_OK;
}

void
dsp_barks_done(dsp_barks *b)
{
    free(b->magnitude);
    free(b->window);
    dsp_rows_done(&b->rows);
    dsp_rfft_done(&b->fft);
}
