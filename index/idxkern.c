#include "idxkern.h"

#include <stdlib.h>
#include <string.h>

size_t
idx_kern_list(const idx_kern *list[2])
{
    size_t n = 0;
    list[n++] = &idx_kern_c;
#if defined(__x86_64__) || defined(__i386__)
    /* fma because the file is compiled with -mfma, though it asks for none itself; no
     * processor has avx2 without f16c, which clang 14 cannot ask for */
    if (idx_kern_avx2.name && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        list[n++] = &idx_kern_avx2;
#endif
    return n;
}

const idx_kern *
idx_kern_pick(void)
{
    const idx_kern *list[2];
    const size_t n = idx_kern_list(list);
    const char *wanted = getenv("IDX_KERN");
    for (size_t i = 0; wanted && i < n; i++)
        if (strcmp(list[i]->name, wanted) == 0)
            return list[i];
    return list[n - 1];
}
