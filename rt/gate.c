/* The level gate. Hot. */
#include "analyse_private.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Floats without a sign order as their bits do, which compilers turn into vectors. */
float
rt_peak(const float x[], size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7fffffff;
        bits = bits >= 0x7f800000 ? 0 : bits;
        most = bits > most ? bits : most;
    }
    float p;
    memcpy(&p, &most, sizeof p);
    return p;
}

/* Sample by sample: the definition, and the way where the gate may change. */
static size_t
walk(rt_gate *g, const float x[], size_t n, uint64_t first)
{
    size_t onset = n;
    for (size_t i = 0; i < n; i++) {
        const float a = fabsf(x[i]) <= FLT_MAX ? fabsf(x[i]) : 0;
        if (g->open && a >= g->close_at)
            g->last_loud = first + i;
        else if (g->open && first + i - g->last_loud >= g->hold_frames)
            g->open = false;
        if (!g->open && a >= g->open_at) {
            g->open = true;
            g->last_loud = first + i;
            onset = i;
        }
    }
    return onset;
}

size_t
rt_gate_feed(rt_gate *g, const float x[], size_t n, uint64_t first)
{
    const float p = rt_peak(x, n);
    if (!g->open && p < g->open_at)
        return n;
    if (!g->open || first + n - g->last_loud > g->hold_frames)
        return walk(g, x, n, first);
    if (p >= g->close_at) { /* it stays open; only the last peak matters */
        size_t i = n;
        while (i > 0 && !(fabsf(x[i - 1]) >= g->close_at && fabsf(x[i - 1]) <= FLT_MAX))
            i--;
        g->last_loud = first + i - 1;
    }
    return n;
}
