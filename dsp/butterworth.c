/* Butterworth filters as cascaded biquads, by the bilinear transform with the cutoff
 * where it is asked for. */
#include "degrade_private.h"

#include <assert.h>
#include <math.h>

typedef struct {
    double b0, b1, a1, a2; /* b2 = b0 */
    double s1, s2;         /* transposed direct form II */
} section;

/* Section i has the Q of the i-th pair of poles on the Butterworth circle. */
static section
make_section(dsp_pass pass, unsigned i, unsigned order, double w)
{
    const double pi = 3.14159265358979323846;
    const double alpha = sin(w) * cos((2 * i + 1) * pi / (2 * order));
    const double a0 = 1 + alpha, c = cos(w);
    const double b1 = pass == DSP_PASS_LOW ? 1 - c : -1 - c;
    return (section){.b0 = fabs(b1) / 2 / a0,
                     .b1 = b1 / a0,
                     .a1 = -2 * c / a0,
                     .a2 = (1 - alpha) / a0};
}

static double
step(section *q, double x)
{
    const double y = q->b0 * x + q->s1;
    q->s1 = q->b1 * x - q->a1 * y + q->s2;
    q->s2 = q->b0 * x - q->a2 * y;
    return y;
}

void
dsp_butterworth(dsp_sound *s, dsp_pass pass, unsigned order, double cutoff_hz,
                uint32_t rate_hz)
{
    assert(order % 2 == 0 && order <= DSP_MAX_ORDER && 2 * cutoff_hz < rate_hz);
    section sections[DSP_MAX_ORDER / 2];
    const unsigned n = order / 2;
    const double w = 2 * 3.14159265358979323846 * cutoff_hz / rate_hz;
    for (unsigned q = 0; q < n; q++)
        sections[q] = make_section(pass, q, order, w);
    /* All sections per sample: they overlap in the processor, one after the other would
     * each wait for its own feedback. */
    for (size_t i = 0; i < s->n; i++) {
        double y = (double)s->x[i];
        for (unsigned q = 0; q < n; q++)
            y = step(&sections[q], y);
        s->x[i] = (float)y;
    }
}
