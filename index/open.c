/* Opening an index: believe nothing that has not been checked. Cold. */
#include "family.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

enum { FAULT_BYTES = 160 };

/* A file being opened. */
typedef struct {
    idx_index *ix;
    const char *path;
    char *why;
    size_t why_len;
    const fmt_section *shared[FMT_SCALE];
    const fmt_section *scales[IDX_SCALES][FMT_KINDS];
} opening;

#define REFUSE(o, ...) idx_because(IDX_EFORMAT, (o)->why, (o)->why_len, __VA_ARGS__)

static idx_status
damaged(const opening *o, const char *fault)
{
    return REFUSE(o, "%s is damaged (%s); build it again", o->path, fault);
}

/* ---- Header and sections -------------------------------------------------------- */

static idx_status
check_kind(const opening *o, const fmt_header *h)
{
    const size_t n = o->ix->n_bytes;
    if (n == 0)
        return REFUSE(o, "%s is empty; make an index with `hearken build`", o->path);
    if (n < sizeof h->magic || memcmp(h->magic, FMT_MAGIC, sizeof h->magic) != 0)
        return REFUSE(o, "%s: not a hearken index; make one with `hearken build`",
                      o->path);
    if (n < sizeof *h)
        return REFUSE(o, "%s is truncated within its header; build it again", o->path);
    if (h->byte_order != FMT_ORDER)
        return damaged(o, "its byte order is not little-endian");
    if (h->version > FMT_VERSION)
        return REFUSE(
            o,
            "%s was written by a newer hearken (format %u); this one reads format "
            "%d; build it again or update hearken",
            o->path, h->version, FMT_VERSION);
    if (h->version < 1)
        return damaged(o, "there is no format 0");
    return IDX_OK;
}

static idx_status
check_header(const opening *o, const fmt_header *h)
{
    const size_t n = o->ix->n_bytes;
    const size_t from = offsetof(fmt_header, total_bytes);
    if (h->total_bytes > n)
        return REFUSE(o,
                      "%s is truncated (%zu of %llu bytes are there); build it again",
                      o->path, n, (unsigned long long)h->total_bytes);
    if (h->total_bytes < n)
        return damaged(o, "it is longer than its header says");
    if (h->n_sections > FMT_MAX_SECTIONS ||
        sizeof *h + h->n_sections * sizeof(fmt_section) > n)
        return damaged(o, "its section table does not fit");
    if (XXH3_64bits_withSeed(o->ix->data + from,
                             sizeof *h - from + h->n_sections * sizeof(fmt_section),
                             fmt_seed(h->version)) != h->checksum)
        return damaged(o, "checksum of the header differs");
    if (h->zero0 || h->zero[0] || h->zero[1])
        return damaged(o, "a reserved field is not 0");
    return IDX_OK;
}

/* Where pointers to a section of this kind and scale are kept, or NULL. */
static const fmt_section **
slot_of(opening *o, const fmt_section *s)
{
    if (s->kind > 0 && s->kind < FMT_SCALE && s->scale == FMT_SHARED)
        return &o->shared[s->kind];
    if (s->kind >= FMT_SCALE && s->kind < FMT_KINDS && s->scale < IDX_SCALES)
        return &o->scales[s->scale][s->kind];
    return NULL;
}

static bool
zeros(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p == 0)
        p++;
    return p == end;
}

/* One section, which must begin where the one before ended; *end moves on. */
static idx_status
check_section(opening *o, const fmt_section *s, uint64_t *end)
{
    const idx_index *ix = o->ix;
    const uint64_t offset = (*end + FMT_ALIGN - 1) / FMT_ALIGN * FMT_ALIGN;
    const fmt_section **slot = slot_of(o, s);
    if (!slot)
        return REFUSE(
            o,
            "%s is damaged (section kind %u of scale %u is unknown); build it "
            "again",
            o->path, s->kind, s->scale);
    const char *name = fmt_kind_name(s->kind);
    if (*slot)
        return REFUSE(o, "%s is damaged (two sections %s); build it again", o->path,
                      name);
    if (s->offset != offset || offset > ix->n_bytes || s->bytes > ix->n_bytes - offset)
        return REFUSE(o, "%s is damaged (section %s lies elsewhere); build it again",
                      o->path, name);
    if (!zeros(ix->data + *end, ix->data + offset))
        return damaged(o, "padding is not 0");
    if (XXH3_64bits(ix->data + offset, s->bytes) != s->checksum)
        return REFUSE(o,
                      "%s is damaged (checksum of section %s differs); build it again",
                      o->path, name);
    *slot = s;
    *end = offset + s->bytes;
    return IDX_OK;
}

static idx_status
check_sections(opening *o, const fmt_header *h)
{
    const fmt_section *s = (const void *)(o->ix->data + sizeof *h);
    uint64_t end = sizeof *h + h->n_sections * sizeof *s;
    idx_status st = IDX_OK;
    for (uint32_t i = 0; !st && i < h->n_sections; i++)
        st = check_section(o, &s[i], &end);
    for (uint32_t kind = 1; !st && kind < FMT_SCALE; kind++)
        if (!o->shared[kind])
            st = REFUSE(o, "%s is damaged (section %s is missing); build it again",
                        o->path, fmt_kind_name(kind));
    if (!st && end != o->ix->n_bytes)
        st = damaged(o, "bytes follow the last section");
    return st;
}

static const void *
data_of(const opening *o, const fmt_section *s)
{
    return s ? o->ix->data + s->offset : NULL;
}

/* ---- What they hold ------------------------------------------------------------- */

static const char *
text_of(const opening *o, uint32_t kind)
{
    const fmt_section *s = o->shared[kind];
    const char *text = data_of(o, s);
    /* its only NUL is its last byte */
    return s->bytes > 0 && memchr(text, 0, s->bytes) == text + s->bytes - 1 ? text
                                                                            : NULL;
}

static bool
string_fits(const opening *o, uint32_t at, size_t least, size_t most)
{
    const size_t bytes = o->shared[FMT_STRINGS]->bytes;
    if (at >= bytes)
        return false;
    const size_t room = bytes - at < most + 1 ? bytes - at : most + 1;
    const char *nul = memchr(o->ix->strings + at, 0, room);
    return nul && (size_t)(nul - (o->ix->strings + at)) >= least;
}

static idx_status
check_shared(opening *o)
{
    idx_index *ix = o->ix;
    const uint64_t bytes = o->shared[FMT_SOUNDS]->bytes;
    ix->settings = text_of(o, FMT_SETTINGS);
    ix->report = text_of(o, FMT_REPORT);
    if (!ix->settings || !ix->report)
        return damaged(o, "a text does not end where its section does");
    ix->sounds = data_of(o, o->shared[FMT_SOUNDS]);
    ix->strings = data_of(o, o->shared[FMT_STRINGS]);
    if (bytes % sizeof *ix->sounds != 0 || bytes / sizeof *ix->sounds > UINT32_MAX)
        return damaged(o, "section sounds holds no whole number of sounds");
    ix->n_sounds = (uint32_t)(bytes / sizeof *ix->sounds);
    for (uint32_t i = 0; i < ix->n_sounds; i++) {
        const fmt_sound *s = &ix->sounds[i];
        if (!string_fits(o, s->path, 1, IDX_MAX_PATH) ||
            !string_fits(o, s->label, 0, IDX_MAX_LABEL))
            return damaged(o, "a path or label is not in section strings");
        if (!isfinite(s->seconds) || s->seconds < 0)
            return damaged(o, "the length of a sound is not a time");
    }
    return IDX_OK;
}

static idx_status
check_sizes(const opening *o, const fmt_scale *h, uint32_t scale)
{
    for (uint32_t kind = FMT_SCALE; kind < FMT_KINDS; kind++) {
        const fmt_section *s = o->scales[scale][kind];
        const uint64_t bytes = kind == FMT_SCALE ? s->bytes : fmt_bytes(h, kind);
        if ((s ? s->bytes : 0) != bytes || (s && bytes == 0))
            return REFUSE(
                o, "%s is damaged (section %s of scale %u is %s); build it again",
                o->path, fmt_kind_name(kind), scale, s ? "of another size" : "missing");
    }
    return IDX_OK;
}

static void
take_scale(const opening *o, const fmt_scale *h, uint32_t scale)
{
    const void **part = o->ix->part[scale];
    for (uint32_t kind = FMT_SCALE; kind < FMT_KINDS; kind++)
        part[kind] = data_of(o, o->scales[scale][kind]);
    o->ix->scales[scale] = (idx_scale){
        .n_in = h->n_in,
        .dim = h->dim,
        .n_entries = h->n_entries,
        .n_knots = h->n_knots,
        .mean = part[FMT_MEAN],
        .spread = part[FMT_SPREAD],
        .matrix = part[FMT_MATRIX],
        .knots = part[FMT_KNOTS],
        .rows = h->stored == IDX_F32 ? part[FMT_ROWS] : NULL,
        .entries = part[FMT_ENTRIES],
        .codes = h->family == IDX_CODES ? part[FMT_CODES] : NULL,
        .hamming_knots = part[FMT_HAMMING],
        .noises = {.n = h->n_noises,
                   .n_tails = h->n_tails,
                   .rows = part[FMT_NOISES],
                   .tails = part[FMT_TAILS]},
        .params = {.family = h->family,
                   .n_planes = h->n_planes,
                   .n_tables = h->n_tables,
                   .n_probes = h->n_probes,
                   .max_candidates = h->max_candidates,
                   .recall = h->recall,
                   .candidates = h->candidates,
                   .metric = h->metric,
                   .stored = h->stored,
                   .n_cells = h->n_cells,
                   .leaf = h->leaf,
                   .width = h->width,
                   .n_asked = h->n_asked,
                   .max_scanned = h->max_scanned,
                   .scanned = h->scanned,
                   .us = h->us},
    };
}

/* Scales beyond the first three may be left out as a whole. */
static bool
extra_is_absent(const opening *o, uint32_t i)
{
    for (uint32_t kind = FMT_SCALE; kind < FMT_KINDS; kind++)
        if (o->scales[i][kind])
            return false;
    return true;
}

/* Up to format 2 a scale ended before the fields that are now 0. */
static bool
take_head(const opening *o, uint32_t i, fmt_scale *h)
{
    const fmt_section *s = o->scales[i][FMT_SCALE];
    const fmt_header *head = (const void *)o->ix->data;
    const size_t bytes = head->version < 3 ? FMT_SHORT_SCALE : sizeof *h;
    *h = (fmt_scale){0};
    if (!s || s->bytes != bytes)
        return false;
    memcpy(h, data_of(o, s), bytes);
    return true;
}

static bool
reserved_is_zero(const opening *o, const fmt_scale *h)
{
    const fmt_header *head = (const void *)o->ix->data;
    bool any = head->version < 4 && (h->n_noises || h->n_tails);
    for (size_t i = 0; i < sizeof h->zero0 / sizeof *h->zero0; i++)
        any = any || h->zero0[i];
    for (size_t i = 0; i < sizeof h->zero / sizeof *h->zero; i++)
        any = any || h->zero[i];
    return !any;
}

static idx_status
check_scale(opening *o, uint32_t i)
{
    char fault[FAULT_BYTES] = "";
    fmt_scale h;
    idx_index *ix = o->ix;
    if (i >= FMT_FIRST_EXTRA && extra_is_absent(o, i))
        return IDX_OK;
    if (!take_head(o, i, &h))
        return damaged(o, "a scale is missing");
    if (!reserved_is_zero(o, &h))
        return damaged(o, "a reserved field of a scale is not 0");
    if (!fmt_scale_fits(&h, i, fault, sizeof fault))
        return damaged(o, fault);
    const idx_status st = check_sizes(o, &h, i);
    if (st)
        return st;
    take_scale(o, &h, i);
    const idx_family_ops *ops = idx_family_of(h.family);
    if (!idx_scale_holds(&ix->scales[i], ix->part[i][FMT_ROWS], ix->part[i][FMT_STEPS],
                         ix->n_sounds, fault, sizeof fault) ||
        (ops->holds && !ops->holds(ix, i, fault, sizeof fault)))
        return damaged(o, fault);
    return IDX_OK;
}

/* ---- Opening -------------------------------------------------------------------- */

idx_status
idx_check_all(idx_index *ix, const char *path, char *why, size_t why_len)
{
    opening o = {.ix = ix, .path = path, .why = why, .why_len = why_len};
    const fmt_header *h = (const void *)ix->data;
    idx_status st = check_kind(&o, h);
    if (!st)
        st = check_header(&o, h);
    if (!st)
        st = check_sections(&o, h);
    if (!st)
        st = check_shared(&o);
    for (uint32_t i = 0; !st && i < IDX_SCALES; i++)
        st = check_scale(&o, i);
    return st;
}

/* ---- Looking -------------------------------------------------------------------- */

const void *
idx_memory(const idx_index *index, size_t *n_bytes)
{
    *n_bytes = index->n_bytes;
    return index->data;
}

const idx_scale *
idx_scale_of(const idx_index *index, uint32_t scale)
{
    return &index->scales[scale];
}

uint32_t
idx_n_sounds(const idx_index *index)
{
    return index->n_sounds;
}

idx_sound
idx_sound_of(const idx_index *index, uint32_t sound)
{
    const fmt_sound *s = &index->sounds[sound];
    return (idx_sound){.path = index->strings + s->path,
                       .label = index->strings + s->label,
                       .seconds = s->seconds,
                       .rate_hz = s->rate_hz,
                       .n_channels = s->n_channels};
}

const char *
idx_settings(const idx_index *index)
{
    return index->settings;
}

const char *
idx_report(const idx_index *index)
{
    return index->report;
}
