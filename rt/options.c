/* The table of settings, and the parser that it drives. */
#include "options.h"
#include "rt.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { T_U32, T_FLOAT, T_CHOICE, T_SET, T_TEXT, T_NAME, T_LIST };

static const char *const families[] = {"auto",           "exact",    "hyperplane",
                                       "cross-polytope", "p-stable", "forest",
                                       "cells",          NULL}; /* as rt_family */
static const char *const metrics[] = {"cosine", "euclid", NULL};
static const char *const rows[] = {"auto", "f32", "f16", "i8", NULL};
static const char *const scales[] = {"frame", "event", "scene", "timbre", NULL};
static const char *const formats[] = {"auto", "json", "table", "none", NULL};
static const char *const refines[] = {"auto", "no", "yes", NULL};
static const char *const fronts[] = {"mel",  "morlet",           "morlet-zounds",
                                     "bark", "bark-zounds-2016", "bark-zounds",
                                     NULL}; /* as dsp_front_name */
static const char *const spaces[] = {"acoustic", "labels", NULL};
static const char *const distances[] = {"jaccard", "hamming", NULL};
static const char *const imports[] = {"auto", "frame", "event", "scene", NULL};
static const char *const exports[] = {
    "auto",         "frame",        "event",        "scene",
    "frame-labels", "event-labels", "scene-labels", NULL};
static const char *const yesno[] = {"no", "yes", NULL};

#define AT(member) offsetof(rt_options, member)
#define FIND (RT_LISTEN | RT_QUERY)
#define MAKE (RT_BUILD | RT_IMPORT | RT_MERGE)
#define CORPUS (RT_BUILD | RT_MERGE)

static const rt_field fields[] = {
    {"build", "output", "FILE", T_TEXT, AT(build.output), 0, 0, NULL, CORPUS,
     "corpus.hkn",
     "index file to write; a file of that name is replaced when the new one is "
     "complete",
     'o'},
    {"build", "threads", "N", T_U32, AT(build.threads), 0, 256, NULL,
     RT_BUILD | RT_MERGE | RT_EVAL | RT_CHECK | RT_TUNE, "0",
     "threads that work at a time; 0 takes one per core", 'j'},
    {"build", "seed", "N", T_U32, AT(build.seed), 0, 4294967295.0, NULL,
     RT_BUILD | RT_EVAL | RT_IMPORT, "1",
     "seed of the random hyperplanes and degradations; the same seed gives the same "
     "results",
     0},
    {"build", "invariance", "SHARE", T_FLOAT, AT(build.invariance), 0, 1, NULL,
     CORPUS | RT_EVAL, "0.5",
     "how much of what noise, rooms, loudspeakers, pitch and tempo change is not "
     "listened to: 0 for what is alike, 1 for the very recording",
     0},
    {"build", "labels", "NAME|FILE", T_TEXT, AT(build.labels), 0, 0, NULL, CORPUS,
     "none",
     "add a space in which sounds of one label lie together: folders takes the names "
     "of "
     "folders as labels, FILE is a CSV with the columns file and label; "
     "see search.space",
     0},
    {"build", "timbre", "yes|no", T_CHOICE, AT(build.timbre), 0, 0, yesno, RT_BUILD,
     "no",
     "add timbre codes, for scale timbre of match.scales: which of 128 spectral "
     "envelopes of the corpus occur within 0.6 s",
     0},
    {"build", "update", "yes|no", T_CHOICE, AT(build.update), 0, 0, yesno, RT_BUILD,
     "no",
     "keep what is found out about each file beside the index, in FILE.parts, so that "
     "the next build analyses only what is new or changed",
     0},
    {"build", "shard", "I/N", T_NAME, AT(build.shard), 0, 0, NULL, RT_BUILD, "none",
     "analyse only part I of N of the files, into FILE.parts.I-of-N; hearken merge "
     "makes "
     "the index of all parts",
     0},
    {"build", "memory-mb", "MB", T_U32, AT(build.memory_mb), 0, 1000000000, NULL,
     CORPUS, "0",
     "what would take more memory goes to files without a name beside the index, all "
     "but some 200 MB that are always needed; 0 sets no bound",
     0},
    {"dsp", "gate-db", "DBFS", T_FLOAT, AT(dsp.gate_db), -120, 0, NULL,
     RT_BUILD | RT_EVAL, "-70",
     "32 ms windows quieter than this are left out of every embedding; kept in the "
     "index",
     0},
    {"dsp", "frontend", "NAME", T_CHOICE, AT(dsp.frontend), 0, 0, fronts,
     RT_BUILD | RT_EVAL, "mel",
     "how a window becomes a spectrum: mel with the five blocks, or the bands and "
     "cepstra of morlet, morlet-zounds (the published network's filters), bark, "
     "bark-zounds-2016 or bark-zounds; kept in the index",
     0},
    {"dsp", "event-ms", "MS", T_U32, AT(dsp.event_ms), 250, 2000, NULL,
     RT_BUILD | RT_EVAL, "1000",
     "sound that an event is about, in whole 10 ms; kept in the index", 0},
    {"dsp", "frame-ms", "MS", T_U32, AT(dsp.frame_ms), 10, 100, NULL, RT_BUILD, "50",
     "time between two frames of the index, in whole 10 ms; kept in the index", 0},
    {"dsp", "frame-dim", "N", T_U32, AT(dsp.frame_dim), 16, 128, NULL, RT_BUILD, "64",
     "dimensions of a frame; kept in the index", 0},
    {"index", "family", "NAME", T_CHOICE, AT(index.family), 0, 0, families, MAKE,
     "auto",
     "how to search: exact compares all; cells is k-means LSH, its rows ranked by "
     "codes; "
     "hyperplane, cross-polytope and p-stable are LSH with multi-probing; forest is "
     "trees of planes; auto takes exact below 20000 entries or where cells would "
     "compare "
     "more than a quarter, else cells",
     0},
    {"index", "metric", "NAME", T_CHOICE, AT(index.metric), 0, 0, metrics, MAKE,
     "cosine",
     "what near means: by the cosine of two vectors, or by their Euclidean distance, "
     "which for the embeddings of sounds is the same order",
     0},
    {"index", "rows", "NAME", T_CHOICE, AT(index.rows), 0, 0, rows, MAKE, "auto",
     "how embeddings are stored: floats of 32 or 16 bits, or in cells as bytes; auto "
     "takes the finest that index.memory-mb allows",
     0},
    {"index", "memory-mb", "MB", T_U32, AT(index.memory_mb), 0, 1000000, NULL, MAKE,
     "0", "memory that a scale of the index should not exceed; 0 sets no limit", 0},
    {"index", "planes", "K", T_U32, AT(index.planes), 0, 22, NULL, MAKE, "0",
     "bits in a key of hyperplane and cross-polytope, functions (up to 16) of "
     "p-stable; "
     "of a forest 1 takes random planes, 2 planes between two means; 0 chooses",
     0},
    {"index", "tables", "L", T_U32, AT(index.tables), 0, 64, NULL, MAKE, "0",
     "hash tables, or trees of a forest, or groups of cells looked into; 0 chooses", 0},
    {"index", "cells", "N", T_U32, AT(index.cells), 0, 1048576, NULL, MAKE, "0",
     "cells; 0 takes four times the root of the number of entries", 0},
    {"index", "leaf", "N", T_U32, AT(index.leaf), 0, 100000, NULL, MAKE, "0",
     "entries in a leaf of a forest at most; 0 takes 64", 0},
    {"index", "width", "X", T_FLOAT, AT(index.width), 0, 1e6, NULL, MAKE, "0",
     "of a bucket of p-stable; of cells, standard errors that a code is given the "
     "benefit of; 0 chooses",
     0},
    {"index", "probes", "T", T_U32, AT(index.probes), 0, 1000000, NULL, MAKE, "0",
     "buckets, leaves or cells looked into per query, in all tables together; 0 takes "
     "the fewest that reach index.recall",
     0},
    {"index", "max-candidates", "N", T_U32, AT(index.max_candidates), 0, 100000000,
     NULL, MAKE, "0", "entries compared per query at most; 0 chooses", 0},
    {"index", "recall", "SHARE", T_FLOAT, AT(index.recall), 0.5, 1, NULL,
     MAKE | RT_TUNE, "0.95",
     "share of the 10 nearest entries that a query must find, measured while building",
     0},
    {"match", "scales", "LIST", T_SET, AT(match.scales), 0, 0, scales, FIND,
     "event,scene",
     "scales to answer at: frame (0.1 s of sound, 100 answers a second), event (1 s, "
     "10 a "
     "second), scene (10 s, 1 a second), timbre (0.6 s, 10 a second, where the index "
     "was built with build.timbre)",
     0},
    {"match", "k", "N", T_U32, AT(match.k), 1, 100, NULL, FIND, "1",
     "different sounds in an answer, best first", 'k'},
    {"match", "refine", "NAME", T_CHOICE, AT(match.refine), 0, 0, refines, FIND, "auto",
     "search again with the mean of the query and its three nearest sounds, for all "
     "ranks but the first; auto does so in query",
     0},
    {"match", "score", "SHARE", T_FLOAT, AT(match.score), 0, 1, NULL, FIND, "0.5",
     "least score of a match: the share of the corpus's own moments whose nearest "
     "other "
     "sound is less alike; 0 lets everything through",
     0},
    {"match", "gate-db", "DBFS", T_FLOAT, AT(match.gate_db), -120, 0, NULL, FIND, "-60",
     "sample peak that opens the gate; it closes 100 ms after the last peak above 6 dB "
     "less; "
     "nothing is matched while it is closed",
     0},
    {"match", "confirm", "N", T_U32, AT(match.confirm), 1, 100, NULL, FIND, "1",
     "answers in a row at a scale that must agree on the best sound before it is sent",
     0},
    {"match", "min-gap-ms", "MS", T_U32, AT(match.min_gap_ms), 0, 600000, NULL, FIND,
     "0", "the same sound is not sent again at a scale before so much time has gone by",
     0},
    {"search", "space", "NAME", T_CHOICE, AT(search.space), 0, 0, spaces, FIND,
     "acoustic",
     "what alike means: acoustic by sound alone, labels by what tells the labels of "
     "the "
     "corpus apart, where the index was built with build.labels; answers then come "
     "with "
     "a vote on the label",
     0},
    {"search", "codes", "NAME", T_CHOICE, AT(search.codes), 0, 0, distances, FIND,
     "jaccard",
     "how timbre codes are compared: jaccard by the share of envelopes in common, "
     "hamming by how many differ, which favours sounds of few",
     0},
    {"osc", "to", "HOST:PORT", T_LIST, AT(osc.to), 0, 0, NULL, RT_LISTEN,
     "127.0.0.1:9000",
     "receiver of OSC messages over UDP; repeat it for several; none sends nothing", 0},
    {"osc", "onsets", "yes|no", T_CHOICE, AT(osc.onsets), 0, 0, yesno, RT_LISTEN, "yes",
     "send /hearken/onset when the gate opens", 0},
    {"osc", "nomatch", "yes|no", T_CHOICE, AT(osc.nomatch), 0, 0, yesno, RT_LISTEN,
     "no", "send /hearken/nomatch when the best answer is below match.score", 0},
    {"jack", "client-name", "NAME", T_NAME, AT(jack.client_name), 0, 0, NULL, RT_LISTEN,
     "hearken", "name of the JACK client", 'n'},
    {"jack", "inputs", "NAMES", T_TEXT, AT(jack.inputs), 0, 0, NULL, RT_LISTEN, "in",
     "names of its input ports, as in drums,voice: each is listened to by itself, and "
     "named in messages",
     0},
    {"jack", "connect", "PORT", T_LIST, AT(jack.connect), 0, 0, NULL, RT_LISTEN, "auto",
     "port to listen to, a name or a pattern (regular expression), for an input as in "
     "drums=system:capture_2, else for the inputs in turn; repeat it for several; auto "
     "is "
     "the capture port of the input's number, none connects nothing",
     'c'},
    {"jack", "wait", "yes|no", T_CHOICE, AT(jack.wait), 0, 0, yesno, RT_LISTEN, "yes",
     "wait for a server that is not there or went away; no ends with status 69", 0},
    {"out", "format", "NAME", T_CHOICE, AT(out.format), 0, 0, formats,
     FIND | RT_INFO | RT_EVAL | RT_CHECK | RT_TUNE, "auto",
     "what stdout gets: json lines, a readable table, or none; auto is a table on a "
     "terminal and json elsewhere",
     'f'},
    {"listen", "seconds", "N", T_U32, AT(listen.seconds), 0, 1000000000, NULL,
     RT_LISTEN, "0", "end after so long; 0 goes on until Ctrl-C", 0},
    {"listen", "truth", "yes|no", T_CHOICE, AT(listen.truth), 0, 0, yesno, RT_LISTEN,
     "yes",
     "check one answer a second and scale against an exact search, at idle priority, "
     "where an answer may err; the recall is in the status and in the summary",
     0},
    {"check", "self", "yes|no", T_CHOICE, AT(check.self), 0, 0, yesno, RT_CHECK, "yes",
     "ask the index for each of its own entries, and list those that it does not find",
     0},
    {"eval", "degrade", "yes|no", T_CHOICE, AT(eval.degrade), 0, 0, yesno, RT_EVAL,
     "yes",
     "measure too how well eleven degraded copies of each stored sound find it again",
     0},
    {"eval", "plot", "FILE", T_TEXT, AT(eval.plot), 0, 0, NULL, RT_EVAL, "none",
     "picture to write (SVG): precision over recall, and the degradations", 0},
    {"import", "output", "FILE", T_TEXT, AT(import.output), 0, 0, NULL, RT_IMPORT,
     "vectors.hkn",
     "index file to write; a file of that name is replaced when the new one is "
     "complete",
     'o'},
    {"import", "labels", "CSV", T_TEXT, AT(import.labels), 0, 0, NULL, RT_IMPORT,
     "none",
     "what the rows are: a CSV with the columns sound, start, length and label, a line "
     "for each row; for AudioSet the table of classes, index, mid and display_name",
     0},
    {"import", "scale", "NAME", T_CHOICE, AT(import.scale), 0, 0, imports, RT_IMPORT,
     "auto",
     "scale of the index that gets the rows; of AudioSet, event takes each second and "
     "scene the mean of a segment; auto is scene for AudioSet and frame elsewhere",
     0},
    {"import", "raw", "N", T_U32, AT(import.raw), 0, 1024, NULL, RT_IMPORT | RT_QUERY,
     "0",
     "read files of vectors as rows of N little-endian floats without a header; 0 does "
     "not",
     0},
    {"export", "output", "NAME", T_TEXT, AT(export.output), 0, 0, NULL, RT_EXPORT,
     "vectors", "writes NAME.npy, the rows, and NAME.csv, what each of them is", 'o'},
    {"export", "scale", "NAME", T_CHOICE, AT(export.scale), 0, 0, exports, RT_EXPORT,
     "auto",
     "scale of the rows; auto is event, or where it has none the first that has any",
     0},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

const rt_field *
rt_fields(size_t *n)
{
    *n = N_FIELDS;
    return fields;
}

static bool
refuse(const rt_field *f, const char *value, const char *wanted, char *why, size_t len)
{
    snprintf(why, len, "%s.%s cannot be \"%.60s\"; it wants %s", f->section, f->key,
             value, wanted);
    return false;
}

static bool
set_number(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char *end, wanted[80];
    errno = 0;
    const double x = strtod(value, &end);
    const bool whole = f->type != T_U32 || x == floor(x);
    if (end == value || *end || errno || !(x >= f->min && x <= f->max) || !whole ||
        !isfinite(x)) {
        snprintf(wanted, sizeof wanted, "a %snumber from %g to %.10g",
                 f->type == T_U32 ? "whole " : "", f->min, f->max);
        return refuse(f, value, wanted, why, len);
    }
    if (f->type == T_U32)
        *(uint32_t *)at = (uint32_t)x;
    else
        *(float *)at = (float)x;
    return true;
}

static void
list_choices(const rt_field *f, char *out, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; f->choices[i] && n < len; i++)
        n += (size_t)snprintf(out + n, len - n, "%s%s", i ? ", " : "", f->choices[i]);
}

/* Index of the choice that the n characters at text name, or -1. */
static int
find_choice(const rt_field *f, const char *text, size_t n)
{
    for (int i = 0; f->choices[i]; i++)
        if (strlen(f->choices[i]) == n && !strncmp(f->choices[i], text, n))
            return i;
    return -1;
}

static bool
set_choice(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char wanted[200] = "one of ", *list = wanted + strlen(wanted);
    const int i = find_choice(f, value, strlen(value));
    if (i >= 0) {
        *(uint32_t *)at = (uint32_t)i;
        return true;
    }
    list_choices(f, list, sizeof wanted - (size_t)(list - wanted));
    return refuse(f, value, wanted, why, len);
}

static bool
set_bits(const rt_field *f, void *at, const char *value, char *why, size_t len)
{
    char wanted[200] = "a list, with commas, of ", *list = wanted + strlen(wanted);
    uint32_t bits = 0;
    for (const char *p = value; bits != UINT32_MAX;) {
        p += strspn(p, " ,");
        const size_t n = strcspn(p, " ,");
        if (!n)
            break;
        const int i = find_choice(f, p, n);
        bits = i < 0 ? UINT32_MAX : bits | 1U << i;
        p += n;
    }
    if (bits && bits != UINT32_MAX) {
        *(uint32_t *)at = bits;
        return true;
    }
    list_choices(f, list, sizeof wanted - (size_t)(list - wanted));
    return refuse(f, value, wanted, why, len);
}

static bool
set_text(const rt_field *f, char *at, const char *value, size_t cap, char *why,
         size_t len)
{
    char wanted[60];
    const size_t n = strlen(value);
    bool plain = n > 0 && n < cap;
    for (size_t i = 0; i < n; i++)
        plain = plain && !iscntrl((unsigned char)value[i]);
    if (!plain) {
        snprintf(wanted, sizeof wanted, "1 to %zu characters on one line", cap - 1);
        return refuse(f, value, wanted, why, len);
    }
    memcpy(at, value, n + 1);
    return true;
}

static uint64_t
list_bit(const rt_field *f)
{
    unsigned bit = 0;
    for (const rt_field *before = fields; before < f; before++)
        bit += before->type == T_LIST;
    return UINT64_C(1) << bit;
}

/* Appends to a list; the first value that is set takes the place of the built-in ones.
 */
static bool
add_item(rt_options *o, const rt_field *f, rt_list *list, const char *value, char *why,
         size_t len)
{
    const uint64_t bit = list_bit(f);
    const uint32_t n = o->list_set & bit ? list->n : 0;
    if (n >= RT_LIST)
        return refuse(f, value, "16 at most", why, len);
    if (!set_text(f, list->item[n], value, RT_ITEM, why, len))
        return false;
    list->n = n + 1;
    o->list_set |= bit;
    return true;
}

static bool
set_field(rt_options *o, const rt_field *f, const char *value, char *why, size_t len)
{
    void *at = (char *)o + f->offset;
    switch (f->type) {
    case T_U32:
    case T_FLOAT:
        return set_number(f, at, value, why, len);
    case T_CHOICE:
        return set_choice(f, at, value, why, len);
    case T_SET:
        return set_bits(f, at, value, why, len);
    case T_LIST:
        return add_item(o, f, at, value, why, len);
    case T_NAME:
        return set_text(f, at, value, RT_NAME, why, len);
    default:
        return set_text(f, at, value, RT_TEXT, why, len);
    }
}

/* "section.key" against "section-key" with - and _ alike. */
static bool
same_name(const rt_field *f, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "%s-%s", f->section, f->key);
    size_t i = 0;
    for (; full[i] && name[i]; i++) {
        const bool joint =
            name[i] == '_' || (name[i] == '.' && i == strlen(f->section));
        if ((joint ? '-' : name[i]) != full[i])
            return false;
    }
    return full[i] == name[i];
}

bool
rt_options_set(rt_options *o, const char *name, const char *value, unsigned command,
               char *why, size_t len)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (same_name(&fields[i], name)) {
            if (command && !(fields[i].commands & command))
                break;
            return set_field(o, &fields[i], value, why, len);
        }
    snprintf(why, len, "there is no setting \"%.60s\" here", name);
    return false;
}

void
rt_options_default(rt_options *o)
{
    char why[200];
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i < N_FIELDS; i++)
        if (!set_field(o, &fields[i], fields[i].preset, why, sizeof why))
            rt_say("built-in value: %s", why); /* caught by check_options */
    o->list_set = 0;
}

/* A setting as text; of a list, one of its items. */
static void
write_value(const rt_options *o, const rt_field *f, uint32_t item, char *out,
            size_t cap)
{
    const void *at = (const char *)o + f->offset;
    const uint32_t *number = at;
    size_t n = 0;
    switch (f->type) {
    case T_U32:
        snprintf(out, cap, "%u", *number);
        break;
    case T_FLOAT:
        snprintf(out, cap, "%.9g", (double)*(const float *)at);
        break;
    case T_CHOICE:
        snprintf(out, cap, "%s", f->choices[*number]);
        break;
    case T_SET:
        for (uint32_t i = 0; f->choices[i] && n < cap; i++)
            if (*number >> i & 1U)
                n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "",
                                      f->choices[i]);
        break;
    case T_LIST:
        snprintf(out, cap, "%s", ((const rt_list *)at)->item[item]);
        break;
    default:
        snprintf(out, cap, "%s", (const char *)at);
    }
}

size_t
rt_options_write(const rt_options *o, const char *section, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const rt_field *f = &fields[i];
        const rt_list *list = (const void *)((const char *)o + f->offset);
        const uint32_t n_lines = f->type == T_LIST ? list->n : 1;
        for (uint32_t j = 0; j < n_lines && !strcmp(f->section, section); j++) {
            char value[RT_TEXT];
            write_value(o, f, j, value, sizeof value);
            n +=
                (size_t)snprintf(out && n < cap ? out + n : NULL, n < cap ? cap - n : 0,
                                 "%s.%s = %s\n", section, f->key, value);
        }
    }
    return n;
}
