/* NumPy's .npy: a magic, a version, a Python dictionary as text, and the values. */
#include "vectors_private.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX = 8,         /* magic and version */
    MAX_HEADER = 65536, /* of version 1, which fits every plain array */
    MAX_ITEM = 8
};

enum { DESCR = 1, FORTRAN = 2, SHAPE = 4, ALL = 7 };

typedef struct {
    char kind; /* b u i f */
    uint32_t item_bytes;
    bool swap; /* big-endian */
    bool fortran;
    uint32_t n_dims;
    uint64_t shape[2];
} array;

/* ---- The dictionary -------------------------------------------------------------- */

static void
skip_blanks(const char **p)
{
    while (isspace((unsigned char)**p))
        ++*p;
}

static bool
take_char(const char **p, char c)
{
    skip_blanks(p);
    if (**p != c)
        return false;
    ++*p;
    return true;
}

/* A string in either quotes, without escapes, of up to 15 bytes. */
static bool
take_string(const char **p, char text[16])
{
    skip_blanks(p);
    const char quote = **p;
    if (quote != '\'' && quote != '"')
        return false;
    const char *end = strchr(*p + 1, quote);
    const size_t n = end ? (size_t)(end - *p - 1) : 16;
    if (n > 15)
        return false;
    memcpy(text, *p + 1, n);
    text[n] = 0;
    *p = end + 1;
    return true;
}

static bool
take_word(const char **p, const char *word)
{
    skip_blanks(p);
    const size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool
take_descr(const char **p, array *a, char text[16])
{
    static const char *const known[] = {"|b1", "|u1", "<f4", "<f8", "<i4", "<i8",
                                        "<u8", ">f4", ">f8", ">i4", ">i8", ">u8"};
    if (!take_string(p, text))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(text, known[i])) {
            a->swap = text[0] == '>';
            a->kind = text[1];
            a->item_bytes = (uint32_t)(text[2] - '0');
        }
    return true; /* of an unknown one, item_bytes stays 0 */
}

static bool
take_length(const char **p, uint64_t *length)
{
    skip_blanks(p);
    if (!isdigit((unsigned char)**p))
        return false;
    for (*length = 0; isdigit((unsigned char)**p); ++*p) {
        if (*length > UINT64_MAX / 100)
            return false;
        *length = *length * 10 + (uint64_t)(**p - '0');
    }
    *p += **p == 'L'; /* Python 2 wrote 10L */
    return true;
}

/* "()", "(3,)", "(3, 4)", ...; of what lies beyond two, only the number is kept. */
static bool
take_shape(const char **p, array *a)
{
    uint64_t length;
    if (!take_char(p, '('))
        return false;
    for (a->n_dims = 0; !take_char(p, ')'); a->n_dims++) {
        if (!take_length(p, &length))
            return false;
        if (a->n_dims < 2)
            a->shape[a->n_dims] = length;
        if (take_char(p, ','))
            continue;
        a->n_dims++;
        return a->n_dims > 1 && take_char(p, ')'); /* "(3)" is a number, no tuple */
    }
    return true;
}

static bool
take_item(const char **p, array *a, unsigned *has, char descr[16])
{
    char key[16];
    unsigned bit;
    if (!take_string(p, key) || !take_char(p, ':'))
        return false;
    if (!strcmp(key, "descr"))
        bit = take_descr(p, a, descr) ? DESCR : 0;
    else if (!strcmp(key, "shape"))
        bit = take_shape(p, a) ? SHAPE : 0;
    else if (!strcmp(key, "fortran_order"))
        bit =
            (a->fortran = take_word(p, "True")) || take_word(p, "False") ? FORTRAN : 0;
    else
        return false;
    const bool twice = *has & bit;
    *has |= bit;
    return bit && !twice;
}

/* The dictionary, in any order of its three keys, and nothing but blanks behind it. */
static bool
take_dictionary(const char *p, array *a, char descr[16])
{
    unsigned has = 0;
    if (!take_char(&p, '{'))
        return false;
    while (!take_char(&p, '}')) {
        if (!take_item(&p, a, &has, descr))
            return false;
        if (take_char(&p, ','))
            continue;
        if (!take_char(&p, '}'))
            return false;
        break;
    }
    skip_blanks(&p);
    return has == ALL && !*p;
}

/* ---- Header ---------------------------------------------------------------------- */

/* Bytes of the dictionary; 0, with why, where the version is another one. */
static size_t
header_bytes(rt_vector_file *in)
{
    unsigned char b[PREFIX + 4] = {0};
    if (!rt_vector_take(in, b, PREFIX))
        return 0;
    const unsigned version = b[6];
    if (version < 1 || version > 3 || b[7]) {
        rt_vector_fail(in, ".npy version %u.%u; 1.0, 2.0 and 3.0 are read", version,
                       b[7]);
        return 0;
    }
    if (!rt_vector_take(in, b + PREFIX, version == 1 ? 2 : 4))
        return 0;
    const uint32_t n = (uint32_t)b[8] | (uint32_t)b[9] << 8 | (uint32_t)b[10] << 16 |
                       (uint32_t)b[11] << 24;
    if (n > 0 && n <= MAX_HEADER && n <= in->size - in->at)
        return n;
    rt_vector_fail(in, "its .npy header says that it has %u bytes", n);
    return 0;
}

static bool
check_array(const rt_vector_file *in, const array *a, const char *descr)
{
    const uint64_t left = in->size - in->at;
    const uint64_t n = a->n_dims == 2 ? a->shape[0] : 1;
    const uint64_t dim = a->n_dims == 2 ? a->shape[1] : a->shape[0];
    if (!a->item_bytes)
        return rt_vector_fail(in,
                              "its values are of type %s; b1 u1 f4 f8 i4 i8 u8 are "
                              "read, so store it with astype('<f4')",
                              descr);
    if (a->n_dims < 1 || a->n_dims > 2)
        return rt_vector_fail(
            in, "its array has %u dimensions; 1 or 2 are read, so reshape it",
            a->n_dims);
    if (a->fortran && a->n_dims > 1)
        return rt_vector_fail(in, "its array is in Fortran order; store it with "
                                  "numpy.ascontiguousarray");
    if (!rt_vector_dim(in, dim))
        return false;
    const uint64_t row_bytes = dim * a->item_bytes;
    if (left % row_bytes || left / row_bytes != n)
        return rt_vector_fail(
            in, "its header promises %llu rows of %llu bytes, but %llu bytes follow",
            (unsigned long long)n, (unsigned long long)row_bytes,
            (unsigned long long)left);
    return true;
}

static bool
take_header(rt_vector_file *in, array *a)
{
    char descr[16] = "";
    const size_t n = header_bytes(in);
    char *text = n ? malloc(n + 1) : NULL;
    if (n && !text)
        return rt_vector_fail(in, "there is not enough memory to read it");
    bool ok = n && rt_vector_take(in, text, n);
    if (ok) {
        text[n] = 0; /* a zero within ends the dictionary early, which is refused */
        ok = (strlen(text) == n && take_dictionary(text, a, descr)) ||
             rt_vector_fail(in, "its .npy header is no dictionary of descr, "
                                "fortran_order and shape");
    }
    free(text);
    return ok && check_array(in, a, descr);
}

void
rt_npy_head(char head[RT_NPY_HEAD], uint64_t n, uint32_t dim)
{
    enum { LENGTH = RT_NPY_HEAD - PREFIX - 2 };
    memset(head, ' ', RT_NPY_HEAD);
    memcpy(head, "\x93NUMPY\1\0", PREFIX);
    head[8] = LENGTH;
    head[9] = 0;
    const int end = snprintf(head + PREFIX + 2, LENGTH,
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, "
                             "%u), }",
                             (unsigned long long)n, dim);
    head[PREFIX + 2 + end] = ' ';
    head[RT_NPY_HEAD - 1] = '\n';
}

/* ---- Values ---------------------------------------------------------------------- */

/* The bits of an item, whatever the order of its bytes. */
static uint64_t
bits_of(const unsigned char *p, const array *a)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < a->item_bytes; i++)
        bits |= (uint64_t)p[i] << 8 * (a->swap ? a->item_bytes - 1 - i : i);
    return bits;
}

static float
float_of(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return x;
}

/* A double that no float holds becomes infinite, which is then refused. */
static float
narrow(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return fabs(x) > (double)FLT_MAX ? INFINITY : (float)x;
}

static float
signed_of(uint64_t bits, uint32_t n_bytes)
{
    if (n_bytes == 4) {
        const uint32_t low = (uint32_t)bits;
        int32_t x;
        memcpy(&x, &low, sizeof x);
        return (float)x;
    }
    int64_t x;
    memcpy(&x, &bits, sizeof x);
    return (float)x;
}

static float
value_of(const unsigned char *p, const array *a)
{
    const uint64_t bits = bits_of(p, a);
    switch (a->kind) {
    case 'f':
        return a->item_bytes == 4 ? float_of(bits) : narrow(bits);
    case 'i':
        return signed_of(bits, a->item_bytes);
    case 'b':
        return bits ? 1.0F : 0.0F;
    default:
        return (float)bits;
    }
}

bool
rt_npy_rows(rt_vector_file *in)
{
    array a = {0};
    unsigned char bytes[IDX_MAX_DIM * MAX_ITEM];
    float x[IDX_MAX_DIM];
    if (!take_header(in, &a))
        return false;
    const uint64_t n = a.n_dims == 2 ? a.shape[0] : 1;
    const uint32_t dim = (uint32_t)(a.n_dims == 2 ? a.shape[1] : a.shape[0]);
    rt_vector v = {.x = x, .dim = dim, .class_id = RT_NO_CLASS};
    for (; v.row < n; v.row++) {
        if (!rt_vector_take(in, bytes, (size_t)dim * a.item_bytes))
            return false;
        for (uint32_t i = 0; i < dim; i++)
            x[i] = value_of(bytes + (size_t)i * a.item_bytes, &a);
        if (!rt_vector_give(in, &v))
            return false;
    }
    return true;
}
