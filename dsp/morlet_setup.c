/* Makes and frees what morlet.c runs on: wavelets as Gaussians over the bins. */
#include "front_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;
static const double sigmas = 5.7; /* of a Gaussian until it is below 1e-7 */

static bool
config_ok(const dsp_morlet_config *c)
{
    return c->rate_hz >= 1000 && c->rate_hz <= 1e6 && c->n_bands >= 2 &&
           c->n_bands <= DSP_FRONT_MAX_BANDS && c->low_hz > 0 &&
           c->high_hz > c->low_hz && isfinite(c->high_hz) && c->w >= 5.7 &&
           c->w <= 100 && c->reach >= 3 && c->reach <= 8 && c->mean_frames % 2 == 0 &&
           c->low_hz <= c->rate_hz / (2 + 4 / c->w);
}

/* Standard deviation of a wavelet in samples. */
static double
scale_of(const dsp_morlet_config *c, double hz)
{
    return c->w * c->rate_hz / (2 * pi * hz);
}

/* Least length that FFTW is good at without measuring: 4, 5 or 6 times a power of 2. */
static uint32_t
fft_frames(double least)
{
    for (uint32_t n = 32;; n *= 2)
        for (uint32_t m = 4; m < 7; m++)
            if (n / 4 * m >= least)
                return n / 4 * m;
}

/* First and last bin where a wavelet weighs something, within 0..n-1. */
static uint32_t
extent(const dsp_morlet_config *c, double hz, const dsp_morlet_level *l, uint32_t *n)
{
    const double centre = hz * l->fft.n / c->rate_hz; /* bins */
    const double reach = sigmas * centre / c->w / (l->mean ? sqrt(2) : 1);
    const double most = l->mean ? l->fft.n / 2 : l->fft.n - 1;
    const double first = fmax(ceil(centre - reach), 0);
    const double last = fmin(floor(centre + reach), most);
    *n = last >= first ? (uint32_t)(last - first) + 1 : 0;
    return (uint32_t)first;
}

/* Power that a periodic Hann window of n samples gives a sine of amplitude 1 so many
 * bins away. */
static double
hann_power(double bins, uint32_t n)
{
    const double d = fabs(bins);
    double shape = 1; /* sin(pi d) / (pi d (1 - d^2)) */
    if (fabs(d - 1) < 1e-9)
        shape = 0.5;
    else if (d > 1e-9)
        shape = sin(pi * d) / (pi * d * (1 - d * d));
    return n / 4.0 * shape * (n / 4.0 * shape);
}

/* Mean energy: squares, such that a sine in the centre comes out as 1/2. */
static void
weigh_mean(double centre, double sd, uint32_t first, uint32_t n, uint32_t frames,
           double w[])
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        const double d = first + i - centre;
        w[i] = exp(-d * d / (sd * sd));
        sum += w[i] * hann_power(d, frames);
    }
    for (uint32_t i = 0; i < n; i++)
        w[i] *= 0.5 / sum;
}

/* At an instant: the middle of the window, where e^(i pi k) is (-1)^k. */
static void
weigh_instant(const dsp_morlet_config *c, double hz, double centre, double sd,
              uint32_t first, uint32_t n, uint32_t frames, double w[])
{
    const double s = scale_of(c, hz);
    const double peak = c->sine ? sqrt(2) : pow(pi, -0.25) * sqrt(s) * sqrt(2 * pi);
    for (uint32_t i = 0; i < n; i++) {
        const double d = (first + i - centre) / sd;
        w[i] = peak / frames * exp(-d * d / 2) * ((first + i) % 2 ? -1 : 1);
    }
}

static dsp_status
fill_rows(dsp_morlet_level *l, const dsp_morlet_config *c, const double hz[])
{
    const uint32_t frames = l->fft.n;
    double *w = calloc(frames, sizeof *w);
    size_t n_weights = 0;
    uint32_t n, end = 0;
    for (uint32_t b = 0; b < l->n_bands; b++) {
        const uint32_t first = extent(c, hz[b], l, &n);
        end = first + n > end ? first + n : end;
        n_weights += n;
    }
    l->n_bins = end < frames / 2 + 1 ? end : frames / 2 + 1;
    const dsp_status st =
        w ? dsp_rows_init(&l->rows, l->n_bands, n_weights) : DSP_ENOMEM;
    for (uint32_t b = 0; !st && b < l->n_bands; b++) {
        const uint32_t first = extent(c, hz[b], l, &n);
        const double centre = hz[b] * frames / c->rate_hz, sd = centre / c->w;
        if (l->mean)
            weigh_mean(centre, sd, first, n, frames, w);
        else
            weigh_instant(c, hz[b], centre, sd, first, n, frames, w);
        dsp_rows_set(&l->rows, b, first, w, n);
    }
    free(w);
    return st;
}

static dsp_status
allocate(dsp_morlet_level *l)
{
    const uint32_t room =
        (l->rows.n_in > l->n_bins ? l->rows.n_in : l->n_bins) + DSP_LANES;
    l->re = dsp_calloc(room * sizeof *l->re);
    l->im = dsp_calloc(room * sizeof *l->im);
    for (int i = 0; i < 2; i++)
        l->out[i] = dsp_calloc(l->rows.n_padded * sizeof *l->out[i]);
    l->window = dsp_calloc(l->fft.n * sizeof *l->window);
    if (!l->re || !l->im || !l->out[0] || !l->out[1] || !l->window)
        return DSP_ENOMEM;
    for (uint32_t i = 0; i < l->fft.n; i++)
        l->window[i] = (float)(0.5 - 0.5 * cos(2 * pi * i / l->fft.n));
    return DSP_OK;
}

/* Whether a band's wavelet is so short that its mean energy is asked for. */
static bool
is_short(const dsp_morlet_config *c, double hz)
{
    return c->mean_frames > 0 && scale_of(c, hz) <= c->mean_frames / 8.0;
}

static dsp_status
init_level(dsp_morlet_level *l, const dsp_morlet_config *c, const double hz[])
{
    const uint32_t n =
        l->mean ? c->mean_frames : fft_frames(2 * c->reach * scale_of(c, hz[0]) + 1);
    l->lag = n / 2 > c->least_lag ? n / 2 : c->least_lag;
    dsp_status st = dsp_rfft_init(&l->fft, n);
    if (!st)
        st = fill_rows(l, c, hz);
    return st ? st : allocate(l);
}

static dsp_status
init_levels(dsp_morlet *m, const dsp_morlet_config *c)
{
    for (uint32_t b = 0; b < m->n_heard;) {
        if (m->n_levels == DSP_MORLET_LEVELS)
            return DSP_EARG; /* the range is too wide */
        dsp_morlet_level *l = &m->levels[m->n_levels++];
        l->first_band = b;
        l->mean = is_short(c, m->hz[b]);
        while (b < m->n_heard && is_short(c, m->hz[b]) == l->mean &&
               (l->mean || m->hz[b] < DSP_MORLET_SPLIT * m->hz[l->first_band]))
            b++;
        l->n_bands = b - l->first_band;
        const dsp_status st = init_level(l, c, m->hz + l->first_band);
        if (st)
            return st;
        const uint32_t reach = l->lag + l->fft.n / 2;
        m->window_frames = reach > m->window_frames ? reach : m->window_frames;
    }
    for (uint32_t i = 0; i < m->n_levels; i++)
        m->levels[i].start =
            m->window_frames - m->levels[i].lag - m->levels[i].fft.n / 2;
    return DSP_OK;
}

dsp_status
dsp_morlet_init(dsp_morlet *m, const dsp_morlet_config *c)
{
    if (!config_ok(c))
        return DSP_EARG;
    m->kern = dsp_kern_best();
    m->n_bands = c->n_bands;
    const double step = log(c->high_hz / c->low_hz) / (c->n_bands - 1);
    for (uint32_t b = 0; b < c->n_bands; b++) {
        m->hz[b] = c->low_hz * exp(step * b);
        if (m->hz[b] <= c->rate_hz / (2 + 4 / c->w) * (1 + 1e-9)) /* rounding */
            m->n_heard = b + 1;
    }
    return init_levels(m, c);
}

void
dsp_morlet_done(dsp_morlet *m)
{
    for (uint32_t i = 0; i < m->n_levels; i++) {
        dsp_morlet_level *l = &m->levels[i];
        free(l->window);
        free(l->out[1]);
        free(l->out[0]);
        free(l->im);
        free(l->re);
        dsp_rows_done(&l->rows);
        dsp_rfft_done(&l->fft);
    }
}
