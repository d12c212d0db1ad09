#include "plan.h"

#include <math.h>

enum { MOST_TABLES = 1 << 20 };

/* Mean over pairs of 1 - (1 - p^K)^L. */
static double
share(const double p[], size_t n, uint32_t n_functions, uint32_t n_tables)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += 1.0 - pow(1.0 - pow(p[i], n_functions), n_tables);
    return n ? sum / (double)n : 0.0;
}

idx_plan
idx_plan_of(const idx_pairs *pairs, uint32_t n_functions, double recall,
            uint32_t n_entries)
{
    uint32_t low = 1, high = MOST_TABLES;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        if (share(pairs->near, pairs->n_near, n_functions, mid) >= recall)
            high = mid;
        else
            low = mid + 1;
    }
    const double candidates =
        n_entries * share(pairs->any, pairs->n_any, n_functions, low);
    return (idx_plan){.n_tables = low, .candidates = candidates};
}
