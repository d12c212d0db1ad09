#include "scan_kern.h"

#include <stdlib.h>
#include <string.h>

size_t
idx_scan_kern_list(const idx_scan_kern *list[2])
{
    size_t n = 0;
    list[n++] = &idx_scan_kern_c;
#if defined(__x86_64__) || defined(__i386__)
    if (idx_scan_kern_avx2.name && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        list[n++] = &idx_scan_kern_avx2;
#endif
    return n;
}

const idx_scan_kern *
idx_scan_kern_pick(void)
{
    const idx_scan_kern *list[2];
    const size_t n = idx_scan_kern_list(list);
    const char *wanted = getenv("IDX_KERN");
    for (size_t i = 0; wanted && i < n; i++)
        if (strcmp(list[i]->name, wanted) == 0)
            return list[i];
    return list[n - 1];
}
