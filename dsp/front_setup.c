/* Makes and frees what front.c runs on. */
#include "front_private.h"

#include <stdlib.h>

const char *const dsp_front_name[DSP_FRONTS] = {
    [DSP_FRONT_MEL] = "mel",
    [DSP_FRONT_MORLET] = "morlet",
    [DSP_FRONT_MORLET_ZOUNDS] = "morlet-zounds",
    [DSP_FRONT_BARK] = "bark",
    [DSP_FRONT_BARK_ZOUNDS_2016] = "bark-zounds-2016",
    [DSP_FRONT_BARK_ZOUNDS_2018] = "bark-zounds",
};

static dsp_status
make_logmel(dsp_front *f, uint32_t rate_hz)
{
    dsp_logmel_config c = dsp_logmel_config_default(rate_hz);
    if (f->kind == DSP_FRONT_BARK)
        c.bank = (dsp_bank_config){.n_bands = 40,
                                   .low_hz = 20,
                                   .high_hz = c.bank.high_hz,
                                   .warp = DSP_BARK,
                                   .triangle = DSP_TRIANGLE_WARPED,
                                   .norm = DSP_SUM_1,
                                   .skip_dc = true};
    f->n_bands = c.bank.n_bands;
    f->window_frames = c.window_frames;
    return dsp_logmel_new(&f->logmel, &c);
}

static dsp_status
make_morlet(dsp_front *f, uint32_t rate_hz)
{
    const dsp_logmel_config mel = dsp_logmel_config_default(rate_hz);
    const dsp_morlet_config c = {
        .rate_hz = rate_hz,
        .n_bands = 64,
        .low_hz = 60,
        .high_hz = 12000,
        .w = 6,
        .reach = 3.34, /* 0.4 % of a wavelet's height, and 5120 samples at 48 kHz */
        .sine = true,
        .least_lag = mel.window_frames / 2,
        .mean_frames = mel.window_frames,
    };
    f->n_bands = c.n_bands;
    f->power_floor = (float)mel.log_floor;
    const dsp_status st = dsp_morlet_init(&f->morlet, &c);
    f->window_frames = f->morlet.window_frames;
    return st;
}

static dsp_status
make_zounds(dsp_front *f, uint32_t rate_hz)
{
    static const double full_scale = 32768; /* see dsp/front.h */
    const uint32_t factor = rate_hz / 11000;
    f->n_bands = DSP_ZOUNDS_BANDS;
    dsp_status st =
        dsp_decimator_init(&f->decimator, factor, DSP_ZOUNDS_FFT - 1, full_scale);
    f->window_frames = f->decimator.n_in;
    return st ? st : dsp_zounds_init(&f->zounds, rate_hz / factor);
}

static dsp_status
make_barks(dsp_front *f, uint32_t rate_hz)
{
    enum { FRAMES = 1024 };
    const uint32_t factor = rate_hz / DSP_MIN_RATE_HZ;
    f->n_bands = DSP_BARKS;
    f->window_frames = FRAMES * factor;
    return dsp_barks_init(&f->barks,
                          f->kind == DSP_FRONT_BARK_ZOUNDS_2016 ? DSP_BARKS_2016
                                                                : DSP_BARKS_2018,
                          (double)rate_hz / factor, FRAMES, factor);
}

static dsp_status
make(dsp_front *f, uint32_t rate_hz)
{
    switch (f->kind) {
    case DSP_FRONT_MORLET:
        return make_morlet(f, rate_hz);
    case DSP_FRONT_MORLET_ZOUNDS:
        return make_zounds(f, rate_hz);
    case DSP_FRONT_BARK_ZOUNDS_2016:
    case DSP_FRONT_BARK_ZOUNDS_2018:
        return make_barks(f, rate_hz);
    default:
        return make_logmel(f, rate_hz);
    }
}

dsp_status
dsp_front_new(dsp_front **out, dsp_front_kind kind, uint32_t rate_hz)
{
    *out = NULL;
    if ((unsigned)kind >= DSP_FRONTS || rate_hz < DSP_MIN_RATE_HZ ||
        rate_hz > DSP_MAX_RATE_HZ)
        return DSP_EARG;
    dsp_front *f = calloc(1, sizeof *f);
    if (!f)
        return DSP_ENOMEM;
    f->kind = kind;
    f->kern = dsp_kern_best();
    const bool plain =
        kind == DSP_FRONT_BARK_ZOUNDS_2016 || kind == DSP_FRONT_BARK_ZOUNDS_2018;
    dsp_status st = make(f, rate_hz);
    f->n_padded = (f->n_bands + DSP_LANES - 1) / DSP_LANES * DSP_LANES;
    if (!st)
        st = dsp_dct_init(&f->dct, plain ? DSP_DCT_PLAIN : DSP_DCT_ORTHONORMAL,
                          f->n_bands, DSP_FRONT_CEPSTRA);
    if (st)
        dsp_front_free(f);
    else
        *out = f;
    return st;
}

void
dsp_front_free(dsp_front *f)
{
    if (!f)
        return;
    dsp_barks_done(&f->barks);
    dsp_decimator_done(&f->decimator);
    dsp_zounds_done(&f->zounds);
    dsp_morlet_done(&f->morlet);
    dsp_logmel_free(f->logmel);
    dsp_dct_done(&f->dct);
    free(f);
}
