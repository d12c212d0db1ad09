/*
 * CRC-32C (Castagnoli), which guards the records of TFRecord files: polynomial
 * 0x82f63b78 reflected, first and last XOR 0xffffffff.
 */
#ifndef HEARKEN_RT_CRC32C_H
#define HEARKEN_RT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* "c", "sse42" */
    /* Carries a CRC, without its XORs, over n bytes. */
    uint32_t (*update)(uint32_t crc, const unsigned char data[], size_t n);
} rt_crc32c;

extern const rt_crc32c rt_crc32c_c;
extern const rt_crc32c rt_crc32c_sse42; /* name is NULL where it was not compiled */

/* Those that this CPU can run: list[0] is "c", the last one is the fastest. */
size_t rt_crc32c_list(const rt_crc32c *list[2]);

/* The fastest, or the twin in C when RT_CRC32C=c is in the environment. */
const rt_crc32c *rt_crc32c_pick(void);

uint32_t rt_crc32c_of(const rt_crc32c *kern, const unsigned char data[], size_t n);

/* As TFRecord stores it: turned and shifted, so that a CRC of a CRC is no weaker. */
uint32_t rt_crc32c_masked(const rt_crc32c *kern, const unsigned char data[], size_t n);

#endif
