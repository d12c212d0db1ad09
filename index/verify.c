/* What must hold of a scale, in a file as in what is to be written. Cold. */
#include "family.h"
#include "half.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

const char *
fmt_kind_name(uint32_t kind)
{
    static const char *const names[FMT_KINDS] = {
        "?",      "settings",     "report",  "sounds", "strings", "scale",
        "mean",   "spread",       "matrix",  "knots",  "rows",    "entries",
        "centre", "planes",       "starts",  "ids",    "codes",   "hamming knots",
        "steps",  "signs",        "offsets", "checks", "nodes",   "groups",
        "cells",  "coarse cells", "blocks",  "noises", "tails",
    };
    return names[kind < FMT_KINDS ? kind : 0];
}

uint64_t
fmt_bytes(const fmt_scale *h, uint32_t kind)
{
    const idx_family_ops *ops = idx_family_of(h->family);
    switch (kind) {
    case FMT_SCALE:
        return sizeof *h;
    case FMT_MEAN:
    case FMT_SPREAD:
        return (uint64_t)h->n_in * sizeof(float);
    case FMT_MATRIX:
        return h->has_matrix ? (uint64_t)h->dim * h->n_in * sizeof(float) : 0;
    case FMT_KNOTS:
        return (uint64_t)h->n_knots * sizeof(float);
    case FMT_ROWS:
        return h->family == IDX_CODES
                   ? 0
                   : (uint64_t)h->n_entries * h->dim * fmt_value_bytes(h->stored);
    case FMT_ENTRIES:
        return (uint64_t)h->n_entries * sizeof(idx_entry);
    case FMT_STEPS:
        return h->stored == IDX_I8 ? (uint64_t)h->n_entries * sizeof(float) : 0;
    case FMT_NOISES:
        return (uint64_t)h->n_noises * h->dim * sizeof(float);
    case FMT_TAILS:
        return (uint64_t)h->n_tails * 2 * sizeof(float);
    default:
        return ops->bytes ? ops->bytes(h, kind) : 0;
    }
}

static bool
counts_fit(const fmt_scale *h, char *fault, size_t fault_len)
{
    if (h->dim > IDX_MAX_DIM)
        return FAULT("dim %u is above %d", h->dim, IDX_MAX_DIM);
    if (h->n_in > IDX_MAX_IN)
        return FAULT("n_in %u is above %d", h->n_in, IDX_MAX_IN);
    if ((h->dim == 0) != (h->n_in == 0))
        return FAULT("only one of dim and n_in is 0");
    if (h->has_matrix > 1 || (h->has_matrix && h->dim == 0))
        return FAULT("it has a matrix of no size");
    if (!h->has_matrix && h->dim != h->n_in)
        return FAULT("without a matrix, dim %u is not n_in %u", h->dim, h->n_in);
    if (h->n_knots == 1 || h->n_knots > FMT_MAX_KNOTS)
        return FAULT("n_knots %u is outside of 2..%d", h->n_knots, FMT_MAX_KNOTS);
    if (h->n_entries > 0 && (h->dim == 0 || h->n_knots == 0))
        return FAULT("it has entries but no dim or no knots");
    if (h->n_noises > FMT_MAX_NOISES || h->n_tails > FMT_MAX_NOISES)
        return FAULT("%u noises or %u tails are above %d", h->n_noises, h->n_tails,
                     FMT_MAX_NOISES);
    if (h->n_noises > 0 && (h->dim == 0 || h->n_tails == 0 || h->family == IDX_CODES))
        return FAULT("it has noises but no dim or no tails, or holds codes");
    return true;
}

static bool
params_fit(const fmt_scale *h, char *fault, size_t fault_len)
{
    const idx_family_ops *ops = idx_family_of(h->family);
    if (!(h->recall >= 0.0F && h->recall <= 1.0F))
        return FAULT("recall is outside of 0..1");
    if (!(h->candidates >= 0.0F && h->candidates <= (float)UINT32_MAX) ||
        !(h->scanned >= 0.0F && h->scanned <= (float)UINT32_MAX))
        return FAULT("candidates are not a count");
    if (!(h->us >= 0.0F && h->us <= 1e9F))
        return FAULT("the time of a query is not one");
    if (!ops)
        return FAULT("family %u is unknown", h->family);
    if (h->metric > IDX_EUCLID || (h->metric == IDX_EUCLID && !ops->euclid))
        return FAULT("family %s has no metric %u", ops->name, h->metric);
    if (h->stored > IDX_I8 || (h->stored == IDX_I8 && h->family != IDX_CELLS) ||
        (h->stored && h->family == IDX_CODES))
        return FAULT("family %s cannot store rows as %u", ops->name, h->stored);
    return ops->fits(h, fault, fault_len);
}

/* The one scale of codes, unless it is absent: all zeros. */
static bool
family_fits(const fmt_scale *h, uint32_t i, char *fault, size_t fault_len)
{
    if (i != IDX_TIMBRE && h->family == IDX_CODES)
        return FAULT("only scale %d holds codes", IDX_TIMBRE);
    if (i == IDX_TIMBRE && h->family != IDX_CODES && h->n_in)
        return FAULT("scale %d holds no codes", IDX_TIMBRE);
    return true;
}

bool
fmt_scale_fits(const fmt_scale *h, uint32_t i, char *fault, size_t fault_len)
{
    return counts_fit(h, fault, fault_len) && params_fit(h, fault, fault_len) &&
           family_fits(h, i, fault, fault_len);
}

size_t
fmt_first_outside(const float x[], size_t n, float lo, float hi)
{
    size_t i = 0;
    while (i < n && x[i] >= lo && x[i] <= hi)
        i++;
    return i;
}

static bool
projection_holds(const idx_scale *s, char *fault, size_t fault_len)
{
    const float most = FLT_MAX;
    const size_t cells = s->matrix ? (size_t)s->dim * s->n_in : 0;
    size_t i = fmt_first_outside(s->mean, s->n_in, -most, most);
    if (i < s->n_in)
        return FAULT("mean[%zu] is not finite", i);
    i = fmt_first_outside(s->spread, s->n_in, 1e-30F, most);
    if (i < s->n_in)
        return FAULT("spread[%zu] is not above 0", i);
    i = fmt_first_outside(s->matrix, cells, -most, most);
    if (i < cells)
        return FAULT("matrix[%zu] is not finite", i);
    return true;
}

static bool
knots_hold(const float knots[], size_t n, const char *name, float least, char *fault,
           size_t fault_len)
{
    const size_t i = fmt_first_outside(knots, n, least, 1.0F);
    if (i < n)
        return FAULT("%s[%zu] is not a cosine", name, i);
    for (size_t k = 1; k < n; k++)
        if (knots[k] < knots[k - 1])
            return FAULT("%s[%zu] is below the one before", name, k);
    return true;
}

/* Sum of squares in a fixed order; finite and near 1 only if all of x is finite. */
static float
power_of(const float x[], size_t n)
{
    float lane[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            lane[j] += x[i + j] * x[i + j];
    for (size_t j = 0; i + j < n; j++)
        lane[j] += x[i + j] * x[i + j];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

bool
fmt_units_hold(const float rows[], size_t n, size_t dim, const char *name, char *fault,
               size_t fault_len)
{
    for (size_t i = 0; i < n; i++) {
        const float power = power_of(rows + i * dim, dim);
        if (!(power > 0.998F && power < 1.002F)) /* 1 +- 1e-3 in length */
            return FAULT("%s[%zu] is not of unit length", name, i);
    }
    return true;
}

static bool
entries_hold(const idx_scale *s, uint32_t n_sounds, char *fault, size_t fault_len)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        const idx_entry e = s->entries[i];
        if (e.sound >= n_sounds)
            return FAULT("entry %zu is of sound %u, and there are %u", i, e.sound,
                         n_sounds);
        if (!isfinite(e.start_s) || !isfinite(e.length_s))
            return FAULT("entry %zu has a time that is not finite", i);
    }
    return true;
}

/* No bit from dim on: distances are of dim bits. */
static bool
codes_hold(const idx_scale *s, char *fault, size_t fault_len)
{
    const size_t n_words = fmt_code_words(s->dim);
    const uint64_t beyond = s->dim % 64 ? ~(uint64_t)0 << s->dim % 64 : 0;
    for (size_t i = 0; i < s->n_entries; i++)
        if (s->codes[(i + 1) * n_words - 1] & beyond)
            return FAULT("code[%zu] has a bit beyond its %u", i, s->dim);
    return knots_hold(s->hamming_knots, s->n_knots, "hamming knots", -1.0F, fault,
                      fault_len);
}

/* Every length within 1e-3 of 1, or by Euclid just finite. */
static bool
rows_hold(const idx_scale *s, const void *rows, const float steps[], char *fault,
          size_t fault_len)
{
    const uint16_t *halves = rows;
    const float most = FLT_MAX;
    const size_t n = (size_t)s->n_entries * s->dim;
    float wide[IDX_MAX_DIM];
    if (s->params.stored == IDX_I8) {
        const size_t i = fmt_first_outside(steps, s->n_entries, 0.0F, most);
        return i == s->n_entries || FAULT("step[%zu] is not a size", i);
    }
    if (s->params.metric == IDX_EUCLID && s->params.stored == IDX_F32) {
        const size_t i = fmt_first_outside(rows, n, -most, most);
        return i == n || FAULT("row[%zu] is not finite", i / s->dim);
    }
    if (s->params.stored == IDX_F32)
        return fmt_units_hold(rows, s->n_entries, s->dim, "row", fault, fault_len);
    for (size_t i = 0; i < s->n_entries; i++) {
        for (size_t j = 0; j < s->dim; j++)
            wide[j] = idx_from_half(halves[i * s->dim + j]);
        if (s->params.metric == IDX_COSINE
                ? !fmt_units_hold(wide, 1, s->dim, "row", fault, fault_len)
                : fmt_first_outside(wide, s->dim, -most, most) < s->dim)
            return FAULT("row[%zu] is not finite or not of unit length", i);
    }
    return true;
}

static bool
noises_hold(const idx_noises *s, uint32_t dim, char *fault, size_t fault_len)
{
    const float most = FLT_MAX;
    const size_t n = 2 * (size_t)s->n_tails;
    if (fmt_first_outside(s->tails, n, -most, most) < n)
        return FAULT("a tail of noises is not finite");
    for (size_t i = 1; i < n; i += 2)
        if (s->tails[i] < 0)
            return FAULT("tail %zu of noises is below 0", i / 2);
    return fmt_units_hold(s->rows, s->n, dim, "noise", fault, fault_len);
}

bool
idx_scale_holds(const idx_scale *s, const void *rows, const float steps[],
                uint32_t n_sounds, char *fault, size_t fault_len)
{
    return projection_holds(s, fault, fault_len) &&
           knots_hold(s->knots, s->n_knots, "knots",
                      s->params.metric == IDX_EUCLID ? -FLT_MAX : -1.0F, fault,
                      fault_len) &&
           (s->params.family == IDX_CODES
                ? codes_hold(s, fault, fault_len)
                : rows_hold(s, rows, steps, fault, fault_len)) &&
           noises_hold(&s->noises, s->dim, fault, fault_len) &&
           entries_hold(s, n_sounds, fault, fault_len);
}
