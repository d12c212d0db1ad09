#include "sound.h"

#include "dsp/dsp.h"

#include <errno.h>
#include <pthread.h>
#include <sndfile.h>
#include <soxr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BLOCK_FRAMES = 4096,
    RESAMPLED_HZ = 48000,
    MIN_FILE_HZ = 1000,
    MAX_FILE_HZ = 768000,
    MAX_CHANNELS = 256,
};

struct rt_sound {
    SNDFILE *file;
    soxr_t resampler; /* NULL: the file's rate is analysed as it is */
    uint32_t n_channels;
    float *interleaved; /* [BLOCK_FRAMES][n_channels] */
    float mono[BLOCK_FRAMES];
    size_t n_mono, used; /* in mono */
    bool ended;
};

static bool
start_resampler(rt_sound *s, uint32_t from_hz)
{
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_error_t error = NULL;
    s->resampler =
        soxr_create(from_hz, RESAMPLED_HZ, 1, &error, &io, &quality, &runtime);
    return s->resampler && !error;
}

static bool
check(const SF_INFO *sf, char *why, size_t len)
{
    if (sf->channels < 1 || sf->channels > MAX_CHANNELS)
        snprintf(why, len, "%d channels; 1 to %d can be read", sf->channels,
                 MAX_CHANNELS);
    else if (sf->samplerate < MIN_FILE_HZ || sf->samplerate > MAX_FILE_HZ)
        snprintf(why, len, "a sample rate of %d Hz; %d to %d can be read",
                 sf->samplerate, MIN_FILE_HZ, MAX_FILE_HZ);
    else
        return true;
    return false;
}

static bool
prepare(rt_sound *s, const SF_INFO *sf, rt_sound_info *info, char *why, size_t len)
{
    if (!check(sf, why, len))
        return false;
    const uint32_t rate = (uint32_t)sf->samplerate;
    const bool direct = rate >= DSP_MIN_RATE_HZ && rate <= DSP_MAX_RATE_HZ;
    s->n_channels = (uint32_t)sf->channels;
    s->interleaved = malloc((size_t)BLOCK_FRAMES * s->n_channels * sizeof(float));
    if (!s->interleaved || (!direct && !start_resampler(s, rate))) {
        snprintf(why, len, "not enough memory to decode it");
        return false;
    }
    const bool known = sf->frames > 0 && sf->frames < (1LL << 40);
    const uint64_t n_frames = known ? (uint64_t)sf->frames : 0;
    *info = (rt_sound_info){.rate_hz = direct ? rate : RESAMPLED_HZ,
                            .file_rate_hz = rate,
                            .n_channels = s->n_channels,
                            .n_frames = n_frames,
                            .seconds = (double)n_frames / rate};
    return true;
}

/* What libsndfile says, without the point at its end. */
static void
reason(SNDFILE *file, char *why, size_t len)
{
    snprintf(why, len, "%s", sf_strerror(file));
    for (size_t n = strlen(why); n > 0 && strchr(". \n", why[n - 1]); n--)
        why[n - 1] = 0;
}

/* sf_open(); of a failed one libsndfile keeps the reason in one place for all threads.
 */
static SNDFILE *
open_file(const char *path, SF_INFO *sf, char *why, size_t len)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one_at_a_time);
    SNDFILE *file = sf_open(path, SFM_READ, sf);
    if (!file)
        reason(NULL, why, len);
    pthread_mutex_unlock(&one_at_a_time);
    return file;
}

bool
rt_sound_open(rt_sound **out, const char *path, rt_sound_info *info, char *why,
              size_t len)
{
    *out = NULL;
    struct stat st;
    const bool missing = stat(path, &st) != 0;
    if (missing || !S_ISREG(st.st_mode)) { /* a pipe would block for ever */
        snprintf(why, len, "%s", missing ? strerror(errno) : "not a regular file");
        return false;
    }
    rt_sound *s = calloc(1, sizeof *s);
    SF_INFO sf = {0};
    if (!s) {
        snprintf(why, len, "not enough memory to decode it");
        return false;
    }
    s->file = open_file(path, &sf, why, len);
    if (s->file && prepare(s, &sf, info, why, len)) {
        *out = s;
        return true;
    }
    rt_sound_close(s);
    return false;
}

void
rt_sound_close(rt_sound *s)
{
    if (!s)
        return;
    if (s->file)
        sf_close(s->file);
    if (s->resampler)
        soxr_delete(s->resampler);
    free(s->interleaved);
    free(s);
}

bool
rt_sound_chunk(rt_sound *s, const char name[4], char **data, size_t *n)
{
    enum { MOST_BYTES = 1 << 28 };
    SF_CHUNK_INFO c = {.id_size = 4};
    memcpy(c.id, name, 4);
    *data = NULL;
    *n = 0;
    const SF_CHUNK_ITERATOR *it = sf_get_chunk_iterator(s->file, &c);
    if (!it || sf_get_chunk_size(it, &c) || c.datalen > MOST_BYTES)
        return false;
    *n = c.datalen;
    *data = calloc(1, *n + 1);
    c.data = *data;
    if (*data && !sf_get_chunk_data(it, &c))
        return true;
    free(*data);
    *data = NULL;
    return false;
}

/* Decodes the next block into mono; false at the end or on failure. */
static bool
fill(rt_sound *s, char *why, size_t len)
{
    const sf_count_t got = sf_readf_float(s->file, s->interleaved, BLOCK_FRAMES);
    if (sf_error(s->file)) {
        reason(s->file, why, len);
        return false;
    }
    const uint32_t c = s->n_channels;
    if (c == 1 && got > 0) /* as it is, to the sign of a zero */
        memcpy(s->mono, s->interleaved, (size_t)got * sizeof *s->mono);
    for (sf_count_t i = 0; c > 1 && i < got; i++) {
        float sum = 0;
        for (uint32_t j = 0; j < c; j++)
            sum += s->interleaved[(size_t)i * c + j];
        s->mono[i] = sum / (float)c;
    }
    s->n_mono = got > 0 ? (size_t)got : 0;
    s->used = 0;
    return got > 0;
}

static size_t
resample(rt_sound *s, float x[], size_t n, char *why, size_t len)
{
    size_t made = 0;
    while (made == 0) {
        if (s->used == s->n_mono && !s->ended) {
            s->ended = !fill(s, why, len);
            if (*why)
                return 0;
            if (s->ended)
                s->n_mono = s->used = 0;
        }
        size_t taken = 0;
        const size_t left = s->n_mono - s->used;
        const soxr_error_t error =
            soxr_process(s->resampler, s->ended ? NULL : s->mono + s->used, left,
                         &taken, x, n, &made);
        s->used += taken;
        if (error)
            snprintf(why, len, "%s", error);
        if (error || (s->ended && made == 0))
            break;
    }
    return made;
}

size_t
rt_sound_read(rt_sound *s, float x[], size_t n, char *why, size_t len)
{
    why[0] = 0;
    if (s->resampler)
        return resample(s, x, n, why, len);
    if (s->used == s->n_mono && !fill(s, why, len))
        return 0;
    const size_t left = s->n_mono - s->used, take = n < left ? n : left;
    memcpy(x, s->mono + s->used, take * sizeof *x);
    s->used += take;
    return take;
}
