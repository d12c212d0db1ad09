/* One frame of whichever front end. Hot. */
#include "front_private.h"

#include <string.h>

uint32_t
dsp_front_bands(const dsp_front *f)
{
    return f->n_bands;
}

uint32_t
dsp_front_window(const dsp_front *f)
{
    return f->window_frames;
}

static void
analyse(dsp_front *f, const float x[])
{
    switch (f->kind) {
    case DSP_FRONT_MORLET:
        dsp_morlet_frame(&f->morlet, x, f->bands);
        f->kern->decibels(f->bands, f->n_padded, f->power_floor);
        break;
    case DSP_FRONT_MORLET_ZOUNDS:
        dsp_decimate(&f->decimator, f->kern, x, f->zounds.samples);
        dsp_zounds_frame(&f->zounds, 0, DSP_ZOUNDS_POOL, f->bands);
        break;
    case DSP_FRONT_BARK_ZOUNDS_2016:
    case DSP_FRONT_BARK_ZOUNDS_2018:
        dsp_barks_frame(&f->barks, x, f->bands);
        dsp_barks_log(f->kern, f->bands, f->n_padded);
        break;
    default:
        dsp_logmel_frame(f->logmel, x, f->bands);
    }
}

void
dsp_front_frame(dsp_front *f, const float x[], float bands[],
                float cepstra[DSP_FRONT_CEPSTRA])
{
    analyse(f, x);
    memcpy(bands, f->bands, f->n_bands * sizeof *bands);
    dsp_cepstra(&f->dct, f->bands, cepstra);
}
