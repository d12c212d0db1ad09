#include "best.h"

#include <stdlib.h>

void
rt_best_keep(rt_match best[], const rt_match *m)
{
    rt_match *b = &best[m->sound];
    if (!b->rank || m->cosine > b->cosine)
        *b = *m;
}

static int
by_cosine(const void *a, const void *b)
{
    const rt_match *x = a, *y = b;
    if (!x->rank || !y->rank)
        return !x->rank - !y->rank;
    if (x->cosine > y->cosine || x->cosine < y->cosine)
        return x->cosine > y->cosine ? -1 : 1;
    return (x->sound > y->sound) - (x->sound < y->sound);
}

void
rt_best_sort(rt_match best[], size_t n)
{
    qsort(best, n, sizeof *best, by_cosine);
}
