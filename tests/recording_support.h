/* A recording of an index without sounds to speak of, for its parser's tests. */
#ifndef HEARKEN_TESTS_RECORDING_SUPPORT_H
#define HEARKEN_TESTS_RECORDING_SUPPORT_H

#include "rt/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDING_SOUNDS = 3 };

/* An index with RECORDING_SOUNDS sounds and no entries; NULL on failure. */
static inline idx_index *
recording_index(void)
{
    static const float knots[2] = {-1, 1}, zero[1] = {0}, one[1] = {1};
    static const idx_sound sounds[RECORDING_SOUNDS] = {
        {.path = "a/a.wav", .label = "a", .rate_hz = 44100, .n_channels = 1},
        {.path = "b/b.wav", .label = "b", .rate_hz = 44100, .n_channels = 1},
        {.path = "c/c.wav", .label = "", .rate_hz = 44100, .n_channels = 1}};
    const char *tmp = getenv("TMPDIR");
    char path[300], why[400];
    idx_index *index = NULL;
    idx_contents c = {.settings = "features = " RT_FEATURES "\n",
                      .report = "",
                      .n_sounds = RECORDING_SOUNDS,
                      .sounds = sounds};
    for (int s = 0; s < IDX_TIMBRE; s++)
        c.scales[s] = (idx_scale){.n_in = 1,
                                  .dim = 1,
                                  .n_knots = 2,
                                  .mean = zero,
                                  .spread = one,
                                  .knots = knots};
    snprintf(path, sizeof path, "%s/hearken-recording-XXXXXX", tmp ? tmp : "/tmp");
    const int fd = mkstemp(path);
    if (fd < 0)
        return NULL;
    close(fd);
    if (idx_write(path, &c, NULL, why, sizeof why) ||
        idx_load(&index, path, why, sizeof why))
        fprintf(stderr, "%s\n", why);
    unlink(path);
    return index;
}

#endif
