/*
 * What a recording of listen's last seconds (record.h) says of itself: lines of text in
 * a RIFF chunk of the wav, which query replays it by. docs/recording.md lists them.
 */
#ifndef HEARKEN_RT_RECORDING_H
#define HEARKEN_RT_RECORDING_H

#include "options.h"
#include "snapshot.h"

#include <stdio.h>

#define RT_RECORDING_CHUNK "hrkn"

/* What happened between two samples. */
typedef enum { RT_GAP, RT_SHED, RT_CHANGES } rt_change_kind;
typedef struct {
    uint64_t at;    /* sample of the file before which it did */
    uint64_t value; /* RT_GAP: frames of the stream that are missing; RT_SHED: what is
                       done without from there on, as rt_analyse_shed() takes it */
    uint32_t kind;
} rt_change;

typedef struct {
    uint32_t scale, sound; /* of the index */
    uint64_t frame;
} rt_sent;

typedef struct {
    char input[RT_NAME];
    uint32_t number; /* of the input */
    uint32_t rate_hz;
    uint64_t index_id;    /* rt_index_id() */
    uint64_t layer_id;    /* the same of the layer; 0: none */
    uint64_t n_samples;   /* of the file */
    uint64_t n_warm;      /* of them, those that nothing was decided by */
    uint64_t first_frame; /* of the stream, that the first sample is */
    rt_clock clock;       /* of the stream */
    rt_snapshot state;    /* after the warming up */
    size_t n_changes, n_sent;
    rt_change *changes; /* [n_changes] in order of at */
    rt_sent *sent;      /* [n_sent] what match.min-gap-ms still looks at, latest last */
} rt_recording;

/* Tells an index from every other one: by the checksums of its parts. */
uint64_t rt_index_id(const idx_index *index);

/* Writes the lines; of the settings those that answers depend on. False when a write
 * failed. */
bool rt_recording_write(FILE *to, const rt_recording *r, const rt_options *o);

/*
 * Reads text[n], which may come from anybody, into *r, which rt_recording_done() then
 * empties, and its settings into *o. False, with r empty and why a sentence, when it is
 * not whole, or contradicts itself, the index or the layer (may be NULL); every number
 * is checked.
 */
bool rt_recording_read(rt_recording *r, rt_options *o, const idx_index *index,
                       const idx_index *layer, const char text[], size_t n, char *why,
                       size_t why_len);
void rt_recording_done(rt_recording *r);

#endif
