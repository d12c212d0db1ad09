/* Writing an index: check, build tables, lay out, write. Cold. */
#include "family.h"
#include "outfile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CHUNK_BYTES = 1 << 20, FAULT_BYTES = 160 }; /* *stop is read between chunks */

/* A file on its way. */
typedef struct {
    const idx_contents *in;
    const atomic_int *stop;
    char *why;
    size_t why_len;
    const char *path;
    fmt_scale heads[IDX_SCALES];
    idx_built built[IDX_SCALES]; /* ours */
    const idx_built *parts[IDX_SCALES];
    fmt_sound *sounds;
    char *strings;
    size_t string_bytes;
    fmt_section sections[FMT_MAX_SECTIONS];
    const void *data[FMT_MAX_SECTIONS];
    fmt_header head;
} plan;

static bool
stopped(const plan *p)
{
    return p->stop && *p->stop;
}

static idx_status
say_stopped(const plan *p)
{
    return idx_because(IDX_EIO, p->why, p->why_len, "%s: stopped; nothing was written",
                       p->path);
}

static idx_status
say_no_memory(const plan *p)
{
    return idx_because(IDX_ENOMEM, p->why, p->why_len,
                       "%s: out of memory; index fewer sounds at a time", p->path);
}

/* ---- Rules ---------------------------------------------------------------------- */

static fmt_scale
head_of(const idx_scale *s)
{
    const idx_params *p = &s->params;
    fmt_scale h = {
        .n_in = s->n_in,
        .dim = s->dim,
        .n_entries = s->n_entries,
        .n_knots = s->n_knots,
        .has_matrix = s->matrix != NULL,
        .family = p->family,
        .metric = p->metric,
        .stored = p->stored,
        .recall = 1.0F,
        .candidates = (float)s->n_entries,
        .n_noises = s->noises.n,
        .n_tails = s->noises.n_tails,
    };
    if (h.family == IDX_EXACT || h.family == IDX_CODES) /* nothing was chosen */
        return h;
    h.n_planes = p->n_planes;
    h.n_tables = p->n_tables;
    h.n_probes = p->n_probes;
    h.max_candidates = p->max_candidates;
    h.recall = p->recall;
    h.candidates = p->candidates;
    h.n_cells = p->n_cells;
    h.leaf = p->leaf;
    h.width = p->width;
    h.scanned = p->scanned;
    h.n_asked = p->n_asked;
    h.max_scanned = p->max_scanned;
    h.us = p->us;
    return h;
}

/* Rows as they are to be written if they were built, else the floats that were given.
 */
static const void *
rows_of(const idx_scale *s, bool *built)
{
    *built = s->built && s->built->at[FMT_ROWS];
    return *built ? s->built->at[FMT_ROWS] : s->rows;
}

static bool
arrays_given(const idx_scale *s)
{
    bool built;
    const bool codes = s->params.family == IDX_CODES;
    return (s->n_in == 0 || (s->mean && s->spread)) &&
           (s->noises.n == 0 || s->noises.rows) &&
           (s->noises.n_tails == 0 || s->noises.tails) &&
           (s->n_knots == 0 || (s->knots && (!codes || s->hamming_knots))) &&
           (s->n_entries == 0 ||
            (s->entries && (codes ? s->codes != NULL : rows_of(s, &built) != NULL)));
}

static idx_status
check_scale(plan *p, uint32_t i)
{
    const idx_scale *s = &p->in->scales[i];
    char fault[FAULT_BYTES] = "an array is missing";
    idx_scale as_given = *s;
    bool built;
    const void *rows = rows_of(s, &built);
    if (!built) /* floats, however they are to be stored */
        as_given.params.stored = IDX_F32;
    p->heads[i] = head_of(s);
    if (arrays_given(s) && fmt_scale_fits(&p->heads[i], i, fault, sizeof fault) &&
        idx_scale_holds(&as_given, rows, built ? s->built->at[FMT_STEPS] : NULL,
                        p->in->n_sounds, fault, sizeof fault))
        return IDX_OK;
    return idx_because(IDX_EARG, p->why, p->why_len,
                       "%s: scale %u cannot be written: %s", p->path, i, fault);
}

static idx_status
check_sound(const plan *p, uint32_t i)
{
    const idx_sound *s = &p->in->sounds[i];
    const char *fault = NULL;
    if (!s->path || !s->label)
        fault = "has no path or no label";
    else if (*s->path == '\0' || strlen(s->path) > IDX_MAX_PATH)
        fault = "has a path that is empty or longer than 1000 bytes";
    else if (strlen(s->label) > IDX_MAX_LABEL)
        fault = "has a label longer than 255 bytes";
    else if (!isfinite(s->seconds) || s->seconds < 0)
        fault = "has a length that is not a time";
    if (!fault)
        return IDX_OK;
    return idx_because(IDX_EARG, p->why, p->why_len, "%s: sound %u %s: %.100s", p->path,
                       i, fault, s->path ? s->path : "");
}

static idx_status
check_contents(plan *p)
{
    idx_status st = IDX_OK;
    if (!p->in->settings || !p->in->report || (p->in->n_sounds > 0 && !p->in->sounds))
        st = idx_because(IDX_EARG, p->why, p->why_len,
                         "%s: settings, report or sounds are missing", p->path);
    for (uint32_t i = 0; !st && i < p->in->n_sounds; i++)
        st = check_sound(p, i);
    for (uint32_t i = 0; !st && i < IDX_SCALES; i++)
        st = check_scale(p, i);
    return st;
}

/* ---- Contents ------------------------------------------------------------------- */

static size_t
pool_bytes(const idx_contents *in)
{
    size_t n = 0;
    for (uint32_t i = 0; i < in->n_sounds; i++)
        n += strlen(in->sounds[i].path) + strlen(in->sounds[i].label) + 2;
    return n;
}

static uint32_t
pool_add(plan *p, const char *text)
{
    const size_t n = strlen(text) + 1;
    const size_t at = p->string_bytes;
    memcpy(p->strings + at, text, n);
    p->string_bytes += n;
    return (uint32_t)at;
}

static idx_status
plan_sounds(plan *p)
{
    const size_t bytes = pool_bytes(p->in);
    if (bytes > UINT32_MAX)
        return idx_because(IDX_EARG, p->why, p->why_len,
                           "%s: paths and labels exceed 4 GB; index fewer sounds",
                           p->path);
    p->sounds = calloc((size_t)p->in->n_sounds + 1, sizeof *p->sounds);
    p->strings = malloc(bytes + 1);
    if (!p->sounds || !p->strings)
        return say_no_memory(p);
    for (uint32_t i = 0; i < p->in->n_sounds; i++) {
        const idx_sound *s = &p->in->sounds[i];
        fmt_sound *d = &p->sounds[i];
        d->path = pool_add(p, s->path);
        /* sounds of a folder follow each other and share a label */
        const bool again = i > 0 && strcmp(s->label, s[-1].label) == 0;
        d->label = again ? d[-1].label : pool_add(p, s->label);
        d->rate_hz = s->rate_hz;
        d->n_channels = s->n_channels;
        d->seconds = s->seconds;
    }
    return IDX_OK;
}

static bool
go_on(void *ctx, double share)
{
    (void)share;
    return !stopped(ctx);
}

/* What the family of a scale searches by, unless it was built before. */
static idx_status
plan_families(plan *p)
{
    const idx_making how = {.seed = p->in->seed,
                            .kern = idx_kern_pick(),
                            .tick = go_on,
                            .ctx = p,
                            .store = p->in->store};
    for (uint32_t i = 0; i < IDX_SCALES; i++) {
        const idx_scale *s = &p->in->scales[i];
        p->parts[i] = s->built ? s->built : &p->built[i];
        const idx_status st = s->built ? IDX_OK : idx_build(&p->built[i], s, &how);
        if (st)
            return st == IDX_ENOMEM ? say_no_memory(p) : say_stopped(p);
        /* known once it is built */
        p->heads[i].n_cells = p->parts[i]->params.n_cells;
        p->heads[i].leaf = p->parts[i]->params.leaf;
        p->heads[i].max_scanned = p->parts[i]->params.max_scanned;
    }
    return IDX_OK;
}

/* ---- Layout --------------------------------------------------------------------- */

static uint64_t
aligned(uint64_t n)
{
    return (n + FMT_ALIGN - 1) / FMT_ALIGN * FMT_ALIGN;
}

static void
add(plan *p, uint32_t kind, uint32_t scale, const void *data, uint64_t bytes)
{
    const uint32_t i = p->head.n_sections++;
    p->sections[i] = (fmt_section){.kind = kind, .scale = scale, .bytes = bytes};
    p->data[i] = data;
}

static void
add_scale(plan *p, uint32_t i)
{
    const idx_scale *s = &p->in->scales[i];
    const void *const given[FMT_KINDS] = {
        [FMT_SCALE] = &p->heads[i],       [FMT_MEAN] = s->mean,
        [FMT_SPREAD] = s->spread,         [FMT_MATRIX] = s->matrix,
        [FMT_KNOTS] = s->knots,           [FMT_ROWS] = s->rows,
        [FMT_ENTRIES] = s->entries,       [FMT_CODES] = s->codes,
        [FMT_HAMMING] = s->hamming_knots, [FMT_NOISES] = s->noises.rows,
        [FMT_TAILS] = s->noises.tails,
    };
    for (uint32_t kind = FMT_SCALE; kind < FMT_KINDS; kind++) {
        const void *made = p->parts[i]->at[kind];
        const uint64_t bytes = fmt_bytes(&p->heads[i], kind);
        if (bytes > 0)
            add(p, kind, i, made ? made : given[kind], bytes);
    }
}

static bool
finish_sections(plan *p)
{
    uint64_t end = sizeof p->head + p->head.n_sections * sizeof *p->sections;
    for (uint32_t i = 0; i < p->head.n_sections; i++) {
        fmt_section *s = &p->sections[i];
        s->offset = aligned(end);
        end = s->offset + s->bytes;
        s->checksum = XXH3_64bits(p->data[i], s->bytes);
        if (stopped(p))
            return false;
    }
    p->head.total_bytes = end;
    return true;
}

/* Over the header from total_bytes on and the section table, which follows it. */
static uint64_t
head_checksum(const plan *p)
{
    unsigned char bytes[sizeof p->head + sizeof p->sections];
    const size_t from = offsetof(fmt_header, total_bytes);
    const size_t table = p->head.n_sections * sizeof *p->sections;
    memcpy(bytes, &p->head, sizeof p->head);
    memcpy(bytes + sizeof p->head, p->sections, table);
    return XXH3_64bits_withSeed(bytes + from, sizeof p->head - from + table,
                                fmt_seed(FMT_VERSION));
}

static idx_status
lay_out(plan *p)
{
    p->head = (fmt_header){.magic = FMT_MAGIC,
                           .version = FMT_VERSION,
                           .byte_order = FMT_ORDER,
                           .seed = p->in->seed};
    add(p, FMT_SETTINGS, FMT_SHARED, p->in->settings, strlen(p->in->settings) + 1);
    add(p, FMT_REPORT, FMT_SHARED, p->in->report, strlen(p->in->report) + 1);
    add(p, FMT_SOUNDS, FMT_SHARED, p->sounds, p->in->n_sounds * sizeof *p->sounds);
    add(p, FMT_STRINGS, FMT_SHARED, p->strings, p->string_bytes);
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        if (i < FMT_FIRST_EXTRA || p->heads[i].n_in)
            add_scale(p, i);
    if (!finish_sections(p))
        return say_stopped(p);
    p->head.checksum = head_checksum(p);
    return IDX_OK;
}

/* ---- Bytes ---------------------------------------------------------------------- */

static bool
write_padded(outfile *f, const plan *p, const void *data, uint64_t bytes, bool last)
{
    static const char zeros[FMT_ALIGN];
    for (uint64_t at = 0; at < bytes; at += CHUNK_BYTES) {
        const uint64_t left = bytes - at;
        if (stopped(p) || !outfile_write(f, (const char *)data + at,
                                         left < CHUNK_BYTES ? left : CHUNK_BYTES))
            return false;
    }
    return last || outfile_write(f, zeros, aligned(bytes) - bytes);
}

static bool
write_all(outfile *f, const plan *p)
{
    const uint32_t n = p->head.n_sections;
    bool ok = outfile_write(f, &p->head, sizeof p->head) &&
              write_padded(f, p, p->sections, n * sizeof *p->sections, false);
    for (uint32_t i = 0; ok && i < n; i++)
        ok = write_padded(f, p, p->data[i], p->sections[i].bytes, i + 1 == n);
    return ok && !stopped(p);
}

static idx_status
write_file(const plan *p)
{
    outfile f;
    idx_status st = IDX_OK;
    if (!outfile_open(&f, p->path) || !write_all(&f, p) || !outfile_commit(&f))
        st = stopped(p) ? say_stopped(p)
                        : idx_because(IDX_EIO, p->why, p->why_len, "cannot %s %s: %s",
                                      f.step, p->path, strerror(errno));
    outfile_close(&f);
    return st;
}

/* All up to the bytes. */
static idx_status
make_plan(plan *p)
{
    idx_status st = check_contents(p);
    if (!st)
        st = plan_sounds(p);
    if (!st)
        st = plan_families(p);
    if (!st)
        st = lay_out(p);
    return st;
}

static void
drop_plan(plan *p)
{
    for (uint32_t i = 0; i < IDX_SCALES; i++)
        idx_built_clear(&p->built[i]);
    free(p->sounds);
    free(p->strings);
}

idx_status
idx_write(const char *path, const idx_contents *contents, const atomic_int *stop,
          char *why, size_t why_len)
{
    plan p = {
        .in = contents, .stop = stop, .why = why, .why_len = why_len, .path = path};
    idx_status st = make_plan(&p);
    if (!st)
        st = write_file(&p);
    drop_plan(&p);
    return st;
}

idx_status
idx_make(idx_index **out, const idx_contents *contents, char *why, size_t why_len)
{
    plan p = {.in = contents, .why = why, .why_len = why_len, .path = "the new index"};
    outfile f;
    idx_index *ix = NULL;
    *out = NULL;
    idx_status st = make_plan(&p);
    if (!st && !(ix = idx_room((size_t)p.head.total_bytes)))
        st = say_no_memory(&p);
    if (!st) {
        outfile_to_memory(&f, (void *)(uintptr_t)ix->data);
        write_all(&f, &p);
        st = idx_check_all(ix, p.path, why, why_len);
    }
    drop_plan(&p);
    if (st)
        idx_close(ix);
    else
        *out = ix;
    return st;
}
