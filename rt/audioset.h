/*
 * One record of AudioSet's released features: a tensorflow.SequenceExample with the
 * context video_id, start_time_seconds, end_time_seconds and labels, and the feature
 * list audio_embedding, one vector of 128 bytes a second.
 */
#ifndef HEARKEN_RT_AUDIOSET_H
#define HEARKEN_RT_AUDIOSET_H

#include "index/index.h"

enum {
    RT_AUDIOSET_DIM = 128,
    RT_AUDIOSET_CLASSES = 527,
    RT_NO_CLASS = -1,
};

/* Kept from record to record; all zeros at first. */
typedef struct {
    char video[IDX_MAX_PATH + 1];
    float start_s, end_s;
    int first_class;               /* of its labels, or RT_NO_CLASS */
    const unsigned char **seconds; /* [n] vectors of bytes, within the record */
    size_t n, cap;
} rt_audioset;

/*
 * Takes a record apart; data must stay while a->seconds is used. Lists may be packed or
 * not, entries of maps in any order (of two with one key the later counts), unknown
 * fields are passed over. False, with why in a few words, where the record is
 * malformed, a key is missing or of another kind, a vector has not 128 bytes, or memory
 * runs out.
 */
bool rt_audioset_take(rt_audioset *a, const unsigned char data[], size_t n, char *why,
                      size_t why_len);
void rt_audioset_free(rt_audioset *a);

/*
 * The vector that bytes stand for. The release clipped to [-2, 2] and cut (v + 2) * 255
 * / 4 to whole numbers, so the middle of what became q lies half a step above its lower
 * edge; 4 / 512 is how YouTube-8M's reader has it.
 */
void rt_audioset_second(const unsigned char q[], float v[RT_AUDIOSET_DIM]);

/* The mean of all seconds. */
void rt_audioset_mean(const rt_audioset *a, float v[RT_AUDIOSET_DIM]);

#endif
