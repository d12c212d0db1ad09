#include "random.h"

#include <math.h>

static uint64_t
splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t
rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

idx_random
idx_random_of(uint64_t seed)
{
    idx_random r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix64(&seed);
    return r;
}

/* xoshiro256**, reference: prng.di.unimi.it */
uint64_t
idx_draw(idx_random *r)
{
    const uint64_t out = rotl(r->s[1] * 5, 7) * 9;
    const uint64_t t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return out;
}

uint32_t
idx_draw_below(idx_random *r, uint32_t n)
{
    return (uint32_t)((idx_draw(r) >> 32) * n >> 32);
}

double
idx_draw_unit(idx_random *r)
{
    return ((double)(idx_draw(r) >> 11) + 1.0) * 0x1p-53;
}

double
idx_draw_normal(idx_random *r)
{
    const double radius = sqrt(-2.0 * log(idx_draw_unit(r)));
    return radius * cos(6.283185307179586 * idx_draw_unit(r));
}
