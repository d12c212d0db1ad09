/* rt/sound.c: files to mono samples. */
#include "rt/sound.h"
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 400000, ANY_READ = 4096 };

static char folder[200];

static void
enter_folder(void)
{
    make_folder(folder, sizeof folder);
}

static void
leave_folder(void)
{
    remove_tree(folder);
}

static const char *
path_of(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Interleaved samples by libsndfile. */
static void
write_sound(const char *path, int format, uint32_t rate_hz, uint32_t channels,
            const float x[], size_t n_frames)
{
    SF_INFO info = {
        .samplerate = (int)rate_hz, .channels = (int)channels, .format = format};
    SNDFILE *f = sf_open(path, SFM_WRITE, &info);
    ck_assert_msg(f != NULL, "cannot write %s: %s", path, sf_strerror(NULL));
    ck_assert(sf_writef_float(f, x, (sf_count_t)n_frames) == (sf_count_t)n_frames);
    sf_close(f);
}

static void
write_bytes(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert(f && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

static void
make_tone(float x[], size_t n, uint32_t rate_hz, double hz)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(0.5 * sin(6.283185307179586 * hz * (double)i / rate_hz));
}

/* Frequency and amplitude in the middle of a tone, by its zero crossings and power. */
static void
measure_tone(const float x[], size_t n, uint32_t rate_hz, double *hz, double *peak)
{
    double first = -1, last = -1, power = 0;
    double periods = -1;
    const size_t from = n / 5, to = n - n / 5;
    for (size_t i = from; i < to; i++) {
        power += (double)x[i] * (double)x[i];
        if (!(x[i - 1] < 0 && x[i] >= 0))
            continue;
        last = (double)i - (double)x[i] / (double)(x[i] - x[i - 1]);
        first = first < 0 ? last : first;
        periods++;
    }
    *hz = periods > 0 ? periods * rate_hz / (last - first) : 0;
    *peak = sqrt(2 * power / (double)(to - from));
}

/* All samples, n at a time; why is what the last read said. */
static size_t
read_all(rt_sound *s, float x[], size_t n, char *why, size_t why_len)
{
    size_t total = 0, got;
    while ((got = rt_sound_read(s, x + total, n < MOST - total ? n : MOST - total, why,
                                why_len)) > 0) {
        ck_assert(got <= n && !*why);
        total += got;
        ck_assert_uint_lt(total, MOST);
    }
    return total;
}

static rt_sound *
open_sound(const char *path, rt_sound_info *info)
{
    rt_sound *s;
    char why[200] = "";
    ck_assert_msg(rt_sound_open(&s, path, info, why, sizeof why), "%s: %s", path, why);
    ck_assert(s != NULL);
    return s;
}

/* ---- Rates and kinds ---------------------------------------------------------------
 */

static const struct {
    uint32_t file_hz, rate_hz;
} rates[] = {
    {1000, 48000},   {8000, 48000},   {16000, 48000},  {21999, 48000}, {22000, 22000},
    {22050, 22050},  {44100, 44100},  {48000, 48000},  {96000, 96000}, {96001, 48000},
    {176400, 48000}, {192000, 48000}, {768000, 48000},
};

START_TEST(a_tone_keeps_length_pitch_and_level_at_each_rate)
{
    static float x[MOST], y[MOST];
    const uint32_t hz = rates[_i].file_hz;
    const size_t n = hz / 2;
    double got_hz, got_peak;
    char why[200];
    rt_sound_info info;
    make_tone(x, n, hz, 300);
    write_wav(path_of("a.wav"), x, n, hz);
    rt_sound *s = open_sound(path_of("a.wav"), &info);
    ck_assert_uint_eq(info.rate_hz, rates[_i].rate_hz);
    ck_assert_uint_eq(info.file_rate_hz, hz);
    ck_assert_uint_eq(info.n_channels, 1);
    ck_assert_double_eq_tol(info.seconds, 0.5, 0.001);
    const double got = (double)read_all(s, y, ANY_READ, why, sizeof why);
    ck_assert_msg(!*why, "%s", why);
    ck_assert_msg(fabs(got - 0.5 * info.rate_hz) <= 0.005 * info.rate_hz,
                  "%u Hz: %.0f samples", hz, got);
    if (hz == info.rate_hz) /* bit for bit, but for 16 bits */
        for (size_t i = 0; i < n; i++)
            ck_assert(fabsf(x[i] - y[i]) < 1.0F / 32000);
    measure_tone(y, (size_t)got, info.rate_hz, &got_hz, &got_peak);
    ck_assert_msg(fabs(got_hz - 300) < 1 && fabs(got_peak - 0.5) < 0.01,
                  "%u Hz: a tone of %.2f Hz, amplitude %.3f", hz, got_hz, got_peak);
    rt_sound_close(s);
}
END_TEST

static const struct {
    const char *name;
    int format;
    uint32_t rate_hz;
} kinds[] = {
    {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 44100},
    {"b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 44100},
    {"c.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100},
    {"d.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 44100},
    {"e.wav", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 44100},
    {"f.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 44100},
    {"g.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 44100},
    {"h.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 44100},
    {"i.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100},
    {"j.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 16000},
    {"k.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100},
    {"l.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000},
    {"m.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100},
    {"n.au", SF_FORMAT_AU | SF_FORMAT_ULAW, 8000},
    {"o.caf", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 44100},
    {"p.voc", SF_FORMAT_VOC | SF_FORMAT_PCM_16, 44100},
    {"flac by another name.wav", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100},
};

START_TEST(each_kind_of_file_gives_the_tone_back)
{
    static float x[MOST], y[MOST];
    const size_t n = 2 * kinds[_i].rate_hz;
    const char *path = path_of(kinds[_i].name);
    double hz, peak;
    char why[200];
    rt_sound_info info;
    make_tone(x, n, kinds[_i].rate_hz, 440);
    write_sound(path, kinds[_i].format, kinds[_i].rate_hz, 1, x, n);
    rt_sound *s = open_sound(path, &info);
    const size_t got = read_all(s, y, ANY_READ, why, sizeof why);
    ck_assert_msg(!*why, "%s: %s", path, why);
    ck_assert_msg(fabs((double)got / info.rate_hz - 2) < 0.06, "%s: %zu samples", path,
                  got);
    measure_tone(y, got, info.rate_hz, &hz, &peak);
    ck_assert_msg(fabs(hz - 440) < 1 && fabs(peak - 0.5) < 0.03,
                  "%s: a tone of %.2f Hz, amplitude %.3f", path, hz, peak);
    rt_sound_close(s);
}
END_TEST

START_TEST(channels_are_averaged)
{
    enum { FRAMES = 10000 };
    static float x[FRAMES * 8], y[MOST];
    const uint32_t channels = (uint32_t)_i;
    uint64_t seed = 3;
    char why[200];
    rt_sound_info info;
    for (size_t i = 0; i < FRAMES * channels; i++)
        x[i] = (float)random_unit(&seed);
    write_sound(path_of("a.wav"), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, channels, x,
                FRAMES);
    rt_sound *s = open_sound(path_of("a.wav"), &info);
    ck_assert_uint_eq(info.n_channels, channels);
    ck_assert_uint_eq(read_all(s, y, 999, why, sizeof why), FRAMES);
    for (size_t i = 0; i < FRAMES; i++) {
        double sum = 0;
        for (uint32_t c = 0; c < channels; c++)
            sum += (double)x[i * channels + c];
        ck_assert_double_eq_tol((double)y[i], sum / channels, 1e-6);
    }
    rt_sound_close(s);
}
END_TEST

/* ---- Reading -----------------------------------------------------------------------
 */

static const struct {
    uint32_t file_hz;
    size_t read_frames;
} reads[] = {
    {48000, 1},    {48000, 7},   {48000, 4095}, {48000, 10000},
    {48000, MOST}, {8000, 1},    {8000, 7},     {8000, 4095},
    {8000, 10000}, {8000, MOST}, {192000, 1},   {192000, 999},
};

START_TEST(reads_of_any_size_give_the_same_samples)
{
    static float x[MOST], want[MOST], y[MOST];
    const uint32_t hz = reads[_i].file_hz;
    const size_t n = hz / 2 + 123;
    char why[200];
    rt_sound_info info;
    make_sound(x, n, hz, 7);
    write_wav(path_of("a.wav"), x, n, hz);
    rt_sound *s = open_sound(path_of("a.wav"), &info);
    const size_t n_want = read_all(s, want, ANY_READ, why, sizeof why);
    rt_sound_close(s);
    s = open_sound(path_of("a.wav"), &info);
    ck_assert_uint_eq(read_all(s, y, reads[_i].read_frames, why, sizeof why), n_want);
    for (int again = 0; again < 3; again++) { /* the end stays the end */
        ck_assert_uint_eq(rt_sound_read(s, y + n_want, 10, why, sizeof why), 0);
        ck_assert_str_eq(why, "");
    }
    rt_sound_close(s);
    ck_assert(!memcmp(want, y, n_want * sizeof *y));
}
END_TEST

/* ---- What is no sound --------------------------------------------------------------
 */

static void
refused(const char *path, const char *words)
{
    rt_sound *s = (rt_sound *)folder;
    rt_sound_info info;
    char why[200] = "";
    ck_assert_msg(!rt_sound_open(&s, path, &info, why, sizeof why), "%s opens", path);
    ck_assert(s == NULL);
    ck_assert_msg(*why && strstr(why, words) && !strstr(why, folder) &&
                      !strchr(why, '\n') && why[strlen(why) - 1] != '.',
                  "%s: \"%s\"", path, why);
}

START_TEST(what_is_no_sound_is_refused_in_a_few_words)
{
    static const char text[] =
        "This is no sound, whatever it is called. It is prose.\n";
    static const float x[4];
    const char *path = path_of("a.wav");
    refused(path, "No such file");
    mkfifo(path, 0600); /* and does not block */
    refused(path, "not a regular file");
    remove(path);
    mkdir(path, 0700);
    refused(path, "not a regular file");
    remove(path);
    ck_assert(symlink("nowhere", path) == 0);
    refused(path, "No such file");
    remove(path);
    refused("/dev/zero", "not a regular file");
    write_bytes(path, "", 0);
    refused(path, "");
    write_bytes(path, text, sizeof text - 1);
    refused(path, "");
    write_bytes(path, "RIFF\0\0\0\0WAVE", 12);
    refused(path, "");
    write_sound(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 999, 1, x, 4);
    refused(path, "a sample rate of 999 Hz; 1000 to 768000 can be read");
    write_sound(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 768001, 1, x, 4);
    refused(path, "a sample rate of 768001 Hz");
    rt_sound_close(NULL);
}
END_TEST

START_TEST(too_many_channels_are_refused)
{
    static const float x[300];
    write_sound(path_of("a.wav"), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000, 257, x, 1);
    refused(path_of("a.wav"), "257 channels; 1 to 256 can be read");
}
END_TEST

START_TEST(a_file_without_samples_is_at_its_end_at_once)
{
    float x[10];
    char why[200] = "x";
    rt_sound_info info;
    write_wav(path_of("a.wav"), x, 0, (uint32_t)_i);
    rt_sound *s = open_sound(path_of("a.wav"), &info);
    ck_assert_double_eq(info.seconds, 0);
    ck_assert_uint_eq(rt_sound_read(s, x, 10, why, sizeof why), 0);
    ck_assert_str_eq(why, "");
    rt_sound_close(s);
}
END_TEST

/* ---- Damage ------------------------------------------------------------------------
 */

/* Writes a second of noise, then spoils the file from that share on, or cuts it there.
 */
static void
write_damaged(const char *path, int format, uint32_t rate_hz, double from, bool cut)
{
    static float x[MOST];
    uint64_t seed = 11;
    FILE *f;
    for (size_t i = 0; i < rate_hz; i++)
        x[i] = 0.5F * (float)random_unit(&seed);
    write_sound(path, format, rate_hz, 1, x, rate_hz);
    ck_assert((f = fopen(path, "r+b")) != NULL && !fseek(f, 0, SEEK_END));
    const long end = ftell(f), begin = (long)((double)end * from);
    ck_assert(!fseek(f, begin, SEEK_SET));
    for (long i = begin; i < end && !cut; i++)
        fputc((int)(random_u64(&seed) & 255), f);
    ck_assert(!fclose(f));
    ck_assert(!cut || !truncate(path, begin));
}

START_TEST(a_wav_file_that_was_cut_gives_what_is_there)
{
    static float y[MOST];
    char why[200];
    rt_sound_info info;
    write_damaged(path_of("a.wav"), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 0.5, true);
    rt_sound *s = open_sound(path_of("a.wav"), &info);
    const size_t got = read_all(s, y, ANY_READ, why, sizeof why);
    ck_assert_msg(got > 23900 && got < 24100, "%zu", got);
    ck_assert_str_eq(why, "");
    rt_sound_close(s);
}
END_TEST

static const struct {
    const char *name;
    int format;
    uint32_t rate_hz;
} decoders[] = {
    {"at its own rate", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000},
    {"resampled", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000},
    {"resampled from above", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 192000},
};

START_TEST(damage_that_the_decoder_finds_is_told_with_the_last_read)
{
    static float y[MOST];
    char why[200] = "";
    rt_sound_info info;
    write_damaged(path_of("a.flac"), decoders[_i].format, decoders[_i].rate_hz, 0.5,
                  false);
    rt_sound *s = open_sound(path_of("a.flac"), &info);
    size_t n, total = 0;
    while ((n = rt_sound_read(s, y, ANY_READ, why, sizeof why)) > 0)
        total += n;
    ck_assert_msg(*why && total < info.rate_hz, "case: %s: %zu samples, \"%s\"",
                  decoders[_i].name, total, why);
    rt_sound_close(s);
}
END_TEST

/* ---- Memory and threads ------------------------------------------------------------
 */

START_TEST(open_survives_each_failing_allocation)
{
    float x[100] = {0};
    uint64_t k = 1, left = 0;
    write_wav(path_of("a.wav"), x, 100, (uint32_t)_i);
    for (; left == 0; k++) {
        rt_sound *s;
        rt_sound_info info;
        char why[200] = "";
        heap_fail_at = k;
        const bool ok = rt_sound_open(&s, path_of("a.wav"), &info, why, sizeof why);
        left = heap_fail_at;
        heap_fail_at = 0;
        ck_assert(ok == (left > 0) && !!s == ok);
        ck_assert_str_eq(why, ok ? "" : "not enough memory to decode it");
        rt_sound_close(s);
    }
    ck_assert_uint_ge(k, 4); /* at least two of them failed */
}
END_TEST

typedef struct {
    char path[300], words[200];
    int wrong;
} opener;

static void *
open_often(void *arg)
{
    opener *o = arg;
    for (int i = 0; i < 3000; i++) {
        rt_sound *s;
        rt_sound_info info;
        char why[200] = "";
        rt_sound_open(&s, o->path, &info, why, sizeof why);
        rt_sound_close(s);
        o->wrong += strcmp(why, o->words) != 0;
    }
    return NULL;
}

/* libsndfile keeps the reason of a failed open in one place for all threads. */
START_TEST(the_reason_is_that_of_the_own_file_on_several_threads)
{
    opener o[3] = {0};
    float x[100] = {0};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        rt_sound *s;
        rt_sound_info info;
        snprintf(o[i].path, sizeof o[i].path, "%s/%d.wav", folder, i);
        if (i == 0)
            write_wav(o[i].path, x, 100, 48000);
        else
            write_bytes(o[i].path, i == 1 ? "no sound at all" : "RIFF\0\0\0\0WAVE", 12);
        rt_sound_open(&s, o[i].path, &info, o[i].words, sizeof o[i].words);
        rt_sound_close(s);
    }
    ck_assert_str_ne(o[1].words, o[2].words);
    for (int i = 0; i < 3; i++)
        ck_assert(!pthread_create(&threads[i], NULL, open_often, &o[i]));
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(!o[i].wrong, "\"%s\": %d times wrong", o[i].words, o[i].wrong);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof *(table))

int
main(void)
{
    Suite *s = suite_create("rt/sound");
    TCase *t = tcase_create("sound");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, enter_folder, leave_folder);
    tcase_add_loop_test(t, a_tone_keeps_length_pitch_and_level_at_each_rate, 0,
                        N(rates));
    tcase_add_loop_test(t, each_kind_of_file_gives_the_tone_back, 0, N(kinds));
    tcase_add_loop_test(t, channels_are_averaged, 1, 9);
    tcase_add_loop_test(t, reads_of_any_size_give_the_same_samples, 0, N(reads));
    tcase_add_test(t, what_is_no_sound_is_refused_in_a_few_words);
    tcase_add_test(t, too_many_channels_are_refused);
    tcase_add_loop_test(t, a_file_without_samples_is_at_its_end_at_once, 48000, 48001);
    tcase_add_loop_test(t, a_file_without_samples_is_at_its_end_at_once, 8000, 8001);
    tcase_add_test(t, a_wav_file_that_was_cut_gives_what_is_there);
    tcase_add_loop_test(t, damage_that_the_decoder_finds_is_told_with_the_last_read, 0,
                        N(decoders));
    tcase_add_loop_test(t, open_survives_each_failing_allocation, 48000, 48001);
    tcase_add_loop_test(t, open_survives_each_failing_allocation, 8000, 8001);
    tcase_add_test(t, the_reason_is_that_of_the_own_file_on_several_threads);
    suite_add_tcase(s, t);
    return run_suite(s);
}
