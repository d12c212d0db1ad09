/* Rows of little-endian floats: .fvecs, each with its int32 dimension in front, and raw
 * ones with nothing at all. */
#include "vectors_private.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "floats are read in place: this needs a little-endian host"
#endif

/* The dimension in front of a row against that of the first one. */
static bool
take_dim(rt_vector_file *in, rt_vector *v)
{
    int32_t dim = 0;
    if (!rt_vector_take(in, &dim, sizeof dim))
        return false;
    if (v->row)
        return dim == (int32_t)v->dim ||
               rt_vector_fail(in,
                              "row %llu says that it has %d values, and row 0 has %u",
                              (unsigned long long)v->row, dim, v->dim);
    if (dim < 1)
        return rt_vector_fail(in, "it begins with the dimension %d, so it is no .fvecs",
                              dim);
    v->dim = (uint32_t)dim;
    return rt_vector_dim(in, v->dim);
}

bool
rt_fvecs_rows(rt_vector_file *in)
{
    float x[IDX_MAX_DIM];
    rt_vector v = {.x = x, .class_id = RT_NO_CLASS};
    for (; in->at < in->size; v.row++)
        if (!take_dim(in, &v) || !rt_vector_take(in, x, v.dim * sizeof *x) ||
            !rt_vector_give(in, &v))
            return false;
    return true;
}

/* Gives the zero rows that turned out not to be the end. */
static bool
give_zeros(const rt_vector_file *in, rt_vector *v, uint64_t n)
{
    static const float zeros[IDX_MAX_DIM];
    const float *x = v->x;
    bool ok = true;
    v->x = zeros;
    for (; n > 0 && ok; n--) {
        ok = rt_vector_give(in, v);
        v->row++;
    }
    v->x = x;
    return ok;
}

bool
rt_raw_rows(rt_vector_file *in)
{
    static const float zeros[IDX_MAX_DIM];
    float x[IDX_MAX_DIM];
    uint64_t n_zero = 0; /* just before this row */
    rt_vector v = {.x = x, .dim = in->how->raw_dim, .class_id = RT_NO_CLASS};
    const size_t row_bytes = v.dim * sizeof *x;
    if (in->size % row_bytes)
        return rt_vector_fail(in,
                              "its %llu bytes are no whole number of rows of %u floats",
                              (unsigned long long)in->size, v.dim);
    while (in->at < in->size) {
        if (!rt_vector_take(in, x, row_bytes))
            return false;
        if (!memcmp(x, zeros, row_bytes)) {
            n_zero++;
            continue;
        }
        if (!give_zeros(in, &v, n_zero) || !rt_vector_give(in, &v))
            return false;
        v.row++;
        n_zero = 0;
    }
    in->fates->n_tail += n_zero;
    return true;
}
