/* Messages with fields from the fuzzer: what is encoded must be read back equal by
 * liblo, and what is refused must be too long or not finite. */
#include "osc/osc.h"

#include <lo/lo.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t data[], size_t n);

enum { N_I = 3, N_F = 5, N_S = 4 }; /* as many of each as a match has */

typedef struct {
    int32_t i[N_I];
    float f[N_F];
    char *s[N_S];
    bool finite;
} fields;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* Takes n bytes off the input; zeros where it has ended. */
static void
take(void *out, size_t n, const uint8_t **data, size_t *left)
{
    const size_t have = n < *left ? n : *left;
    memset(out, 0, n);
    memcpy(out, *data, have);
    *data += have;
    *left -= have;
}

static void
fill(fields *x, const uint8_t *data, size_t left)
{
    take(x->i, sizeof x->i, &data, &left);
    take(x->f, sizeof x->f, &data, &left);
    x->finite = true;
    for (int k = 0; k < N_F; k++)
        x->finite = x->finite && isfinite(x->f[k]);
    for (int k = 0; k < N_S; k++) {
        uint8_t len[2];
        take(len, 2, &data, &left);
        const size_t n = (size_t)(len[0] | (len[1] & 7) << 8); /* 0..2047 */
        x->s[k] = malloc(n + 1);
        must(x->s[k] != NULL);
        take(x->s[k], n, &data, &left);
        x->s[k][n] = '\0';
    }
}

/* Compares the arguments, of these types, with the fields in their order. */
static void
must_be(const uint8_t out[], size_t n, const char *path, const char *types, fields *x)
{
    const int32_t *i = x->i;
    const float *f = x->f;
    char *const *s = x->s;
    must(n % 4 == 0 && n <= OSC_MAX_DATAGRAM && !strcmp((const char *)out, path));
    lo_message m = lo_message_deserialise((void *)(uintptr_t)out, n, NULL);
    must(m != NULL && !strcmp(lo_message_get_types(m), types));
    lo_arg **a = lo_message_get_argv(m);
    for (const char *t = types; *t; t++, a++) {
        if (*t == 'i')
            must(!memcmp(*a, i++, sizeof *i));
        else if (*t == 'f')
            must(!memcmp(*a, f++, sizeof *f));
        else
            must(!strcmp((const char *)*a, *s++));
    }
    lo_message_free(m);
}

static size_t
padded(const char *s)
{
    return (strlen(s) / 4 + 1) * 4;
}

/* A name goes into the address, and what follows stays. */
static void
try_name(uint8_t out[], size_t n, const char *name)
{
    uint8_t before[OSC_MAX_DATAGRAM];
    memcpy(before, out, n);
    const size_t named = osc_index_put(out, n, name),
                 rest = n - padded("/hearken/match");
    const size_t len = strlen(name), want = rest + (len + 15) / 4 * 4 + 4;
    const bool fits = len > 0 && len <= OSC_INDEX_NAME && want <= OSC_MAX_DATAGRAM;
    must(named == (fits ? want : 0));
    must(!named || !memcmp(out + named - rest, before + n - rest, rest));
}

static void
try_match(uint8_t out[], size_t cap, fields *x)
{
    const osc_match m = {x->i[0], x->s[0], x->s[1], x->i[1], x->f[0], x->f[1],
                         x->i[2], x->f[2], x->f[3], x->f[4], x->s[2], x->s[3]};
    const size_t want = 16 + 16 + 8 * 4 + padded(x->s[0]) + padded(x->s[1]) +
                        padded(x->s[2]) + padded(x->s[3]);
    const size_t n = osc_match_encode(out, cap, &m);
    must(n == (want <= cap && want <= OSC_MAX_DATAGRAM && x->finite ? want : 0));
    if (n)
        must_be(out, n, "/hearken/match", "issiffifffss", x);
    if (n && cap >= OSC_MAX_DATAGRAM)
        try_name(out, n, x->s[3]);
}

static void
try_others(uint8_t out[], size_t cap, fields *x)
{
    const osc_onset onset = {x->i[0], x->s[0], x->f[0], x->f[1], x->f[2]};
    const osc_nomatch nomatch = {x->i[0], x->s[0], x->s[1], x->f[0], x->f[1]};
    size_t n = osc_onset_encode(out, cap, &onset);
    if (n)
        must_be(out, n, "/hearken/onset", "isfff", x);
    n = osc_nomatch_encode(out, cap, &nomatch);
    if (n)
        must_be(out, n, "/hearken/nomatch", "issff", x);
    const osc_label label = {x->i[0], x->s[0], x->s[1], x->s[2],
                             x->f[0], x->i[1], x->f[1]};
    n = osc_label_encode(out, cap, &label);
    if (n)
        must_be(out, n, "/hearken/label", "isssfif", x);
}

static void
try_status(uint8_t out[], size_t cap, const fields *x)
{
    const osc_count counts[] = {{x->s[1], (uint32_t)x->i[1]},
                                {x->s[2], (uint64_t)(uint32_t)x->i[2] << 16}};
    const size_t n = osc_status_encode(out, cap, x->i[0], x->s[0], counts, 2);
    if (!n)
        return;
    fields want = *x;
    for (int k = 0; k < 2; k++)
        want.i[1 + k] =
            counts[k].count < INT32_MAX ? (int32_t)counts[k].count : INT32_MAX;
    must_be(out, n, "/hearken/status", "issisi", &want);
}

int
LLVMFuzzerTestOneInput(const uint8_t data[], size_t n)
{
    fields x;
    uint8_t size[2];
    take(size, 2, &data, &n);
    fill(&x, data, n);
    const size_t cap = (size_t)(size[0] | (size[1] & 7) << 8); /* 0..2047 */
    uint8_t *out = malloc(cap ? cap : 1); /* of the exact size, for AddressSanitizer */
    must(out != NULL);
    try_match(out, cap, &x);
    try_others(out, cap, &x);
    try_status(out, cap, &x);
    free(out);
    for (int k = 0; k < N_S; k++)
        free(x.s[k]);
    return 0;
}
