/*
 * The inputs of listen: each has a port, a ring and a stream of its own, and an ear,
 * which is an analysis, for each index that is searched; one analysis thread takes them
 * in turn.
 *
 *   audio thread --capture ring--> rt_inputs_analyse() --> sink, which is told the
 *                                    an ear an index         input and the book
 */
#ifndef HEARKEN_RT_INPUTS_H
#define HEARKEN_RT_INPUTS_H

#include "analyse.h"
#include "capture.h"
#include "history.h"
#include "record.h"
#include "shed.h"

/* Where a stream is. */
typedef struct {
    uint64_t frame; /* that should come next */
    int64_t us;     /* when it sounds, on the server's clock */
    double s;       /* since the stream began */
} rt_stream;

enum { RT_SETTINGS = 4 }; /* slots of the ring of settings */

typedef struct rt_input rt_input;

/* An input as one index hears it. Of several the first alone tells of onsets, is
 * recorded, and begins the clock of the input anew. */
typedef struct {
    const rt_input *input;

    /* the thread that opens JACK: an analysis for the analysis thread to take up */
    rt_analyse *given;
    uint32_t given_rate_hz, given_book;
    _Atomic(rt_analyse *) next; /* NULL once it was */

    /* analysis thread */
    rt_analyse *analyse;
    uint32_t book; /* that it searches, for matches */
} rt_ear;

struct rt_input {
    char name[RT_NAME]; /* of the port, and in messages */
    uint32_t number;
    rt_capture capture;
    _Atomic(rt_record *) record; /* NULL: not wanted, or no server came yet */
    rt_history history;          /* empty: nothing is to be learned */
    rt_ear ear[RT_INDEXES];

    /* analysis thread */
    const rt_sink *sink;
    rt_shed shed;
    uint64_t expected;   /* frame that should come next, */
    int64_t expected_us; /* and when */
    rt_clock clock;      /* since when it is heard at this rate: */
    uint32_t rate_hz;
};

/* What an ear is to search; it must stay. */
typedef struct {
    const rt_options *options;
    const idx_index *index;
    const idx_index *layer; /* layer.h; may be NULL */
    uint32_t book;          /* of the shelf, for matches */
} rt_searched;

typedef struct {
    uint32_t n;
    uint32_t n_ears; /* of each: indexes that are searched */
    rt_input input[RT_LIST];
    rt_counts *counts;
    rt_ring *settings;    /* of rt_options, for the analysis thread: the newest ones */
    rt_options newest;    /* analysis thread: the last that came, */
    bool changed;         /* if any did; an analysis begins with those of the start */
    struct rt_live *live; /* shows levels; may be NULL */
    rt_sink sink;         /* gets matches with input and time_s filled in */
} rt_inputs;

/*
 * Names out of "drums,voice", each with one ear. False, with why, when there are more
 * than RT_LIST, one comes twice, or is no name of a port.
 */
bool rt_inputs_parse(rt_inputs *in, const char *names, char *why, size_t why_len);

/* Makes the rings; wake is posted when one has something. False without memory. */
bool rt_inputs_new(rt_inputs *in, rt_counts *counts, const rt_sink *sink, sem_t *wake);

/* Before the analysis thread starts: keeps the last seconds. False without memory. */
bool rt_inputs_remember(rt_inputs *in);

/* The input of a name, "" for the first; NULL: there is none. */
rt_input *rt_inputs_named(rt_inputs *in, const char *name);

/* Not while any thread uses them; takes what rt_inputs_new() left half made. */
void rt_inputs_free(rt_inputs *in);

/* Where the stream is, which all have in common; and, before any sound came, where it
 * is to go on. */
rt_stream rt_inputs_stream(const rt_inputs *in);
void rt_inputs_go_on(rt_inputs *in, const rt_stream *s);

/* Freewheel: the audio thread waits for the analysis. */
void rt_inputs_patient(rt_inputs *in, bool patient);

/*
 * Sees to it that the inputs are analysed at a rate: where it is another than before,
 * gives each ear a new analysis, which searches its one of from[n_ears], and waits
 * until it was taken up. Only while no audio comes, and while the analysis thread runs.
 * False, with why, when the rate cannot be analysed.
 */
bool rt_inputs_set_rate(rt_inputs *in, uint32_t rate_hz, const rt_searched from[],
                        char *why, size_t why_len);

/*
 * Gives that ear of all inputs an analysis with another index or layer, which goes on
 * where they are, and waits until it was taken up. One thread at a time calls this or
 * rt_inputs_set_rate(), while the analysis thread runs. False, with why, and nothing
 * changes, without memory, or while a recording of what the ear found is written.
 */
bool rt_inputs_swap(rt_inputs *in, uint32_t ear, const rt_searched *to, char *why,
                    size_t why_len);

/* Analysis thread: all that is in the rings, a block of each in turn. */
void rt_inputs_analyse(rt_inputs *in);

#endif
