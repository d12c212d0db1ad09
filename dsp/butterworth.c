/* Butterworth filters as cascaded biquads, by the bilinear transform with the cutoff
 * where it is asked for. */
#include "degrade_private.h"

#include <assert.h>
#include <math.h>

/* Four sections at once, in two pairs, each section LAG samples behind the one before
 * it. Then all wait for their own last outputs alone, but for one another only every
 * second sample: the way through a section takes twice as long. */
enum { SECTIONS = 4, LAG = 2, DELAY = (SECTIONS - 1) * LAG, MOST = 3, BLOCK = 256 };
typedef double pair __attribute__((vector_size(2 * sizeof(double))));

/* y = x + 2 sign x1 + x2 - a1 y1 - a2 y2, in two steps: u = x + sign x1, then
 * y = u + sign u1 - ... With zeros throughout it passes on what it gets. */
typedef struct {
    pair sign, a1, a2;
    pair x1, u1, y1, y2;
} sections;

typedef struct {
    sections pairs[MOST][SECTIONS / 2];
    double gain; /* of all of them */
    size_t n;    /* groups of four in use */
    size_t n_sections;
} cascade;

/* Section i has the Q of the i-th pair of poles on the Butterworth circle. */
static void
add_section(cascade *c, dsp_pass pass, unsigned i, unsigned order, double w)
{
    const double pi = 3.14159265358979323846;
    const double alpha = sin(w) * cos((2 * i + 1) * pi / (2 * order)), a0 = 1 + alpha;
    const size_t at = c->n_sections++;
    sections *s = &c->pairs[at / SECTIONS][at / 2 % 2];
    const size_t lane = at % 2;
    assert(at < MOST * SECTIONS);
    c->n = at / SECTIONS + 1;
    c->gain *= (pass == DSP_PASS_LOW ? 1 - cos(w) : 1 + cos(w)) / 2 / a0;
    s->sign[lane] = pass == DSP_PASS_LOW ? 1 : -1;
    s->a1[lane] = -2 * cos(w) / a0;
    s->a2[lane] = (1 - alpha) / a0;
}

static inline pair
step(sections *s, pair x)
{
    const pair u = x + s->sign * s->x1;
    const pair y = (u + s->sign * s->u1 - s->a2 * s->y2) - s->a1 * s->y1;
    s->x1 = x;
    s->u1 = u;
    s->y2 = s->y1;
    s->y1 = y;
    return y;
}

/* Four sections in place, with a delay of DELAY samples. */
static void
run(sections s[SECTIONS / 2], double x[BLOCK])
{
    sections a = s[0], b = s[1]; /* in registers */
    for (size_t i = 0; i < BLOCK; i++) {
        const pair in_a = {x[i], a.y2[0]}, in_b = {a.y2[1], b.y2[0]};
        step(&a, in_a);
        x[i] = step(&b, in_b)[1];
    }
    s[0] = a;
    s[1] = b;
}

static size_t
at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

void
dsp_butterworth(float y[], const float x[], size_t n, const dsp_filter filters[],
                size_t n_filters, uint32_t rate_hz)
{
    cascade c = {.gain = 1};
    for (size_t f = 0; f < n_filters; f++) {
        const double w = 2 * 3.14159265358979323846 * filters[f].cutoff_hz / rate_hz;
        assert(filters[f].order % 2 == 0 && 2 * filters[f].cutoff_hz < rate_hz);
        for (unsigned i = 0; i < filters[f].order / 2; i++)
            add_section(&c, filters[f].pass, i, filters[f].order, w);
    }
    const size_t delay = c.n * DELAY;
    double part[BLOCK];
    for (size_t at = 0; at < n + delay; at += BLOCK) {
        const size_t first = at < delay ? delay - at : 0;
        const size_t last = at_most(n + delay - at, BLOCK);
        const size_t there = at < n ? at_most(n - at, BLOCK) : 0;
        for (size_t i = 0; i < there; i++)
            part[i] = c.gain * (double)x[at + i];
        for (size_t i = there; i < BLOCK; i++)
            part[i] = 0;
        for (size_t g = 0; g < c.n; g++)
            run(c.pairs[g], part);
        for (size_t i = first; i < last; i++)
            y[at + i - delay] = (float)part[i];
    }
}
