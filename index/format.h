/*
 * The bytes of an index file, and an index once it is open. docs/index-format.md says
 * the same for people who write readers. Little-endian; every struct is used in place.
 */
#ifndef HEARKEN_FORMAT_H
#define HEARKEN_FORMAT_H

#include "index/index.h"

#include <stdbool.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error                                                                                 \
    "index files are little-endian and used in place: this needs a little-endian host"
#endif

#define FMT_MAGIC "hearken" /* with its NUL: 8 bytes */
#define FMT_SHARED UINT32_MAX

enum {
    FMT_VERSION = 5, /* 1 and 2, with shorter scales, 3, without noises, and 4, whose
                        tables have sketches by entry, are still read */
    FMT_FIRST_EXTRA = 3,
    FMT_ORDER = 0x01020304, /* 0x04030201 where bytes are the other way round */
    FMT_ALIGN = 64,         /* a cache line; sections begin at multiples of it */
    FMT_MAX_KNOTS = 65536,
    FMT_SHORT_SCALE = 64, /* bytes of a fmt_scale up to format 2 */
    FMT_MAX_PLANES = 22,  /* beyond this the starts of a table outgrow most caches */
    FMT_MAX_TABLES = 64,
    FMT_MAX_NOISES = 65536, /* rows, and tails */
};

/* What a section holds. Below FMT_SCALE it occurs once, from there once per scale. */
enum {
    FMT_SETTINGS = 1, /* text with its NUL */
    FMT_REPORT,       /* text with its NUL */
    FMT_SOUNDS,       /* fmt_sound [n_sounds] */
    FMT_STRINGS,      /* NUL-terminated strings, where the sounds point to */
    FMT_SCALE,        /* one fmt_scale */
    FMT_MEAN,         /* float [n_in] */
    FMT_SPREAD,       /* float [n_in] */
    FMT_MATRIX,       /* float [dim][n_in]; absent for the identity */
    FMT_KNOTS,        /* float [n_knots] */
    FMT_ROWS,    /* float [n_entries][dim], or less by idx_stored; not with IDX_CODES */
    FMT_ENTRIES, /* idx_entry [n_entries] */
    /* from here on as the family says, whose file describes them */
    FMT_CENTRE,  /* float [dim] */
    FMT_PLANES,  /* float [n_tables][n_planes][dim] */
    FMT_STARTS,  /* uint32 */
    FMT_IDS,     /* uint32 */
    FMT_CODES,   /* uint64 [n_entries][(dim + 63) / 64] of IDX_CODES */
    FMT_HAMMING, /* float [n_knots] of IDX_CODES */
    FMT_STEPS,   /* float [n_entries] of rows stored as IDX_I8 */
    FMT_SIGNS,   /* uint64: diagonals of a random rotation (rotate.h) */
    FMT_OFFSETS, /* float: of p-stable functions; [1], the unit of codes, of cells */
    FMT_CHECKS,  /* uint32: of p-stable keys */
    FMT_NODES,   /* of a forest */
    FMT_GROUPS,  /* float: centres of groups of cells */
    FMT_CELLS,   /* float: centres of cells */
    FMT_COARSE,  /* int8: centres of cells, rounded */
    FMT_BLOCKS,  /* codes of the rows of cells, or of tables, in blocks of 32 */
    /* of any family */
    FMT_NOISES, /* float [n_noises][dim] */
    FMT_TAILS,  /* float [n_tails][2] */
    FMT_KINDS,
    FMT_MAX_SECTIONS = FMT_SCALE - 1 + IDX_SCALES * (FMT_KINDS - FMT_SCALE),
};

/* The seed of the header's checksum: from format 5 on a damaged version is none of an
 * older format. */
static inline uint64_t
fmt_seed(uint32_t version)
{
    return version < 5 ? 0 : version;
}

/*
 * At offset 0, followed at once by fmt_section [n_sections]. What comes before the
 * checksum is compared with constants, so the checksum need not cover itself.
 */
typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t byte_order;
    uint64_t checksum;    /* XXH3-64, by fmt_seed(), of all bytes from here to the last
                             fmt_section */
    uint64_t total_bytes; /* of the file: where the last section ends */
    uint32_t n_sections;
    uint32_t zero0;
    uint64_t seed; /* of the planes, which are stored: nothing depends on it */
    uint64_t zero[2];
} fmt_header;

/* Sections lie in the order of this table, with zeros up to the next multiple of 64. */
typedef struct {
    uint32_t kind;
    uint32_t scale; /* FMT_SHARED below FMT_SCALE */
    uint64_t offset;
    uint64_t bytes;
    uint64_t checksum; /* XXH3-64 of the section without its padding */
} fmt_section;

typedef struct {
    uint32_t n_in, dim, n_entries, n_knots;
    uint32_t has_matrix; /* 0 or 1 */
    uint32_t family, n_planes, n_tables, n_probes, max_candidates;
    float recall, candidates;
    uint32_t zero0[4];
    uint32_t metric, stored, n_cells, leaf; /* from here on not up to format 2 */
    float width, scanned;
    uint32_t n_asked, max_scanned;
    float us;
    uint32_t n_noises, n_tails; /* these not up to format 3 */
    uint32_t zero[5];
} fmt_scale;

typedef struct {
    uint32_t path, label; /* offsets in the strings */
    uint32_t rate_hz, n_channels;
    double seconds;
} fmt_sound;

_Static_assert(sizeof(fmt_header) == 64, "on disk");
_Static_assert(sizeof(fmt_section) == 32, "on disk");
_Static_assert(sizeof(fmt_scale) == 128, "on disk");
_Static_assert(sizeof(fmt_sound) == 24, "on disk");
_Static_assert(sizeof(idx_entry) == 12, "on disk");
_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "on disk");

struct idx_index {
    const unsigned char *data;
    size_t n_bytes;
    size_t map_bytes; /* of the mapping that is ours, from data on; 0: none is */
    idx_scale scales[IDX_SCALES];
    const void *part[IDX_SCALES][FMT_KINDS]; /* sections of a scale; NULL: absent */
    const fmt_sound *sounds;
    uint32_t n_sounds;
    const char *strings, *settings, *report;
};

/* Bytes of a section of a scale, 0 where it must be absent; its counts are in range. */
uint64_t fmt_bytes(const fmt_scale *h, uint32_t kind);

const char *fmt_kind_name(uint32_t kind);

/* Bytes of a value of a row. */
static inline size_t
fmt_value_bytes(uint32_t stored)
{
    return stored == IDX_F32 ? sizeof(float) : stored == IDX_F16 ? sizeof(uint16_t) : 1;
}

/* Words of a code of dim bits. */
static inline size_t
fmt_code_words(uint32_t dim)
{
    return (dim + 63U) / 64;
}

/* Believes or refuses the bytes of ix, and sets all its pointers. */
idx_status idx_check_all(idx_index *ix, const char *path, char *why, size_t why_len);

/* An index of so many bytes, zeros, of its own, to be written to and then checked;
 * NULL without memory. */
idx_index *idx_room(size_t n_bytes);

/* The counts and parameters of scale number i, alone; false with a reason where one is
 * off. */
bool fmt_scale_fits(const fmt_scale *h, uint32_t i, char *fault, size_t fault_len);

/*
 * The arrays of a scale whose counts fit, but for those of its family; false with a
 * reason where a value is off. rows and steps are sections as stored.
 */
bool idx_scale_holds(const idx_scale *s, const void *rows, const float steps[],
                     uint32_t n_sounds, char *fault, size_t fault_len);

/* n vectors [dim] of unit length; false with a reason that calls them by name. */
bool fmt_units_hold(const float rows[], size_t n, size_t dim, const char *name,
                    char *fault, size_t fault_len);

/* Index of the first value outside of [lo, hi], or n; NaN is outside of everything. */
size_t fmt_first_outside(const float x[], size_t n, float lo, float hi);

/* A reason, and false. */
#define FAULT(...) (snprintf(fault, fault_len, __VA_ARGS__), false)

/* Writes a sentence into why (may be NULL with 0) and returns st. */
__attribute__((format(printf, 4, 5))) idx_status
idx_because(idx_status st, char *why, size_t why_len, const char *format, ...);

#endif
