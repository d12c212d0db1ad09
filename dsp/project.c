/* Raw features to embeddings. Hot. */
#include "private.h"

#include <math.h>

static const float clip_at = 4;       /* standard deviations */
static const float shortest = 1e-12F; /* a vector below it has no direction */

/* Sum of a[i] b[i], in lanes that the compiler may keep in one register. */
static float
dot(const float *restrict a, const float *restrict b, size_t n)
{
    float lane[DSP_LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + DSP_LANES <= n; i += DSP_LANES)
        for (size_t l = 0; l < DSP_LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t l = 0; l < DSP_LANES; l++)
        sum += lane[l];
    return sum;
}

static bool
normalise(float x[], size_t n)
{
    const float norm = sqrtf(dot(x, x, n));
    if (!(norm > shortest) || !isfinite(norm))
        return false;
    for (size_t i = 0; i < n; i++)
        x[i] /= norm;
    return true;
}

bool
dsp_project(const dsp_projection *p, const float raw[], float scratch[], float out[])
{
    float *z = p->matrix ? scratch : out;
    for (uint32_t i = 0; i < p->n_in; i++) {
        const float v = (raw[i] - p->mean[i]) / p->spread[i];
        z[i] = v > clip_at ? clip_at : v < -clip_at ? -clip_at : v;
    }
    if (!normalise(z, p->n_in))
        return false;
    if (!p->matrix)
        return true;
    for (uint32_t d = 0; d < p->dim; d++)
        out[d] = dot(p->matrix + (size_t)d * p->n_in, z, p->n_in);
    return normalise(out, p->dim);
}
