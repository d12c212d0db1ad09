/* Chooses kernels, once, when an object is made. */
#include "kern.h"

#include <stdlib.h>
#include <string.h>

size_t
dsp_kern_list(const dsp_kern *list[4])
{
    size_t n = 0;
    list[n++] = &dsp_kern_c;
#if defined(__x86_64__)
    if (dsp_kern_avx2 && __builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        list[n++] = dsp_kern_avx2;
#endif
    return n;
}

const dsp_kern *
dsp_kern_best(void)
{
    const dsp_kern *list[4];
    const size_t n = dsp_kern_list(list);
    const char *name = getenv("DSP_KERN");
    for (size_t i = 0; name && i < n; i++)
        if (!strcmp(list[i]->name, name))
            return list[i];
    return list[n - 1];
}
