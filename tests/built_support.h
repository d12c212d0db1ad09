/* One scale in memory, built by its family and open, for the tests of families. */
#ifndef HEARKEN_TESTS_BUILT_SUPPORT_H
#define HEARKEN_TESTS_BUILT_SUPPORT_H

#include "tests/idx_support.h"

#include "index/family.h"

#include <check.h>

typedef struct {
    corpus c;
    idx_scale scale;
    idx_built built;
    idx_index ix;
    idx_scratch *s;
} built_scale;

static inline idx_making
making(void)
{
    return (idx_making){.seed = 4, .kern = idx_kern_pick()};
}

/* n rows of n_sounds, all of them times a number: not built yet, without parameters. */
static inline void
make_scale(built_scale *t, uint32_t n, uint32_t dim, uint32_t n_sounds, float times)
{
    *t = (built_scale){.s = NULL};
    corpus_make(&t->c, (const uint32_t[]){n, 0, 0, 0}, (const uint32_t[]){dim, 0, 0, 0},
                n_sounds, 42);
    for (size_t i = 0; i < (size_t)n * dim; i++)
        t->c.array[0][4][i] *= times;
    t->scale = t->c.contents.scales[0];
}

/* Opens what was built, again too. */
static inline void
open_scale(built_scale *t)
{
    t->scale.params = t->built.params;
    t->ix = idx_as_built(&t->scale, &t->built);
    idx_scratch_free(t->s);
    ck_assert_int_eq(idx_scratch_new(&t->s, &t->ix), IDX_OK);
}

/* Builds by the parameters of the scale, and opens it. */
static inline void
build_scale(built_scale *t)
{
    const idx_making how = making();
    ck_assert_int_eq(idx_build(&t->built, &t->scale, &how), IDX_OK);
    open_scale(t);
}

static inline void
free_scale(built_scale *t)
{
    idx_scratch_free(t->s);
    idx_built_clear(&t->built);
    corpus_free(&t->c);
}

#endif
