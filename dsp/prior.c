#include "prior.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAME_BYTES = DSP_FRAME_RAW * (2 * sizeof(float) + DSP_PRIOR_ROWS),
    EVENT_BYTES = DSP_BLOCK_VALUES * (2 * sizeof(float) + DSP_PRIOR_ROWS),
};

/* The file as it is, between two symbols. */
__asm__(".section .rodata\n"
        ".balign 64\n"
        "dsp_prior_begin:\n"
        ".incbin \"dsp/prior.bin\"\n"
        "dsp_prior_end:\n"
        ".previous\n");
extern const unsigned char dsp_prior_begin[], dsp_prior_end[];

float *
dsp_prior_rows(dsp_scale scale)
{
    const size_t n_in = dsp_layout_of(scale).n_in;
    const unsigned char *at = dsp_prior_begin + (scale == DSP_EVENT ? FRAME_BYTES : 0);
    float *rows = malloc(DSP_PRIOR_ROWS * n_in * sizeof *rows);
    if (dsp_prior_end - dsp_prior_begin != FRAME_BYTES + EVENT_BYTES || !rows) {
        free(rows);
        return NULL;
    }
    const unsigned char *units = at + 2 * n_in * sizeof(float);
    for (size_t i = 0; i < n_in; i++) {
        float mean, spread;
        memcpy(&mean, at + i * sizeof mean, sizeof mean);
        memcpy(&spread, at + (n_in + i) * sizeof spread, sizeof spread);
        for (size_t r = 0; r < DSP_PRIOR_ROWS; r++)
            rows[r * n_in + i] =
                mean + spread * (float)(int8_t)units[r * n_in + i] / DSP_PRIOR_UNIT;
    }
    return rows;
}
