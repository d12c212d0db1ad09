/* Floats of 16 bits (IEEE 754 binary16), as rows and factors are stored. */
#ifndef HEARKEN_HALF_H
#define HEARKEN_HALF_H

#include <stdint.h>
#include <string.h>

/* Exact. */
static inline float
idx_from_half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000U) << 16;
    const uint32_t rest = h & 0x7fffU;
    float x;
    if (rest < 0x0400U) { /* 0 and the subnormal: multiples of 2^-24 */
        x = (float)rest * 0x1p-24F;
        return sign ? -x : x;
    }
    const uint32_t bits =
        rest < 0x7c00U ? (rest << 13) + (112U << 23) : (rest << 13) | 0x7f800000U;
    const uint32_t all = bits | sign;
    memcpy(&x, &all, sizeof x);
    return x;
}

/* To nearest, ties to even, as the processor's own instruction; too large becomes
 * infinite. */
static inline uint16_t
idx_to_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000U;
    bits &= 0x7fffffffU;
    if (bits >= 0x47800000U) /* 65536 and above, infinity, NaN */
        return (uint16_t)(sign | (bits > 0x7f800000U ? 0x7e00U : 0x7c00U));
    if (bits < 0x38800000U) { /* below 2^-14: the sum rounds to multiples of 2^-24 */
        float small, sum;
        memcpy(&small, &bits, sizeof small);
        sum = small + 0.5F;
        memcpy(&bits, &sum, sizeof bits);
        return (uint16_t)(sign | (bits - 0x3f000000U));
    }
    bits += 0xfffU + (bits >> 13 & 1U);
    return (uint16_t)(sign | ((bits >> 13) - (112U << 10)));
}

#endif
