/* Spectral contrast: the strongest and the weakest fifth of each band's bins. Hot. */
#include "descriptors_private.h"

void
dsp_contrast(const dsp_descriptors *d, const float power[],
             float mean[DSP_CONTRAST_BANDS][2])
{
    dsp_part part[DSP_CONTRAST_BANDS];
    size_t n = 0;
    for (size_t b = 0; b < DSP_CONTRAST_BANDS; b++) {
        const uint32_t n_bins = d->edge[b + 1] - d->edge[b];
        mean[b][0] = mean[b][1] = 0;
        if (n_bins > 0) /* none is followed by one with bins */
            part[n++] = (dsp_part){power + d->edge[b], n_bins, (int32_t)d->n_fifth[b]};
    }
    d->kern->frame->fifths(part, n, mean);
}
