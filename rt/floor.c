/* Hot. */
#include "floor.h"

#include <math.h>
#include <string.h>

enum { QUIET = RT_FLOOR_BLOCKS / 10 }; /* blocks */

/*
 * How far the sum of the least that each band had may lie below the quietest blocks. Of
 * noise in bands of one bin each, ten hops long, the least of a hundred are some 8 dB
 * below the mean; where chords change, the least of a band is when it has no partial.
 */
static const float steady_db = 9;

void
rt_floor_reset(rt_floor *f)
{
    f->n_hops = f->n_blocks = 0;
    f->rms = 0;
}

static float
level_of(const float bands[])
{
    float sum = 0;
    for (uint32_t b = 0; b < DSP_BANDS; b++)
        sum += powf(10, bands[b] / 10);
    return 10 * log10f(sum);
}

/* The value that a tenth of them does not exceed. */
static float
quiet(const float of[RT_FLOOR_BLOCKS])
{
    float least[QUIET];
    uint32_t n = 0;
    for (uint32_t i = 0; i < RT_FLOOR_BLOCKS; i++) {
        uint32_t at = n < QUIET ? n++ : QUIET - 1;
        if (i >= QUIET && of[i] >= least[at])
            continue;
        for (; at > 0 && least[at - 1] > of[i]; at--)
            least[at] = least[at - 1];
        least[at] = of[i];
    }
    return least[QUIET - 1];
}

/* The quietest blocks are a floor when each band has always sounded as in them. */
static bool
is_steady(const rt_floor *f)
{
    float least[DSP_BANDS];
    memcpy(least, f->bands[0], sizeof least);
    for (uint32_t i = 1; i < RT_FLOOR_BLOCKS; i++)
        for (uint32_t b = 0; b < DSP_BANDS; b++)
            least[b] = f->bands[i][b] < least[b] ? f->bands[i][b] : least[b];
    return quiet(f->level) - level_of(least) <= steady_db;
}

/* Means over the quietest blocks. Those of decibels are 2.5 dB lower than the decibels
 * of the mean, where a band is one bin of noise. */
static void
take_bands(rt_floor *f)
{
    const float most = quiet(f->level);
    uint32_t n = 0;
    memset(f->floor_db, 0, sizeof f->floor_db);
    for (uint32_t i = 0; i < RT_FLOOR_BLOCKS; i++) {
        if (f->level[i] > most)
            continue;
        n++;
        for (uint32_t b = 0; b < DSP_BANDS; b++)
            f->floor_db[b] += f->bands[i][b];
    }
    for (uint32_t b = 0; b < DSP_BANDS; b++)
        f->floor_db[b] = f->floor_db[b] / (float)n + 2.5F;
}

/* A block's place follows from its number alone, or sums over all of them would differ
 * in their last digits with when one began to listen. */
static void
end_block(rt_floor *f, uint64_t number, size_t n_samples)
{
    const size_t at = (size_t)(number % RT_FLOOR_BLOCKS);
    float *mean = f->bands[at];
    for (uint32_t b = 0; b < DSP_BANDS; b++)
        mean[b] = f->sum[b] / RT_FLOOR_HOPS;
    f->level[at] = level_of(mean);
    f->power[at] = f->energy / (float)(n_samples * RT_FLOOR_HOPS);
    f->n_blocks += f->n_blocks < RT_FLOOR_BLOCKS;
    f->rms = 0;
    if (f->n_blocks < RT_FLOOR_BLOCKS || !is_steady(f))
        return;
    f->rms = sqrtf(quiet(f->power));
    take_bands(f);
}

static float
energy_of(const float x[], size_t n)
{
    enum { LANES = 8 };
    float sum[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            sum[j] += x[i + j] * x[i + j];
    for (; i < n; i++)
        sum[0] += x[i] * x[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) +
           ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

bool
rt_floor_feed(rt_floor *f, uint64_t index, const float bands[], const float x[],
              size_t n)
{
    const uint32_t place = (uint32_t)(index % RT_FLOOR_HOPS);
    if (place == 0) {
        memset(f->sum, 0, sizeof f->sum);
        f->energy = 0;
        f->n_hops = 0;
    } else if (f->n_hops != place) {
        return false; /* its beginning was not heard */
    }
    for (uint32_t b = 0; b < DSP_BANDS; b++)
        f->sum[b] += bands[b];
    f->energy += energy_of(x, n);
    if (++f->n_hops < RT_FLOOR_HOPS)
        return false;
    end_block(f, index / RT_FLOOR_HOPS, n);
    return true;
}
