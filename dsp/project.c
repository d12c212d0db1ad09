/* Raw features to embeddings. Hot. */
#include "private.h"

#include <float.h>
#include <math.h>

enum { ROWS = 4 }; /* of a matrix at a time, so that x is read once for them */
static const float clip_at = 4;       /* standard deviations */
static const float shortest = 1e-12F; /* a vector below it has no direction */

/* out[r] = a[r] . x for the rows of a[n_rows][n], n_rows <= ROWS; a constant, so that
 * all lanes stay in registers. A row's sum is the same whatever rows are beside it. */
static inline void
dots(const float *restrict a, const float *restrict x, size_t n, size_t n_rows,
     float *restrict out)
{
    float lane[ROWS][DSP_LANES] = {{0}}, tail[ROWS] = {0};
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t r = 0; r < n_rows; r++)
            for (size_t l = 0; l < DSP_LANES; l++)
                lane[r][l] += a[r * n + i + l] * x[i + l];
    for (; i < n; i++)
        for (size_t r = 0; r < n_rows; r++)
            tail[r] += a[r * n + i] * x[i];
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t l = 0; l < DSP_LANES; l++)
            tail[r] += lane[r][l];
        out[r] = tail[r];
    }
}

/* out[n_rows] = a[n_rows][n] . x */
static void
multiply(const float *restrict a, const float *restrict x, size_t n, size_t n_rows,
         float *restrict out)
{
    size_t r = 0;
    for (; r + ROWS <= n_rows; r += ROWS)
        dots(a + r * n, x, n, ROWS, out + r);
    for (; r < n_rows; r++)
        dots(a + r * n, x, n, 1, out + r);
}

static bool
normalise(float x[], size_t n)
{
    float square;
    dots(x, x, n, 1, &square);
    const float norm = sqrtf(square);
    if (!(norm > shortest) || !isfinite(norm))
        return false;
    for (size_t i = 0; i < n; i++)
        x[i] /= norm;
    return true;
}

/* False when a value is not finite. */
static bool
clip(const float *raw, const float *mean, const float *spread, size_t n, float *out)
{
    int n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        const float v = (raw[i] - mean[i]) / spread[i];
        n_bad += !(fabsf(raw[i]) <= FLT_MAX);
        out[i] = v > clip_at ? clip_at : v < -clip_at ? -clip_at : v;
    }
    return n_bad == 0;
}

bool
dsp_standardise(const dsp_projection *p, const float raw[], float out[])
{
    bool any = false;
    if (!clip(raw, p->mean, p->spread, p->n_in, out))
        return false;
    for (uint32_t b = 0; b < p->n_blocks; out += p->block_size[b++]) {
        if (normalise(out, p->block_size[b]))
            any = true;
        else
            for (uint32_t i = 0; i < p->block_size[b]; i++)
                out[i] = 0;
    }
    return any;
}

bool
dsp_project(const dsp_projection *p, const float raw[], float scratch[], float out[])
{
    if (!dsp_standardise(p, raw, p->matrix ? scratch : out))
        return false;
    if (p->matrix)
        multiply(p->matrix, scratch, p->n_in, p->dim, out);
    return normalise(out, p->dim);
}
