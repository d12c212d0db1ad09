/* Makes and frees what timbre.c runs on. */
#include "timbre_private.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;
static const double reference_hz = 22050, reference_frames = 1024; /* of the article */

/* The next even number without a prime factor above 11, at which FFTW is quick. */
static uint32_t
fft_frames_for(uint32_t window_frames)
{
    for (uint32_t n = window_frames + window_frames % 2;; n += 2) {
        uint32_t left = n;
        static const uint32_t primes[] = {2, 3, 5, 7, 11};
        for (size_t i = 0; i < sizeof primes / sizeof *primes; i++)
            while (left % primes[i] == 0)
                left /= primes[i];
        if (left == 1)
            return n;
    }
}

/* ---- Bands ---------------------------------------------------------------------- */

static double
centre_hz(uint32_t band)
{
    const double low = asinh(20.0 / 600), high = asinh(11025.0 / 600);
    return 600 * sinh(low + (high - low) * band / (DSP_BARK_BANDS - 1));
}

static double
erb_hz(double hz)
{
    return 24.7 + 0.108 * hz;
}

/* The weights of a band at the n bins from *first on. There is always one: the
 * narrowest band is 26.9 Hz wide, bins are at most 21.6 Hz apart. */
static uint32_t
band_weights(uint32_t band, double hz_per_bin, uint32_t n_bins, uint32_t *first,
             float w[])
{
    const double f = centre_hz(band), half = erb_hz(f) / 2;
    uint32_t n = 0;
    *first = (uint32_t)floor((f - half) / hz_per_bin) + 1;
    for (uint32_t k = *first; k < n_bins && k * hz_per_bin < f + half; k++)
        w[n++] = (float)(1 - fabs(k * hz_per_bin - f) / half);
    return n;
}

static dsp_status
fill_bank(dsp_bank *bank, double hz_per_bin, uint32_t n_bins)
{
    const size_t n_weights = (size_t)DSP_BARK_BANDS * (n_bins + DSP_LANES) + DSP_LANES;
    bank->weights = dsp_calloc(n_weights * sizeof *bank->weights);
    if (!bank->weights)
        return DSP_ENOMEM;
    bank->n_bands = DSP_BARK_BANDS;
    bank->n_padded = (DSP_BARK_BANDS + DSP_LANES - 1) / DSP_LANES * DSP_LANES;
    uint32_t used = DSP_LANES; /* the first block is zeros: what padding weighs with */
    for (uint32_t b = DSP_BARK_BANDS; b < bank->n_padded; b++)
        bank->bands[b] = (dsp_band){.n_blocks = 1};
    for (uint32_t b = 0; b < DSP_BARK_BANDS; b++) {
        dsp_band *band = &bank->bands[b];
        const uint32_t n =
            band_weights(b, hz_per_bin, n_bins, &band->first_bin, bank->weights + used);
        band->n_blocks = (n + DSP_LANES - 1) / DSP_LANES;
        band->offset = used;
        used += band->n_blocks * DSP_LANES;
        bank->n_bins = band->first_bin + n; /* bands end later and later */
        bank->n_power = band->first_bin + band->n_blocks * DSP_LANES;
    }
    return DSP_OK;
}

/* ---- The rest ------------------------------------------------------------------- */

static void
fill_window(dsp_bfcc *b)
{
    double sum = 0, square = 0;
    for (uint32_t i = 0; i < b->window_frames; i++) {
        const double s = sin(pi * (i + 0.5) / b->window_frames);
        const double w = sin(pi / 2 * s * s);
        b->window[i] = (float)w;
        sum += w;
        square += w * w;
    }
    const double gain = reference_frames / b->window_frames;
    b->power_gain = (float)(gain * gain);
    b->window_gain = (float)(1 / sum);
    /* By Parseval the bins of one side hold n/2 sum(w^2) times the mean square. */
    b->level_gain = (float)(2 / (gain * gain * b->fft_frames * square));
}

static void
fill_tables(dsp_bfcc *b)
{
    for (uint32_t k = 0; k <= b->fft_frames / 2; k++) {
        b->cosine[k] = (float)cos(2 * pi * k / b->fft_frames);
        b->sine[k] = (float)sin(2 * pi * k / b->fft_frames);
    }
    for (uint32_t i = 0; i < DSP_BARK_BANDS; i++)
        for (uint32_t k = 1; k <= DSP_BFCC; k++)
            b->transform[i * DSP_BFCC_LANES + k - 1] =
                (float)cos(pi * k * (2 * i + 1) / (2 * DSP_BARK_BANDS));
}

static dsp_status
allocate(dsp_bfcc *b)
{
    const uint32_t half = b->fft_frames / 2;
    const uint32_t n_power = b->bank.n_power > half ? b->bank.n_power : half;
    b->window = dsp_calloc(b->window_frames * sizeof(float));
    b->time = dsp_calloc(b->fft_frames * sizeof(float));
    b->freq = dsp_calloc((b->fft_frames + 2) * sizeof(float));
    b->cosine = dsp_calloc((half + 1) * sizeof(float));
    b->sine = dsp_calloc((half + 1) * sizeof(float));
    b->power = dsp_calloc((n_power + DSP_LANES) * sizeof(float));
    b->bands = dsp_calloc(b->bank.n_padded * sizeof(float));
    b->transform = dsp_calloc((size_t)DSP_BARK_BANDS * DSP_BFCC_LANES * sizeof(float));
    if (!b->window || !b->time || !b->freq || !b->cosine || !b->sine || !b->power ||
        !b->bands || !b->transform)
        return DSP_ENOMEM;
    b->plan = dsp_fft_plan(half, b->time, b->freq);
    return b->plan ? DSP_OK : DSP_ENOMEM;
}

dsp_status
dsp_bfcc_new(dsp_bfcc **out, uint32_t rate_hz)
{
    *out = NULL;
    if (rate_hz < DSP_MIN_RATE_HZ || rate_hz > DSP_MAX_RATE_HZ)
        return DSP_EARG;
    dsp_bfcc *b = calloc(1, sizeof *b);
    if (!b)
        return DSP_ENOMEM;
    b->kern = dsp_kern_best();
    b->window_frames = (uint32_t)lround(rate_hz * reference_frames / reference_hz);
    b->fft_frames = fft_frames_for(b->window_frames);
    dsp_status st =
        fill_bank(&b->bank, (double)rate_hz / b->fft_frames, b->fft_frames / 2 + 1);
    if (!st)
        st = allocate(b);
    if (st) {
        dsp_bfcc_free(b);
        return st;
    }
    fill_window(b);
    fill_tables(b);
    *out = b;
    return DSP_OK;
}

void
dsp_bfcc_free(dsp_bfcc *b)
{
    if (!b)
        return;
    dsp_fft_free(b->plan);
    free(b->transform);
    free(b->bands);
    free(b->power);
    free(b->sine);
    free(b->cosine);
    free(b->freq);
    free(b->time);
    free(b->window);
    free(b->bank.weights);
    free(b);
}

uint32_t
dsp_bfcc_window(const dsp_bfcc *b)
{
    return b->window_frames;
}

uint32_t
dsp_bfcc_fft(const dsp_bfcc *b)
{
    return b->fft_frames;
}

float
dsp_bfcc_weight(const dsp_bfcc *b, uint32_t band, uint32_t bin)
{
    return dsp_bank_weight(&b->bank, band, bin);
}
