/*
 * Every setting of hearken, in one table (options.c): it gives the parser of command
 * line and presets, the ranges, the defaults, --help and the man page.
 *
 * A setting "section.key" is the line "section.key = value" in a preset and the option
 * "--section-key value". Later ones win: built-in, then preset, then command line.
 */
#ifndef HEARKEN_RT_OPTIONS_H
#define HEARKEN_RT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Most sounds in an answer. */
enum { RT_MAX_K = 100 };

/* Bytes of a text, a name (both with the zero at their end), an item; items of a list.
 */
enum { RT_TEXT = 1024, RT_NAME = 64, RT_ITEM = 256, RT_LIST = 16 };

/* Indexes that listen may search at once. */
enum { RT_INDEXES = 8 };

typedef struct {
    uint32_t n;
    char item[RT_LIST][RT_ITEM];
} rt_list;

/* Commands, as bits: which of them a setting is for. */
enum {
    RT_BUILD = 1,
    RT_LISTEN = 2,
    RT_QUERY = 4,
    RT_INFO = 8,
    RT_EVAL = 16,
    RT_IMPORT = 32,
    RT_EXPORT = 64,
    RT_TUNE = 128,
    RT_CHECK = 256,
    RT_MERGE = 512,
    RT_TOP = 1024,
    RT_LIVE = 2048 /* no command: control over OSC, while listen runs */
};

typedef enum {
    RT_FORMAT_AUTO,
    RT_FORMAT_JSON,
    RT_FORMAT_TABLE,
    RT_FORMAT_NONE
} rt_format;
typedef enum { RT_REFINE_AUTO, RT_REFINE_NO, RT_REFINE_YES } rt_refine;
typedef enum { RT_AT_CONTINUOUS, RT_AT_ONSETS, RT_AT_BOTH } rt_match_at;
typedef enum { RT_CODES_JACCARD, RT_CODES_HAMMING } rt_codes;
typedef enum {
    RT_FAMILY_AUTO,
    RT_FAMILY_EXACT,
    RT_FAMILY_HYPERPLANE,
    RT_FAMILY_CROSS_POLYTOPE,
    RT_FAMILY_P_STABLE,
    RT_FAMILY_FOREST,
    RT_FAMILY_CELLS,
} rt_family;
typedef enum { RT_ROWS_AUTO, RT_ROWS_F32, RT_ROWS_F16, RT_ROWS_I8 } rt_rows_as;

/* Of vectors: auto, or one more than the set of the index. */
typedef enum {
    RT_SCALE_AUTO,
    RT_SCALE_FRAME,
    RT_SCALE_EVENT,
    RT_SCALE_SCENE
} rt_vector_scale;

/* Settings that an index has for itself (indexes.h): where each is in rt_options. */
enum { RT_OWN = 24 };
typedef struct {
    uint32_t n;
    struct {
        uint32_t offset, value; /* the four bytes of either kind of number */
    } set[RT_OWN];
} rt_own;

typedef struct {
    struct {
        char output[RT_TEXT];
        char labels[RT_TEXT];           /* "none", "folders" or a CSV */
        char shard[RT_NAME];            /* "none" or "i/n" */
        uint32_t threads, seed, timbre; /* timbre: 0, 1 */
        uint32_t update, memory_mb;     /* update: 0, 1 */
        float invariance;
    } build;
    struct {
        float gate_db;
        uint32_t event_ms, frame_ms, frame_dim;
        uint32_t frontend; /* dsp_front_kind */
    } dsp;
    struct {
        uint32_t family, metric, rows; /* rt_family, idx_metric, rt_rows_as */
        uint32_t planes, tables, cells, leaf, probes, max_candidates, memory_mb;
        float recall, width;
    } index;
    struct {
        uint32_t scales; /* bit s for dsp_scale s or RT_TIMBRE */
        uint32_t k, confirm_ms, within_ms, min_gap_ms;
        uint32_t refine;    /* rt_refine */
        uint32_t at;        /* rt_match_at */
        uint32_t asked;     /* no setting: bits of rt_match_at that destinations want */
        float false_alarms; /* an hour */
        float score, release, better_by, gate_db, floor_db, onset_db;
    } match;
    struct {
        uint32_t space; /* 0 acoustic, 1 labels */
        uint32_t codes; /* rt_codes */
    } search;
    struct {
        rt_list to, allow; /* allow: of who may command */
        char listen[RT_TEXT], query[RT_TEXT];
        uint32_t reply_port;            /* 0: where the command came from */
        uint32_t onsets, nomatch, mute; /* 0, 1 */
    } osc;
    struct {
        char client_name[RT_NAME], inputs[RT_TEXT]; /* inputs.h reads them */
        uint32_t wait;                              /* 0, 1 */
        rt_list connect;
    } jack;
    struct {
        uint32_t format; /* rt_format */
    } out;
    struct {
        rt_list index;                   /* further ones; indexes.h reads them */
        uint32_t seconds, truth, paused; /* truth, paused: 0, 1 */
    } listen;
    struct {
        char file[RT_TEXT];
    } learn;
    struct {
        uint32_t rejects; /* 0, 1 */
    } debug;
    struct {
        uint32_t seconds;
    } top;
    struct {
        uint32_t seconds, replay; /* replay: 0, 1 */
        char folder[RT_TEXT];
    } record;
    struct {
        uint32_t self; /* 0, 1 */
    } check;
    struct {
        char plot[RT_TEXT];
        uint32_t degrade; /* 0, 1 */
    } eval;
    struct {
        char output[RT_TEXT], labels[RT_TEXT];
        uint32_t scale, raw; /* scale: rt_vector_scale */
    } import;
    struct {
        char output[RT_TEXT];
        uint32_t scale; /* rt_vector_scale, or by labels */
    } export;
    /* no setting: what rt_background_new() made of the index, or NULL; not owned */
    const struct rt_background *background;
    rt_own own[RT_INDEXES]; /* no setting: what listen.index says */
    uint64_t list_set;      /* bit per list: one that was set replaces its default */
} rt_options;

/* When answers are found: as match.at says and all destinations want, together. */
static inline rt_match_at
rt_at_of(const rt_options *o)
{
    const uint32_t all = 1U << o->match.at | o->match.asked;
    return all == 1U << o->match.at ? (rt_match_at)o->match.at : RT_AT_BOTH;
}

void rt_options_default(rt_options *o);

/*
 * Sets "section.key" (or "section-key": - _ and the first . are alike) from text. On
 * failure returns false, leaves the setting and fills why with one sentence that names
 * the key, the value and what is wanted. command is the bits of the commands that the
 * setting must be for, 0 for any.
 */
bool rt_options_set(rt_options *o, const char *name, const char *value,
                    unsigned command, char *why, size_t why_len);

/*
 * Reads "section.key = value" lines ([section] headings and # ; comments as in INI
 * files) into o. An unknown key, a bad value or a line that is neither is an error; why
 * then begins with "name:line: ". Settings that are for other commands are checked, and
 * kept.
 */
bool rt_preset_read(rt_options *o, FILE *file, const char *name, char *why,
                    size_t why_len);
bool rt_preset_load(rt_options *o, const char *path, char *why, size_t why_len);

/* Writes the settings of one section as preset lines, the same bytes for the same
 * values; returns the length as snprintf does. */
size_t rt_options_write(const rt_options *o, const char *section, char *out,
                        size_t cap);

/*
 * Command line of one command: options into o (--preset FILE first of all), the rest
 * into rest[] (argc of them at most). Returns the number of the rest, or -1 after it
 * has said on stderr what is wrong, or -2 after --help was answered on stdout (or could
 * not be). *status is then the exit status.
 */
int rt_options_parse(rt_options *o, unsigned command, int argc, char **argv,
                     const char *rest[], int *status);

/* --help of one command, the man page of all, and completion for the shell "bash",
 * "zsh" or "fish" (false, and nothing written, for another). */
void rt_help(FILE *to, unsigned command);
void rt_man(FILE *to);
bool rt_completion(FILE *to, const char *shell);

/* One row of the table, for help and tests. */
typedef struct {
    const char *section, *key, *arg;
    int type;
    size_t offset;
    double min, max;
    const char *const *choices; /* NULL-terminated, in order of value */
    unsigned commands;
    const char *preset; /* built-in value as text */
    const char *help;
    char letter; /* short option, or 0 */
} rt_field;
const rt_field *rt_fields(size_t *n);

/* The row that rt_options_set() means by a name, or NULL. */
const rt_field *rt_field_named(const char *name);

/* A setting as the text that rt_options_set() takes; of a list, one of its items. */
void rt_options_text(const rt_options *o, const rt_field *f, uint32_t item, char *out,
                     size_t cap);

#endif
