/* The signs of random rotations. Cold. */
#include "random.h"
#include "rotate.h"

void
idx_rotate_signs(uint64_t signs[], size_t dim, uint32_t n_rotations, uint64_t seed)
{
    const size_t d = idx_rotate_dim(dim);
    const size_t n = n_rotations * idx_rotate_words(dim);
    const uint64_t used = d < 64 ? ((uint64_t)1 << d) - 1 : ~(uint64_t)0;
    idx_random r = idx_random_of(seed);
    for (size_t i = 0; i < n; i++)
        signs[i] = idx_draw(&r) & used;
}
